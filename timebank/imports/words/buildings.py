"""Look up buildings and units of a workbook by their names or by other words that the community has decided."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from timebank.areas import addresses as areas_addresses
from timebank.areas.addresses import find_or_add_areas, match_addresses
from timebank.areas.places import areas_of
from timebank.areas.schemas import PlaceOut
from timebank.core.scope import Scope
from timebank.imports.cells.addresses import Address
from timebank.imports.sheets.parsed import UnknownUse
from timebank.imports.words.area_index import AreaIndex
from timebank.imports.words.asking import ROWS_TOLD_MAX, WordIsName, WordMeaningUnknown, WordUnclear, group_by_word
from timebank.imports.words.likeness import most_alike
from timebank.imports.words.words import (  # fmt: skip
    Remembered,
    Suggestion,
    UnknownWord,
    WordIn,
    place_of_word,
    remembered,
    word_key,
)

NAME_MAX = 60


@dataclass(slots=True)
class Buildings:
    """The areas in which a workbook's addresses are looked up. `aliases` maps a decided word's key to its area."""

    areas: list[PlaceOut]
    words: dict[str, Remembered] = field(default_factory=dict)
    aliases: dict[str, UUID] = field(default_factory=dict)
    tried: set[UUID] = field(default_factory=set)
    """Areas that the import would add; only used in a trial run."""
    town: AreaIndex = field(init=False)

    def __post_init__(self) -> None:
        self.town = AreaIndex(self.areas, self.aliases)

    def of(self, place: Address) -> list[UUID]:
        """The areas that an address may mean: those of this name, else the one that its word was decided to mean."""
        return self.town.named(place.building, place.unit)

    def called(self, place: Address) -> list[UUID]:
        """The areas of this name."""
        return self.town.by_name(place.building, place.unit)

    def in_one_way(self, place: Address) -> Address:
        """The address with the normalised names of the area that its word was decided to mean, else unchanged."""
        meant = self.town.meant(areas_addresses.Address(None, place.building, place.unit))
        return Address(meant.building, meant.unit) if meant else place

    def keys(self, place: Address) -> list[str]:
        """The keys of the words by which an address may have been looked up."""
        return list(dict.fromkeys(map(word_key, words_of(place))))

    def use(self, place: Address, sheet: str, row: int) -> UnknownUse | None:
        """The word of an address to decide: the building, or building with unit if the building is known."""
        if place.building is None:
            return None
        whole = words_of(place)[-1]
        asked = whole if self.of(Address(place.building)) else place.building
        return UnknownUse(value=asked, sheet=sheet, row=row, kind="building", whole=whole)

    def names(self, *, units: bool = True) -> dict[str, UUID]:
        """The ids of buildings and units by name; names that several areas share begin with their grid."""
        areas = [area for area in self.areas if area.kind == "building" or (units and area.kind == "unit")]
        short = {area.id: _name(self.town, area) for area in areas}
        called = Counter(short.values())
        return {
            (_grid(self.town, id_) if called[name] > 1 else "") + name: id_ for id_, name in short.items()
        }  # fmt: skip

    def suppose(self, answers: Iterable[WordIn]) -> None:
        """Treat these answers as decided words; for a trial run, which writes nothing."""
        for answer in in_order(answers):
            meant = resolve_building(self, answer)
            if meant is None:
                wanted = address_to_add(self, answer)
                settled = match_addresses(self.areas, {wanted})
                self.areas = [*self.areas, *settled.added]
                self.tried |= {area.id for area in settled.added}
                meant = settled.areas[wanted]
            assert meant is not None
            self.aliases[answer.key] = meant
            self.town = AreaIndex(self.areas, self.aliases)

    def unknown(self, uses: Sequence[UnknownUse]) -> list[UnknownWord]:
        """The words of a workbook that somebody has to decide, the most frequent first."""
        return [self._told(same) for same in group_by_word(uses)]

    def _told(self, uses: Sequence[UnknownUse]) -> UnknownWord:
        value = uses[0].value
        place = place_of_word(value) or Address(value)
        around = set(self.of(Address(place.building))) if place.unit else set()
        names = self.names(units=bool(around))
        choices = [
            (name, Suggestion(str(id_), name))
            for name, id_ in names.items()
            if not around or around & {area.id for area in self.town.upwards(id_)}
        ]  # fmt: skip
        units = sorted({use.whole for use in uses if use.whole} - {value})
        return UnknownWord(
            kind="building", value=value, count=len(uses), rows=[use.row for use in uses[:ROWS_TOLD_MAX]], points=None,
            waits=False, suggestions=list(most_alike(value, choices)), units=units,
        )  # fmt: skip


def in_order(answers: Iterable[WordIn]) -> list[WordIn]:
    """Sort answers so that a building precedes its units, which belong to the area that its word means."""
    return sorted(answers, key=lambda answer: (len(answer.key), answer.key))


def resolve_building(buildings: Buildings, answer: WordIn) -> UUID | None:
    """The area that an answer means; None if it is to be added.

    Raises WordUnclear, WordMeaningUnknown or WordIsName for a wrong answer.
    """
    if (answer.means is None) is not answer.new or answer.cap is not None:
        raise WordUnclear(value=answer.value)
    place = place_of_word(answer.value)
    own = buildings.called(place) if place else []
    if answer.means is None:
        found = buildings.of(place) if place else []
        if len(found) == 1:
            return found[0]
        if found or place is None or any(len(part) > NAME_MAX for part in (place.building, place.unit) if part):
            raise WordUnclear(value=answer.value)
        return None
    meant = _named(buildings, answer.means)
    if meant is None:
        raise WordMeaningUnknown(value=answer.value, means=answer.means)
    if own and meant not in own:
        raise WordIsName(value=answer.value)
    return meant


def address_to_add(buildings: Buildings, answer: WordIn) -> areas_addresses.Address:
    """The address of a building or unit to add; a new building lies in the grid if the community has just one."""
    place = place_of_word(answer.value)
    assert place is not None  # `resolve_building` has refused it
    grids = [area.name for area in buildings.areas if area.kind == "grid"]
    there = buildings.of(Address(place.building))
    grid = grids[0] if len(grids) == 1 and not there else None
    return buildings.town.as_in_book(areas_addresses.Address(grid, place.building, place.unit))


async def buildings_of(scope: Scope) -> Buildings:
    """The community's buildings and units, and its decided words for them."""
    areas, words = await areas_of(scope), await remembered(scope, "building")
    by_id = {str(area.id): area.id for area in areas}
    aliases = {key: by_id[word.target] for key, word in words.items() if word.target in by_id}
    return Buildings(areas, words, aliases)


async def decide_building(scope: Scope, answer: WordIn) -> tuple[str | None, bool]:
    """The id of the building or unit that a word means, and whether it was added."""
    buildings = await buildings_of(scope)
    known = resolve_building(buildings, answer)
    if known is not None:
        return str(known), False
    wanted = address_to_add(buildings, answer)
    return str((await find_or_add_areas(scope, {wanted}))[wanted]), True


def words_of(place: Address) -> list[str]:
    """The words of an address: the building, and the building with its unit."""
    words = [place.building] if place.building else []
    return [*words, f"{place.building}{place.unit}"] if place.building and place.unit else words


def _named(buildings: Buildings, means: str) -> UUID | None:
    by_id = next((area.id for area in buildings.areas if str(area.id) == means and area.kind != "grid"), None)
    place = place_of_word(means)
    found = buildings.called(place) if place else []
    if by_id is not None or len(found) == 1:
        return by_id or found[0]
    alike_ = {id_ for name, id_ in buildings.names().items() if word_key(name) == word_key(means)}
    return alike_.pop() if len(alike_) == 1 else None


def _name(town: AreaIndex, area: PlaceOut) -> str:
    return area.name if area.kind == "building" or not area.parent_id else town.areas[area.parent_id].name + area.name


def _grid(town: AreaIndex, area_id: UUID) -> str:
    return next((f"{area.name} " for area in town.upwards(area_id) if area.kind == "grid"), "")
