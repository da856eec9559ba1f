"""Malformed and unusual requests as raw bytes on a socket, and the parsing of the answer."""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARTS = {"Content-Type": "multipart/form-data; boundary=x"}
DEEP = 3000


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def connect(address: str) -> socket.socket:
    place = urlsplit(address)
    assert place.hostname
    assert place.port
    opened = socket.create_connection((place.hostname, place.port), 10)
    opened.settimeout(30)
    return opened


def request(method: str, target: str, headers: Mapping[str, str] = {}, body: bytes = b"") -> bytes:
    """An HTTP/1.1 request with `Connection: close`; target and headers are encoded as Latin-1."""
    lines = {"Host": "t", "Connection": "close"} | dict(headers)
    if body:
        lines["Content-Length"] = str(len(body))
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{told}\r\n".encode("latin-1") + body


def answer_to(address: str, sent: bytes) -> Answer:
    """Send the bytes and read the answer until the service closes the connection; fails without an answer."""
    with connect(address) as opened:
        opened.sendall(sent)
        return read_answer(opened)


def read_answer(opened: socket.socket) -> Answer:
    came = b""
    with suppress(ConnectionResetError):  # The service closes without reading the rest of a refused body.
        while part := opened.recv(65536):
            came += part
    while came.startswith(b"HTTP/1.1 100 "):
        came = came.partition(b"\r\n\r\n")[2]
    head, _, body = came.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found = re.match(r"HTTP/1.1 (\d{3}) ", first)
    assert found, came[:200]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(found[1]), headers, body)


BODIES: dict[str, tuple[dict[str, str], bytes]] = {
    "no UTF-8": (JSON, b'{"phone":"\xff","name":"\xff"}'),
    "a nested list": (JSON, b'{"phone":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "a nested object": (JSON, b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    "half a nested list": (JSON, b"[" * 100_000),
    "half a surrogate pair": (JSON, b'{"phone":"\\ud800","password":"\\udfff"}'),
    "NUL": (JSON, b'{"phone":"\\u0000","name":"\\u0000"}'),
    "a huge number": (JSON, b'{"phone":' + b"9" * 10_000 + b"}"),
    "more than any float": (JSON, b'{"phone":1e999,"minutes":-1e999}'),
    "a byte order mark": (JSON, b"\xef\xbb\xbf{}"),
    "UTF-16": (JSON, '{"phone":"1"}'.encode("utf-16")),
    "MessagePack": ({"Content-Type": "application/msgpack"}, b"\xc1\xff"),
    "XML": ({"Content-Type": "application/xml"}, b"<a/>"),
    "a form of odd escapes": (FORM, b"phone=%ff&password=%00&%ed%a0%80=%&_csrf=%fe"),
    "a form of bytes": (FORM, b"\xff\xfe\x00"),
    "a form of many fields": (FORM, b"a=1&" * 50_000),
    "a part that is no UTF-8": (PARTS, b'--x\r\nContent-Disposition: form-data; name="phone"\r\n\r\n\xff\r\n--x--\r\n'),
    "a part in an unknown character set": (
        PARTS,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=none\r\n\r\n1\r\n--x--',
    ),
    "a part with an odd name": (
        PARTS,
        b'--x\r\nContent-Disposition: form-data; name="\xff"; filename="\x00"\r\n\r\n\xff\r\n--x--\r\n',
    ),
    "a part without a name": (PARTS, b"--x\r\nContent-Disposition: attachment\r\n\r\n1\r\n--x--\r\n"),
    "half a part": (PARTS, b"--x\r\n\r\n"),
    "many parts": (PARTS, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 3000 + b"--x--\r\n"),
    "parts without a boundary": ({"Content-Type": "multipart/form-data"}, b"--x--"),
    "an odd boundary": ({"Content-Type": "multipart/form-data; boundary=\xff"}, b"--\xff--"),
    "a long boundary": ({"Content-Type": "multipart/form-data; boundary=" + "x" * 300}, b"--x--"),
    "an odd type": ({"Content-Type": "/;;;="}, b"\xff"),
}
"""Request bodies by a description, each with its content type."""

PATHS = (
    "/%00", "/static/css/%00", "/static/%00", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/" + "a" * 5000, "/%ff",
    "/%ed%a0%80", "/%", "/%zz", "//", "/nowhere", "/api/v1/nowhere", "/api/v1/%00", "/api/v1/people/%ff%fe", "/c/%00",
    "/c/%ff", "/c/" + "A" * 3000, "/display/%00", "/board/%00", "/?%", "/?%ff=%ff", "/?lang=%00", "/sign-in?next=%00",
    "/sign-in?next=%ff", "/board?cursor=%00", "/api/v1/people?limit=" + "9" * 5000, "/api/v1/people?cursor=%ff%fe",
    "/api/v1/people?cursor=" + "A" * 5000, "/api/v1/people?community_id=%00", "\xff", "/\xff\xfe", "http://x",
)  # fmt: skip

VALUES = (
    "\xff\xfe", "a" * 9000, "", "timebank_session=\xff; timebank_language=\xff; timebank_device=\xff",
    "timebank_session=%00; timebank_community=%00; timebank_person=%ff", 'timebank_session="\\377"; a', ";;;==;=",
    "Bearer \xff", "Bearer tbd_" + "0" * 32 + "_x", "Bearer tbd_" + "\xff" * 32 + "_x", "en;q=xyz", "[::1]:99999",
    "https://[x", "a\tb", "1,2,,,", "bytes=9999999999999999999-",
)  # fmt: skip
HEADERS = (
    "Cookie", "Accept-Language", "Accept", "Authorization", "X-Request-Id", "X-Community-Id", "Idempotency-Key",
    "X-CSRF-Token", "Host", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "If-None-Match", "Accept-Encoding",
    "Range", "Referer", "Origin", "Sec-Fetch-Site", "HX-Request",
)  # fmt: skip

CHUNKED = "POST /api/v1/sessions HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/json\r\n"
WIRE: dict[str, bytes] = {
    "an encoding that nobody has": f"{CHUNKED}Transfer-Encoding: gzip\r\n\r\n".encode(),
    "two lengths": f"{CHUNKED}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n".encode(),
    "a chunk without a length": f"{CHUNKED}Transfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n".encode(),
    "chunks": f"{CHUNKED}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode(),
    "a length below zero": f"{CHUNKED}Content-Length: -5\r\n\r\n".encode(),
    "a length beyond the limit": f"{CHUNKED}Content-Length: 99999999999\r\n\r\n".encode(),
    "a length beyond all numbers": f"{CHUNKED}Content-Length: {'9' * 40}\r\n\r\n".encode(),
    "a promise to wait": f"{CHUNKED}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
    "an unknown method": b"FOO / HTTP/1.1\r\nHost: t\r\n\r\n",
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    "the server itself": b"OPTIONS * HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: t\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a1"),
    "a header without an end": b"GET / HTTP/1.1\r\nHost: t\r\nCookie: " + b"a" * 70_000,
    "a web socket": request(
        "GET", "/", {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    ).replace(b"Connection: close\r\n", b""),
}  # fmt: skip


def requests() -> Iterator[tuple[str, bytes]]:
    """Every request to try, with a description."""
    for path in PATHS:
        for method in ("GET", "POST"):
            yield f"{method} {path[:40]!r}", request(method, path)
    for name, (headers, body) in BODIES.items():
        for path in ("/api/v1/sessions", "/sign-in", "/preferences", "/api/v1/imports/residents", "/desk/late"):
            yield f"{path}: {name}", request("POST", path, headers, body)
    for method in ("TRACE", "PROPFIND", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PURGE"):
        for path in ("/", "/nowhere", "/api/v1/people", "/static/css/timebank.css"):
            yield f"{method} {path}", request(method, path)
    for header in HEADERS:
        for value in VALUES:
            for method, path in (("GET", "/"), ("GET", "/api/v1/me"), ("POST", "/sign-in"), ("GET", "/nowhere")):
                body = b"phone=1&password=2" if method == "POST" else b""
                yield f"{method} {path} {header}: {value[:30]!r}", request(method, path, {header: value} | FORM, body)
    yield from WIRE.items()
