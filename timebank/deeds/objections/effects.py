"""What an objection does to a deed: its credit waits, it is rejected, goes on, or is credited again."""

from uuid import UUID

from timebank.agreements.schemas import Waiting
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.credit import issue_deed_points
from timebank.deeds.objections.restoring import DEED_AGAIN, propose_restoring
from timebank.deeds.reading import lock_deed
from timebank.deeds.review import needs_second
from timebank.deeds.tables import Deed as DeedTable
from timebank.objections.schemas import Raised
from timebank.objections.subjects import Subject
from timebank.people.messages import notify

_SELECT = """
SELECT d.id, d.person_id, r.name AS what, d.occurred_on, NULL::timestamptz AS started_at, d.points,
       NULL::integer AS minutes,
       CASE WHEN d.status IN ('noticed', 'objected') THEN 'published' WHEN d.status = 'reversed' THEN 'reversed'
       ELSE 'other' END AS stage,
       ARRAY[coalesce(d.filed_by, d.person_id), CASE WHEN d.status <> 'reversed' THEN d.reviewed_by END] AS acted,
       '{}'::uuid[] AS logins, ARRAY[d.person_id, d.witness_id] AS concerns
FROM deed d
JOIN rule r ON r.community_id = $1 AND r.code = d.rule_code AND r.version = d.rule_version
WHERE d.community_id = $1
"""


async def _hold(scope: Scope, raised: Raised) -> None:
    deed = await lock_deed(scope, raised.subject_id)
    await _set_status(scope, deed.id, "objected")
    await notify(
        scope, deed.person_id, "deed_objected", f"deed:{deed.id}:objected:{raised.id}", deed.id,
        rule=deed.rule, day=deed.occurred_on,
    )  # fmt: skip


async def _uphold(scope: Scope, raised: Raised, note: str) -> None:
    deed = await lock_deed(scope, raised.subject_id)
    await DeedTable.update({DeedTable.status: "rejected", DeedTable.review_note: note}).where(
        (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id)
    )
    await notify(
        scope, deed.person_id, "deed_rejected.objected", f"deed:{deed.id}:rejected", deed.id,
        rule=deed.rule, day=deed.occurred_on, note=note,
    )  # fmt: skip


async def _dismiss(scope: Scope, raised: Raised) -> None:
    deed = await lock_deed(scope, raised.subject_id)
    await _set_status(scope, deed.id, "filed" if deed.witness_answer == "denied" else "noticed")
    await notify(
        scope, deed.person_id, "deed_noticed", f"deed:{deed.id}:noticed:{raised.id}", deed.id,
        rule=deed.rule, day=deed.occurred_on,
    )  # fmt: skip


async def _restore(scope: Scope, raised: Raised) -> None:
    deed = await lock_deed(scope, raised.subject_id)
    await issue_deed_points(scope, deed, key=f"deed:{deed.id}:restored:{raised.id}")


async def _ask_above(scope: Scope, raised: Raised, note: str) -> Waiting | None:
    """Propose to restore the points of a reversed deed where these need a second person; None where they do not."""
    deed = await lock_deed(scope, raised.subject_id)
    if not await needs_second(scope, deed):
        return None
    return await propose_restoring(scope, deed, raised.id, note, (raised.person_id, raised.entered_by))


async def _set_status(scope: Scope, deed_id: UUID, status: str) -> None:
    await DeedTable.update({DeedTable.status: status}).where(
        (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed_id)
    )


DEED = Subject(
    kind="deed", rejected="outcome.deed_rejected", look=_("看这件善行"), select=_SELECT, lock=lock_deed,
    hold=_hold, uphold=_uphold, dismiss=_dismiss, restore=_restore, ask_above=_ask_above, again=DEED_AGAIN,
)  # fmt: skip
