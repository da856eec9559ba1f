"""Browsers that have signed in to a login before: a random token that the browser keeps, its hash stored."""

from uuid import UUID

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction

BROWSER_COOKIE = "timebank_browser"
KEPT_DAYS = 365
LOGINS_MAX = 5
"""A family's browser is known to each of its logins; a counter's, to those who used it last."""


def tokens_in(cookie: str | None) -> list[str]:
    """The tokens that a browser sent, the newest first."""
    return [token for token in (cookie or "").split(".") if 0 < len(token) <= 64][:LOGINS_MAX]


@retried
async def remember(login_id: UUID) -> str:
    """Know a browser from now on: the token that it is to keep."""
    token = vault.token()
    async with transaction(None):
        await database.execute(
            "SELECT sign_in_remember_browser($1, $2, $3)", login_id, vault.token_hash(token), clock.now()
        )
    return token


def counter_token(device_id: UUID, phone: str) -> str:
    """The token by which a counter tablet is known to the keeper of this phone. It is made here and kept nowhere."""
    return vault.blind_index(f"{device_id}:{phone}", "counter").hex()


@retried
async def remember_counter(login_id: UUID, token: str) -> None:
    """Know a counter tablet from now on as one that this keeper has signed on to."""
    async with transaction(None):
        await database.execute(
            "SELECT sign_in_remember_browser($1, $2, $3)", login_id, vault.token_hash(token), clock.now()
        )
