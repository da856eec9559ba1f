"""A resident's pages of matters: a report in three steps, its timeline, and the answer whether it is solved."""

import io
import re
from datetime import date
from uuid import UUID

import asyncpg
import httpx
from PIL import Image

from tests.support.matters import BUILDING, CONTACT, FIRM, GRID_HEAD, MEMBER, Ground
from tests.support.pictures import picture
from tests.support.shop import Browser, browser
from timebank.http.callers import csrf_token
from timebank.matters.loop import showing, talking
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import PublishIn

REPORT = "/matters/new"


async def sent(who: Browser, ground: Ground, *, photo: bytes | None = None, **fields: str) -> httpx.Response:
    """The last step as a browser sends it, with a picture if one is given."""
    told = {
        "_csrf": csrf_token(who.token), "category": "street_light", "area_id": str(ground.town.areas[BUILDING]),
        "said": "楼下的灯坏了", "may_be_contacted": "true",
    } | fields  # fmt: skip
    files = {"photo": ("灯.jpg", photo or b"", "image/jpeg")}
    return await who.client.post(REPORT, data=told, files=files if photo else None, headers=who.headers)


def matter_of(answer: httpx.Response) -> UUID:
    """The matter that a redirect leads to."""
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["location"].split("/")[2].partition("?")[0])


async def test_a_picture_is_painted_over_before_anything_is_stored(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Boxes that cannot be read are refused with it; after a refusal it is chosen and painted again."""
    who = await browser(client, ground.town, "张桂兰")
    marked = '{"size":[64,48],"boxes":[[0,0,64,48]]}'
    red = picture((64, 48), "PNG", "#FF0000")
    for boxes, said in (("[[0,0,64,48]]", "灯坏了"), (marked, "字" * 600)):
        refused = await sent(who, ground, photo=red, boxes=boxes, said=said)
        assert refused.status_code == 422
        assert "照片请再选一次，涂黑的地方也要再涂一次。" in refused.text
        assert re.search(r'name="boxes" value=""', refused.text)
    assert await owner.fetchval("SELECT count(*) FROM photo") == 0
    assert "照片请再选一次" not in (await sent(who, ground, photo=red, said="字" * 600)).text
    matter = matter_of(await sent(who, ground, photo=red, boxes=marked))
    [kept] = await owner.fetch(
        "SELECT content, a.painted_at FROM photo p JOIN attachment a ON a.photo_id = p.id WHERE a.noun_id = $1", matter
    )
    assert kept["painted_at"] is not None
    with Image.open(io.BytesIO(kept["content"])) as stored:
        assert max(stored.convert("RGB").tobytes()) < 40
    assert "涂掉照片里的人脸、车牌" not in await who.see(f"/matters/{matter}?done=sent")


async def test_a_report_takes_three_steps_and_shows_its_number(ground: Ground, client: httpx.AsyncClient) -> None:
    who = await browser(client, ground.town, "张桂兰")
    assert "/matters/new" in await who.see("/")
    assert "闻到煤气味请先离开并拨 119" in await who.see(REPORT)
    assert "我家这里" in await who.see(f"{REPORT}?category=street_light")
    last = f"{REPORT}?category=street_light&area_id={ground.town.areas[BUILDING]}"
    assert "是这件吗" not in await who.see(last)
    matter = matter_of(await sent(who, ground))
    found = await find_matter(await ground.town.scope("张桂兰"), matter)
    receipt = await who.see(f"/matters/{matter}?done=sent")
    assert f"{found.number[:4]} {found.number[4:]}" in receipt
    assert "11月20日 18:00" in receipt
    assert (found.channel, found.said) == (None, "楼下的灯坏了")


async def test_who_sees_the_same_follows_it_instead(ground: Ground, client: httpx.AsyncClient) -> None:
    matter = (await ground.open()).id
    who = await browser(client, ground.town, "李秀英")
    page = await who.see(f"{REPORT}?category=street_light&area_id={ground.town.areas[BUILDING]}")
    assert "是这件吗" in page
    assert "张桂兰" not in page
    assert f"/matters/{matter}/follow" in page
    assert (await who.send(f"/matters/{matter}/follow", kind="same")).status_code == 303
    assert (await find_matter(await ground.town.scope("李秀英"), matter)).followers == 1
    shown = await who.see(f"/matters/{matter}")
    assert "楼下的灯坏了" not in shown
    assert "已收到" in shown


async def test_a_refused_report_keeps_what_was_written(ground: Ground, client: httpx.AsyncClient) -> None:
    who = await browser(client, ground.town, "张桂兰")
    refused = await sent(who, ground, said="", place="北门口")
    assert refused.status_code == 422
    assert "请写一句话，或附一张照片" in refused.text
    assert 'value="北门口"' in refused.text


async def test_a_child_is_asked_to_fetch_a_parent(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE person SET born_on = $2 WHERE id = $1", ground.town.people["李秀英"], date(2015, 1, 1))
    who = await browser(client, ground.town, "李秀英")
    assert "请家长帮忙" in await who.see(REPORT)
    refused = await sent(who, ground)
    assert refused.status_code == 403
    assert "请家长帮忙" in refused.text
    assert await owner.fetchval("SELECT count(*) FROM matter") == 0


async def test_the_timeline_leads_from_receipt_to_rating(ground: Ground, client: httpx.AsyncClient) -> None:
    who = await browser(client, ground.town, "张桂兰")
    matter = matter_of(await sent(who, ground, photo=picture()))
    page = f"/matters/{matter}"
    photos = re.findall(r"/photos/[0-9a-f-]{36}", await who.see(f"{page}?done=sent"))
    assert photos
    assert "涂好了" in await who.see(photos[0])
    await ground.dispatch(matter)
    assert f"已派给{FIRM}" in await who.see(page)
    await ground.take(matter)
    await talking.ask_reporter(await ground.scope(CONTACT), matter, "是几楼的灯？")
    assert "是几楼的灯？" in await who.see(page)
    assert (await who.send(f"{page}/answer", text="三楼")).status_code == 303
    assert "反映人回答" in await who.see(page)
    await ground.finish(matter)
    assert "办好了吗？" in await who.see(page)
    assert (await who.send(f"{page}/rating", solved="false", stars=1, words="还是不亮")).status_code == 303
    assert "没有解决，重新办" in await who.see(page)
    await ground.take(matter)
    await ground.finish(matter)
    assert (await who.send(f"{page}/rating", solved="true", stars=4)).status_code == 303
    closed = await who.see(page)
    assert "已办结" in closed
    assert "又坏了" in closed
    assert (await who.send(f"{page}/rating", solved="true", stars=4)).status_code == 409
    assert (await who.send(f"{page}/reopening", reason="又不亮了")).status_code == 303
    assert "重新办" in await who.see(page)


async def test_what_is_not_dispatched_yet_is_withdrawn(ground: Ground, client: httpx.AsyncClient) -> None:
    matter = (await ground.open()).id
    who = await browser(client, ground.town, "张桂兰")
    assert "撤回" in await who.see(f"/matters/{matter}")
    assert (await who.send(f"/matters/{matter}/withdrawal")).status_code == 303
    assert "已撤回" in await who.see("/matters")
    again = await who.send(f"/matters/{matter}/withdrawal")
    assert again.status_code == 409
    assert "不能这样做了" in again.text


async def test_a_team_takes_and_finishes_an_order_whose_address_it_sees_then(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    order = (await ground.open(kind="order", category="repair", said="厨房灯泡", place="101室", at_home=True)).id
    await ground.dispatch(order, team_id=ground.team, open_to="team")
    who = await browser(client, ground.town, MEMBER)
    assert "家电维修" in await who.see("/matters?of=offered")
    before = await who.see(f"/matters/{order}")
    assert "接单以后才看得到地址和姓名" in before
    assert "101室" not in before
    assert (await who.send(f"/matters/{order}/take")).status_code == 303
    taken = await who.see(f"/matters/{order}")
    assert "101室" in taken
    assert "张桂兰" in taken
    assert (await who.send(f"/matters/{order}/finish", result="换好了")).status_code == 422
    assert (await who.send(f"/matters/{order}/giving-up", reason="")).status_code == 422
    assert (await who.send(f"/matters/{order}/giving-up", reason="临时有事")).status_code == 303
    assert "家电维修" not in await who.see("/matters?of=taken")


async def test_others_do_not_find_what_is_not_theirs(ground: Ground, client: httpx.AsyncClient) -> None:
    secret = (await ground.open(category="neighbours")).id
    who = await browser(client, ground.town, "李秀英")
    await who.see(f"/matters/{secret}", status=404)
    assert (await who.send(f"/matters/{secret}/follow", kind="same")).status_code == 404
    head = await browser(client, ground.town, GRID_HEAD)
    await head.see(f"/matters/{secret}", status=303)
    assert "楼下的灯坏了" in await head.see(f"/worker/matters/{secret}"), "where it is dispatched"


async def test_an_order_is_placed_for_a_parent_of_the_same_household(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    who = await browser(client, ground.town, "张桂兰")
    form = await who.see("/matters/order")
    assert "张国庆" in form
    assert "王建国" not in form
    wanted = {
        "category": "repair", "said": "换灯泡", "area_id": ground.town.areas[BUILDING], "place": "101室",
        "day": "2026-11-20", "at": "10:00", "people_wanted": 2, "at_home": "true",
    }  # fmt: skip
    matter = matter_of(await who.send("/matters/order", **wanted, for_person_id=ground.town.people["张国庆"]))
    kept = await owner.fetchrow("SELECT kind, for_person_id, reporter_id, people_wanted, at_home FROM matter")
    assert kept is not None
    assert tuple(kept.values()) == (
        "order", ground.town.people["张国庆"], ground.town.people["张桂兰"], 2, True,
    )  # fmt: skip
    assert "要 2 人，已有 0 人" in await who.see(f"/matters/{matter}")
    refused = await who.send("/matters/order", **wanted, for_person_id=ground.town.people["王建国"])
    assert refused.status_code == 403


async def test_a_guardian_orders_for_a_child_in_their_care_and_nobody_else_does(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    assert "刘小雨" in await (await browser(client, ground.town, "刘洋")).see("/matters/order")
    assert "刘小雨" not in await (await browser(client, ground.town, "张桂兰")).see("/matters/order")


async def test_a_wish_hangs_without_a_name_and_is_taken_once(ground: Ground, client: httpx.AsyncClient) -> None:
    who = await browser(client, ground.town, "张桂兰")
    told = {"said": "一盏台灯", "area_id": ground.town.areas[BUILDING]}
    assert (await who.send("/matters/wishes/new", **told, value_max=5000)).status_code == 422
    wish = matter_of(await who.send("/matters/wishes/new", **told, value_max=120))
    giver = await browser(client, ground.town, "李秀英")
    assert f"/matters/{wish}" not in await giver.see("/matters/wishes")
    await ground.dispatch(wish, by="赵丽", open_to="all")
    await showing.publish(await ground.town.scope("赵丽"), wish, PublishIn(public_text="一位老人想要一盏台灯"))
    wall = await giver.see("/matters/wishes")
    assert "一位老人想要一盏台灯" in wall
    assert "120 元以内" in wall
    shown = await giver.see(f"/matters/{wish}")
    assert "张桂兰" not in shown
    assert "3栋" not in shown
    assert (await giver.send(f"/matters/{wish}/take")).status_code == 303
    later = await browser(client, ground.town, "陈明")
    assert (await later.send(f"/matters/{wish}/take")).status_code in (403, 404, 409)
    assert f"/matters/{wish}" not in await later.see("/matters/wishes")
