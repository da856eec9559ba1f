"""The logins and role grants of a roster import: creating them all at once, and undoing them."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from timebank.access.roles.grants import OwnRole
from timebank.access.roles.in_force import is_not_over
from timebank.access.sign_in.logins import enter_logins
from timebank.agreements.independence import near
from timebank.areas.addresses import area_in_words
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Role, Scope
from timebank.core.wording import Phrase, phrase
from timebank.people.messages import Notification, notify_many


class PlannedGrant(msgspec.Struct, frozen=True):
    """A role over a grid, building or unit to grant to a person."""

    person_id: UUID
    role: Role
    area_id: UUID


@retried
async def ensure_logins(scope: Scope, phones: Sequence[tuple[str, UUID]]) -> int:
    """Find or create a login for each phone and join the records to it; people with one phone share a login.

    A record joins only the login of its own recorded phone. If that login has a holder, the record waits for the
    holder's answer. Returns how many records wait.
    """
    scope.require_admin()
    async with transaction(scope):
        entered = await enter_logins(scope, phones)
        asked = sum(not one.is_joined for one in entered)
        await audit.record(scope, "ensure_logins", "login", None, people=len(phones), asked=asked or None)
    return asked


@retried
async def undo_logins(scope: Scope, person_ids: Sequence[UUID]) -> None:
    """Detach these resident records from their logins; logins without records that were never used are deleted."""
    scope.require_admin()
    async with transaction(scope):
        left = await database.fetch(
            "DELETE FROM membership WHERE community_id = $1 AND person_id = ANY ($2) RETURNING login_id",
            scope.community_id, list(person_ids),
        )  # fmt: skip
        await database.execute(
            "DELETE FROM membership_question WHERE community_id = $1 AND person_id = ANY ($2)",
            scope.community_id, list(person_ids),
        )  # fmt: skip
        await database.execute("SELECT forget_unused_logins($1)", [row["login_id"] for row in left])
        await audit.record(scope, "withdraw_logins", "login", None, people=len(person_ids))


@retried
async def grant_roles(scope: Scope, offices: Sequence[PlannedGrant], import_id: UUID) -> list[UUID]:
    """Grant roles over areas from today on; an existing grant stays unchanged. Returns the ids of the new grants.

    Each holder is notified once of all their new roles. Raises OwnRole if the caller or a household member is among
    them: leave out what `own_role_grants` returns.
    """
    scope.require_admin()
    today: date = clock.local_day()
    async with transaction(scope):
        if await own_role_grants(scope, offices):
            raise OwnRole
        held_already = await _held(scope, offices, today)
        granted = await database.insert_many(
            "role_grant",
            ("community_id", "id", "person_id", "role", "area_id", "starts_on", "granted_by", "granted_at"),
            [
                (scope.community_id, clock.new_id(), office.person_id, office.role.value, office.area_id, today,
                 scope.person_id, clock.now())
                for office in offices
                if office not in held_already
            ],
            "RETURNING id, person_id, role, area_id",
        )  # fmt: skip
        for row in granted:
            await audit.record(
                scope, "grant_role", "role_grant", row["id"], person_id=row["person_id"], role=row["role"],
                area_id=row["area_id"],
            )  # fmt: skip
        held = await _in_words(scope, granted)
        to_send = [
            Notification(
                person_id, phrase("role_granted.imported", roles=roles, since=today), f"import:{import_id}:offices"
            )
            for person_id, roles in held.items()
        ]
        await notify_many(scope, to_send, import_id=import_id)
    return [row["id"] for row in granted]


async def _held(scope: Scope, offices: Sequence[PlannedGrant], today: date) -> set[PlannedGrant]:
    """Which roles over areas these people have, today or from a later day on."""
    found = await database.rows(
        PlannedGrant,
        "SELECT g.person_id, g.role, g.area_id FROM role_grant g WHERE g.community_id = $1 "  # noqa: S608  # no input
        f"AND g.person_id = ANY ($2) AND g.area_id IS NOT NULL AND {is_not_over('$3')}",
        scope.community_id, [office.person_id for office in offices], today,
    )  # fmt: skip
    return set(found)


async def own_role_grants(scope: Scope, offices: Sequence[PlannedGrant]) -> list[PlannedGrant]:
    """The role grants of the caller and of household members, now or before; another administrator must make those."""
    close = await near(scope, {office.person_id for office in offices})
    return [office for office in offices if office.person_id in close.home]


async def _in_words(scope: Scope, granted: Sequence[asyncpg.Record]) -> dict[UUID, list[Phrase]]:
    """The roles of each person in these rows, each with its area, such as 「楼栋长」（3栋）."""
    areas = await database.fetch(
        f"SELECT a.id, {area_in_words('a')} AS name FROM area a WHERE a.community_id = $1 AND a.id = ANY ($2)",  # noqa: S608  # no input
        scope.community_id, [row["area_id"] for row in granted],
    )  # fmt: skip
    names = {area["id"]: area["name"] for area in areas}
    held: dict[UUID, list[Phrase]] = {}
    for row in sorted(granted, key=lambda row: (row["role"], names[row["area_id"]])):
        role = phrase("held_role", role=phrase("role", role=row["role"]), place=names[row["area_id"]])
        held.setdefault(UUID(bytes=row["person_id"].bytes), []).append(role)
    return held


@retried
async def undo_role_grants(
    scope: Scope, grant_ids: Sequence[UUID], import_id: UUID, *, leaving: Collection[UUID] = ()
) -> None:
    """Undo role grants of an import: deletes the rows. Notifies the holders who are not in `leaving`."""
    scope.require_admin()
    async with transaction(scope):
        ended = await database.fetch(
            "DELETE FROM role_grant WHERE community_id = $1 AND id = ANY ($2) "
            "RETURNING person_id, role, area_id, ended_at",
            scope.community_id, list(grant_ids),
        )  # fmt: skip
        held = await _in_words(scope, [row for row in ended if row["ended_at"] is None])
        to_send = [
            Notification(
                person_id, phrase("role_ended.import_undone", roles=roles), f"import:{import_id}:offices-withdrawn"
            )
            for person_id, roles in held.items()
            if person_id not in leaving
        ]  # fmt: skip
        await notify_many(scope, to_send, import_id=import_id)
        await audit.record(scope, "withdraw_roles", "role_grant", None, grants=len(grant_ids))
