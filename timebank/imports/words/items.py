"""Look up the deeds of a workbook in the catalogue: by item name, by other words for it, or as an item to add."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec

from timebank.agreements.proposing import has_credited
from timebank.agreements.schemas import Waiting
from timebank.core import clock, database
from timebank.core.scope import Scope
from timebank.imports.sheets.parsed import UnknownUse
from timebank.imports.words.asking import ROWS_TOLD_MAX, WordIsName, WordMeaningUnknown, WordUnclear, group_by_word
from timebank.imports.words.likeness import most_alike
from timebank.imports.words.words import Remembered, Suggestion, UnknownWord, WordIn, remembered, word_key
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn, RuleOut

NAME_MAX = 60


class _Version(msgspec.Struct, frozen=True):
    code: str
    name: str
    points: int
    active: bool
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A deed of the catalogue, with its versions from the oldest to the one in force."""

    versions: Sequence[_Version]
    is_tried: bool = False
    """Whether the import would add it; only used in a trial run."""

    @property
    def code(self) -> str:
        return self.versions[-1].code

    @property
    def name(self) -> str:
        return self.versions[-1].name

    @property
    def points(self) -> int:
        return self.versions[-1].points

    def worth_on(self, day: date) -> int:
        """Its points at the end of a day; today's points for a day before its first version, as when filed by hand."""
        end = clock.day_bounds(day)[1]
        return next((v.points for v in reversed(self.versions) if v.valid_from < end), self.points)


@dataclass(slots=True, kw_only=True)
class Items:
    """The items in which a workbook's deeds are looked up. `aliases` maps the key of another word to an item's name."""

    by_name: dict[str, Item]
    words: dict[str, Remembered]
    waiting: AbstractSet[str]
    has_credited: bool
    aliases: dict[str, str] = field(default_factory=dict)
    tried: list[RuleOut] = field(default_factory=list)
    """Rules that the import would add; only used in a trial run."""

    def named(self, means: str) -> Item | None:
        """The item of this code, else of this name however it is spelt."""
        return next((item for item in self.by_name.values() if item.code == means), self.called(means))

    def called(self, word: str) -> Item | None:
        """The item of this name, however it is spelt."""
        return next((item for item in self.by_name.values() if word_key(item.name) == word_key(word)), None)

    def waits(self, points: int | None) -> bool:
        """Whether a new item of these points waits for a second person.

        It does once the community has credited anything, if it gives more points than every existing item.
        """
        most = max((item.points for item in self.by_name.values() if not item.is_tried), default=0)
        return self.has_credited and (points or 0) > most

    def suppose(self, answers: Sequence[WordIn], *, by_operator: bool) -> None:
        """Treat these answers as decided words; for a trial run, which writes nothing."""
        for answer in answers:
            key, item = answer.key, resolve_item(self, answer)
            if item is None and (key in self.waiting or (not by_operator and self.waits(answer.points))):
                self.waiting = self.waiting | {key}
                continue
            if item is None:
                rule = _rule_of(answer)
                self.tried.append(
                    RuleOut(
                        code=f"+{key}", version=1, kind="deed", name=answer.value, minutes_per_point=None,
                        points=rule.points, unit=None, cap_period=rule.cap_period,
                        cap_per_person=rule.cap_per_person, cap_per_area=rule.cap_per_area, active=True,
                        valid_from=clock.now(), changed_by=None,
                    )
                )  # fmt: skip
                begun = _Version(f"+{key}", answer.value, answer.points or 0, active=True, valid_from=clock.now())
                item = self.by_name[answer.value] = Item([begun], is_tried=True)
            self.aliases[key] = item.name

    def unknown(self, uses: Sequence[UnknownUse], listed: Mapping[str, int]) -> list[UnknownWord]:
        """The words of a workbook that somebody has to decide, the most frequent first.

        `listed` holds the items and points of a catalogue in the workbook; its items that no row uses come last.
        """
        points = {word_key(item): worth for item, worth in listed.items()}
        met = [self._told(same[0].value, same, points) for same in group_by_word(uses)]
        known = {word_key(word.value) for word in met} | set(self.aliases) | set(map(word_key, self.by_name))
        unmet = (item for item in listed if word_key(item) not in known | self.waiting)
        return met + [self._told(item, [], points) for item in unmet]

    def _told(self, value: str, uses: Sequence[UnknownUse], listed: Mapping[str, int]) -> UnknownWord:
        said = Counter(use.points for use in uses if use.points is not None)
        points = listed.get(word_key(value)) or (said.most_common(1)[0][0] if said else None)
        choices = [(item.name, Suggestion(item.code, item.name, item.points)) for item in self.by_name.values()]
        return UnknownWord(
            kind="item", value=value, count=len(uses), rows=[use.row for use in uses[:ROWS_TOLD_MAX]], points=points,
            waits=self.waits(points), suggestions=list(most_alike(value, choices)),
        )  # fmt: skip


def resolve_item(items: Items, answer: WordIn) -> Item | None:
    """The item that an answer means; None if it is to be added.

    Raises WordUnclear, WordMeaningUnknown or WordIsName for a wrong answer.
    """
    if (answer.means is None) is not answer.new:
        raise WordUnclear(value=answer.value)
    found, own = items.named(answer.means or answer.value), items.called(answer.value)
    if found is None and answer.means is not None:
        raise WordMeaningUnknown(value=answer.value, means=answer.means)
    # If two people add the same item at once, the second is refused if the points differ.
    if own is not None and (found is not own or (answer.new and answer.points not in (None, own.points))):
        raise WordIsName(value=answer.value)
    if found is not None:
        return found
    waits = answer.key in items.waiting
    if (answer.points is None and not waits) or len(answer.value) > NAME_MAX:
        raise WordUnclear(value=answer.value)
    return None


async def items_of(scope: Scope) -> Items:
    """The deeds of the catalogue that may be filed today, and the community's decided words for them."""
    versions = await database.rows(
        _Version,
        "SELECT code, name, points, active, valid_from FROM rule WHERE community_id = $1 AND kind = 'deed' "
        "AND valid_from <= $2 ORDER BY code, version",
        scope.community_id, clock.now(),
    )  # fmt: skip
    by_code: dict[str, list[_Version]] = {}
    for version in versions:
        by_code.setdefault(version.code, []).append(version)
    active = {code: Item(found) for code, found in by_code.items() if found[-1].active}
    waiting = await database.fetch(
        "SELECT change -> 'do' ->> 'name' AS name FROM waiting_change "
        "WHERE community_id = $1 AND kind = 'looser_rule' AND status = 'waiting'",
        scope.community_id,
    )  # fmt: skip
    words = await remembered(scope, "item")
    return Items(
        by_name={item.name: item for item in active.values()}, words=words,
        waiting={word_key(row["name"]) for row in waiting},
        has_credited=await has_credited(scope),
        aliases={key: active[word.target].name for key, word in words.items() if word.target in active},
    )  # fmt: skip


async def decide_item(scope: Scope, answer: WordIn) -> tuple[str | None, bool]:
    """The code of the item that a word means, and whether it was added; no code while it waits for a second person."""
    items = await items_of(scope)
    item = resolve_item(items, answer)
    if item is not None:
        return item.code, False
    if answer.key in items.waiting:
        return None, False
    made = await set_rule(scope, _rule_of(answer))
    return (None, False) if isinstance(made, Waiting) else (made.code, True)


def _rule_of(answer: WordIn) -> RuleIn:
    """The rule of a new item."""
    most = answer.most
    has_cap = most.per_person is not None or most.per_area is not None
    return RuleIn(
        kind="deed", name=answer.value, points=answer.points, cap_period=most.period if has_cap else None,
        cap_per_person=most.per_person, cap_per_area=most.per_area,
    )  # fmt: skip
