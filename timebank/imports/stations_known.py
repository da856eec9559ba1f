"""The stations of a community as a goods list meets them: by their names and by other words for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from timebank import clock, database, names
from timebank.imports.asking import ROWS_TOLD_MAX, WordMeaningUnknown, WordUnclear, alike
from timebank.imports.likeness import most_alike
from timebank.imports.parsed import UnknownUse
from timebank.imports.words import Suggestion, UnknownWord, WordIn, remembered, word_key
from timebank.scope import Scope
from timebank.stations.places import add_station
from timebank.stations.schemas import StationIn

NAME_MAX = 60


@dataclass(slots=True)
class Stations:
    """Open stations by their names. `aliases` are those that other words mean, by the word's key."""

    by_name: dict[str, UUID]
    aliases: dict[str, UUID] = field(default_factory=dict)

    def of(self, word: str) -> UUID | None:
        """The station that a sheet means: of this name, however it is spelt, else what the word was decided to be."""
        exact = self.by_name.get(names.clean(word))
        if exact is not None:
            return exact
        alike = {found for name, found in self.by_name.items() if word_key(name) == word_key(word)}
        return alike.pop() if len(alike) == 1 else self.aliases.get(word_key(word))

    @property
    def only(self) -> UUID | None:
        """The community's only station, where it has one."""
        return next(iter(self.by_name.values())) if len(self.by_name) == 1 else None

    def suppose(self, answers: Sequence[WordIn]) -> None:
        """Answer as if these words were decided already; for a trial, which writes nothing."""
        for answer in answers:
            self.aliases[word_key(answer.value)] = chosen(self, answer) or clock.new_id()

    def unknown(self, uses: Sequence[UnknownUse]) -> list[UnknownWord]:
        """The words of a list that somebody has to decide, the most frequent first."""
        choices = [(name, Suggestion(str(station_id), name)) for name, station_id in self.by_name.items()]
        return [
            UnknownWord(
                kind="station", value=same[0].value, count=len(same), rows=[use.row for use in same[:ROWS_TOLD_MAX]],
                points=None, waits=False, suggestions=list(most_alike(same[0].value, choices)),
            )
            for same in alike(uses)
        ]  # fmt: skip


def chosen(stations: Stations, answer: WordIn) -> UUID | None:
    """The station that an answer means; None for one that is to be added. Raises what is wrong with the answer."""
    if (answer.means is None) is not answer.new:
        raise WordUnclear(value=answer.value)
    means = answer.means or answer.value
    by_id = next((found for found in stations.by_name.values() if str(found) == means), None)
    found = by_id or stations.of(means)
    if found is None and answer.means is not None:
        raise WordMeaningUnknown(value=answer.value, means=answer.means)
    if found is None and len(answer.value) > NAME_MAX:
        raise WordUnclear(value=answer.value)
    return found


async def stations_of(scope: Scope) -> Stations:
    """The stations that are open, and the community's own words for them."""
    found = await database.fetch("SELECT id, name FROM station WHERE community_id = $1 AND active", scope.community_id)
    by_name = {row["name"]: UUID(bytes=row["id"].bytes) for row in found}
    by_id = {str(station_id): station_id for station_id in by_name.values()}
    words = await remembered(scope, "goods", "station")
    return Stations(by_name, {key: by_id[word.target] for key, word in words.items() if word.target in by_id})


async def decide_station(scope: Scope, answer: WordIn) -> tuple[str | None, bool]:
    """The id of the station that a word means, and whether it was added."""
    known = chosen(await stations_of(scope), answer)
    if known is not None:
        return str(known), False
    return str((await add_station(scope, StationIn(name=answer.value))).id), True
