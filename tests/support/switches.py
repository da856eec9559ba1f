"""Communities that have switched a capability on."""

from uuid import UUID

import asyncpg


async def switch_on(owner: asyncpg.Connection, community_id: UUID, *names: str) -> None:
    """Set the policies `uses_<name>` as an administrator would, without what the first switching on writes."""
    await owner.executemany(
        "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, $2, 1, now()) "
        "ON CONFLICT (community_id, name) DO UPDATE SET value = 1",
        [(community_id, f"uses_{name}") for name in names],
    )
