"""Fill the table of working days: by the library `holidays`, run in a process of its own, and by a notice typed in."""

import asyncio
import csv
import re
import sys
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from timebank.areas.schemas import OfficialDay, OfficialYear
from timebank.core import clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError

FIRST_YEAR = 2024
READ_AGAIN_AFTER = timedelta(days=27)
ANSWER_SECONDS = 60
WORKS = {"休": False, "班": True, "rest": False, "work": True}
NAME_MAX = 40
WORKDAYS_MIN, WORKDAYS_MAX = 240, 255  # of a year; a notice of which a part is missing gives more


class CalendarUnread(TimebankError):
    code = "calendar_unread"
    status = 500
    sentence = (
        "没能读出节假日（{why}）。已有的工作日还在用。请照 requirements.lock 重新安装，再运行 timebank calendar。"
    )


class BadNotice(TimebankError):
    code = "bad_notice"
    status = 422
    sentence = "通知文件 {path} {where}不能用：每行写“日期,休或班,节日”，例如“2027-02-06,班,春节”；一年的都要写上。"


class Filled(msgspec.Struct, frozen=True):
    """A year as it stands in the table after it was filled, and how many rows that changed."""

    year: int
    estimated: bool
    source: Literal["library", "notice"]
    changed: int


async def read_library(first: int, last: int) -> list[OfficialYear]:
    """The differing days of these years as the library knows them. Raises CalendarUnread."""
    years = map(str, range(first, last + 1))
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timebank.areas.official_days", *years,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        answer, complaint = await asyncio.wait_for(program.communicate(), ANSWER_SECONDS)
    except TimeoutError as error:
        raise CalendarUnread(why=f"{ANSWER_SECONDS} 秒没有答复") from error
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    if program.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise CalendarUnread(why=lines[-1] if lines else f"退出码 {program.returncode}")
    return msgspec.json.decode(answer, type=list[OfficialYear])


def read_notice(path: Path) -> list[OfficialYear]:
    """The years of a file in which the operator has written the State Council's notice, a day in each line.

    A day that follows the rule of Monday to Friday, such as a Saturday of a holiday, may be there and adds nothing.
    Raises BadNotice.
    """
    years: dict[int, dict[date, OfficialDay]] = {}
    for number, cells in enumerate(csv.reader(_text_of(path).splitlines()), start=1):
        if cells:
            each = _day_of_notice(cells, path, number)
            known = years.setdefault(each.day.year, {})
            if each.works != (each.day.weekday() < 5):
                known[each.day] = each
    for year, days in years.items():
        if not WORKDAYS_MIN <= _workdays_in(year, days) <= WORKDAYS_MAX or not any(d.works for d in days.values()):
            raise BadNotice(path=path, where=f"里的 {year} 年")
    if not years:
        raise BadNotice(path=path, where="")
    return [
        OfficialYear(year=year, estimated=False, days=[each for _, each in sorted(days.items())])
        for year, days in sorted(years.items())
    ]


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):  # the second is what spreadsheets on Chinese Windows write
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise BadNotice(path=path, where="")


def _day_of_notice(cells: list[str], path: Path, number: int) -> OfficialDay:
    try:
        written, what, name = (names.clean(cell) for cell in cells)
        year, month, number_of_day = map(int, re.split("[-/]", written))
        return OfficialDay(day=date(year, month, number_of_day), works=WORKS[what], name=name[:NAME_MAX])
    except (ValueError, KeyError) as error:
        raise BadNotice(path=path, where=f"第 {number} 行") from error


def _workdays_in(year: int, days: dict[date, OfficialDay]) -> int:
    start = date(year, 1, 1)
    usual = sum((start + timedelta(n)).weekday() < 5 for n in range((date(year + 1, 1, 1) - start).days))
    return usual + sum(1 if each.works else -1 for each in days.values())


@retried
async def fill_years(years: list[OfficialYear], source: Literal["library", "notice"]) -> list[Filled]:
    """Make these the whole country's days of their years. The same again changes nothing.

    What a notice or a county has set stays where the library says otherwise; an estimate replaces no announced year.
    Only the operator fills past years or writes a notice.
    """
    async with transaction(None):
        return [await _fill(year, source) for year in years]


async def _fill(year: OfficialYear, source: str) -> Filled:
    changed: int = await database.fetch_value(
        "SELECT workday_fill($1, $2, $3, $4, $5, $6, $7)",
        year.year, [each.day for each in year.days], [each.works for each in year.days],
        [each.name for each in year.days], source, year.estimated, clock.now(),
    )  # fmt: skip
    stands = await database.fetch_one(
        "SELECT estimated, source FROM workday WHERE county_id IS NULL AND day BETWEEN $1 AND $2 LIMIT 1",
        date(year.year, 1, 1), date(year.year, 12, 31),
    )  # fmt: skip
    assert stands is not None
    return Filled(year.year, stands["estimated"], stands["source"], changed)


async def fill_workdays() -> int:
    """The worker's sweep: read this year and the next from the library, once a month; returns the rows that changed.

    The library is read in a process of its own, so nothing is done where the month is not over.
    """
    async with transaction(None):
        read_at = await database.fetch_value("SELECT max(set_at) FROM workday WHERE county_id IS NULL")
    if read_at is not None and clock.now() < read_at + READ_AGAIN_AFTER:
        return 0
    this_year = clock.local_day().year
    filled = await fill_years(await read_library(this_year, this_year + 1), "library")
    return sum(each.changed for each in filled)
