"""The logins and role grants of a roster import: creating them all at once, and undoing them."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from timebank.access.roles.grants import OwnRole
from timebank.access.roles.listing import AREA_NAME
from timebank.access.roles.words import ROLES
from timebank.access.sign_in.logins import enter_logins
from timebank.agreements.independence import near
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Role, Scope
from timebank.core.wording import dated
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
        tellings = [
            Notification(
                person_id, f"社区按花名册给您登记了{offices}的身份，从{dated(today)}起。不对的话请找社区管理员。",
                f"import:{import_id}:offices",
            )
            for person_id, offices in held.items()
        ]  # fmt: skip
        await notify_many(scope, "role_granted", tellings, import_id=import_id)
    return [row["id"] for row in granted]


async def _held(scope: Scope, offices: Sequence[PlannedGrant], today: date) -> set[PlannedGrant]:
    """Which roles over areas these people have, today or from a later day on."""
    found = await database.rows(
        PlannedGrant,
        "SELECT person_id, role, area_id FROM role_grant WHERE community_id = $1 AND person_id = ANY ($2) "
        "AND area_id IS NOT NULL AND ended_at IS NULL AND (ends_on IS NULL OR ends_on >= $3)",
        scope.community_id, [office.person_id for office in offices], today,
    )  # fmt: skip
    return set(found)


async def own_role_grants(scope: Scope, offices: Sequence[PlannedGrant]) -> list[PlannedGrant]:
    """The role grants of the caller and of household members, now or before; another administrator must make those."""
    close = await near(scope, {office.person_id for office in offices})
    return [office for office in offices if office.person_id in close.home]


async def _in_words(scope: Scope, granted: Sequence[asyncpg.Record]) -> dict[UUID, str]:
    """The roles of each person in these rows as text, such as 「楼栋长」（3栋）、「单元长」（3栋1单元）."""
    areas = await database.fetch(
        f"SELECT a.id, {AREA_NAME} AS name FROM area a WHERE a.community_id = $1 AND a.id = ANY ($2)",  # noqa: S608  # no input
        scope.community_id, [row["area_id"] for row in granted],
    )  # fmt: skip
    names = {area["id"]: area["name"] for area in areas}
    held: dict[UUID, list[str]] = {}
    for row in granted:
        office = f"「{ROLES[Role(row['role'])]}」（{names[row['area_id']]}）"
        held.setdefault(UUID(bytes=row["person_id"].bytes), []).append(office)
    return {person_id: "、".join(sorted(offices)) for person_id, offices in held.items()}


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
        tellings = [
            Notification(
                person_id, f"您的{offices}身份取消了：登记它的花名册已撤销。不对的话请找社区管理员。",
                f"import:{import_id}:offices-withdrawn",
            )
            for person_id, offices in held.items()
            if person_id not in leaving
        ]  # fmt: skip
        await notify_many(scope, "role_ended", tellings, import_id=import_id)
        await audit.record(scope, "withdraw_roles", "role_grant", None, grants=len(grant_ids))
