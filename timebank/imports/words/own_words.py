"""Nobody's own rows go by a word that they have decided themselves: somebody else decides it for these."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from timebank.imports.intake import Intake
from timebank.imports.words.words import Remembered, WordKind, decided_for_own

Use = tuple[str, UUID]
"""The key of a word, and whose row it stands in."""


@dataclass(frozen=True, slots=True)
class Barred:
    """The uses of words that their own people have decided; of these, `open` are those that the caller may decide."""

    uses: frozenset[Use] = frozenset()
    open: frozenset[Use] = frozenset()

    def of(self, keys: Collection[str], person_id: UUID) -> bool:
        return any((key, person_id) in self.uses for key in keys)

    def is_asked(self, keys: Collection[str], person_id: UUID) -> bool:
        """Whether the caller is to be asked for the word once more."""
        return any((key, person_id) in self.open for key in keys)


async def barred(
    intake: Intake, kind: WordKind, words: Mapping[str, Remembered], uses: Collection[Use],
    homes: Mapping[UUID, UUID | None] | None = None,
) -> Barred:  # fmt: skip
    """Which of these uses go by a word that the person, the family or a guardian has decided.

    What a trial supposes the caller has decided. `homes` are the households of people who are not in the book yet.
    """
    scope, homes = intake.scope, homes or {}
    own = await decided_for_own(scope, {**words, **intake.supposed(kind)}, uses, homes)
    if not own or not scope.actor_id:
        return Barred(frozenset(own), frozenset(own))
    by_caller = {key: Remembered(key, None, scope.actor_id) for key, _ in own}
    return Barred(frozenset(own), frozenset(own - await decided_for_own(scope, by_caller, own, homes)))
