"""Somebody who has stolen the service's database address: what they set, and that the database refuses."""

from uuid import UUID

import asyncpg
import pytest

REFUSED = asyncpg.InsufficientPrivilegeError


async def steal(
    serving: asyncpg.Connection, *communities: UUID, session: UUID | None = None, proof: str = "", device: str = ""
) -> None:
    """Set whatever a thief can set: every community in sight, a session's id, a proof, a device's."""
    for name, value in (
        ("communities", "{" + ",".join(map(str, communities)) + "}"),
        ("sessions", f"{{{session}}}" if session else ""),
        ("proof", proof),
        ("device", device),
    ):
        await serving.execute("SELECT set_config($1, $2, false)", f"timebank.{name}", value)


async def refused(serving: asyncpg.Connection, statement: str, *values: object) -> str:
    """What the database says to a statement that it must refuse."""
    with pytest.raises(REFUSED) as error:
        await serving.execute(statement, *values)
    return str(error.value)
