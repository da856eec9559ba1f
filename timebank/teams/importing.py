"""Entering many people's skills at once, from a list that a unit or the community has written; and taking it back.

Whether to be found by a skill is the person's own act: what a list brings is findable by nobody and has no proof.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.identity.ages import is_guarded
from timebank.people.locks import lock_people
from timebank.people.messages import Notification, notify_many
from timebank.teams.skills import CannotOfferSkill


class Choice(msgspec.Struct, frozen=True):
    """A skill or team of the community that a list may name."""

    id: UUID
    name: str
    active: bool


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A skill that a list names for a person."""

    id: UUID
    person_id: UUID
    skill_id: UUID


async def skills_to_name(scope: Scope) -> list[Choice]:
    """Every skill of the community, those in use first."""
    return await database.rows(
        Choice, "SELECT id, name, active FROM skill WHERE community_id = $1 ORDER BY active DESC, name",
        scope.community_id,
    )  # fmt: skip


async def teams_to_name(scope: Scope) -> list[Choice]:
    """Every team of the community, those in use first."""
    return await database.rows(
        Choice, "SELECT id, name, active FROM team WHERE community_id = $1 ORDER BY active DESC, name",
        scope.community_id,
    )  # fmt: skip


async def offers_held(scope: Scope, person_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], bool]:
    """Which of these people have said something of which skill; true where they still offer it."""
    found = await database.fetch(
        "SELECT person_id, skill_id, withdrawn_at IS NULL AS offered FROM person_skill "
        "WHERE community_id = $1 AND person_id = ANY ($2)",
        scope.community_id, list(person_ids),
    )  # fmt: skip
    return {
        (UUID(bytes=row["person_id"].bytes), UUID(bytes=row["skill_id"].bytes)): row["offered"] for row in found
    }  # fmt: skip


async def teams_held(scope: Scope, person_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Which of these people belong to which team, or have asked to."""
    found = await database.fetch(
        "SELECT person_id, team_id FROM team_member WHERE community_id = $1 AND person_id = ANY ($2) "
        "AND left_on IS NULL",
        scope.community_id, list(person_ids),
    )  # fmt: skip
    return {(UUID(bytes=row["person_id"].bytes), UUID(bytes=row["team_id"].bytes)) for row in found}


@retried
async def offer_many(scope: Scope, listed: Sequence[Listed]) -> list[Listed | TimebankError | None]:
    """Enter these skills, for an administrator; nobody is found by them. A few statements for all.

    The answers are in their order: what was entered, None where the person has said something of it already or it is
    off the list, or CannotOfferSkill.
    """
    scope.require_use("teams")
    scope.require_admin()
    async with transaction(scope):
        people = {one.person_id for one in listed}
        await lock_people(scope, people)
        able = await _able(scope, people)
        held = set(await offers_held(scope, people))
        in_use = {one.id for one in await skills_to_name(scope) if one.active}
        answers: list[Listed | TimebankError | None] = []
        for one in listed:
            if one.person_id not in able:
                answers.append(CannotOfferSkill())
            elif one.skill_id not in in_use or (one.person_id, one.skill_id) in held:
                answers.append(None)
            else:
                held.add((one.person_id, one.skill_id))
                answers.append(one)
        await _insert(scope, [one for one in answers if isinstance(one, Listed)])
    return answers


async def _able(scope: Scope, person_ids: Collection[UUID]) -> set[UUID]:
    found = await database.fetch(
        "SELECT id, born_on FROM person WHERE community_id = $1 AND id = ANY ($2) AND status = 'active'",
        scope.community_id, list(person_ids),
    )  # fmt: skip
    return {UUID(bytes=row["id"].bytes) for row in found if not is_guarded(row["born_on"])}


async def _insert(scope: Scope, made: Sequence[Listed]) -> None:
    now = clock.now()
    await database.insert_many(
        "person_skill", ("community_id", "id", "person_id", "skill_id", "findable", "offered_at"),
        [(scope.community_id, one.id, one.person_id, one.skill_id, False, now) for one in made],
    )  # fmt: skip
    done = [(one.skill_id, {"person_id": one.person_id}) for one in made]
    await audit.record_many(scope, "enter_skill", "skill", done)


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    person_id: UUID
    name: str
    unchanged: bool


async def _named(scope: Scope, offer_ids: Collection[UUID]) -> list[_Named]:
    return await database.rows(
        _Named,
        "SELECT o.id, o.person_id, p.name, NOT o.findable AND o.note = '' "
        "AND num_nonnulls(o.withdrawn_at, o.proof_seen_at) = 0 AS unchanged FROM person_skill o "
        "JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id "
        "WHERE o.community_id = $1 AND o.id = ANY ($2) ORDER BY p.pinyin, p.id, o.id",
        scope.community_id, list(offer_ids),
    )  # fmt: skip


async def changed_offers(scope: Scope, offer_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of the people who, or for whom somebody, has said something of these entered skills since, by offer."""
    async with transaction(scope):
        return {one.id: one.name for one in await _named(scope, offer_ids) if not one.unchanged}


@retried
async def notify_entered(scope: Scope, offer_ids: Collection[UUID], import_id: UUID) -> None:
    """Notify each of these people once that the list says what they can do, and that nobody finds them by it."""
    async with transaction(scope):
        to_send = [
            Notification(person_id, phrase("skill_entered", count=count), f"skills:{import_id}:entered")
            for person_id, count in _by_person(scope, await _named(scope, offer_ids)).items()
        ]  # fmt: skip
        await notify_many(scope, to_send, import_id=import_id)


def _by_person(scope: Scope, named: Sequence[_Named]) -> Mapping[UUID, int]:
    """How many of these skills are whose; the caller's own do not count."""
    return Counter(one.person_id for one in named if not scope.stands_for(one.person_id))


@retried
async def withdraw_entered(
    scope: Scope, import_id: UUID, offer_ids: Collection[UUID], *, leaving: Collection[UUID] = ()
) -> int:
    """Remove the skills that an import has entered, and notify those who stay; return how many. Changed ones stay."""
    scope.require_admin()
    async with transaction(scope):
        named = await _named(scope, offer_ids)
        found = await database.fetch(
            "SELECT * FROM forget_imported_skills($1, $2, $3)", scope.community_id, import_id, list(offer_ids)
        )
        gone = {UUID(bytes=row[0].bytes) for row in found}
        people = _by_person(scope, [one for one in named if one.id in gone and one.person_id not in leaving])
        to_send = [
            Notification(one, phrase("skill_entered.undone", count=count), f"skills:{import_id}:undone")
            for one, count in people.items()
        ]  # fmt: skip
        await notify_many(scope, to_send, import_id=import_id)
        await audit.record(scope, "withdraw_entered", "skill", None, withdrawn=len(gone))
    return len(gone)
