"""A community's roster: one row per resident, with the household they belong to."""

from dataclasses import dataclass
from datetime import date

from timebank import names
from timebank.imports import cells, columns, moments, places
from timebank.imports.cells import Role
from timebank.imports.identity import Identity, Sex
from timebank.imports.lines import Line, lines
from timebank.imports.parsed import Parsed, Reading
from timebank.imports.problems import Problem, problem
from timebank.imports.vocabulary import ROSTER
from timebank.imports.workbook import Workbook

REQUIRED = ("name",)
_AGE_YEARS_MAX = 130
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


@dataclass(slots=True)
class _Above:
    """What the rows above said, for cells left blank because nothing changed."""

    household: Household = Household(None, None, None, None, None)


def parse(book: Workbook, *, today: date) -> Parsed[RosterRow]:
    """Read a roster; `today` bounds birth dates. Raises an ImportRefused when the file holds no roster at all."""
    parsed: Parsed[RosterRow] = Parsed()
    seen: dict[tuple[object, ...], tuple[str, int]] = {}
    for header in columns.headers(book, ROSTER, REQUIRED):
        above = _Above()
        for line in lines(header):
            reading = Reading(parsed, header, line)
            row = _row(reading, above, today)
            if row is not None and not _repeats(reading, row, seen):
                parsed.rows.append(row)
    return parsed


def _row(reading: Reading[RosterRow], above: _Above, today: date) -> RosterRow | None:
    name = reading.need("name", cells.name)
    if name and any(map(cells.private, name)):
        reading.warn("name", problem("name_private_character"))
    relation = reading.take("relation", cells.text)
    is_head = (relation or "").lower() in HEAD_WORDS
    household = _household(reading, above, name, is_head=is_head)
    identity = reading.take("identity", cells.identity)
    born_on = _born_on(reading, identity, today)
    sex = _sex(reading, identity)
    phone = _phone(reading)
    note = reading.take("note", cells.note)
    post = reading.take("post", cells.text)
    if reading.refused or name is None:
        return None
    if identity is None and born_on is None and phone is None:
        reading.refuse("identity" if "identity" in reading.header.columns else "name", problem("not_identifiable"))
        return None
    number = identity.number if identity else None
    roles = cells.roles(note) | cells.roles(post)
    return RosterRow(
        reading.sheet, reading.number, household, name, relation,
        is_head or names.key(name) == names.key(household.head or ""), sex, number, born_on, phone, note, roles,
    )  # fmt: skip


def _household(reading: Reading[RosterRow], above: _Above, name: str | None, *, is_head: bool) -> Household:
    """The household of a row, blank cells carried on from above until a wider part of the place changes."""
    line = reading.line
    before = Household(None, None, None, None, None) if line.fresh else above.household
    address = reading.take("address", places.address)
    grid = reading.take("grid", places.grid) or before.grid
    same = grid == before.grid
    building = _part(reading.take("building", places.building), address.building if address else None)
    building = building or (before.building if same and _carries(line, "building", address) else None)
    same = same and building == before.building
    unit = _part(reading.take("unit", places.unit), address.unit if address else None)
    unit = unit or (before.unit if same and _carries(line, "unit", address) else None)
    same = same and unit == before.unit
    room = _part(reading.take("room", places.room), address.room if address else None)
    # A new head of household with no room written is not known to live in the room above.
    room = room or (before.room if same and not is_head and _carries(line, "room", address) else None)
    same = same and room == before.room
    head = reading.take("head", cells.name)
    head = head or (name if is_head else before.head if same else None)
    above.household = Household(grid, building, unit, room, head)
    return above.household


def _part(own: str | None, from_address: str | None) -> str | None:
    return own or from_address


def _carries(line: Line, meaning: str, address: places.Address | None) -> bool:
    """Whether a blank here means “as above”: nothing written in the cell, and no address that speaks for itself."""
    return meaning not in line.written and address is None


def _born_on(reading: Reading[RosterRow], identity: Identity | None, today: date) -> date | None:
    written = moments.day(reading.cell("born_on"))
    if identity is None:
        born_on = reading.take("born_on", moments.day)
    else:
        born_on = identity.born_on
        # The number has a check digit and the date has not: the number is believed.
        if isinstance(written, Problem) or (written is not None and written != born_on):
            reading.warn("born_on", problem("birth_differs", date=born_on.isoformat()))
    if born_on is not None and not (born_on <= today and today.year - born_on.year <= _AGE_YEARS_MAX):
        reading.refuse("born_on" if written else "identity", problem("birth_impossible"))
        return None
    return born_on


def _sex(reading: Reading[RosterRow], identity: Identity | None) -> Sex | None:
    if identity is None:
        return reading.take("sex", cells.sex)
    written = cells.sex(reading.cell("sex"))
    if written not in (None, identity.sex):
        reading.warn("sex", problem("sex_differs"))
    return identity.sex


def _phone(reading: Reading[RosterRow]) -> str | None:
    phone = cells.phone(reading.cell("phone"))
    if isinstance(phone, Problem) and phone.code == "phone_landline":
        reading.warn("phone", phone)
        return None
    phone = reading.take("phone", cells.phone)
    if phone is not None and cells.several_phones(reading.cell("phone")):
        reading.warn("phone", problem("phone_several", phone=f"{phone[:3]}****{phone[-4:]}"))
    return phone


def _repeats(reading: Reading[RosterRow], row: RosterRow, seen: dict[tuple[object, ...], tuple[str, int]]) -> bool:
    """Whether an earlier good row is the same resident: by identity number, else by name, birth and phone."""
    key = (
        (row.identity,)
        if row.identity
        else (names.key(row.name), row.born_on, row.phone, row.household if not row.phone else None)
    )
    if key not in seen:
        seen[key] = (row.sheet, row.row)
        return False
    earlier = reading.row_words(*seen[key])
    reading.refuse("identity" if row.identity else "name", problem("duplicate", row=earlier))
    return True
