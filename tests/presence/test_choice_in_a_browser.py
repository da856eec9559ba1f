"""What to check in for, in two taps at most: the shift and what was done last first, the others behind one more tap."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest
from playwright.async_api import Page

from tests.browser_path import browser_path, why_not
from tests.imports.kinds.test_imports import HOURS, take_in
from tests.support.hands import PASSWORD, PHONE, Hand, chromium, press, reads, screen
from tests.support.presence import station_code
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.activities.offers import activities, add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock
from timebank.presence.choice import Choices, Offer, choices_for, sorted_choices

OFFERS = [Offer(UUID(int=n), name, needs) for n, (name, needs) in enumerate(
    [("值守", False), ("清洁", False), ("助餐", False), ("陪伴", False), ("车队", True), ("授课", True)]
)]  # fmt: skip


def _names(found: Choices) -> tuple[list[str], list[str]]:
    return [offer.name for offer in found.first], [offer.name for offer in found.others]


@pytest.mark.parametrize(
    ("seated", "used", "first", "others"),
    [
        ([], [], ["值守"], ["清洁", "助餐", "陪伴"]),
        ([], ["陪伴"], ["陪伴"], ["值守", "清洁", "助餐"]),
        (["车队"], ["陪伴"], ["车队", "陪伴"], ["值守", "清洁", "助餐"]),
        (["陪伴"], ["陪伴"], ["陪伴"], ["值守", "清洁", "助餐"]),
        (
            [],
            ["授课"],
            ["值守"],
            ["清洁", "助餐", "陪伴"],
        ),  # without a shift it is not offered, however often it was done
    ],
)
def test_the_shift_comes_first_then_what_was_done_last(
    seated: Sequence[str], used: Sequence[str], first: list[str], others: list[str]
) -> None:
    ids = {offer.name: offer.id for offer in OFFERS}
    found = sorted_choices(OFFERS, [ids[name] for name in seated], [ids[name] for name in used])
    assert _names(found) == (first, others)


def test_a_few_are_all_shown_at_once() -> None:
    assert _names(sorted_choices(OFFERS[:3], [], [OFFERS[2].id])) == (["助餐", "值守", "清洁"], [])
    assert _names(sorted_choices([], [], [])) == ([], [])


async def test_what_an_import_added_is_offered_once_an_administrator_says_so(town: Town) -> None:
    day = clock.local_day() - timedelta(days=3)
    await take_in(
        town, "hours", HOURS, [day, "包粽子", "暖蜂驿站", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"],
    )  # fmt: skip
    [added] = [one for one in (await activities(await town.scope("赵丽"))).items if one.name == "包粽子"]
    assert added.needs_sign_up
    station = town.stations["暖蜂驿站"]
    offered = await choices_for(await town.scope("张桂兰"), town.people["张桂兰"], station)
    assert "包粽子" not in [offer.name for offer in [*offered.first, *offered.others]]


async def _opens_the_code(page: Page, town: Town) -> None:
    await page.goto(urlsplit(station_code(town)).path)


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason=why_not())
async def test_from_sign_in_a_check_in_takes_one_tap_and_another_activity_two(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    for name in ("慰问老人", "助餐送餐", "周五清扫", "图书整理"):
        await add_activity(await town.scope("赵丽"), ActivityIn(name=name, rule_code="service"))
    await set_password(town.logins["李秀英"], town.phones["李秀英"], PASSWORD)
    async with chromium() as browser:
        page = await screen(browser, service, PHONE)
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(town.phones["李秀英"])
        await page.get_by_label("密码").fill(PASSWORD)
        await press(page, "登录")
        await page.wait_for_url(service.base_url + "/")
        hand = Hand(page)
        await _opens_the_code(page, town)
        await hand.tap(page.locator("summary", has_text="其他"))
        await hand.tap(page.get_by_role("button", name="图书整理"))
        await reads(page, "已签到", "图书整理")
        assert hand.taps == 2
        await owner.execute("UPDATE visit SET in_at = in_at - interval '90 minutes'")
        await _opens_the_code(page, town)
        await page.get_by_role("button", name="签退").click()
        await reads(page, "已签退")
        await owner.execute("UPDATE visit SET in_at = in_at - interval '1 hour', out_at = out_at - interval '1 hour'")

        hand = Hand(page)
        await _opens_the_code(page, town)
        await reads(page, "图书整理")
        await hand.tap(page.get_by_role("button", name="签到", exact=True))
        await reads(page, "已签到", "图书整理")
        assert hand.taps == 1, "what was done last is one tap away"


async def _goes_to(page: Page, words: str) -> None:
    """Press Tab until what has these words has the focus, and shows it; fails where no key leads there."""
    said = "document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''"
    for _ in range(40):
        await page.keyboard.press("Tab")
        if words in await page.evaluate(said):
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{words} has the focus and does not show it"
            return
    raise AssertionError(f"no key leads to {words}")


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason=why_not())
async def test_signing_in_checking_in_and_checking_out_by_keyboard_alone(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await set_password(town.logins["李秀英"], town.phones["李秀英"], PASSWORD)
    async with chromium() as browser:
        page = await screen(browser, service, PHONE)
        await page.goto("/sign-in")
        for field, typed in (("手机号", town.phones["李秀英"]), ("密码", PASSWORD)):
            await _goes_to(page, field)
            await page.keyboard.type(typed)
        await page.keyboard.press("Enter")
        await page.wait_for_url(service.base_url + "/")
        for verb, answer in (("签到", "已签到"), ("签退", "已签退")):
            await _opens_the_code(page, town)
            await _goes_to(page, verb)
            await page.keyboard.press("Enter")
            await reads(page, answer)
            await owner.execute("UPDATE visit SET in_at = in_at - interval '90 minutes'")
