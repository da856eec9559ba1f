"""Serve the files under static/, compressed once and cached by browsers under addresses with a content digest.

Pages use addresses such as `/static/<digest>/css/timebank.css`. The digest covers all our own files, so relative
imports and images resolve to the same version. A vendored file has its version in its own path. An address without the
current digest, for example from a page that was open during an upgrade, gets the current file, which the browser
revalidates next time.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import brotli
from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.params import FromPath

from timebank.core.errors import NotFound
from timebank.http.callers import AnyRequest

FOLDER = Path(__file__).parent.parent.parent / "static"
VENDOR = "vendor/"
KEPT = "public, max-age=31536000, immutable"
ASKED_AGAIN = "no-cache"
DIGEST_LENGTH = 16
COMPRESSED = frozenset({".css", ".js", ".json", ".svg", ".wasm", ".webmanifest", ".md", ".txt", ""})
BROTLI_QUALITY = 9  # the last steps take ten times as long for one more percent
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".wasm": "application/wasm",
    ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json", ".md": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file with its content in every served encoding."""

    content: bytes
    suffix: str
    sha256: str
    encoded: Mapping[str, bytes]

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(self.suffix) or mimetypes.types_map.get(self.suffix, "application/octet-stream")

    @classmethod
    def read(cls, path: Path) -> "StaticFile":
        content = path.read_bytes()
        return cls(content, path.suffix, hashlib.sha256(content).hexdigest(), _encoded(content, path.suffix))


def _encoded(content: bytes, suffix: str) -> dict[str, bytes]:
    """The content by encoding, in order of preference. Files whose format is compressed already stay as they are."""
    if suffix not in COMPRESSED:
        return {"identity": content}
    return {
        "br": brotli.compress(content, quality=BROTLI_QUALITY),
        "gzip": gzip.compress(content, 9, mtime=0),
        "identity": content,
    }


@cache
def files() -> dict[str, StaticFile]:
    """Every file by its path under static/. The first call takes about 0.2 s."""
    return {
        path.relative_to(FOLDER).as_posix(): StaticFile.read(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file()
    }


@cache
def digest() -> str:
    """The version of our own files: a prefix of the SHA-256 of all of them."""
    own = "".join(f"{path} {file.sha256}\n" for path, file in files().items() if not path.startswith(VENDOR))
    return hashlib.sha256(own.encode()).hexdigest()[:DIGEST_LENGTH]


def static_address(path: str) -> str:
    """The versioned address of a static file. Raises KeyError for a missing file."""
    files()[path]
    return f"/static/{path}" if path.startswith(VENDOR) else f"/static/{digest()}/{path}"


def accepted(header: str) -> set[str]:
    """The encodings that an Accept-Encoding header allows."""
    allowed = set()
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "").removeprefix("q=") not in {"0", "0.0", "0.00", "0.000"}:
            allowed.add(name.strip())
    return allowed


def _found(path: str) -> tuple[StaticFile, bool]:
    """The file at an address, and whether the address holds its current version. Raises NotFound."""
    path = path.lstrip("/")
    if path in files():
        return files()[path], path.startswith(VENDOR)
    version, _, rest = path.partition("/")
    if len(version) != DIGEST_LENGTH or rest not in files() or rest.startswith(VENDOR):
        raise NotFound
    return files()[rest], version == digest()


@route("/static/{path:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False)
async def static_file(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    """Serve a static file in the best encoding that the browser accepts, or 304 if it has the current content."""
    file, is_named = _found(path)
    allowed = accepted(request.headers.get("Accept-Encoding", ""))
    encoding = next((each for each in file.encoded if each in allowed), "identity")
    tag = f'"{file.sha256[:32]}-{encoding}"'
    headers = {"Cache-Control": KEPT if is_named else ASKED_AGAIN, "ETag": tag, "Vary": "Accept-Encoding"}
    if tag in {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}:
        return Response(b"", status_code=304, headers=headers, media_type=file.media_type)
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(file.encoded[encoding], status_code=200, headers=headers, media_type=file.media_type)
