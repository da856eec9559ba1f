"""Pictures of every page: `python -m tests.gallery_pictures FOLDER` starts the demo, walks it and writes PNG files.

Each role follows the links from its first page; one page of each kind is opened on a phone, a tablet and a desktop, in
the standard and the elder view, as full pages. Empty, long and refused states have folders of their own.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.browser_path import browser_path, why_not
from tests.support.hands import QUIET, shot_of

SCREENS = {
    "phone-320": ViewportSize(width=320, height=640), "phone": ViewportSize(width=390, height=844),
    "tablet": ViewportSize(width=1024, height=768), "desktop": ViewportSize(width=1280, height=800),
}  # fmt: skip
VIEWS = ("plain", "elder")
NOT_A_PAGE = re.compile(r"\.(png|xlsx|csv|json|pdf|svg)$|^/(static|api|schema)/")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d|(?<=categories/)\w+")
ASKED = ("part", "of", "act")
"""The parts of a query whose values are pages of their own: a resident's tab, whose matters, the form of an act."""
WORKPLACES = {"grid_head": "/worker"}
"""Pages of work that show this role more than the one who was there before."""
NOWHERE = "00000000-0000-7000-8000-000000000000"
LONG = "阿依古丽·买买提·吐尔逊（凤凰社区第一网格三栋一单元）" * 3
LENGTHEN = """(long) => {
  for (const place of document.querySelectorAll(".row-what, .top-place span, h1, .name, .pill, td span, dd")) {
    place.textContent = `${place.textContent} ${long}`;
  }
}"""
TYPED = """([name, value]) => {
  const field = document.querySelector(`main form [name=${name}]`);
  if (field) { field.value = value; field.form.noValidate = true; field.form.requestSubmit(); }
}"""
EMPTIED = ("/messages", "/visits", "/statement?month=2001-01", "/redemptions", "/deeds", "/activities", "/classes")
REFUSED = (
    ("/goods/" + NOWHERE, None), ("/nowhere", None), ("/c/not-a-code", None), ("/scan", ("code", "https://a.example/")),
    ("/password", ("old", "x")),
)  # fmt: skip


@dataclass
class Album:
    """Where pictures go, who looks, and which kinds of page were taken."""

    folder: Path
    base_url: str
    browser: Browser
    taken: set[str] = field(default_factory=set)

    async def sign_in(self, person: dict[str, str]) -> Page:
        context = await self.browser.new_context(base_url=self.base_url, locale="zh-CN", timezone_id="Asia/Shanghai")
        page = await context.new_page()
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(person["phone"])
        await page.get_by_label("密码").fill(person["password"])
        await page.get_by_role("button", name="登录", exact=True).first.click()
        await page.wait_for_load_state()
        return page

    async def walk(self, page: Page, role: str, start: str) -> None:
        """Take one page of each kind that links lead to from `start`."""
        ahead, seen = [start], {kind_of(start)}
        while ahead:
            path = ahead.pop(0)
            if kind_of(path) not in self.taken or path == start:
                self.taken.add(kind_of(path))
                await self.take(page, path, f"{role}/{kind_of(path)}")
            links = await page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)")
            for link in links:
                path = link.removeprefix(self.base_url).partition("#")[0]
                if link.startswith(self.base_url + "/") and kind_of(path) not in seen | self.taken:
                    seen.add(kind_of(path))
                    ahead += [] if NOT_A_PAGE.search(urlsplit(path).path) else [path]

    async def take(self, page: Page, path: str, name: str, change: tuple[str, Any] | None = None) -> None:
        """One page on every screen and in both views; `change` is a script with its argument that runs before."""
        for view in VIEWS:
            await page.context.add_cookies([{"name": "timebank_view", "value": view, "url": self.base_url}])
            await page.goto(path)
            if change is not None:
                await page.evaluate(*change)
                await page.wait_for_timeout(1_500)  # a refused form comes back
            for screen, size in SCREENS.items():
                await page.set_viewport_size(size)
                file = self.folder / screen / view / f"{name.replace('?', '').strip('/') or 'first'}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(await shot_of(page, whole=True))


def kind_of(path: str) -> str:
    """A path with stars for ids, and of its query only what makes another page of it."""
    parts = urlsplit(path)
    asked = [value for name, value in parse_qsl(parts.query) if name in ASKED]
    return "-".join((ID.sub("all", parts.path).strip("/") or "first", *asked))


async def refuse(album: Album, page: Page) -> None:
    for path, typed in REFUSED:
        name = f"refused/{kind_of(path).replace('/', '-')}"
        if typed is None:
            await album.take(page, path, name)
            continue
        await album.take(page, path, name, (TYPED, list(typed)))


async def photograph(folder: Path, told: dict[str, Any]) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=list(QUIET))
        album = Album(folder, told["base_url"], browser)
        people = {person["role"]: person for person in told["sign_ins"]}
        visitor = await (await browser.new_context(base_url=album.base_url, locale="zh-CN")).new_page()
        await album.walk(visitor, "visitor", "/")
        for role, person in people.items():
            page = await album.sign_in(person)
            if role == "community_admin":  # every tab of somebody who has matters, a team and skills
                await album.walk(page, role, f"/admin/people/{people['volunteer']['person_id']}")
            await album.walk(page, role, "/")
            if role in WORKPLACES:
                await album.walk(page, role, WORKPLACES[role])
            if role == "volunteer":
                for path in ("/", "/messages", "/statement", "/goods"):
                    await album.take(page, path, f"long/{kind_of(path)}", (LENGTHEN, LONG))
                await refuse(album, page)
            if role == "auditor":
                for path in EMPTIED:
                    await album.take(page, path, f"empty/{kind_of(path)}")
            await page.context.close()
        station = told["stations"][0]
        for kind in ("display", "counter"):
            page = await (await browser.new_context(locale="zh-CN")).new_page()
            await page.goto(station[f"{kind}_url"])
            await page.get_by_role("button", name="配对这台设备").click()
            await page.wait_for_load_state()
            await album.take(page, f"{album.base_url}/{'display' if kind == 'display' else 'desk'}", f"devices/{kind}")
        await browser.close()


def main(folder: Path) -> None:
    """Start the demo in a folder of its own, take the pictures, and stop it."""
    if browser_path() is None:
        raise SystemExit(why_not())
    with tempfile.TemporaryDirectory() as data:
        demo = subprocess.Popen(
            [sys.executable, "-m", "timebank", "demo", "--port", "0", "--data", data, "--json"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert demo.stdout is not None
            told = json.loads(next(line for line in demo.stdout if line.startswith("{")))
            asyncio.run(photograph(folder, told))
        finally:
            demo.terminate()
            demo.wait(60)
    sys.stdout.write(f"{len(list(folder.rglob('*.png')))} pictures in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "timebank-pictures"))
