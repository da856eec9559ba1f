"""Read dates from the title and name of a sheet: the year, the month, or one day for the whole sheet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from timebank.imports.cells import moments
from timebank.imports.cells.cell_values import Cell, plain_text
from timebank.imports.cells.numerals import chinese_number
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Row
from timebank.imports.sheets.header import Header

_MADE_ON = re.compile(r"(填表|制表|打印|统计|填报|上报|审核|审批|更新|截至|截止|导出)[^\s:：]{0,4}\s*[:：]?\s*\d{4}\S*")
_UNTIL = "(?:-|–|—|~|～|至|到|、)"
_RANGE = re.compile(
    rf"(?:[年月日号]\s*{_UNTIL}|\d\s*[至到~～、])\s*(?:\d{{4}}\s*年)?\s*\d{{1,2}}\s*[月日号]|\d[./]\d{{1,2}}\s*{_UNTIL}\s*\d"
)
_FULL = re.compile(r"((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_YEAR_MONTH = re.compile(r"((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})(?!\d)\s*月?")
_YEAR = re.compile(r"((?:19|20)\d{2})\s*年")
_MONTH = re.compile(r"(?<!\d)(\d{1,2}|[一二三四五六七八九十]{1,2})\s*月(?!\d)")
_MONTH_DAY = re.compile(r"(\d{1,2})\s*(?:月|[./-])\s*(\d{1,2})\s*[日号]?")
_SHORT_DAY = re.compile(r"(?<![\d年])(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]")
_DAY_ONLY = re.compile(r"(\d{1,2})\s*[日号]?")
_WEEKDAY = re.compile(r"[(]?(?:星期|周|礼拜)[一二三四五六日天][)]?|[(][一二三四五六日天][)]")


LATE = re.compile("下午|晚上|傍晚|夜间|午后")
_EARLY = re.compile("上午|早|全天|凌晨")


@dataclass(frozen=True, slots=True)
class TitleDates:
    """Dates from titles; a field is None if they give none or several. `is_late`: they mention only the afternoon."""

    year: int | None = None
    month: int | None = None
    day: date | None = None
    is_late: bool = False

    def within(self, titles: Iterable[Row]) -> "TitleDates":
        """The context below the titles of a part of the table: what they say, else what was said before."""
        own = _said(_texts(titles), self.year)
        if own == TitleDates():
            return self
        is_late = own.is_late
        if own.year is None and own.month is None and own.day is None:
            return TitleDates(self.year, self.month, self.day, is_late)
        same_year = own.year is None or own.year == self.year
        month = own.month or (self.month if same_year else None)
        return TitleDates(own.year or self.year, month, own.day, is_late)


def context_of(header: Header) -> TitleDates:
    """The context from the titles and the sheet's name; the date on which the form was filled in does not count."""
    above = _said([header.sheet.name, *_texts(header.sheet_titles)])
    return above if header.titles == header.sheet_titles else above.within(header.titles)


def titles_of(header: Header) -> tuple[Row, ...]:
    """The title rows that apply to a table: its own, else those of its sheet."""
    return header.titles or header.sheet_titles


def says_day(titles: Iterable[Row]) -> bool:
    """Whether titles name a day, a month or a year."""
    said = _said(_texts(titles))
    return (said.year, said.month, said.day) != (None, None, None)


def _texts(titles: Iterable[Row]) -> list[str]:
    return [plain_text(cell) for row in titles for cell in row.cells if cell]


def _said(written: Iterable[str], year: int | None = None) -> TitleDates:
    texts = [_plain(text) for text in written]
    said = " ".join(texts)
    is_late = LATE.search(said) is not None and _EARLY.search(said) is None
    if any(_RANGE.search(text) for text in texts):
        years = {int(year) for text in texts for year in _YEAR.findall(text)}
        return TitleDates(year=_only(years), is_late=is_late)
    days = {full for text in texts for full in map(_date, _FULL.findall(text)) if full is not None}
    pairs = {(int(year), int(month)) for text in texts for year, month in _YEAR_MONTH.findall(text)}
    years = {year for year, _ in pairs} | {int(year) for text in texts for year in _YEAR.findall(text)}
    months = {month for _, month in pairs}
    months |= {month for text in texts for found in _MONTH.findall(text) if (month := chinese_number(found))}
    # "9月1日", with the year from another title or the name of the sheet.
    shorts = {short for text in texts for short in _SHORT_DAY.findall(_FULL.sub("", text))}
    named = years or ({year} if year else set())
    if not days and len(shorts) == len(named) == 1:
        days = {full for month, day in shorts for full in [_date((str(*named), month, day))] if full is not None}
    return TitleDates(
        _only(years),
        _only({month for month in months if 1 <= month <= moments.MONTHS}),
        next(iter(days)) if len(days) == 1 else None,
        is_late,
    )


def parse_day(cell: Cell, context: TitleDates) -> date | Problem | None:
    """Read a calendar day; a day and month, or a day alone, gets its year and month from the sheet's title."""
    found = moments.parse_calendar_day(cell)
    if not isinstance(found, Problem) or found.code != "date_unclear" or isinstance(cell, bool):
        return found
    text = _WEEKDAY.sub("", plain_text(cell)).strip()
    both, alone = _MONTH_DAY.fullmatch(text), _DAY_ONLY.fullmatch(text)
    # The number 7.1 may have been typed as 7.1 or 7.10, so it is refused.
    if both and not isinstance(cell, float):
        named = _date((str(context.year), both[1], both[2])) if context.year else None
        return named or problem("date_impossible" if context.year else "date_year_missing")
    return _day_of_month(int(alone[1]), context) if alone else found


def _day_of_month(number: int, context: TitleDates) -> date | Problem:
    if context.year is None or context.month is None:
        return problem("date_year_missing")
    return _date((str(context.year), str(context.month), str(number))) or problem("date_impossible")


def _plain(text: str) -> str:
    return _MADE_ON.sub("", moments.in_digits(text))


def _date(parts: tuple[str, str, str]) -> date | None:
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def _only(found: set[int]) -> int | None:
    return next(iter(found)) if len(found) == 1 else None
