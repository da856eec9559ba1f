"""Opening hours: an opening and a closing time of day. A closing time that is not later belongs to the next day.

20:00 to 02:00 ends on the next day. Equal times mean open around the clock, and so does 00:00 to 23:59: a closing time
of 23:59, the latest that a form accepts, means midnight.
"""

from datetime import date, datetime, time, timedelta

import msgspec

from timebank.core import clock
from timebank.core.locale import _, translate

LAST_MINUTE = time(23, 59)
# At a station that never closes, a visit longer than this counts as a forgotten check-out.
VISIT_LONGEST = timedelta(hours=12)


class Opening(msgspec.Struct, frozen=True):
    """One opening period. `day` is the local date on which it begins; `end` None: the station never closes."""

    day: date
    begin: datetime
    end: datetime | None

    def closing(self, came_at: datetime) -> datetime:
        """The latest end of a visit that began in this period at `came_at`."""
        return self.end or came_at + VISIT_LONGEST


def never_closes(opens_at: time, closes_at: time) -> bool:
    return opens_at == closes_at or (opens_at == time() and closes_at == LAST_MINUTE)


def _is_overnight(opens_at: time, closes_at: time) -> bool:
    return closes_at <= opens_at or closes_at == LAST_MINUTE


def opening_at(opens_at: time, closes_at: time, moment: datetime) -> Opening:
    """The opening period that contains the moment; if none does, the one of its local date."""
    local = clock.local(moment)
    day = local.date()
    if never_closes(opens_at, closes_at):
        return Opening(day, clock.at_local(day, time()), None)
    if closes_at <= opens_at and local.time() < closes_at:
        day -= timedelta(days=1)
    return Opening(day, clock.at_local(day, opens_at), _closing(day, opens_at, closes_at))


def _closing(day: date, opens_at: time, closes_at: time) -> datetime:
    last = time() if closes_at == LAST_MINUTE else closes_at
    return clock.at_local(day + timedelta(days=_is_overnight(opens_at, closes_at)), last)


def day_began(opens_at: time, closes_at: time, moment: datetime) -> datetime:
    """The begin of a station's day that contains the moment.

    It is local midnight, or the closing time after midnight of the period of the evening before.
    """
    day = opening_at(opens_at, closes_at, moment).day
    if never_closes(opens_at, closes_at) or not _is_overnight(opens_at, closes_at):
        return clock.at_local(day, time())
    return _closing(day - timedelta(days=1), opens_at, closes_at)


def opening_hours_in_words(opens_at: time | str, closes_at: time | str, language: str = "zh") -> str:
    """The opening hours in words: 08:00–20:00, 20:00–次日 02:00, 08:00–24:00, 全天."""
    opens, closes = str(opens_at)[:5], str(closes_at)[:5]
    if never_closes(time.fromisoformat(opens), time.fromisoformat(closes)):
        return translate(_("全天"), language)
    if closes in ("00:00", "23:59"):
        return f"{opens}–24:00"
    if closes <= opens:
        return translate(_("{opens}–次日 {closes}"), language).format(opens=opens, closes=closes)
    return f"{opens}–{closes}"


# `Opening.closing` in SQL, for a visit `v` with its stored opening hours; {zone} is the parameter with the name of the
# time zone.
CLOSING_SQL = """CASE WHEN v.opens_at = v.closes_at OR v.opens_at = '00:00' AND v.closes_at = '23:59'
THEN v.in_at + interval '12 hours'
ELSE ((v.in_at AT TIME ZONE {zone})::date
  + CASE WHEN v.closes_at > v.opens_at OR (v.in_at AT TIME ZONE {zone})::time < v.closes_at THEN 0 ELSE 1 END
  + CASE WHEN v.closes_at = '23:59' THEN time '24:00' ELSE v.closes_at END) AT TIME ZONE {zone} END"""
