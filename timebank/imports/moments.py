"""Days and times as people write them, from a date cell to “下午3点半”."""

import re
from datetime import date, datetime, time, timedelta

from timebank.imports.cells import Cell, Unreadable, blank, chinese_number, words
from timebank.imports.problems import Problem, problem

DAY_MINUTES = 24 * 60
_EXCEL_EPOCH = date(1899, 12, 30)
_SERIAL_DAYS = range(1, 73_051)  # 1900-01-01 to 2099-12-31
_YEARS = range(1850, 2200)  # Beyond lie slips of the pen, and days that clocks of another zone cannot show.
_WEEKDAY = re.compile(r"[(（]?(星期|周|礼拜)[一二三四五六日天][)）]?|[(（]\s*[)）]")
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?!\d)")
_CLOCK = re.compile(
    r"(?P<next>次日|第二天|翌日)?\s*"
    r"(?P<part>凌晨|清晨|清早|早上|早晨|早|上午|中午|正午|下午|午后|傍晚|晚上|晚间|夜里|夜间|晚|am|pm|a\.m\.|p\.m\.)?\s*"
    r"(?P<hour>\d{1,2}|[零〇一二两三四五六七八九十]{1,3})\s*"
    r"(?:[:.点时]\s*(?:(?P<minute>\d{1,2})\s*分?(?::\s*(?P<second>\d{1,2}))?|(?P<half>半)|(?P<quarter>[一三])刻|整|钟)?)?\s*"
    r"(?P<after>am|pm|a\.m\.|p\.m\.)?",
    re.IGNORECASE,
)
_SAME_DAY = re.compile(r"[(]?(补|补录|补签|补登|迟交|上午|下午|早上|早晨|中午|晚上|傍晚|全天|白天|当天|夜间)[)]?")
_CLOCK_TAIL = re.compile(r"(?<=\d)\.\d+|\+08:?00$")
_BETWEEN = re.compile(r"\s*(?:-|–|—|~|～|至|到|\bto\b)+\s*", re.IGNORECASE)


def day(cell: Cell) -> date | Problem | None:
    """A calendar day, from a date cell, a spreadsheet's serial number or words with a year."""
    found = _day(cell)
    return problem("date_impossible") if isinstance(found, date) and found.year not in _YEARS else found


def _day(cell: Cell) -> date | Problem | None:
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool | time | timedelta):
        return problem("date_unclear")
    if blank(cell):
        return None
    found = _day_in(words(cell))
    if found is None:
        return problem("date_unclear")
    return found[0] if _says_no_more(found[1]) else problem("date_with_more")


def _says_no_more(rest: str) -> bool:
    """Whether what follows a day leaves it that day: nothing, a time or two or a part of the day, a late entry."""
    if not rest or _SAME_DAY.fullmatch(rest):
        return True
    rest = _CLOCK_TAIL.sub("", _CLOCK_TAIL.sub("", rest)) if re.match(r"\d{1,2}:\d{2}:\d{2}", rest) else rest
    # "-4.7" and "至7日" go on to another day, so no separator may stand before the time.
    halves = _BETWEEN.split(rest)
    return 1 <= len(halves) <= 2 and all(isinstance(_clock(half), int) for half in halves if half) and bool(halves[0])


def _day_in(value: str) -> tuple[date | Problem, str] | None:
    """The day at the start of some words and what follows it, `None` when there is no day."""
    value = _WEEKDAY.sub("", value).strip()
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


def minute_of_day(cell: Cell) -> int | Problem | None:
    """Minutes since midnight, 0 to 1440, and beyond when the words say “次日”."""
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
    value = words(cell)
    if re.fullmatch(r"[01]?\.\d{3,}|0|1(\.0+)?|0\.5", value) and not re.fullmatch(r"1\.\d*[1-9]\d*", value):
        return _in_day(float(value) * DAY_MINUTES)
    dated = _day_in(value) if len(value) > 8 else None
    return _clock(dated[1] if dated else value)


def _in_day(minutes: float) -> int | Problem:
    return round(minutes) if 0 <= minutes <= DAY_MINUTES else problem("impossible_time")


def _clock(value: str) -> int | Problem:
    if re.fullmatch(r"\d{4}", value):
        value = f"{value[:2]}:{value[2:]}"
    found = _CLOCK.fullmatch(value.strip())
    if found is None or (value.isdigit() and not found["part"]):
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
    """The hour of the day that an hour and its part of the day mean; `None` when the two contradict each other."""
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


def span(cell: Cell) -> tuple[Cell, Cell] | Problem | None:
    """The two halves of “08:30-10:00” or “2026-07-01 08:30 至 10:00”, still as written; the second may be blank."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if blank(cell):
        return None
    value = words(cell)
    dated = _DAY.match(value)
    head, rest = (value[: dated.end()], value[dated.end() :]) if dated else ("", value)
    halves = [half for half in _BETWEEN.split(rest.strip()) if half]
    if not 1 <= len(halves) <= 2:
        return problem("time_unclear")
    first = f"{head} {halves[0]}".strip()
    return first, _same_part(halves[0], halves[1]) if len(halves) == 2 else None


def _same_part(first: str, second: str) -> str:
    """“下午2:00-5:00” says 下午 once and means it twice."""
    part = re.match(r"下午|晚上|傍晚|晚|pm", first.strip(), re.IGNORECASE)
    return f"{part[0]}{second}" if part and re.match(r"\d", second) else second


def minutes_long(cell: Cell, *, in_minutes: bool) -> int | Problem | None:
    """A length of service in minutes, from “1.5”, “1小时30分”, “90分钟” or a time cell of that length."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, time):
        return cell.hour * 60 + cell.minute
    if isinstance(cell, timedelta):
        return round(cell.total_seconds() / 60)
    if blank(cell):
        return None
    value = words(cell).lower()
    if re.fullmatch(r"\d{1,4}(\.\d{1,6})?", value):
        return round(float(value) * (1 if in_minutes else 60))
    hours = re.match(r"(\d{1,3}(?:\.\d{1,4})?)个?(?:小时|时|h(?:ours?)?)(半)?", value)
    rest = value[hours.end() :].strip() if hours else value
    minutes = re.fullmatch(r"(\d{1,4})(?:分钟?|m(?:in(?:ute)?s?)?)?", rest)
    if (hours is None and minutes is None) or (rest and minutes is None):
        return problem("duration_unclear")
    whole = round(float(hours[1]) * 60) + (30 if hours[2] else 0) if hours else 0
    return whole + (int(minutes[1]) if minutes else 0)
