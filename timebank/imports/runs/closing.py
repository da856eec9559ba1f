"""Store the outcome of an import that has ended: completed, stopped early, or refused as a whole."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.imports.reports.reasons import Remark
from timebank.imports.reports.report import Findings, Note
from timebank.imports.runs import work
from timebank.imports.runs.ending import notify_stop
from timebank.imports.runs.work import Work
from timebank.imports.tables import ImportRun


class LateRefusal(Exception):
    """Rows that were good when the file was examined are refused now, and one bad row refuses the whole run."""

    def __init__(self, late: Sequence[Remark]) -> None:
        super().__init__(len(late))
        self.late = late


async def findings_of(scope: Scope, run_id: UUID) -> Findings:
    """The stored findings of a run. Raises NotFound."""
    async with transaction(scope):
        kept = await database.fetch_value(
            "SELECT report FROM import_run WHERE community_id = $1 AND id = $2", scope.community_id, run_id
        )
    if kept is None:
        raise NotFound
    return msgspec.json.decode(kept, type=Findings)


async def close_import(scope: Scope, at: Work, created: int, late: Sequence[Remark]) -> None:
    found = await findings_of(scope, at.run_id)
    is_short = bool(late) and not at.skip_bad
    found = msgspec.structs.replace(
        found, accepted=found.accepted - len(late), created=created, errors=[*found.errors, *late],
        outcome="incomplete" if is_short else found.outcome,
        notes=[*found.notes, Note("note_incomplete", {"count": len(late)})] if is_short else found.notes,
    )  # fmt: skip
    await _write(scope, at, found, None)
    await audit.record(
        scope, "import", "import_run", at.run_id, kind=at.kind, rows=found.rows, accepted=found.accepted,
        created=created,
    )  # fmt: skip


@retried
async def refuse_import(scope: Scope, at: Work, late: Sequence[Remark]) -> None:
    """End an import before anything is written; none of its rows is imported."""
    async with transaction(scope):
        if await work.lock_work(scope, at.run_id) is None:
            return
        found = await findings_of(scope, at.run_id)
        found = msgspec.structs.replace(
            found, outcome="refused", run_id=None, accepted=0, created=0, errors=[*found.errors, *late],
            notes=[*found.notes, Note("note_refused_late", {"count": len(late)})],
        )  # fmt: skip
        await _write(scope, at, found, "refused_late")
        await audit.record(scope, "stop_import", "import_run", at.run_id, kind=at.kind, code="refused_late")
        if scope.via == "worker":  # otherwise the caller reads the report
            await notify_stop(scope, at)
        await work.end_work(scope, at.run_id)


async def _write(scope: Scope, at: Work, found: Findings, stopped: str | None) -> None:
    await ImportRun.update(
        {
            ImportRun.accepted: found.accepted, ImportRun.created: found.created,
            ImportRun.report: msgspec.json.encode(found).decode(), ImportRun.ended_at: clock.now(),
            ImportRun.stopped: stopped,
        }
    ).where((ImportRun.community_id == scope.community_id) & (ImportRun.id == at.run_id))  # fmt: skip


async def _note(scope: Scope, at: Work, found: Findings, note: Note) -> None:
    found = msgspec.structs.replace(found, notes=[*found.notes, note])
    await ImportRun.update({ImportRun.report: msgspec.json.encode(found).decode()}).where(
        (ImportRun.community_id == scope.community_id) & (ImportRun.id == at.run_id)
    )


@retried
async def stop_work(scope: Scope, at: Work, code: str) -> None:
    """End work that an error forbids; what was done stays.

    The starter is notified if something was done or the worker did it; otherwise the caller gets the error.
    """
    system = Scope.of_system(scope.community_id)
    async with transaction(system):
        held = await work.lock_work(system, at.run_id)
        if held is None:
            return
        found, left = await findings_of(system, at.run_id), held.total - held.done
        if at.verb == "import":
            found = msgspec.structs.replace(
                found, accepted=held.created, created=held.created, errors=[*found.errors, *held.late],
                notes=[*found.notes, Note("note_stopped", {"count": left})],
            )  # fmt: skip
            await _write(system, at, found, code)
        elif held.done:
            await _note(system, at, found, Note("note_undo_stopped", {"count": left}))
        await audit.record(system, "stop_import", "import_run", at.run_id, kind=at.kind, code=code)
        if held.done or scope.via == "worker":  # otherwise the caller reads the refusal
            await notify_stop(system, at)
        await work.end_work(system, at.run_id)
