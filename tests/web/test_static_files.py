"""Static files are compressed, cached by the browser and addressed by version."""

import gzip
import re
from pathlib import Path

import brotli
import httpx
import pytest

from tests.presence.test_presence_pages import signed_in
from tests.support.town import Town
from timebank.app import create_app
from timebank.web import static_files
from timebank.web.static_files import FOLDER, digest, files, static_address

ADDRESS = re.compile(r"[\"'(](/static/[^\"'#)]+)")


@pytest.mark.parametrize("path", sorted(files()))
async def test_each_file_comes_in_every_encoding_as_it_is_kept(client: httpx.AsyncClient, path: str) -> None:
    kept, sizes = (FOLDER / path).read_bytes(), {}
    for asked, unpack in (("identity", bytes), ("gzip", gzip.decompress), ("br, gzip", brotli.decompress)):
        async with client.stream("GET", static_address(path), headers={"Accept-Encoding": asked}) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
            assert answer.status_code == 200
            encoding = answer.headers.get("content-encoding", "identity")
            assert (unpack(raw) if encoding != "identity" else raw) == kept
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"
            sizes[encoding] = len(raw)
    assert set(sizes) == ({"identity"} if path.endswith(".png") else {"identity", "gzip", "br"})


def test_every_file_is_compressed_before_the_first_request() -> None:
    files.cache_clear()
    create_app(opens_pool=False)
    assert files.cache_info().currsize == 1
    for path, file in files().items():
        assert set(file.encoded) == ({"identity"} if path.endswith(".png") else {"identity", "gzip", "br"})


async def test_the_large_ones_become_small(client: httpx.AsyncClient) -> None:
    for path, most in (("css/timebank.css", 8_000), ("vendor/zxing-wasm-3.1.3/zxing_reader.wasm", 500_000)):
        assert len(files()[path].encoded["br"]) < most
        assert len(files()[path].encoded["br"]) < len(files()[path].encoded["gzip"]) < len(files()[path].content)


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [(".js", "text/javascript"), (".css", "text/css"), (".wasm", "application/wasm"), (".svg", "image/svg+xml"),
     (".png", "image/png"), (".webmanifest", "application/manifest+json")],
)  # fmt: skip
async def test_each_kind_has_its_media_type(client: httpx.AsyncClient, suffix: str, media_type: str) -> None:
    for path in files():
        if path.endswith(suffix):
            answer = await client.head(static_address(path))
            assert answer.headers["content-type"].partition(";")[0] == media_type, path
            assert answer.content == b""


async def test_a_file_that_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/static/css/timebank.css", headers={"Accept-Encoding": "br"})
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get(
        "/static/css/timebank.css", headers={"Accept-Encoding": "br", "If-None-Match": f"W/{first.headers['etag']}"}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(
        "/static/css/timebank.css", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]}
    )
    assert other.status_code == 200, "another encoding is another representation"


async def test_a_page_of_before_an_upgrade_gets_what_there_is_and_asks_again(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/static/{'0' * 16}/js/desk.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path", ["", "nothing.js", "../README.md", "%2e%2e/README.md", "0123456789abcdef/nothing.js", "short/js/desk.js",
             "0123456789abcdef/vendor/VENDORED.md"],
)  # fmt: skip
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/static/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("", False),
        ("gzip", False),
        ("br", True),
        ("BR;q=0.5", True),
        ("br;q=0", False),
        ("gzip;q=1.0, br; q=0.0", False),
    ],
)
def test_an_encoding_that_is_refused_is_not_used(header: str, allowed: bool) -> None:
    assert ("br" in static_files.accepted(header)) is allowed


@pytest.mark.parametrize(
    ("name", "page"), [("张桂兰", "/"), ("张桂兰", "/scan"), ("张桂兰", "/code"), ("周敏", "/desk"), ("赵丽", "/admin")]
)
async def test_pages_name_every_file_by_its_version(town: Town, name: str, page: str) -> None:
    browser = await signed_in(town, name)
    shown = await browser.get(page, follow_redirects=True)
    found = set(ADDRESS.findall(shown.text))
    assert len(found) >= 5
    for address in found:
        answer = await browser.get(address)
        assert answer.headers["cache-control"].endswith("immutable"), address


def test_files_name_each_other_relative_to_themselves() -> None:
    """A relative address keeps the version of the file that contains it; the path of vendored files has a version."""
    for path in [*FOLDER.glob("css/*"), *FOLDER.glob("js/*"), FOLDER / "timebank.webmanifest"]:
        absolute = [a for a in ADDRESS.findall(Path(path).read_text("utf-8")) if not a.startswith("/static/vendor/")]
        assert absolute == [], path.name


def test_any_changed_file_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest()
    changed = dict(files())
    kept = changed["js/nonce.js"]
    changed["js/nonce.js"] = static_files.StaticFile(kept.content + b"\n", kept.suffix, "0" * 64, kept.encoded)
    monkeypatch.setattr(static_files, "files", lambda: changed)
    assert digest.__wrapped__() != before
