"""Presence at the counter: that a person stood at this station in the last five minutes, by their own code or card."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from timebank import clock, database
from timebank.agreements.independence import near, signed_on
from timebank.database import transaction
from timebank.errors import TimebankError
from timebank.scope import Scope

PROVES_FOR = timedelta(minutes=5)


class PresenceNeeded(TimebankError):
    code = "presence_needed"
    status = 422
    sentence = (
        "用积分、课时要本人在场：请在本站扫这位居民（或孩子的监护人）的码或卡，5 分钟内办完，或输入取货码、到课码。"
        "没有带手机和卡的，请另一位工作人员同意后再办。"
    )


class CardNotConfirmed(TimebankError):
    code = "card_not_confirmed"
    status = 422
    sentence = "这张卡是您自己或家里人刚办的，还没有另一位工作人员核对过。请另一位工作人员同意后再用它花积分。"


async def require_presence(scope: Scope, person_ids: Collection[UUID], station_id: UUID, nonce: str | None) -> None:
    """Refuse unless this nonce is of a scan of one of these people at this station in the last five minutes.

    A scan by hand proves nothing, nor one that waited on a device, nor one that another keeper made. A card proves it
    unless the caller, somebody who is no other person or one of the caller's household issued it and nobody else of the
    staff has confirmed it or agreed to spending for its holder since.
    """
    if nonce is None:
        raise PresenceNeeded
    async with transaction(scope):
        found = await database.fetch_one(
            "SELECT s.person_id, c.issued_by, c.issued_by_login, c.confirmed_by_login IS NOT NULL "
            "OR EXISTS (SELECT FROM counter_confirmation o WHERE o.community_id = s.community_id "
            "AND o.person_id = s.person_id AND o.status = 'agreed' AND o.decided_at >= c.issued_at) AS confirmed "
            "FROM scan s "
            "LEFT JOIN card c ON c.community_id = s.community_id AND c.id = s.card_id "
            "WHERE s.community_id = $1 AND s.nonce = $2 AND s.station_id = $3 AND s.person_id = ANY ($4) "
            "AND s.received_at > $5 AND s.status <> 'error' AND s.device_at IS NULL "
            "AND (s.how = 'station_code' OR s.how IN ('personal_code', 'card') AND s.by_login = $6)",
            scope.community_id, nonce, station_id, list(person_ids), clock.now() - PROVES_FOR, scope.login_id,
        )  # fmt: skip
        if found is None:
            raise PresenceNeeded
        if not found["confirmed"]:
            issuers = [found["issued_by"], found["issued_by_login"]]
            close = await near(signed_on(scope), issuers[:1], issuers[1:])
            if not close.is_uninvolved(issuers, issuers[:1]):
                raise CardNotConfirmed


async def is_present(scope: Scope, person_id: UUID, station_id: UUID, nonce: str | None) -> bool:
    """Whether this nonce proves that the person stands at this station."""
    try:
        await require_presence(scope, [person_id], station_id, nonce)
    except (PresenceNeeded, CardNotConfirmed):
        return False
    return True
