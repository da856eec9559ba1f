"""Every template part and layout with sample data: `python tests/gallery.py [port]` writes and serves it.

The pages are written to tests/output/gallery. The test of the static files renders the same pages, so a part that no
longer renders fails there.
"""

import base64
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import qrcode
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from qrcode.image.pil import PilImage

from timebank.core.capability import Workplace
from timebank.core.locale import translator
from timebank.http.refusals import Typed
from timebank.web.rendering import draw_icons_once, menu

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "timebank").glob("*/templates"))
PAGES = Path(__file__).resolve().parent / "gallery_pages"
OUTPUT = Path(__file__).resolve().parent / "output" / "gallery"


@dataclass(frozen=True)
class SamplePerson:
    """One of the people a login may act for."""

    id: str
    name: str
    community_name: str


@dataclass(frozen=True)
class SampleMe:
    """The person who views the page."""

    name: str = "张桂兰"
    community_name: str = "凤凰社区"
    roles: frozenset[str] = frozenset({"volunteer"})
    workplaces: tuple[Workplace, ...] = (
        Workplace(place=10, href="/admin", icon="chart", word="管理", who="readers"),
        Workplace(place=90, href="/", icon="home", word="以居民身份", who="residents"),
    )
    reaches_further: bool = True
    persons: list[SamplePerson] = field(
        default_factory=lambda: [SamplePerson("1", "张桂兰", "凤凰社区"), SamplePerson("2", "李小满", "凤凰社区")]
    )


@dataclass(frozen=True)
class SampleVisit:
    """A visit of somebody who has just checked in."""

    name: str
    at: str


def qr_image(text: str) -> bytes:
    """A PNG of a QR code that encodes `text`."""
    code = qrcode.QRCode(box_size=8, border=2, image_factory=PilImage)
    code.add_data(text)
    picture = io.BytesIO()
    code.make_image().save(picture, "PNG")
    return picture.getvalue()


def environment() -> Environment:
    """The project's templates; a variable that a page does not pass is an error."""
    return Environment(
        loader=FileSystemLoader([PAGES, *TEMPLATES]), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def rendered(view: str = "plain", lang: str = "zh") -> Iterator[tuple[str, str]]:
    """The HTML of each page, by its name."""
    now = datetime(2026, 11, 21, 9, 2, 15, tzinfo=timezone(timedelta(hours=8)))
    picture = (
        "data:image/png;base64," + base64.b64encode(qr_image("https://timebank.example/c/3071.5520.AbCdEf")).decode()
    )
    context = {
        "_": translator("zh"),
        "lang": lang,
        "view": view,
        "csrf": "sample",
        "refusal": None,
        "typed": Typed(),
        "me": SampleMe(),
        "now": now,
        "time_zone": "Asia/Shanghai",
        "administers": True,
        "reads_all": True,
        "uses": bool,
        "inspects": False,
        "image": picture,
        "expires_at": now + timedelta(days=3650),
        "station_id": "1",
        "station_name": "暖蜂驿站",
        "present": 4,
        "recent": [SampleVisit("张*", "09:01"), SampleVisit("李*", "08:57")],
    }
    templates = environment()
    templates.globals["menu"] = menu
    templates.globals["local"] = lambda moment: moment
    templates.globals["static"] = lambda path: f"/static/{path}"
    draw_icons_once(templates)
    for page in sorted(PAGES.glob("*.html")):
        place = "暖蜂驿站" if page.stem == "desk" else "凤凰社区"
        path = "/admin" if page.stem == "panel" else f"/{page.stem}"
        yield page.stem, templates.get_template(page.name).render(context, place=place, path=path)


class Gallery(SimpleHTTPRequestHandler):
    """Serves the rendered pages and the static files with the application's content security policy."""

    def translate_path(self, path: str) -> str:
        """Map static files to the project and everything else to the output folder."""
        if path.startswith("/static/"):
            return str(ROOT / path.partition("?")[0].lstrip("/"))
        return super().translate_path(path)

    def end_headers(self) -> None:
        """Add the content security policy that the application sends."""
        self.send_header(
            "Content-Security-Policy",
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:",
        )
        super().end_headers()


def main() -> None:
    """Write every page in the standard and the elder view, and serve them until stopped."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for view in ("plain", "elder"):
        for name, page in rendered(view):
            (OUTPUT / f"{name}-{view}.html").write_text(page, encoding="utf-8")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Gallery, directory=str(OUTPUT))) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
