"""Parse sign-in sheets: who served where, from when to when, or on which day for how long."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from timebank.core import names
from timebank.imports.cells import amounts, cell_values, group, remarks
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.phones import phones
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.cells.signs import is_ditto
from timebank.imports.files.workbook import Workbook
from timebank.imports.kinds.hours.times import services
from timebank.imports.sheets import context, table_survey, unread
from timebank.imports.sheets.candidates import Candidate, Candidates, Mentions, people_of_row
from timebank.imports.sheets.context import TitleDates
from timebank.imports.sheets.known_headings import HOURS
from timebank.imports.sheets.lines import DataRow, data_rows
from timebank.imports.sheets.parsed import Parsed, Reading

REQUIRED = ("name|phone", "in|span|in2|span2|length", "date|in|span|in2|span2")
LONG_SERVICE_MINUTES = 12 * 60
_DAWN = 5
_SAYS_NIGHT = re.compile("凌晨|夜|次日|am|a\\.m", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow:
    """One service of one person, in local time; `person` is None only when no residents were given to match against.

    `part` numbers the services of one row, which may name several people or two times of the day. A `day_only` service
    has a length but no times: it starts at midnight until it is placed in a free time of the person's day.
    """

    sheet: str
    row: int
    part: int
    person: Candidate | None
    name: str | None
    phone: str | None
    activity: str | None
    place: str | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    day_only: bool
    note: str | None

    @property
    def who(self) -> str:
        """The person's identity within the file: the resident's key, else the phone, else the name."""
        return self.person.key if self.person else self.phone or names.key(self.name or "")

    @property
    def where(self) -> tuple[str, int, int]:
        """The service's position in the file."""
        return self.sheet, self.row, self.part


def parse(book: Workbook, people: Candidates | None, *, today: date) -> Parsed[HoursRow]:
    """Read sign-in sheets and match each row to a resident. Raises an ImportRefused when the file holds none."""
    survey = table_survey.survey(book, HOURS, REQUIRED)
    parsed: Parsed[HoursRow] = Parsed()
    earlier: dict[str, list[HoursRow]] = {}
    for header in survey.headers:
        whole = context.context_of(header)
        before: date | None = None
        for line in data_rows(header):
            titled = whole.within(line.titles) if line.titles else whole
            reading = Reading(parsed, header, line)
            before = _carried_day(line, titled, None if line.fresh else before)
            found = _rows(reading, people, before, titled, today)
            # A row is imported whole or not at all, so that whoever corrects it sees all of its people again.
            if not any(_collides(reading, row, earlier.get(row.who, [])) for row in found):
                for row in found:
                    earlier.setdefault(row.who, []).append(row)
                parsed.rows += found
    unread.report_unread(parsed, book, survey)
    return parsed


def mentions(book: Workbook) -> Mentions:
    """Every readable name and phone in the sheets, to look up before `parse`."""
    names: set[str] = set()
    found: set[str] = set()
    for header in table_survey.headers(book, HOURS, REQUIRED):
        for line in data_rows(header):
            names |= group.mentioned(line.values.get("name"))
            found |= set(phones(line.values.get("phone")))
    return Mentions(frozenset(names), frozenset(found))


def _carried_day(line: DataRow, titled: TitleDates, before: date | None) -> date | None:
    """The day of this row; if its cell is blank or says 同上, that of the row above, else of the whole sheet."""
    cell = line.values.get("date")
    found = context.parse_day(cell, titled)
    if isinstance(found, date):
        return found
    return (before or titled.day) if found is None or is_ditto(cell) else None


def _rows(
    reading: Reading[HoursRow], people: Candidates | None, carried: date | None, titled: TitleDates, today: date
) -> list[HoursRow]:
    """The services of one row: one for each person and time; none if the row is refused."""
    who = people_of_row(reading, people)
    activity = reading.take("activity", _label)  # the activity decides by which rule the hours count
    place = reading.beside("place", _label)
    note = reading.beside("note", cell_values.note)
    _judge_remarks(reading, note)
    reading.refuse_several_times()
    people_said = reading.beside("people", lambda cell: amounts.parse_stock(cell, "人"))
    if who and people_said is not None and people_said != len(who):
        reading.refuse("people", problem("group_count", count=people_said, named=len(who)))
    times = services(reading, carried, titled, today)
    reading.split(max(1, len(who)) * max(1, len(times)))
    if reading.refused:
        return []
    for time in times:
        if time.minutes > LONG_SERVICE_MINUTES:
            reading.warn(time.column, problem("long_service"))
        if time.day_only:
            reading.warn(time.column, problem("day_only"))
        elif time.started_at.hour < _DAWN and not _SAYS_NIGHT.search(_written_times(reading)):
            reading.warn(time.column, problem("small_hours"))
    return [
        HoursRow(
            sheet=reading.sheet, row=reading.number, part=part, person=one.person, name=one.name, phone=one.phone,
            activity=activity, place=place,
            started_at=time.started_at, ended_at=time.ended_at, minutes=time.minutes, day_only=time.day_only, note=note,
        )
        for part, (one, time) in enumerate((one, time) for one in who for time in times)
    ]  # fmt: skip


def _judge_remarks(reading: Reading[HoursRow], note: str | None) -> None:
    """Refuse a row whose remark or state says it was cancelled or gives another length; warn of an odd remark."""
    if remarks.turned_down(reading.take("state", cell_values.text)):
        reading.refuse("state", problem("remark_cancelled"))
    elif remarks.cancelled(note):
        reading.refuse("note", problem("remark_cancelled"))
    elif remarks.corrects(note):
        reading.refuse("note", problem("remark_corrects"))
    elif odd := remarks.odd_of_service(note):
        reading.warn("note", problem(odd))


def _written_times(reading: Reading[HoursRow]) -> str:
    return " ".join(
        cell_values.plain_text(reading.cell(column)) for column in ("in", "out", "span", "in2", "out2", "span2")
    )


def _label(cell: Cell) -> str | Problem | None:
    return cell_values.text(cell, 100)


def _collides(reading: Reading[HoursRow], row: HoursRow, earlier: list[HoursRow]) -> bool:
    """Refuse a service that overlaps or repeats an accepted one of the person; warn of another one on the same day.

    Returns whether it was refused.
    """
    for other in earlier:
        if row.day_only or other.day_only:
            if (row.day_only, row.started_at, row.minutes, row.activity) == (
                other.day_only, other.started_at, other.minutes, other.activity,
            ):  # fmt: skip
                reading.refuse("name|phone", problem("duplicate", row=reading.row_words(other.sheet, other.row)))
                return True
        elif row.started_at < other.ended_at and other.started_at < row.ended_at:
            reading.refuse("in|span|in2|span2", _beside("overlap", reading, other))
            return True
    for other in earlier:
        if row.started_at.date() == other.started_at.date():
            reading.warn("date" if "date" in reading.header.columns else "name", _beside("same_day", reading, other))
            break
    return False


def _beside(code: str, reading: Reading[HoursRow], other: HoursRow) -> Problem:
    span = f"{other.started_at:%H:%M}–{other.ended_at:%H:%M}"
    return problem(
        code, row=reading.row_words(other.sheet, other.row),
        earlier=f"{other.minutes // 60}:{other.minutes % 60:02}" if other.day_only else span,
    )  # fmt: skip
