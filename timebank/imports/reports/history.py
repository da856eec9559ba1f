"""Read a community's imports and their reports."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.locale import translator
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.imports.runs.closing import findings_of
from timebank.imports.runs.undo import UNDO_WITHIN
from timebank.imports.schemas import RunDetail, RunOut
from timebank.imports.words.word_meanings import still_unknown
from timebank.operations.installation import WORKER_SILENT_FOR

# The progress of a running import comes from its work; rows that are known or refused count as done from the start.
_RUNS = (
    "SELECT r.id, r.kind, r.file_name, r.skip_bad, r.rows, r.accepted, coalesce(w.created, r.created) AS created, "
    "p.name AS started_by, r.started_at, CASE WHEN r.undone_at IS NULL AND w.run_id IS NULL AND r.started_at >= $2 "
    "THEN r.started_at + $3 END AS undo_until, r.undone_at, r.stopped, "
    "CASE WHEN w.verb = 'import' THEN 'running' WHEN w.verb = 'undo' THEN 'undoing' "
    "WHEN r.undone_at IS NOT NULL THEN 'undone' WHEN r.stopped IS NOT NULL THEN 'stopped' ELSE 'done' END AS state, "
    "CASE w.verb WHEN 'import' THEN r.rows - w.total + w.done WHEN 'undo' THEN w.done ELSE r.rows END AS done, "
    "CASE w.verb WHEN 'undo' THEN w.total ELSE r.rows END AS total, "
    "coalesce(w.held_until <= $4, false) AND (w.login_id IS NULL OR NOT coalesce((SELECT i.worker_seen_at > $5 "
    "FROM installation i), false)) AS waits_for_worker "
    "FROM import_run r LEFT JOIN person p ON p.community_id = r.community_id AND p.id = r.started_by "
    "LEFT JOIN (SELECT run_id, verb, done, total, login_id, held_until, "
    "CASE WHEN verb = 'import' THEN created END AS created FROM import_work WHERE community_id = $1) AS w "
    "ON w.run_id = r.id WHERE r.community_id = $1"
)


def _facts(scope: Scope) -> tuple[object, ...]:
    now = clock.now()
    return scope.community_id, now - UNDO_WITHIN, UNDO_WITHIN, now, now - WORKER_SILENT_FOR


async def runs(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[RunOut]:
    """The community's imports, newest first."""
    scope.require_reader()
    asked = Filters(*_facts(scope))
    asked.add_after("r.started_at, r.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    newest = f"{_RUNS}{asked.sql} ORDER BY r.started_at DESC, r.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(RunOut, newest, *asked.values)
    return make_page(found, limit, lambda run: (run.started_at, run.id))


async def show_run(scope: Scope, run_id: UUID, language: str = "zh") -> RunDetail:
    """One import, with its report in the reader's language. Raises NotFound."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(RunOut, _RUNS + " AND r.id = $6", *_facts(scope), run_id)
        if found is None:
            raise NotFound
        kept = await findings_of(scope, run_id)
    told = kept.told(translator(language))
    return RunDetail(
        **msgspec.structs.asdict(found), errors=told.errors, warnings=told.warnings, notes=told.notes,
        unused_columns=told.unused_columns, used_columns=told.used_columns, refusals=told.refusals,
        notices=told.notices, unknown=await still_unknown(scope, told.unknown),
    )  # fmt: skip


async def file_names(scope: Scope, run_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of the files of these imports, by the import's id."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id, file_name FROM import_run WHERE community_id = $1 AND id = ANY ($2)",
            scope.community_id, list(run_ids),
        )  # fmt: skip
    return {UUID(bytes=row["id"].bytes): row["file_name"] for row in found}
