"""A full disk: no change is saved in part, the service reports that it cannot write, and it recovers by itself."""

import asyncio
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.outside import Outside, is_ready, outside, reason, sign_in, tell, until
from tests.support.town import Town
from timebank.core import database
from timebank.core.database import connections, transaction
from timebank.core.database.refusals import DiskFull
from timebank.http.health import readiness


@pytest.mark.parametrize("sqlstate", ["53100", "58030"])
async def test_a_full_disk_is_told_and_remembered(
    town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, sqlstate: str
) -> None:
    """Readiness reports a full disk for a while, because it may hold other tables than the one that readiness tests."""
    monkeypatch.setattr(connections.engine, "door", connections.Door())
    assert (await client.get("/readyz")).status_code == 200
    with pytest.raises(DiskFull):
        async with transaction(None):
            await database.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '{sqlstate}'; END $$")
    unready = await client.get("/readyz")
    assert (unready.status_code, unready.json()["reason"]) == (503, "disk_full")
    assert unready.headers["Retry-After"] == "5"
    connections.engine.door.full_at -= connections.FULL_SECONDS
    assert await readiness.refusal() is None


async def test_a_fault_of_ours_in_the_server_is_no_full_disk(pool: str) -> None:
    with pytest.raises(asyncpg.InternalServerError):
        async with transaction(None):
            await database.execute("DO $$ BEGIN RAISE EXCEPTION 'a fault' USING ERRCODE = 'XX000'; END $$")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Mount a disk of 24 MB, which only root can do."""
    folder = Path(tempfile.mkdtemp(prefix="tb-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no disk of its own can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def place(small_disk: Path) -> Iterator[Outside]:
    """A town whose database is on the small disk; the server's own log is elsewhere."""
    with outside() as there:
        there.found_town()
        owner = (there.data / "pgdata").stat()
        os.chown(small_disk, owner.st_uid, owner.st_gid)
        asyncio.run(_move(there, small_disk))
        yield there


async def _move(place: Outside, disk: Path) -> None:
    assert place.server is not None
    connection = await asyncpg.connect(place.server.url("postgres"))
    await connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
    await connection.execute("ALTER DATABASE timebank SET TABLESPACE small")
    await connection.close()


def fill(disk: Path) -> Path:
    """Fill the disk completely."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


def is_told_by_readiness(address: str) -> bool:
    return reason(address) == "disk_full"


def test_a_full_disk_is_503_and_unready_and_comes_back_when_there_is_room(place: Outside, small_disk: Path) -> None:
    serving = place.begin("serve", "--port", "0")
    address = place.address(serving)
    until(lambda: is_ready(address))
    token = sign_in(address)
    filler = fill(small_disk)
    assert is_told_by_readiness(address), "told before anybody has tried to write"
    told: Counter[str] = Counter()
    kept = 0
    with httpx.Client(base_url=address, headers=token, timeout=60) as client:
        for number in range(150):
            answer = client.post("/api/v1/people", json={"name": f"居民{number}"})
            told[f"{answer.status_code} {answer.json().get('code', '')}".strip()] += 1
            kept += answer.status_code == 201
            if answer.status_code == 503:
                assert answer.headers["Retry-After"] == "5"
        tell(f"disk full: {dict(told)}, /readyz {reason(address)}")
        assert set(told) == {"201", "503 disk_full"}, "what still fits is saved, the rest is refused"
        assert client.get("/").status_code == 200, "what only reads goes on"
        filler.unlink()
        until(lambda: is_ready(address))
        assert client.post("/api/v1/people", json={"name": "腾出空间以后"}).status_code == 201
    tell(f"room again: /readyz {reason(address) or 'ok'}")
    checked = place.run("check", "all")
    assert checked.stdout.endswith("账目相符。\n"), checked.stderr
    assert asyncio.run(_people(place)) == kept + 2


async def _people(place: Outside) -> int:
    connection = await asyncpg.connect(place.url)
    found = int(await connection.fetchval("SELECT count(*) FROM person"))
    await connection.close()
    return found
