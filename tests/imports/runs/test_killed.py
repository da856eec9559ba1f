"""A year's hours are imported while processes are killed: no row is lost or written twice."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from bench.books import hours_book, lay_people
from tests.support.outside import PASSWORD, SECRET, Outside, Process, is_ready, outside, tell, until
from timebank.access.sign_in.passwords import hash_password
from timebank.core import settings

pytestmark = pytest.mark.torture

ROWS = 10_000
ADMIN = "19800000000"


@pytest.fixture(scope="module")
def place() -> Iterator[Outside]:
    with outside() as there:
        there.found_town()
        yield there


async def ask(place: Outside, sql: str, *values: object) -> object:
    connection = await asyncpg.connect(place.url)
    try:
        return await connection.fetchval(sql, *values)
    finally:
        await connection.close()


def look(place: Outside, sql: str, *values: object) -> object:
    return asyncio.run(ask(place, sql, *values))


@pytest.fixture(scope="module")
def book(place: Outside) -> Path:
    """Insert the people of the workbook, and write the workbook."""
    settings.use(replace(settings.Settings(), database_url=place.url, secret_key=SECRET.encode()))
    community = look(place, "SELECT id FROM region WHERE kind = 'community'")
    assert isinstance(community, UUID)
    _, people = asyncio.run(lay_people(place.url, community))
    file = place.folder / "hours.xlsx"
    file.write_bytes(hours_book(people, ROWS))
    return file


def written(place: Outside) -> int:
    found = look(place, "SELECT count(*) FROM service_record WHERE status <> 'withdrawn'")
    assert isinstance(found, int)
    return found


def has_written(place: Outside, least: int) -> bool:
    return written(place) > least


def assert_each_once(place: Outside) -> None:
    assert written(place) == ROWS
    twice = (
        "SELECT count(*) FROM (SELECT DISTINCT person_id, started_at FROM service_record WHERE status <> 'withdrawn')"
    )
    assert look(place, twice + " AS each") == ROWS
    assert look(place, "SELECT count(*) FROM import_work") == 0


def signed_in(place: Outside) -> tuple[Process, str, dict[str, str]]:
    """Start a service and sign in; return the process, its address and the administrator's bearer header."""
    hashed = asyncio.run(hash_password(PASSWORD))
    whose = "SELECT m.login_id FROM membership m JOIN person p ON p.id = m.person_id WHERE p.name = '赵安'"
    look(place, f"UPDATE login SET password_hash = $1 WHERE id = ({whose})", hashed)
    serving = place.begin("serve", "--port", "0")
    address = place.address(serving)
    until(lambda: is_ready(address))
    opened = httpx.post(f"{address}/api/v1/sessions", json={"phone": ADMIN, "password": PASSWORD}, timeout=30)
    return serving, address, {"Authorization": f"Bearer {opened.json()['token']}"}


def test_a_command_killed_again_and_again_carries_on_where_it_was(place: Outside, book: Path) -> None:
    command = ("import", "hours", str(book), "--community", "梅林社区")
    for least in (500, 3000, 6000):
        process = place.begin(*command)
        until(partial(has_written, place, least))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        tell(f"killed after {written(place)} rows")
        look(place, "UPDATE import_work SET held_until = now() - interval '1 hour'")
    ran = place.run(*command)
    assert ran.returncode == 0, ran.stderr
    assert f"已导入：共 {ROWS} 行" in ran.stdout
    assert_each_once(place)


def test_the_worker_ends_what_a_killed_service_has_begun(place: Outside, book: Path) -> None:
    """The import was started over HTTP by an administrator whose session ends before the import does."""
    look(place, "UPDATE service_record SET status = 'withdrawn', withdrawn_at = now()")
    look(place, "DELETE FROM import_row")
    serving, address, headers = signed_in(place)
    file = {"file": ("a.xlsx", book.read_bytes())}

    def send() -> None:
        with suppress(httpx.TransportError):
            httpx.post(f"{address}/api/v1/imports/hours", headers=headers, files=file, timeout=120)

    sending = threading.Thread(target=send)
    sending.start()
    until(partial(has_written, place, 1000))
    os.kill(serving.pid, signal.SIGKILL)
    sending.join()
    look(place, "UPDATE session SET ended_at = now()")
    before = written(place)
    assert before < ROWS
    place.begin("worker")
    until(lambda: look(place, "SELECT count(*) FROM import_work") == 0)
    tell(f"the worker wrote the {ROWS - before} rows that were left")
    assert_each_once(place)
    assert look(place, "SELECT count(*) FROM message WHERE kind = 'import_ended'") == 1


def test_an_undoing_whose_service_was_killed_is_ended_once_by_two_workers_and_the_page_goes_on_showing_it(
    place: Outside, book: Path
) -> None:
    """The undo is started over HTTP; after the kill a new service shows its progress before and after workers run."""
    run_id = look(place, "SELECT id FROM import_run WHERE undone_at IS NULL ORDER BY started_at DESC LIMIT 1")
    serving, address, headers = signed_in(place)
    path = f"/api/v1/imports/{run_id}"

    def send() -> None:
        with suppress(httpx.TransportError):
            httpx.delete(f"{address}{path}", headers=headers, timeout=120)

    sending = threading.Thread(target=send)
    sending.start()
    until(lambda: written(place) < ROWS - 1000)
    os.kill(serving.pid, signal.SIGKILL)
    sending.join()
    left = written(place)
    assert 0 < left < ROWS
    _, address, headers = signed_in(place)
    shown = httpx.get(f"{address}{path}", headers=headers, timeout=30).json()
    assert (shown["state"], shown["total"]) == ("undoing", ROWS)
    assert ROWS - left <= shown["done"] < ROWS
    for _ in range(2):
        place.begin("worker")
    until(lambda: httpx.get(f"{address}{path}", headers=headers, timeout=30).json()["state"] == "undone")
    tell(f"two workers took back the {left} rows that were left")
    assert written(place) == 0
    assert look(place, "SELECT count(*) FROM import_work") == 0
    assert look(place, "SELECT count(*) FROM audit WHERE verb = 'undo_import'") == 1
    assert look(place, "SELECT count(*) FROM message WHERE kind = 'undo_ended'") == 1
    assert look(place, "SELECT max(n) FROM (SELECT count(*) AS n FROM message WHERE kind = 'record_withdrawn' "
                       "GROUP BY person_id) AS each") == 1  # fmt: skip
