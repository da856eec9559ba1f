"""A program: print the days of China that differ from Monday to Friday, by year, as JSON.

It is run in a process of its own (`python -m timebank.areas.official_days 2026 2027`) and imported nowhere, because the
library `holidays` costs a serving process half a second and 40 MB.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta

import holidays
import msgspec

from timebank.areas.schemas import OfficialDay, OfficialYear

MAKE_UP_REST = "调休"
MAKE_UP_WORK = "调休上班"


def official_year(year: int) -> OfficialYear:
    """The year as the library knows it.

    Every notice of the State Council names make-up workdays, so a year without one is the library's own estimate.
    """
    known = holidays.country_holidays("CN", years=year, language="zh_CN")
    days = list(_differing_days(year, known))
    return OfficialYear(year=year, estimated=not any(each.works for each in days), days=days)


def _differing_days(year: int, known: holidays.HolidayBase) -> Iterator[OfficialDay]:
    for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
        day = date(year, 1, 1) + timedelta(days=number)
        works = known.is_working_day(day)
        if works != (day.weekday() < 5):
            yield OfficialDay(day=day, works=works, name=MAKE_UP_WORK if works else _plain(known[day]))


def _plain(name: str) -> str:
    """The holiday's name without the library's remarks, such as 春节（补假） and 休息日（由 2026-02-14 调休）."""
    holiday = name.partition("（")[0]
    return MAKE_UP_REST if holiday == "休息日" else holiday


def main() -> None:
    years = [official_year(int(year)) for year in sys.argv[1:]]
    sys.stdout.buffer.write(msgspec.json.encode(years))


if __name__ == "__main__":
    main()
