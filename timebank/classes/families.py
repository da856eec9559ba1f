"""Notify a child's family: the guardians whose consent is in force, and the child once it can sign in."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Question, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.people.guardianship.care import guardian_ids
from timebank.people.identity.ages import is_guarded
from timebank.people.messages import Notification, notify_many


async def guardians_of(scope: Scope, children: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """By child, the guardians whose consent is in force. Somebody who is 18 has none."""
    async with transaction(scope):
        found = await database.fetch(
            f"SELECT child, ARRAY({guardian_ids('$1', 'child', '$3')}) AS guardians "  # noqa: S608  # no input
            "FROM unnest($2::uuid[]) AS child",
            scope.community_id, list(children), clock.local_day(),
        )  # fmt: skip
    return {UUID(bytes=row["child"].bytes): [UUID(bytes=each.bytes) for each in row["guardians"]] for row in found}


class Family(msgspec.Struct, frozen=True):
    """A child, and the guardians whose consent is in force; nobody has guardians from 18 on."""

    id: UUID
    born_on: date | None
    guardians: list[UUID]


_FAMILY = (
    f"SELECT p.id, p.born_on, ARRAY({guardian_ids('$1', '$2', '$3')}) AS guardians "  # noqa: S608  # no input
    "FROM person p WHERE p.community_id = $1 AND p.id = $2"
)


def family_question(scope: Scope, child_id: UUID) -> Question:
    """The question for the `Family` of a child, to be asked with others."""
    return database.one(_FAMILY, scope.community_id, child_id, clock.local_day())


class _Asked(msgspec.Struct, frozen=True):
    family: Family


async def notify_family(
    scope: Scope, child_id: UUID, kind: str, key: str, about_id: UUID | None = None, *, urgent: bool = False,
    family: Family | None = None, instead: Mapping[UUID, Phrase] | None = None, but: Collection[UUID] = (),
    **values: object,
) -> None:  # fmt: skip
    """Notify a child's guardians, and the child if it is old enough to sign in, once each.

    Whoever booked or paid is not notified for that alone. `instead`: another sentence by person; everybody in it is
    notified too. `but`: who is not notified. `family` is the child's, where the caller knows it.
    """
    own, says = instead or {}, phrase(kind, **values)
    if family is None:
        family = (await database.read(_Asked, family=family_question(scope, child_id))).family
    child = [] if is_guarded(family.born_on) else [child_id]
    everybody = dict.fromkeys([*family.guardians, *child, *own])
    to_send = [Notification(each, own.get(each, says), key, about_id) for each in everybody if each not in but]
    await notify_many(scope, to_send, urgent=urgent)
