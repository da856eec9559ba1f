"""Hashes that identify who sent a station's code: browser, session and network address.

Two people who are checked in at once by one browser or session get a flag. A network address never causes a flag,
because everybody on a station's Wi-Fi or behind a mobile operator's gateway shares one; it is a hint for reviewers.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope

ADDRESS_KEPT_FOR = timedelta(days=3)


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
