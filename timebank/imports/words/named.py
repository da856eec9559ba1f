"""Looks up stations and activities by name or by a remembered word for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from asyncpg import Record

from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock, database, names
from timebank.core.scope import Scope
from timebank.imports.sheets.parsed import UnknownUse
from timebank.imports.words.asking import ROWS_TOLD_MAX, WordIsName, WordMeaningUnknown, WordUnclear, group_by_word
from timebank.imports.words.likeness import most_alike
from timebank.imports.words.words import (  # fmt: skip
    Remembered,
    Suggestion,
    UnknownWord,
    WordIn,
    WordKind,
    key_of,
    remembered,
    word_key,
)
from timebank.service_records.crediting.credit import rule_code_of
from timebank.stations.schemas import StationIn
from timebank.stations.stations import add_station

NAME_MAX = 60


@dataclass(slots=True)
class NameIndex:
    """A community's stations or activities by name; `aliases` maps the key of a remembered word to the id it means."""

    kind: WordKind
    by_name: dict[str, UUID]
    aliases: dict[str, UUID] = field(default_factory=dict)
    words: dict[str, Remembered] = field(default_factory=dict)

    def of(self, word: str) -> UUID | None:
        """The id of what has this name, or otherwise of what the remembered word means."""
        return self.called(word) or self.aliases.get(key_of(self.kind, word))

    def called(self, word: str) -> UUID | None:
        """The id of what has this name, or of the only one whose name differs just in marks, spaces, width or case."""
        exact = self.by_name.get(names.clean(word))
        if exact is not None:
            return exact
        alike = {found for name, found in self.by_name.items() if word_key(name) == word_key(word)}
        return alike.pop() if len(alike) == 1 else None

    @property
    def only(self) -> UUID | None:
        """The id, if the community has exactly one."""
        return next(iter(self.by_name.values())) if len(self.by_name) == 1 else None

    def suppose(self, answers: Sequence[WordIn]) -> None:
        """Treat these answers as decided words; for a trial run, which writes nothing."""
        for answer in answers:
            self.aliases[answer.key] = resolve_named(self, answer) or clock.new_id()

    def unknown(self, uses: Sequence[UnknownUse]) -> list[UnknownWord]:
        """The words of a workbook that somebody has to decide, the most frequent first."""
        choices = [(name, Suggestion(str(station_id), name)) for name, station_id in self.by_name.items()]
        return [
            UnknownWord(
                kind=self.kind, value=same[0].value, count=len(same), rows=[use.row for use in same[:ROWS_TOLD_MAX]],
                points=None, waits=False, suggestions=list(most_alike(same[0].value, choices)),
            )
            for same in group_by_word(uses)
        ]  # fmt: skip


def resolve_named(there: NameIndex, answer: WordIn) -> UUID | None:
    """The id that an answer means; None for a new one that is to be added.

    Raises WordUnclear, WordMeaningUnknown or WordIsName for an answer that cannot be used.
    """
    if (answer.means is None) is not answer.new or answer.cap is not None:
        raise WordUnclear(value=answer.value)
    means = answer.means or answer.value
    by_id = next((found for found in there.by_name.values() if str(found) == means), None)
    found, own = by_id or there.of(means), there.called(answer.value)
    if found is None and answer.means is not None:
        raise WordMeaningUnknown(value=answer.value, means=answer.means)
    if own is not None and found != own:
        raise WordIsName(value=answer.value)
    if found is None and len(answer.value) > NAME_MAX:
        raise WordUnclear(value=answer.value)
    return found


async def stations_of(scope: Scope, *, closed: bool = False) -> NameIndex:
    """The open stations, or all of them with `closed`, and the remembered words for them."""
    found = await database.fetch(
        "SELECT id, name FROM station WHERE community_id = $1 AND (active OR $2)", scope.community_id, closed
    )
    return _named("station", found, await remembered(scope, "station"))


async def activities_of(scope: Scope) -> NameIndex:
    """All activities, ended ones included, and the remembered words for them."""
    found = await database.fetch("SELECT id, name FROM activity WHERE community_id = $1", scope.community_id)
    return _named("activity", found, await remembered(scope, "activity"))


def _named(kind: WordKind, found: Sequence[Record], words: dict[str, Remembered]) -> NameIndex:
    by_name = {row["name"]: UUID(bytes=row["id"].bytes) for row in found}
    by_id = {str(one): one for one in by_name.values()}
    return NameIndex(
        kind, by_name, {key: by_id[word.target] for key, word in words.items() if word.target in by_id}, words
    )


async def decide_station(scope: Scope, answer: WordIn) -> tuple[str | None, bool]:
    """The id of the station that a word means, and whether it was added.

    An answer may name a closed station, because a sheet may be older than its closing.
    """
    known = resolve_named(await stations_of(scope, closed=answer.means is not None), answer)
    if known is not None:
        return str(known), False
    return str((await add_station(scope, StationIn(name=answer.value))).id), True


async def decide_activity(scope: Scope, answer: WordIn) -> tuple[str | None, bool]:
    """The id of the activity that a word means, and whether it was added (with the default service rule)."""
    known = resolve_named(await activities_of(scope), answer)
    if known is not None:
        return str(known), False
    wanted = ActivityIn(name=answer.value, rule_code=await rule_code_of(scope, None))
    return str((await add_activity(scope, wanted)).id), True
