"""An installation has one secret key: another key is refused before a write; a missing one is not replaced."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import httpx
import pytest

from tests.support.outside import OTHER_SECRET, PHONE, SECRET, Outside, is_ready, outside, ready, reason, sign_in, until
from timebank.core import settings, vault

MAKES_ONE = "openssl"


@pytest.fixture(scope="module")
def place() -> Iterator[Outside]:
    with outside() as there:
        there.found_town()
        yield there


@pytest.fixture
def empty_place() -> Iterator[Outside]:
    with outside() as there:
        yield there


def ask(place: Outside, sql: str, *values: object) -> object:
    async def asked() -> object:
        connection = await asyncpg.connect(place.url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(asked())


def sealed_by(secret: str, phone: str) -> bytes:
    kept = settings.current()
    settings.use(replace(kept, secret_key=secret.encode()))
    try:
        return vault.seal(phone, "phone")
    finally:
        settings.use(kept)


WRITTEN = (
    "SELECT concat_ws(' ', (SELECT count(*) FROM person), (SELECT count(*) FROM login), (SELECT count(*) FROM audit), "
    "(SELECT count(*) FROM region), (SELECT count(*) FROM card), (SELECT count(*) FROM session))"
)


def test_the_first_use_records_the_keys_fingerprint_and_nothing_of_the_key(place: Outside) -> None:
    recorded = ask(place, "SELECT key_fingerprint FROM installation")
    assert isinstance(recorded, bytes)
    assert recorded not in SECRET.encode()
    assert ask(place, "SELECT count(*) FROM installation") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("serve", "--port", "0"), ("serve", "--port", "0", "--workers", "2"), ("worker",), ("worker", "--once"),
        ("demo", "--port", "0"), ("migrate",), ("check", "ledger"), ("check", "all"),
        ("import", "goods", "物品.csv", "--community", "梅林社区"), ("cards", "--community", "梅林社区", "--issue"),
        ("station-poster", "驿站"),
        ("create-admin", "--name", "何晓梅", "--phone", PHONE, "--community", "梅林社区"),
    ],
)  # fmt: skip
def test_every_command_refuses_another_key_and_writes_nothing(place: Outside, command: tuple[str, ...]) -> None:
    (place.folder / "物品.csv").write_text("物品,所需积分,库存,兑换站点\n牙膏,12,20,驿站\n", encoding="utf-8")
    before = ask(place, WRITTEN)
    ran = place.run(*command, TIMEBANK_SECRET_KEY=OTHER_SECRET)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), ran.stderr
    assert "请换回原来的密钥" in ran.stderr
    assert ask(place, WRITTEN) == before


def test_a_service_that_finds_another_keys_database_after_an_outage_is_unready(place: Outside) -> None:
    place.stop_server()
    serving = place.begin("serve", "--port", "0", TIMEBANK_SECRET_KEY=OTHER_SECRET)
    address = place.address(serving)
    assert reason(address) == "database_not_open"
    place.start_server()
    until(lambda: reason(address) == "wrong_secret_key")
    before = ask(place, WRITTEN)
    opened = until(lambda: _refused_for_its_key(address))
    assert opened.headers["Retry-After"] == "5"
    assert ask(place, WRITTEN) == before
    assert serving.poll() is None


def _refused_for_its_key(address: str) -> httpx.Response | None:
    asked = httpx.post(f"{address}/api/v1/sessions", json={"phone": PHONE, "password": "x" * 8}, timeout=30)
    assert asked.status_code == 503
    return asked if asked.json()["code"] == "wrong_secret_key" else None


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("demo", "--port", "0"), ("worker",)])
def test_a_missing_key_is_not_made_anew_where_data_exists(place: Outside, command: tuple[str, ...]) -> None:
    ran = place.run(*command, TIMEBANK_SECRET_KEY=None)
    assert ran.returncode == 1
    assert "它在备份里" in ran.stderr
    assert MAKES_ONE not in ran.stderr
    assert not (place.folder / ".timebank" / "secret.key").exists()


def test_a_missing_key_is_not_made_anew_where_the_database_is_away(place: Outside) -> None:
    ran = place.run("serve", TIMEBANK_SECRET_KEY=None, TIMEBANK_DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing")
    assert "它在备份里" in ran.stderr
    assert MAKES_ONE not in ran.stderr


def test_a_key_that_was_cut_off_is_not_made_anew(place: Outside) -> None:
    ran = place.run("serve", TIMEBANK_SECRET_KEY="short")
    assert "请核对是否抄全了" in ran.stderr
    assert MAKES_ONE not in ran.stderr


def test_a_new_installation_is_told_how_to_make_its_key(empty_place: Outside) -> None:
    for _ in range(2):  # before and after a migration without a key
        ran = empty_place.run("serve", "--port", "0", TIMEBANK_SECRET_KEY=None)
        assert (ran.returncode, MAKES_ONE in ran.stderr) == (1, True), ran.stderr
        migrated = empty_place.run("migrate", TIMEBANK_SECRET_KEY=None)
        assert migrated.returncode == 0, migrated.stderr
    assert ask(empty_place, "SELECT count(*) FROM installation") == 0, "who migrates needs no key and records none"


def test_migrating_with_a_key_records_it(empty_place: Outside) -> None:
    assert empty_place.run("migrate").returncode == 0
    assert ask(empty_place, "SELECT count(*) FROM installation") == 1
    assert "请换回原来的密钥" in empty_place.run("migrate", TIMEBANK_SECRET_KEY=OTHER_SECRET).stderr


def test_an_installation_older_than_the_record_takes_the_key_that_opens_its_data(empty_place: Outside) -> None:
    """The key that opens most encrypted values is accepted: a few may have been written with a wrong key by mistake."""
    empty_place.found_town()
    ask(empty_place, "DELETE FROM installation")
    assert "请换回原来的密钥" in empty_place.run("check", TIMEBANK_SECRET_KEY=OTHER_SECRET).stderr
    assert ask(empty_place, "SELECT count(*) FROM installation") == 0, "a key that opens nothing is not recorded"
    by_mistake = sealed_by(OTHER_SECRET, "19900008002")
    ask(empty_place, "INSERT INTO login VALUES (gen_random_uuid(), $1, $2, NULL, '2026-11-21')", b"x" * 20, by_mistake)
    assert "请换回原来的密钥" in empty_place.run("check", "ledger", TIMEBANK_SECRET_KEY=OTHER_SECRET).stderr
    assert empty_place.run("check", "ledger").returncode == 0
    assert ask(empty_place, "SELECT count(*) FROM installation") == 1


async def test_of_two_keys_that_are_recorded_at_once_the_second_is_refused(empty_place: Outside) -> None:
    """Both find no recorded key and no encrypted value; the second insert waits for the first and then finds it."""
    assert empty_place.run("migrate", TIMEBANK_SECRET_KEY=None).returncode == 0
    first, looking = await asyncpg.connect(empty_place.url), await asyncpg.connect(empty_place.url)
    recording = first.transaction()
    await recording.start()
    await first.execute("INSERT INTO installation VALUES (1, $1, '2026-11-21')", b"the fingerprint of another key")
    second = asyncio.create_task(asyncio.to_thread(empty_place.run, "check"))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'timebank' AND wait_event_type = 'Lock'"
    while not await looking.fetchval(waiting):
        assert not second.done(), (await second).stderr
        await asyncio.sleep(0.02)
    await recording.commit()
    assert "请换回原来的密钥" in (await second).stderr
    assert await looking.fetchval("SELECT key_fingerprint FROM installation") == b"the fingerprint of another key"
    await first.close()
    await looking.close()


def test_the_service_of_the_right_key_goes_on(place: Outside) -> None:
    serving = place.begin("serve", "--port", "0")
    address = place.address(serving)
    until(lambda: is_ready(address))
    told = ready(address).json()
    assert (told["status"], told["missing"]) == ("ok", [])
    sign_in(address)
    told = json.loads(place.run("check", "all", "--json").stdout)
    assert told["ok"] is True
