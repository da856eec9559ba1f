"""Decide which services of a sheet may be entered, and place those without times within their day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.intake import Intake, Planned, cells_of
from timebank.imports.kinds.hours import day_only
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.residents_found import Residents
from timebank.imports.sheets.parsed import Parsed
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.residents import resident_states
from timebank.service_records.honour.bulk import RecordedTime, overlapping_records
from timebank.service_records.judging import Span

ACTIVITY_NAME_MAX = 60
WHO, WHEN, LENGTH = "name|phone", "in|span|in2|span2", "length"


class HoursPlanned(Planned, frozen=True, kw_only=True):
    """A row to write: one service. A service without times is placed in a free part of its day when it is written."""

    person_id: UUID
    started_at: datetime
    ended_at: datetime
    minutes: int
    day_only: bool
    activity: str | None
    place: str | None
    note: str | None
    activity_id: UUID | None = None
    station_id: UUID | None = None

    @property
    def day(self) -> Span:
        return Span(*clock.day_bounds(clock.local_day(self.started_at)))

    @property
    def asked(self) -> tuple[UUID, Span]:
        """The person and the span in which to look up their records."""
        return self.person_id, self.day if self.day_only else Span(self.started_at, self.ended_at)


def person_of(row: HoursRow) -> UUID:
    assert row.person is not None  # residents were given to match against
    return UUID(row.person.key)


def asked_of(row: HoursRow) -> tuple[UUID, Span]:
    """The person and the span in which to look up their records: the whole day for a service without times."""
    return person_of(row), Span(row.started_at, row.started_at + day_only.DAY if row.day_only else row.ended_at)


def planned_of(
    parsed: Parsed[HoursRow], row: HoursRow, key: bytes, activity_id: UUID | None, station_id: UUID | None
) -> HoursPlanned:
    return HoursPlanned(
        key=key, sheet=row.sheet, row=row.row, cells=cells_of(parsed.reading(row), WHO, WHEN, LENGTH),
        person_id=person_of(row), started_at=row.started_at, ended_at=row.ended_at, minutes=row.minutes,
        day_only=row.day_only, activity=row.activity, place=row.place, note=row.note,
        activity_id=activity_id, station_id=station_id,
    )  # fmt: skip


def accept_services(
    parsed: Parsed[HoursRow], residents: Residents, rows: Sequence[HoursRow], met: Sequence[Sequence[RecordedTime]]
) -> list[HoursRow]:
    """The services to enter. Refuses people who are not active or lack consent, and time that is on record already.

    `met` holds for each row the person's records in its span. Services without times come last, because they are placed
    in the time that the others leave free.
    """
    for row, others in zip(rows, met, strict=True):
        line, served = parsed.reading(row), residents.by_key[str(person_of(row))]
        if served.status != "active":
            line.refuse(WHO, problem("person_not_active"))
        elif served.lacks_consent:
            line.refuse(WHO, refusal(NotGuardian()))
        if row.activity and len(row.activity) > ACTIVITY_NAME_MAX:
            line.refuse("activity", problem("text_too_long", length=len(row.activity), most=ACTIVITY_NAME_MAX))
        if others and not row.day_only:
            line.refuse(WHEN, _overlap(others[0]))
    judged = [row for row in rows if not row.day_only] + _placed(parsed, rows, met)
    # A row is imported whole or not at all, so that whoever corrects it sees all of its people again.
    return [row for row in judged if not parsed.reading(row).refused]


def _placed(
    parsed: Parsed[HoursRow], rows: Sequence[HoursRow], met: Sequence[Sequence[RecordedTime]]
) -> list[HoursRow]:
    """Place each service without times in a free part of the person's day; refuses the row if there is none."""
    busy: dict[UUID, list[day_only.Busy]] = defaultdict(list)
    for row in rows:
        if not row.day_only:
            busy[person_of(row)].append((row.started_at, row.ended_at))
    placed = []
    for row, others in zip(rows, met, strict=True):
        if not row.day_only:
            continue
        line, beside = parsed.reading(row), busy[person_of(row)]
        taken = [*beside, *((one.started_at, one.ended_at) for one in others)]
        if count := day_only.of_that_day(row, taken):
            line.warn(LENGTH, problem("day_only_same_day", count=count))
        entered = day_only.place_in_day(row, taken)
        if entered is None:
            line.refuse(LENGTH, problem("day_full"))
            continue
        beside.append((entered.started_at, entered.ended_at))
        placed.append(entered)
    return placed


def _overlap(other: RecordedTime) -> Problem:
    span = f"{clock.local(other.started_at):%m-%d %H:%M}–{clock.local(other.ended_at):%H:%M}"
    return problem("overlap_known", earlier=span)


async def still_good(intake: Intake, rows: Sequence[HoursPlanned]) -> list[HoursPlanned]:
    """The rows that may still be written; refuses the others, whose facts have changed since the file was examined."""
    facts = await resident_states(intake.scope, {row.person_id for row in rows})
    met = await overlapping_records(intake.scope, [row.asked for row in rows])
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


def _entered_at(
    row: HoursPlanned, others: Sequence[RecordedTime], beside: Sequence[day_only.Busy]
) -> HoursPlanned | None:
    """The service as it is to be entered; None if its time is taken by now.

    `beside` are the person's earlier services in the same batch.
    """
    if not row.day_only:
        return None if others else row
    taken = [*beside, *((one.started_at, one.ended_at) for one in others)]
    found = day_only.free_part(row.day.begin, row.ended_at - row.started_at, taken)
    return msgspec.structs.replace(row, started_at=found[0], ended_at=found[1]) if found else None
