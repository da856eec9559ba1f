"""When a matter came and was done, as a book writes it: a day, or a day with an hour."""

import re
from datetime import date, datetime, time, timedelta

import msgspec

from timebank.core import clock
from timebank.imports.cells import cell_values, moments
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.sheets import context
from timebank.imports.sheets.context import TitleDates
from timebank.matters.opening.due import CLOSES, OPENS

_SAME_DAY = re.compile("(当日|当天|即日|当场|即时|随即|立即)(办结|完成|解决|处理)?")
_DATED_LENGTH = 8


class SaidMoment(msgspec.Struct, frozen=True):
    """A day, and the minute of it if the book gives one."""

    day: date
    minute: int | None = None

    def at(self, usual: time, now: datetime) -> datetime:
        """The moment; the usual time stands for a day alone, but never later than now."""
        if self.minute is not None:
            return clock.at_local(self.day, time()) + timedelta(minutes=self.minute)
        moment = clock.at_local(self.day, usual)
        return min(moment, now) if self.day == clock.local_day(now) else moment


def said_moment(cell: Cell, titled: TitleDates) -> SaidMoment | Problem | None:
    """The day in a cell, and its time of day where one is written. Midnight says nothing: a day is stored so."""
    found = context.parse_day(cell, titled)
    if not isinstance(found, date):
        return found
    minute: int | Problem | None = None
    if isinstance(cell, datetime) or (isinstance(cell, str) and len(cell_values.plain_text(cell)) > _DATED_LENGTH):
        minute = moments.minute_of_day(cell)
    return SaidMoment(found, minute if isinstance(minute, int) and 0 < minute < moments.DAY_MINUTES else None)


def said_done(cell: Cell, titled: TitleDates, received: SaidMoment | None) -> SaidMoment | Problem | None:
    """When it was done; “当日” is the day on which it came."""
    if received is not None and isinstance(cell, str) and _SAME_DAY.fullmatch(cell_values.plain_text(cell)):
        return SaidMoment(received.day)
    return said_moment(cell, titled)


def in_order(
    received: SaidMoment, done: SaidMoment | None, now: datetime
) -> tuple[datetime, datetime | None] | tuple[str, Problem]:
    """Both moments, or the column and what is wrong with it: the future, or done before it came.

    A day alone is half past eight for the receipt and half past five for the finish, as a working day begins and ends;
    on one day they are never the wrong way round.
    """
    came = received.at(OPENS, now)
    if came > now:
        return "date", problem("date_future")
    if done is None:
        return came, None
    ended = done.at(CLOSES, now)
    if ended > now:
        return "out", problem("date_future")
    if ended < came and received.day == done.day:
        if received.minute is None:
            came = ended
        elif done.minute is None:
            ended = came
    return (came, ended) if came <= ended else ("out", problem("done_before_received"))
