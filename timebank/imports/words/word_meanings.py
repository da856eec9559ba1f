"""Remembers what the words of a community's workbooks mean, and adds the item, station or building that is new."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import reading, retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.names import pinyin
from timebank.core.scope import Scope
from timebank.imports.intake import Kind
from timebank.imports.words.buildings import buildings_of, decide_building
from timebank.imports.words.items import decide_item, items_of
from timebank.imports.words.named import NameIndex, activities_of, decide_activity, decide_station, stations_of
from timebank.imports.words.words import Suggestion, UnknownWord, WordIn, WordKind, key_of, remembered, word_key

DECIDED: Mapping[WordKind, Callable[[Scope, WordIn], Awaitable[tuple[str | None, bool]]]] = {
    "item": decide_item, "station": decide_station, "activity": decide_activity, "building": decide_building,
}  # fmt: skip
OF_BOOK: Mapping[Kind, Sequence[WordKind]] = {
    "residents": ("building",), "hours": ("activity", "station"), "deeds": ("item", "building"), "goods": ("station",),
    "members": (), "matters": ("building",),
}  # fmt: skip
"""The kinds of words that each kind of import has."""


async def _items(scope: Scope) -> list[Suggestion]:
    items = await items_of(scope)
    return [Suggestion(item.code, item.name, item.points) for item in items.by_name.values()]


async def _stations(scope: Scope) -> list[Suggestion]:
    return _suggested(await stations_of(scope))


async def _activities(scope: Scope) -> list[Suggestion]:
    return _suggested(await activities_of(scope))


async def _buildings(scope: Scope) -> list[Suggestion]:
    """The buildings without their units."""
    return [Suggestion(str(id_), name) for name, id_ in (await buildings_of(scope)).names(units=False).items()]


def _suggested(there: NameIndex) -> list[Suggestion]:
    return [Suggestion(str(one), name) for name, one in there.by_name.items()]


CHOICES: Mapping[WordKind, Callable[[Scope], Awaitable[list[Suggestion]]]] = {
    "item": _items, "station": _stations, "activity": _activities, "building": _buildings,
}  # fmt: skip


class WordKindUnknown(TimebankError):
    code = "word_kind_unknown"
    status = 422
    sentence = "“{value}”在这类表格里不能这样对应。请按试导入列出的词来写。"


def require_kind(kind: Kind, answers: Iterable[WordIn]) -> None:
    """Raise WordKindUnknown for an answer whose kind of word this import does not have, or whose word is only marks."""
    for answer in answers:
        if answer.kind not in OF_BOOK[kind] or not word_key(answer.value):
            raise WordKindUnknown(value=answer.value)


async def choices_of(scope: Scope, word_kinds: Iterable[WordKind]) -> dict[WordKind, list[Suggestion]]:
    """Everything that a word of each of these kinds may mean, sorted by the pinyin of its name."""
    scope.require_admin()
    async with reading(scope):
        found = {word_kind: await CHOICES[word_kind](scope) for word_kind in set(word_kinds)}
    return {word_kind: sorted(choices, key=lambda one: pinyin(one.name)) for word_kind, choices in found.items()}


def completed(answers: Sequence[WordIn], unknown: Iterable[UnknownWord]) -> list[WordIn]:
    """The answers completed from the workbook: the points of new items and the units of new buildings."""
    known = {(word.kind, key_of(word.kind, word.value)): word for word in unknown}
    full = {(answer.kind, answer.key): answer for answer in answers}
    for of, answer in list(full.items()):
        word = known.get(of) if answer.new else None
        if word is None:
            continue
        if answer.points is None:
            full[of] = msgspec.structs.replace(answer, points=word.points)
        for unit in word.units:
            full.setdefault((answer.kind, key_of(answer.kind, unit)), WordIn(value=unit, kind=answer.kind, new=True))
    return list(full.values())


async def still_unknown(scope: Scope, unknown: Sequence[UnknownWord]) -> list[UnknownWord]:
    """The words that still have no remembered meaning and that are not the name of anything added since."""
    scope.require_reader()
    named: dict[WordKind, set[str]] = {}
    async with reading(scope):
        for word_kind in {word.kind for word in unknown}:
            choices = await CHOICES[word_kind](scope)
            means = {None, *(one.means for one in choices)}  # None: the addition waits for a second person
            known = (await remembered(scope, word_kind)).items()
            decided = {key for key, one in known if one.target in means}
            named[word_kind] = decided | {key_of(word_kind, one.name) for one in choices}
    return [word for word in unknown if key_of(word.kind, word.value) not in named[word.kind]]


@retried
async def remember_words(scope: Scope, kind: Kind, answers: Sequence[WordIn]) -> None:
    """Remember the meanings of these words in one transaction; a repeated call only makes the caller their decider.

    An item that gives more points than the catalogue already does waits for a second person, as when added by hand.
    """
    scope.require_admin()
    require_kind(kind, answers)
    # In a fixed order, so that of two people who decide the same words one waits for the other's row locks and then
    # finds the words known; a building comes before its units.
    by_key = {(answer.kind, answer.key): answer for answer in answers}
    async with transaction(scope):
        targets: list[list[str | None]] = []
        for word_kind, key in sorted(by_key, key=lambda one: (one[0], len(one[1]), one[1])):
            answer = by_key[word_kind, key]
            before = await _hold(scope, answer)
            target, added = await DECIDED[word_kind](scope, answer)
            await database.execute(
                "UPDATE import_word SET target = $4, added = added OR $5 "
                "WHERE community_id = $1 AND word_kind = $2 AND word_key = $3",
                scope.community_id, word_kind, key, target, added,
            )  # fmt: skip
            targets.append([before, target])
        if by_key:
            await audit.record(scope, "map_words", "import_word", None, kind=kind, mapped=len(by_key), targets=targets)


async def _hold(scope: Scope, answer: WordIn) -> str | None:
    """Insert or lock the row of a word and record the caller as its decider; return its previous meaning."""
    before: str | None = await database.fetch_value(
        "INSERT INTO import_word (community_id, word_kind, word_key, word, added, decided_by, decided_at) "
        "VALUES ($1, $2, $3, $4, false, $5, $6) ON CONFLICT (community_id, word_kind, word_key) DO UPDATE "
        "SET word = excluded.word, decided_by = excluded.decided_by, decided_at = excluded.decided_at RETURNING target",
        scope.community_id, answer.kind, answer.key, answer.value, scope.actor_id, clock.now(),
    )  # fmt: skip
    return before
