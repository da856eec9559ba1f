"""An auditor signs in and finds who took somebody's points back, when and why, in few taps; nothing can be changed."""

import asyncpg
import pytest
from playwright.async_api import expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, PHONE, chromium, picture, reads, screen
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.cards.cards import issue_card
from timebank.deeds.credit import reverse_deed

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]
TAPS_MAX = 4
TAPS = "addEventListener('pointerdown', () => { sessionStorage.taps = 1 + Number(sessionStorage.taps || 0); }, true);"
ACTS = """[...document.querySelectorAll("form[method=post]:not([role=search])")]
  .map(form => form.getAttribute("action"))"""


@pytest.mark.parametrize("size", [PANEL, PHONE], ids=["panel", "phone"])
async def test_who_took_the_points_back_and_why(
    town: Town, owner: asyncpg.Connection, service: Service, size: dict[str, int]
) -> None:
    await set_password(town.logins["孙伟"], town.phones["孙伟"], PASSWORD)
    await town.credit_deed("张桂兰", 40)
    deed = await owner.fetchval("SELECT id FROM deed WHERE person_id = $1", town.people["张桂兰"])
    await reverse_deed(await town.scope("赵丽"), deed, "登记成了别人的善行")
    await issue_card(await town.scope("周敏"), town.people["李秀英"])
    async with chromium() as browser:
        page = await screen(browser, service, size)  # type: ignore[arg-type]  # one of the sizes
        await page.context.add_init_script(TAPS)
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(town.phones["孙伟"])
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_role("button", name="登录", exact=True).first.click()
        await page.wait_for_url("**/admin")
        if size is PHONE:
            await page.get_by_text("目录").click()
        await page.get_by_role("link", name="操作记录").click()
        await page.get_by_label("搜索").fill("zgl")
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="关于这位的").click()
        await reads(page, "关于张桂兰的", "赵丽", "登记成了别人的善行")
        await expect(page.get_by_role("cell", name="发了卡")).to_have_count(0)
        await picture(page, "auditor")
        taps = int(await page.evaluate("Number(sessionStorage.taps || 0)"))
        assert taps <= TAPS_MAX + (size is PHONE), taps
        assert set(await page.evaluate(ACTS)) <= {"/preferences", "/sign-out"}, "an auditor changes nothing here"
        assert "zgl" not in page.url
        await page.get_by_role("link", name="赵丽").first.click()
        await reads(page, "赵丽做的")
