"""An attacker who has stolen the service's database address: the settings they can make, and refused statements."""

from uuid import UUID

import asyncpg
import pytest

REFUSED = asyncpg.InsufficientPrivilegeError


async def steal(
    serving: asyncpg.Connection, *communities: UUID, session: UUID | None = None, proof: str = "", device: str = ""
) -> None:
    """Set what an attacker can set on the connection: communities, a session's id, a password proof, a device's id."""
    for name, value in (
        ("communities", "{" + ",".join(map(str, communities)) + "}"),
        ("sessions", f"{{{session}}}" if session else ""),
        ("proof", proof),
        ("device", device),
    ):
        await serving.execute("SELECT set_config($1, $2, false)", f"timebank.{name}", value)


async def refused(serving: asyncpg.Connection, statement: str, *values: object) -> str:
    """Execute a statement that the database must refuse. Returns the error's text."""
    with pytest.raises(REFUSED) as error:
        await serving.execute(statement, *values)
    return str(error.value)
