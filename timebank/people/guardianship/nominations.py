"""Guardians named by a roster import: recorded for many children at once, still without consent."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
import msgspec

from timebank.agreements.independence import near
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.directory import names_of
from timebank.people.messages import Notification, notify_many


class OwnGuardian(TimebankError):
    code = "own_guardian"
    status = 403
    sentence = "不能用名单把自己或同户的家人登记为监护人。请到孩子的居民页登记，由另一位管理员确认。"


class Nomination(msgspec.Struct, frozen=True):
    """An adult household member to be named as the child's guardian."""

    guardian_id: UUID
    child_id: UUID
    relation: str


@retried
async def nominate_guardians(scope: Scope, nominations: Sequence[Nomination], import_id: UUID) -> list[UUID]:
    """Name guardians whose consent is recorded later; existing pairs stay unchanged. Returns the ids of the new ones.

    Each guardian is notified once, with all the children, that consent is needed. Raises OwnGuardian if the caller or
    a household member is among them: leave out what `own_nominations` returns.
    """
    scope.require_admin()
    async with transaction(scope):
        if await own_nominations(scope, nominations):
            raise OwnGuardian
        named = await database.insert_many(
            "guardianship",
            ("community_id", "id", "guardian_id", "child_id", "relation"),
            [(scope.community_id, clock.new_id(), n.guardian_id, n.child_id, n.relation) for n in nominations],
            "ON CONFLICT DO NOTHING RETURNING id, guardian_id, child_id",
        )
        await audit.record(scope, "nominate_guardians", "guardianship", None, named=len(named))
        to_send = [
            Notification(
                guardian_id, phrase("guardianship.nominated", children=children), f"import:{import_id}:guardian"
            )
            for guardian_id, children in (await _children(scope, named)).items()
        ]
        await notify_many(scope, to_send, import_id=import_id)
    return [row["id"] for row in named]


async def own_nominations(scope: Scope, nominations: Sequence[Nomination]) -> list[Nomination]:
    """The nominations of the caller and of household members, now or before; another administrator must make those."""
    close = await near(scope, {nomination.guardian_id for nomination in nominations})
    return [nomination for nomination in nominations if nomination.guardian_id in close.home]


async def _children(scope: Scope, named: Sequence[asyncpg.Record]) -> dict[UUID, list[str]]:
    """The names of each guardian's children in these rows."""
    names = await names_of(scope, [row["child_id"] for row in named])
    of_guardian: dict[UUID, set[str]] = {}
    for row in named:
        of_guardian.setdefault(UUID(bytes=row["guardian_id"].bytes), set()).add(names[row["child_id"]])
    return {guardian_id: sorted(children) for guardian_id, children in of_guardian.items()}


@retried
async def undo_nominations(
    scope: Scope, guardianship_ids: Sequence[UUID], import_id: UUID, *, leaving: Collection[UUID] = ()
) -> None:
    """Undo nominations without consent; those with consent stay. Notifies the guardians who are not in `leaving`."""
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "DELETE FROM guardianship WHERE community_id = $1 AND id = ANY ($2) AND consented_at IS NULL "
            "RETURNING guardian_id, child_id",
            scope.community_id, list(guardianship_ids),
        )  # fmt: skip
        to_send = [
            Notification(
                guardian_id, phrase("guardianship.nomination_undone", children=children),
                f"import:{import_id}:guardian-withdrawn",
            )
            for guardian_id, children in (await _children(scope, gone)).items()
            if guardian_id not in leaving
        ]  # fmt: skip
        await notify_many(scope, to_send, import_id=import_id)
        await audit.record(scope, "withdraw_nominations", "guardianship", None, given=len(guardianship_ids))
