"""The community's own words for buildings in a roster: those that somebody may decide, and whose office goes by one."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from timebank.imports.cells import places
from timebank.imports.cells.addresses import Address
from timebank.imports.cells.problems import problem
from timebank.imports.intake import Intake
from timebank.imports.kinds.roster.known import Resident
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.parsed import Parsed, UnknownUse
from timebank.imports.words.asking import first_of
from timebank.imports.words.buildings import Buildings, words_of
from timebank.imports.words.own_words import barred
from timebank.imports.words.words import word_key


def tell_buildings(parsed: Parsed[RosterRow], buildings: Buildings) -> None:
    """Name the buildings that the community has not, by words of its own: each becomes one, unless it is another.

    A number is no such word; nor is any of a community that has no buildings yet.
    """
    if not any(area.kind == "building" for area in buildings.areas):
        return
    new = set()
    for row in parsed.rows:
        word = row.household.building
        if word and not places.is_building(word) and not re.search(r"\d", word) and not buildings.of(Address(word)):
            parsed.unknown.append(UnknownUse(value=word, sheet=row.sheet, row=row.row, kind="building"))
            new.add(word)
    if new:
        parsed.notes.append(problem("note_building_words", count=len(new), names=first_of(sorted(new))))


async def own_building_words(
    intake: Intake, parsed: Parsed[RosterRow], buildings: Buildings, residents: Sequence[Resident],
    homes: Mapping[UUID, UUID | None],
) -> set[tuple[str, int]]:  # fmt: skip
    """The rows that name an office of whoever has decided what their building's word means.

    `homes` are the households of those who are not in the book yet. In the trial of somebody else the word is asked
    for again.
    """
    naming = [(one, Address(one.row.household.building, one.row.household.unit)) for one in residents if one.row.roles]
    uses = {(key, one.person_id) for one, place in naming for key in buildings.keys(place)}
    by_own = await barred(intake, "building", buildings.words, uses, homes)
    rows = set()
    for one, place in naming:
        if not by_own.of(buildings.keys(place), one.person_id):
            continue
        rows.add((one.row.sheet, one.row.row))
        parsed.unknown += [
            UnknownUse(value=word, sheet=one.row.sheet, row=one.row.row, kind="building")
            for word in words_of(place)
            if by_own.is_asked([word_key(word)], one.person_id)
        ]
    return rows
