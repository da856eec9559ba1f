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
    full = f"{_shortest(home.estate, of_file)}{home.building}"
    if home.estate and full in known:
        return replace(row, household=replace(home, building=full))
    of_book = _estates_of(home.building, known)
    is_known = home.building in known
    of_file = {_shortest(estate, of_file) for estate in of_file}
    if len(of_file) <= 1 and (is_known or not of_book):
        return row
    if home.estate and not is_known:
        return replace(row, household=replace(home, building=full))
    told = "、".join(sorted({*of_file, *of_book}))
    wrong = problem("estates_differ" if is_known else "estate_missing", building=home.building, estates=told)
    parsed.reading(row).refuse("address|building|room", wrong)
    return row


def _shortest(estate: str | None, of_file: Iterable[str]) -> str:
    """One name of an estate that a file writes in full and in short: 阳光花园小区 and 阳光花园."""
    return min((name for name in of_file if (estate or "").startswith(name)), key=len, default=estate or "")


def _estates_of(building: str, known: Iterable[str]) -> set[str]:
    """The estates of which the book has a building of this number."""
    found = (re.fullmatch(rf"(.*[^\d\-A-Za-z]){re.escape(building)}", name) for name in known)
    return {match[1] for match in found if match}
