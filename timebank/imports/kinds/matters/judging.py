"""Where a matter of a book lies in the community, and which of its categories it is of."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.imports.cells.addresses import NOWHERE, Address
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.kinds.matters.read import BookRow
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.area_index import normal_name
from timebank.imports.words.buildings import Buildings
from timebank.imports.words.words import word_key
from timebank.matters.categories.categories import CategoryOut
from timebank.matters.categories.defaults import OTHER
from timebank.matters.schemas import MatterKind

KINDS: tuple[MatterKind, ...] = ("report", "event")
"""What a book's matters may be: orders and wishes have helpers, which no book can prove."""
NAMED_MAX = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """The area of a matter, and what its cells say of the place that the area does not."""

    area_id: UUID
    left: str = ""


def place_of_matter(parsed: Parsed[BookRow], town: Buildings, row: BookRow) -> Placed | None:
    """The unit, building or grid where a matter lies; refuses the row where it is unclear.

    A building that the community does not have is left in words if the grid is known: the figures count by grid.
    """
    line = parsed.reading(row)
    grid = _grid(town, row.grid)
    if isinstance(grid, Problem):
        line.refuse("grid", grid)
        return None
    found = _within(town, row.home, grid)
    if len(found) == 1:
        return Placed(found[0])
    if row.home.building is not None:
        use = town.use(row.home, row.sheet, row.row) if not found else None
        if use is not None:
            parsed.unknown.append(use)
        wrong = problem("building_ambiguous", building=row.home.building, count=len(found))
        if grid is None:
            line.refuse("building|spot", wrong if found else problem("place_unknown"))
            return None
        line.leave_out("building|spot", wrong if found else problem("place_unknown"))
        return Placed(grid, f"{row.home.estate or ''}{row.home.building}{row.home.unit or ''}")
    said = _within(town, row.within, grid)
    if len(said) == 1:
        return Placed(said[0])
    grids = [area.id for area in town.areas if area.kind == "grid"]
    if grid is None and len(grids) != 1:
        line.refuse("grid|building|spot|said", problem("matter_place_missing"))
        return None
    return Placed(grid or grids[0])


def lies_elsewhere(town: Buildings, row: BookRow, area_id: UUID, place: str) -> bool:
    """Whether a row gives another place than that of a matter which was entered from an earlier book.

    What that row left out is no difference, nor is a building that was only left in words.
    """
    grid, here = _grid(town, row.grid), town.town.around(area_id, "grid")
    if isinstance(grid, UUID) and grid != here:
        return True
    if row.spot and row.spot not in place:
        return True
    found = _within(town, row.home, here) if row.home.building is not None else []
    return len(found) == 1 and area_id not in (found[0], here)


def _grid(town: Buildings, name: str | None) -> UUID | Problem | None:
    if name is None:
        return None
    found = [area.id for area in town.areas if area.kind == "grid" and name in (area.name, normal_name(area))]
    return found[0] if found else problem("grid_unknown")


def _within(town: Buildings, home: Address, grid: UUID | None) -> list[UUID]:
    """The areas that an address means, in this grid if it is known."""
    if home == NOWHERE:
        return []
    whole = town.town.named(f"{home.estate or ''}{home.building or ''}", home.unit)
    found = whole or town.town.named(home.building, home.unit) or town.town.named(home.building, None)
    return [one for one in found if grid in (None, town.town.around(one, "grid"))]


class Categories:
    """The categories that a book's matters may be of, by the keys of their names and codes."""

    def __init__(self, all_: Sequence[CategoryOut]) -> None:
        self._fitting = [one for one in all_ if not set(KINDS).isdisjoint(one.kinds)]
        self._by_key = {word_key(word): one for one in self._fitting for word in (one.code, one.name)}
        self._other = next((one for one in self._fitting if one.code == OTHER), None)

    def of(self, word: str | None) -> tuple[CategoryOut, Problem | None] | Problem:
        """The category that a word means, with a warning if it is the one for what fits nowhere; or why none.

        A word that is part of one name alone, or that holds one name alone, means it. Of several it is never guessed.
        """
        key = word_key(word or "")
        if not key:
            return (self._other, problem("category_blank")) if self._other else problem("category_unknown")
        if key in self._by_key:
            return self._by_key[key], None
        like = [one for one in self._fitting if _is_part(word_key(one.name), key) and one.code != OTHER]
        if len(like) > 1:
            return problem("category_ambiguous", names="、".join(one.name for one in like[:NAMED_MAX]))
        if like:
            return like[0], None
        return (self._other, problem("category_as_other")) if self._other else problem("category_unknown")


def _is_part(name: str, word: str) -> bool:
    return len(min(name, word, key=len)) > 1 and (name in word or word in name)


def kind_in(category: CategoryOut) -> MatterKind:
    return next(kind for kind in KINDS if kind in category.kinds)
