"""Notify a child's family: the guardians whose consent is in force, and the child once it can sign in."""

from collections.abc import Collection, Mapping
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.people.guardianship.care import in_care
from timebank.people.identity.ages import is_guarded
from timebank.people.messages import Notification, notify_many


async def guardians_of(scope: Scope, children: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """By child, the guardians whose consent is in force. Somebody who is 18 has none."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT g.child_id, g.guardian_id FROM guardianship g "  # noqa: S608  # no input
            "JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id "
            f"WHERE g.community_id = $1 AND g.child_id = ANY ($2) AND {in_care('$3')} ORDER BY g.id",
            scope.community_id, list(children), clock.local_day(),
        )  # fmt: skip
    guardians: dict[UUID, list[UUID]] = {child: [] for child in children}
    for row in found:
        guardians[UUID(bytes=row["child_id"].bytes)].append(UUID(bytes=row["guardian_id"].bytes))
    return guardians


async def notify_family(
    scope: Scope, child_id: UUID, kind: str, key: str, about_id: UUID | None = None, *, urgent: bool = False,
    instead: Mapping[UUID, Phrase] | None = None, but: Collection[UUID] = (), **values: object,
) -> None:  # fmt: skip
    """Notify a child's guardians, and the child if it is old enough to sign in, once each.

    Whoever booked or paid is not notified for that alone. `instead`: another sentence by person; everybody in it is
    notified too. `but`: who is not notified.
    """
    own, says = instead or {}, phrase(kind, **values)
    born_on = await database.fetch_value(
        "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, child_id
    )
    child = [] if is_guarded(born_on) else [child_id]
    family = dict.fromkeys([*(await guardians_of(scope, [child_id]))[child_id], *child, *own])
    to_send = [Notification(each, own.get(each, says), key, about_id) for each in family if each not in but]
    await notify_many(scope, to_send, urgent=urgent)
