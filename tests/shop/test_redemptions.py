"""Reserve, collect, cancel, expire and return goods, without concurrency."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from msgspec.structs import replace

from tests.support.counter import stands_here
from tests.support.shop import API, books_balance, key, points_of, reserve, stock_of, wish
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.ledger.statement import balances
from timebank.shop import cancelling, collection, redemption
from timebank.shop.collection import OwnRedemption, RedemptionEnded, RedemptionOverdue
from timebank.shop.limits import taken_this_month
from timebank.shop.reading import list_waiting_redemptions
from timebank.shop.schemas import RedemptionIn
from timebank.shop.shelves import stock


def wanted(town: Town, name: str, good: str = "香皂", quantity: int = 1) -> RedemptionIn:
    return RedemptionIn(
        person_id=town.people[name], good_id=town.goods[good], station_id=town.stations["暖蜂驿站"], quantity=quantity
    )


async def taking(town: Town, name: str, good: str = "香皂") -> RedemptionIn:
    """A redemption collected at once, with the presence of a person whose code the keeper has just scanned."""
    presence = await stands_here(await town.scope("周敏"), town, name)
    return replace(wanted(town, name, good), collect_now=True, presence=presence)


async def messages_of(owner: asyncpg.Connection, town: Town, name: str) -> list[str]:
    found = await owner.fetch("SELECT kind FROM message WHERE person_id = $1 ORDER BY id", town.people[name])
    return [row["kind"] for row in found]


async def test_a_reservation_holds_points_and_stock_until_its_day(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    answer = await reserve(client, town, "张桂兰", "香皂", 2)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["points"], len(made["code"])) == ("reserved", 16, 8)
    assert await points_of(town, "张桂兰") == (34, 16)
    assert await stock_of(owner, town, "香皂") == 48
    listed = await client.get(f"{API}/redemptions", headers=await town.sign_in("张桂兰"))
    assert [(r["id"], r["code"], r["person"]) for r in listed.json()["items"]] == [(made["id"], made["code"], "张桂兰")]


async def test_a_reservation_needs_a_key_and_repeats_its_answer(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    headers = await town.sign_in("张桂兰")
    missing = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂"), headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    headers |= key()
    first = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂"), headers=headers)
    again = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂"), headers=headers)
    assert (again.status_code, again.content, again.headers["idempotent-replayed"]) == (201, first.content, "true")
    other = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂", 2), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await points_of(town, "张桂兰") == (42, 8)


async def test_nobody_spends_anothers_points(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    assert (await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂"))).status_code == 401
    for name, status in (("王建国", 404), ("张国庆", 404), ("马涛", 404), ("孙伟", 403), ("周敏", 403), ("赵丽", 403)):
        headers = await town.sign_in(name) | key()
        answer = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂"), headers=headers)
        assert answer.status_code == status, name
    headers = await town.sign_in("王建国") | key()
    taken = await client.post(
        f"{API}/redemptions", json=wish(town, "张桂兰", "香皂", collect_now=True), headers=headers
    )
    assert taken.status_code == 404
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_too_few_points_leave_everything_as_it_was(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 119)
    refused = await reserve(client, town, "张桂兰", "食用油 5L")
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_points")
    assert refused.json()["detail"] == "积分不够：需要 120 分，可用 119 分。"
    assert await stock_of(owner, town, "食用油 5L") == 5
    assert await owner.fetchval("SELECT count(*) FROM household_month") == 0


async def test_an_empty_shelf_says_how_many_are_left(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 500)
    refused = await reserve(client, town, "张桂兰", "抽纸", 2)
    assert (refused.status_code, refused.json()["code"]) == (422, "out_of_stock")
    assert "只有 1 件" in refused.json()["detail"]


async def test_what_a_household_took_this_month_is_told_to_each_of_its_members(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Another household's goods and last month's are not counted; a person without a household is counted alone."""
    for name in ("张桂兰", "张国庆", "王建国", "陈明"):
        await town.give_points(name, 200)
    await owner.execute("UPDATE person SET household_id = NULL WHERE id = $1", town.people["陈明"])
    assert (await reserve(client, town, "张桂兰", "香皂", 2)).status_code == 201
    assert (await reserve(client, town, "张国庆", "食用油 5L")).status_code == 201
    assert (await reserve(client, town, "王建国", "香皂", 3)).status_code == 201
    assert (await reserve(client, town, "陈明", "香皂")).status_code == 201
    await owner.execute(
        "INSERT INTO household_month SELECT community_id, household_id, good_id, month - interval '1 month', 7 "
        "FROM household_month"
    )
    taken = {name: await taken_this_month(await town.scope(name), town.people[name]) for name in town.logins}
    soap, oil = town.goods["香皂"], town.goods["食用油 5L"]
    assert taken["张桂兰"] == taken["张国庆"] == {soap: 2, oil: 1}
    assert taken["王建国"] == {soap: 3}
    assert taken["陈明"] == {soap: 1}
    assert taken["李秀英"] == taken["何静"] == {}


async def test_a_household_shares_its_monthly_limit(town: Town, client: httpx.AsyncClient) -> None:
    for name in ("张桂兰", "张国庆", "王建国"):
        await town.give_points(name, 200)
    assert (await reserve(client, town, "张桂兰", "香皂", 4)).json()["code"] == "monthly_limit_reached"
    assert (await reserve(client, town, "张桂兰", "香皂", 2)).status_code == 201
    refused = await reserve(client, town, "张国庆", "香皂", 2)
    assert (refused.status_code, refused.json()["code"]) == (422, "monthly_limit_reached")
    assert "已换 2 件" in refused.json()["detail"]
    assert (await reserve(client, town, "王建国", "香皂", 3)).status_code == 201
    next_month = clock.now() + timedelta(days=32)
    with clock.at(next_month):
        made = await redemption.redeem(await town.scope("张国庆"), wanted(town, "张国庆", quantity=3))
    assert made.status == "reserved"


async def test_a_good_is_offered_only_where_there_is_a_shelf_for_it(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    elsewhere = wish(town, "张桂兰", "香皂") | {"station_id": str(town.stations["慈善超市"])}
    for body in (elsewhere, elsewhere | {"station_id": str(town.stations["龙泉驿站"])}):
        headers = await town.sign_in("张桂兰") | key()
        refused = await client.post(f"{API}/redemptions", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "good_not_offered_here")


@pytest.mark.parametrize("more", [{"quantity": 0}, {"quantity": 10**30}, {"station_id": "x"}, {"note": "hello"}])
async def test_a_wish_out_of_bounds_is_refused(town: Town, client: httpx.AsyncClient, more: dict[str, object]) -> None:
    headers = await town.sign_in("张桂兰") | key()
    refused = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂") | more, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


async def test_the_keeper_hands_over_by_the_code(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂", 2)).json()
    path, body, keeper = (
        f"{API}/redemptions/{made['id']}/collection",
        {"code": made["code"]},
        await town.sign_in("周敏"),
    )
    assert (await client.post(path, json=body)).status_code == 401
    for name, status in (("张桂兰", 403), ("王建国", 404), ("孙伟", 403), ("马涛", 404)):
        refused = await client.post(path, json=body, headers=await town.sign_in(name) | key())
        assert refused.status_code == status, name
    wrong = await client.post(path, json={"code": f"{(int(made['code']) + 1) % 10**8:08}"}, headers=keeper | key())
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_collection_code")
    handed = await client.post(path, json=body, headers=keeper | {"Idempotency-Key": "handed"})
    assert (handed.status_code, handed.json()["status"]) == (200, "collected")
    replayed = await client.post(path, json=body, headers=keeper | {"Idempotency-Key": "handed"})
    assert (replayed.status_code, replayed.content) == (200, handed.content)
    again = await client.post(path, json=body, headers=keeper | key())
    assert (again.status_code, again.json()["code"]) == (409, "redemption_ended")
    assert await points_of(town, "张桂兰") == (34, 0)
    assert await stock_of(owner, town, "香皂") == 48
    assert await messages_of(owner, town, "张桂兰") == ["redemption_collected"]


async def test_guessing_a_code_ends_after_ten_tries(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    path, keeper = f"{API}/redemptions/{made['id']}/collection", await town.sign_in("周敏")
    wrong = {"code": f"{(int(made['code']) + 1) % 10**8:08}"}
    for _ in range(10):
        assert (await client.post(path, json=wrong, headers=keeper | key())).status_code == 422
    stopped = await client.post(path, json={"code": made["code"]}, headers=keeper | key())
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too_many_attempts")
    assert int(stopped.headers["retry-after"]) > 0


async def test_a_keeper_finds_a_reservation_by_its_code_and_its_name_is_shown_then(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    keeper, path = await town.sign_in("周敏"), f"{API}/redemptions?code={made['code']}"
    (found,) = (await client.get(path, headers=keeper)).json()["items"]
    assert (found["id"], found["person"], found["code"]) == (made["id"], "张桂兰", None)
    (listed,) = (await client.get(f"{API}/redemptions", headers=keeper)).json()["items"]
    assert (listed["person"], listed["code"]) == ("张*", None)
    assert (await client.get(path, headers=await town.sign_in("王建国"))).status_code == 403
    assert (await client.get(f"{API}/redemptions?code=00000000", headers=keeper)).json()["items"] == []
    assert (await client.get(f"{API}/redemptions?code=abc", headers=keeper)).status_code == 400


async def test_the_keeper_of_another_station_is_told_where_to_send_the_person(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "UPDATE role_grant SET station_id = $1 WHERE role = 'station_keeper'", town.stations["慈善超市"]
    )
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    keeper = await town.sign_in("周敏")
    found = await client.get(f"{API}/redemptions?code={made['code']}", headers=keeper)
    assert (found.status_code, found.json()["detail"]) == (422, "这个取货码要到暖蜂驿站领取。")
    path = f"{API}/redemptions/{made['id']}"
    assert (await client.get(path, headers=keeper)).status_code == 404
    refused = await client.post(f"{path}/collection", json={"code": made["code"]}, headers=keeper | key())
    assert refused.status_code == 404


async def test_what_is_taken_at_the_counter_is_settled_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    headers = await town.sign_in("周敏") | key()
    presence = await stands_here(await town.scope("周敏"), town, "张桂兰")
    body = wish(town, "张桂兰", "香皂", 2, collect_now=True, presence=presence)
    taken = await client.post(f"{API}/redemptions", json=body, headers=headers)
    assert (taken.status_code, taken.json()["status"], taken.json()["code"]) == (201, "collected", None)
    assert await points_of(town, "张桂兰") == (34, 0)
    assert await stock_of(owner, town, "香皂") == 48
    assert await messages_of(owner, town, "张桂兰") == ["redemption_collected"]


async def test_a_keeper_serves_neither_oneself_nor_the_own_household(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE role_grant SET person_id = $1 WHERE role = 'station_keeper'", town.people["张桂兰"])
    for name in ("张桂兰", "张国庆"):
        await town.give_points(name, 50)
        headers = await town.sign_in("张桂兰") | key()
        body = wish(town, name, "香皂", collect_now=True)
        refused = await client.post(f"{API}/redemptions", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "own_redemption")
        made = (await reserve(client, town, name, "香皂")).json()
        refused = await client.post(
            f"{API}/redemptions/{made['id']}/collection", json={"code": made["code"]}, headers=headers | key()
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "own_redemption")
    assert await points_of(town, "张国庆") == (42, 8)


async def test_an_admin_does_not_serve_the_own_household_either(town: Town) -> None:
    await town.give_points("赵丽", 50)
    with pytest.raises(OwnRedemption):
        await redemption.redeem(await town.scope("赵丽"), replace(wanted(town, "赵丽"), collect_now=True))


async def test_a_blocked_resident_takes_nothing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["张桂兰"])
    headers = await town.sign_in("周敏") | key()
    body = wish(town, "张桂兰", "香皂", collect_now=True)
    refused = await client.post(f"{API}/redemptions", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "person_not_active")


@pytest.mark.parametrize("name", ["张桂兰", "周敏", "赵丽"])
async def test_a_cancelled_reservation_returns_points_stock_and_limit(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, name: str
) -> None:
    await town.give_points("张桂兰", 150)
    made = (await reserve(client, town, "张桂兰", "食用油 5L")).json()
    path, headers = f"{API}/redemptions/{made['id']}", await town.sign_in(name)
    assert (await client.delete(path)).status_code == 401
    assert (await client.delete(path, headers=await town.sign_in("王建国"))).status_code == 404
    assert (await client.delete(path, headers=await town.sign_in("孙伟"))).status_code == 403
    first, again = await client.delete(path, headers=headers), await client.delete(path, headers=headers)
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert (again.status_code, again.content) == (200, first.content)
    assert await points_of(town, "张桂兰") == (150, 0)
    assert await stock_of(owner, town, "食用油 5L") == 5
    assert (await reserve(client, town, "张桂兰", "食用油 5L")).status_code == 201
    assert await messages_of(owner, town, "张桂兰") == ([] if name == "张桂兰" else ["redemption_cancelled"])


async def test_what_was_collected_cannot_be_cancelled(town: Town) -> None:
    await town.give_points("张桂兰", 50)
    made = await redemption.redeem(await town.scope("周敏"), await taking(town, "张桂兰"))
    with pytest.raises(RedemptionEnded):
        await cancelling.cancel(await town.scope("张桂兰"), made.id)


async def test_an_uncollected_good_returns_after_its_day(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("张桂兰", 150)
    made = await redemption.redeem(await town.scope("张桂兰"), wanted(town, "张桂兰", "食用油 5L"))
    with clock.at(made.expires_at - timedelta(seconds=1)):
        assert await cancelling.expire_redemptions(town.system()) == 0
    with clock.at(made.expires_at):
        with pytest.raises(RedemptionOverdue):
            await collection.collect(await town.scope("周敏"), made.id, made.code or "")
        assert await cancelling.expire_redemptions(town.system()) == 1
        assert await cancelling.expire_redemptions(town.system()) == 0
    assert await points_of(town, "张桂兰") == (150, 0)
    assert await stock_of(owner, town, "食用油 5L") == 5
    assert await messages_of(owner, town, "张桂兰") == ["redemption_expired"]
    assert await owner.fetchval("SELECT quantity FROM household_month") == 0


async def test_the_communitys_own_policy_says_how_long_a_good_is_kept(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("张桂兰", 50)
    await owner.execute(
        "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'hold_days', 2, now())", town.community
    )
    made = await redemption.redeem(await town.scope("张桂兰"), wanted(town, "张桂兰"))
    assert timedelta(days=1, hours=23) < made.expires_at - clock.now() <= timedelta(days=2)


async def test_a_good_brought_back_returns_points_with_a_reason(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 150)
    made = await redemption.redeem(await town.scope("周敏"), await taking(town, "张桂兰", "食用油 5L"))
    path, body = f"{API}/redemptions/{made.id}/return", {"reason": "瓶口漏油"}
    assert (await client.post(path, json=body)).status_code == 401
    assert (await client.post(path, json=body, headers=await town.sign_in("张桂兰") | key())).status_code == 403
    assert (await client.post(path, json=body, headers=await town.sign_in("王建国") | key())).status_code == 404
    assert (await client.post(path, json={"reason": ""}, headers=await town.sign_in("周敏") | key())).status_code == 400
    returned = await client.post(path, json=body, headers=await town.sign_in("周敏") | key())
    assert (returned.status_code, returned.json()["status"]) == (200, "returned")
    again = await client.post(path, json=body, headers=await town.sign_in("周敏") | key())
    assert (again.status_code, again.json()["code"]) == (409, "redemption_not_collected")
    assert await points_of(town, "张桂兰") == (150, 0)
    assert await stock_of(owner, town, "食用油 5L") == 5
    assert await owner.fetchval("SELECT quantity FROM household_month") == 0
    assert await owner.fetchval("SELECT reason FROM audit WHERE verb = 'return_goods'") == "瓶口漏油"
    await books_balance(owner)


async def test_the_earliest_points_are_spent_first_and_come_back_as_they_were(town: Town) -> None:
    soon, later = clock.local_day() + timedelta(days=10), clock.local_day() + timedelta(days=400)
    await town.give_points("张桂兰", 5, expires_on=soon)
    await town.give_points("张桂兰", 50, expires_on=later)
    scope = await town.scope("张桂兰")
    made = await redemption.redeem(scope, wanted(town, "张桂兰"))
    await cancelling.cancel(scope, made.id)
    left = (await balances(scope, town.people["张桂兰"], [])).points.expiring
    assert [(e.on, e.amount) for e in left] == [(soon, 5), (later, 50)]


async def test_a_persons_record_elsewhere_is_acted_for_in_its_own_community(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, now())",
        town.community, town.logins["马涛"], town.people["张桂兰"],
    )  # fmt: skip
    await town.give_points("张桂兰", 50)
    headers = await town.sign_in("马涛") | key()
    made = await client.post(f"{API}/redemptions", json=wish(town, "张桂兰", "香皂"), headers=headers)
    assert made.status_code == 201


async def test_a_keeper_lists_the_own_station_and_an_auditor_all(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    await town.give_points("王建国", 50)
    await stock.receive(await town.scope("赵丽"), town.goods["香皂"], town.stations["慈善超市"], 4)
    here = await redemption.redeem(await town.scope("张桂兰"), wanted(town, "张桂兰"))
    there = RedemptionIn(
        person_id=town.people["王建国"], good_id=town.goods["香皂"], station_id=town.stations["慈善超市"]
    )
    other = await redemption.redeem(await town.scope("王建国"), there)
    seen = {
        name: {
            UUID(r["id"])
            for r in (await client.get(f"{API}/redemptions", headers=await town.sign_in(name))).json()["items"]
        }
        for name in ("张桂兰", "王建国", "张国庆", "周敏", "孙伟", "赵丽")
    }
    both = {here.id, other.id}
    assert seen == {
        "张桂兰": {here.id}, "王建国": {other.id}, "张国庆": set(), "周敏": {here.id}, "孙伟": both, "赵丽": both,
    }  # fmt: skip


async def test_only_a_keeper_sees_what_waits_for_the_person_at_the_counter(town: Town) -> None:
    await town.give_points("张桂兰", 50)
    made = await redemption.redeem(await town.scope("张桂兰"), wanted(town, "张桂兰"))
    presence = await stands_here(await town.scope("周敏"), town, "张桂兰")
    place = town.people["张桂兰"], town.stations["暖蜂驿站"], presence
    (waiting,) = await list_waiting_redemptions(await town.scope("周敏"), *place)
    assert (waiting.id, waiting.person, waiting.code) == (made.id, "张桂兰", None)
    with pytest.raises(Forbidden):
        await list_waiting_redemptions(await town.scope("孙伟"), *place)
