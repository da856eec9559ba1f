"""Donations of points to the community's common pool."""

from uuid import UUID

from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.posting import HASH_VERSION, Posted, Posting
from timebank.ledger.resting import require_spendable
from timebank.ledger.schemas import DonationIn

GIVEN = phrase("entry.donation")


async def donate(scope: Scope, given: DonationIn, *, key: str, request_hash: bytes) -> Posted:
    """Donate a resident's own points to the common pool; points that expire first are used first.

    The ledger stores `key`: a repetition returns the first posting. There is no audit row, because the transfer names
    the actor. Raises NotFound for a record that is not an own one, SpendingRests, Insufficient and other refusals of
    the ledger.
    """
    if not scope.is_own(given.person_id):
        raise NotFound
    require_spendable(scope, [given.person_id])
    caller: UUID | None = scope.login_id or scope.person_id
    note = Posting(
        kind="donation", key=f"donation:{caller}:{key}", request_hash=HASH_VERSION + request_hash,
        source_kind="donation", source_id=clock.new_id(), memo=given.note.strip() or GIVEN,
    )  # fmt: skip
    return await posting.spend(scope, given.person_id, given.points, note, to="donated")
