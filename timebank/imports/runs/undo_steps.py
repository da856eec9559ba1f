"""Undoes an import batch by batch. A record that is used after the undo has begun stays, and the report notes it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import msgspec

from timebank.access.roster import undo_logins, undo_role_grants
from timebank.activities.undo import undo_activities
from timebank.areas.undo import remove_unused_areas
from timebank.core import audit, clock, database
from timebank.core.scope import Scope
from timebank.deeds.filing.filing import undo_filed_deeds
from timebank.deeds.filing.notices import Named, notify_deeds_withdrawn
from timebank.imports.cells.problems import problem
from timebank.imports.intake import Intake, Kind, Made, Noun
from timebank.imports.reports.report import Note
from timebank.imports.runs import traces
from timebank.imports.runs.traces import ImportUsed, in_withdrawn, of_people
from timebank.imports.steps import Steps
from timebank.matters.figures.counting import recount_days
from timebank.matters.opening.importing import received_days, withdraw_imported
from timebank.matters.opening.later_books import matters_ended_by, reopen_booked
from timebank.people.enrolment.undo import undo_enrolments
from timebank.people.guardianship.nominations import undo_nominations
from timebank.people.messages import purge_import_messages
from timebank.service_records.honour.notices import notify_of_many_hours
from timebank.service_records.honour.undo import undo_entered_hours
from timebank.shop.goods import change_good
from timebank.shop.schemas import GoodChange
from timebank.shop.shelves.stock import take_if_enough
from timebank.teams.importing import withdraw_entered
from timebank.units.importing import withdraw_reported

ORDER: tuple[Noun, ...] = (
    "guardianship", "role_grant", "affiliation", "person_skill", "person", "area", "service_record", "activity", "deed",
    "stock_move", "stock", "good", "matter_step", "matter",
)  # fmt: skip


async def records_of(scope: Scope, run_id: UUID) -> list[Made]:
    """The records that a run has made, in the order in which they are undone."""
    found = await database.fetch(
        "SELECT noun, noun_id FROM import_row WHERE community_id = $1 AND run_id = $2 "
        "ORDER BY array_position($3::text[], noun), noun_id",
        scope.community_id, run_id, list(ORDER),
    )  # fmt: skip
    return [Made(row["noun"], UUID(bytes=row["noun_id"].bytes)) for row in found]


async def require_unused(scope: Scope, run_id: UUID, made: Sequence[Made]) -> None:
    """Raise ImportUsed with the traces if one of the records has been used."""
    run = await database.fetch_one(
        "SELECT kind, started_at FROM import_run WHERE community_id = $1 AND id = $2", scope.community_id, run_id
    )
    assert run is not None
    if found := await traces.find_traces(scope, run["kind"], _by_noun(made), run["started_at"]):
        raise ImportUsed(found)


def _by_noun(made: Sequence[Made]) -> dict[Noun, list[UUID]]:
    ids: dict[Noun, list[UUID]] = {}
    for one in made:
        ids.setdefault(one.noun, []).append(one.noun_id)
    return ids


async def _take_back(intake: Intake, made: Sequence[Made]) -> None:
    """Undo one batch, each noun with its own function."""
    ids = _by_noun(made)
    for noun in ORDER:
        if noun in ids and noun in _BACK:
            await _BACK[noun](intake, ids[noun])


async def _guardianships(intake: Intake, ids: Sequence[UUID]) -> None:
    await undo_nominations(intake.scope, ids, intake.id, leaving=await _leaving(intake))


async def _role_grants(intake: Intake, ids: Sequence[UUID]) -> None:
    await undo_role_grants(intake.scope, ids, intake.id, leaving=await _leaving(intake))


async def _leaving(intake: Intake) -> set[UUID]:
    """People whom the run registered and no withdrawn record refers to: they are deleted, so they are not notified."""
    everybody = await intake.made_by_run("person")
    return set(everybody) - set(await in_withdrawn(intake.scope, everybody))


async def _people(intake: Intake, ids: Sequence[UUID]) -> None:
    """Delete people, except those whom withdrawn records refer to or whose record has been used meanwhile.

    The rows are locked FOR UPDATE first, so that no new row can refer to these people before they are deleted.
    """
    await database.execute(
        "SELECT FROM person WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE",
        intake.scope.community_id, list(ids),
    )  # fmt: skip
    since = await database.fetch_value(
        "SELECT started_at FROM import_run WHERE community_id = $1 AND id = $2", intake.scope.community_id, intake.id
    )
    found = await of_people(intake.scope, {"person": ids}, since)
    if found and intake.is_whole:
        raise ImportUsed(found)
    stay = {trace.noun_id for trace in found} | set(await in_withdrawn(intake.scope, ids))
    people = [person_id for person_id in ids if person_id not in stay]
    await undo_logins(intake.scope, people)
    await purge_import_messages(intake.scope, intake.id, people)
    if await undo_enrolments(intake.scope, people):
        raise database.RanIntoAnother  # Somebody was given something between the look and the deletion.


async def _records(intake: Intake, ids: Sequence[UUID]) -> None:
    _require_all(intake, ids, await undo_entered_hours(intake.scope, ids))


def _require_all(intake: Intake, ids: Sequence[UUID], withdrawn: int) -> None:
    """Retry an undo that is a single batch if not all of it was withdrawn, since such an undo is all or nothing."""
    if withdrawn < len(ids) and intake.is_whole:
        raise database.RanIntoAnother


async def _activities(intake: Intake, ids: Sequence[UUID]) -> None:
    await undo_activities(intake.scope, ids)


async def _deeds(intake: Intake, ids: Sequence[UUID]) -> None:
    _require_all(intake, ids, await undo_filed_deeds(intake.scope, ids))


async def _areas(intake: Intake, ids: Sequence[UUID]) -> None:
    await remove_unused_areas(intake.scope, ids)


_TAKEN_BACK = (
    "EXISTS (SELECT FROM stock_move back WHERE back.community_id = $1 AND back.good_id = m.good_id "
    "AND back.station_id = m.station_id AND back.reason = 'import_undone' AND back.moved_at >= m.moved_at)"
)


async def _moves(intake: Intake, ids: Sequence[UUID]) -> None:
    """Take the imported quantities out of stock again; a stock that holds less by now is left as it is.

    A quantity that a stopped undo has already taken out is not taken out twice.
    """
    moves = await database.fetch(
        f"SELECT good_id, station_id, change FROM stock_move m WHERE community_id = $1 AND id = ANY ($2) "  # noqa: S608  # from below
        f"AND NOT {_TAKEN_BACK} ORDER BY good_id, station_id",
        intake.scope.community_id, list(ids),
    )  # fmt: skip
    for move in moves:
        await take_if_enough(intake.scope, move["good_id"], move["station_id"], move["change"], "import_undone")


async def _affiliations(intake: Intake, ids: Sequence[UUID]) -> None:
    gone = await withdraw_reported(intake.scope, intake.id, ids, leaving=await _leaving(intake))
    _require_all(intake, ids, gone)


async def _skills(intake: Intake, ids: Sequence[UUID]) -> None:
    gone = await withdraw_entered(intake.scope, intake.id, ids, leaving=await _leaving(intake))
    _require_all(intake, ids, gone)


async def _matters(intake: Intake, ids: Sequence[UUID]) -> None:
    days = await received_days(intake.scope, ids)
    gone = await withdraw_imported(intake.scope, intake.id, ids)
    _require_all(intake, ids, len(gone))
    await recount_days(intake.scope, days)


async def _ends(intake: Intake, ids: Sequence[UUID]) -> None:
    days = await received_days(intake.scope, await matters_ended_by(intake.scope, ids))
    waiting = await reopen_booked(intake.scope, intake.id, ids)
    _require_all(intake, ids, len(waiting))
    await recount_days(intake.scope, days)


async def _goods(intake: Intake, ids: Sequence[UUID]) -> None:
    for good_id in sorted(ids):
        await change_good(intake.scope, good_id, GoodChange(active=False))


_BACK: Mapping[Noun, Callable[[Intake, Sequence[UUID]], Awaitable[None]]] = {
    "guardianship": _guardianships, "role_grant": _role_grants, "person": _people, "area": _areas,
    "service_record": _records, "activity": _activities, "deed": _deeds, "stock_move": _moves, "good": _goods,
    "affiliation": _affiliations, "person_skill": _skills, "matter": _matters,
    "matter_step": _ends,
}  # fmt: skip


async def _say_who_stays(intake: Intake, _made: Sequence[Made]) -> None:
    stay = await database.fetch_value(
        "SELECT count(*) FROM person WHERE community_id = $1 AND id = ANY ($2)",
        intake.scope.community_id, await intake.made_by_run("person"),
    )  # fmt: skip
    if stay:
        intake.notes.append(problem("note_stayed", count=stay))


class _Gone(msgspec.Struct, frozen=True):
    id: UUID
    person_id: UUID
    minutes: int
    status: str


async def _notify_of_records(intake: Intake, _made: Sequence[Made]) -> None:
    """Notify each person once about all of their withdrawn records."""
    found = await database.rows(
        _Gone,
        "SELECT id, person_id, minutes, status FROM service_record WHERE community_id = $1 AND id = ANY ($2)",
        intake.scope.community_id, await intake.made_by_run("service_record"),
    )  # fmt: skip
    gone = [one for one in found if one.status == "withdrawn"]
    if gone:
        key = f"service:{min(one.id for one in gone)}:withdrawn"
        minutes = [(one.person_id, one.minutes) for one in gone]
        await notify_of_many_hours(intake.scope, "record_withdrawn", minutes, key, intake.id)
    _say_what_stays(intake, len(found) - len(gone))


class _GoneDeed(Named, frozen=True):
    id: UUID
    status: str


async def _notify_of_deeds(intake: Intake, _made: Sequence[Made]) -> None:
    """Notify once each person whom the withdrawn deeds name."""
    found = await database.rows(
        _GoneDeed,
        "SELECT id, person_id, witness_id, points, status FROM deed WHERE community_id = $1 AND id = ANY ($2) "
        "ORDER BY id",
        intake.scope.community_id, await intake.made_by_run("deed"),
    )  # fmt: skip
    gone = [one for one in found if one.status == "withdrawn"]
    if gone:
        await notify_deeds_withdrawn(intake.scope, gone, f"deed:{gone[0].id}:withdrawn", intake.id)
    _say_what_stays(intake, len(found) - len(gone))


async def _say_what_is_left(intake: Intake, _made: Sequence[Made]) -> None:
    """Note how many stocks could not be reduced because the goods had been handed out meanwhile."""
    await database.flush()  # the moves that are queued
    left = await database.fetch_value(
        "SELECT count(*) FROM import_row r JOIN stock_move m ON m.community_id = $1 AND m.id = r.noun_id "  # noqa: S608  # from above
        f"WHERE r.community_id = $1 AND r.run_id = $2 AND r.noun = 'stock_move' AND NOT {_TAKEN_BACK}",
        intake.scope.community_id, intake.id,
    )  # fmt: skip
    _say_what_stays(intake, left)


async def _say_which_matters_stay(intake: Intake, _made: Sequence[Made]) -> None:
    stay = await database.fetch_value(
        "SELECT count(*) FROM matter WHERE community_id = $1 AND id = ANY ($2)",
        intake.scope.community_id, await intake.made_by_run("matter"),
    )  # fmt: skip
    stay += len(await matters_ended_by(intake.scope, await intake.made_by_run("matter_step")))
    _say_what_stays(intake, stay)


def _say_what_stays(intake: Intake, count: int) -> None:
    if count:
        intake.notes.append(problem("note_reviewed_meanwhile", count=count))


STEPS: Mapping[Kind, Steps] = {
    "residents": Steps(Made, 100, _take_back, _say_who_stays),
    "hours": Steps(Made, 250, _take_back, _notify_of_records),
    "deeds": Steps(Made, 50, _take_back, _notify_of_deeds),
    "goods": Steps(Made, 10, _take_back, _say_what_is_left),
    "members": Steps(Made, 100, _take_back, _say_who_stays),
    "matters": Steps(Made, 100, _take_back, _say_which_matters_stay),
}


async def end_undo(scope: Scope, run_id: UUID, intake: Intake) -> None:
    """Mark a run as undone, with the notes on what stayed; its rows can be imported again."""
    await database.execute("DELETE FROM import_row WHERE community_id = $1 AND run_id = $2", scope.community_id, run_id)
    await database.execute(
        "UPDATE import_run SET undone_at = $3, undone_by = $4, "
        "report = jsonb_set(report, '{notes}', (report -> 'notes') || $5::jsonb) "
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, run_id, clock.now(), scope.person_id,
        msgspec.json.encode([Note(note.code, dict(note.values)) for note in intake.notes]).decode(),
    )  # fmt: skip
    await audit.record(scope, "undo_import", "import_run", run_id, kind=intake.kind)
