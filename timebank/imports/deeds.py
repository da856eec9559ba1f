"""The moral bank's book: what building and unit heads did for their neighbours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from timebank import names
from timebank.imports import cells, columns, moments, places
from timebank.imports.candidates import Candidate, Candidates, Hint, Mentions, by_name
from timebank.imports.cells import Cell, Role
from timebank.imports.lines import lines
from timebank.imports.parsed import Parsed, Reading
from timebank.imports.problems import Problem, problem
from timebank.imports.vocabulary import DEEDS
from timebank.imports.workbook import Workbook

REQUIRED = ("date", "name", "item")
POINTS_MAX = 10_000

Worth = int | Callable[[date], int]
"""The points of an item in the catalogue, or what they were on a day."""


@dataclass(frozen=True, slots=True)
class DeedRow:
    """One deed of one person. `points` differ from `catalogue_points` only where the note gives a reason.

    `witness_person` is None when the witness's name means nobody, or several people, of those looked up.
    """

    sheet: str
    row: int
    happened_on: date
    person: Candidate | None
    name: str
    roles: frozenset[Role]
    building: str | None
    unit: str | None
    item: str
    points: int
    catalogue_points: int | None
    witness: str | None
    witness_person: Candidate | None
    note: str | None


def parse(
    book: Workbook, people: Candidates | None, catalogue: Mapping[str, Worth] | None, *, today: date
) -> Parsed[DeedRow]:
    """Read a book of deeds; `catalogue` says the points of each item. Raises an ImportRefused when it holds none."""
    parsed: Parsed[DeedRow] = Parsed()
    # An item may be spelt with other spaces or marks than in the catalogue and is still the same.
    known = None if catalogue is None else {_plain(item): (item, points) for item, points in catalogue.items()}
    seen: dict[tuple[object, ...], tuple[str, int]] = {}
    for header in columns.headers(book, DEEDS, REQUIRED):
        for line in lines(header):
            reading = Reading(parsed, header, line)
            row = _row(reading, people, known, today)
            if row is not None and not _repeats(reading, row, seen):
                parsed.rows.append(row)
    return parsed


def mentions(book: Workbook) -> Mentions:
    """Every readable name of the book, witnesses included, to look up before `parse`."""
    names: set[str] = set()
    for header in columns.headers(book, DEEDS, REQUIRED):
        for line in lines(header):
            found = (cells.name(line.values.get(meaning)) for meaning in ("name", "witness"))
            names |= {name for name in found if isinstance(name, str)}
    return Mentions(frozenset(names), frozenset())


def _plain(item: str) -> str:
    return "".join(char for char in item if char.isalnum())


def _row(
    reading: Reading[DeedRow], people: Candidates | None, known: Mapping[str, tuple[str, Worth]] | None, today: date
) -> DeedRow | None:
    happened_on = reading.need("date", moments.day)
    if happened_on is not None and happened_on > today:
        reading.refuse("date", problem("date_future"))
    name = reading.need("name", cells.name)
    roles = cells.roles(reading.take("post", cells.text))
    building, unit = _place(reading)
    note = reading.take("note", cells.note)
    item, points, expected = _points(reading, known, happened_on or today, note)
    witness = reading.take("witness", cells.name)
    if name is not None and witness is not None and names.key(witness) == names.key(name):
        reading.refuse("witness", problem("own_witness"))
    hint = Hint(building, unit, roles)
    person = by_name(reading, people, name, hint) if people is not None and name else None
    witness_person = _witness(reading, people, person, witness)
    if reading.refused or happened_on is None or name is None or item is None or points is None:
        return None
    return DeedRow(
        reading.sheet, reading.number, happened_on, person, name, roles, building, unit,
        item, points, expected, witness, witness_person, note,
    )  # fmt: skip


def _place(reading: Reading[DeedRow]) -> tuple[str | None, str | None]:
    address = reading.take("place", places.address)
    unit = reading.take("unit", places.unit)
    if address is None:
        return reading.take("place", places.building), unit
    return address.building, address.unit or unit


def _points(
    reading: Reading[DeedRow], known: Mapping[str, tuple[str, Worth]] | None, day: date, note: str | None
) -> tuple[str | None, int | None, int | None]:
    """The item by its name in the catalogue, its points in the sheet, and its points in the catalogue."""
    item = reading.need("item", _item)
    points = reading.take("points", _positive)
    if item is None or known is None:
        if points is None and not reading.refused:
            reading.refuse("points" if "points" in reading.header.columns else "item", problem("number_unclear"))
        return item, points, None
    if _plain(item) not in known:
        reading.refuse("item", problem("unknown_item"))
        return item, points, None
    item, worth = known[_plain(item)]
    expected = worth if isinstance(worth, int) else worth(day)
    if points is not None and points != expected:
        if note is None:
            reading.refuse("points", problem("points_differ", expected=expected))
        else:
            reading.warn("points", problem("points_differ_reason", expected=expected))
    return item, expected if points is None else points, expected


def _item(cell: Cell) -> str | Problem | None:
    return cells.text(cell, 100)


def _positive(cell: Cell) -> int | Problem | None:
    return cells.whole(cell, 1, POINTS_MAX)


def _witness(
    reading: Reading[DeedRow], people: Candidates | None, person: Candidate | None, witness: str | None
) -> Candidate | None:
    found = people.named(witness) if people is not None and witness else []
    if len(found) != 1:
        return None
    one = found[0]
    if person and one.key != person.key and one.household and one.household == person.household:
        reading.refuse("witness", problem("household_witness"))
    return one


def _repeats(reading: Reading[DeedRow], row: DeedRow, seen: dict[tuple[object, ...], tuple[str, int]]) -> bool:
    """Whether an earlier row says the same in every cell: a row copied twice, not a second deed of that day."""
    who = row.person.key if row.person else (names.key(row.name), row.building, row.unit)
    key = (who, row.happened_on, row.item, row.points, row.witness, row.note)
    if key not in seen:
        seen[key] = (row.sheet, row.row)
        return False
    reading.refuse("name", problem("duplicate", row=reading.row_words(*seen[key])))
    return True
