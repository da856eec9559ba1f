"""Parse the moral-bank book: deeds that building and unit heads did for their neighbours."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

from timebank.core import names
from timebank.imports.cells import amounts, cell_values, group, remarks
from timebank.imports.cells.addresses import NOWHERE, Address
from timebank.imports.cells.cell_values import Cell, Role
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.kinds.deeds.catalogue_sheet import catalogues_on
from timebank.imports.sheets import context, table_survey, unread
from timebank.imports.sheets.candidates import (
    Candidate,
    Candidates,
    Hint,
    Mentions,
    NamedPerson,
    by_name,
    people_of_row,
)
from timebank.imports.sheets.context import TitleDates
from timebank.imports.sheets.homes import place_of
from timebank.imports.sheets.known_headings import DEEDS
from timebank.imports.sheets.lines import data_rows
from timebank.imports.sheets.parsed import Parsed, Reading, UnknownUse
from timebank.imports.words.buildings import Buildings
from timebank.imports.words.words import word_key

REQUIRED = ("date", "name", "item")
POINTS_MAX = 10_000
_THEMSELVES = frozenset({"本人", "自己", "自证"})

Worth = int | Callable[[date], int]
"""The points of an item in the catalogue, or a function that returns its points on a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRow:
    """One deed of one person. `points` differ from `catalogue_points` only where the note gives a reason.

    `word` and `said_points` are the item and its points as written in the sheet. `witness_person` is None if no
    resident, or several, have the witness's name.
    """

    sheet: str
    row: int
    part: int
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
    word: str
    said_points: int | None
    estate: str | None = None

    @property
    def place(self) -> Address:
        """The building and unit where the deed was done, as written in the row."""
        return Address(self.building, self.unit)

    @property
    def where(self) -> tuple[str, int, int]:
        """The deed's position in the file; the part numbers the people whom one row names."""
        return self.sheet, self.row, self.part


@dataclass(frozen=True, slots=True)
class Known:
    """The catalogue's items with their points, by the key of each word for them.

    `waiting` holds the keys of items that wait for a second person.
    """

    items: Mapping[str, tuple[str, Worth]]
    waiting: AbstractSet[str]

    @classmethod
    def of(cls, catalogue: Mapping[str, Worth], aliases: Mapping[str, str], waiting: AbstractSet[str]) -> "Known":
        others = {key: (item, catalogue[item]) for key, item in aliases.items()}
        return cls(others | {word_key(item): (item, points) for item, points in catalogue.items()}, waiting)


def parse(
    book: Workbook, people: Candidates | None, catalogue: Mapping[str, Worth] | None, *, today: date,
    aliases: Mapping[str, str] | None = None, waiting: AbstractSet[str] = frozenset(), town: Buildings | None = None,
) -> Parsed[DeedRow]:  # fmt: skip
    """Parse a moral-bank book. Raises an ImportRefused when it holds no table of deeds.

    `catalogue` gives the points of each item. `aliases` maps the key of another word to the item that it means.
    `waiting` holds the keys of items that wait for a second person. Buildings are looked up in `town`.
    """
    survey = table_survey.survey(book, DEEDS, REQUIRED)
    parsed: Parsed[DeedRow] = Parsed()
    # Items are matched by word key, so other spaces or punctuation than in the catalogue make no difference.
    known = None if catalogue is None else Known.of(catalogue, aliases or {}, waiting)
    seen: dict[tuple[object, ...], tuple[str, int]] = {}
    for reading, titled in table_survey.titled_rows(parsed, survey):
        found = _rows(reading, people, known, town, titled, today)
        if not any(_repeats(reading, row, seen) for row in found):
            parsed.rows += found
    listed = catalogues_on(survey.unread)
    for sheet, items in listed.items():
        parsed.notes.append(problem("note_catalogue_sheet", sheet=sheet, count=len(items)))
        parsed.listed |= items
    rest = tuple(sheet for sheet in survey.unread if sheet.name not in listed)
    unread.report_unread(parsed, book, replace(survey, unread=rest))
    return parsed


def mentions(book: Workbook) -> Mentions:
    """Every readable name in the workbook, witnesses included, to look up before `parse`."""
    names: set[str] = set()
    for header in table_survey.headers(book, DEEDS, REQUIRED):
        for line in data_rows(header):
            for meaning in ("name", "witness"):
                names |= group.mentioned(line.values.get(meaning))
    return Mentions(frozenset(names), frozenset())


def _rows(
    reading: Reading[DeedRow], people: Candidates | None, known: Known | None, town: Buildings | None,
    titled: TitleDates, today: date,
) -> list[DeedRow]:  # fmt: skip
    """The deeds of one row: one for each person that it names; none if the row is refused."""
    happened_on = reading.need("date", lambda cell: context.parse_day(cell, titled))
    if happened_on is not None and happened_on > today:
        reading.refuse("date", problem("date_future"))
    roles = cell_values.roles_held(reading.beside("post", cell_values.text))
    place = place_of(reading) or NOWHERE
    there = _known_place(reading, town, place)
    note = reading.beside("note", cell_values.note)
    if remarks.turned_down(reading.take("state", cell_values.text)):
        reading.refuse("state", problem("remark_cancelled"))
    elif remarks.cancelled(note):
        reading.refuse("note", problem("remark_cancelled"))
    elif odd := remarks.odd_of_service(note):
        reading.warn("note", problem(odd))
    item, points, expected = _points(reading, known, happened_on or today, note)
    reading.refuse_several_times()
    doers = _doers(reading, people, Hint(there.building, there.unit, roles))
    # A name written three times is one person, not three times the points.
    several = len(doers) > 1 or group.repeats(reading.cell("name"))
    if several and expected is not None and points != expected:
        reading.refuse("points", problem("group_points", expected=expected))
    themselves = {names.key(doer.name or "") for doer in doers}
    witness = _witness_name(reading, themselves)
    if witness is not None and names.key(witness) in themselves:
        reading.refuse("witness", problem("own_witness"))
    found = [_witness(reading, people, doer.person, witness) for doer in doers]
    reading.split(max(1, len(doers)))
    if reading.refused or happened_on is None or item is None or points is None:
        return []
    said = reading.read("points", _positive)
    return [
        DeedRow(
            sheet=reading.sheet, row=reading.number, part=part, happened_on=happened_on, person=doer.person,
            name=doer.name or "", roles=roles, building=place.building,
            unit=place.unit, item=item, points=points, catalogue_points=expected, witness=witness,
            witness_person=witness_person, note=note,
            word=cell_values.plain_text(reading.cell("item")), said_points=said if isinstance(said, int) else None,
            estate=place.estate,
        )
        for part, (doer, witness_person) in enumerate(zip(doers, found, strict=True))
    ]  # fmt: skip


def _known_place(reading: Reading[DeedRow], town: Buildings | None, place: Address) -> Address:
    """The place, normalised as in residents' addresses. An unknown one is noted as a word to decide, refused later."""
    if town is None:
        return place
    use = town.use(place, reading.sheet, reading.number) if not town.of(place) else None
    if use is not None:
        reading.parsed.unknown.append(use)
    return town.in_one_way(place)


def _doers(reading: Reading[DeedRow], people: Candidates | None, hint: Hint) -> list[NamedPerson]:
    """The people who did the deed."""
    known = people.by_name.keys() if people else frozenset()
    given = reading.need("name", lambda cell: group.names(cell, known))
    if given is None or len(given) > 1 or group.repeats(reading.cell("name"), known):
        return people_of_row(reading, people) if given else []
    person = by_name(reading, people, given[0], hint) if people is not None else None
    return [NamedPerson(person, given[0], None)]


def _witness_name(reading: Reading[DeedRow], themselves: AbstractSet[str]) -> str | None:
    """The witness's name. A deed has one witness: of several, the first who did not do the deed."""
    if cell_values.plain_text(reading.cell("witness")) in _THEMSELVES:
        reading.refuse("witness", problem("own_witness"))
        return None
    given = reading.beside("witness", group.names)
    if given and len(given) > 1:
        reading.warn("witness", problem("witness_several"))
    others = [name for name in given or [] if names.key(name) not in themselves]
    return next(iter(others or given or []), None)


def _points(
    reading: Reading[DeedRow], known: Known | None, day: date, note: str | None
) -> tuple[str | None, int | None, int | None]:
    """The item's catalogue name, its points in the sheet (else the catalogue's), and its points in the catalogue."""
    item = reading.need("item", _item)
    points = reading.take("points", _positive)
    if item is None or known is None:
        if points is None and not reading.refused:
            reading.refuse("points" if "points" in reading.header.columns else "item", problem("points_unclear"))
        return item, points, None
    key = word_key(item)
    if key not in known.items:
        waits = key in known.waiting
        reading.refuse("item", problem("item_waits" if waits else "unknown_item"))
        if not waits:
            reading.parsed.unknown.append(
                UnknownUse(value=item, sheet=reading.sheet, row=reading.number, points=points)
            )
        return item, points, None
    item, worth = known.items[key]
    expected = worth if isinstance(worth, int) else worth(day)
    if points is not None and points != expected:
        if note is None:
            reading.refuse("points", problem("points_differ", expected=expected))
        else:
            reading.warn("points", problem("points_differ_reason", expected=expected))
    return item, expected if points is None else points, expected


def _item(cell: Cell) -> str | Problem | None:
    return cell_values.text(cell, 100)


def _positive(cell: Cell) -> int | Problem | None:
    return amounts.parse_points(cell, 1, POINTS_MAX)


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
    """Refuse a deed that equals an earlier one in person, day, item, points, witness and note: it is a copied row.

    Returns whether it was refused.
    """
    who = row.person.key if row.person else (names.key(row.name), row.building, row.unit)
    key = (who, row.happened_on, row.item, row.points, row.witness, row.note)
    if key not in seen:
        seen[key] = (row.sheet, row.row)
        return False
    reading.refuse("name", problem("duplicate", row=reading.row_words(*seen[key])))
    return True
