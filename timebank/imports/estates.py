"""Several estates with buildings of one number: the estate's name is then part of the building's."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from timebank.areas.schemas import PlaceOut
from timebank.imports import places
from timebank.imports.map import one_way
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem
from timebank.imports.roster import RosterRow


def tell_apart(parsed: Parsed[RosterRow], areas: Sequence[PlaceOut]) -> None:
    """Name the building of each row by its estate where the number alone may mean several.

    Without this the families of 阳光花园8栋 and 锦绣小区8栋 would live behind one door.
    """
    known = {one_way(places.building, area.name) for area in areas if area.kind == "building"}
    estates: dict[tuple[str | None, str], set[str]] = {}
    for row in parsed.rows:
        home = row.household
        if home.building and home.estate:
            estates.setdefault((home.grid, home.building), set()).add(home.estate)
    parsed.rows = [
        _in_estate(parsed, row, known, estates.get((row.household.grid, row.household.building or ""), set()))
        for row in parsed.rows
    ]


def _in_estate(parsed: Parsed[RosterRow], row: RosterRow, known: set[str], of_file: set[str]) -> RosterRow:
    home = row.household
    if home.building is None:
        return row
    of_book = _estates_of(home.building, known)
    estate = _one_name(home.estate, of_book) or _one_name(home.estate, of_file) or home.estate
    full = f"{estate or ''}{home.building}"
    if estate and full in known:
        return replace(row, household=replace(home, building=full))
    is_known = home.building in known
    several = {_one_name(each, of_file) or each for each in of_file}
    if len(several) <= 1 and (is_known or not of_book):
        return row
    if estate and not is_known:
        return replace(row, household=replace(home, building=full))
    told = "、".join(sorted({*several, *of_book}))
    wrong = problem("estates_differ" if is_known else "estate_missing", building=home.building, estates=told)
    parsed.reading(row).refuse("address|building|room", wrong)
    return row


def _one_name(estate: str | None, names: Iterable[str]) -> str | None:
    """The shortest of some names that means this estate: 阳光花园 is 阳光花园小区 in short."""
    same = [name for name in names if estate and (name.startswith(estate) or estate.startswith(name))]
    return min(same, key=len, default=None)


def _estates_of(building: str, known: Iterable[str]) -> set[str]:
    """The estates of which the book has a building of this number."""
    found = (re.fullmatch(rf"(.*[^\d\-A-Za-z]){re.escape(building)}", name) for name in known)
    return {match[1] for match in found if match}
