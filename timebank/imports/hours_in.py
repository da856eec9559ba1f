"""Sign-in sheets taken in: honour hours that wait for their review, never credited by the import itself."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank import clock, database, names
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.activities.withdrawal import offer_again
from timebank.checkins.book import Entry, Spent, enter_book, on_record
from timebank.checkins.credit import rule_code_of, rule_of
from timebank.checkins.entered import tell_of_many
from timebank.checkins.judging import Span
from timebank.database import reading
from timebank.imports import hours, residents_found
from timebank.imports.hours import HoursRow
from timebank.imports.intake import Intake, Planned, Ready, cells_of
from timebank.imports.parsed import Parsed
from timebank.imports.problems import Problem, problem, refusal
from timebank.imports.refusals import ImportRefused
from timebank.imports.residents_found import Residents
from timebank.imports.workbook import Workbook
from timebank.people.guardians import NotGuardian
from timebank.scope import Scope

ACTIVITY_NAME_MAX = 60
REASON_MAX = 500
NAMES_TOLD_MAX = 12
WHO, WHEN = "name|phone", "in|span"


class NoServiceRule(ImportRefused):
    """Nothing says yet what an hour is worth, so none can be entered."""

    code = "no_service_rule"
    sentence = "社区还没有志愿服务的积分规则。请先到积分规则页添加一条，再导入时数。"


class HoursPlanned(Planned, frozen=True, kw_only=True):
    """A service to be entered."""

    person_id: UUID
    started_at: datetime
    ended_at: datetime
    minutes: int
    activity: str | None
    place: str | None
    note: str | None

    @property
    def span(self) -> tuple[UUID, Span]:
        return self.person_id, Span(self.started_at, self.ended_at)


async def examine(intake: Intake, book: Workbook) -> Ready[HoursRow, HoursPlanned]:
    """The services of known residents that are to be entered for review."""
    scope, mentioned = intake.scope, await asyncio.to_thread(hours.mentions, book)
    async with reading(scope):
        if await rule_of(scope, None, clock.now()) is None:
            raise NoServiceRule
        residents = await residents_found.look_up(scope, mentioned)
    parsed = await asyncio.to_thread(hours.parse, book, residents.candidates, today=clock.local_day())
    keys = {(row.sheet, row.row): _key(intake, row) for row in parsed.rows}
    async with reading(scope):
        known = await intake.known(keys.values())
        new = [row for row in parsed.rows if keys[row.sheet, row.row] not in known]
        _judge(parsed, residents, new, await on_record(scope, [_span(row) for row in new]))
        new = [row for row in new if not parsed.reading(row).refused]
        await _tell_activities(scope, parsed, new)
        await _tell_stations(scope, parsed, new)
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    planned = [_planned(parsed, row, keys[row.sheet, row.row]) for row in new]
    return Ready(parsed, planned, len(planned))


def _person(row: HoursRow) -> UUID:
    assert row.person is not None  # residents were given to look in
    return UUID(row.person.key)


def _span(row: HoursRow) -> tuple[UUID, Span]:
    return _person(row), Span(row.started_at, row.ended_at)


def _key(intake: Intake, row: HoursRow) -> bytes:
    return intake.key(_person(row), row.started_at, row.ended_at, row.activity)


def _planned(parsed: Parsed[HoursRow], row: HoursRow, key: bytes) -> HoursPlanned:
    return HoursPlanned(
        key=key, sheet=row.sheet, row=row.row, cells=cells_of(parsed.reading(row), WHO, WHEN), person_id=_person(row),
        started_at=row.started_at, ended_at=row.ended_at, minutes=row.minutes, activity=row.activity, place=row.place,
        note=row.note,
    )  # fmt: skip


def _judge(
    parsed: Parsed[HoursRow], residents: Residents, rows: Sequence[HoursRow], spent: Sequence[Spent | None]
) -> None:
    """Refuse whoever is not of the community any more, and time that is on record already."""
    for row, other in zip(rows, spent, strict=True):
        line, served = parsed.reading(row), residents.by_key[str(_person(row))]
        if served.status != "active":
            line.refuse(WHO, problem("person_not_active"))
        elif served.lacks_consent:
            line.refuse(WHO, refusal(NotGuardian()))
        if row.activity and len(row.activity) > ACTIVITY_NAME_MAX:
            line.refuse("activity", problem("text_too_long", length=len(row.activity), most=ACTIVITY_NAME_MAX))
        if other is not None:
            line.refuse(WHEN, _overlap(other))


def _overlap(other: Spent) -> Problem:
    span = f"{clock.local(other.started_at):%m-%d %H:%M}–{clock.local(other.ended_at):%H:%M}"
    return problem("overlap_known", earlier=span)


async def _tell_activities(scope: Scope, parsed: Parsed[HoursRow], rows: Sequence[HoursRow]) -> None:
    """Name the activities of the sheets that nobody has heard of: each becomes one, under the usual service rule."""
    written = {names.clean(row.activity) for row in rows if row.activity}
    missing = sorted(written - (await _named(scope, "activity", written)).keys())
    if missing:
        parsed.notes.append(problem("note_activities", count=len(missing), names=_told(missing)))


async def _tell_stations(scope: Scope, parsed: Parsed[HoursRow], rows: Sequence[HoursRow]) -> None:
    """Name the places of the sheets that are no stations."""
    places = {row.place for row in rows if row.place}
    elsewhere = sorted(places - (await _named(scope, "station", places)).keys())
    if elsewhere:
        parsed.notes.append(problem("note_elsewhere", count=len(elsewhere), names=_told(elsewhere)))


def _told(many: Sequence[str]) -> str:
    return "、".join(many[:NAMES_TOLD_MAX]) + ("……" if len(many) > NAMES_TOLD_MAX else "")


async def _named(scope: Scope, table: str, wanted: Iterable[str]) -> dict[str, UUID]:
    """Those of the community's activities or stations that have these names."""
    found = await database.fetch(
        f"SELECT id, name FROM {table} WHERE community_id = $1 AND name = ANY ($2)",  # noqa: S608  # own text
        scope.community_id, list(wanted),
    )  # fmt: skip
    return {row["name"]: UUID(bytes=row["id"].bytes) for row in found}


async def take(intake: Intake, rows: Sequence[HoursPlanned]) -> None:
    """Enter a batch of services, those left out that something forbids by now."""
    good = await _still_good(intake, rows)
    activities = await _activities(intake, {row.activity for row in good if row.activity})
    stations = await _named(intake.scope, "station", {row.place for row in good if row.place})
    codes = await _rule_codes(intake.scope, {activities.get(row.activity or "") for row in good})
    entries = []
    for row in good:
        activity_id = activities.get(row.activity or "")
        entry = Entry(
            clock.new_id(), row.person_id, row.started_at, row.ended_at, row.minutes, codes[activity_id], activity_id,
            stations.get(row.place or ""), _reason(intake, row),
        )  # fmt: skip
        entries.append(entry)
        intake.row_made(row.key, "service_record", entry.id)
    await enter_book(intake.scope, entries)


def _reason(intake: Intake, row: HoursPlanned) -> str:
    said = [f"纸质签到表补录：{intake.file_name}", f"地点：{row.place}" if row.place else "", row.note or ""]
    return "；".join(filter(None, said))[:REASON_MAX]


async def _still_good(intake: Intake, rows: Sequence[HoursPlanned]) -> list[HoursPlanned]:
    """The rows that nothing forbids; the facts of the others have changed since the file was looked at."""
    facts = await residents_found.standing(intake.scope, {row.person_id for row in rows})
    spent = await on_record(intake.scope, [row.span for row in rows])
    good = []
    for row, other in zip(rows, spent, strict=True):
        served = facts.get(row.person_id)
        if served is None or served.status != "active":
            intake.refuse_late(row, WHO, problem("person_not_active"))
        elif served.lacks_consent:
            intake.refuse_late(row, WHO, refusal(NotGuardian()))
        elif other is not None:
            intake.refuse_late(row, WHEN, _overlap(other))
        else:
            good.append(row)
    return good


async def _activities(intake: Intake, as_written: set[str]) -> dict[str, UUID]:
    """The activity of each name in the sheets, made where there is none."""
    written = {each: names.clean(each) for each in as_written}
    ids = await _named(intake.scope, "activity", written.values())
    missing = sorted(set(written.values()) - ids.keys())
    rule_code = await rule_code_of(intake.scope, None) if missing else ""
    for name in missing:
        ids[name] = (await add_activity(intake.scope, ActivityIn(name=name, rule_code=rule_code))).id
        intake.also_made("activity", ids[name])
    for activity_id in await offer_again(intake.scope, list(ids.values())):
        intake.also_made("activity", activity_id)
    return {each: ids[name] for each, name in written.items()}


async def _rule_codes(scope: Scope, activity_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    return {activity_id: await rule_code_of(scope, activity_id) for activity_id in activity_ids}


class _Entered(msgspec.Struct, frozen=True):
    person_id: UUID
    minutes: int


async def finish(intake: Intake, _rows: Sequence[HoursPlanned]) -> None:
    """Tell each person once of all that the book has brought."""
    entered = await database.rows(
        _Entered,
        "SELECT person_id, minutes FROM service_record WHERE community_id = $1 AND id = ANY ($2)",
        intake.scope.community_id, await intake.made_by_run("service_record"),
    )  # fmt: skip
    minutes = [(one.person_id, one.minutes) for one in entered]
    await tell_of_many(intake.scope, "record_entered", minutes, f"import:{intake.id}:hours", intake.id)
