"""Shared by the shop and class tests: balances, stock, reservations, and a signed-in browser."""

import asyncpg
import httpx

from tests.support.town import Town
from timebank.core import clock
from timebank.http.callers import SESSION_COOKIE, csrf_token
from timebank.ledger import statement

API = "/api/v1"


def key() -> dict[str, str]:
    """A header with a new Idempotency-Key."""
    return {"Idempotency-Key": str(clock.new_id())}


async def points_of(town: Town, name: str) -> tuple[int, int]:
    """A person's available points and points on hold."""
    balances = await statement.balances(town.system(), town.people[name], [])
    return balances.points.available, balances.points.held


async def minutes_of(owner: asyncpg.Connection, town: Town, child: str, bucket: str = "available") -> int:
    """A child's class minutes in one bucket (`available` by default)."""
    found: int = await owner.fetchval(
        "SELECT coalesce(sum(balance), 0)::bigint FROM account "
        "WHERE owner_id = $1 AND currency = 'class_minute' AND bucket = $2",
        town.people[child], bucket,
    )  # fmt: skip
    return found


async def stock_of(owner: asyncpg.Connection, town: Town, good: str, station: str = "暖蜂驿站") -> int:
    """A station's stock of a good; asserts that it is the sum of its stock moves."""
    place = town.stations[station], town.goods[good]
    stored: int = await owner.fetchval("SELECT quantity FROM stock WHERE station_id = $1 AND good_id = $2", *place)
    moved = await owner.fetchval("SELECT sum(change) FROM stock_move WHERE station_id = $1 AND good_id = $2", *place)
    assert stored == moved, "the stock is the sum of its moves"
    return stored


async def books_balance(owner: asyncpg.Connection) -> None:
    """Assert that every stored balance is the sum of its transfers."""
    off = await owner.fetch(
        "SELECT a.id FROM account a LEFT JOIN LATERAL (SELECT coalesce(sum(CASE WHEN t.credit_account = a.id "
        "THEN t.amount ELSE -t.amount END), 0) AS moved FROM transfer t "
        "WHERE a.id IN (t.debit_account, t.credit_account)) AS legs ON true "
        "WHERE a.balance IS NOT NULL AND a.balance <> legs.moved"
    )
    assert not off


def wish(town: Town, name: str, good: str, quantity: int = 1, **more: object) -> dict[str, object]:
    """The JSON body of POST /redemptions."""
    return {
        "person_id": str(town.people[name]),
        "good_id": str(town.goods[good]),
        "station_id": str(town.stations["暖蜂驿站"]),
        "quantity": quantity,
    } | more


async def reserve(client: httpx.AsyncClient, town: Town, name: str, good: str, quantity: int = 1) -> httpx.Response:
    """Reserve a good as this person, through the API."""
    headers = await town.sign_in(name) | key()
    return await client.post(f"{API}/redemptions", json=wish(town, name, good, quantity), headers=headers)


class Browser:
    """A signed-in person's browser: sends the session cookie, posts forms with a CSRF token, follows no redirects."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.token = client, token
        self.headers = {"Cookie": f"{SESSION_COOKIE}={token}"}

    async def see(self, path: str, status: int = 200) -> str:
        """The HTML of the page at a path."""
        answer = await self.client.get(path, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, path: str, key: str = "", /, **fields: object) -> httpx.Response:
        """Post a form; a second post with the same idempotency key is a repeated tap of the button."""
        data = {name: str(value) for name, value in fields.items()}
        known = {"_csrf": csrf_token(self.token), "_key": key or str(clock.new_id())}
        return await self.client.post(path, data=data | known, headers=self.headers)


async def browser(client: httpx.AsyncClient, town: Town, name: str) -> Browser:
    return Browser(client, await town.token(name))
