"""Collection: a reserved good is handed over. Cancellation and expiry: `cancelling`; returns: `returns`."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access import pickup
from timebank.agreements.independence import NearFacts, is_near_home, near_by, near_question, signed_on
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.ledger.resting import require_rested
from timebank.people.locks import require_locked
from timebank.people.messages import notify
from timebank.presence.at_counter import ProvingScan, proof_question, require_proof
from timebank.presence.evidence.acted_for import require_other_hand
from timebank.shop.schemas import Redeemed, RedemptionStatus

NOUN = "redemption"
ENDED = {"collected": _("领走"), "cancelled": _("取消"), "expired": _("过期未领"), "returned": _("退货")}


class OwnRedemption(TimebankError):
    code = "own_redemption"
    status = 403
    sentence = "不能给自己或同一户的家人交付、退货。请另一位站长来办，到别的驿站凭取货码领，或请管理员在后台同意。"


class WrongCollectionCode(TimebankError):
    code = "wrong_collection_code"
    status = 422
    sentence = "取货码不对。请看居民手机上的 8 位数字，再输一次。"


class RedemptionEnded(TimebankError):
    code = "redemption_ended"
    status = 409
    sentence = "这份兑换已经{how}了，不能再办。"


class PersonNotActive(TimebankError):
    code = "person_not_active"
    status = 422
    sentence = "这位居民的账户已停用，不能兑换。请找社区管理员。"


class RedemptionOverdue(TimebankError):
    code = "redemption_overdue"
    status = 409
    sentence = "这份预留已过保留期，不能再领。积分退回多少，请看随后的消息；需要时请重新兑换。"


class LockedRedemption(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption under its row lock, with the facts needed to end it."""

    id: UUID
    person_id: UUID
    person_status: str
    household_id: UUID
    good_id: UUID
    station_id: UUID
    quantity: int
    points: int
    status: RedemptionStatus
    code: str | None
    entry_id: UUID
    settled_entry_id: UUID | None
    reserved_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by_login: UUID | None
    good: str
    unit: str
    station: str
    rests_until: datetime | None
    acted_by: UUID | None
    acted_by_login: UUID | None

    @property
    def what(self) -> str:
        return f"{self.good} {self.quantity} {self.unit}"


LOCKED = (
    "SELECT r.id, r.person_id, p.status AS person_status, r.household_id, r.good_id, r.station_id, r.quantity, "
    "r.points, r.status, k.code, r.entry_id, r.settled_entry_id, r.reserved_at, r.expires_at, "
    "r.ended_at, r.ended_by_login, g.name AS good, g.unit, t.name AS station, "
    "(SELECT max(x.until) FROM spending_rest x "
    "WHERE x.community_id = r.community_id AND x.person_id = r.person_id AND x.ended_at IS NULL) AS rests_until, "
    "r.reserved_by AS acted_by, r.reserved_by_login AS acted_by_login "
    "FROM redemption r "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id "
    "JOIN station t ON t.community_id = r.community_id AND t.id = r.station_id "
    "LEFT JOIN pickup k ON k.community_id = $1 AND k.noun = 'redemption' AND k.noun_id = r.id "
    "WHERE r.community_id = $1 AND r.id = $2 FOR NO KEY UPDATE OF r"
)


async def require_not_family(scope: Scope, person_id: UUID) -> None:
    """Refuse to serve the caller, a child in the caller's care, or a present or former household member of the caller.

    At a counter the caller is the keeper who is signed on. Raises OwnRedemption.
    """
    if await is_near_home(signed_on(scope), person_id):
        raise OwnRedemption


async def lock_redemption(scope: Scope, redemption_id: UUID, *, agreed: bool = False) -> LockedRedemption:
    """Lock the row of the redemption's person, then its own, and return the redemption.

    Raises NotFound where the caller may not see it; `agreed` skips that check for a second person.
    """
    holder = await lock_holder(scope, redemption_id)
    found = await database.row(LockedRedemption, LOCKED, scope.community_id, redemption_id)
    if found is None or not (agreed or scope.reads_at(found.station_id, own=scope.stands_for(found.person_id))):
        raise NotFound
    require_locked(found.person_id, [holder.person_id])
    return found


class Holder(msgspec.Struct, frozen=True):
    """Whose points a redemption holds, and at which station it waits."""

    person_id: UUID
    station_id: UUID


async def lock_holder(scope: Scope, redemption_id: UUID) -> Holder:
    """Lock the row of the person whose points a redemption holds. Raises NotFound.

    Only a merge of two records changes that person: pass it to `require_locked` once the redemption is locked.
    """
    found = await database.row(
        Holder,
        "SELECT p.id AS person_id, r.station_id FROM redemption r "
        "JOIN person p ON p.community_id = $1 AND p.id = r.person_id "
        "WHERE r.community_id = $1 AND r.id = $2 FOR NO KEY UPDATE OF p",
        scope.community_id, redemption_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


@retried
async def collect(
    scope: Scope, redemption_id: UUID, code: str | None, presence: str | None = None
) -> Redeemed:  # fmt: skip
    """Hand a reserved good over, proved by its collection code or by a scan of the person.

    What an administrator has reserved for the person needs the person's own code or card, and another hand. Raises
    OwnCodeNeeded, SameHand, and the refusals of `require_collectable`, `require_proof` and `hand_over`.
    """
    async with transaction(scope):
        holder = await lock_holder(scope, redemption_id)
        facts = await _facts(scope, redemption_id, holder, presence)
        found = require_collectable(scope, facts, holder)
        if code is None:
            await require_proof(scope, facts.scan)
        elif not await pickup.count_try(scope, NOUN, found.id, found.code, code):
            raise WrongCollectionCode
        else:
            # The login shows the code, so a login that may not spend yet collects nothing by it.
            require_rested(found.rests_until)
        await require_other_hand(scope, found, [found.person_id], facts.scan if code is None else None)
        await hand_over(scope, found)
    return Redeemed(id=found.id, status="collected", code=None, points=found.points, expires_at=found.expires_at)


class CollectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The redemption under its row lock, who is near the caller, and the scan that proves the person's presence."""

    redemption: LockedRedemption | None
    near: NearFacts
    scan: ProvingScan | None = None


async def _facts(scope: Scope, redemption_id: UUID, holder: Holder, presence: str | None) -> CollectionFacts:
    """Read the facts of a collection by one statement, under the lock of the person."""
    questions = {
        "redemption": database.one(LOCKED, scope.community_id, redemption_id),
        "near": near_question(signed_on(scope), [holder.person_id]),
    }
    if presence is not None:
        questions["scan"] = proof_question(scope, [holder.person_id], holder.station_id, presence)
    return await database.read(CollectionFacts, **questions)


def require_collectable(scope: Scope, facts: CollectionFacts, holder: Holder) -> LockedRedemption:
    """The redemption, if the caller may hand it over now.

    Raises NotFound, Forbidden, OwnRedemption, RedemptionEnded, RedemptionOverdue.
    """
    found = facts.redemption
    if found is None or not scope.reads_at(found.station_id, own=scope.stands_for(found.person_id)):
        raise NotFound
    require_locked(found.person_id, [holder.person_id])
    scope.require_keeper(found.station_id)
    if found.person_id in near_by(signed_on(scope), facts.near).home:
        raise OwnRedemption
    require_reserved(found)
    if found.expires_at <= clock.now():
        raise RedemptionOverdue
    return found


async def hand_over(scope: Scope, found: LockedRedemption) -> None:
    """Capture the hold of a reservation and mark it collected. The caller holds its row lock.

    Raises PersonNotActive for a person who is blocked or has left, even with the right code; the reservation expires.
    """
    if found.person_status != "active":
        raise PersonNotActive
    note = Posting(
        kind="settle",
        key=f"redemption:{found.id}:settle",
        source_kind="redemption",
        source_id=found.id,
        memo=phrase(
            "entry.good_collected", good=found.good, quantity=found.quantity, unit=found.unit, station=found.station
        ),
    )
    settled = await posting.capture(scope, found.entry_id, note)
    database.queue(
        database.change(
            "UPDATE redemption SET status = 'collected', ended_at = $3, ended_by = $4, "
            "settled_entry_id = $5, ended_by_login = $6 WHERE community_id = $1 AND id = $2 AND status = 'reserved'",
            scope.community_id, found.id, clock.now(), scope.person_id, settled.entry_id, scope.login_id,
        )
    )  # fmt: skip
    end_code(scope, found)
    await audit.record(scope, "collect", "redemption", found.id, about_id=found.person_id, points=found.points)
    await notify(
        scope, found.person_id, "redemption_collected", f"redemption:{found.id}:collected", found.id,
        station=found.station, what=found.what, points=found.points,
    )  # fmt: skip


def end_code(scope: Scope, found: LockedRedemption) -> None:
    """Queue the deletion of the code of a redemption that ends; one that was taken at once never had one."""
    if found.code is not None:
        pickup.end_pickup(scope, NOUN, found.id)


def require_reserved(found: LockedRedemption) -> None:
    """Raise RedemptionEnded for a redemption that is not reserved any more."""
    if found.status != "reserved":
        raise RedemptionEnded(how=ENDED[found.status])
