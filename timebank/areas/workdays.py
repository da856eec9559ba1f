"""Working days: the days that differ from Monday to Friday, of the whole country and of a county, and counting by them.

A verb reads them once (`workdays_of`) and then counts without the database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import msgspec

from timebank.areas.schemas import WorkdayOut, WorkYear
from timebank.core import audit, clock, database, names
from timebank.core.database import Question, retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Role, Scope

DECEMBER = 12
YEARS_AHEAD = 2  # a county sets days until the end of the year after next
HOLIDAYS = (
    _("元旦"), _("农历除夕"), _("春节"), _("清明节"), _("劳动节"), _("端午节"), _("中秋节"), _("国庆节"), _("调休"),
    _("调休上班"),
)  # fmt: skip
"""The names of the whole country's days, marked for translation."""


class WorkdayPast(TimebankError):
    code = "workday_past"
    status = 422
    sentence = "这一天已经过去，已经按它算过了，不能再改。请从今天起选。"


class WorkdayTooFar(TimebankError):
    code = "workday_too_far"
    status = 422
    sentence = "最远可以定到 {until}。请选早一些的日子。"


class NoReasonGiven(TimebankError):
    code = "no_reason_given"
    status = 422
    sentence = "请写明原因，例如“抗洪停工”。大家都看得到。"


@dataclass(frozen=True, slots=True)
class Workdays:
    """The working days of a community's county. Any day can be asked about.

    `differing`: whether people work on a day that differs from Monday to Friday. `announced`: the years whose days the
    State Council has announced; any other year is answered by Monday to Friday and the days that are known so far.
    """

    differing: dict[date, bool]
    announced: frozenset[int]

    def is_workday(self, day: date) -> bool:
        return self.differing.get(day, day.weekday() < 5)

    def is_estimated(self, day: date) -> bool:
        """Whether the answer about this day may still change, because its year was not announced yet."""
        return day.year not in self.announced

    def add_workdays(self, day: date, n: int) -> date:
        """The n-th workday after `day`; `day` itself for 0. A day that is no workday counts from its last workday."""
        for following in self._after(day):
            if n <= 0:
                break
            day, n = following, n - self.is_workday(following)
        return day

    def count_workdays(self, first: date, last: date) -> int:
        """The number of workdays from `first` to `last`, both included; 0 if `last` is before `first`."""
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return sum(self.is_workday(day) for day in days)

    @staticmethod
    def _after(day: date) -> Iterator[date]:
        while day < date.max:
            day += timedelta(days=1)
            yield day


async def workdays_of(scope: Scope, since: date) -> Workdays:
    """The working days of the scope's community from the year of `since` on, in one statement."""
    async with transaction(scope):
        return _workdays(await _differing(scope, since.year))


async def work_years(scope: Scope, first: int, last: int) -> list[WorkYear]:
    """The years `first` to `last` as they hold in the scope's county, each with its differing days in order."""
    async with transaction(scope):
        found = await _differing(scope, first)
    known = _workdays(found)
    holding = {each.day: each for each in found}  # a county's own row comes last
    return [
        WorkYear(
            year=year, workdays=known.count_workdays(date(year, 1, 1), date(year, 12, 31)),
            estimated=known.is_estimated(date(year, 1, 1)),
            days=[each for day, each in sorted(holding.items()) if day.year == year],
        )
        for year in range(first, last + 1)
    ]  # fmt: skip


async def unannounced_years() -> list[int]:
    """This year, and from 1 December on the next, if the State Council's notice is not in the table yet.

    It is published in November. From 1 December on somebody has to see to it.
    """
    today = clock.local_day()
    years = [today.year, today.year + 1] if today.month == DECEMBER else [today.year]
    async with transaction(None):
        found = await database.fetch(
            "SELECT DISTINCT extract(year FROM day)::integer AS year FROM workday "
            "WHERE county_id IS NULL AND NOT estimated AND day >= $1",
            date(today.year, 1, 1),
        )
    announced = {row["year"] for row in found}
    return [year for year in years if year not in announced]


async def _differing(scope: Scope, first_year: int) -> list[WorkdayOut]:
    return await database.rows(
        WorkdayOut,
        "SELECT w.day, w.works, w.name, w.source, w.estimated, w.set_by, w.set_at FROM region here "
        "JOIN workday w ON w.county_id IS NULL OR w.county_id = here.path[1] "
        "WHERE here.id = $1 AND w.day >= $2 ORDER BY w.county_id NULLS FIRST, w.day",
        scope.community_id, date(first_year, 1, 1),
    )  # fmt: skip


class DayWorks(msgspec.Struct, frozen=True):
    """A day that differs from Monday to Friday, and whether people work on it."""

    day: date
    works: bool


def differing_question(scope: Scope, first: date, last: date) -> Question:
    """The differing days of the scope's community between two days, to be asked with others. A county's come last."""
    return database.many(
        "SELECT w.day, w.works FROM region here JOIN workday w ON w.county_id IS NULL OR w.county_id = here.path[1] "
        "WHERE here.id = $1 AND w.day BETWEEN $2 AND $3 ORDER BY w.county_id NULLS FIRST, w.day",
        scope.community_id, first, last,
    )  # fmt: skip


def workdays_from(found: Sequence[DayWorks]) -> Workdays:
    """The working days that a `differing_question` answers; only its own days may be asked about."""
    return Workdays({each.day: each.works for each in found}, frozenset())


def _workdays(found: Sequence[WorkdayOut]) -> Workdays:
    return Workdays(
        {each.day: each.works for each in found},  # a county's own row comes last and replaces the country's
        frozenset(each.day.year for each in found if each.source != "county" and not each.estimated),
    )


def may_set_workdays(scope: Scope) -> bool:
    """Whether the caller administers the county of the community: nobody below may."""
    return scope.has(Role.county_admin)


@retried
async def set_workday(scope: Scope, day: date, *, works: bool, name: str) -> None:
    """Make a day a workday or a day of rest in the caller's county, for a reason (`name`) that everybody may read.

    The same again changes nothing. Raises Forbidden below the county's administrator, WorkdayPast, WorkdayTooFar,
    NoReasonGiven.
    """
    async with transaction(scope):
        county_id, name = await _county_to_set(scope, day), names.clean(name)
        if not name:
            raise NoReasonGiven
        written = await database.execute(
            "INSERT INTO workday AS w (county_id, day, works, name, source, estimated, set_by, set_at, id) "
            "VALUES ($1, $2, $3, $4, 'county', false, $5, $6, $7) ON CONFLICT (county_id, day) "
            "DO UPDATE SET works = $3, name = $4, set_by = $5, set_at = $6 "
            "WHERE (w.works, w.name) IS DISTINCT FROM ($3, $4)",
            county_id, day, works, name, scope.actor_id, clock.now(), clock.new_id(),
        )  # fmt: skip
        if written != "INSERT 0 0":
            await audit.record(scope, "set_workday", "workday", None, reason=name, day=day, works=works)


@retried
async def clear_workday(scope: Scope, day: date) -> None:
    """Take back what the county has set for a day, if it has: the whole country's holds again.

    Raises Forbidden, WorkdayPast, WorkdayTooFar.
    """
    async with transaction(scope):
        county_id = await _county_to_set(scope, day)
        cleared = await database.execute("DELETE FROM workday WHERE county_id = $1 AND day = $2", county_id, day)
        if cleared != "DELETE 0":
            await audit.record(scope, "clear_workday", "workday", None, day=day)


async def _county_to_set(scope: Scope, day: date) -> UUID:
    """The county of the community, for a day that its administrator may still set.

    Raises Forbidden, WorkdayPast, WorkdayTooFar.
    """
    if not may_set_workdays(scope):
        raise Forbidden
    today = clock.local_day()
    if day < today:
        raise WorkdayPast
    if day.year > today.year + YEARS_AHEAD:
        raise WorkdayTooFar(until=date(today.year + YEARS_AHEAD, 12, 31))
    county_id: UUID = await database.fetch_value("SELECT path[1] FROM region WHERE id = $1", scope.community_id)
    return county_id
