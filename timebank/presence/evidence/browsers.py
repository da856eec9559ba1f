"""Who sent a station's code, as far as it can be told: the browser, the session, the network.

The browser and the session of two people who are in at once make a flag. A network never does: everybody on a station's
Wi-Fi, and everybody behind a mobile operator's gateway, has one address. It is kept as a hint for whoever looks.
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
    """`phone` is what is kept of a browser's random cookie, `address` the network address of the request."""

    phone: bytes | None = None
    address: str = ""

    def marks(self, scope: Scope) -> list[bytes]:
        """What stands for the browser: its cookie, and its session, which a program that drops its cookies keeps."""
        session = vault.blind_index(str(scope.session_id), "session") if scope.session_id else None
        return [mark for mark in (self.phone, session) if mark is not None]

    def hint(self, community_id: UUID) -> bytes | None:
        """The address as it is kept: hashed with a key and the day, so that it joins nothing of two days."""
        if not self.address:
            return None
        return vault.blind_index(f"{community_id}:{clock.local_day()}:{self.address}", "presence-address")


@retried
async def forget_addresses(scope: Scope) -> None:
    """Drop what is kept of the network addresses of scans of more than three days ago."""
    async with transaction(scope):
        await database.execute(
            "UPDATE visit SET in_address = NULL WHERE community_id = $1 AND in_at < $2 AND in_address IS NOT NULL",
            scope.community_id, clock.now() - ADDRESS_KEPT_FOR,
        )  # fmt: skip
