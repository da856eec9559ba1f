"""Known browsers, which have signed in to a login before: each keeps a random token, of which the hash is stored."""

from uuid import UUID

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction

BROWSER_COOKIE = "timebank_browser"
KEPT_DAYS = 365
LOGINS_MAX = 5
"""How many tokens a browser keeps, one per login: enough for a family that shares it, or for a counter's last users."""


def tokens_in(cookie: str | None) -> list[str]:
    """The tokens in the cookie that a browser sent, newest first."""
    return [token for token in (cookie or "").split(".") if 0 < len(token) <= 64][:LOGINS_MAX]


@retried
async def remember(login_id: UUID) -> str:
    """Make a browser known to a login; returns the token that it keeps."""
    token = vault.token()
    async with transaction(None):
        await database.execute(
            "SELECT sign_in_remember_browser($1, $2, $3)", login_id, vault.token_hash(token), clock.now()
        )
    return token


def counter_token(device_id: UUID, phone: str) -> str:
    """The token that makes a counter tablet known to this phone's login: a keyed hash, so the tablet stores nothing."""
    return vault.blind_index(f"{device_id}:{phone}", "counter").hex()


@retried
async def remember_counter(login_id: UUID, token: str) -> None:
    """Make a counter tablet known to a keeper's login."""
    async with transaction(None):
        await database.execute(
            "SELECT sign_in_remember_browser($1, $2, $3)", login_id, vault.token_hash(token), clock.now()
        )
