"""A word's meaning does not apply to the rows of those who decided it: another administrator has to decide it there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from timebank.imports.intake import Intake
from timebank.imports.words.words import Remembered, WordKind, decided_for_own

Use = tuple[str, UUID]
"""The key of a word, and the person in whose row it is used."""


@dataclass(frozen=True, slots=True)
class Barred:
    """The uses of words decided by the row's own person or family; the caller may decide those in `open`."""

    uses: frozenset[Use] = frozenset()
    open: frozenset[Use] = frozenset()

    def of(self, keys: Collection[str], person_id: UUID) -> bool:
        return any((key, person_id) in self.uses for key in keys)

    def is_asked(self, keys: Collection[str], person_id: UUID) -> bool:
        """Whether the caller may decide one of these words for this person, and is asked to."""
        return any((key, person_id) in self.open for key in keys)


async def barred(
    intake: Intake, kind: WordKind, words: Mapping[str, Remembered], uses: Collection[Use],
    homes: Mapping[UUID, UUID | None] | None = None,
) -> Barred:  # fmt: skip
    """The uses whose word was decided by the row's person, their family or a guardian.

    The answers of a trial run count as decided by the caller. `homes` maps people who are not registered yet to their
    households.
    """
    scope, homes = intake.scope, homes or {}
    own = await decided_for_own(scope, {**words, **intake.supposed(kind)}, uses, homes)
    if not own or not scope.actor_id:
        return Barred(frozenset(own), frozenset(own))
    by_caller = {key: Remembered(key, None, scope.actor_id) for key, _ in own}
    return Barred(frozenset(own), frozenset(own - await decided_for_own(scope, by_caller, own, homes)))
