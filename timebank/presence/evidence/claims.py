"""Claims: the right to check in within 120 seconds of opening a station's code, as of the time of the opening.

A person who has to sign in first therefore still checks in as of the scan. A claim is valid for one browser and one
session: that with which the code was opened, or, for a person who had to sign in first, the session that this browser
then signed in to.

A claim is signed, not stored, because link previews and prefetchers open links too and must not write anything. Its row
is written when it is used, so that it is valid once.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from timebank.core import clock, codes, database, vault
from timebank.core.database import Write, retried, transaction
from timebank.core.scope import Scope
from timebank.stations.stations import StationRow, station_row

LASTS = timedelta(seconds=120)
KEPT_FOR = timedelta(days=1)
_BODY_BYTES = 16 * 3 + 8 + 16
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right of one phone to check in at one station as of `scanned_at`; without a session before a sign-in."""

    community_id: UUID
    station_id: UUID
    id: UUID
    scanned_at: datetime
    binding_hash: bytes
    session_id: UUID | None

    @property
    def expires_at(self) -> datetime:
        return self.scanned_at + LASTS

    def token(self) -> str:
        """The signed token, which the phone keeps in a cookie that scripts cannot read."""
        body = self._body()
        return base64.urlsafe_b64encode(body + _mac(body, self.binding_hash)).decode().rstrip("=")

    def _body(self) -> bytes:
        milliseconds = int(self.scanned_at.timestamp() * 1000)
        names = self.community_id.bytes + self.station_id.bytes + self.id.bytes
        return names + milliseconds.to_bytes(8, "big") + (self.session_id.bytes if self.session_id else bytes(16))


def _mac(body: bytes, binding_hash: bytes) -> bytes:
    return hmac.digest(vault.key_for("claim"), body + binding_hash, "sha256")[:_MAC_BYTES]


def binding_hash(phone: str) -> bytes:
    """The SHA-256 hash of a phone's random cookie, which is stored instead of the cookie."""
    return hashlib.sha256(phone.encode()).digest()


async def shown_station(code: codes.StationCode) -> StationRow | None:
    """The station that signed this code with its current key; None for any other code. Checks no permission."""
    station = await station_row(Scope(community_id=code.community_id), code.station_id)
    return station if station is not None and codes.is_genuine(code, station.code_epoch) else None


def new_claim(code: codes.StationCode, phone: str, session_id: UUID | None) -> Claim | None:
    """A claim for the phone that has just opened this code; None where the code is not fresh any more."""
    now = clock.now()
    if not codes.is_fresh(code, now):
        return None
    return Claim(
        community_id=code.community_id,
        station_id=code.station_id,
        id=clock.new_id(),
        scanned_at=now,
        binding_hash=binding_hash(phone),
        session_id=session_id,
    )


def read_claim(token: str, phone: str) -> Claim | None:
    """The claim in this phone's cookie; None where it is expired, forged or another phone's."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac, bound = raw[:_BODY_BYTES], raw[_BODY_BYTES:], binding_hash(phone)
    if len(raw) != _BODY_BYTES + _MAC_BYTES or not hmac.compare_digest(mac, _mac(body, bound)):
        return None
    scanned_at = datetime.fromtimestamp(int.from_bytes(body[48:56], "big") / 1000, UTC)
    session_id = UUID(bytes=body[56:]) if any(body[56:]) else None
    claim = Claim(
        community_id=UUID(bytes=body[:16]),
        station_id=UUID(bytes=body[16:32]),
        id=UUID(bytes=body[32:48]),
        scanned_at=scanned_at,
        binding_hash=bound,
        session_id=session_id,
    )
    return claim if scanned_at <= clock.now() < claim.expires_at else None


def use_of(scope: Scope, claim: Claim) -> Write:
    """The row that records the use of a claim, so that it is used once."""
    return database.change(
        "INSERT INTO claim (community_id, id, station_id, binding_hash, scanned_at, expires_at, used_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (community_id, id) DO NOTHING",
        scope.community_id, claim.id, claim.station_id, claim.binding_hash, claim.scanned_at, claim.expires_at,
        clock.now(),
    )  # fmt: skip


@retried
async def purge_claims(scope: Scope) -> None:
    """Purge claims that expired more than a day ago; an expired claim cannot be used."""
    async with transaction(scope):
        await database.execute(
            "DELETE FROM claim WHERE community_id = $1 AND expires_at < $2",
            scope.community_id, clock.now() - KEPT_FOR,
        )  # fmt: skip
