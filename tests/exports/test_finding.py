"""The search field above every page of the panel."""

import asyncpg
import httpx
import pytest

from tests.support.presence import served
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core.capability import capabilities, resolve


async def asked(client: httpx.AsyncClient, town: Town, name: str, words: str) -> httpx.Response:
    return await (await browser(client, town, name)).send("/admin/find", q=words)


@pytest.mark.parametrize("name", ["赵丽", "孙伟"])
async def test_people_goods_and_courses_are_found_by_what_is_typed(
    town: Town, client: httpx.AsyncClient, name: str
) -> None:
    person = f"/admin/people/{town.people['张桂兰']}"
    for words, address in (
        ("zgl", person), ("张桂", person), (town.phones["张桂兰"][-4:], person),
        ("香皂", f"/admin/goods/{town.goods['香皂']}"),
        ("林老师", f"/admin/classes/{town.course}"),
    ):  # fmt: skip
        answer = await asked(client, town, name, words)
        assert answer.status_code == 200, answer.text
        assert f'href="{address}"' in answer.text, words
    assert "没有找到" in (await asked(client, town, name, "没有这个")).text


async def test_a_record_and_an_entry_are_found_by_their_numbers(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await served(town, "张桂兰", 90)
    record = await owner.fetchrow("SELECT id, entry_id FROM service_record")
    assert record is not None
    assert f'href="/admin/reviews/{record["id"]}"' in (await asked(client, town, "赵丽", str(record["id"]))).text
    assert (
        f'href="/admin/ledger/{record["entry_id"]}"'
        in (await asked(client, town, "赵丽", str(record["entry_id"]))).text
    )
    assert "没有找到" in (await asked(client, town, "赵丽", str(town.community))).text


@pytest.mark.parametrize("name", ["张桂兰", "周敏", "陈明"])
async def test_nobody_else_searches_the_whole_community(town: Town, client: httpx.AsyncClient, name: str) -> None:
    assert (await asked(client, town, name, "zgl")).status_code == 403
    for one in (each for capability in capabilities() for each in capability.found_by):
        for words in ("张桂兰", "香皂", str(town.community)):
            assert await resolve(one.verb)(await town.scope(name), words, 5) == []
