"""Presence at the counter: proof by a scan that a person was at this station in the last five minutes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.agreements.independence import near, signed_on
from timebank.core import clock, database
from timebank.core.capability import capabilities
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.ledger.resting import MergeRests, SpendingRests, require_merge_rested, require_rested
from timebank.people.guardianship.care import REGISTERED

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


class ProvingScan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan that proves presence, with the issuer of its card and until when its person may not spend."""

    person_id: UUID
    how: str
    issued_by: UUID | None
    issued_by_login: UUID | None
    confirmed: bool
    rests_until: datetime | None
    merge_rests_until: datetime | None


_SCANS = (
    "SELECT s.person_id, s.how, c.issued_by, c.issued_by_login, c.confirmed_by_login IS NOT NULL "  # noqa: S608
    "OR {vouched} AS confirmed, rest.until AS rests_until, rest.merge_until AS merge_rests_until FROM scan s "
    "CROSS JOIN LATERAL (SELECT max(r.until) AS until, max(r.until) FILTER (WHERE r.cause = 'merge') AS merge_until "
    "FROM spending_rest r WHERE r.community_id = s.community_id AND r.ended_at IS NULL "
    "AND (r.person_id = s.person_id OR r.person_id IN (SELECT g.guardian_id FROM guardianship g "
    f"WHERE g.community_id = s.community_id AND g.child_id = s.person_id AND {REGISTERED}))) AS rest "
    "LEFT JOIN card c ON c.community_id = s.community_id AND c.id = s.card_id "
    "WHERE s.community_id = $1 AND s.station_id = ANY ($2::text[]::uuid[]) AND s.received_at > $3 "
    "AND s.person_id = ANY ($4::text[]::uuid[]) "
    "AND s.status <> 'error' AND s.device_at IS NULL "
)


def _scans(more: str) -> str:
    """SQL of the recent scans at the caller's stations that prove presence, with `more` as a further condition."""
    agreed = [one.vouched for one in capabilities() if one.vouched]
    vouched = " OR ".join(
        f"EXISTS (SELECT FROM ({select}) AS v (person_id, at) WHERE v.person_id = s.person_id AND v.at >= c.issued_at)"
        for select in agreed
    )
    return _SCANS.format(vouched=vouched or "false") + more


async def require_presence(
    scope: Scope, person_ids: Collection[UUID], station_id: UUID, nonce: str | None, *, spends: bool = True
) -> None:  # fmt: skip
    """Refuse unless `nonce` is of a scan of one of these people at this station in the last five minutes.

    A scan of the station's code by the person counts, and a scan of the person's code or card by the caller. Scans by
    hand, offline scans and scans by another keeper do not. A card does not count where the caller, or somebody not
    independent of the caller, issued it, and nobody else on the staff has since confirmed it or agreed to a spending of
    its holder. With `spends`, a scan by phone is refused while the person's login (or a guardian's) rests, and every
    scan soon after two records of the person were merged. Raises PresenceNeeded, CardNotConfirmed, SpendingRests,
    MergeRests.
    """
    async with transaction(scope):
        found = await database.read(_Proof, scan=proof_question(scope, person_ids, station_id, nonce))
        await require_proof(scope, found.scan, spends=spends)


class _Proof(msgspec.Struct, frozen=True):
    scan: ProvingScan | None


async def proving_scan(
    scope: Scope, person_ids: Collection[UUID], station_id: UUID, nonce: str | None
) -> ProvingScan | None:
    """The scan by which `require_presence` judges, if there is one."""
    return (await database.read(_Proof, scan=proof_question(scope, person_ids, station_id, nonce))).scan


def proof_question(
    scope: Scope, person_ids: Collection[UUID], station_id: UUID, nonce: str | None
) -> database.Question:
    """The question for the scan that proves the presence of one of these people, to be asked with others."""
    return database.one(
        _scans(
            "AND s.nonce = $5 AND (s.how = 'station_code' OR s.how IN ('personal_code', 'card') AND s.by_login = $6)"
        ),
        scope.community_id, [str(station_id)], clock.now() - PROVES_FOR, database.as_texts(list(person_ids)), nonce,
        scope.login_id,
    )  # fmt: skip


async def require_proof(scope: Scope, scan: ProvingScan | None, *, spends: bool = True) -> None:
    """Refuse unless the scan proves presence; see `require_presence`. Raises what that raises."""
    if scan is None:
        raise PresenceNeeded
    if not await _is_card_of_another(scope, scan):
        raise CardNotConfirmed
    if spends:
        require_merge_rested(scan.merge_rests_until)
    if spends and scan.how != "card":
        require_rested(scan.rests_until)


async def _is_card_of_another(scope: Scope, scan: ProvingScan) -> bool:
    """Whether a scan was of no card, of a confirmed card, or of one whose issuer is independent of the caller."""
    if scan.confirmed:
        return True
    issuers = [scan.issued_by, scan.issued_by_login]
    return (await near(signed_on(scope), issuers[:1], issuers[1:])).is_uninvolved(issuers, issuers[:1])


async def was_scanned(scope: Scope, person_id: UUID) -> bool:
    """Whether the caller scanned the person's card or own code in the last five minutes, at a station of the caller's.

    A card issued by the caller, or by somebody not independent of the caller, counts only once somebody else has
    confirmed it.
    """
    stations = database.as_texts(list(scope.kept_stations))
    async with transaction(scope):
        if scope.administers:
            found = await database.fetch("SELECT id FROM station WHERE community_id = $1", scope.community_id)
            stations = [str(row["id"]) for row in found]
        scans = await database.rows(
            ProvingScan,
            _scans("AND s.how IN ('personal_code', 'card') AND s.by_login = $5 ORDER BY s.received_at DESC LIMIT 20"),
            scope.community_id, stations, clock.now() - PROVES_FOR, [str(person_id)], scope.login_id,
        )  # fmt: skip
        for scan in scans:
            if await _is_card_of_another(scope, scan):
                return True
    return False


async def is_present(scope: Scope, person_id: UUID, station_id: UUID, nonce: str | None) -> bool:
    """Whether `nonce` proves that the person is at this station and may spend; see `require_presence`."""
    try:
        await require_presence(scope, [person_id], station_id, nonce)
    except (PresenceNeeded, CardNotConfirmed, SpendingRests, MergeRests):
        return False
    return True
