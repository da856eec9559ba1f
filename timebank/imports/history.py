"""The imports that a community has made, with their reports."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.database import transaction
from timebank.errors import NotFound
from timebank.imports.report import Findings
from timebank.imports.schemas import RunDetail, RunOut
from timebank.imports.undo import UNDO_WITHIN
from timebank.locale import translator
from timebank.paging import Page, page, read_cursor
from timebank.scope import Scope

_RUNS = (
    "SELECT r.id, r.kind, r.file_name, r.skip_bad, r.rows, r.accepted, r.created, p.name AS started_by, r.started_at, "
    "CASE WHEN r.undone_at IS NULL AND r.started_at >= $2 THEN r.started_at + $3 END AS undo_until, r.undone_at "
    "FROM import_run r LEFT JOIN person p ON p.community_id = r.community_id AND p.id = r.started_by "
    "WHERE r.community_id = $1 "
)


async def runs(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[RunOut]:
    """The community's imports, newest first."""
    scope.require_reader()
    before = read_cursor(cursor, tuple[datetime, UUID])
    async with transaction(scope):
        found = await database.rows(
            RunOut,
            _RUNS + "AND ($4::timestamptz IS NULL OR (r.started_at, r.id) < ($4, $5)) "
            "ORDER BY r.started_at DESC, r.id DESC LIMIT $6",
            scope.community_id, clock.now() - UNDO_WITHIN, UNDO_WITHIN, *(before or (None, None)), limit + 1,
        )  # fmt: skip
    return page(found, limit, lambda run: (run.started_at, run.id))


async def run(scope: Scope, run_id: UUID, language: str = "zh") -> RunDetail:
    """One import, with its report in the reader's language."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(
            RunOut, _RUNS + "AND r.id = $4", scope.community_id, clock.now() - UNDO_WITHIN, UNDO_WITHIN, run_id
        )
        if found is None:
            raise NotFound
        kept: str = await database.fetch_value(
            "SELECT report FROM import_run WHERE community_id = $1 AND id = $2", scope.community_id, run_id
        )
    told = msgspec.json.decode(kept, type=Findings).told(translator(language))
    return RunDetail(
        **msgspec.structs.asdict(found), errors=told.errors, warnings=told.warnings, notes=told.notes,
        unused_columns=told.unused_columns,
    )  # fmt: skip
