"""A community's roster: one row per resident, with the household they belong to."""

import re
from dataclasses import dataclass
from datetime import date

from timebank.imports import cells, columns, group, moments, places, remarks
from timebank.imports.addresses import NOWHERE
from timebank.imports.cells import Cell, Role
from timebank.imports.columns import Header
from timebank.imports.context import above_header
from timebank.imports.homes import home_of
from timebank.imports.identity import Document, Identity, Sex
from timebank.imports.lines import Line, lines
from timebank.imports.parsed import Parsed, Reading
from timebank.imports.phones import PhoneFound, find_phone
from timebank.imports.problems import Problem, problem
from timebank.imports.vocabulary import ROSTER
from timebank.imports.workbook import Workbook
from timebank.people.documents import kind_called

REQUIRED = ("name",)
_AGE_YEARS_MAX = 130
_YEAR_MONTH = re.compile(r"年月(?!日)")
_CITIZENS = re.compile(r"(居民|中国)?身份证|二代证|户口[本簿]|出生(医学)?证明?|(港澳台|港澳|台湾)?居民居住证|居住证")
_PEOPLE = re.compile(r"居民|住户|户主|成员|人员|姓名|[楼栋幢]长|单元长|网格[员长]")
# "楼栋长名册", not "楼栋长张三包保居民花名册".
_LIST = re.compile(
    r"(?:.*[社区县镇街道村]|\d{4}年度?)*(楼栋长|楼长|栋长|单元长)(基本|信息|人员|联系|情况)*(花名册|名册|名单|一览表|信息表|通讯录|表)?"
)
WORD_MAX = 20
HEAD_WORDS = frozenset({"户主", "本人", "head", "self", "householder"})


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives behind one door: the same place and the same head are one household.

    Equal only by chance, and no household at all, when neither room nor head is known: see `is_known`.
    """

    grid: str | None
    building: str | None
    unit: str | None
    room: str | None
    head: str | None

    @property
    def is_known(self) -> bool:
        """Whether rows with this value live together, and not just somewhere in the same building."""
        return self.room is not None or self.head is not None


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A resident as the roster knows them. Never without a name and one of identity, born_on and phone."""

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
    """Those of the roles that a column of offices names, or the sheet itself, as a list of heads does."""


@dataclass(slots=True)
class _Above:
    """What the rows above said, for cells left blank because nothing changed."""

    household: Household = Household(None, None, None, None, None)


def parse(book: Workbook, *, today: date) -> Parsed[RosterRow]:
    """Read a roster; `today` bounds birth dates. Raises an ImportRefused when the file holds no roster at all."""
    parsed: Parsed[RosterRow] = Parsed()
    seen: dict[tuple[object, ...], RosterRow] = {}
    for header in columns.headers(book, ROSTER, REQUIRED):
        above, offices = _Above(), _offices_of(header)
        for line in lines(header):
            reading = Reading(parsed, header, line)
            row = _row(reading, above, offices, today)
            if row is not None and not _repeats(reading, row, seen):
                parsed.rows.append(row)
    moved_in = sum(remarks.moved_in(row.note) for row in parsed.rows)
    if moved_in:
        parsed.notes.append(problem("note_moved_in", count=moved_in))
    return parsed


def _offices_of(header: Header) -> frozenset[Role]:
    """The office that everybody on a sheet holds, by the heading of the names or by the sheet's title."""
    labels = [cells.words(cell) for label in header.labels for cell in label]
    # Beside a column of other people, that of the heads says who looks after a row, not who it is about.
    people = [label for label in labels if _PEOPLE.search(label) and label != header.heading("name")]
    by_heading = frozenset() if people else cells.roles(header.heading("name"))
    titles = [header.sheet.name, *(cells.words(cell) for row in above_header(header) for cell in row.cells)]
    by_title = frozenset().union(*(cells.roles(title) for title in titles if _LIST.fullmatch(title)))
    # Rows that say whose relation somebody is are residents, whatever the title says of who listed them.
    found = by_heading or (frozenset() if {"relation", "head"} & header.columns.keys() else by_title)
    # A list of heads of buildings and units says in a column of its own who is which.
    return found if len(found) == 1 else frozenset()


def _row(reading: Reading[RosterRow], above: _Above, offices: frozenset[Role], today: date) -> RosterRow | None:
    name = reading.need("name", _one_name)
    if name and any(map(cells.private, name)):
        reading.warn("name", problem("name_private_character"))
    relation = reading.beside("relation", _word)
    is_head = (relation or "").lower() in HEAD_WORDS
    household = _household(reading, above, name, is_head=is_head)
    identity = _certificate(reading)
    born_on = _born_on(reading, identity, today)
    sex = _sex(reading, identity)
    phone = _phone(reading, is_known=identity is not None or born_on is not None)
    note = reading.beside("note", cells.note)
    post = reading.beside("post", cells.text)
    _judge_remark(reading, "note", note)
    _judge_remark(reading, "state", reading.beside("state", cells.text))
    if reading.refused or name is None:
        return None
    if identity is None and born_on is None and phone is None:
        reading.refuse("identity" if "identity" in reading.header.columns else "name", problem("not_identifiable"))
        return None
    number = identity.number if identity else None
    # What the row itself says of an office counts before the title of its sheet.
    named = cells.roles(post) if post else offices
    return RosterRow(
        reading.sheet, reading.number, household, name, relation, is_head or name == household.head,
        sex, number, born_on, phone, note, named | cells.roles(note), named,
    )  # fmt: skip


def _one_name(cell: Cell) -> str | Problem | None:
    found = group.names(cell)
    if not isinstance(found, list):
        return found
    return problem("name_several", count=len(found)) if len(found) > 1 else found[0]


def _certificate(reading: Reading[RosterRow]) -> Identity | Document | None:
    """The identity number, or another certificate with its kind."""
    kind = reading.take("document", _kind)
    return reading.take("identity", lambda cell: cells.identity(cell, kind or None))


def _kind(cell: Cell) -> str | Problem | None:
    """The kind of certificate, empty for one with a citizen's number."""
    said = cells.words(cell)
    if cells.blank(cell) or _CITIZENS.fullmatch(said):
        return None
    return kind_called(said) or problem("document_kind")


def _word(cell: Cell) -> str | Problem | None:
    return cells.text(cell, WORD_MAX)


def _judge_remark(reading: Reading[RosterRow], column: str, note: str | None) -> None:
    """Keep out who has moved away or died; where the remark may mean somebody else, let a person look."""
    found = remarks.fate(note)
    if found in ("gone", "died"):
        reading.refuse(column, problem(f"remark_{found}"))
    elif found == "unclear":
        reading.warn(column, problem("remark_unclear"))


def _household(reading: Reading[RosterRow], above: _Above, name: str | None, *, is_head: bool) -> Household:
    """The household of a row, blank cells carried on from above until a wider part of the place changes."""
    line = reading.line
    before = Household(None, None, None, None, None) if line.fresh else above.household
    grid = reading.take("grid", places.grid) or before.grid
    same = grid == before.grid
    home = home_of(reading, before.building if same else None) or NOWHERE
    # Who writes the building into the cell of the room, or an address, means no part of the place above.
    alone = home.building is not None and "building" not in line.written
    building = home.building or (before.building if same and _carries(line, "building") else None)
    same = same and building == before.building
    unit = home.unit or (before.unit if same and not alone and _carries(line, "unit") else None)
    same = same and unit == before.unit
    # A new head of household with no room written is not known to live in the room above.
    room = home.room or (before.room if same and not is_head and not alone and _carries(line, "room") else None)
    same = same and room == before.room
    head = reading.take("head", cells.name)
    head = head or (name if is_head else before.head if same else None)
    above.household = Household(grid, building, unit, room, head)
    return above.household


def _carries(line: Line, meaning: str) -> bool:
    """Whether a blank here means “as above”: nothing is written in the cell, nor in that of the address."""
    return meaning not in line.written and "address" not in line.written


def _born_on(reading: Reading[RosterRow], identity: Identity | Document | None, today: date) -> date | None:
    born_on = identity.born_on if isinstance(identity, Identity) else reading.take("born_on", _birth)
    if isinstance(identity, Document) and born_on is None:
        reading.refuse("born_on|identity", problem("document_birth"))
    if isinstance(identity, Identity):
        _compare_birth(reading, identity.born_on)
    if born_on is not None and not (born_on <= today and today.year - born_on.year <= _AGE_YEARS_MAX):
        reading.refuse("identity" if isinstance(identity, Identity) else "born_on", problem("birth_impossible"))
        return None
    return born_on


def _birth(cell: Cell) -> date | Problem | None:
    found = moments.day(cell)
    # A day is not made up: it decides who needs a guardian, and tells namesakes apart.
    return problem("birth_day_missing") if isinstance(found, Problem) and moments.year_months(cell) else found


def _compare_birth(reading: Reading[RosterRow], born_on: date) -> None:
    """Point out another birth than the number's. It has a check digit and the date has not: the number is believed."""
    months = moments.year_months(reading.cell("born_on"))
    if months is not None:
        differs = not months.holds(born_on)
    else:
        written = reading.beside("born_on", moments.day)
        # Where only year and month are asked for, a spreadsheet keeps the first of the month.
        first = written is not None and written.day == 1 and _YEAR_MONTH.search(reading.header.heading("born_on"))
        agrees = first and written and (written.year, written.month) == (born_on.year, born_on.month)
        differs = written is not None and written != born_on and not agrees
    if differs:
        reading.warn("born_on", problem("birth_differs", date=born_on.isoformat()))


def _sex(reading: Reading[RosterRow], identity: Identity | Document | None) -> Sex | None:
    written = reading.beside("sex", cells.sex)
    if not isinstance(identity, Identity):
        return written
    if written not in (None, identity.sex):
        reading.warn("sex", problem("sex_differs"))
    return identity.sex


def _phone(reading: Reading[RosterRow], *, is_known: bool) -> str | None:
    """The phone; one that cannot be read refuses only a row that nothing else identifies."""
    found = reading.read("phone", find_phone)
    if isinstance(found, PhoneFound):
        if found.odd:
            reading.warn("phone", found.odd)
        return found.number
    if isinstance(found, Problem):
        if is_known or found.code == "phone_landline":
            reading.leave_out("phone", found)
        else:
            reading.refuse("phone", found)
    return None


def _repeats(reading: Reading[RosterRow], row: RosterRow, seen: dict[tuple[object, ...], RosterRow]) -> bool:
    """Whether an earlier good row is the same resident: by identity number, else by name, birth and phone.

    Who stands in the roster and on another sheet's list of heads is one resident with an office.
    """
    key = (
        (row.identity,)
        if row.identity
        else (row.name, row.born_on, row.phone, row.household if not row.phone else None)
    )
    earlier = seen.setdefault(key, row)
    if earlier is row or (earlier.sheet != row.sheet and (earlier.roles or row.roles)):
        return False
    said = reading.row_words(earlier.sheet, earlier.row)
    reading.refuse("identity" if row.identity else "name", problem("duplicate", row=said))
    return True
