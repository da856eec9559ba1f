"""Unknown words for buildings in a roster, and role grants that depend on a word that their holder decided."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from timebank.imports.cells import places
from timebank.imports.cells.addresses import Address
from timebank.imports.cells.problems import problem
from timebank.imports.intake import Intake
from timebank.imports.kinds.roster.known_residents import Resident
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.parsed import Parsed, UnknownUse
from timebank.imports.words.asking import first_of
from timebank.imports.words.buildings import Buildings, words_of
from timebank.imports.words.own_words import barred
from timebank.imports.words.words import word_key


def report_new_buildings(parsed: Parsed[RosterRow], buildings: Buildings) -> None:
    """Report the names that will become new buildings unless the user maps them to existing ones.

    Names with a number are not reported, nor are any names while the community has no buildings.
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
    """The rows that name a role of a person who, or whose family, decided the meaning of the row's building word.

    `homes` maps people who are not registered yet to their households. If the caller may decide the word instead, it is
    added to the unknown words again.
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
