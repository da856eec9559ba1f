"""Parses days, times of day and lengths as people write them, from a date cell to “下午3点半”."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from timebank.imports.cells.cell_values import Cell, Unreadable, blank, plain_text
from timebank.imports.cells.numerals import chinese_number
from timebank.imports.cells.problems import Problem, problem

DAY_MINUTES = 24 * 60
MONTHS = 12
_EXCEL_EPOCH = date(1899, 12, 30)
_ZERO_SHOWN_DAYS = 2  # a spreadsheet shows the number 0, such as a formula's result for a blank, as one of these days
_SERIAL_DAYS = range(1, 73_051)  # 1900-01-01 to 2099-12-31
_YEARS = range(1850, 2200)  # Other years are typing errors, or days that a conversion to another zone cannot represent.
_WEEKDAY = re.compile(r"[(（]?(星期|周|礼拜)[一二三四五六日天][)）]?|[(（]\s*[一二三四五六日天]?\s*[)）]")
_DAY = re.compile(r"(\d{4})\s*[-/.年。·\\]\s*(\d{1,2})\s*[-/.月。·\\]\s*(\d{1,2})(?:\s*[日号]|(?!\d))")
CHINESE_YEAR = re.compile(r"([二一][〇零○ＯO一二三四五六七八九]{3})\s*年")
_CHINESE_DIGITS = str.maketrans("〇零○ＯO一二三四五六七八九", "00000123456789")
_CHINESE_PART = re.compile(r"(?<=[年月])\s*([一二三四五六七八九十]{1,3})(?=[月日号])")
_CLOCK = re.compile(
    r"(?P<next>次日|第[二2]天|翌日|隔[日天]|转天|明日)?\s*"
    r"(?P<part>凌晨|清晨|清早|早上|早晨|早|上午|中午|正午|下午|午后|傍晚|晚上|晚间|夜里|夜间|晚|am|pm|a\.m\.|p\.m\.)?\s*"
    r"(?P<hour>\d{1,2}|[零〇一二两三四五六七八九十]{1,3})\s*"
    r"(?:[:.点时]\s*(?:(?P<minute>\d{1,2})\s*分?(?::\s*(?P<second>\d{1,2}))?|(?P<half>半)|(?P<quarter>[一三])刻|整|钟)?)?\s*"
    r"(?P<after>am|pm|a\.m\.|p\.m\.)?",
    re.IGNORECASE,
)
_YEAR_MONTH = re.compile(r"(\d{4})(?:\s*[-/.年]\s*(\d{1,2})\s*月?|(\d{2}))")
NUMERALS = "[零一二两三四五六七八九十]{1,3}"
_SAME_DAY = re.compile(r"[(]?(补|补录|补签|补登|迟交|上午|下午|早上|早晨|中午|晚上|傍晚|全天|白天|当天|夜间)[)]?")
_CLOCK_TAIL = re.compile(r"(?<=\d)\.\d+|\+08:?00$")
_NEXT_SPAN = re.compile(r"(?<=[\d点时分半])\s*(?:和|/|\s|(?=上午|下午|晚))\s*(?=(?:上午|下午|晚上?|中午|早上?)?\s*\d)")
_BETWEEN = re.compile(r"\s*(?:-|–|—|~|～|至|到|\bto\b)+\s*", re.IGNORECASE)


def parse_calendar_day(cell: Cell) -> date | Problem | None:
    """A calendar day, from a date cell, a spreadsheet's serial number or a text with a year; None for a blank cell."""
    found = _day(cell)
    if isinstance(found, date) and 0 <= (found - _EXCEL_EPOCH).days <= _ZERO_SHOWN_DAYS:
        return problem("date_zero")
    return problem("date_impossible") if isinstance(found, date) and found.year not in _YEARS else found


def _day(cell: Cell) -> date | Problem | None:
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, date):
        return cell.date() if isinstance(cell, datetime) else cell
    if isinstance(cell, bool | time | timedelta):
        return problem("date_unclear")
    if blank(cell):
        return None
    found = _day_in(plain_text(cell))
    if found is None:
        return problem("date_unclear")
    return found[0] if _says_no_more(found[1]) else problem("date_with_more")


def in_digits(text: str) -> str:
    """A text with its days such as 二〇二六年四月五日 rewritten in digits."""
    if not CHINESE_YEAR.search(text):
        return text
    text = CHINESE_YEAR.sub(lambda found: f"{found[1].translate(_CHINESE_DIGITS)}年", text)
    return _CHINESE_PART.sub(lambda found: str(chinese_number(found[1]) or found[1]), text)


def _says_no_more(rest: str) -> bool:
    """Whether the text after a day does not change it: none, one or two times, a part of the day, or one like 补录."""
    if not rest or _SAME_DAY.fullmatch(rest):
        return True
    rest = _CLOCK_TAIL.sub("", _CLOCK_TAIL.sub("", rest)) if re.match(r"\d{1,2}:\d{2}:\d{2}", rest) else rest
    # "-4.7" and "至7日" name a range of days, so no separator may precede the time.
    halves = _BETWEEN.split(rest)
    return 1 <= len(halves) <= 2 and all(isinstance(_clock(half), int) for half in halves if half) and bool(halves[0])


def _day_in(value: str) -> tuple[date | Problem, str] | None:
    """The day at the start of a text and the text after it; `None` when it does not start with a day."""
    value = in_digits(_WEEKDAY.sub("", value).strip())
    if re.fullmatch(r"\d{1,5}(\.\d+)?", value):
        serial = int(float(value))
        return (_EXCEL_EPOCH + timedelta(days=serial), "") if serial in _SERIAL_DAYS and serial > 3_000 else None
    found = _DAY.match(value) or re.match(r"(\d{4})(\d{2})(\d{2})(?!\d)", value)
    if found is None:
        return None
    rest = value[found.end() :].lstrip(" T")
    try:
        return date(int(found[1]), int(found[2]), int(found[3])), rest
    except ValueError:
        return problem("date_impossible"), rest


@dataclass(frozen=True, slots=True)
class YearMonths:
    """A birth date without its day; the number 1965.1 may mean January or October, so `months` can hold two."""

    year: int
    months: frozenset[int]

    def holds(self, day: date) -> bool:
        """Whether a day lies in the year and in one of the months."""
        return day.year == self.year and day.month in self.months


def year_months(cell: Cell) -> YearMonths | None:
    """The year and month of "1965.03", "196503", "1965-03" or "1965年3月"; `None` for anything else."""
    if isinstance(cell, bool | date | time | timedelta):
        return None
    value = plain_text(cell)
    found = _YEAR_MONTH.fullmatch(value)
    if found is None:
        return None
    months = {int(found[2] or found[3])}
    if isinstance(cell, float) and found[2] == "1":
        months.add(10)  # a spreadsheet stores both 1965.1 and 1965.10 as the number 1965.1
    possible = frozenset(month for month in months if 1 <= month <= MONTHS)
    return YearMonths(int(found[1]), possible) if possible and int(found[1]) in _YEARS else None


def minute_of_day(cell: Cell) -> int | Problem | None:
    """Minutes since midnight, 0 to 1440, or more when the text says “次日”; None for a blank cell."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, timedelta):
        return _in_day(cell.total_seconds() / 60)
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return cell.hour * 60 + cell.minute
    if isinstance(cell, bool | date):
        return problem("time_unclear")
    if blank(cell):
        return None
    value = plain_text(cell)
    if re.fullmatch(r"[01]?\.\d{3,}|0|1(\.0+)?|0\.5", value) and not re.fullmatch(r"1\.\d*[1-9]\d*", value):
        return _in_day(float(value) * DAY_MINUTES)
    value = re.sub(r"(?<=\d:\d\d:\d\d)\.\d+$", "", value)
    if re.fullmatch(r"\d{1,2}\.\d|0\.\d{2}", value):
        return problem("time_dotted")
    dated = _day_in(value) if len(value) > 8 else None
    return _clock(dated[1] if dated else value)


def _in_day(minutes: float) -> int | Problem:
    return round(minutes) if 0 <= minutes <= DAY_MINUTES else problem("impossible_time")


def _clock(value: str) -> int | Problem:
    value = re.sub(r"^(.+?)\s*\((次日|第二天|翌日)\)$", r"\2\1", value)
    if re.fullmatch(r"\d{4}", value):
        value = f"{value[:2]}:{value[2:]}"
    found = _CLOCK.fullmatch(value.strip())
    # 9.5 may mean half past nine, or 9.50 (ten to ten) whose last zero a spreadsheet removed.
    if found is None or (value.isdigit() and not found["part"]) or re.search(r"\d\.\d(?!\d)", value):
        return problem("time_unclear")
    hour = chinese_number(found["hour"])
    if hour is None:
        return problem("time_unclear")
    minute = 30 if found["half"] else int(found["minute"] or 0)
    if found["quarter"]:
        minute = 15 if found["quarter"] == "一" else 45
    hour_of_day = _hour(hour, (found["part"] or found["after"] or "").lower().replace(".", ""))
    if hour_of_day is None or minute > 59 or int(found["second"] or 0) > 59:
        return problem("impossible_time")
    total = hour_of_day * 60 + minute
    if total > DAY_MINUTES:
        return problem("impossible_time")
    return total + DAY_MINUTES if found["next"] else total


def _hour(hour: int, part: str) -> int | None:
    """The hour from 0 to 24 for a written hour and part of the day; `None` when the two contradict each other."""
    if hour > 24:
        return None
    if part in {"凌晨", "am"} and hour == 12:
        return 0
    if part in {"凌晨", "清晨", "清早", "早上", "早晨", "早", "上午", "am"}:
        return hour if hour <= 12 else None
    if part in {"中午", "正午"}:
        return hour + 12 if hour < 4 else hour
    if part in {"下午", "午后", "傍晚", "pm"}:
        return hour + 12 if hour < 12 else hour
    if part in {"晚上", "晚间", "夜里", "夜间", "晚"}:
        return hour + 12 if 4 < hour <= 12 else hour if hour > 12 else None
    return hour


def spans(cell: Cell) -> list[tuple[Cell, Cell]] | Problem | None:
    """The start and end of every span in a cell: "8:30-11:30，14:00-17:00" has two spans."""
    parts = _several_spans(plain_text(cell)) if isinstance(cell, str) else []
    found = [span(part) for part in parts] if len(parts) > 1 else [span(cell)]
    whole = [halves for halves in found if isinstance(halves, tuple)]
    if len(whole) == len(found):
        return whole
    return next((wrong for wrong in found if isinstance(wrong, Problem)), None)


def _several_spans(value: str) -> list[str]:
    """The spans of a text, split at commas; also at a space, 和, a slash or 下午 if each part is then a whole span."""
    parts = [part for part in re.split(r"\s*[,;、，；]\s*", value) if part]
    if len(parts) != 1 or _DAY.match(value):
        return parts
    pieces = [piece for piece in _NEXT_SPAN.split(value) if piece]
    whole = all(len([half for half in _BETWEEN.split(piece) if half.strip()]) == 2 for piece in pieces)
    return pieces if whole else parts


def span(cell: Cell) -> tuple[Cell, Cell] | Problem | None:
    """The start and end of “08:30-10:00” or “2026-07-01 08:30 至 10:00” as written; either may be blank."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if blank(cell):
        return None
    value = plain_text(cell)
    dated = _DAY.match(value)
    head, rest = (value[: dated.end()], value[dated.end() :]) if dated else ("", value)
    later = _DAY.search(rest)
    if later:
        # The dashes inside a second date do not separate times: "2026-07-01 22:00 至 2026-07-02 1:00".
        halves = [_BETWEEN.sub("", rest[: later.start()].strip()), rest[later.start() :].strip()]
        halves = [half for half in halves if half]
    else:
        halves = [half for half in _BETWEEN.split(rest.strip()) if half]
    if not 1 <= len(halves) <= 2:
        return problem("time_unclear")
    if len(halves) == 1 and not later and _BETWEEN.match(rest):
        return None, f"{head} {halves[0]}".strip()  # "-11:30": the sign-in is missing
    first = f"{head} {halves[0]}".strip()
    return first, _same_part(halves[0], halves[1]) if len(halves) == 2 else None


def _same_part(first: str, second: str) -> str:
    """The second time with the first one's part of the day: in “下午2:00-5:00” both are in the afternoon."""
    part = re.match(r"下午|晚上|傍晚|晚|pm", first.strip(), re.IGNORECASE)
    return f"{part[0]}{second}" if part and re.match(r"\d", second) else second
