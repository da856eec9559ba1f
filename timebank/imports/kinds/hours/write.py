"""Import sign-in sheets as honour hours that wait for review; the import itself credits nothing."""

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.activities.undo import offer_again
from timebank.core import clock, database, names
from timebank.core.database import reading
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.imports.cells.problems import problem
from timebank.imports.files.refusals import ImportRefused
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Ready
from timebank.imports.kinds import residents_found
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.hours.judging import (
    HoursPlanned,
    accept_services,
    asked_of,
    person_of,
    planned_of,
    still_good,
)
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.hours.words import resolve_words
from timebank.imports.kinds.residents_found import Residents
from timebank.imports.words.named import activities_of
from timebank.service_records.crediting.credit import rule_code_of, rule_of
from timebank.service_records.honour.bulk import HoursEntry, enter_imported_hours, overlapping_records
from timebank.service_records.honour.notices import notify_of_many_hours


class NoServiceRule(ImportRefused):
    """The community has no rule for service yet, so no hours can be entered."""

    code = "no_service_rule"
    sentence = "社区还没有志愿服务的积分规则。请先到积分规则页添加一条，再导入时数。"


async def examine(intake: Intake, book: Workbook) -> Ready[HoursRow, HoursPlanned]:
    """Find the services of known residents to enter for review; writes nothing."""
    scope, mentioned = intake.scope, await asyncio.to_thread(read_hours.mentions, book)
    async with reading(scope):
        if await rule_of(scope, None, clock.now()) is None:
            raise NoServiceRule
        residents = await residents_found.look_up(scope, mentioned)
    parsed = await asyncio.to_thread(read_hours.parse, book, residents.candidates, today=clock.local_day())
    keys = {row.where: _keys(intake, residents, row) for row in parsed.rows}
    async with reading(scope):
        known = await intake.known_rows(keys)
        new = [row for row in parsed.rows if row.where not in known]
        new = accept_services(parsed, residents, new, await overlapping_records(scope, [asked_of(row) for row in new]))
        meant, new = await resolve_words(intake, parsed, new)
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    planned = [
        planned_of(parsed, row, keys[row.where][0], meant.activities.get(row.where), meant.stations.get(row.where))
        for row in new
    ]
    return Ready(parsed, planned, len(planned))


def _keys(intake: Intake, residents: Residents, row: HoursRow) -> list[bytes]:
    """The keys under which a service may have been imported: by the person's record, then by each merged into it."""
    # The times of a service without times depend on the person's other records, so they are not part of its key.
    at = (row.started_at.date(), row.minutes) if row.day_only else (row.started_at, row.ended_at)
    return [intake.key(record, *at, row.activity) for record in residents.by_key[str(person_of(row))].records]


async def take(intake: Intake, rows: Sequence[HoursPlanned]) -> None:
    """Enter a batch of services; those that may not be entered any more are refused late."""
    good = await still_good(intake, rows)
    activities = await _activities(intake, good)
    codes = await _rule_codes(intake.scope, {activities.get(row.key) for row in good})
    entries = []
    for row in good:
        activity_id = activities.get(row.key)
        entry = HoursEntry(
            id=clock.new_id(), person_id=row.person_id, started_at=row.started_at, ended_at=row.ended_at,
            minutes=row.minutes, rule_code=codes[activity_id], activity_id=activity_id,
            station_id=row.station_id, reason=row.note or None, said=_why(intake, row),
        )  # fmt: skip
        entries.append(entry)
        intake.row_made(row.key, "service_record", entry.id)
    await enter_imported_hours(intake.scope, entries)


def _why(intake: Intake, row: HoursPlanned) -> Phrase:
    """Why the hours were entered: the sheet, where it says no times that too, and the place as it writes it."""
    file = intake.file_name
    if row.day_only:
        return (
            phrase("note.hours_without_times_at", file=file, place=row.place)
            if row.place
            else phrase("note.hours_without_times", file=file)
        )
    return phrase("note.hours_at", file=file, place=row.place) if row.place else phrase("note.hours", file=file)


async def _activities(intake: Intake, rows: Sequence[HoursPlanned]) -> dict[bytes, UUID]:
    """The activity of each row by the row's key; adds an activity if there is none of its name.

    Nobody can check in for an added one until an administrator says so: it needs a sign-up, and has no shifts.

    The meaning of words was fixed when the file was examined: a word that is decided anew meanwhile changes no row.
    """
    ids = {row.key: row.activity_id for row in rows if row.activity_id is not None}
    new = {row.key: names.clean(row.activity) for row in rows if row.activity and row.activity_id is None}
    known = (await activities_of(intake.scope)) if new else None
    made = {name: found for name in {*new.values()} if known and (found := known.called(name)) is not None}
    missing = sorted({*new.values()} - made.keys())
    rule_code = await rule_code_of(intake.scope, None) if missing else ""
    for name in missing:
        made[name] = (
            await add_activity(intake.scope, ActivityIn(name=name, rule_code=rule_code, needs_sign_up=True))
        ).id
        intake.also_made("activity", made[name])
    for activity_id in await offer_again(intake.scope, list({*ids.values(), *made.values()})):
        intake.also_made("activity", activity_id)
    return ids | {key: made[name] for key, name in new.items()}


async def _rule_codes(scope: Scope, activity_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    return {activity_id: await rule_code_of(scope, activity_id) for activity_id in activity_ids}


class _Entered(msgspec.Struct, frozen=True):
    person_id: UUID
    minutes: int


async def finish(intake: Intake, _rows: Sequence[HoursPlanned]) -> None:
    """Notify each person once of all their hours in this import."""
    entered = await database.rows(
        _Entered,
        "SELECT person_id, minutes FROM service_record WHERE community_id = $1 AND id = ANY ($2)",
        intake.scope.community_id, await intake.made_by_run("service_record"),
    )  # fmt: skip
    minutes = [(one.person_id, one.minutes) for one in entered]
    await notify_of_many_hours(intake.scope, "record_entered.imported", minutes, f"import:{intake.id}:hours", intake.id)
