"""Delays after failed sign-ins; nobody is locked out. Counted in the database, so that it holds across processes.

Failures are counted per phone and network, per phone from any network (a delay of at most 30 seconds) and, once the
passwords of more than 100 phones have failed from one network within a day, per network. A known browser of the login
has a count of its own instead. The SQL functions `sign_in_keys` and `sign_in_try` hold the lengths of the delays.
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
    """A try that is not delayed: the failures in a row including it, and the hash of the known browser's token."""

    phone: bytes
    network: bytes
    by_code: bool
    failures: int
    browser: bytes | None


def network_of(address: str) -> str:
    """The network that one connection has: an IPv4 address, or in IPv6 the /64 that a home gets."""
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
    """Count a try as failed until `end_try`. Raises SignInDelayed, without counting, while a delay lasts."""
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
    """Record that a try was right, which resets its counts."""
    await database.execute(
        "SELECT sign_in_right($1, $2, $3, $4, $5)",
        tried.phone, tried.network, tried.by_code, tried.browser, clock.now(),
    )  # fmt: skip


@retried
async def purge_delays() -> None:
    """Purge failures older than a day and known browsers unused for a year."""
    async with transaction(None):
        await database.execute("SELECT sign_in_sweep($1)", clock.now())
