"""An administrator acts for a resident who calls: from signing in to the reservation and the seat, in few taps."""

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser_path import browser_path, why_not
from tests.classes.test_bookings import give_minutes
from tests.support.hands import PANEL, PASSWORD, PHONE, Hand, chromium, picture, reads, screen
from tests.support.service import Service
from tests.support.shop import points_of
from tests.support.town import Town, set_password
from timebank.http.preferences import LANGUAGE_COOKIE

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]
WHY = "本人来电话，腿脚不便"
TAPS_MAX = 6
"""Sign in, 查找, the person, the button for what is done, the choice, and the main button of the form."""


async def found(hand: Hand, name: str) -> None:
    """Find somebody by name from wherever one is in the panel, and open their page."""
    await hand.page.get_by_placeholder("姓名、拼音、号码、物品或课程").fill(name)
    await hand.tap(hand.page.get_by_role("button", name="查找", exact=True))
    await hand.tap(hand.page.get_by_role("main").get_by_role("link", name=name))


async def test_a_reservation_for_somebody_who_calls(town: Town, service: Service) -> None:
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    await town.give_points("张桂兰", 50)
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        hand = Hand(page)
        await hand.opens_the_panel(town.phones["赵丽"])
        await found(hand, "张桂兰")
        await hand.tap(page.get_by_role("link", name="代为预留物品"))
        hand.taps += 1  # the list of goods is opened and one is chosen by the keyboard
        await page.get_by_label("物品和驿站").select_option(f"{town.goods['香皂']}/{town.stations['暖蜂驿站']}")
        await page.get_by_label("理由").fill(WHY)
        await hand.tap(page.get_by_role("button", name="预留"))
        await reads(page, "已预留，本人和家人已收到消息。", f"代办：{WHY}")
        await picture(page, "reserved_for")
        assert hand.taps <= TAPS_MAX, hand.taps
    assert await points_of(town, "张桂兰") == (42, 8)


async def test_a_seat_for_the_child_of_somebody_who_calls(
    town: Town, service: Service, owner: asyncpg.Connection
) -> None:
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    await give_minutes(town, "刘小雨", 120)
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        hand = Hand(page)
        await hand.opens_the_panel(town.phones["赵丽"])
        await found(hand, "刘洋")
        await hand.tap(page.get_by_role("link", name="代为约课"))
        hand.taps += 1
        await page.get_by_label("哪一节").select_option(str(town.lessons[0]))
        await page.get_by_label("理由").fill(WHY)
        await hand.tap(page.get_by_role("button", name="约这一节"))
        await reads(page, "已约好，家人已收到消息。", "刘小雨")
        assert hand.taps <= TAPS_MAX, hand.taps
    assert await owner.fetchval("SELECT booked_because FROM booking WHERE status = 'held'") == WHY


async def test_a_lost_phone_is_signed_out(town: Town, service: Service, owner: asyncpg.Connection) -> None:
    """Sign in, 查找, the person, the tab, 退出登录 and the same word in the dialog, where the reason is written."""
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    await town.token("张桂兰")
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        hand = Hand(page)
        await hand.opens_the_panel(town.phones["赵丽"])
        await found(hand, "张桂兰")
        await hand.tap(page.get_by_role("link", name="登录设备"))
        await hand.tap(page.get_by_role("main").get_by_role("link", name="退出登录"))
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("理由").fill("手机丢了，本人到站里说的")
        await hand.tap(dialog.get_by_role("button", name="退出登录"))
        await reads(page, "已退出登录，本人已收到消息。", "没有在用的登录")
        assert hand.taps <= TAPS_MAX, hand.taps
    assert await owner.fetchval(
        "SELECT count(*) FROM session WHERE login_id = $1 AND ended_at IS NOT NULL", town.logins["张桂兰"]
    ) == 1  # fmt: skip


async def broken(page: Page, at: str) -> list[str]:
    """The rules of axe-core that the open page breaks, and whether it scrolls sideways."""
    told = await Axe().run(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    wrong = [f"{at}: {one['id']} {one['nodes'][0]['html'][:160]}" for one in told.response["violations"]]
    return wrong + ([f"{at}: {wide} px too wide"] if wide > 0 else [])


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_both_forms_keep_every_rule_of_access_also_with_an_error(
    town: Town, service: Service, language: str
) -> None:
    """A reason of one letter is refused, and the form is shown again with what was chosen."""
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    await town.give_points("刘洋", 50)
    wrong: list[str] = []
    chosen = {
        "reservation": ("what", f"{town.goods['香皂']}/{town.stations['暖蜂驿站']}"),
        "booking": ("lesson_id", str(town.lessons[0])),
    }
    async with chromium() as browser:
        for size in (PANEL, PHONE):
            page = await screen(browser, service, size)
            await Hand(page).opens_the_panel(town.phones["赵丽"])
            await page.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": service.base_url}])
            for form, (field, value) in chosen.items():
                at = f"{form} {language} {size['width']}"
                await page.goto(f"/admin/people/{town.people['刘洋']}/{form}")
                wrong += await broken(page, at)
                await page.locator(f"[name={field}]").select_option(value)
                await page.locator("[name=reason]").fill("x")
                async with page.expect_navigation() as sent:
                    await page.locator("main form button[type=submit]").last.click()
                assert (await sent.value).status == 422, at
                assert await page.locator(f"[name={field}]").input_value() == value, at
                assert await page.locator("[name=reason]").input_value() == "x", at
                wrong += await broken(page, f"{at}, refused")
                await picture(page, f"{form}_refused_{language}_{size['width']}")
    assert wrong == []
