"""A person's own ledger entries, who else may read them, and donations to the common pool."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.town import Town
from timebank.core import clock
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting

LAST_DAY = date(clock.local_day().year + 1, 12, 31)


async def get(client: httpx.AsyncClient, town: Town, name: str, path: str) -> httpx.Response:
    return await client.get(f"/api/v1{path}", headers=await town.sign_in(name))


async def earn(town: Town, name: str, minutes: int, memo: str = "") -> posting.Earned:
    note = Posting(
        kind="service",
        key=f"earn:{clock.new_id()}",
        source_kind="service_record",
        source_id=clock.new_id(),
        memo=memo,
        occurred_at=None,
        rule_code="service",
        rule_version=1,
    )
    return await posting.earn(town.system(), town.people[name], minutes, 6, note, expires_on=LAST_DAY)


async def test_balances_tell_what_can_be_spent_what_is_held_and_what_expires(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("张桂兰", 100)
    await earn(town, "张桂兰", 135)
    note = Posting(kind="hold", key="h", source_kind="test", source_id=clock.new_id())
    await posting.hold(town.system(), town.people["张桂兰"], 30, note)
    answer = await get(client, town, "张桂兰", "/me/balances")
    assert answer.json() == {
        "points": {"available": 92, "held": 30, "expiring": [{"on": str(LAST_DAY), "amount": 92}]},
        "minutes": 3,
        "class_minutes": [],
        "owed": 0,
    }
    assert (await client.get("/api/v1/me/balances")).status_code == 401


async def test_a_guardian_reads_the_own_book_with_the_child_s_class_time_and_the_child_s_book(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    child = town.people["刘小雨"]
    note = Posting(kind="purchase", key="p", source_kind="test", source_id=clock.new_id(), memo="少儿书法 1 课时")
    await posting.issue(town.system(), child, Currency.class_minute, 60, note, subject_id=town.course)
    has = [{"child_id": str(child), "course_id": str(town.course), "available": 60, "lasts_until": None}]
    assert (await get(client, town, "刘洋", "/me/balances")).json()["class_minutes"] == has
    assert (await get(client, town, "刘洋", f"/me/balances?person_id={child}")).json()["class_minutes"] == has
    path = f"/me/statement?person_id={child}&currency=class_minute&course_id={town.course}"
    assert [item["why"] for item in (await get(client, town, "刘洋", path)).json()["items"]] == ["少儿书法 1 课时"]
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    assert (await get(client, town, "刘洋", f"/me/balances?person_id={child}")).status_code == 404
    assert (await get(client, town, "刘洋", "/me/balances")).json()["class_minutes"] == []


@pytest.mark.parametrize("path", ["/me/balances", "/me/statement"])
async def test_nobody_reads_another_s_book_but_who_reads_all(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, path: str
) -> None:
    path += f"?person_id={town.people['张桂兰']}"
    for name in ("张国庆", "王建国", "周敏", "陈明", "刘洋", "何静"):
        assert (await get(client, town, name, path)).status_code == 404, name
    for name in ("赵丽", "孙伟", "钱进"):
        assert (await get(client, town, name, path)).status_code == 200, name
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'open_person'") == 1  # the street's admin


async def test_a_statement_says_what_when_how_much_what_was_left_and_why(town: Town, client: httpx.AsyncClient) -> None:
    await earn(town, "张桂兰", 120, "2 小时 · 暖蜂驿站 · 站点值守 v2，6 分钟 = 1 分")
    await earn(town, "张桂兰", 60)
    reversed_ = await earn(town, "张桂兰", 30, "30 分 · 慈善超市")
    note = Posting(kind="reversal", key="r", source_kind="service_record", source_id=clock.new_id(), memo="重复登记")
    await posting.reverse(town.system(), reversed_.entry_id, note)
    items = (await get(client, town, "张桂兰", "/me/statement")).json()["items"]
    assert [(i["what"], i["amount"], i["balance"], i["why"]) for i in items] == [
        ("冲正", -5, 30, "重复登记（撤回：志愿服务 · 30 分 · 慈善超市）"),
        ("志愿服务", 5, 35, "30 分 · 慈善超市"),
        ("志愿服务", 10, 30, "志愿服务"),
        ("志愿服务", 20, 20, "2 小时 · 暖蜂驿站 · 站点值守 v2，6 分钟 = 1 分"),
    ]
    assert set(items[0]) == {"entry_id", "kind", "what", "when", "amount", "balance", "why"}


async def test_a_reversal_of_what_was_spent_still_names_it(town: Town, client: httpx.AsyncClient) -> None:
    earned = await earn(town, "张桂兰", 60, "1 小时")
    spent = Posting(kind="donation", key="d", source_kind="donation", source_id=clock.new_id())
    await posting.spend(town.system(), town.people["张桂兰"], 8, spent, to="donated")
    await posting.reverse(
        town.system(),
        earned.entry_id,
        Posting(kind="reversal", key="r", source_kind="test", source_id=clock.new_id(), memo="误记"),
    )
    (line, *_) = (await get(client, town, "张桂兰", "/me/statement")).json()["items"]
    assert (line["amount"], line["why"]) == (-2, "误记（撤回：志愿服务 · 1 小时）")
    assert (await get(client, town, "张桂兰", "/me/balances")).json()["owed"] == 8


async def test_a_statement_comes_in_pages_whose_balances_join(town: Town, client: httpx.AsyncClient) -> None:
    for points in (1, 2, 3, 4, 5):
        await town.give_points("张桂兰", points)
    headers, path, seen = await town.sign_in("张桂兰"), "/api/v1/me/statement?limit=2", []
    while path:
        answer = await client.get(path, headers=headers)
        seen += [(item["amount"], item["balance"]) for item in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url", "")
    assert sorted(amount for amount, _ in seen) == [1, 2, 3, 4, 5]
    assert all(left - amount == below for (amount, left), (_, below) in zip(seen, [*seen[1:], (0, 0)], strict=True))
    assert (await client.get("/api/v1/me/statement?currency=gold", headers=headers)).status_code == 400
    assert (await client.get("/api/v1/me/statement?cursor=%00", headers=headers)).status_code == 400


# ------------------------------------------------------------------------------------------------------------ donations


async def give(
    client: httpx.AsyncClient, town: Town, by: str, points: Any, key: str | None = "d-1", of: str | None = None
) -> httpx.Response:
    headers = await town.sign_in(by) | ({"Idempotency-Key": key} if key else {})
    body = {"person_id": str(town.people[of or by]), "points": points, "note": "给独居老人"}
    return await client.post("/api/v1/donations", json=body, headers=headers)


async def test_a_donation_moves_points_once_per_key(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 100)
    answers = [await give(client, town, "张桂兰", 30) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["points"] == 30
    (line, _) = (await get(client, town, "张桂兰", "/me/statement")).json()["items"]
    assert (line["entry_id"], line["what"], line["amount"]) == (answers[0].json()["id"], "捐给公共积分池", -30)
    assert line["why"] == "给独居老人"
    assert (await give(client, town, "张桂兰", 31)).status_code == 422


async def test_a_donation_is_of_one_s_own_points_and_no_more_than_there_are(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("张桂兰", 10)
    refused = await give(client, town, "张桂兰", 11)
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_points")
    assert (await give(client, town, "张桂兰", 10, None)).json()["code"] == "idempotency_key_missing"
    for other in ("张国庆", "赵丽", "何静"):
        assert (await give(client, town, other, 1, of="张桂兰")).status_code == 404
    for wrong in (0, -5, 10**9, 1.5, "很多"):
        assert (await give(client, town, "张桂兰", wrong)).status_code == 400
    assert (await client.post("/api/v1/donations", json={})).status_code == 401


async def test_forty_donations_at_once_give_no_more_than_there_is(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 15)
    headers = await town.sign_in("张桂兰")
    body = {"person_id": str(town.people["张桂兰"]), "points": 1}
    answers = await asyncio.gather(
        *(client.post("/api/v1/donations", json=body, headers=headers | {"Idempotency-Key": f"d-{n}"})
          for n in range(40))
    )  # fmt: skip
    assert sorted(a.status_code for a in answers) == [201] * 15 + [422] * 25
