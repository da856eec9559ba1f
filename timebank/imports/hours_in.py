"""Sign-in sheets taken in: honour hours that wait for their review, never credited by the import itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from timebank import clock, database, names
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.activities.withdrawal import offer_again
from timebank.areas.policies import Policies, policies
from timebank.checkins.credit import Served, rule_code_of, rule_of
from timebank.checkins.entered import tell_of_many
from timebank.checkins.flags import entered_doubts
from timebank.checkins.records import insert_record
from timebank.imports import day_only, hours, residents_found
from timebank.imports.hours import HoursRow
from timebank.imports.intake import Intake
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem, refusal
from timebank.imports.refusals import ImportRefused
from timebank.imports.residents_found import Residents
from timebank.imports.workbook import Workbook
from timebank.people.guardians import NotGuardian
from timebank.scope import Scope

ACTIVITY_NAME_MAX = 60
REASON_MAX = 500
NAMES_TOLD_MAX = 12


@dataclass(slots=True)
class _Entered:
    """What rows are entered among: the community's policies, its activities and stations by the sheets' names."""

    in_force: Policies
    activities: dict[str, UUID]
    stations: dict[str, UUID]
    rule_codes: dict[UUID | None, str] = field(default_factory=dict)


class NoServiceRule(ImportRefused):
    """Nothing says yet what an hour is worth, so none can be entered."""

    code = "no_service_rule"
    sentence = "社区还没有志愿服务的积分规则。请先到积分规则页添加一条，再导入时数。"


class _Spent(msgspec.Struct, frozen=True):
    """Time that somebody has on record already."""

    person_id: UUID
    started_at: datetime
    ended_at: datetime


async def take_in(intake: Intake, book: Workbook) -> Parsed[HoursRow]:
    """Enter the services of known residents for review."""
    if await rule_of(intake.scope, None, clock.now()) is None:
        raise NoServiceRule
    residents = await residents_found.look_up(intake.scope, await asyncio.to_thread(hours.mentions, book))
    parsed = await asyncio.to_thread(hours.parse, book, residents.candidates, today=clock.local_day())
    keys = {row.where: _key(intake, row) for row in parsed.rows}
    known = await intake.known(keys.values())
    new = [row for row in parsed.rows if keys[row.where] not in known]
    new = await _judge(intake.scope, parsed, residents, new)
    new = [row for row in new if not parsed.reading(row).refused]
    activities = await _activities(intake, parsed, new)
    stations = await _stations(intake.scope, parsed, new)
    entered = _Entered(await policies(intake.scope), activities, stations)
    for row in new:
        record_id = await _enter(intake, row, entered)
        intake.row_made(keys[row.where], "service_record", record_id)
    minutes = [(_person(row), row.minutes) for row in new]
    await tell_of_many(intake.scope, "record_entered", minutes, f"import:{intake.id}:hours", intake.id)
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    return parsed


def _person(row: HoursRow) -> UUID:
    assert row.person is not None  # residents were given to look in
    return UUID(row.person.key)


def _key(intake: Intake, row: HoursRow) -> bytes:
    if row.day_only:
        # Where in the day such a service is entered depends on what else is known by then.
        return intake.key(_person(row), row.started_at.date(), row.minutes, row.activity)
    return intake.key(_person(row), row.started_at, row.ended_at, row.activity)


async def _judge(
    scope: Scope, parsed: Parsed[HoursRow], residents: Residents, rows: Sequence[HoursRow]
) -> list[HoursRow]:
    """Refuse whoever is not of the community any more, and time that is on record already."""
    spent = await _on_record(scope, rows)
    judged = []
    for row in rows:
        reading, served = parsed.reading(row), residents.by_key[str(_person(row))]
        if served.status != "active":
            reading.refuse("name|phone", problem("person_not_active"))
        elif served.lacks_consent:
            reading.refuse("name|phone", refusal(NotGuardian()))
        if row.activity and len(row.activity) > ACTIVITY_NAME_MAX:
            reading.refuse("activity", problem("text_too_long", length=len(row.activity), most=ACTIVITY_NAME_MAX))
        if row.day_only:
            continue
        judged.append(row)
        for other in spent.get(_person(row), []):
            if row.started_at < other.ended_at and other.started_at < row.ended_at:
                span = f"{clock.local(other.started_at):%m-%d %H:%M}–{clock.local(other.ended_at):%H:%M}"
                reading.refuse("in|span|in2|span2", problem("overlap_known", earlier=span))
                break
    return judged + _placed(parsed, spent, rows)


def _placed(
    parsed: Parsed[HoursRow], spent: Mapping[UUID, Sequence[_Spent]], rows: Sequence[HoursRow]
) -> list[HoursRow]:
    """The services without an hour, each in a part of its day that nothing else of the person takes."""
    busy: dict[UUID, list[day_only.Busy]] = {}
    for row in rows:
        known = busy.setdefault(_person(row), [(one.started_at, one.ended_at) for one in spent.get(_person(row), ())])
        if not row.day_only:
            known.append((row.started_at, row.ended_at))
    placed = []
    for row in rows:
        if not row.day_only:
            continue
        reading, taken = parsed.reading(row), busy[_person(row)]
        beside = day_only.of_that_day(row, taken)
        if beside:
            reading.warn("length", problem("day_only_same_day", count=beside))
        entered = day_only.placed(row, taken)
        if entered is None:
            reading.refuse("length", problem("day_full"))
            continue
        taken.append((entered.started_at, entered.ended_at))
        placed.append(entered)
    return placed


async def _on_record(scope: Scope, rows: Sequence[HoursRow]) -> dict[UUID, list[_Spent]]:
    found = await database.rows(
        _Spent,
        "SELECT person_id, started_at, ended_at FROM service_record WHERE community_id = $1 AND person_id = ANY ($2) "
        "AND started_at < $4 AND ended_at > $3 AND status NOT IN ('rejected', 'reversed', 'withdrawn') "
        "ORDER BY started_at, id",
        scope.community_id, [_person(row) for row in rows], min((row.started_at for row in rows), default=clock.now()),
        max((row.started_at + day_only.DAY if row.day_only else row.ended_at for row in rows), default=clock.now()),
    )  # fmt: skip
    spent: dict[UUID, list[_Spent]] = {}
    for one in found:
        spent.setdefault(one.person_id, []).append(one)
    return spent


async def _activities(intake: Intake, parsed: Parsed[HoursRow], rows: Sequence[HoursRow]) -> dict[str, UUID]:
    """The activity of each name in the sheets; what nobody has heard of becomes one, under the usual service rule."""
    written = {row.activity: names.clean(row.activity) for row in rows if row.activity}
    found = await database.fetch(
        "SELECT id, name FROM activity WHERE community_id = $1 AND name = ANY ($2)",
        intake.scope.community_id, list(written.values()),
    )  # fmt: skip
    ids = {row["name"]: UUID(bytes=row["id"].bytes) for row in found}
    missing = sorted(set(written.values()) - ids.keys())
    rule_code = await rule_code_of(intake.scope, None) if missing else ""
    for name in missing:
        ids[name] = (await add_activity(intake.scope, ActivityIn(name=name, rule_code=rule_code))).id
        intake.also_made("activity", ids[name])
    for activity_id in await offer_again(intake.scope, list(ids.values())):
        intake.also_made("activity", activity_id)
    if missing:
        parsed.notes.append(problem("note_activities", count=len(missing), names=_told(missing)))
    return {as_written: ids[name] for as_written, name in written.items()}


async def _stations(scope: Scope, parsed: Parsed[HoursRow], rows: Sequence[HoursRow]) -> dict[str, UUID]:
    """The stations among the places of the sheets."""
    places = {row.place for row in rows if row.place}
    found = await database.fetch(
        "SELECT id, name FROM station WHERE community_id = $1 AND name = ANY ($2)", scope.community_id, list(places)
    )
    stations = {row["name"]: UUID(bytes=row["id"].bytes) for row in found}
    elsewhere = sorted(places - stations.keys())
    if elsewhere:
        parsed.notes.append(problem("note_elsewhere", count=len(elsewhere), names=_told(elsewhere)))
    return stations


def _told(many: Sequence[str]) -> str:
    return "、".join(many[:NAMES_TOLD_MAX]) + ("……" if len(many) > NAMES_TOLD_MAX else "")


async def _enter(intake: Intake, row: HoursRow, among: _Entered) -> UUID:
    activity_id = among.activities.get(row.activity or "")
    if activity_id not in among.rule_codes:
        among.rule_codes[activity_id] = await rule_code_of(intake.scope, activity_id)
    served = Served(
        clock.new_id(), "honour", _person(row), row.started_at, row.ended_at, row.minutes,
        among.rule_codes[activity_id], row.place or "", clock.local_day(row.started_at),
    )  # fmt: skip
    said = [
        f"纸质签到表补录：{intake.file_name}",
        "表里只有日期和时长，起止时刻不详" if row.day_only else "",
        f"地点：{row.place}" if row.place else "",
        row.note or "",
    ]
    await insert_record(
        intake.scope, served, status="pending", flags=await entered_doubts(intake.scope, served, among.in_force),
        activity_id=activity_id, station_id=among.stations.get(row.place or ""),
        reason="；".join(filter(None, said))[:REASON_MAX],
    )  # fmt: skip
    return served.id
