"""Why a visit or record has earned no points: a pure function from what is stored to a reason with its values."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Literal

import msgspec

from timebank.core.opening import opening_at
from timebank.core.wording import Phrase
from timebank.service_records.judging import whole_minutes

Why = Literal[
    "open", "open_too_long", "void", "forgotten", "outside_hours", "outside_shift", "too_short", "too_short_in_hours",
    "too_short_in_shift", "no_record", "paid", "waits", "waits_no_rule", "waits_entered", "noticed", "objected",
    "notice_over", "attendance", "refused", "refused_unsaid", "withdrawn", "reversed", "reversed_unsaid", "day_full",
    "day_filled", "below_point", "repaid", "repaid_in_part",
]  # fmt: skip


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A visit, with the station's hours by which it is judged and its shift. `paid`: attendance only."""

    status: str
    came_at: datetime
    left_at: datetime | None
    opens_at: time
    closes_at: time
    shift_begin: datetime | None = None
    shift_end: datetime | None = None
    paid: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A service record. `why` is the stored reason, `note` what a person wrote beside it or before reasons were stored.

    `per_point`: the minutes that make a point by its rule; `repaid`: its points that went to an open debt at once;
    `objected`: somebody objects to it while it is published.
    """

    kind: str
    status: str
    minutes: int
    flags: list[str] = []
    why: Phrase | None = None
    note: str | None = None
    notice_until: datetime | None = None
    credited_minutes: int = 0
    credited_points: int = 0
    per_point: int | None = None
    repaid: int = 0
    objected: bool = False


class NoPoints(msgspec.Struct, frozen=True):
    """The kind of reason, and the values of its sentence."""

    kind: Why
    values: Mapping[str, Any] = {}


def why_no_points(stay: Stay | None, record: Judged | None, *, least_minutes: int, now: datetime) -> NoPoints | None:
    """Why this has earned no points, or not all of them to spend; None where they came.

    `least_minutes` is the policy: a shorter visit counts nothing. One of visit and record is there, or both.
    """
    if stay is not None and stay.status == "void":
        return NoPoints("void")
    if record is not None:
        return _of_record(stay, record, now)
    if stay is None:
        return None
    return _of_open(stay, now) if stay.left_at is None else _without_record(stay, stay.left_at, max(1, least_minutes))


def _of_open(stay: Stay, now: datetime) -> NoPoints:
    closing = opening_at(stay.opens_at, stay.closes_at, stay.came_at).closing(stay.came_at)
    if closing < now:
        return NoPoints("open_too_long", {"since": stay.came_at, "closing": closing})
    return NoPoints("open", {"since": stay.came_at})


def _without_record(stay: Stay, left_at: datetime, least: int) -> NoPoints:
    """A visit that ended without a record: too little of it lay within the opening hours and the shift."""
    stayed = whole_minutes(left_at - stay.came_at)
    if stay.paid:
        return NoPoints("paid", {"stayed": stayed})
    opening = opening_at(stay.opens_at, stay.closes_at, stay.came_at)
    begin = max(stay.came_at, opening.begin)
    end = min(left_at, opening.end) if opening.end else left_at
    hours = f"{stay.opens_at:%H:%M} {stay.closes_at:%H:%M}"
    in_hours = whole_minutes(end - begin)
    if stayed < least:
        return NoPoints("too_short", {"stayed": stayed, "least": least})
    if in_hours < least:
        if in_hours == 0:
            return NoPoints("outside_hours", {"hours": hours})
        return NoPoints("too_short_in_hours", {"stayed": stayed, "hours": hours, "inside": in_hours, "least": least})
    if stay.shift_begin is not None and stay.shift_end is not None:
        shift = {"begin": stay.shift_begin, "end": stay.shift_end}
        in_shift = whole_minutes(min(end, stay.shift_end) - max(begin, stay.shift_begin))
        if in_shift == 0:
            return NoPoints("outside_shift", shift)
        if in_shift < least:
            return NoPoints("too_short_in_shift", {"stayed": stayed, "inside": in_shift, "least": least, **shift})
    return NoPoints("no_record", {"stayed": stayed})


def _of_record(stay: Stay | None, record: Judged, now: datetime) -> NoPoints | None:
    match record.status:
        case "pending":
            return _waits(stay, record)
        case "noticed":
            return _noticed(record, now)
        case "rejected":
            return _refused(record)
        case "reversed":
            return NoPoints("reversed", {"reason": record.note}) if record.note else NoPoints("reversed_unsaid")
        case "withdrawn":
            return NoPoints("withdrawn")
    return _credited(record)


def _waits(stay: Stay | None, record: Judged) -> NoPoints:
    if stay is not None and stay.status == "needs_confirmation":
        return NoPoints("forgotten", {"closing": stay.left_at})
    if record.flags == ["no_rule"]:
        return NoPoints("waits_no_rule")
    if record.flags:
        return NoPoints("waits", {"flags": record.flags})
    return NoPoints("waits_entered") if record.kind == "honour" else NoPoints("waits", {"flags": []})


def _noticed(record: Judged, now: datetime) -> NoPoints:
    if record.objected:
        return NoPoints("objected")
    if record.notice_until is None or record.notice_until <= now:
        return NoPoints("notice_over")
    return NoPoints("noticed", {"until": record.notice_until})


def _refused(record: Judged) -> NoPoints:
    """The visit's own reason where it did not count; else what whoever refused it wrote."""
    values = record.why.values if record.why else {}
    beside = {"note": record.note} if record.note else {}
    if record.why is not None and record.why.kind == "not_counted.too_short":
        return NoPoints("too_short", {"stayed": values["stayed"], "least": values["least"], **beside})
    if record.why is not None and record.why.kind == "not_counted.attendance":
        stayed, planned = values["stayed"], values["planned"]
        reached = stayed * 100 // max(1, planned)
        return NoPoints("attendance", {"reached": reached, **values, **beside})
    return NoPoints("refused", {"reason": record.note}) if record.note else NoPoints("refused_unsaid")


def _credited(record: Judged) -> NoPoints | None:
    """An approved record: the day's minutes were full, they make no whole point yet, or a debt took the points."""
    credited, points, repaid = record.credited_minutes, record.credited_points, record.repaid
    if points > 0:
        if repaid >= points:
            return NoPoints("repaid", {"points": points})
        return NoPoints("repaid_in_part", {"points": points, "repaid": repaid}) if repaid else None
    if credited == 0:
        return NoPoints("day_full", {"stayed": record.minutes})
    values = {"credited": credited, "per_point": record.per_point or 0}
    if credited < record.minutes:
        return NoPoints("day_filled", {"stayed": record.minutes, **values})
    return NoPoints("below_point", values)
