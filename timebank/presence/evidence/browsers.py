"""Hashes that identify who sent a station's code: browser, session and network address.

Two people who are checked in at once by one browser or session get a flag. A network address never causes a flag,
because everybody on a station's Wi-Fi or behind a mobile operator's gateway shares one; it is a hint for reviewers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope

ADDRESS_KEPT_FOR = timedelta(days=3)
TOGETHER = timedelta(minutes=1)
CROWD = 3  # from this many people by one address within a minute on, reviewers get a hint


@dataclass(frozen=True, slots=True)
class Browser:
    """`phone` is the hash of a browser's random cookie, `address` the network address of the request."""

    phone: bytes | None = None
    address: str = ""

    def marks(self, scope: Scope) -> list[bytes]:
        """The hashes of the browser: of its cookie, and of its session, because a program can drop the cookie."""
        session = vault.blind_index(str(scope.session_id), "session") if scope.session_id else None
        return [mark for mark in (self.phone, session) if mark is not None]

    def hint(self, community_id: UUID) -> bytes | None:
        """The address as stored: an HMAC that includes the day, so that addresses of two days cannot be linked."""
        if not self.address:
            return None
        return vault.blind_index(f"{community_id}:{clock.local_day()}:{self.address}", "presence-address")


@retried
async def purge_addresses(scope: Scope) -> None:
    """Purge the stored network addresses of visits that began more than three days ago."""
    async with transaction(scope):
        await database.execute(
            "UPDATE visit SET in_address = NULL WHERE community_id = $1 AND in_at < $2 AND in_address IS NOT NULL",
            scope.community_id, clock.now() - ADDRESS_KEPT_FOR,
        )  # fmt: skip


class Crowd(msgspec.Struct, frozen=True):
    """One of several people who checked in within a minute from one network address."""

    visit_id: UUID
    record_id: UUID | None
    name: str
    station: str
    in_at: datetime


_CROWDS = (
    "SELECT v.id AS visit_id, r.id AS record_id, p.name, s.name AS station, v.in_at FROM visit v "
    "JOIN person p ON p.community_id = v.community_id AND p.id = v.person_id "
    "JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id "
    "LEFT JOIN service_record r ON r.community_id = v.community_id AND r.visit_id = v.id "
    "WHERE v.community_id = $1 AND v.in_at > $2 AND v.in_address IS NOT NULL AND v.status <> 'void' "
    "AND ($5::uuid IS NULL OR v.id = $5) AND (SELECT count(DISTINCT o.person_id) FROM visit o "
    "     WHERE o.community_id = $1 AND o.station_id = v.station_id AND o.in_address = v.in_address "
    "     AND o.status <> 'void' AND o.in_at > v.in_at - $3::interval AND o.in_at < v.in_at + $3::interval) >= $4 "
    "ORDER BY v.in_at DESC, v.id DESC LIMIT $6"
)


async def crowds(scope: Scope, visit_id: UUID | None = None, *, limit: int = 100) -> list[Crowd]:
    """Check-ins of the last three days with at least two other people's from one network address within a minute.

    They are a hint for reviewers, not a flag.
    """
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            Crowd, _CROWDS, scope.community_id, clock.now() - ADDRESS_KEPT_FOR, TOGETHER, CROWD, visit_id, limit
        )
