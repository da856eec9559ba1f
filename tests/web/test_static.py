"""Static parts of the pages: unchanged vendored files, no inline code, no foreign hosts, readable colours."""

import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.gallery import ROOT, TEMPLATES, rendered

STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
OWN_TEMPLATES = sorted(
    path for package in ("timebank", "admin") for path in (ROOT / package).glob("**/templates/**/*.html")
)
OWN_FILES = [*OWN_TEMPLATES, *sorted(STATIC.glob("css/*.css")), *sorted(STATIC.glob("js/*.js"))]
ALLOWED_ADDRESSES = ("http://www.w3.org/",)  # the name of SVG's namespace; nothing is fetched from it

# Every pair of foreground and background tokens in timebank.css, for the contrast ratios that WCAG 2.2 requires.
GROUNDS = ("ground", "card")
TEXT_PAIRS = [
    *[(ink, ground) for ground in GROUNDS for ink in ("ink", "muted", "jade", "amber", "good", "wrong", "wait")],
    *[("ink", f"{tone}-soft") for tone in ("jade", "good", "wrong", "wait", "still")],
    *[(tone, f"{tone}-soft") for tone in ("jade", "amber", "good", "wrong", "wait", "still")],
    *[(ink, "still-soft") for ink in ("muted", "jade", "amber", "good")],
    ("on-jade", "jade"),
    ("on-jade", "jade-deep"),
    ("card", "wrong"),
    ("on-toast", "toast"),
    ("toast-link", "toast"),
    ("paper-ink", "paper"),
]
EDGE_PAIRS = [("edge", ground) for ground in GROUNDS]


def vendored() -> dict[str, str]:
    """The files that VENDORED.md lists, with their SHA-256."""
    lines = re.findall(
        r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (VENDOR / "VENDORED.md").read_text("utf-8"), re.MULTILINE
    )
    return dict(lines)


def test_every_vendored_file_is_listed_and_unchanged() -> None:
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDORED.md"
    }
    assert found == vendored()


class Inline(HTMLParser):
    """Collects what a strict content security policy would refuse, and all ids."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect inline styles and scripts, and the id, of one element."""
        names = dict(attrs)
        self.refused += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.refused.append(f"<{tag}>")
        if any((value or "").strip().lower().startswith("javascript:") for value in names.values()):
            self.refused.append(f"<{tag} javascript:>")
        if names.get("id"):
            self.ids.append(str(names["id"]))


@pytest.mark.parametrize("path", OWN_TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_carries_inline_style_or_script(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("view", ["plain", "elder"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_part_renders_without_anything_inline_and_with_unique_ids(view: str, lang: str) -> None:
    pages = dict(rendered(view, lang))
    assert len(pages) >= 9
    for name, page in pages.items():
        inline = Inline()
        inline.feed(page)
        assert inline.refused == [], name
        assert len(inline.ids) == len(set(inline.ids)), name


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_fetched_from_another_host(path: Path) -> None:
    addresses = re.findall(r"(?:https?:|[\"'(])//[\w.-]+[^\s\"')]*", path.read_text("utf-8"))
    assert [address for address in addresses if not address.startswith(ALLOWED_ADDRESSES)] == []


def test_every_icon_that_a_template_or_sample_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")))
    pages = [page for _, page in rendered()]
    used = set(re.findall(r"icons\.svg#([\w-]+)", "".join(pages)))
    named = set(
        re.findall(
            r"icon\(\"([\w-]+)\"",
            "".join(path.read_text("utf-8") for folder in TEMPLATES for path in folder.rglob("*.html")),
        )
    )
    assert (used | named) - drawn == set()


def test_every_static_file_that_a_page_names_exists() -> None:
    for name, page in rendered():
        for address in re.findall(r"[\"'](/static/[^\"'#]+)", page):
            assert (ROOT / address.lstrip("/")).is_file(), f"{name}: {address}"


def test_every_script_import_exists() -> None:
    for script in STATIC.glob("js/*.js"):
        for address in re.findall(r"(?:from|import\()\s*\"([^\"]+)\"", script.read_text("utf-8")):
            target = ROOT / address.lstrip("/") if address.startswith("/") else script.parent / address
            assert target.is_file(), f"{script.name}: {address}"


def test_the_style_sheets_name_no_unknown_token_and_stay_small() -> None:
    known = set(re.findall(r"(--[\w-]+):", (STATIC / "css" / "tokens.css").read_text("utf-8")))
    for path in STATIC.glob("css/*.css"):
        sheet = path.read_text("utf-8")
        assert set(re.findall(r"var\((--[\w-]+)", sheet)) - known == set(), path.name
        assert len(sheet.encode()) < (30_720 if path.stem == "timebank" else 12_288), path.name


def themes() -> Iterator[tuple[str, dict[str, str]]]:
    """The colours of the light and the dark theme; the dark theme inherits what it does not set from the light one."""
    light, dark = (STATIC / "css" / "tokens.css").read_text("utf-8").split("@media (prefers-color-scheme: dark)")
    light_colours = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6});", light))
    dark_colours = light_colours | dict(
        re.findall(r"--([\w-]+): (#[0-9A-F]{6});", dark.split('html[data-face="panel"]')[0])
    )
    yield "light", light_colours
    yield "dark", dark_colours


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_in_sunlight_and_at_night(theme: str) -> None:
    colours = dict(themes())[theme]
    wanted = [(pair, 4.5) for pair in TEXT_PAIRS] + [(pair, 3.0) for pair in EDGE_PAIRS]
    weak = {
        f"{ink} on {ground}": round(contrast(colours[ink], colours[ground]), 2)
        for (ink, ground), least in wanted
        if contrast(colours[ink], colours[ground]) < least
    }
    assert weak == {}
