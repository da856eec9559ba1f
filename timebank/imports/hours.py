"""Sign-in sheets: who served where, from when to when."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from timebank import clock, names
from timebank.imports import cells, columns, moments
from timebank.imports.candidates import Candidate, Candidates, Mentions, by_phone_and_name
from timebank.imports.cells import Cell
from timebank.imports.lines import Line, lines
from timebank.imports.parsed import Parsed, Reading
from timebank.imports.problems import Problem, problem
from timebank.imports.vocabulary import HOURS, plain_heading
from timebank.imports.workbook import Workbook

REQUIRED = ("name|phone", "in|span", "date|in|span")
LONG_SERVICE_MINUTES = 12 * 60


@dataclass(frozen=True, slots=True)
class HoursRow:
    """One service of one person, in local time; `person` is None only when no residents were given to look in."""

    sheet: str
    row: int
    person: Candidate | None
    name: str | None
    phone: str | None
    activity: str | None
    place: str | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    note: str | None

    @property
    def who(self) -> str:
        """What tells one person from another within the file."""
        return self.person.key if self.person else self.phone or names.key(self.name or "")


def parse(book: Workbook, people: Candidates | None, *, today: date) -> Parsed[HoursRow]:
    """Read sign-in sheets and match each row to a resident. Raises an ImportRefused when the file holds none."""
    parsed: Parsed[HoursRow] = Parsed()
    earlier: dict[str, list[HoursRow]] = {}
    for header in columns.headers(book, HOURS, REQUIRED):
        before: date | None = None
        for line in lines(header):
            reading = Reading(parsed, header, line)
            before = _carried_day(line, None if line.fresh else before)
            row = _row(reading, people, before, today)
            if row is not None and not _collides(reading, row, earlier.setdefault(row.who, [])):
                earlier[row.who].append(row)
                parsed.rows.append(row)
    return parsed


def mentions(book: Workbook) -> Mentions:
    """Every readable name and phone of the sheets, to look up before `parse`."""
    names: set[str] = set()
    phones: set[str] = set()
    for header in columns.headers(book, HOURS, REQUIRED):
        for line in lines(header):
            name, phone = cells.name(line.values.get("name")), cells.phone(line.values.get("phone"))
            names |= {name} if isinstance(name, str) else set()
            phones |= {phone} if isinstance(phone, str) else set()
    return Mentions(frozenset(names), frozenset(phones))


def _carried_day(line: Line, before: date | None) -> date | None:
    """The day of this row, or of the row above when its cell was left blank."""
    found = moments.day(line.values.get("date"))
    return found if isinstance(found, date) else before if found is None else None


def _row(reading: Reading[HoursRow], people: Candidates | None, carried: date | None, today: date) -> HoursRow | None:
    name = reading.take("name", cells.name)
    phone = reading.take("phone", cells.phone)
    if name is None and phone is None and not reading.refused:
        meaning = "name" if "name" in reading.header.columns else "phone"
        reading.refuse(meaning, problem("blank", column=reading.header.heading(meaning)))
    activity = reading.take("activity", _label)
    place = reading.take("place", _label)
    note = reading.take("note", cells.note)
    interval = _interval(reading, carried, today)
    person = None
    if people is not None and not reading.refused:
        person = by_phone_and_name(reading, people, phone, name)
    if reading.refused or interval is None:
        return None
    started_at, ended_at = interval
    minutes = int((ended_at - started_at) / timedelta(minutes=1))
    if minutes > LONG_SERVICE_MINUTES:
        reading.warn(_out_column(reading), problem("long_service"))
    return HoursRow(
        reading.sheet, reading.number, person, name, phone, activity, place, started_at, ended_at, minutes, note
    )  # fmt: skip


def _label(cell: Cell) -> str | Problem | None:
    return cells.text(cell, 100)


def _out_column(reading: Reading[HoursRow]) -> str:
    return "out" if "out" in reading.header.columns else "span"


def _interval(reading: Reading[HoursRow], carried: date | None, today: date) -> tuple[datetime, datetime] | None:
    """Sign-in and sign-out as moments; refuses the row for whatever keeps them from being an interval."""
    first, last, first_column, last_column = _ends(reading)
    if reading.refused and first_column == "span" and first is None:
        return None
    day = _day(reading, first, first_column, carried)
    if day is not None and day > today:
        reading.refuse("date" if "date" in reading.header.columns else first_column, problem("date_future"))
    start = _minute(reading, first_column, first, "missing_in")
    if start is None and first_column == "span":
        return None
    length = _length(reading)
    if last is None and start is not None and length is not None:
        end: int | None = start + length
    else:
        end = _minute(reading, last_column, last, "missing_out")
    if day is None or start is None or end is None:
        return None
    end += _days_later(first, last, day) * moments.DAY_MINUTES
    if end <= start:
        reading.refuse(last_column, problem("out_before_in"))
    elif end - start > moments.DAY_MINUTES:
        reading.refuse(last_column, problem("too_long"))
    elif length is not None and last is not None and abs(length - (end - start)) > 1:
        reading.warn("length", problem("duration_differs", minutes=end - start))
    midnight = clock.local(clock.at_local(day, time()))
    return midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)


def _ends(reading: Reading[HoursRow]) -> tuple[Cell, Cell, str, str]:
    """The raw sign-in and sign-out and the columns they stand in, from two columns or from one."""
    if "span" not in reading.header.columns or reading.cell("in") is not None:
        out = reading.cell("out")
        return reading.cell("in"), None if cells.blank(out) else out, "in", "out"
    halves = reading.take("span", moments.span)
    return (*(halves or (None, None)), "span", "span")


def _day(reading: Reading[HoursRow], first: Cell, first_column: str, carried: date | None) -> date | None:
    written = reading.take("date", moments.day)
    if written is not None or not cells.blank(reading.cell("date")):
        return written
    within = moments.day(first) if isinstance(first, datetime) or len(cells.words(first)) > 8 else None
    if isinstance(within, date):
        return within
    if carried is None:
        missing = "date" if "date" in reading.header.columns else first_column
        reading.refuse(missing, problem("date_unclear"))
    return carried


def _minute(reading: Reading[HoursRow], column: str, cell: Cell, missing: str) -> int | None:
    found = moments.minute_of_day(cell)
    if found is None:
        found = problem(missing)
    if isinstance(found, Problem):
        shown = column if column in reading.header.columns else "in" if "in" in reading.header.columns else "span"
        reading.refuse(shown, found)
        return None
    return found


def _days_later(first: Cell, last: Cell, day: date) -> int:
    """How many days after `day` a sign-out lies that carries a date of its own."""
    dated = isinstance(last, datetime) and last.year > 1900
    if not dated and not (isinstance(last, str) and len(last) > 8):
        return 0
    found = moments.day(last)
    start = moments.day(first) if isinstance(first, datetime | str) and len(cells.words(first)) > 8 else None
    return (found - (start if isinstance(start, date) else day)).days if isinstance(found, date) else 0


def _length(reading: Reading[HoursRow]) -> int | None:
    heading = plain_heading(reading.header.heading("length"))
    return reading.take(
        "length", lambda cell: moments.minutes_long(cell, in_minutes="分" in heading or "minute" in heading)
    )


def _collides(reading: Reading[HoursRow], row: HoursRow, earlier: list[HoursRow]) -> bool:
    """Refuse a service that overlaps an accepted one of the same person; point out another one on the same day."""
    for other in earlier:
        if row.started_at < other.ended_at and other.started_at < row.ended_at:
            reading.refuse("in" if "in" in reading.header.columns else "span", _beside("overlap", reading, other))
            return True
    for other in earlier:
        if row.started_at.date() == other.started_at.date():
            reading.warn("date" if "date" in reading.header.columns else "name", _beside("same_day", reading, other))
            break
    return False


def _beside(code: str, reading: Reading[HoursRow], other: HoursRow) -> Problem:
    span = f"{other.started_at:%H:%M}–{other.ended_at:%H:%M}"
    return problem(code, row=reading.row_words(other.sheet, other.row), earlier=span)
