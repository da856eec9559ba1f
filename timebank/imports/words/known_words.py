"""List, change and delete the words that a community has decided. Records imported by a word stay."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import audit, database
from timebank.core.database import Filters, most, reading, retried, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.imports.words.asking import WordIsName
from timebank.imports.words.buildings import buildings_of
from timebank.imports.words.items import items_of
from timebank.imports.words.named import activities_of, stations_of
from timebank.imports.words.word_meanings import OF_BOOK, remember_words
from timebank.imports.words.words import WordIn, WordKind, place_of_word, word_key

Standing = Literal["in_use", "waits", "gone"]
"""Whether what a word means is in use, waits for a second person, or is gone; then the next import asks again."""


class KnownWord(msgspec.Struct, frozen=True, kw_only=True):
    """A decided word. `name` is the name of what it means; `is_name` says that the word itself is such a name."""

    kind: WordKind
    key: str
    word: str
    target: str | None
    added: bool
    decided_by: UUID | None
    decided_at: datetime
    name: str | None = None
    standing: Standing = "in_use"
    is_name: bool = False

    @property
    def stays(self) -> bool:
        """Whether it cannot be deleted: it is a name, or what it means was added by it, even if renamed since."""
        return self.is_name or self.added


class _There(msgspec.Struct, frozen=True):
    """What a community has of a kind: names by target, whether a word is a name, and the keys of what waits."""

    names: dict[str, str]
    is_name: Callable[[str], bool]
    waiting: Collection[str] = ()


_COLUMNS = "word_kind AS kind, word_key AS key, word, target, added, decided_by, decided_at"


async def known_words(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[KnownWord]:
    """The decided words, ordered by kind and key."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_after("word_kind, word_key", ">", read_cursor(cursor, tuple[str, str]))
    async with reading(scope):
        found = await database.rows(
            KnownWord,
            f"SELECT {_COLUMNS} FROM import_word WHERE community_id = $1{asked.sql} "  # noqa: S608  # own columns
            f"ORDER BY word_kind, word_key LIMIT {most(limit + 1)}",
            *asked.values,
        )
        there = {kind: await _there(scope, kind) for kind in {one.kind for one in found}}
    return make_page([_in_words(one, there[one.kind]) for one in found], limit, lambda one: (one.kind, one.key))


async def known_word(scope: Scope, kind: WordKind, key: str) -> KnownWord:
    """One decided word. Raises NotFound."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(
            KnownWord,
            f"SELECT {_COLUMNS} FROM import_word WHERE community_id = $1 AND word_kind = $2 AND word_key = $3",  # noqa: S608  # own columns
            scope.community_id, kind, key,
        )  # fmt: skip
        if found is None:
            raise NotFound
        return _in_words(found, await _there(scope, kind))


async def change_word(scope: Scope, kind: WordKind, key: str, means: str) -> None:
    """Change what a word means; the caller becomes its decider. Records imported by it stay as they are."""
    scope.require_admin()
    known = await known_word(scope, kind, key)
    book = next(book for book, kinds in OF_BOOK.items() if kind in kinds)
    await remember_words(scope, book, [WordIn(value=known.word, kind=kind, means=means)])


@retried
async def delete_word(scope: Scope, kind: WordKind, key: str) -> None:
    """Delete a decided word, so that the next import asks for it. Raises WordIsName for one that stays."""
    scope.require_admin()
    async with transaction(scope):
        known = await known_word(scope, kind, key)
        # Otherwise a person who added an item could delete the record of that, for example while the item is renamed,
        # and then import their own deeds by it.
        if known.stays:
            raise WordIsName(value=known.word)
        await database.execute(
            "DELETE FROM import_word WHERE community_id = $1 AND word_kind = $2 AND word_key = $3",
            scope.community_id, kind, key,
        )  # fmt: skip
        await audit.record(scope, "forget_word", "import_word", None, targets=[[known.target, None]])


async def _there(scope: Scope, kind: WordKind) -> _There:
    if kind == "item":
        items = await items_of(scope)
        names = {item.code: item.name for item in items.by_name.values()}
        return _There(names, lambda word: items.called(word) is not None, items.waiting)
    if kind == "building":
        buildings = await buildings_of(scope)
        names = {str(id_): name for name, id_ in buildings.names().items()}
        return _There(names, lambda word: (at := place_of_word(word)) is not None and bool(buildings.called(at)))
    found = await (stations_of(scope, closed=True) if kind == "station" else activities_of(scope))
    return _There({str(id_): name for name, id_ in found.by_name.items()}, lambda word: found.called(word) is not None)


def _in_words(known: KnownWord, there: _There) -> KnownWord:
    name = there.names.get(known.target or "")
    gone: Standing = "waits" if word_key(known.word) in there.waiting else "gone"
    return msgspec.structs.replace(
        known, name=name, standing="in_use" if name else gone, is_name=there.is_name(known.word)
    )
