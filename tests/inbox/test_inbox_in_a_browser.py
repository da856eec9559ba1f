"""The inbox in a browser: 873 imported hours are decided in under ten actions, undone, and decided for good."""

from collections.abc import Awaitable

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, PHONE, chromium, picture, reads, screen, signed_in
from tests.support.inbox import credits_at_once, imported_hours, is_due, statuses
from tests.support.ledger_sums import problems_of
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.inbox.carrying_out import carry_out_decisions

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

ACTIONS_MAX = 9
HOURS = 873


class Hands:
    """Counts what somebody does with the page: each tap, each field that is filled in."""

    def __init__(self) -> None:
        self.actions = 0

    async def do(self, action: Awaitable[None]) -> None:
        self.actions += 1
        await action


async def test_873_imported_hours_are_decided_in_under_ten_actions_and_undone(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await credits_at_once(town, owner)
    await imported_hours(town, owner, HOURS)
    await set_password(town.logins["钱进"], town.phones["钱进"], PASSWORD)
    hands = Hands()
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        await page.goto("/sign-in")
        await hands.do(page.get_by_label("手机号").fill(town.phones["钱进"]))
        await hands.do(page.get_by_label("密码").fill(PASSWORD))
        await hands.do(page.get_by_role("button", name="登录", exact=True).click())
        await page.wait_for_url(service.base_url + "/**")
        await to_the_panel(page, hands)
        await hands.do(page.get_by_role("link", name="待办", exact=True).click())
        await reads(page, f"我能批 {HOURS}")
        await picture(page, "inbox_groups")
        await hands.do(page.get_by_role("link", name="导入：hours.xlsx").click())
        await hands.do(page.get_by_label(f"选中全部 {HOURS}").check())
        await picture(page, "inbox_selected")
        await hands.do(page.get_by_role("button", name="同意选中的").click())
        await reads(page, f"同意了 {HOURS} 件")
        assert hands.actions <= ACTIONS_MAX, hands.actions
        assert await statuses(town, owner) == {"pending": HOURS}, "nothing is posted within the minute"
        await picture(page, "inbox_undo")
        await page.keyboard.press("u")
        await reads(page, f"撤销了，{HOURS} 件都没有动。")
        assert await statuses(town, owner) == {"pending": HOURS}
        await page.get_by_label(f"选中全部 {HOURS}").check()
        await page.get_by_role("button", name="同意选中的").click()
        await reads(page, f"同意了 {HOURS} 件")
        await is_due(owner)
        while await owner.fetchval("SELECT count(*) FROM mass_decision WHERE ended_at IS NULL"):
            await carry_out_decisions()
        await page.goto("/admin/inbox")
        await page.get_by_role("link", name=f"同意 {HOURS} 件").first.click()
        await reads(page, f"{HOURS} 件都办好了。")
        await picture(page, "inbox_decision")
    assert await statuses(town, owner) == {"approved": HOURS}
    assert await owner.fetchval("SELECT count(DISTINCT entry_id) FROM service_record") == HOURS
    assert await problems_of(owner) == []


async def to_the_panel(page: Page, hands: Hands) -> None:
    """From the first page after signing in to the panel, if that is not it already."""
    if not page.url.endswith("/admin"):
        await hands.do(page.get_by_role("link", name="管理").first.click())


async def test_the_inbox_is_worked_by_keyboard(town: Town, owner: asyncpg.Connection, service: Service) -> None:
    run = await imported_hours(town, owner, 6)
    await set_password(town.logins["钱进"], town.phones["钱进"], PASSWORD)
    async with chromium() as browser:
        page = await signed_in(browser, service, PANEL, town.phones["钱进"])
        await page.goto(f"/admin/inbox?kind=service_record&batch={run}")
        for key in ("j", "x", "j", "j", "k", "x"):
            await page.keyboard.press(key)
        assert await page.locator('input[name="id"]:checked').count() == 2
        await page.keyboard.press("a")
        await reads(page, "同意了 2 件")
        await expect(page.locator("[data-item]")).to_have_count(4)
        await page.keyboard.press("u")
        await reads(page, "撤销了，2 件都没有动。")
        phone = await signed_in(browser, service, PHONE, town.phones["钱进"])
        await phone.set_viewport_size({"width": 320, "height": 700})
        await phone.goto(f"/admin/inbox?kind=service_record&batch={run}")
        assert await phone.evaluate("document.documentElement.scrollWidth") <= 320
        await picture(phone, "inbox_320")
    assert await statuses(town, owner) == {"pending": 6}
