"""Giving points to the community's common pool."""

from timebank import audit, clock, database
from timebank.database import transaction
from timebank.errors import NotFound
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.ledger.schemas import DonationIn, DonationOut
from timebank.locale import _
from timebank.scope import Scope

COMMON_POOL = _("捐给社区公共积分池")


async def donate(scope: Scope, given: DonationIn) -> DonationOut:
    """Give a resident's own points to the common pool, those that expire first before the others."""
    if not scope.is_own(given.person_id):
        raise NotFound
    donation_id = clock.new_id()
    async with transaction(scope):
        note = Posting(
            "donation", f"donation:{donation_id}", "donation", donation_id, given.note.strip() or COMMON_POOL
        )
        posted = await posting.spend(scope, given.person_id, given.points, note, to="donated")
        balance: int = await database.fetch_value(
            "SELECT coalesce(sum(balance), 0)::bigint FROM account WHERE community_id = $1 AND owner_kind = 'person' "
            "AND owner_id = $2 AND currency = 'point' AND bucket = 'available' "
            "AND (expires_on IS NULL OR expires_on >= $3)",
            scope.community_id, given.person_id, clock.local_day(),
        )  # fmt: skip
        await audit.record(scope, "donate", "entry", posted.entry_id, points=given.points)
    return DonationOut(posted.entry_id, given.points, balance)
