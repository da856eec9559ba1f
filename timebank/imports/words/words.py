"""The community's own words for items, stations, activities and buildings: decided in a trial run and remembered."""

import unicodedata
from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.agreements.independence import (
    Side,
    is_family,
    past_and_present_guardians,
    side_of,
    sides_of,
    sides_of_logins,
)  # fmt: skip
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.imports.cells.addresses import Address, building_cell
from timebank.rules.schemas import Cap as Times
from timebank.rules.schemas import CapPeriod

WordKind = Literal["item", "station", "activity", "building"]
WORD_MAX = 100
Word = Annotated[str, Meta(min_length=1, max_length=WORD_MAX, pattern=r"^[^\x00]*$")]


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a new item counts in a period, for one person and for one building or unit."""

    period: CapPeriod = "month"
    per_person: Times | None = None
    per_area: Times | None = None


class WordIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The answer for an unknown word: either something known (`means` is its code or name), or `new` with its points.

    Without `points` a new item gets the points that most of its rows have; without a `cap` it counts every time. A cap
    that is just a number is the number of times a month for each person.
    """

    value: Word
    kind: WordKind = "item"
    means: Word | None = None
    new: bool = False
    points: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    cap: Times | Cap | None = None

    @property
    def key(self) -> str:
        """The key under which the word is remembered."""
        return key_of(self.kind, self.value)

    @property
    def most(self) -> Cap:
        """The cap in full."""
        return self.cap if isinstance(self.cap, Cap) else Cap(per_person=self.cap)


class Suggestion(msgspec.Struct, frozen=True):
    """What an unknown word may mean: the code or id to answer with, its name, and the points of an item."""

    means: str
    name: str
    points: int | None = None


class UnknownWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word without a decided meaning that is used in `count` rows, the first of them in `rows`.

    `points` is what most of its rows give; `waits` means that adding the item with these points needs a second person.
    The `units` of a building are added with it.
    """

    kind: WordKind
    value: str
    count: int
    rows: list[int]
    points: int | None
    waits: bool
    suggestions: list[Suggestion]
    units: list[str] = []


class Remembered(msgspec.Struct, frozen=True):
    """A word with a decided meaning; `target` is None if the new item waits, or waited, for a second person."""

    word_key: str
    target: str | None
    decided_by: UUID | None


def word_key(word: str) -> str:
    """A word normalised for comparison: without spaces, marks, width and case."""
    return "".join(char for char in unicodedata.normalize("NFKC", word).casefold() if char.isalnum())


def place_of_word(word: str) -> Address | None:
    """The building, or building and unit, that a word names; None if it cannot be read as one."""
    found = building_cell(word)
    return found if isinstance(found, Address) and found.building else None


def key_of(kind: WordKind, word: str) -> str:
    """The key under which a word of a kind is remembered; 3栋2单元 and 3#2单元 have the same one."""
    place = place_of_word(word) if kind == "building" else None
    return word_key(f"{place.building}{place.unit or ''}" if place else word)[:WORD_MAX]


async def remembered(scope: Scope, word_kind: WordKind) -> dict[str, Remembered]:
    """The community's remembered words of a kind, by key, from imports of every kind."""
    async with transaction(scope):
        found = await database.rows(
            Remembered,
            "SELECT w.word_key, w.target, coalesce(p.merged_into, w.decided_by) AS decided_by FROM import_word w "
            "LEFT JOIN person p ON p.community_id = w.community_id AND p.id = w.decided_by "
            "WHERE w.community_id = $1 AND w.word_kind = $2",
            scope.community_id, word_kind,
        )  # fmt: skip
    return {one.word_key: one for one in found}


async def decided_for_own(
    scope: Scope, known: Mapping[str, Remembered], uses: Collection[tuple[str, UUID]],
    homes: Mapping[UUID, UUID | None] = MappingProxyType({}),
) -> set[tuple[str, UUID]]:  # fmt: skip
    """The (word key, person) pairs in which the word was decided by the person, their family or a guardian.

    Nobody may decide what their own deed is worth, so another person has to decide the word for these. Whoever opened
    the login that decided a word counts as its decider too. `homes` maps people who are not registered yet to their
    households.
    """
    deciders = {word: by for word, _ in uses if word in known and (by := known[word].decided_by)}
    if not deciders:
        return set()
    doers = {person for word, person in uses if word in deciders}
    sides = await sides_of(scope, {*deciders.values(), *doers})
    for person_id in doers:
        home = homes.get(person_id)
        sides[person_id] = sides.get(person_id, Side()) | Side(households=frozenset({home} if home else ()))
    if scope.actor_id is not None:
        sides[scope.actor_id] = sides.get(scope.actor_id, Side()) | await side_of(scope)
    accounts = await sides_of_logins(scope, {hand for by in deciders.values() for hand in sides[by].hands})
    for by in {*deciders.values()}:
        sides[by] = reduce(or_, (accounts.get(hand, Side()) for hand in sides[by].hands), sides[by])
    guardians = await past_and_present_guardians(scope, doers)
    return {
        (word, person)
        for word, person in uses
        if (by := deciders.get(word))
        and (is_family(sides[by], sides[person]) or sides[by].persons & guardians.get(person, set()))
    }
