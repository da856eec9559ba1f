"""The pages of patterns, standing, substitutes and leaders: forms without a script, and axe-clean in a browser."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import async_playwright

from tests.activities.test_activities import shift_of
from tests.activities.test_patterns import FEBRUARY_2
from tests.activities.test_substitutes import team_of
from tests.browser_path import browser_path, why_not
from tests.presence.test_presence_pages import csrf_of, signed_in, words
from tests.support.presence import count
from tests.support.service import Service
from tests.support.town import Town
from tests.web.test_pages import QUIET, Walk
from timebank.activities import shifts
from timebank.activities.leaders import name_shift_leader
from timebank.activities.patterns.patterns import add_pattern
from timebank.activities.patterns.schemas import PatternIn
from timebank.core import clock


async def sent(phone: httpx.AsyncClient, page: str, path: str, **fields: str) -> httpx.Response:
    """Send a form of a page; return the page that it leads to, or that it is shown on again."""
    form = {"_csrf": csrf_of(await phone.get(page))} | fields
    answer = await phone.post(path, data=form)
    return await phone.get(answer.headers["location"]) if answer.status_code == 303 else answer


async def test_an_administrator_plans_a_pattern_adds_a_break_and_ends_it(town: Town, owner: asyncpg.Connection) -> None:
    panel, activity = await signed_in(town, "赵丽"), town.activities["四点半辅导"]
    page = f"/admin/activities/{activity}"
    form = {
        "station_id": str(town.stations["暖蜂驿站"]), "days": "workdays", "begins": "07:20", "ends": "07:50",
        "places": "3", "least": "2", "on_1": "1", "on_2": "1", "on_3": "1", "on_4": "1", "on_5": "1",
        "break_from": "2026-02-05", "break_until": "2026-02-06",
    }  # fmt: skip
    with clock.at(FEBRUARY_2 - timedelta(hours=3)):
        made = words(await sent(panel, page, f"{page}/patterns", **form))
        assert "往后 14 天的班已经写出来" in made
        assert "周一到周五 07:20–07:50" in made
        assert "停班 2月5日–2月6日" in made
        assert await count(owner, "shift") == 9, "two days of the eleven are a break"
        none = await sent(panel, page, f"{page}/patterns", **{k: v for k, v in form.items() if not k.startswith("on_")})
        assert (none.status_code, "请至少勾一天" in words(none)) == (422, True)
        half = await sent(panel, page, f"{page}/patterns", **(form | {"break_until": ""}))
        assert "停班要写明第一天和最后一天" in words(half)
        pattern = await owner.fetchval("SELECT id FROM shift_pattern")
        more = await sent(
            panel, page, f"{page}/patterns/{pattern}/breaks", starts_on="2026-02-09", ends_on="2026-02-20"
        )
        assert "停班的日子已记下" in words(more)
        assert await count(owner, "shift", "cancelled_at IS NULL") == 3
        assert "固定班次已结束" in words(await sent(panel, page, f"{page}/patterns/{pattern}/end"))
        assert await count(owner, "shift", "cancelled_at IS NULL") == 0
    paid = {"name": "四点半辅导", "rule_code": "service", "description": "", "station_id": "", "active": "true"}
    assert "带薪值班" in words(await sent(panel, page, page, **paid, paid="true"))
    assert await owner.fetchval("SELECT paid FROM activity WHERE id = $1", activity)
    await sent(panel, page, page, **paid)
    assert not await owner.fetchval("SELECT paid FROM activity WHERE id = $1", activity)


async def test_a_resident_stands_offers_takes_over_and_ends_it_without_a_script(
    town: Town, owner: asyncpg.Connection
) -> None:
    with clock.at(FEBRUARY_2):
        wanted = PatternIn(
            activity_id=town.activities["四点半辅导"], station_id=town.stations["暖蜂驿站"], weekdays=[2, 4],
            starts_at="16:20", ends_at="16:50", seats=1,
        )  # fmt: skip
        pattern = (await add_pattern(await town.scope("周敏"), wanted)).id
        mine, other = await signed_in(town, "张桂兰"), await signed_in(town, "李秀英")
        seen = words(await mine.get("/activities/regular"))
        assert "周二、周四 16:20–16:50" in seen
        stood = await sent(mine, "/activities/regular", f"/activities/patterns/{pattern}/standing", weekday="2")
        assert "记下了" in words(stood)
        assert "我每周来" in words(stood)
        wrong = await sent(mine, "/activities/regular", f"/activities/patterns/{pattern}/standing", weekday="3")
        assert (wrong.status_code, "在那一天没有班" in words(wrong)) == (422, True)
        first = (await shifts.shifts(await town.scope("张桂兰"), limit=1)).items[0].id
        asked = words(await sent(mine, "/activities", f"/activities/shifts/{first}/offer"))
        assert "已经问大家了" in asked
        assert "不找了，我来" in asked
        assert "有人想找人替" in words(await other.get("/activities"))
        assert "这一班是您的了" in words(await sent(other, "/activities", f"/activities/shifts/{first}/take-over"))
        late = await sent(await signed_in(town, "王建国"), "/activities", f"/activities/shifts/{first}/take-over")
        assert (late.status_code, "已经有人接了" in words(late)) == (409, True)
        ended = await sent(mine, "/activities/regular", f"/activities/patterns/{pattern}/standing-end", weekday="2")
        assert "已退出" in words(ended)
    assert await count(owner, "standing") == 0


async def test_the_shift_page_names_a_leader_whose_phone_then_shows_the_code(
    town: Town, owner: asyncpg.Connection
) -> None:
    shift = await shift_of(town, seats=3)
    for name in ("张桂兰", "李秀英"):
        await shifts.sign_up(await town.scope(name), shift)
    page = f"/admin/activities/{town.activities['四点半辅导']}/shifts/{shift}"
    panel, auditor = await signed_in(town, "赵丽"), await signed_in(town, "孙伟")
    assert "请他带队" in words(await panel.get(page))
    assert "请他带队" not in words(await auditor.get(page))
    named = await sent(panel, page, f"{page}/leader", person_id=str(town.people["张桂兰"]), leads="true")
    assert "不带队了" in words(named)
    phone, member = await signed_in(town, "张桂兰"), await signed_in(town, "李秀英")
    code = f"/activities/shifts/{shift}/code"
    assert code in (await phone.get("/activities")).text
    assert (await member.get(code)).status_code == 404
    before = await phone.get(code)
    assert "起显示签到码" in words(before)
    assert "data-turning-image" not in before.text
    closed = await phone.get(f"{code}/now.json", headers={"Accept": "application/json"})
    assert closed.status_code == 409
    with clock.at(clock.now() + timedelta(minutes=110)):
        shown = await phone.get(code)
        assert "data-turning-image" in shown.text
        turned = await phone.get(f"{code}/now.json")
        assert turned.json()["png_url"].startswith("data:image")
    await owner.execute("UPDATE activity SET paid = true")
    assert "只记考勤" in words(await member.get("/activities"))


@pytest.fixture
async def walk(service: Service) -> AsyncIterator[Walk]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=browser_path(), args=list(QUIET))
        yield Walk(service, opened)
        await opened.close()


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason=why_not())
async def test_the_pages_are_open_to_everybody_also_in_the_elder_view_and_in_english(
    town: Town, owner: asyncpg.Connection, walk: Walk
) -> None:
    await team_of(owner, town, "站点值守", "张桂兰", leader="张桂兰")
    daily = PatternIn(
        activity_id=town.activities["站点值守"], station_id=town.stations["暖蜂驿站"], weekdays=list(range(1, 8)),
        days="all", starts_at="23:40", ends_at="23:55", seats=2,
    )  # fmt: skip
    await add_pattern(await town.scope("周敏"), daily)
    running = await shift_of(town, seats=3, begins_in=timedelta(minutes=5))
    await shifts.sign_up(await town.scope("张桂兰"), running)
    await name_shift_leader(await town.scope("周敏"), running, town.people["张桂兰"])
    panel = f"/admin/activities/{town.activities['站点值守']}"
    at_work = f"/admin/activities/{town.activities['四点半辅导']}/shifts/{running}"
    looks: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
        ("张桂兰", "elder", "zh", ("/activities", "/activities/regular", f"/activities/shifts/{running}/code")),
        ("张桂兰", "plain", "en", ("/activities", "/activities/regular", f"/activities/shifts/{running}/code")),
        ("赵丽", "plain", "zh", (panel, at_work)),
    )
    for name, view, language, paths in looks:
        walk.view, walk.language = view, language
        page = await walk.page(await walk.context(await town.token(name)), name)
        for path in paths:
            await page.goto(path)
            for summary in await page.locator("main details > summary").all():
                await summary.click()
            if view == "elder":
                await walk.taps(page, path, 60)
            await walk.rules(page, f"{name} {view} {path}")
            wide: Any = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert wide, path
        await page.context.close()
    assert not walk.wrong, "\n".join(walk.wrong)
