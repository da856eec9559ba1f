"""Reads a community's roster: one row for each resident, with their household."""

import re
from dataclasses import dataclass, field
from datetime import date

from timebank.core import names
from timebank.imports.cells import callings, cell_values, group, places, remarks
from timebank.imports.cells.addresses import NOWHERE
from timebank.imports.cells.cell_values import Cell, Role
from timebank.imports.cells.identity import Sex
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.kinds.roster.bearer import born_on_of, read_document_cell, read_phone, sex_of
from timebank.imports.kinds.roster.lists_of_heads import roles_of
from timebank.imports.sheets import captions, table_survey, unread
from timebank.imports.sheets.homes import home_of
from timebank.imports.sheets.known_headings import ROSTER
from timebank.imports.sheets.lines import DataRow, data_rows
from timebank.imports.sheets.parsed import Parsed, Reading

REQUIRED = ("name",)
WORD_MAX = 20
_LONG = 4
_YES = re.compile("本人|户主|自己|是|√|✓|1")
_NO = frozenset({"否", "不是", "×", "0"})
HEAD_WORDS = frozenset({"户主", "本人", "head", "self", "householder"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A household, identified by its place and its head.

    Without a room and a head, equal values do not mean one household: see `is_known`.
    """

    grid: str | None
    building: str | None
    unit: str | None
    room: str | None
    head: str | None
    estate: str | None = field(default=None, compare=False)
    """What stands before the building: `estates` beside this says when it tells one building from another."""

    @property
    def is_known(self) -> bool:
        """Whether equal values mean one household, and not just the same building."""
        return self.room is not None or self.head is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """A resident in the roster; always has a name, and at least one of identity, born_on and phone."""

    sheet: str
    row: int
    household: Household
    name: str
    relation: str | None
    is_head: bool
    sex: Sex | None
    identity: str | None
    born_on: date | None
    phone: str | None
    note: str | None
    roles: frozenset[Role]
    named: frozenset[Role]
    """The roles among `roles` that the post column names, or the sheet as a list of heads, but no remark alone."""


@dataclass(slots=True)
class _Above:
    """The household of the row above, for cells left blank because nothing changed."""

    household: Household = Household(grid=None, building=None, unit=None, room=None, head=None)


def parse(book: Workbook, *, today: date) -> Parsed[RosterRow]:
    """Read a roster; birth dates after `today` are refused. Raises an ImportRefused if no table is a roster."""
    survey = table_survey.survey(book, ROSTER, REQUIRED)
    parsed: Parsed[RosterRow] = Parsed()
    seen: dict[tuple[object, ...], RosterRow] = {}
    for header in survey.headers:
        above, offices = _Above(), roles_of(header)
        for line in data_rows(header):
            reading = Reading(parsed, header, line)
            row = _row(reading, above, offices, today)
            if row is not None and not _repeats(reading, row, seen):
                parsed.rows.append(row)
    unread.report_unread(parsed, book, survey)
    moved_in = sum(remarks.moved_in(row.note) for row in parsed.rows)
    if moved_in:
        parsed.notes.append(problem("note_moved_in", count=moved_in))
    return parsed


def _row(reading: Reading[RosterRow], above: _Above, offices: frozenset[Role], today: date) -> RosterRow | None:
    name = reading.need("name", one_name)
    if name and any(map(cell_values.is_private_use, name)):
        reading.warn("name", problem("name_private_character"))
    relation = reading.beside("relation", _word)
    is_head = (relation or "").lower() in HEAD_WORDS
    is_head = is_head or _YES.fullmatch(cell_values.plain_text(reading.cell("head"))) is not None
    household = _household(reading, above, name, is_head=is_head)
    identity = read_document_cell(reading)
    born_on = born_on_of(reading, identity, today)
    sex = sex_of(reading, identity)
    phone = read_phone(reading, is_known=identity is not None or born_on is not None)
    note = reading.beside("note", cell_values.note)
    post = reading.beside("post", cell_values.text)
    _judge_remark(reading, "note", note)
    for column, fate in (("left_on", "gone"), ("died_on", "died")):
        if reading.take(column, cell_values.text):
            reading.refuse(column, problem(f"remark_{fate}"))
    if remarks.cancelled(note):
        reading.refuse("note", problem("remark_cancelled"))
    held = cell_values.roles_held(note)
    if cell_values.roles(note) - held:
        reading.warn("note", problem("remark_role_unclear"))
    _judge_remark(reading, "state", reading.beside("state", cell_values.text))
    if reading.refused or name is None:
        return None
    if identity is None and born_on is None and phone is None:
        reading.refuse("identity" if "identity" in reading.header.columns else "name", problem("not_identifiable"))
        return None
    number = identity.number if identity else None
    # The row's own post column takes precedence over the title of its sheet.
    named = cell_values.roles_held(post) if post else offices
    return RosterRow(
        sheet=reading.sheet, row=reading.number, household=household, name=name, relation=relation,
        is_head=is_head or names.key(name) == names.key(household.head or ""), sex=sex, identity=number,
        born_on=born_on, phone=phone, note=note,
        roles=named | held, named=named,
    )  # fmt: skip


def one_name(cell: Cell) -> str | Problem | None:
    """The name of one person; several in one cell are refused."""
    found = group.names(cell)
    if not isinstance(found, list):
        return found
    if len(found) > 1:
        return problem("name_several", count=len(found))
    # Four and more characters with a space between all of them are as likely two names (陈 静 李 四).
    several = re.fullmatch(r"\S(?: \S){3,}", cell_values.plain_text(cell)) or re.fullmatch(
        rf"{callings.HAN}{{2,4}}[和与及]{callings.HAN}{{2,4}}", found[0]
    )
    return problem("name_several", count=2) if several and len(found[0]) >= _LONG else found[0]


def _word(cell: Cell) -> str | Problem | None:
    return cell_values.text(cell, WORD_MAX)


def _judge_remark(reading: Reading[RosterRow], column: str, note: str | None) -> None:
    """Refuse a resident who has moved away or died; add a warning if the remark may mean another person."""
    found = remarks.fate(note)
    if found in ("gone", "died"):
        reading.refuse(column, problem(f"remark_{found}"))
    elif found == "unclear":
        reading.warn(column, problem("remark_unclear"))


def _household(reading: Reading[RosterRow], above: _Above, name: str | None, *, is_head: bool) -> Household:
    """The household of a row; a blank cell takes the value above until a wider part of the address changes."""
    line = reading.line
    before = _titled(reading) if line.fresh else above.household
    grid = reading.take("grid", places.grid) or before.grid
    same = grid == before.grid
    home = home_of(reading, before.building if same else None) or NOWHERE
    same = same and (home.estate is None or before.estate is None or home.estate == before.estate)
    # A building that is written in the room or address cell does not continue the address above.
    alone = home.building is not None and "building" not in line.written
    building = home.building or (before.building if same and _carries(line, "building") else None)
    same = same and building == before.building
    unit = home.unit or (before.unit if same and not alone and _carries(line, "unit") else None)
    same = same and unit == before.unit
    # A new head of household without a room does not necessarily live in the room above.
    room = home.room or (before.room if same and not is_head and not alone and _carries(line, "room") else None)
    same = same and room == before.room
    # With a room the household is known already, so an unreadable head cell does not refuse the row.
    written = reading.beside("head", _head) if room else reading.take("head", _head)
    head = written or (name if is_head else before.head if same else None)
    estate = home.estate or _estate(reading, above) if home.building or building else home.estate
    above.household = Household(grid=grid, building=building, unit=unit, room=room, head=head, estate=estate)
    return above.household


def _estate(reading: Reading[RosterRow], above: _Above) -> str | None:
    """The estate of a row without one: that of the row above if this row continues its address, or of a caption."""
    line, carried = reading.line, above.household.estate
    if "estate" in reading.header.columns and not line.fresh:
        return carried
    caption = captions.estate_of(reading.header, line.titles)
    return caption or (None if line.written & {"building", "address"} else carried)


def _head(cell: Cell) -> str | Problem | None:
    """The name of a household's head; None if the cell only says whether the row is the head (是, 否, 本人)."""
    said = cell_values.plain_text(cell)
    return None if _YES.fullmatch(said) or said in _NO else cell_values.name(cell)


def _titled(reading: Reading[RosterRow]) -> Household:
    """The part of the address that the captions of a section give: "1栋", "1栋2单元住户表", "第一网格"."""
    grid, home = captions.home_of(reading.header, reading.line.titles)
    return Household(grid=grid, building=home.building, unit=home.unit, room=None, head=None)


def _carries(line: DataRow, meaning: str) -> bool:
    """Whether a cell takes the value above: both it and the address cell are blank."""
    return meaning not in line.written and "address" not in line.written


def _repeats(reading: Reading[RosterRow], row: RosterRow, seen: dict[tuple[object, ...], RosterRow]) -> bool:
    """Whether an accepted row above is the same resident, and refuse the row if so.

    Residents are compared by identity number; without one, by name, birth date and phone; without a phone, also by
    household. A resident of the roster who is also on another sheet's list of heads is not a duplicate.
    """
    key = (
        (row.identity,)
        if row.identity
        else (names.key(row.name), row.born_on, row.phone, row.household if not row.phone else None)
    )
    earlier = seen.setdefault(key, row)
    if earlier is row or (earlier.sheet != row.sheet and (earlier.roles or row.roles)):
        return False
    said = reading.row_words(earlier.sheet, earlier.row)
    reading.refuse("identity" if row.identity else "name", problem("duplicate", row=said))
    return True
