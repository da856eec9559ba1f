"""Collection: a reserved good is handed over. Cancellation and expiry: `cancelling`; returns: `returns`."""

import hmac
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.sign_in import guesses
from timebank.agreements.independence import is_near_home, signed_on
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import memo
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.ledger.resting import require_rested
from timebank.people.locks import lock_people, require_locked
from timebank.people.messages import notify
from timebank.presence.at_counter import require_presence
from timebank.shop.schemas import Redeemed, RedemptionStatus
from timebank.shop.tables import Redemption

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
    good: str
    unit: str
    station: str
    rests_until: datetime | None

    @property
    def what(self) -> str:
        return f"{self.good} {self.quantity} {self.unit}"


LOCKED = (
    "SELECT r.id, r.person_id, p.status AS person_status, r.household_id, r.good_id, r.station_id, r.quantity, "
    "r.points, r.status, r.code, r.entry_id, r.settled_entry_id, r.reserved_at, r.expires_at, "
    "g.name AS good, g.unit, t.name AS station, (SELECT max(x.until) FROM spending_rest x "
    "WHERE x.community_id = r.community_id AND x.person_id = r.person_id AND x.ended_at IS NULL) AS rests_until "
    "FROM redemption r "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id "
    "JOIN station t ON t.community_id = r.community_id AND t.id = r.station_id "
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
    locked = await lock_customer(scope, redemption_id)
    found = await database.row(LockedRedemption, LOCKED, scope.community_id, redemption_id)
    if found is None or not (agreed or scope.reads_at(found.station_id, own=scope.stands_for(found.person_id))):
        raise NotFound
    require_locked(found.person_id, locked)
    return found


async def lock_customer(scope: Scope, redemption_id: UUID) -> list[UUID]:
    """Lock the row of the person whose points a redemption holds, and return that person's id in a list, if any.

    Only a merge of two records changes that person: pass the result to `require_locked` once the redemption is locked.
    """
    people = await database.fetch(
        "SELECT person_id FROM redemption WHERE community_id = $1 AND id = $2", scope.community_id, redemption_id
    )
    locked = [UUID(bytes=row["person_id"].bytes) for row in people]
    await lock_people(scope, locked)
    return locked


async def count_try(scope: Scope, redemption_id: UUID, code: str | None) -> None:
    """Count one try of a collection code.

    Call it before the transaction that checks the code: a rollback must not undo the count of a wrong try.
    """
    if code is not None:
        await guesses.count_guess_at(scope, f"collection:{redemption_id}")


@retried
async def collect(
    scope: Scope, redemption_id: UUID, code: str | None, presence: str | None = None
) -> Redeemed:  # fmt: skip
    """Hand a reserved good over, proved by its collection code or by a scan of the person. Call `count_try` first."""
    async with transaction(scope):
        found = await lock_redemption(scope, redemption_id)
        scope.require_keeper(found.station_id)
        await require_not_family(scope, found.person_id)
        require_reserved(found)
        if found.expires_at <= clock.now():
            raise RedemptionOverdue
        if code is None:
            await require_presence(scope, [found.person_id], found.station_id, presence)
        elif not hmac.compare_digest(code.replace(" ", ""), found.code or ""):
            raise WrongCollectionCode
        else:
            await guesses.was_right(scope)
            # The login shows the code, so a login that may not spend yet collects nothing by it.
            require_rested(found.rests_until)
        await hand_over(scope, found)
    return Redeemed(id=found.id, status="collected", code=None, points=found.points, expires_at=found.expires_at)


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
        memo=memo("good_collected", good=found.good, quantity=found.quantity, unit=found.unit, station=found.station),
    )
    settled = await posting.capture(scope, found.entry_id, note)
    await Redemption.update(
        {
            Redemption.status: "collected", Redemption.code: None, Redemption.ended_at: clock.now(),
            Redemption.ended_by: scope.person_id, Redemption.settled_entry_id: settled.entry_id,
        }
    ).where((Redemption.community_id == scope.community_id) & (Redemption.id == found.id))  # fmt: skip
    await audit.record(scope, "collect", "redemption", found.id, points=found.points)
    await notify(
        scope, found.person_id, "redemption_collected",
        f"您在{found.station}领取了{found.what}，用去 {found.points} 分。如果不是您本人领取，请马上告诉社区。",
        f"redemption:{found.id}:collected", found.id,
    )  # fmt: skip


def require_reserved(found: LockedRedemption) -> None:
    """Raise RedemptionEnded for a redemption that is not reserved any more."""
    if found.status != "reserved":
        raise RedemptionEnded(how=ENDED[found.status])
