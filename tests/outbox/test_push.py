"""A phone outside is shown that somebody has a new message: who and of what kind, never what it says."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.outbox.gateways import SECRET, Gateway, gateway, switch_on
from tests.support.service import Service, working
from tests.support.town import SPRING, Town
from timebank.core import clock, settings
from timebank.core.settings import BadSetting
from timebank.core.wording import phrase
from timebank.outbox.delivering import deliver_due
from timebank.people import messages
from timebank.people.messages import Notification


@pytest.fixture
async def at(town: Town, owner: asyncpg.Connection) -> AsyncIterator[Gateway]:
    await switch_on(owner, town.community)
    async with gateway() as made:
        yield made


async def noticed(town: Town, *names: str, key: str = "a") -> None:
    says = phrase("import_ended", file="居民.xlsx")
    of = [Notification(town.people[name], says, f"{key}:{name}") for name in names]
    await messages.notify_many(town.system(), of, urgent=True)


async def test_the_gateway_learns_who_has_a_message_and_not_what_it_says(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    await noticed(town, "张桂兰")
    assert await deliver_due(town.system()) == 1
    [(headers, body)] = at.requests
    message = await owner.fetchval("SELECT id FROM message")
    sent = json.loads(body)
    assert sent.keys() == {"id", "community_id", "person_id", "kind", "created_at", "urgent", "url"}
    assert (sent["id"], sent["person_id"]) == (str(message), str(town.people["张桂兰"]))
    assert (sent["kind"], sent["url"]) == ("import_ended", "http://test/messages")
    assert headers["idempotency-key"] == str(message)
    signed = headers["timebank-time"].encode() + b"." + body
    assert headers["timebank-signature"] == hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    stored = await owner.fetchval("SELECT payload::text FROM outbox")
    assert stored == json.dumps({"message_id": str(message)})
    assert await deliver_due(town.system()) == 0


async def test_nothing_leaves_where_the_community_has_not_switched_it_on(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    await messages.notify(town.system(SPRING), town.people["马涛"], "import_ended", "a", urgent=True, file="居民.xlsx")
    assert await owner.fetchval("SELECT count(*) FROM message") == 1
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_message_that_was_sent_before_is_not_pushed_again(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    await noticed(town, "张桂兰")
    await noticed(town, "张桂兰", "王建国")
    assert await deliver_due(town.system()) == 2
    assert len(set(at.keys())) == 2


async def test_after_a_lost_answer_the_same_key_is_sent_again(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    at.answers = [None]
    await noticed(town, "张桂兰")
    assert await deliver_due(town.system()) == 0
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await deliver_due(town.system()) == 1
    [first, second] = at.keys()
    assert first == second, "by which the gateway shows it once"


async def test_a_gateway_that_is_away_is_asked_once_and_not_once_for_each_message(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    names = ("张桂兰", "张国庆", "王建国", "李秀英", "陈明")
    at.answers = [503] * 2
    await noticed(town, *names)
    assert await deliver_due(town.system()) == 0
    assert len(at.requests) == 1
    assert await deliver_due(town.system()) == 0
    assert len(at.requests) == 1, "the others wait too"
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await deliver_due(town.system()) == 0
    with clock.at(clock.now() + timedelta(minutes=6)):
        assert await deliver_due(town.system()) == len(names)
    assert sorted(await owner.fetchval("SELECT array_agg(attempts) FROM outbox")) == [1, 1, 1, 1, 3]


async def test_a_gateway_that_is_away_keeps_the_worker_waiting_for_one_community_only(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    await switch_on(owner, town.communities[SPRING])
    at.answers = [503]
    await noticed(town, "张桂兰")
    await messages.notify(town.system(SPRING), town.people["马涛"], "import_ended", "a", urgent=True, file="居民.xlsx")
    for community in town.communities:
        assert await deliver_due(town.system(community)) == 0
    assert len(at.requests) == 1
    with clock.at(clock.now() + timedelta(minutes=2)):
        for community in town.communities:
            assert await deliver_due(town.system(community)) == 1


@pytest.mark.parametrize("status", [302, 400, 410])
async def test_a_message_that_the_gateway_refuses_does_not_hold_up_the_others(
    town: Town, owner: asyncpg.Connection, at: Gateway, status: int
) -> None:
    at.answers = [status]
    await noticed(town, "张桂兰", "王建国")
    assert await deliver_due(town.system()) == 1
    assert len(at.requests) == 2, "a redirect is not followed"
    kept = await owner.fetchval("SELECT last_error::text FROM outbox WHERE done_at IS NULL")
    assert json.loads(kept) == {"code": "push_gateway_refused", "values": {"status": status}}


@pytest.mark.parametrize("end", ["read", "old", "left", "off", "undone"])
async def test_what_is_no_news_any_more_is_not_pushed(
    town: Town, owner: asyncpg.Connection, at: Gateway, end: str
) -> None:
    await noticed(town, "张桂兰")
    now = clock.now()
    match end:
        case "read":
            await messages.mark_all_read(await town.scope("张桂兰"))
        case "old":
            now += timedelta(days=4)
        case "left":
            await owner.execute("UPDATE person SET status = 'left' WHERE id = $1", town.people["张桂兰"])
        case "off":
            await owner.execute("UPDATE policy SET value = 0 WHERE name = 'pushes_messages'")
        case _:
            await owner.execute("DELETE FROM message")
    with clock.at(now):
        assert await deliver_due(town.system()) == 1
    assert at.requests == []
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL") == 1


async def test_without_a_gateway_messages_wait_with_the_reason(town: Town, owner: asyncpg.Connection) -> None:
    await switch_on(owner, town.community)
    await noticed(town, "张桂兰")
    assert await deliver_due(town.system()) == 0
    assert await owner.fetchval("SELECT last_error ->> 'code' FROM outbox") == "push_gateway_missing"


async def test_a_gateway_where_nobody_listens_is_away(town: Town, owner: asyncpg.Connection, at: Gateway) -> None:
    settings.use(replace(settings.current(), push_url="http://127.0.0.1:9/push"))
    await noticed(town, "张桂兰")
    assert await deliver_due(town.system()) == 0
    assert await owner.fetchval("SELECT last_error ->> 'code' FROM outbox") == "push_gateway_away"


async def test_a_worker_process_that_is_killed_after_sending_sends_the_same_key_again(
    town: Town, owner: asyncpg.Connection, at: Gateway, service: Service, tmp_path: Path, worker_setting: None
) -> None:
    await noticed(town, "张桂兰")
    at.answers = [None]
    with working(service, tmp_path) as process:
        await at.was_asked.wait()
        process.kill()
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL AND attempts = 1") == 1
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await deliver_due(town.system()) == 1
    assert len(at.requests) == 2
    assert len(set(at.keys())) == 1


@pytest.fixture
def worker_setting(at: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEBANK_PUSH_URL", at.url)
    monkeypatch.setenv("TIMEBANK_PUSH_SECRET", SECRET.decode())


@pytest.mark.parametrize(
    ("url", "secret", "name"),
    [
        ("http://push.example/", "s" * 32, "TIMEBANK_PUSH_URL"),
        ("ftp://push.example/", "s" * 32, "TIMEBANK_PUSH_URL"),
        ("https://me:x@push.example/", "s" * 32, "TIMEBANK_PUSH_URL"),
        ("https:///push", "s" * 32, "TIMEBANK_PUSH_URL"),
        ("https://push.example:no/", "s" * 32, "TIMEBANK_PUSH_URL"),
        ("http://127.0.0.1.example/", "s" * 32, "TIMEBANK_PUSH_URL"),
        ("https://push.example/", "short", "TIMEBANK_PUSH_SECRET"),
        ("https://push.example/", "", "TIMEBANK_PUSH_SECRET"),
        ("https://push.example/hook?of=town", "s" * 32, ""),
        ("http://127.0.0.1:8080/hook", "s" * 32, ""),
        ("", "", ""),
    ],
)
def test_only_an_encrypted_address_with_a_secret_is_a_gateway(
    monkeypatch: pytest.MonkeyPatch, url: str, secret: str, name: str
) -> None:
    monkeypatch.setenv("TIMEBANK_PUSH_URL", url)
    monkeypatch.setenv("TIMEBANK_PUSH_SECRET", secret)
    if not name:
        assert settings.from_environment().push_url == (url or None)
        return
    with pytest.raises(BadSetting) as refused:
        settings.from_environment()
    assert refused.value.values["name"] == name
