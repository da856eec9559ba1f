"""The pages' scripts in a real browser, under the content security policy that the application sends."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect, sync_playwright

from tests.browser_path import browser_path, why_not
from tests.gallery import Gallery, qr_image, rendered
from tests.support.hands import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

CODE = "https://timebank.example/c/3071-5520_QRSTUV"
expect.set_options(timeout=PATIENCE)
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


@dataclass(kw_only=True)
class Counter:
    """What the pages sent to the test server, and how the server answers."""

    scans: list[dict[str, str]] = field(default_factory=list)
    batches: list[list[dict[str, str]]] = field(default_factory=list)
    clocks: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    codes_given: int = 0
    step_seconds: int = 1
    lifetime: timedelta = timedelta(seconds=2)
    broken: bool = False
    address: str = ""


class Station(Gallery):
    """The gallery's server, with the addresses that the scripts call."""

    counter: Counter

    def do_GET(self) -> None:  # noqa: N802  # the base class calls it so
        """Answer code.json with a new station code, and any other path with a page."""
        if not self.path.endswith("code.json"):
            super().do_GET()
            return
        if self.counter.broken:
            self.answer(503, "application/json", "{}")
            return
        self.counter.codes_given += 1
        now = datetime.now(UTC)
        picture = f"/static/icon-180.png?{self.counter.codes_given}"
        answer = {
            "png_url": picture,
            "expires_at": (now + self.counter.lifetime).isoformat(),
            "step_seconds": self.counter.step_seconds,
            "server_time": now.isoformat(),
            "present": 7,
            "recent": [{"name": "王*", "at": "09:05"}],
        }
        self.answer(200, "application/json", json.dumps(answer))

    def do_POST(self) -> None:  # noqa: N802  # the base class calls it so
        """Record a scan, or a batch of scans."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.counter.broken:
            self.answer(503, "text/plain", "")
            return
        self.counter.tokens.append(self.headers["X-CSRF-Token"])
        if self.path == "/desk/scan/batch":
            told = json.loads(body)
            rows = told["rows"]
            self.counter.batches.append(rows)
            self.counter.clocks.append(told["device_now"])
            self.answer(200, "application/json", json.dumps({"results": [{"status": "ok"} for _ in rows]}))
        else:
            self.counter.scans.append({name: values[0] for name, values in parse_qs(body).items()})
            self.answer(200, "text/html", '<p data-desk-slot="verdict">王淑芳 已签到</p>')

    def answer(self, status: int, kind: str, text: str) -> None:
        """Send a complete response."""
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Log nothing."""


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """A running gallery server for this test, and its state."""
    for name, page in rendered():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    state = Counter()
    handler = type("StationOfThisTest", (Station,), {"counter": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path))) as server:
        server.daemon_threads = True
        state.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium with a fake camera that shows a QR code of CODE."""
    wall = Image.new("RGB", (640, 480), "white")
    code = Image.open(io.BytesIO(qr_image(CODE))).convert("RGB").resize((360, 360), Image.Resampling.NEAREST)
    wall.paste(code, (140, 60))
    film = tmp_path_factory.mktemp("camera") / "code.mjpeg"
    wall.save(film, "JPEG", quality=92)
    camera = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=[*QUIET, *camera])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, counter: Counter) -> Iterator[BrowserContext]:
    """A new browser context; the test fails on a policy violation, a script error or a request to another host."""
    context = browser.new_context(base_url=counter.address, locale="zh-CN", viewport={"width": 390, "height": 844})
    trouble: list[str] = []
    context.on("request", lambda request: trouble.append(request.url) if not own(request.url, counter) else None)
    context.on("console", lambda message: trouble.append(message.text) if "Content Security" in message.text else None)
    context.on("weberror", lambda error: trouble.append(str(error.error)))
    yield context
    context.close()
    assert trouble == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page in the context."""
    context.set_default_timeout(PATIENCE)
    return context.new_page()


def own(address: str, counter: Counter) -> bool:
    """Whether a request goes to the test server or stays in the browser (data, blob)."""
    return urlsplit(address).scheme in {"data", "blob"} or address.startswith(counter.address)


def test_the_camera_reads_the_code_and_the_counter_sends_it_once(page: Page, counter: Counter) -> None:
    page.goto("/desk.html")
    page.get_by_role("button", name="打开相机").click()
    expect(page.get_by_text("王淑芳 已签到")).to_be_visible()
    page.wait_for_timeout(1000)
    (scan,) = counter.scans
    assert scan["code"] == CODE
    assert re.fullmatch(r"[\w-]{32}", scan["nonce"])
    assert counter.tokens == ["sample"]
    assert page.evaluate("localStorage.length") == 0


def test_a_photo_of_the_code_is_read_and_sent_with_the_form(page: Page, counter: Counter) -> None:
    page.goto("/parts.html")
    card = "https://timebank.example/k/3071-5520_QRSTUV"
    photo = FilePayload(name="photo.png", mimeType="image/png", buffer=qr_image(card))
    page.locator("[data-scanner-photo]").set_input_files(photo)
    page.wait_for_url("**/scan")
    assert [(scan["code"], scan["_csrf"]) for scan in counter.scans] == [(card, "sample")]


def test_a_stations_code_is_opened_here_whatever_address_it_was_drawn_for(page: Page, counter: Counter) -> None:
    page.goto("/parts.html")
    photo = FilePayload(name="photo.png", mimeType="image/png", buffer=qr_image(CODE))
    page.locator("[data-scanner-photo]").set_input_files(photo)
    page.wait_for_url(f"{counter.address}/c/3071-5520_QRSTUV")
    assert counter.scans == []


def test_a_photo_without_a_code_is_answered_in_words(page: Page, counter: Counter) -> None:
    page.goto("/parts.html")
    empty = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(empty, "PNG")
    photo = FilePayload(name="wall.png", mimeType="image/png", buffer=empty.getvalue())
    page.locator("[data-scanner-photo]").set_input_files(photo)
    expect(page.get_by_text("照片里没有找到二维码")).to_be_visible()
    assert counter.scans == []


@pytest.mark.parametrize("reload", [False, True])
def test_scans_kept_while_offline_are_sent_later_with_their_nonce(page: Page, counter: Counter, reload: bool) -> None:
    page.goto("/desk.html")
    counter.broken = True
    for number in ("30715520", "30715521"):
        page.locator("[data-scanner-input]").fill(number)
        page.keyboard.press("Enter")
        expect(page.get_by_text("已记下，联网后自动上传")).to_be_visible()
    expect(page.get_by_text("离线 2 待上传")).to_be_visible()
    nonces = set(page.evaluate("Object.values(localStorage).map((kept) => JSON.parse(kept).nonce)"))
    counter.broken = False
    if reload:
        page.reload()
    else:
        page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("[data-desk-offline]")).to_be_hidden()
    (rows,) = counter.batches
    assert [row["code"] for row in rows] == ["30715520", "30715521"]
    assert {row["nonce"] for row in rows} == nonces
    assert page.evaluate("localStorage.length") == 0


def test_scans_kept_while_offline_are_sent_with_the_clock_of_the_device_in_the_order_of_scanning(
    page: Page, counter: Counter
) -> None:
    page.clock.install(time="2026-05-20T12:00:00Z")
    page.goto("/desk.html")
    counter.broken = True
    for number, moment in (("30715520", "2026-05-20T12:00:00Z"), ("30715521", "2026-05-20T09:00:00Z")):
        page.clock.set_fixed_time(moment)
        page.locator("[data-scanner-input]").fill(number)
        page.keyboard.press("Enter")
        expect(page.get_by_text("已记下，联网后自动上传")).to_be_visible()
    expect(page.get_by_text("离线 2 待上传")).to_be_visible()
    counter.broken = False
    page.clock.set_fixed_time("2026-05-20T09:30:00Z")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("[data-desk-offline]")).to_be_hidden()
    (rows,) = counter.batches
    assert [row["code"] for row in rows] == ["30715520", "30715521"], "the clock went back, the order did not"
    assert [row["occurred_at"][:16] for row in rows] == ["2026-05-20T12:00", "2026-05-20T09:00"]
    assert counter.clocks[0].startswith("2026-05-20T09:30")
    assert not any("turn" in row for row in rows)


def test_a_kept_scan_leaves_nobody_else_at_the_counter(page: Page, counter: Counter) -> None:
    page.goto("/desk.html")
    expect(page.get_by_text("王淑芳")).to_be_visible()
    counter.broken = True
    page.locator("[data-scanner-input]").fill("30715520")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已记下，联网后自动上传")).to_be_visible()
    expect(page.get_by_text("王淑芳")).to_have_count(0)


def test_the_wall_turns_its_code_and_shows_who_came(page: Page, counter: Counter) -> None:
    page.goto("/display.html")
    expect(page.locator("[data-recent]")).to_have_text(re.compile("王\\* 09:05"))
    expect(page.locator("[data-present]")).to_have_text("7")
    expect(page.locator("[data-turning-image]")).to_have_attribute("src", re.compile(r"\?3$"))
    expect(page.locator("[data-clock]")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


@pytest.mark.parametrize("name", ["display", "code"])
def test_a_code_that_cannot_be_renewed_is_gone_before_it_is_worthless(page: Page, counter: Counter, name: str) -> None:
    page.goto(f"/{name}.html")
    image = page.locator("[data-turning-image]")
    expect(image).to_have_attribute("src", re.compile(r"\?1$"))
    counter.broken = True
    expect(image).to_be_hidden()
    expect(page.locator("[data-turning-gone]")).to_be_visible()
    expect(page.locator("[data-turning-after]")).to_have_text("正在重新连接")
    counter.broken = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(image).to_be_visible()


def test_a_check_in_page_opened_twice_keeps_its_nonce(page: Page) -> None:
    page.goto("/confirm.html")
    nonce = page.locator("input[name=nonce]")
    expect(nonce).not_to_have_value("made-by-the-server")
    first = nonce.input_value()
    page.reload()
    expect(nonce).to_have_value(first)
    assert re.fullmatch(r"[\w-]{32}", first)


def test_an_empty_field_is_named_in_words_beside_it(page: Page, counter: Counter) -> None:
    page.goto("/parts.html")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#phone-error")).to_have_text("这里还没有填。")
    expect(page.locator("#phone")).to_be_focused()
    page.locator("#phone").fill("13800138000")
    expect(page.locator("#phone-error")).to_be_empty()
    assert counter.scans == []


def test_a_dialog_asks_before_what_cannot_be_undone(page: Page) -> None:
    page.goto("/parts.html")
    page.get_by_role("link", name="作废这张卡").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("link", name="不，返回").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_dialog_opens_without_a_script_too(browser: Browser, counter: Counter) -> None:
    with browser.new_context(base_url=counter.address, java_script_enabled=False) as plain:
        page = plain.new_page()
        page.goto("/parts.html")
        page.get_by_role("link", name="作废这张卡").click()
        expect(page.get_by_role("button", name="作废", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1024, 1440])
@pytest.mark.parametrize("view", ["plain", "elder"])
def test_no_page_is_wider_than_its_screen(page: Page, tmp_path: Path, width: int, view: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name, html in rendered(view):
        (tmp_path / f"{name}.html").write_text(html, encoding="utf-8")
        page.goto(f"/{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
