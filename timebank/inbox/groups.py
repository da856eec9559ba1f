"""What waits of each import, with who may decide it: shared by the kinds of which imports make rows."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from timebank.agreements.deciders import administrators_apart_from_each
from timebank.agreements.independence import near
from timebank.core.scope import Scope
from timebank.inbox.kinds import Group


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The waiting rows of one import; `entered` are those who have entered them."""

    batch_id: UUID
    waiting: int
    people: int
    doubtful: int
    minutes: int | None = None
    since: date
    until: date
    entered: list[UUID]


async def decidable_groups(scope: Scope, found: Sequence[Batch], language: str) -> list[Group]:
    """The groups of the inbox; each names who may decide it where the caller has entered it. In a transaction."""
    close = await near(scope, [person for batch in found for person in batch.entered])
    named = await administrators_apart_from_each(scope, [batch.entered for batch in found])
    return [
        Group(
            batch_id=batch.batch_id, waiting=batch.waiting, people=batch.people, doubtful=batch.doubtful,
            minutes=batch.minutes, since=batch.since, until=batch.until,
            mine=scope.administers and close.is_uninvolved(batch.entered),
            who=[officer.in_words(language) for officer in chosen],
        )
        for batch, chosen in zip(found, named, strict=True)
    ]  # fmt: skip
