"""The community's own words for what it has: each is decided once, at a book's trial, and known for the next book."""

import unicodedata
from collections.abc import Collection, Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank import database
from timebank.agreements.independence import Side, is_family, past_and_present_guardians, side_of, sides_of
from timebank.database import transaction
from timebank.scope import Scope

WordKind = Literal["item", "station", "activity", "building"]
WORD_MAX = 100
Word = Annotated[str, Meta(min_length=1, max_length=WORD_MAX, pattern=r"^[^\x00]*$")]


class WordIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a word of a book is: something known (`means`: its code or name), or `new`, with the points that it gives.

    Without `points` a new item gives what most of the sheet's own rows say.
    """

    value: Word
    kind: WordKind = "item"
    means: Word | None = None
    new: bool = False
    points: Annotated[int, Meta(ge=1, le=10_000)] | None = None


class Suggestion(msgspec.Struct, frozen=True):
    """What an unknown word may mean: the code or id to answer with, and its name. `points`: of an item."""

    means: str
    name: str
    points: int | None = None


class UnknownWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word of `count` rows that nobody has decided yet; the first of them in `rows`.

    `points` are what most of its rows give; `waits` says that adding it with these waits for a second person.
    """

    kind: WordKind
    value: str
    count: int
    rows: list[int]
    points: int | None
    waits: bool
    suggestions: list[Suggestion]


class Remembered(msgspec.Struct, frozen=True):
    """A word that somebody has decided; no `target` where it names what waits, or waited, for a second person."""

    word_key: str
    target: str | None
    decided_by: UUID | None


def word_key(word: str) -> str:
    """A word to be compared: with other spaces, marks, width or case it is the same."""
    return "".join(char for char in unicodedata.normalize("NFKC", word).casefold() if char.isalnum())


async def remembered(scope: Scope, kind: str, word_kind: WordKind) -> dict[str, Remembered]:
    """The community's own words of a kind, by their key."""
    async with transaction(scope):
        found = await database.rows(
            Remembered,
            "SELECT word_key, target, decided_by FROM import_word "
            "WHERE community_id = $1 AND kind = $2 AND word_kind = $3",
            scope.community_id, kind, word_kind,
        )  # fmt: skip
    return {one.word_key: one for one in found}


async def decided_for_own(
    scope: Scope, known: Mapping[str, Remembered], uses: Collection[tuple[str, UUID]]
) -> set[tuple[str, UUID]]:
    """Which of these words of these people were decided by themselves, by their family, or by who cares for them.

    Nobody says what their own deed is worth: somebody else has to decide the word for these.
    """
    deciders = {word: known[word].decided_by for word, _ in uses if word in known and known[word].decided_by}
    if not deciders:
        return set()
    doers = {person for word, person in uses if word in deciders}
    sides = await sides_of(scope, {*deciders.values(), *doers})
    if scope.actor_id is not None:
        sides[scope.actor_id] = sides.get(scope.actor_id, Side()) | await side_of(scope)
    guardians = await past_and_present_guardians(scope, doers)
    return {
        (word, person)
        for word, person in uses
        if (by := deciders.get(word))
        and (is_family(sides[by], sides[person]) or sides[by].persons & guardians.get(person, set()))
    }
