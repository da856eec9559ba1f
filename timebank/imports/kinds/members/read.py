"""Reads a list of who has reported in: one row for each person, with their unit and the day."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from timebank.core import names
from timebank.imports.cells import cell_values, remarks
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.identity import Sex
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.kinds.members.headings import MEMBERS, REQUIRED
from timebank.imports.kinds.members.units_named import Units
from timebank.imports.kinds.roster.bearer import born_on_of, read_document_cell, read_phone, sex_of
from timebank.imports.kinds.roster.read import one_name
from timebank.imports.sheets import context, table_survey, unread
from timebank.imports.sheets.context import TitleDates
from timebank.imports.sheets.parsed import Parsed, Reading

UNIT_NAME_MAX, WORDS_MAX = 60, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A person who has reported in from a unit. `since` is None where the list gives no day."""

    sheet: str
    row: int
    unit_id: UUID
    name: str
    sex: Sex | None
    identity: str | None
    born_on: date | None
    phone: str | None
    since: date | None
    skill: str | None
    team: str | None

    @property
    def is_identifiable(self) -> bool:
        """Whether the row has what it takes to register somebody who is not known here."""
        return bool(self.identity or self.born_on or self.phone)


def parse(book: Workbook, units: Units, *, today: date) -> Parsed[MemberRow]:
    """Read a list of members. Raises an ImportRefused if the file holds none."""
    survey = table_survey.survey(book, MEMBERS, REQUIRED)
    parsed: Parsed[MemberRow] = Parsed()
    seen: dict[tuple[object, ...], tuple[str, int]] = {}
    for reading, titled in table_survey.titled_rows(parsed, survey):
        row = _row(reading, _unit(reading, units), titled, today)
        if row is not None and not _repeats(reading, row, seen):
            parsed.rows.append(row)
    unread.report_unread(parsed, book, survey)
    undated = sum(row.since is None for row in parsed.rows)
    if undated:
        parsed.notes.append(problem("note_reported_today", count=undated))
    return parsed


def _unit(reading: Reading[MemberRow], units: Units) -> UUID | None:
    """The unit of a row, from its cell or the titles above; refuses the row where none, or an unknown one, is named."""
    written = reading.take("from_unit", lambda cell: cell_values.text(cell, UNIT_NAME_MAX))
    if written is not None:
        found = units.of(written)
        if isinstance(found, UUID):
            return found
        reading.refuse("from_unit", found)
        return None
    if not cell_values.blank(reading.cell("from_unit")):
        return None  # refused above
    titled = units.titled(reading.header, reading.line.titles)
    if titled is None:
        reading.refuse("from_unit|name", problem("unit_not_written"))
    return titled


def _row(
    reading: Reading[MemberRow], unit_id: UUID | None, titled: TitleDates, today: date
) -> MemberRow | None:  # fmt: skip
    name = reading.need("name", one_name)
    identity = read_document_cell(reading)
    born_on = born_on_of(reading, identity, today)
    sex = sex_of(reading, identity)
    phone = read_phone(reading, is_known=identity is not None or born_on is not None)
    since = reading.take("date", lambda cell: context.parse_day(cell, titled))
    if since is not None and since > today:
        reading.refuse("date", problem("date_future"))
    note = reading.beside("note", cell_values.note)
    if remarks.cancelled(note):
        reading.refuse("note", problem("remark_cancelled"))
    skill, team = reading.beside("skill", _words), reading.beside("team", _words)
    if reading.refused or name is None or unit_id is None:
        return None
    return MemberRow(
        sheet=reading.sheet, row=reading.number, unit_id=unit_id, name=name, sex=sex,
        identity=identity.number if identity else None, born_on=born_on, phone=phone, since=since, skill=skill,
        team=team,
    )  # fmt: skip


def _words(cell: Cell) -> str | Problem | None:
    return cell_values.text(cell, WORDS_MAX)


def _repeats(
    reading: Reading[MemberRow], row: MemberRow, seen: dict[tuple[object, ...], tuple[str, int]]
) -> bool:  # fmt: skip
    """Whether an accepted row above is the same person, also from another unit; refuses the row if so."""
    key = (row.identity,) if row.identity else (names.key(row.name), row.born_on, row.phone)
    earlier = seen.setdefault(key, (row.sheet, row.row))
    if earlier == (row.sheet, row.row):
        return False
    reading.refuse("identity" if row.identity else "name", problem("duplicate", row=reading.row_words(*earlier)))
    return True
