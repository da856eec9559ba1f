"""Fixtures: tests that touch data run on a real PostgreSQL, one migrated database per test worker."""

import copy
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import hypothesis
import pytest
from litestar import Litestar

from tests.support.saved import save_all
from tests.support.service import Service, served
from tests.support.town import Town, build_town
from timebank.app import create_app
from timebank.core import database, settings
from timebank.migrate import migrate
from timebank.operations import embedded, serving_login

SECRET = b"a secret key that only the tests know, 32+"

# The time that a generated example takes decides no test: on a busy machine it may be a second.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of this worker's database, on the server of TIMEBANK_TEST_DATABASE_URL, else on the bundled one."""
    given = os.environ.get("TIMEBANK_TEST_DATABASE_URL")
    name = f"timebank_test_{secrets.token_hex(4)}"
    if not given:
        server = embedded.start(tmp_path_factory.mktemp("postgresql"), settings={"fsync": "off"})
        embedded.create_database(server, name)
        yield server.url(name)
        server.stop()
        return
    import asyncio

    asyncio.run(_on_server(given, f'CREATE DATABASE "{name}"'))
    yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
    asyncio.run(_on_server(given, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture(scope="session")
async def pool(server_url: str) -> AsyncIterator[str]:
    """Migrate the database and open the service's connection pool on it."""
    settings.use(replace(settings.Settings(), database_url=server_url, secret_key=SECRET, base_url="http://test"))
    await migrate(server_url)
    login = f"serving_{secrets.token_hex(4)}"
    serving_url = as_login(server_url, login)
    await serving_login.prepare(server_url, serving_url)
    Town.operator_url = server_url
    await database.create_pool(serving_url, 20)
    yield server_url
    await database.close_pool()


def as_login(url: str, login: str) -> str:
    """The address with another database login; a password in the address is kept."""
    place = urlsplit(url)
    password = f":{place.password}" if place.password else ""
    return urlunsplit(place._replace(netloc=f"{login}{password}@{place.netloc.rpartition('@')[2]}"))


@pytest.fixture
async def serving(pool: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with the service's own database login, as somebody who stole its address would have."""
    connection = await asyncpg.connect(database.engine.config["dsn"])
    yield connection
    await connection.close()


@pytest.fixture
async def owner(pool: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the database's owner, which bypasses row-level security, to prepare and inspect rows."""
    connection = await asyncpg.connect(pool)
    yield connection
    await connection.close()


class DatabaseClock:
    def __init__(self, owner: asyncpg.Connection) -> None:
        self.owner = owner

    async def show(self, moment: datetime) -> None:
        """Make the ledger's SQL functions see this moment as the present."""
        await self._be(f"timestamptz '{moment.isoformat()}'")

    async def right(self) -> None:
        await self._be("clock_timestamp()")

    async def _be(self, moment: str) -> None:
        await self.owner.execute(
            "CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE "
            f"AS $$ SELECT {moment} $$"
        )


@pytest.fixture
async def database_clock(owner: asyncpg.Connection) -> AsyncIterator[DatabaseClock]:
    """Sets the clock of this worker's database; the real time is restored after the test."""
    clock = DatabaseClock(owner)
    yield clock
    await clock.right()


@pytest.fixture
def service(pool: str, tmp_path: Path) -> Iterator[Service]:
    """The service in its own process, on the town's database, for a real browser."""
    with served(pool, tmp_path, secret_key=SECRET.decode()) as running:
        yield running


@pytest.fixture(scope="session")
async def first_town(pool: str) -> tuple[Town, str]:
    """The town as built, and the SQL script that restores its rows from the schema in which they are saved."""
    connection = await asyncpg.connect(pool)
    built = await build_town(connection)
    script = await save_all(connection, "first_town")
    await connection.close()
    return built, script


@pytest.fixture
async def town(first_town: tuple[Town, str], owner: asyncpg.Connection) -> Town:
    """Reset the database to the town: two communities, their people, stations, rules, goods and a course."""
    built, script = first_town
    await owner.execute(script)
    return copy.deepcopy(built)


@pytest.fixture(scope="session")
def app(pool: str) -> Litestar:
    """The whole application on this worker's database; created once, because building the routes takes a second."""
    return create_app(opens_pool=False)


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, in this test's event loop."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # ASGI, typed apart
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as connected:
        yield connected


@pytest.fixture
def chengjiang() -> Path:
    """The folder with the untidy workbooks of an invented community."""
    return Path(__file__).parent / "data" / "chengjiang"
