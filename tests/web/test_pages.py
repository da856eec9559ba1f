"""Every page that links lead a role to, in a real browser: it answers, fits the screen and shows no ids."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright

from tests.browser_path import browser_path, why_not
from tests.conftest import SECRET
from tests.deeds.test_deeds import filed
from tests.ledger.test_ledger_check import live_a_little
from tests.matters.test_wishes_at_the_station import received, taken
from tests.matters.test_worker_pages import drawn
from tests.support.hands import PATIENCE
from tests.support.matters import CONTACT, FIRM, GRID_HEAD, LEADER, MEMBER, matters_ground
from tests.support.presence import nine_o_clock
from tests.support.presence import served as served_at_the_station
from tests.support.service import Service, served
from tests.support.switches import switch_on
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.core import clock
from timebank.http.callers import SESSION_COOKIE
from timebank.http.preferences import LANGUAGE_COOKIE, VIEW_COOKIE
from timebank.people.messages import notify
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.schemas import HoursIn
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn
from timebank.teams import skills
from timebank.teams.schemas import OfferIn, SkillIn
from timebank.units.affiliations import report_in
from timebank.units.links import link_unit
from timebank.units.schemas import AffiliationIn

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
PHONE = ViewportSize(width=390, height=844)
SCREENS = (PHONE, ViewportSize(width=320, height=640), ViewportSize(width=1280, height=800))
LONG_NAME = "阿依古丽·买买提·吐尔逊"
# Who opens pages, the most pages of new kinds that each may open, and where each begins besides the first page.
ROLES: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("张桂兰", 45, ("/units", "/teams", "/matters/wishes/new")), (LEADER, 20, ("/teams", "/matters")),
    (MEMBER, 12, ("/matters?of=offered", "/matters?of=taken")), ("陈明", 15, ()), (GRID_HEAD, 14, ("/worker",)),
    (CONTACT, 10, ("/unit",)), ("周敏", 15, ()), ("钱进", 5, ()),
    ("赵丽", 100, ("/admin/skills", "/admin/matters/categories", "/admin/people/{person}", "/admin/matters")),
)  # fmt: skip
AUDITOR, OF_AUDITOR = "孙伟", 70
SHOWN = ("part", "act", "of")
"""The parts of a query whose values are pages of their own: a resident's tab, the form of an act, whose matters."""
EACH_ITS_OWN = ("/matters/*?", "/worker?", "/worker/matters/*?")
"""Pages that have other parts for each role: every role looks at its own."""
OF_THE_NEIGHBOURHOOD = {
    "/board/*/matters?", "/matters?", "/matters?of=taken", "/matters?of=offered", "/matters/*?", "/matters/new?",
    "/matters/new?category", "/matters/new?area_id&category", "/matters/order?", "/matters/wishes?",
    "/matters/wishes/new?", "/units?", "/teams?", "/teams/*?", "/worker?", "/worker/new?",
    "/worker/matters/*?", "/worker/checks/*?", "/unit?", "/unit/*/*?", "/desk/wishes?station", "/admin/matters?",
    "/admin/matters/*?", "/admin/matters/categories?", "/admin/matters/categories/*?", "/admin/figures/matters?",
    "/admin/units?", "/admin/units/*?", "/admin/teams?", "/admin/teams/*?", "/admin/skills?", "/admin/skills/*?",
    "/admin/people/*?part=matters", "/admin/people/*?part=units", "/admin/people/*?part=teams",
}  # fmt: skip
"""A page of each template of units, teams and matters that is opened by its address."""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ID = re.compile(rf"{UUID.pattern}|(?<=/categories/)\w+")
NOT_A_PAGE = re.compile(r"\.(png|xlsx|csv|json)$|^/(static|api|schema)/")
SMALL = """target => [...document.querySelectorAll(
  ".button, .row[href], .tile, .top-button, .tabs a, .choice, .input, .back, .table th a, summary"
)].filter(e => e.offsetParent && e.getBoundingClientRect().height < target - 0.5)
  .map(e => e.innerText || e.className)"""
LOOK = """() => ({
  title: document.title, heads: document.querySelectorAll("h1").length, text: document.body.innerText,
  links: [...document.querySelectorAll("a[href]")].map(a => a.href),
  acts: [...document.querySelectorAll("form[method=post]:not([role=search])")]
    .filter(form => !["/preferences", "/sign-out"].includes(form.getAttribute("action"))).length,
})"""
# The first form of the page with something to fill in; whether there is one; what sends it with nothing filled in.
FILLED_IN = """[...document.querySelectorAll("main form[method=post]")].find(
  one => one.querySelector("input.input:not([type=file]), textarea"))"""
OFFERED = f"Boolean({FILLED_IN})"
EMPTY_FORM = f"""() => {{
  const form = {FILLED_IN};
  for (const one of form.querySelectorAll("input.input:not([type=file]), textarea")) one.value = "";
  HTMLFormElement.prototype.submit.call(form);
}}"""
# View, language and theme of the long walks; `make test` looks at (plain, zh, light).
LOOKS = (("plain", "zh", "dark"), ("plain", "en", "light"), ("elder", "zh", "light"), ("elder", "en", "dark"))
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
WIDEST = """() => [...document.querySelectorAll("body *")].filter(
  e => e.offsetParent && e.getBoundingClientRect().right > innerWidth + 1
    && ![...e.children].some(c => c.getBoundingClientRect().right > innerWidth + 1)
).slice(0, 2).map(e => e.outerHTML.slice(0, 90))"""
# What the browser itself writes to the console when a form is refused.
REFUSED = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Walk:
    """The kinds of page opened so far, and everything that was wrong with them."""

    service: Service
    browser: Browser
    opened: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    view: str = "plain"
    language: str = "zh"
    theme: str = "light"
    refused: bool = False
    """Whether a form of each page is also sent empty, and what is answered looked at."""

    async def context(self, token: str | None = None) -> BrowserContext:
        context = await self.browser.new_context(
            base_url=self.service.base_url, viewport=PHONE, locale="zh-CN", timezone_id="Asia/Shanghai",
            color_scheme="dark" if self.theme == "dark" else "light",
        )  # fmt: skip
        cookies = {VIEW_COOKIE: self.view, LANGUAGE_COOKIE: self.language}
        cookies |= {SESSION_COOKIE: token} if token else {}
        await context.add_cookies([{"name": n, "value": v, "url": self.service.base_url} for n, v in cookies.items()])
        return context

    async def page(self, context: BrowserContext, who: str) -> Page:
        """A browser page whose console errors and uncaught exceptions are noted as wrong."""
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()

        def said(message: ConsoleMessage) -> None:
            if message.type == "error" and not (self.refused and message.text.startswith(REFUSED)):
                self.wrong.append(f"{who} {page.url}: {message.text}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.wrong.append(f"{who} {page.url}: {error}"))
        return page

    async def through(self, who: str, token: str | None, most: int, *starts: str) -> None:
        """Follow links from `starts` and look at one page of each kind; kinds opened before must only answer 200."""
        page = await self.page(await self.context(token), who)
        seen, ahead, new = {kind_of(start) for start in starts}, list(starts), 0
        while ahead:
            path = ahead.pop(0)
            known = kind_of(path) in self.opened - {*EACH_ITS_OWN} and path not in starts
            if known or new >= most or NOT_A_PAGE.search(urlsplit(path).path):
                answer = await page.request.get(path, max_redirects=1)
                self.note(answer.status == 200, f"{who} {path}: {answer.status}")
                continue
            self.opened.add(kind_of(path))
            new += 1
            for link in await self.look(page, who, path):
                if kind_of(link) not in seen:
                    seen.add(kind_of(link))
                    ahead.append(link)
        await page.context.close()

    async def look(self, page: Page, who: str, path: str) -> list[str]:
        """Open one page, check it, also at every width of SCREENS, and return its links within the service."""
        answer = await page.goto(path)
        assert answer is not None
        told = await page.evaluate(LOOK)
        at = f"{who} {path}"
        self.note(answer.status == 200, f"{at}: {answer.status}")
        self.note(not (who == AUDITOR and path.startswith("/admin") and told["acts"]), f"{at}: {told['acts']} forms")
        await self.check(page, at)
        if self.refused and await page.evaluate(OFFERED):
            async with page.expect_navigation() as sent:
                await page.evaluate(EMPTY_FORM)
            refusal = await sent.value
            self.note(refusal.status < 500, f"{at}: an empty form is answered {refusal.status}")
            await self.check(page, f"{at}, sent empty")
        home = self.service.base_url
        return [link.removeprefix(home).split("#")[0] for link in told["links"] if link.startswith(home + "/")]

    async def check(self, page: Page, at: str) -> None:
        """Note what is wrong with the page that is open: its words, its controls, its width, rules of axe-core."""
        told = await page.evaluate(LOOK)
        self.note(bool(told["title"].strip()) and told["heads"] == 1, f"{at}: {told['title']!r}, {told['heads']} h1")
        self.note(not UUID.search(told["text"]), f"{at}: an id is shown")
        unfilled = "{" in told["text"] or (self.language == "zh" and "None" in told["text"])
        self.note(not unfilled, f"{at}: a place was not filled")
        await self.taps(page, at, 60 if self.view == "elder" and not at.split()[1].startswith("/admin") else 44)
        await self.rules(page, at)
        for screen in SCREENS:
            await page.set_viewport_size(screen)
            over = await page.evaluate(OVERFLOW)
            if over > 0:
                widest = await page.evaluate(WIDEST)
                self.wrong.append(f"{at}: {over} px too wide at {screen['width']} px: {widest}")
        await page.set_viewport_size(PHONE)

    async def taps(self, page: Page, at: str, target: int) -> None:
        """Note controls that are lower than `target` CSS pixels."""
        small = await page.evaluate(SMALL, target)
        self.note(not small, f"{at}: lower than {target} px: {small}")

    async def rules(self, page: Page, at: str) -> None:
        """Note every rule of axe-core that the page breaks."""
        found = await Axe().run(page)
        self.wrong += [
            f"{at}: {one['id']} {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found.response["violations"]
        ]

    def note(self, fine: bool, what: str) -> None:
        if not fine:
            self.wrong.append(what)


def kind_of(path: str) -> str:
    """The address without ids and with the names of its query: pages of one template share it."""
    parts = urlsplit(path)
    asked = sorted(
        f"{name}={value}" if name in SHOWN else name
        for name, value in parse_qsl(parts.query)
        if name not in ("done", "cursor", "next", "q", "inbox")
    )
    return ID.sub("*", parts.path) + "?" + "&".join(asked)


@pytest.fixture
def service(pool: str, tmp_path: Path) -> Iterator[Service]:
    with served(pool, tmp_path, secret_key=SECRET.decode()) as running:
        yield running


@pytest.fixture
async def walk(service: Service) -> AsyncIterator[Walk]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=[*QUIET])
        yield Walk(service, browser)
        await browser.close()


@pytest.fixture
async def lived_in(town: Town, owner: asyncpg.Connection) -> Town:
    """The town with data for every page, and with one very long name."""
    await live_a_little(town)
    await neighbours_are_served(town, owner)
    await served_at_the_station(town, "张桂兰", 125)
    begin = nine_o_clock(2)
    seen = HoursIn(
        person_id=town.people["欧阳凯伟"],
        started_at=begin,
        ended_at=begin + timedelta(hours=1),
        reason="停电，纸上签到",
    )
    await enter_hours(await town.scope("陈明"), seen)
    await filed(town, occurred_on=clock.local_day())
    ending: dict[str, Any] = {"points": 30, "day": clock.local_day() + timedelta(days=30), "held": []}
    await notify(town.system(), town.people["张桂兰"], "points_expiring", "m", urgent=True, **ending)
    mine = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"], quantity=1
    )
    await redeem(await town.scope("张桂兰"), mine)
    await owner.execute("UPDATE person SET name = $1 WHERE id = $2", LONG_NAME, town.people["张桂兰"])
    return town


async def neighbours_are_served(town: Town, owner: asyncpg.Connection) -> None:
    """Units, teams and matters are switched on: one matter waits, one is taken, one done, one is to be checked; an
    order and a wish are open, and the gift for another wish is at the station."""
    await switch_on(owner, town.community, "units", "teams")
    ground = await matters_ground(town, owner)
    await ground.open()
    leak = await ground.open(category="leak", said="地下室在滴水")
    await ground.dispatch(leak.id)
    await ground.take(leak.id)
    await ground.done()
    await drawn(owner, ground, await ground.done(said="门口的灯不亮"))
    order = await ground.open(kind="order", category="repair", said="水龙头关不紧", at_home=True)
    await ground.dispatch(order.id, team_id=ground.team)
    await received(ground, await taken(ground))
    book = await ground.open(kind="wish", category="wish", said="一本字典", value_max=60)
    await ground.dispatch(book.id, by="赵丽", open_to="all")
    admin = await town.scope("赵丽")
    skill = await skills.add_skill(admin, SkillIn("量血压", "health", needs_proof=True))
    await skills.offer_skill(await town.scope("张桂兰"), skill.id, OfferIn("护士退休", findable=True))
    await link_unit(admin, ground.units[FIRM], "handler")
    await report_in(await town.scope("张桂兰"), AffiliationIn(town.people["张桂兰"], ground.units[FIRM]))


async def test_every_page_of_every_role(lived_in: Town, walk: Walk) -> None:
    await every_role(lived_in, walk)
    assert walk.opened >= OF_THE_NEIGHBOURHOOD, sorted(OF_THE_NEIGHBOURHOOD - walk.opened)
    walk.opened = {kind for kind in walk.opened if not kind.startswith("/admin") or "?part=" in kind}
    await walk.through(AUDITOR, await lived_in.token(AUDITOR), OF_AUDITOR, "/")
    panel = {kind for kind in walk.opened if kind.startswith("/admin")}
    assert {f"/admin/{noun}/*?" for noun in ("reviews", "people", "goods", "classes", "deeds", "stations")} <= panel
    assert not any("/new" in kind or "/hours" in kind for kind in panel)
    assert not walk.wrong, "\n".join(walk.wrong)


async def test_main_pages_are_open_to_everybody(lived_in: Town, walk: Walk) -> None:
    screen = await devices.register_device(
        await lived_in.scope("赵丽"), lived_in.stations["暖蜂驿站"], name="屏", kind="display"
    )
    good, person = lived_in.goods["香皂"], lived_in.people["李秀英"]
    looks = (
        (None, "light", ("/", "/sign-in", "/board", f"/display/{screen.pairing_code}", "/display")),
        ("张桂兰", "light", ("/", "/goods", f"/goods/{good}", "/statement", "/me/code", "/scan", "/preferences")),
        ("张桂兰", "dark", ("/", "/goods", "/statement", "/redemptions", "/sign-ins")),
        ("张桂兰", "elder", ("/", "/activities", "/sign-ins")),
        ("刘洋", "light", ("/classes", "/family")),
        ("周敏", "light", ("/desk",)),
        ("赵丽", "light", ("/admin", "/admin/inbox", "/admin/people", f"/admin/people/{person}", "/admin/deeds")),
        ("赵丽", "dark", ("/admin", "/admin/imports", "/admin/agreements")),
        ("钱进", "light", ("/admin/agreements",)),
    )
    for name, how, paths in looks:
        token = await lived_in.token(name) if name else None
        walk.view, walk.theme = "elder" if how == "elder" else "plain", "dark" if how == "dark" else "light"
        page = await walk.page(await walk.context(token), name or "a visitor")
        for path in paths:
            await page.goto(path)
            if how == "elder":
                await walk.taps(page, path, 60)
            await walk.rules(page, f"{name} {how} {path}")
            if path.startswith("/display/"):
                await page.get_by_role("button", name="配对这台设备").click()
        await page.context.close()
    assert not walk.wrong, "\n".join(walk.wrong)


async def renamed(owner: asyncpg.Connection) -> None:
    """Give everything that has a name one of thirty characters, and every person the longest name."""
    await owner.execute("UPDATE person SET name = $1", LONG_NAME)
    for table, column in (("activity", "name"), ("station", "name"), ("good", "name"), ("course", "title")):
        longer = f"rpad({column}, 24, '长长的名字') || right(id::text, 6)"
        await owner.execute(f"UPDATE {table} SET {column} = {longer}")


@pytest.mark.torture
@pytest.mark.parametrize("look", LOOKS, ids="-".join)
@pytest.mark.parametrize("state", ["full", "long", "refused"])
async def test_every_page_in_every_state(
    lived_in: Town, owner: asyncpg.Connection, walk: Walk, state: str, look: tuple[str, str, str]
) -> None:
    walk.view, walk.language, walk.theme = look
    walk.refused = state == "refused"
    if state == "long":
        await renamed(owner)
    await every_role(lived_in, walk)
    await walk.through(AUDITOR, await lived_in.token(AUDITOR), OF_AUDITOR, "/")
    assert walk.opened >= OF_THE_NEIGHBOURHOOD, sorted(OF_THE_NEIGHBOURHOOD - walk.opened)
    assert not walk.wrong, "\n".join(walk.wrong)


@pytest.mark.torture
@pytest.mark.parametrize("look", LOOKS, ids="-".join)
async def test_every_page_of_a_community_that_begins(
    town: Town, owner: asyncpg.Connection, walk: Walk, look: tuple[str, str, str]
) -> None:
    await switch_on(owner, town.community, "units", "teams", "matters")
    walk.view, walk.language, walk.theme = look
    await every_role(town, walk, ("/worker", "/unit"))
    await walk.through(AUDITOR, await town.token(AUDITOR), OF_AUDITOR, "/")
    assert not walk.wrong, "\n".join(walk.wrong)


async def every_role(town: Town, walk: Walk, without: tuple[str, ...] = ()) -> None:
    """A visitor and everybody of ROLES; `without` are the starts that nobody may open yet."""
    for start in ("/", "/sign-in", "/sign-in?by=code", "/board"):
        await walk.through("a visitor", None, 4, start)
    for name, most, starts in ROLES:
        here = [start.format(person=town.people["张桂兰"]) for start in starts if start not in without]
        await walk.through(name, await town.token(name), most, *here, "/")
    assert len(walk.opened) > 50
