"""A database that is down, restarted, frozen or read-only: the service stays up, reports it, recovers by itself."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import asyncpg
import httpx
import pytest

from tests.support.outside import Outside, is_ready, lines, outside, ready, reason, sign_in, tell, until
from timebank.core.database import connections
from timebank.core.database.refusals import NotOpen
from timebank.http.health import READY_SECONDS_MAX

CALM = "系统暂时不能用，请过几分钟再试。已经记下的时间和积分都在。"


@pytest.fixture
def place() -> Iterator[Outside]:
    with outside() as there:
        there.found_town()
        yield there


def is_refused_calmly(address: str, code: str) -> None:
    """Assert: /healthz is ok, /readyz is 503 with the reason, pages and API are a calm 503 with Retry-After."""
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    unready = ready(address)
    assert (unready.status_code, unready.json()["reason"]) == (503, code)
    for path in ("/", "/sign-in", "/api/v1/me"):
        page = httpx.get(f"{address}{path}", timeout=30)
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5"), path
        assert CALM in page.text, path
        assert "TIMEBANK_" not in page.text, path
    assert httpx.get(f"{address}/api/v1/me", timeout=30).json()["code"] == code
    assert httpx.get(f"{address}/static/css/timebank.css").status_code != 503, "the calm page has its looks"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_starts_without_a_database_and_serves_when_it_comes(place: Outside, workers: str) -> None:
    place.stop_server()
    serving = place.begin("serve", "--port", "0", "--workers", workers)
    address = place.address(serving)
    is_refused_calmly(address, "database_not_open")
    place.start_server()
    until(lambda: is_ready(address))
    sign_in(address)
    place.stop_server()
    is_refused_calmly(address, "database_not_open")
    place.start_server()
    until(lambda: is_ready(address))
    sign_in(address)
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(60) == 0


def test_the_worker_waits_for_the_database_and_writes_lines_of_json(place: Outside) -> None:
    place.stop_server()
    working = place.begin("worker")
    until(lambda: "waiting for the database" in place.said(working))
    place.start_server()

    async def swept() -> int:
        connection = await asyncpg.connect(place.url)
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'timebank'"
        found = int(await connection.fetchval(asked))
        await connection.close()
        return found

    until(lambda: asyncio.run(swept()))
    assert working.poll() is None
    working.send_signal(signal.SIGTERM)
    assert working.wait(60) == 0
    assert {line["event"] for line in lines(place.said(working))} >= {"waiting for the database"}


def test_a_frozen_database_makes_nobody_wait_for_long(place: Outside) -> None:
    serving = place.begin("serve", "--port", "0")
    address = place.address(serving)
    sign_in(address)
    assert READY_SECONDS_MAX < 2
    with place.frozen_server():
        began = time.monotonic()
        assert ready(address).json()["reason"] == "database_not_open"
        tell(f"frozen: /readyz answered after {time.monotonic() - began:.1f} s")
        for _ in range(3):
            began = time.monotonic()
            refused = httpx.get(f"{address}/", timeout=30)  # seconds; a statement may take 60
            tell(f"frozen: / answered {refused.status_code} after {time.monotonic() - began:.1f} s")
            assert refused.status_code == 503
    until(lambda: is_ready(address))
    until(lambda: httpx.get(f"{address}/").status_code == 200)
    with place.frozen_server():
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) == 0, "it ends although the database lets no connection go"


def test_a_database_that_only_reads_is_unready_and_refuses_what_writes(place: Outside) -> None:
    serving = place.begin("serve", "--port", "0")
    address = place.address(serving)
    token = sign_in(address)

    async def only_reads(value: str) -> None:
        connection = await asyncpg.connect(place.url, server_settings={"default_transaction_read_only": "off"})
        await connection.execute(f"ALTER DATABASE timebank SET default_transaction_read_only = {value}")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'timebank'"
        )
        await connection.close()

    asyncio.run(only_reads("on"))
    until(lambda: reason(address) == "database_read_only")
    refused = until(lambda: _enrol(address, token, "甲") if is_back(address) else None)
    assert (refused.status_code, refused.json()["code"]) == (503, "database_read_only")
    asyncio.run(only_reads("off"))
    until(lambda: is_ready(address))
    assert until(lambda: _enrol(address, token, "乙").status_code == 201)


def is_back(address: str) -> bool:
    return httpx.get(f"{address}/", timeout=30).status_code == 200


def _enrol(address: str, token: dict[str, str], name: str) -> httpx.Response:
    return httpx.post(f"{address}/api/v1/people", json={"name": name}, headers=token, timeout=60)


async def _keep_enrolling(client: httpx.AsyncClient, number: int, stop: asyncio.Event, told: Counter[str]) -> set[str]:
    """Enrol one person after another until `stop`; return the names that were answered with 201."""
    kept = set()
    turn = 0
    while not stop.is_set():
        name = f"居民{number}之{turn}"
        turn += 1
        answer = await client.post("/api/v1/people", json={"name": name})
        told[f"{answer.status_code} {answer.json().get('code', '')}".strip()] += 1
        if answer.status_code == 201:
            kept.add(name)
        else:
            assert answer.headers.get("Retry-After"), answer.text
            await asyncio.sleep(0.2)
    return kept


async def _under_load(place: Outside, address: str, outage: str) -> Counter[str]:
    """Sixteen clients enrol people during the outage; assert that every person answered with 201 is stored."""
    told: Counter[str] = Counter()
    stop = asyncio.Event()
    token = await asyncio.to_thread(sign_in, address)
    async with httpx.AsyncClient(base_url=address, headers=token, timeout=90) as client:
        enrolling = [asyncio.create_task(_keep_enrolling(client, n, stop, told)) for n in range(16)]
        await asyncio.sleep(2)
        await asyncio.to_thread(_go_away, place, outage)
        before = told["201"]
        await asyncio.to_thread(until, lambda: is_ready(address))
        while told["201"] < before + 50:
            assert not any(task.done() for task in enrolling)
            await asyncio.sleep(0.1)
        stop.set()
        kept = set().union(*await asyncio.gather(*enrolling))
    owner = await asyncpg.connect(place.url)
    there = {row["name"] for row in await owner.fetch("SELECT name FROM person")}
    await owner.close()
    assert kept <= there, "whoever was told that it is done finds it done"
    assert {answer.split()[0] for answer in told} <= {"201", "503"}, told
    return told


def _go_away(place: Outside, outage: str) -> None:
    match outage:
        case "restarted":
            for _ in range(3):
                place.stop_server()
                place.start_server()
                time.sleep(1)
        case "killed":
            os.kill(place.server_processes()[0], signal.SIGKILL)
            time.sleep(1)
            place.stop_server()
            place.start_server()
        case "away for a minute":
            place.stop_server()
            time.sleep(60)
            place.start_server()
        case "frozen for half a minute":
            with place.frozen_server():
                time.sleep(30)


def _endures(place: Outside, outage: str) -> None:
    serving = place.begin("serve", "--port", "0", "--workers", "2")
    working = place.begin("worker")
    address = place.address(serving)
    until(lambda: is_ready(address))
    told = asyncio.run(_under_load(place, address, outage))
    tell(f"{outage}: {dict(told)}")
    assert (serving.poll(), working.poll()) == (None, None)
    for process in (serving, working):
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    checked = place.run("check", "all")
    assert checked.stdout.endswith("账目相符。\n"), checked.stderr


@pytest.mark.parametrize(
    ("error", "cut", "told"),
    [
        (RuntimeError("the handler is closed"), True, NotOpen),
        (RuntimeError("a fault of ours"), False, RuntimeError),
        (ConnectionResetError(), False, NotOpen),
        (asyncpg.InterfaceError("connection is closed"), True, NotOpen),
        (asyncpg.InternalClientError("unknown state"), False, NotOpen),
    ],
)
async def test_a_connection_that_ends_under_a_verb_is_told_as_such(
    pool: str, error: Exception, cut: bool, told: type[Exception]
) -> None:
    async def verb() -> None:
        async with connections.borrowed() as connection:
            if cut:
                connection.terminate()
            raise error

    with pytest.raises(told):
        await verb()


def test_a_restart_under_load_loses_nothing_that_was_confirmed(place: Outside) -> None:
    _endures(place, "restarted")


@pytest.mark.torture
@pytest.mark.parametrize("outage", ["killed", "away for a minute", "frozen for half a minute"])
def test_an_outage_under_load_loses_nothing_that_was_confirmed(place: Outside, outage: str) -> None:
    _endures(place, outage)
