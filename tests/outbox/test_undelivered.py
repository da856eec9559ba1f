"""What could not be delivered is listed for the administrators, who try again or give up; the operator sees a count."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.outbox.gateways import Gateway, gateway, switch_on
from tests.outbox.parcels import left
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound
from timebank.http.callers import SESSION_COOKIE
from timebank.outbox.delivering import deliver_due
from timebank.outbox.undelivered import (
    backlog,
    deliver_again,
    deliver_all_again,
    give_up_delivery,
    undelivered,
)
from timebank.people import messages
from timebank.trail.reading import trail


@pytest.fixture
async def at(town: Town, owner: asyncpg.Connection) -> AsyncIterator[Gateway]:
    """A gateway that refuses the first two messages, which have died of it."""
    await switch_on(owner, town.community)
    async with gateway() as made:
        for name in ("张桂兰", "王建国"):
            await messages.notify(town.system(), town.people[name], "import_ended", name, urgent=True, file="居民.xlsx")
        await owner.execute("UPDATE outbox SET attempts = 7")
        made.answers = [403, 403]
        assert await deliver_due(town.system()) == 0
        yield made


async def page(client: httpx.AsyncClient, town: Town, name: str) -> str:
    cookie = f"{SESSION_COOKIE}={await town.token(name)}"
    answer = await client.get("/admin/outbox", headers={"Cookie": cookie})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_page_says_what_was_not_delivered_and_why(town: Town, client: httpx.AsyncClient, at: Gateway) -> None:
    shown = await page(client, town, "赵丽")
    assert shown.count("新消息的推送") == 2
    assert "推送平台不收这一条（它答 403）。请把这个数字告诉维护人员。" in shown
    assert "试过 8 次" in shown
    assert "全部再送一次" in shown
    assert "张桂兰" not in shown
    read_only = await page(client, town, "孙伟")
    assert "（它答 403）" in read_only
    assert "/again" not in read_only


async def test_an_administrator_lets_one_be_tried_again(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, at: Gateway
) -> None:
    admin = await town.scope("赵丽")
    [one, other] = (await undelivered(admin)).items
    await deliver_again(admin, one.id)
    assert await deliver_due(town.system()) == 1
    assert [each.id for each in (await undelivered(admin)).items] == [other.id]
    with pytest.raises(NotFound):
        await deliver_again(admin, one.id)
    trail = await owner.fetchrow("SELECT person_id, noun_id FROM audit WHERE verb = 'deliver_again'")
    assert trail is not None
    assert tuple(trail) == (town.people["赵丽"], one.id)


async def test_all_are_tried_again_at_once_after_the_gateway_was_mended(town: Town, at: Gateway) -> None:
    admin = await town.scope("赵丽")
    assert await deliver_all_again(admin) == 2
    assert await deliver_all_again(admin) == 0
    assert await deliver_due(town.system()) == 2
    assert (await undelivered(admin)).items == []


async def test_what_is_given_up_is_off_the_list_and_is_never_sent(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    admin = await town.scope("赵丽")
    [one, _] = (await undelivered(admin)).items
    await give_up_delivery(admin, one.id)
    assert len((await undelivered(admin)).items) == 1
    for verb in (give_up_delivery, deliver_again):
        with pytest.raises(NotFound):
            await verb(admin, one.id)
    [line] = (await trail(admin, verb="give_up_delivery")).items
    assert (line.text, line.values) == ("不再送出", "种类 新消息的推送")
    await deliver_all_again(admin)
    with clock.at(clock.now() + timedelta(hours=2)):
        assert await deliver_due(town.system()) == 1
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'give_up_delivery'") == 1
    assert len(await owner.fetch("SELECT FROM message WHERE read_at IS NULL")) == 2, "it stands on its reader's page"


@pytest.mark.parametrize(("name", "refusal"), [("张桂兰", Forbidden), ("孙伟", Forbidden), ("何静", NotFound)])
async def test_nobody_else_tries_again_or_gives_up(
    town: Town, at: Gateway, name: str, refusal: type[Exception]
) -> None:
    [one, _] = (await undelivered(town.system())).items
    for verb in (give_up_delivery, deliver_again):
        with pytest.raises(refusal):
            await verb(await town.scope(name), one.id)
    assert len((await undelivered(town.system())).items) == 2


async def test_a_failure_that_this_version_does_not_know_still_has_a_sentence(
    town: Town, owner: asyncpg.Connection, at: Gateway
) -> None:
    await owner.execute("""UPDATE outbox SET kind = 'later', last_error = '{"code": "later", "values": {"n": 3}}'""")
    for each in (await undelivered(town.system())).items:
        assert each.word == "这个版本不认得的一种"
        assert each.failure.startswith("送的时候程序出了错。")


async def test_the_operator_sees_how_much_waits_and_how_much_is_dead_in_all_communities(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, at: Gateway
) -> None:
    await left(town.system("龙泉社区"), "a")
    found = await backlog(list(town.communities.values()))
    assert (found.due, found.dead) == (1, 2)
    told = (await client.get("/metrics")).text
    assert "timebank_outbox_due 1.0" in told
    assert "timebank_outbox_dead 2.0" in told
    assert (await backlog([])).dead == 0
