"""Photos that prove a deed: who adds them until it is decided, and who publishes them. A child's deed takes none."""

from uuid import UUID

from timebank.agreements.independence import is_caller
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import HEADS, Role, Scope
from timebank.deeds.parties import may_review_deed, party_to
from timebank.deeds.reading import find_deed
from timebank.deeds.review import DeedReviewed
from timebank.objections.deciding import PartyToDeed
from timebank.people.identity.ages import ADULT_FROM, age_on


class DeedOfChild(TimebankError):
    code = "no_photos_of_children"
    status = 422
    sentence = "孩子的事不放照片。请只用文字写清楚。"


async def adding_refusal(scope: Scope, deed_id: UUID) -> TimebankError | None:
    """Why the caller may not add a photo now: only the filer may, and a head or grid worker to an own deed."""
    async with transaction(scope):
        deed = await find_deed(scope, deed_id)
        on_duty = scope.is_own(deed.person_id) and scope.has(*HEADS, Role.grid_worker)
        if not (on_duty or is_caller(scope, deed.filed_by)):
            return Forbidden()
        if deed.status != "filed":
            return DeedReviewed()
        born_on = await database.fetch_value(
            "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, deed.person_id
        )
    is_child = born_on is not None and age_on(born_on, deed.occurred_on) < ADULT_FROM
    return DeedOfChild() if is_child else None


async def publishing_refusal(scope: Scope, deed_id: UUID) -> TimebankError | None:
    """Why the caller may not publish the deed's photos: who may review it and is no party may."""
    deed = await find_deed(scope, deed_id)
    if not may_review_deed(scope, deed):
        return Forbidden()
    return PartyToDeed() if await party_to(scope, [deed]) else None


CLOSED = (
    "SELECT d.id, CASE WHEN d.status IN ('filed', 'noticed', 'objected') OR EXISTS (SELECT FROM objection o "
    "WHERE o.community_id = d.community_id AND o.subject_kind = 'deed' AND o.subject_id = d.id AND o.upheld IS NULL) "
    "THEN NULL "
    "ELSE greatest(d.created_at, d.reviewed_at, d.withdrawn_at, "
    "(SELECT max(o.decided_at) FROM objection o "
    "WHERE o.community_id = d.community_id AND o.subject_kind = 'deed' AND o.subject_id = d.id), "
    "(SELECT max(greatest(t.posted_at, r.posted_at, b.created_at)) FROM transfer t "
    "LEFT JOIN transfer r ON r.community_id = t.community_id AND r.reverses = t.id "
    "LEFT JOIN debt b ON b.community_id = t.community_id AND b.reverses = t.id "
    "WHERE t.community_id = d.community_id AND t.entry_id = d.entry_id)) END "
    "FROM deed d WHERE d.community_id = $1"
)
"""When each deed was decided for good: its last review, credit, reversal or decided objection. Null before that."""
