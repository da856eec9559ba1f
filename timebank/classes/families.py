"""Who is told of a child's classes: the guardians whose consent is on record, and whoever booked or paid."""

from collections.abc import Collection, Mapping
from uuid import UUID

from timebank import database
from timebank.database import transaction
from timebank.people.messages import tell
from timebank.scope import Scope


async def guardians_of(scope: Scope, children: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The guardians of each child whose consent is in force."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT child_id, guardian_id FROM guardianship WHERE community_id = $1 AND child_id = ANY ($2) "
            "AND consented_at IS NOT NULL AND ended_at IS NULL ORDER BY id",
            scope.community_id, list(children),
        )  # fmt: skip
    guardians: dict[UUID, list[UUID]] = {child: [] for child in children}
    for row in found:
        guardians[UUID(bytes=row["child_id"].bytes)].append(UUID(bytes=row["guardian_id"].bytes))
    return guardians


async def names_of_people(scope: Scope, people: Collection[UUID]) -> dict[UUID, str]:
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id, name FROM person WHERE community_id = $1 AND id = ANY ($2)", scope.community_id, list(people)
        )
    return {UUID(bytes=row["id"].bytes): row["name"] for row in found}


async def tell_family(
    scope: Scope, child_id: UUID, kind: str, text: str, key: str, about_id: UUID | None = None, *,
    also: Collection[UUID] = (), own_words: Mapping[UUID, str] | None = None,
) -> None:  # fmt: skip
    """Tell a child's guardians, and `also` these people, once each; `own_words` has another text for some of them."""
    words = own_words or {}
    people = dict.fromkeys([*(await guardians_of(scope, [child_id]))[child_id], *also, *words])
    for person_id in people:
        await tell(scope, person_id, kind, words.get(person_id, text), key, about_id)
