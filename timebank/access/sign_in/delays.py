"""Wrong sign-ins delay the next try and lock nobody out; counted in the database, so that every process agrees.

A try counts for its phone with its network, for its phone wherever it comes from (at most half a minute) and, where
passwords of more than a hundred phones were wrong in a day, for the network. A browser that has signed in to this login
before counts for itself alone. How long each delay is stands in the migration's function `sign_in_try`.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import msgspec

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError


class SignInDelayed(TimebankError):
    code = "sign_in_delayed"
    status = 429
    sentence = "前面几次都没有登录成功，请等 {seconds} 秒再试。着急的话，请站长发一个登录码，用它登录。"

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds=seconds)
        self.retry_after = seconds


class Try(msgspec.Struct, frozen=True):
    """A try that may be looked at: how many failed in a row with it, and the known browser that it came from."""

    phone: bytes
    network: bytes
    by_code: bool
    failures: int
    browser: bytes | None


def network_of(address: str) -> str:
    """What one connection owns: an IPv4 address, or the /64 that a home is given in IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(IPv6Network((int(found), 64), strict=False))
        found = found.ipv4_mapped
    return str(IPv4Network(found))


@retried
async def begin_try(phone_index: bytes, address: str, browsers: Sequence[str], *, by_code: bool) -> Try:
    """Count a try as failed until it is found right, or refuse it for so long as a delay lasts."""
    network = vault.blind_index(network_of(address), "address")
    async with transaction(None, alone=True):
        told = await database.fetch_one(
            "SELECT wait_seconds, failures, browser FROM sign_in_try($1, $2, $3, $4, $5)",
            phone_index, network, by_code, [vault.token_hash(token) for token in browsers], clock.now(),
        )  # fmt: skip
    assert told is not None
    if told["wait_seconds"] > 0:
        raise SignInDelayed(told["wait_seconds"])
    return Try(phone_index, network, by_code, told["failures"], told["browser"])


async def end_try(tried: Try) -> None:
    """The try was right: its counts begin anew."""
    await database.execute(
        "SELECT sign_in_right($1, $2, $3, $4, $5)",
        tried.phone, tried.network, tried.by_code, tried.browser, clock.now(),
    )  # fmt: skip


@retried
async def sweep() -> None:
    """Forget failures of before yesterday and browsers unused for a year."""
    async with transaction(None):
        await database.execute("SELECT sign_in_sweep($1)", clock.now())
