"""Giving points to the community's common pool."""

from uuid import UUID

from timebank.errors import NotFound
from timebank.ledger import posting
from timebank.ledger.posting import Donation, Posted
from timebank.ledger.schemas import DonationIn
from timebank.locale import _
from timebank.scope import Scope

COMMON_POOL = _("捐给社区公共积分池")


async def donate(scope: Scope, given: DonationIn, *, key: str, request_hash: bytes) -> Posted:
    """Give a resident's own points to the common pool, those that expire first before the others.

    The ledger itself keeps the key: the same one again answers the first posting. The transfer, which names the
    actor, is the record of the change.
    """
    if not scope.is_own(given.person_id):
        raise NotFound
    caller: UUID | None = scope.login_id or scope.person_id
    memo = given.note.strip() or COMMON_POOL
    return await posting.donate(
        Donation(scope, given.person_id, given.points, f"donation:{caller}:{key}", request_hash, memo)
    )
