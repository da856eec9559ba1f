"""Restoring many points of a reversed deed needs a second person from above, as their first credit did."""

from typing import Any
from uuid import UUID

from timebank.agreements.kinds import Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import database
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.parties import people_of
from timebank.deeds.schemas import Deed

DEED_AGAIN = Kind(
    name="deed_again", sentence=_("把冲正了的「{rule}」{points} 分再记给{person}（{place}）。理由：{reason}")
)


async def propose_restoring(
    scope: Scope, deed: Deed, objection_id: UUID, note: str, raised_by: tuple[UUID | None, ...]
) -> Waiting:  # fmt: skip
    """Propose to restore the points of a reversed deed. Those who raised the objection are parties to the proposal."""
    do = {"objection_id": objection_id, "note": note}
    return await propose(
        scope, DEED_AGAIN, str(objection_id), do,
        {"rule": deed.rule, "points": deed.points, "reason": note, "place": deed.area},
        person_id=deed.person_id, involved=[*people_of(deed), *raised_by],
        before=await present_reversal_state(scope, do),
    )  # fmt: skip


async def present_reversal_state(scope: Scope, do: Any) -> list[object]:
    """The state on which the proposal relies: the deed's status and points, and the objection's decision."""
    found = await database.fetch_one(
        "SELECT d.status, d.points, o.upheld FROM objection o "
        "JOIN deed d ON d.community_id = o.community_id AND d.id = o.subject_id "
        "WHERE o.community_id = $1 AND o.id = $2 AND o.subject_kind = 'deed'",
        scope.community_id, UUID(str(do["objection_id"])),
    )  # fmt: skip
    return list(found) if found else []
