"""Sign-in sheets taken in: honour hours that wait for their review, never credited by the import itself."""

import asyncio
from collections import defaultdict
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
from timebank.imports import day_only, hours, residents_found
from timebank.imports.hours import HoursRow
from timebank.imports.intake import Intake, Planned, Ready, cells_of, supposed
from timebank.imports.named import activities_of
from timebank.imports.parsed import Parsed, UnknownUse
from timebank.imports.problems import Problem, problem, refusal
from timebank.imports.refusals import ImportRefused
from timebank.imports.residents_found import Residents
from timebank.imports.words import decided_for_own, word_key
from timebank.imports.workbook import Workbook
from timebank.people.guardians import NotGuardian
from timebank.scope import Scope

ACTIVITY_NAME_MAX = 60
REASON_MAX = 500
NAMES_TOLD_MAX = 12
WHO, WHEN, LENGTH = "name|phone", "in|span|in2|span2", "length"


class NoServiceRule(ImportRefused):
    """Nothing says yet what an hour is worth, so none can be entered."""

    code = "no_service_rule"
    sentence = "社区还没有志愿服务的积分规则。请先到积分规则页添加一条，再导入时数。"


class HoursPlanned(Planned, frozen=True, kw_only=True):
    """A service to be entered; one without an hour is entered wherever its day is free by then."""

    person_id: UUID
    started_at: datetime
    ended_at: datetime
    minutes: int
    day_only: bool
    activity: str | None
    place: str | None
    note: str | None

    @property
    def day(self) -> Span:
        return Span(*clock.day_bounds(clock.local_day(self.started_at)))

    @property
    def asked(self) -> tuple[UUID, Span]:
        """For what time to look at what the person has on record."""
        return self.person_id, self.day if self.day_only else Span(self.started_at, self.ended_at)


async def examine(intake: Intake, book: Workbook) -> Ready[HoursRow, HoursPlanned]:
    """The services of known residents that are to be entered for review."""
    scope, mentioned = intake.scope, await asyncio.to_thread(hours.mentions, book)
    async with reading(scope):
        if await rule_of(scope, None, clock.now()) is None:
            raise NoServiceRule
        residents = await residents_found.look_up(scope, mentioned)
    parsed = await asyncio.to_thread(hours.parse, book, residents.candidates, today=clock.local_day())
    keys = {row.where: _key(intake, row) for row in parsed.rows}
    async with reading(scope):
        known = await intake.known(keys.values())
        new = [row for row in parsed.rows if keys[row.where] not in known]
        new = _judge(parsed, residents, new, await on_record(scope, [_asked(row) for row in new]))
        new = await _tell_activities(intake, parsed, new)
        await _tell_stations(scope, parsed, new)
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    planned = [_planned(parsed, row, keys[row.where]) for row in new]
    return Ready(parsed, planned, len(planned))


def _person(row: HoursRow) -> UUID:
    assert row.person is not None  # residents were given to look in
    return UUID(row.person.key)


def _asked(row: HoursRow) -> tuple[UUID, Span]:
    """For what time to look at what the person has on record: the whole day of a service without an hour."""
    return _person(row), Span(row.started_at, row.started_at + day_only.DAY if row.day_only else row.ended_at)


def _key(intake: Intake, row: HoursRow) -> bytes:
    if row.day_only:
        # Where in the day such a service is entered depends on what else is known by then.
        return intake.key(_person(row), row.started_at.date(), row.minutes, row.activity)
    return intake.key(_person(row), row.started_at, row.ended_at, row.activity)


def _planned(parsed: Parsed[HoursRow], row: HoursRow, key: bytes) -> HoursPlanned:
    return HoursPlanned(
        key=key, sheet=row.sheet, row=row.row, cells=cells_of(parsed.reading(row), WHO, WHEN, LENGTH),
        person_id=_person(row), started_at=row.started_at, ended_at=row.ended_at, minutes=row.minutes,
        day_only=row.day_only, activity=row.activity, place=row.place, note=row.note,
    )  # fmt: skip


def _judge(
    parsed: Parsed[HoursRow], residents: Residents, rows: Sequence[HoursRow], met: Sequence[Sequence[Spent]]
) -> list[HoursRow]:
    """The services to enter: whoever is not of the community any more, and time on record already, is refused.

    Those without an hour come last: they stand where the day is free of all the others.
    """
    for row, others in zip(rows, met, strict=True):
        line, served = parsed.reading(row), residents.by_key[str(_person(row))]
        if served.status != "active":
            line.refuse(WHO, problem("person_not_active"))
        elif served.lacks_consent:
            line.refuse(WHO, refusal(NotGuardian()))
        if row.activity and len(row.activity) > ACTIVITY_NAME_MAX:
            line.refuse("activity", problem("text_too_long", length=len(row.activity), most=ACTIVITY_NAME_MAX))
        if others and not row.day_only:
            line.refuse(WHEN, _overlap(others[0]))
    judged = [row for row in rows if not row.day_only] + _placed(parsed, rows, met)
    # A line is taken whole or not at all: whoever mends it sees all of its people again.
    return [row for row in judged if not parsed.reading(row).refused]


def _placed(parsed: Parsed[HoursRow], rows: Sequence[HoursRow], met: Sequence[Sequence[Spent]]) -> list[HoursRow]:
    """The services without an hour, each in a part of its day that nothing else of the person takes."""
    busy: dict[UUID, list[day_only.Busy]] = defaultdict(list)
    for row in rows:
        if not row.day_only:
            busy[_person(row)].append((row.started_at, row.ended_at))
    placed = []
    for row, others in zip(rows, met, strict=True):
        if not row.day_only:
            continue
        line, beside = parsed.reading(row), busy[_person(row)]
        taken = [*beside, *((one.started_at, one.ended_at) for one in others)]
        if count := day_only.of_that_day(row, taken):
            line.warn(LENGTH, problem("day_only_same_day", count=count))
        entered = day_only.placed(row, taken)
        if entered is None:
            line.refuse(LENGTH, problem("day_full"))
            continue
        beside.append((entered.started_at, entered.ended_at))
        placed.append(entered)
    return placed


def _overlap(other: Spent) -> Problem:
    span = f"{clock.local(other.started_at):%m-%d %H:%M}–{clock.local(other.ended_at):%H:%M}"
    return problem("overlap_known", earlier=span)


async def _tell_activities(intake: Intake, parsed: Parsed[HoursRow], rows: Sequence[HoursRow]) -> list[HoursRow]:
    """Name the activities of the sheets that nobody has heard of: each becomes one, under the usual service rule.

    Whoever has decided which activity a word means does not enter the own hours by it.
    """
    activities = await activities_of(intake.scope)
    words = activities.words | supposed(intake)
    activities.suppose(intake.answers)
    uses = {(word_key(row.activity), _person(row)) for row in rows if row.activity}
    own = await decided_for_own(intake.scope, words, uses)
    for row in rows:
        if row.activity and (word_key(row.activity), _person(row)) in own:
            parsed.reading(row).refuse("activity", problem("own_word"))
        elif row.activity and activities.of(row.activity) is None:
            parsed.unknown.append(UnknownUse(row.activity, row.sheet, row.row))
    missing = sorted({names.clean(use.value) for use in parsed.unknown})
    if missing:
        parsed.notes.append(problem("note_activities", count=len(missing), names=_told(missing)))
    parsed.words = activities.unknown(parsed.unknown)
    return [row for row in rows if not parsed.reading(row).refused]


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
    said = [
        f"纸质签到表补录：{intake.file_name}",
        "表里只有日期和时长，起止时刻不详" if row.day_only else "",
        f"地点：{row.place}" if row.place else "",
        row.note or "",
    ]
    return "；".join(filter(None, said))[:REASON_MAX]


async def _still_good(intake: Intake, rows: Sequence[HoursPlanned]) -> list[HoursPlanned]:
    """The rows that nothing forbids; the facts of the others have changed since the file was looked at."""
    facts = await residents_found.standing(intake.scope, {row.person_id for row in rows})
    met = await on_record(intake.scope, [row.asked for row in rows])
    good, busy = [], defaultdict[UUID, list[day_only.Busy]](list)
    for row, others in zip(rows, met, strict=True):
        served, entered = facts.get(row.person_id), _entered_at(row, others, busy[row.person_id])
        if served is None or served.status != "active":
            intake.refuse_late(row, WHO, problem("person_not_active"))
        elif served.lacks_consent:
            intake.refuse_late(row, WHO, refusal(NotGuardian()))
        elif entered is None:
            day_is_full = problem("day_full") if row.day_only else _overlap(others[0])
            intake.refuse_late(row, LENGTH if row.day_only else WHEN, day_is_full)
        else:
            busy[row.person_id].append((entered.started_at, entered.ended_at))
            good.append(entered)
    return good


def _entered_at(row: HoursPlanned, others: Sequence[Spent], beside: Sequence[day_only.Busy]) -> HoursPlanned | None:
    """The service as it is to be entered, `beside` those of its batch; None where its time is taken by now."""
    if not row.day_only:
        return None if others else row
    taken = [*beside, *((one.started_at, one.ended_at) for one in others)]
    found = day_only.free_part(row.day.begin, row.ended_at - row.started_at, taken)
    return msgspec.structs.replace(row, started_at=found[0], ended_at=found[1]) if found else None


async def _activities(intake: Intake, as_written: set[str]) -> dict[str, UUID]:
    """The activity of each name in the sheets, made where there is none."""
    known = await activities_of(intake.scope)
    ids = {each: found for each in as_written if (found := known.of(each)) is not None}
    made: dict[str, UUID] = {}
    missing = sorted({names.clean(each) for each in as_written - ids.keys()})
    rule_code = await rule_code_of(intake.scope, None) if missing else ""
    for name in missing:
        made[name] = (await add_activity(intake.scope, ActivityIn(name=name, rule_code=rule_code))).id
        intake.also_made("activity", made[name])
    for activity_id in await offer_again(intake.scope, list({*ids.values(), *made.values()})):
        intake.also_made("activity", activity_id)
    return ids | {each: made[names.clean(each)] for each in as_written - ids.keys()}


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
