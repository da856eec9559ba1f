"""An import taken back whole, within a day, as long as nobody has built upon it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.access.roster import withdraw_logins, withdraw_offices
from timebank.activities.withdrawal import withdraw_activities
from timebank.areas.withdrawal import withdraw_areas
from timebank.checkins.withdrawal import withdraw_records
from timebank.database import RanIntoAnother, retried, transaction
from timebank.deeds.filing import withdraw_deeds
from timebank.errors import NotFound, TimebankError
from timebank.imports import traces
from timebank.imports.intake import Kind, Noun, wait_turn
from timebank.imports.problems import Problem, problem
from timebank.imports.report import Note
from timebank.imports.traces import ImportUsed, Trace, in_withdrawn
from timebank.people.enrolment import withdraw_many
from timebank.people.messages import forget_told_by_imports
from timebank.people.nominations import withdraw_nominations
from timebank.scope import Scope
from timebank.shop.goods import change_good
from timebank.shop.schemas import GoodChange
from timebank.shop.stock import take

UNDO_WITHIN = timedelta(hours=24)

Made = Mapping[Noun, list[UUID]]


class UndoTooLate(TimebankError):
    code = "undo_too_late"
    status = 409
    sentence = "导入后 24 小时内才能整批撤销，这次已经过了时间。请逐条更正。"


class _Run(msgspec.Struct, frozen=True):
    kind: Kind
    started_at: datetime
    undone_at: datetime | None


@retried
async def undo(scope: Scope, run_id: UUID) -> None:
    """Take back everything that a run has made; a run taken back already stays so.

    Raises UndoTooLate after 24 hours, and ImportUsed, with what stands in the way, when something of it has been used.
    """
    scope.require_admin()
    async with transaction(scope):
        await wait_turn(scope)
        run = await database.row(
            _Run,
            "SELECT kind, started_at, undone_at FROM import_run WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id, run_id,
        )  # fmt: skip
        if run is None:
            raise NotFound
        if run.undone_at is not None:
            return
        if clock.now() - run.started_at > UNDO_WITHIN:
            raise UndoTooLate
        made = await _made(scope, run_id)
        if found := await _traces(scope, run, made):
            raise ImportUsed(found)
        notes = await _TAKE_BACK[run.kind](scope, run_id, made)
        await database.execute(
            "DELETE FROM import_row WHERE community_id = $1 AND run_id = $2", scope.community_id, run_id
        )
        await database.execute(
            "UPDATE import_run SET undone_at = $3, undone_by = $4, "
            "report = jsonb_set(report, '{notes}', (report -> 'notes') || $5::jsonb) "
            "WHERE community_id = $1 AND id = $2",
            scope.community_id, run_id, clock.now(), scope.person_id,
            msgspec.json.encode([Note(note.code, dict(note.values)) for note in notes]).decode(),
        )  # fmt: skip
        await audit.record(scope, "undo_import", "import_run", run_id, kind=run.kind)


async def _made(scope: Scope, run_id: UUID) -> Made:
    found = await database.fetch(
        "SELECT noun, noun_id FROM import_row WHERE community_id = $1 AND run_id = $2", scope.community_id, run_id
    )
    made: dict[Noun, list[UUID]] = {}
    for row in found:
        made.setdefault(row["noun"], []).append(UUID(bytes=row["noun_id"].bytes))
    return made


async def _traces(scope: Scope, run: _Run, made: Made) -> list[Trace]:
    if run.kind == "residents":
        return await traces.of_people(scope, made, run.started_at)
    if run.kind == "hours":
        return await traces.of_hours(scope, made)
    if run.kind == "deeds":
        return await traces.of_deeds(scope, made)
    return await traces.of_goods(scope, made, run.started_at)


async def _residents(scope: Scope, run_id: UUID, made: Made) -> list[Problem]:
    """Whom withdrawn records name stays in the book, without office; the run tells how many."""
    everybody = made.get("person", [])
    stay = await in_withdrawn(scope, everybody)
    people = [person_id for person_id in everybody if person_id not in set(stay)]
    leaving = set(people)
    await withdraw_nominations(scope, made.get("guardianship", []), run_id, leaving=leaving)
    await withdraw_offices(scope, made.get("role_grant", []), run_id, leaving=leaving)
    await withdraw_logins(scope, people)
    await forget_told_by_imports(scope, run_id, people)
    if await withdraw_many(scope, people):
        raise RanIntoAnother  # Somebody was given something between the look and the deed: the next run tells what.
    await withdraw_areas(scope, made.get("area", []))
    return [problem("note_stayed", count=len(stay))] if stay else []


async def _hours(scope: Scope, run_id: UUID, made: Made) -> list[Problem]:
    records = made.get("service_record", [])
    if await withdraw_records(scope, records, run_id) < len(records):
        raise RanIntoAnother
    await withdraw_activities(scope, made.get("activity", []))
    return []


async def _deeds(scope: Scope, run_id: UUID, made: Made) -> list[Problem]:
    filed = made.get("deed", [])
    if await withdraw_deeds(scope, filed, run_id) < len(filed):
        raise RanIntoAnother
    return []


async def _goods(scope: Scope, _run_id: UUID, made: Made) -> list[Problem]:
    moves = await database.fetch(
        "SELECT good_id, station_id, change FROM stock_move WHERE community_id = $1 AND id = ANY ($2) "
        "ORDER BY good_id, station_id",
        scope.community_id, made.get("stock_move", []),
    )  # fmt: skip
    for move in moves:
        await take(scope, move["good_id"], move["station_id"], move["change"], "import_undone")
    for good_id in sorted(made.get("good", [])):
        await change_good(scope, good_id, GoodChange(active=False))
    return []


_TAKE_BACK: Mapping[Kind, Callable[[Scope, UUID, Made], Awaitable[list[Problem]]]] = {
    "residents": _residents,
    "hours": _hours,
    "deeds": _deeds,
    "goods": _goods,
}
