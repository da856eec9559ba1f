"""Deliverers of a test capability: their effect is an audit row, by which it is counted how often they took effect."""

import asyncio
import os
import sys
from uuid import UUID

from timebank.core import audit, database, settings
from timebank.core.capability import Capability, Delivery, also
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.outbox import delivering
from timebank.outbox.putting import Parcel, put


async def deliver(scope: Scope, parcel: Parcel) -> None:
    """Write the audit row; with a payload of `fails` raise afterwards, with one of `hangs` stay for ever."""
    async with transaction(scope):
        await audit.record(scope, "delivered", "outbox", parcel.id, key=parcel.key)
        if "hangs" in parcel.payload and os.environ.get("TEST_HANGS"):
            sys.stdout.write("delivering\n")
            sys.stdout.flush()
            await asyncio.sleep(600)
        if "fails" in parcel.payload:
            raise ValueError("张桂兰 19900000000")


async def read_letter(scope: Scope, parcel: Parcel) -> None:
    """Read a letter from another community and answer it, in one transaction."""
    assert parcel.from_community is not None
    await deliver(scope, parcel)
    async with transaction(scope):
        await put(scope, "reply", parcel.key, {}, to=parcel.from_community)


WALKS = Capability(
    name="walks",
    package="tests.outbox",
    deliveries=(
        Delivery(kind="letter", verb="tests.outbox.parcels.read_letter", word="信"),
        Delivery(kind="reply", verb="tests.outbox.parcels.deliver", word="回信"),
        Delivery(kind="walk", verb="tests.outbox.parcels.deliver", word="散步"),
    ),
)


async def left(scope: Scope, *keys: str, kind: str = "walk", **payload: str) -> None:
    async with transaction(scope):
        for key in keys:
            await put(scope, kind, key, payload)


async def deliver_and_hang(community: str) -> None:
    """What the killed worker does: see test_delivering."""
    await database.create_pool(settings.current().database_url or "", 2)
    with also(WALKS):
        await delivering.deliver_due(Scope.of_system(UUID(community)))


if __name__ == "__main__":
    asyncio.run(deliver_and_hang(sys.argv[1]))
