"""The panel's pages of matters: the list, one matter with a form for every verb, the categories, the inbox."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matters.pages import Pages
from tests.support.matters import CONTACT, FIRM, GRID, GRID_HEAD, LEADER, MEMBER, MORNING, Ground
from tests.support.pictures import picture
from tests.support.town import Town
from timebank.core import clock
from timebank.matters.reading.one import find_matter

PANEL = "/admin/matters"


@pytest.fixture
async def admin(ground: Ground, client: httpx.AsyncClient) -> Pages:
    return await Pages.of(client, ground.town, "赵丽")


def numbers_on(page: str) -> list[str]:
    """The numbers of the matters in the page's table, in their order."""
    return re.findall(r'<th scope="row">[^\n]*?>(\d{8}) ·', page)


async def status_of(ground: Ground, matter_id: UUID) -> str:
    return (await find_matter(await ground.town.scope("赵丽"), matter_id)).status


async def test_the_list_has_tabs_with_counts_and_filters(ground: Ground, admin: Pages) -> None:
    light = await ground.open()
    with clock.at(MORNING + timedelta(hours=1)):
        hole = await ground.open(category="manhole", said="井盖破了")
    with clock.at(MORNING + timedelta(days=1, hours=11)):  # after the hole was due, on the day before the light is
        page = await admin.get(PANEL)
        assert numbers_on(page) == [hole.number, light.number], "by due date"
        assert numbers_on(await admin.get(f"{PANEL}?late=1")) == [hole.number]
        assert numbers_on(await admin.get(f"{PANEL}?tab=today")) == []
        assert re.search(r'tab=late"[^>]*>超期<span class="count">1<', page)
        assert numbers_on(await admin.get(f"{PANEL}?category=street_light")) == [light.number]
        grid = ground.town.areas[GRID]
        assert numbers_on(await admin.get(f"{PANEL}?area_id={grid}&open=1")) == [hole.number, light.number]
        assert numbers_on(await admin.get(f"{PANEL}?unit_id={ground.units[FIRM]}")) == []
        assert "没有这样的事项" in await admin.get(f"{PANEL}?status=closed")
        found = await admin.post(f"{PANEL}/search", 200, q=light.number, tab="late")
        assert numbers_on(found.text) == [light.number], "a number is looked for on every tab"
        assert "没有编号是" in (await admin.post(f"{PANEL}/search", 200, q="00000000")).text
    with clock.at(MORNING + timedelta(days=2)):
        assert numbers_on(await admin.get(f"{PANEL}?tab=today")) == [light.number]
    await admin.get(f"{PANEL}?status=none", 422)


async def test_a_matter_goes_the_whole_way_over_the_panel(
    ground: Ground, admin: Pages, client: httpx.AsyncClient
) -> None:
    matter = (await ground.open()).id
    at = f"{PANEL}/{matter}"
    page = await admin.get(at)
    assert "派给谁？" in page
    assert f'value="unit:{ground.units[FIRM]}"' in page
    assert "张桂兰" in page, "who spoke, for those who read the community"
    await admin.post(f"{at}/ask", text="哪一盏？")
    await admin.post(f"{at}/hand_up", reason="要社区协调")
    await admin.post(f"{at}/hand_up", reason="要街道协调")
    assert "这件事要由上一级来派单和核实" in await admin.get(at)
    street = await Pages.of(client, ground.town, "钱进")
    assert await admin.refused(f"{at}/dispatch", 403, to=f"unit:{ground.units[FIRM]}")
    assert "派给谁？" in await street.get(at)
    await street.post(f"{at}/hand_down")
    sent = await admin.post(f"{at}/dispatch", to=f"unit:{ground.units[FIRM]}")
    assert sent.headers["location"] == f"{at}?done=dispatch"
    assert "派出去了。" in await admin.get(f"{at}?done=dispatch")
    await admin.post(f"{at}/postpone", until="2026-11-21T18:00", reason="要等配件")
    assert "要等配件" in await admin.get(at)
    await ground.take(matter)
    await ground.finish(matter)
    assert "属实吗？" in await admin.get(at)
    assert "是否属实" in await admin.refused(f"{at}/confirm", 422, verified="perhaps")
    confirmed = await admin.post(f"{at}/confirm", verified="true")
    said = await admin.get(confirmed.headers["location"])
    assert "核实了。" in said
    assert "没有规则自动登记这件事" in said, "why it brought nothing"
    await admin.post(f"{at}/rate", solved="true", stars=4)
    await admin.post(f"{at}/publish", public_text="楼道的灯修好了", cleared="true")
    assert "楼道的灯修好了" in await admin.get(at)
    await admin.post(f"{at}/call", solved="false", stars=2, words="又不亮了")
    assert await status_of(ground, matter) == "dispatched"
    assert "又不亮了" in await admin.get(at)


async def test_a_category_with_a_usual_unit_is_dispatched_by_one_click(ground: Ground, admin: Pages) -> None:
    firm = ground.units[FIRM]
    change: dict[str, Any] = {
        "due_days": 1, "due_counts": "day", "handled_by": f"unit:{firm}", "advice": "写清第几盏", "active": "true",
        "public": "true", "name": "路灯", "kind_report": "true", "kind_event": "true",
    }  # fmt: skip
    listed = await admin.get(f"{PANEL}/categories")
    assert "路灯" in listed
    await admin.post(f"{PANEL}/categories/street_light", **change)
    assert "写清第几盏" in await admin.get(f"{PANEL}/categories/street_light")
    assert "几天办好" in await admin.refused(f"{PANEL}/categories/street_light", 422, **change | {"due_days": 0})
    receipt = await ground.open()
    assert clock.local_day(receipt.due_at) == clock.local_day(MORNING) + timedelta(days=1)
    at = f"{PANEL}/{receipt.id}"
    assert f"派给{FIRM}" in await admin.get(at)
    await admin.post(f"{at}/dispatch")
    assert (await find_matter(await ground.town.scope("赵丽"), receipt.id)).unit == FIRM
    await admin.get(f"{PANEL}/categories/nothing", 404)


async def test_the_same_matter_is_merged_beside_the_older_one(ground: Ground, admin: Pages) -> None:
    older = await ground.open(said="三楼的灯不亮")
    with clock.at(MORNING + timedelta(hours=1)):
        newer = await ground.open("李秀英", said="楼道黑")
        at = f"{PANEL}/{newer.id}"
        page = await admin.get(f"{at}?act=merge")
        assert "三楼的灯不亮" in page
        assert "楼道黑" in page
        assert "并入哪一件" in await admin.refused(f"{at}/merge", 422)
        await admin.post(f"{at}/merge", number=older.number)
        assert f'href="{PANEL}/{older.id}"' in await admin.get(at)
    assert await status_of(ground, newer.id) == "merged"


async def test_what_is_refused_or_dispatched_to_a_team_or_a_person(ground: Ground, admin: Pages) -> None:
    matter = (await ground.open()).id
    await admin.post(f"{PANEL}/{matter}/dispatch", to=f"team:{ground.team}")
    assert "维修队" in await admin.get(f"{PANEL}/{matter}")
    await admin.post(f"{PANEL}/{matter}/dispatch", to=f"person:{ground.town.people['陈明']}")
    assert "派给谁" in await admin.refused(f"{PANEL}/{matter}/dispatch", 422, to="unit:nobody")
    other = (await ground.open()).id
    assert "请写明原因" in await admin.refused(f"{PANEL}/{other}/refuse", 422, because="not_ours")
    await admin.post(f"{PANEL}/{other}/refuse", because="not_ours", note="属于铁路")
    assert "不归这里管" in await admin.get(f"{PANEL}/{other}")
    assert "不能这样做了" in await admin.refused(f"{PANEL}/{other}/dispatch", 409, to=f"team:{ground.team}")
    assert (await admin.post(f"{PANEL}/{other}/explode", 404)).status_code == 404


async def test_a_picture_after_the_work_comes_with_the_form(
    ground: Ground, client: httpx.AsyncClient, admin: Pages
) -> None:
    matter = (await ground.open()).id
    await admin.post(f"{PANEL}/{matter}/dispatch", to=f"person:{ground.town.people['赵丽']}")
    at = f"{PANEL}/{matter}"
    await admin.post(f"{at}/take")
    assert "办得怎么样" in await admin.get(at)
    await admin.post(f"{at}/finish", photo=picture((400, 300), "PNG"), result="换了灯泡")
    shown = await find_matter(await ground.town.scope("赵丽"), matter)
    assert [photo.stage for photo in shown.photos] == ["after"]
    assert "办好以后" in await admin.get(at)


async def test_the_inbox_has_what_waits_for_a_dispatch_or_a_confirmation_late_ones_first(
    ground: Ground, admin: Pages
) -> None:
    finished = await ground.done()
    with clock.at(MORNING + timedelta(hours=2)):
        hole = await ground.open(category="manhole", said="井盖破了")
    with clock.at(MORNING + timedelta(days=1, hours=11)):
        page = await admin.get("/admin/inbox?kind=matter")
        assert page.index(hole.number) < page.index(str(finished)), "the late one first"
        assert "超期" in page
        row = f"{PANEL}/{hole.id}"
        assert f"{row}?inbox=1" in page.replace("&amp;", "&")
        then = await admin.post(f"{row}/dispatch?inbox=1", to=f"unit:{ground.units[FIRM]}")
        assert str(finished) in then.headers["location"], "on to the next one"
        await admin.post(f"{PANEL}/{finished}/confirm", verified="true")
        assert hole.number not in await admin.get("/admin/inbox?kind=matter")


@pytest.mark.parametrize("name", ["张桂兰", "陈明", GRID_HEAD, CONTACT, LEADER, MEMBER, "周敏"])
async def test_the_panel_is_for_those_who_read_the_community(
    ground: Ground, client: httpx.AsyncClient, name: str
) -> None:
    matter = (await ground.open()).id
    pages = await Pages.of(client, ground.town, name)
    for path in (PANEL, f"{PANEL}/{matter}", f"{PANEL}/categories", f"{PANEL}/categories/street_light"):
        await pages.get(path, 403)
    await pages.post(f"{PANEL}/{matter}/dispatch", 403, to=f"team:{ground.team}")
    await pages.post(f"{PANEL}/categories/street_light", 403, due_days=1, due_counts="day")
    assert await status_of(ground, matter) == "received"


async def test_an_auditor_reads_and_changes_nothing(ground: Ground, client: httpx.AsyncClient) -> None:
    matter = (await ground.open()).id
    pages = await Pages.of(client, ground.town, "孙伟")
    shown = await pages.get(f"{PANEL}/{matter}")
    assert "派给谁" not in shown
    await pages.post(f"{PANEL}/{matter}/dispatch", 403, to=f"team:{ground.team}")
    assert "保存" not in await pages.get(f"{PANEL}/categories/street_light")


async def test_there_is_no_such_page_where_matters_are_off(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    pages = await Pages.of(client, town, "赵丽")
    await pages.get(PANEL, 404)
    assert PANEL not in await pages.get("/admin")
