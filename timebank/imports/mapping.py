"""Words of a community's books decided: each is remembered, and what it names is added where it is new."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from timebank import audit, clock, database
from timebank.database import reading, retried, transaction
from timebank.errors import TimebankError
from timebank.imports.intake import Kind
from timebank.imports.items import decide_item, items_of
from timebank.imports.named import Named, activities_of, decide_activity, decide_station, stations_of
from timebank.imports.words import WORD_MAX, Suggestion, UnknownWord, WordIn, WordKind, remembered, word_key
from timebank.names import pinyin
from timebank.scope import Scope

DECIDED: Mapping[tuple[Kind, WordKind], Callable[[Scope, WordIn], Awaitable[tuple[str | None, bool]]]] = {
    ("deeds", "item"): decide_item,
    ("goods", "station"): decide_station,
    ("hours", "activity"): decide_activity,
}


async def _items(scope: Scope) -> list[Suggestion]:
    items = await items_of(scope)
    return [Suggestion(item.code, item.name, item.points) for item in items.by_name.values()]


async def _stations(scope: Scope) -> list[Suggestion]:
    return _suggested(await stations_of(scope))


async def _activities(scope: Scope) -> list[Suggestion]:
    return _suggested(await activities_of(scope))


def _suggested(there: Named) -> list[Suggestion]:
    return [Suggestion(str(one), name) for name, one in there.by_name.items()]


CHOICES: Mapping[WordKind, Callable[[Scope], Awaitable[list[Suggestion]]]] = {
    "item": _items, "station": _stations, "activity": _activities,
}  # fmt: skip


class WordKindUnknown(TimebankError):
    code = "word_kind_unknown"
    status = 422
    sentence = "“{value}”在这类表格里不能这样对应。请按试导入列出的词来写。"


def require_kind(kind: Kind, answers: Sequence[WordIn]) -> None:
    """Refuse answers about words that this kind of book does not have."""
    for answer in answers:
        if (kind, answer.kind) not in DECIDED or not word_key(answer.value):
            raise WordKindUnknown(value=answer.value)


async def choices_of(scope: Scope, word_kinds: Iterable[WordKind]) -> dict[WordKind, list[Suggestion]]:
    """All that a word of each of these kinds may mean, by name."""
    scope.require_admin()
    async with reading(scope):
        found = {word_kind: await CHOICES[word_kind](scope) for word_kind in set(word_kinds)}
    return {word_kind: sorted(choices, key=lambda one: pinyin(one.name)) for word_kind, choices in found.items()}


async def still_unknown(scope: Scope, kind: Kind, unknown: Sequence[UnknownWord]) -> list[UnknownWord]:
    """Those of these words that nobody has decided since, and that nothing has come to be called by."""
    scope.require_reader()
    named: dict[WordKind, set[str]] = {}
    async with reading(scope):
        for word_kind in {word.kind for word in unknown}:
            choices = await CHOICES[word_kind](scope)
            means = {None, *(one.means for one in choices)}  # None: it waits for a second person
            known = (await remembered(scope, kind, word_kind)).items()
            decided = {key for key, one in known if one.target in means}
            named[word_kind] = decided | {word_key(one.name) for one in choices}
    return [word for word in unknown if word_key(word.value) not in named[word.kind]]


@retried
async def remember_words(scope: Scope, kind: Kind, answers: Sequence[WordIn]) -> None:
    """Remember what these words mean, all or none. The same again changes nothing.

    What gives more than the catalogue already does waits for a second person, as when it is added by hand.
    """
    scope.require_admin()
    require_kind(kind, answers)
    # In one order, so that of two people who decide the same words one waits for the other, and then finds them known.
    by_key = {(answer.kind, word_key(answer.value)): answer for answer in answers}
    async with transaction(scope):
        for (word_kind, key), answer in sorted(by_key.items()):
            await _hold(scope, kind, answer, key)
            target, added = await DECIDED[kind, word_kind](scope, answer)
            await database.execute(
                "UPDATE import_word SET target = $5, added = added OR $6 "
                "WHERE community_id = $1 AND kind = $2 AND word_kind = $3 AND word_key = $4",
                scope.community_id, kind, word_kind, key[:WORD_MAX], target, added,
            )  # fmt: skip
        if by_key:
            await audit.record(scope, "map_words", "import_word", None, kind=kind, mapped=len(by_key))


async def _hold(scope: Scope, kind: Kind, answer: WordIn, key: str) -> None:
    """Take the row of a word, new or known, in the caller's name."""
    await database.execute(
        "INSERT INTO import_word (community_id, kind, word_kind, word_key, word, added, decided_by, decided_at) "
        "VALUES ($1, $2, $3, $4, $5, false, $6, $7) "
        "ON CONFLICT (community_id, kind, word_kind, word_key) DO UPDATE "
        "SET word = excluded.word, decided_by = excluded.decided_by, decided_at = excluded.decided_at",
        scope.community_id, kind, answer.kind, key[:WORD_MAX], answer.value, scope.actor_id, clock.now(),
    )  # fmt: skip
