"""A resident's pages: small, without numbers that only the program needs, and fitting the narrowest phone."""

import gzip
import re
from html import unescape
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import ViewportSize

from tests.browser_path import browser_path, why_not
from tests.ledger.test_ledger_check import live_a_little
from tests.support.hands import chromium, press, reads, screen
from tests.support.presence import served
from tests.support.service import Service
from tests.support.shop import browser, reserve
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.http.callers import SESSION_COOKIE
from timebank.http.preferences import LANGUAGE_COOKIE, VIEW_COOKIE
from timebank.shop.goods import list_goods
from timebank.shop.shelves.stock import receive

HOME_BYTES_MAX = 16 * 1024
FILE = re.compile(r'(?:src|href)="(/static/[^"#]+\.(?:css|js|svg))[#"]')
IMPORT = re.compile(r'from "\./([^"]+)"')
LINK = re.compile(r'href="(/[^"]*)"')
PROGRAMS_OWN = re.compile(r"\bv\d+\b|[0-9a-f]{8}-[0-9a-f]{4}-|\b(mediation|rule_code|service_record|source_kind)\b")
NOT_A_RESIDENTS_PAGE = re.compile(r"/(static|api|admin|desk|display|sign-out)\b")


async def test_the_first_page_weighs_little(client: httpx.AsyncClient, town: Town) -> None:
    """HTML, styles, scripts and drawings of a used home page, each compressed as it is sent."""
    await live_a_little(town)
    await served(town, "张桂兰", 90)
    who = await browser(client, town, "张桂兰")
    page = await who.see("/")
    files = {unescape(found) for found in FILE.findall(page)}
    assert any(file.endswith(".css") for file in files)
    assert any(file.endswith(".js") for file in files)
    assert not [file for file in files if "zxing" in file or "scanner" in file]
    weight = len(gzip.compress(page.encode(), 6))
    while files:
        file = files.pop()
        content = (await client.get(file)).content
        weight += len(gzip.compress(content, 6))
        files |= {f"{file.rpartition('/')[0]}/{name}" for name in IMPORT.findall(content.decode())}
    assert weight <= HOME_BYTES_MAX, weight


async def test_no_page_of_a_resident_shows_versions_ids_or_codes_of_the_program(
    client: httpx.AsyncClient, town: Town
) -> None:
    await live_a_little(town)
    await served(town, "张桂兰", 90)
    who = await browser(client, town, "张桂兰")
    seen, ahead, wrong = {"/", "/deeds"}, ["/", "/deeds"], list[str]()
    while ahead:
        path = ahead.pop()
        answer = await client.get(path, headers=who.headers, follow_redirects=True)
        assert answer.status_code == 200, path
        shown = unescape(re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL))
        wrong += [f"{path}: {found[0]}" for found in PROGRAMS_OWN.finditer(shown)]
        for link in map(unescape, LINK.findall(answer.text)):
            kind = re.sub(r"[0-9a-f-]{36}", "*", urlsplit(link).path)
            if kind not in seen and not NOT_A_RESIDENTS_PAGE.match(link):
                seen.add(kind)
                ahead.append(link.partition("#")[0])
    assert wrong == []
    assert seen >= {"/statement/*", "/visits/*", "/redemptions/*", "/goods/*", "/deeds", "/messages", "/me/code"}


async def test_the_station_visited_last_stands_first_among_those_that_have_a_good(
    client: httpx.AsyncClient, town: Town
) -> None:
    await town.credit_deed("张桂兰", 500)
    [soap] = [good for good in (await list_goods(await town.scope("张桂兰"))).items if good.name == "香皂"]
    await receive(town.system(), soap.id, town.stations["慈善超市"], 50, "开站备货")
    await served(town, "张桂兰", 90)
    page = await (await browser(client, town, "张桂兰")).see(f"/goods/{soap.id}")
    assert page.index("暖蜂驿站") < page.index("慈善超市")
    first = re.search(r'<input type="radio" name="station_id" value="([^"]+)" checked', page)
    assert first is not None
    assert first[1] == str(town.stations["暖蜂驿站"])


async def test_the_codes_of_reservations_stand_under_the_own_code(client: httpx.AsyncClient, town: Town) -> None:
    await town.credit_deed("张桂兰", 500)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    page = await (await browser(client, town, "张桂兰")).see("/me/code")
    assert f"{made['code'][:4]} {made['code'][4:]}" in page
    assert "取货码" not in await (await browser(client, town, "李秀英")).see("/me/code")


# ------------------------------------------------------------------------------------------------------- in a browser

TILES = """() => [...document.querySelectorAll(".tile")].map((tile) => {
  const { left, right, top } = tile.getBoundingClientRect();
  return { top, fits: left >= 0 && right <= innerWidth && tile.scrollWidth <= tile.clientWidth };
})"""


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason=why_not())
async def test_three_tiles_stand_side_by_side_on_the_narrowest_phone(town: Town, service: Service) -> None:
    async with chromium() as opened:
        page = await screen(opened, service, ViewportSize(width=320, height=640))
        for view in ("plain", "elder"):
            for lang in ("zh", "en"):
                cookies = {
                    VIEW_COOKIE: view, LANGUAGE_COOKIE: lang, SESSION_COOKIE: await town.token("张桂兰"),
                }  # fmt: skip
                await page.context.add_cookies(
                    [{"name": name, "value": value, "url": service.base_url} for name, value in cookies.items()]
                )
                await page.goto("/")
                tiles = await page.evaluate(TILES)
                assert len(tiles) == 3
                assert len({tile["top"] for tile in tiles}) == 1, (view, lang)
                assert all(tile["fits"] for tile in tiles), (view, lang, tiles)
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (view, lang)


WALL = """() => {
  const code = document.querySelector(".code-frame").getBoundingClientRect();
  const within = ({ left, right, top, bottom }) =>
    left >= -1 && top >= -1 && right <= innerWidth + 1 && bottom <= innerHeight + 1;
  const boxes = [...document.querySelectorAll("h1, time, .wall-call, .code-ring, .wall-foot p:not([hidden])")]
    .map((one) => one.getBoundingClientRect());
  const meets = (box) =>
    box.left < code.right && code.left < box.right && box.top < code.bottom && code.top < box.bottom;
  return { width: code.width, square: Math.abs(code.width - code.height) < 1,
    within: within(code) && boxes.every(within), apart: !boxes.some(meets) };
}"""


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason=why_not())
async def test_the_code_on_the_wall_is_as_large_as_the_screen_allows(town: Town, service: Service) -> None:
    """Its words stand beside it or under it, and nothing is cut off."""
    device = await devices.register_device(
        await town.scope("赵丽"), town.stations["暖蜂驿站"], name="门口的屏", kind="display"
    )
    await served(town, "张桂兰", 90)
    async with chromium() as opened:
        page = await screen(opened, service, ViewportSize(width=1920, height=1080))
        await page.goto(f"/display/{device.pairing_code}")
        await press(page, "配对这台设备")
        await reads(page, "来的时候扫一次，走的时候再扫一次")
        for width, height, least in ((1920, 1080, 1000), (1024, 768, 680), (1080, 1920, 1000), (768, 1024, 640)):
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            found = await page.evaluate(WALL)
            assert found["width"] >= least, (width, height, found)
            assert (found["square"], found["within"], found["apart"]) == (True, True, True), (width, height, found)
