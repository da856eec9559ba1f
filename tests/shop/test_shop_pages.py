"""The pages of the shop: what a resident, a keeper and an administrator see and do."""

import io
import re

import asyncpg
import httpx
import pytest
from PIL import Image

from tests.support.counter import stands_here
from tests.support.shop import API, browser, points_of, stock_of
from tests.support.town import Town
from timebank.http.callers import csrf_token
from timebank.shop import redemption
from timebank.shop.schemas import Redeemed, RedemptionIn


async def reserved(town: Town, name: str = "张桂兰", good: str = "香皂") -> Redeemed:
    want = RedemptionIn(person_id=town.people[name], good_id=town.goods[good], station_id=town.stations["暖蜂驿站"])
    return await redemption.redeem(await town.scope(name), want)


@pytest.mark.parametrize("path", ["/goods", "/redemptions", "/desk/redemptions", "/admin/goods"])
async def test_a_visitor_is_sent_to_sign_in(town: Town, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")


async def test_the_shelf_says_what_one_can_afford(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    page = await (await browser(client, town, "张桂兰")).see("/goods")
    for words in ("食用油 5L", "还差 70 分", "可以换", "余 50 块"):
        assert words in page
    assert page.index("香皂") < page.index("食用油 5L"), "what one can have comes first"


async def test_a_resident_reserves_and_is_shown_the_code(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    phone = await browser(client, town, "张桂兰")
    path = f"/goods/{town.goods['香皂']}"
    assert "本月已换 0" in await phone.see(path)
    fields = {"station_id": town.stations["暖蜂驿站"], "quantity": 2}
    sent = [await phone.send(f"{path}/reservation", "one tap", **fields) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [303, 303]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    page = await phone.see(sent[0].headers["location"])
    code: str = await owner.fetchval("SELECT code FROM pickup")
    assert f"{code[:4]} {code[4:]}" in page
    assert "data:image/png;base64," in page
    assert await points_of(town, "张桂兰") == (34, 16)
    assert f"{code[:4]} {code[4:]}" in await phone.see("/redemptions")


async def test_a_refusal_is_said_above_the_form(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 500)
    phone = await browser(client, town, "张桂兰")
    fields = {"station_id": town.stations["暖蜂驿站"], "quantity": 4}
    answer = await phone.send(f"/goods/{town.goods['香皂']}/reservation", **fields)
    assert answer.status_code == 422
    assert "您家本月已换 0 件" in answer.text
    assert 'name="station_id"' in answer.text


async def test_a_form_without_the_sessions_token_does_nothing(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    phone = await browser(client, town, "张桂兰")
    fields = {"station_id": str(town.stations["暖蜂驿站"]), "quantity": "1", "_key": "k"}
    path = f"/goods/{town.goods['香皂']}/reservation"
    for wrong in ("", csrf_token(await town.token("王建国"))):
        answer = await client.post(path, data=fields | {"_csrf": wrong}, headers=phone.headers)
        assert answer.status_code == 403
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_a_resident_cancels_on_the_page_and_sees_nobody_elses(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    made = await reserved(town)
    path = f"/redemptions/{made.id}"
    other = await browser(client, town, "王建国")
    await other.see(path, 404)
    assert (await other.send(f"{path}/cancellation")).status_code == 404
    keeper = await browser(client, town, "周敏")
    await keeper.see(path, 404)
    phone = await browser(client, town, "张桂兰")
    assert (await phone.send(f"{path}/cancellation")).headers["location"] == path
    assert "已取消" in await phone.see(path)
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_the_keeper_hands_over_what_a_code_stands_for(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    made = await reserved(town)
    desk = await browser(client, town, "周敏")
    unknown = await desk.see("/desk/redemptions?code=0000 0000")
    assert "没有找到这个码" in unknown
    assert 'value="00000000"' in unknown
    page = await desk.see(f"/desk/redemptions?code={made.code}")
    assert "张桂兰" in page
    assert "香皂 1 块" in page
    path = f"/desk/redemptions/{made.id}"
    wrong = await desk.send(f"{path}/collection", code="00000000")
    assert wrong.status_code == 422
    assert "取货码不对" in wrong.text
    assert 'action="/desk/redemptions"' in wrong.text
    assert 'value="00000000"' in wrong.text
    assert (await desk.send(f"{path}/collection", code=made.code)).headers["location"] == path
    assert "已交付" in await desk.see(path)
    assert await points_of(town, "张桂兰") == (42, 0)


async def test_only_who_serves_at_a_counter_looks_codes_up(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    made = await reserved(town)
    for name in ("张桂兰", "孙伟"):
        await (await browser(client, town, name)).see(f"/desk/redemptions?code={made.code}", 403)


async def test_goods_given_out_at_the_counter_are_settled_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    desk = await browser(client, town, "周敏")
    fields = {
        "person_id": town.people["张桂兰"], "good_id": town.goods["香皂"], "station_id": town.stations["暖蜂驿站"],
        "quantity": 2, "collect_now": "true",
        "presence": await stands_here(await town.scope("周敏"), town, "张桂兰"),
    }  # fmt: skip
    sent = [await desk.send("/desk/redemptions", "one tap", **fields) for _ in range(2)]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    assert await points_of(town, "张桂兰") == (34, 0)
    refused = await desk.send("/desk/redemptions", **fields)
    assert refused.status_code == 422
    assert "本月已换 2 件" in refused.text
    assert "返回柜台" in refused.text
    again = f"/desk?station={fields['station_id']}&scan={fields['presence']}"
    assert f'href="{again.replace("&", "&amp;")}"' in refused.text
    assert "张桂兰" in await desk.see(again)
    assert await stock_of(owner, town, "香皂") == 48


@pytest.mark.parametrize("path", ["/admin/goods", "/admin/goods/new", "/admin/goods/redemptions"])
async def test_the_panel_is_for_staff(town: Town, client: httpx.AsyncClient, path: str) -> None:
    for name in ("张桂兰", "周敏"):
        await (await browser(client, town, name)).see(path, 403)
    await (await browser(client, town, "赵丽")).see(path)


async def test_an_admin_offers_a_good_receives_counts_and_shows_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    panel = await browser(client, town, "赵丽")
    twice = await panel.send("/admin/goods", name="香皂", unit="块", points=8)
    assert twice.status_code == 409
    assert "已经有同名的物品" in twice.text
    assert 'value="香皂"' in twice.text
    vague = await panel.send("/admin/goods", name="大米", unit="袋", points="很多")
    assert vague.status_code == 422
    assert "积分" in vague.text
    made = await panel.send("/admin/goods", name="大米 5kg", unit="袋", points=90, monthly_limit="")
    path = made.headers["location"].partition("?")[0]
    town.goods["大米 5kg"] = await owner.fetchval("SELECT id FROM good WHERE name = '大米 5kg'")
    here = town.stations["暖蜂驿站"]
    for _ in range(2):
        await panel.send(f"{path}/receipts", "one tap", station_id=here, quantity=7, note="街道送来")
    assert await stock_of(owner, town, "大米 5kg") == 7
    assert (await panel.send(f"{path}/counts", station_id=here, counted=6)).status_code == 303
    assert await stock_of(owner, town, "大米 5kg") == 6
    page = await panel.see(path)
    assert "入库 · 街道送来" in page
    assert "−1" in page
    changed = await panel.send(path, name="大米 5kg", unit="袋", points=80, monthly_limit="")
    assert changed.status_code == 303
    (kept,) = await owner.fetch("SELECT points, active, monthly_limit FROM good WHERE name = '大米 5kg'")
    assert dict(kept) == {"points": 80, "active": False, "monthly_limit": None}


async def test_an_admin_uploads_a_photo_on_the_page(town: Town, client: httpx.AsyncClient) -> None:
    panel = await browser(client, town, "赵丽")
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "#0F766E").save(out, "JPEG")
    path = f"/admin/goods/{town.goods['香皂']}"
    known = {"_csrf": csrf_token(panel.token)}
    for content, status in ((b"no picture", 422), (out.getvalue(), 303)):
        answer = await client.post(
            f"{path}/photo", data=known, files={"photo": ("p.jpg", content)}, headers=panel.headers
        )
        assert answer.status_code == status
    shown = re.search(rf'src="({API}/goods/[^"]+)"', await panel.see(path))
    assert shown
    assert (await client.get(shown[1], headers=panel.headers)).headers["content-type"] == "image/webp"


async def test_an_admin_takes_a_good_back_with_a_reason(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    presence = await stands_here(await town.scope("周敏"), town, "张桂兰")
    want = RedemptionIn(
        person_id=town.people["张桂兰"],
        good_id=town.goods["香皂"],
        station_id=town.stations["暖蜂驿站"],
        collect_now=True,
        presence=presence,
    )
    made = await redemption.redeem(await town.scope("周敏"), want)
    panel = await browser(client, town, "赵丽")
    assert "张桂兰" in await panel.see("/admin/goods/redemptions?status=collected")
    assert "没有兑换记录" in await panel.see("/admin/goods/redemptions?status=expired")
    path = f"/admin/goods/redemptions/{made.id}"
    assert (await panel.send(f"{path}/return", reason="")).status_code == 422
    assert (await panel.send(f"{path}/return", reason="包装破了")).status_code == 303
    assert "已退货" in await panel.see(path)
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_a_keeper_receives_and_counts_at_the_own_station(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    desk, here = await browser(client, town, "周敏"), town.stations["暖蜂驿站"]
    path = f"/desk/shelf?station={here}"
    for name, status in (("张桂兰", 403), ("马涛", 404)):
        await (await browser(client, town, name)).see(path, status)
    await desk.see(f"/desk/shelf?station={town.stations['慈善超市']}", 403)
    assert "50 块" in await desk.see(path)
    fields = {"station_id": here, "good_id": town.goods["香皂"]}
    for _ in range(2):
        await desk.send("/desk/shelf/receipts", "one tap", **fields, quantity=10)
    assert await stock_of(owner, town, "香皂") == 60
    vague = await desk.send("/desk/shelf/receipts", **fields, quantity="一些")
    assert (vague.status_code, "数量" in vague.text) == (422, True)
    assert (await desk.send("/desk/shelf/counts", **fields, counted=58)).status_code == 303
    assert await stock_of(owner, town, "香皂") == 58
