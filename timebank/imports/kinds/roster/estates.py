"""Distinguish buildings of one number in several estates by making the estate's name part of the building's."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from timebank.areas.schemas import PlaceOut
from timebank.imports.cells import places
from timebank.imports.cells.problems import problem
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.area_index import estates_of, normalise


def qualify_buildings(parsed: Parsed[RosterRow], areas: Sequence[PlaceOut]) -> None:
    """Put the estate's name before the building of each row if the number alone may mean several buildings.

    Otherwise families in 阳光花园8栋 and 锦绣小区8栋 would be in one household if unit and room are the same.
    """
    known = {normalise(places.building, area.name) for area in areas if area.kind == "building"}
    estates: dict[tuple[str | None, str | None], set[str]] = {}
    for row in parsed.rows:
        home = row.household
        if home.building and home.estate:
            estates.setdefault((home.grid, home.building), set()).add(home.estate)
    of_book = {building: estates_of(building, known) for building in {row.household.building for row in parsed.rows}}
    told_apart = []
    for row in parsed.rows:
        home = row.household
        of_file = estates.get((home.grid, home.building), set())
        told_apart.append(_in_estate(parsed, row, of_book[home.building], of_file, known))
    parsed.rows = told_apart


def _in_estate(
    parsed: Parsed[RosterRow], row: RosterRow, of_book: set[str], of_file: set[str], known: set[str]
) -> RosterRow:
    """The row with its building named by estate where needed; the row is refused if the estate is unclear."""
    home = row.household
    if home.building is None:
        return row
    estate = _one_name(home.estate, of_book) or _one_name(home.estate, of_file) or home.estate
    full = f"{estate or ''}{home.building}"
    if estate and full in known:
        return replace(row, household=replace(home, building=full))
    is_known = home.building in known
    several = {_one_name(each, of_book) or _one_name(each, of_file) or each for each in of_file}
    if home.estate is None and len(of_book) == 1 and several <= of_book and not is_known:
        # The only building of this number in the community's areas and in the file.
        return replace(row, household=replace(home, building=f"{min(of_book)}{home.building}"))
    if len(several) <= 1 and (is_known or not of_book):
        return row
    if estate and not is_known:
        return replace(row, household=replace(home, building=full))
    told = "、".join(sorted({*several, *of_book}))
    wrong = problem("estates_differ" if is_known else "estate_missing", building=home.building, estates=told)
    parsed.reading(row).refuse("address|building|room", wrong)
    return row


def _one_name(estate: str | None, names: Iterable[str]) -> str | None:
    """The shortest name that means this estate; 阳光花园 and 阳光花园小区 mean the same."""
    same = [name for name in names if estate and (name.startswith(estate) or estate.startswith(name))]
    return min(same, key=len, default=None)
