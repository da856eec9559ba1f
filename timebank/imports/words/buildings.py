"""Buildings and units as a book meets them: by the community's own names, and by other words for them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from timebank.areas import addresses as areas_addresses
from timebank.areas.addresses import settle, settle_addresses
from timebank.areas.places import areas_of
from timebank.areas.schemas import PlaceOut
from timebank.core.scope import Scope
from timebank.imports.cells.addresses import Address
from timebank.imports.sheets.parsed import UnknownUse
from timebank.imports.words.area_map import Map
from timebank.imports.words.asking import ROWS_TOLD_MAX, WordIsName, WordMeaningUnknown, WordUnclear, alike
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
    """What a book's buildings and units are looked up in. `aliases` are those that other words mean, by word key."""

    areas: list[PlaceOut]
    words: dict[str, Remembered] = field(default_factory=dict)
    aliases: dict[str, UUID] = field(default_factory=dict)
    tried: set[UUID] = field(default_factory=set)
    """Only for this trial: they would be added."""
    town: Map = field(init=False)

    def __post_init__(self) -> None:
        self.town = Map(self.areas, self.aliases)

    def of(self, place: Address) -> list[UUID]:
        """All that an address may be: what has this name, else what the word for it was decided to be."""
        return self.town.named(place.building, place.unit)

    def called(self, place: Address) -> list[UUID]:
        """All that has this name."""
        return self.town.by_name(place.building, place.unit)

    def in_one_way(self, place: Address) -> Address:
        """An address by the names of what its word was decided to mean, in the spelling that sheets are read in."""
        meant = self.town.meant(areas_addresses.Address(None, place.building, place.unit))
        return Address(meant.building, meant.unit) if meant else place

    def keys(self, place: Address) -> list[str]:
        """The keys of the words that may have said where an address is."""
        return list(dict.fromkeys(map(word_key, words_of(place))))

    def use(self, place: Address, sheet: str, row: int) -> UnknownUse | None:
        """What somebody has to decide about an address: its building, or its unit where the building is known."""
        if place.building is None:
            return None
        whole = words_of(place)[-1]
        asked = whole if self.of(Address(place.building)) else place.building
        return UnknownUse(asked, sheet, row, kind="building", whole=whole)

    def names(self, *, units: bool = True) -> dict[str, UUID]:
        """The buildings and units by their names, with the grid where two are called the same."""
        areas = [area for area in self.areas if area.kind == "building" or (units and area.kind == "unit")]
        short = {area.id: _name(self.town, area) for area in areas}
        called = Counter(short.values())
        return {
            (_grid(self.town, id_) if called[name] > 1 else "") + name: id_ for id_, name in short.items()
        }  # fmt: skip

    def suppose(self, answers: Iterable[WordIn]) -> None:
        """Answer as if these words were decided already; for a trial, which writes nothing."""
        for answer in in_order(answers):
            meant = chosen(self, answer)
            if meant is None:
                wanted = address_of(self, answer)
                settled = settle(self.areas, {wanted})
                self.areas = [*self.areas, *settled.added]
                self.tried |= {area.id for area in settled.added}
                meant = settled.areas[wanted]
            assert meant is not None
            self.aliases[answer.key] = meant
            self.town = Map(self.areas, self.aliases)

    def unknown(self, uses: Sequence[UnknownUse]) -> list[UnknownWord]:
        """The words of a book that somebody has to decide, the most frequent first."""
        return [self._told(same) for same in alike(uses)]

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
    """A building before its units, which lie in what its word means."""
    return sorted(answers, key=lambda answer: (len(answer.key), answer.key))


def chosen(buildings: Buildings, answer: WordIn) -> UUID | None:
    """The place that an answer means; None for one that is to be added. Raises what is wrong with the answer."""
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


def address_of(buildings: Buildings, answer: WordIn) -> areas_addresses.Address:
    """Where a new building or unit is added: in the only grid, where the community has just one."""
    place = place_of_word(answer.value)
    assert place is not None  # `chosen` has refused it
    grids = [area.name for area in buildings.areas if area.kind == "grid"]
    there = buildings.of(Address(place.building))
    grid = grids[0] if len(grids) == 1 and not there else None
    return buildings.town.as_in_book(areas_addresses.Address(grid, place.building, place.unit))


async def buildings_of(scope: Scope) -> Buildings:
    """The community's buildings and units, and its own words for them."""
    areas, words = await areas_of(scope), await remembered(scope, "building")
    by_id = {str(area.id): area.id for area in areas}
    aliases = {key: by_id[word.target] for key, word in words.items() if word.target in by_id}
    return Buildings(areas, words, aliases)


async def decide_building(scope: Scope, answer: WordIn) -> tuple[str | None, bool]:
    """The id of the building or unit that a word means, and whether it was added."""
    buildings = await buildings_of(scope)
    known = chosen(buildings, answer)
    if known is not None:
        return str(known), False
    wanted = address_of(buildings, answer)
    return str((await settle_addresses(scope, {wanted}))[wanted]), True


def words_of(place: Address) -> list[str]:
    """The words of an address: of the building, and of the building with its unit."""
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


def _name(town: Map, area: PlaceOut) -> str:
    return area.name if area.kind == "building" or not area.parent_id else town.areas[area.parent_id].name + area.name


def _grid(town: Map, area_id: UUID) -> str:
    return next((f"{area.name} " for area in town.upwards(area_id) if area.kind == "grid"), "")
