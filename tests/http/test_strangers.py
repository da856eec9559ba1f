"""Requests of strangers: each is refused with an error code, connections end in time, and internals stay hidden."""

import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.conftest import SECRET
from tests.http.stranger import BODIES, JSON, Answer, answer_to, connect, read_answer, request, requests
from tests.support.service import Service, served
from tests.support.town import Town
from timebank.commands.timeouts import HEAD_SECONDS_MAX, REST_SECONDS_MAX
from timebank.core import settings
from timebank.core.errors import TimebankError
from timebank.http.answering import BODY_SECONDS_MAX, SECURITY_HEADERS
from timebank.http.callers import csrf_token


@pytest.fixture(scope="module")
def service(pool: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(pool, tmp_path_factory.mktemp("service"), secret_key=SECRET.decode()) as running:
        yield running


def requests_in(log: Path) -> Counter[str]:
    """The number of `request` lines in the log for each request id."""
    told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return Counter(line["request_id"] for line in told if line["event"] == "request")


def faults_of(name: str, answer: Answer) -> list[str]:
    found = []
    if answer.status >= 500:
        found.append(f"{name}: {answer.status}")
    if missing := {header.lower() for header in SECURITY_HEADERS} - answer.headers.keys():
        found.append(f"{name}: without {sorted(missing)}")
    if not answer.headers.get("x-request-id"):
        found.append(f"{name}: without an id")
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        told = json.loads(answer.body or b"{}")
        if answer.body and (TimebankError.by_code.get(told["code"]) is None or told["status"] != answer.status):
            found.append(f"{name}: {told}")
    return found


def test_whatever_a_stranger_sends_is_answered_with_a_code_headers_an_id_and_a_line(
    service: Service, town: Town
) -> None:
    faults, ids = [], []
    for name, sent in requests():
        answer = answer_to(service.base_url, sent)
        faults += faults_of(name, answer)
        ids.append(answer.headers.get("x-request-id", ""))
    assert faults == []
    told = requests_in(service.log)
    assert [id_ for id_ in ids if told[id_] < 1] == []
    assert '"event": "failed"' not in service.log.read_text()


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/static/nothing.css", "/static/css/%00", "/%00"])
async def test_an_unknown_address_is_answered_like_any_other(town: Town, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_the_proxys_request_id_is_kept_for_an_unknown_address(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nowhere", headers={"X-Request-Id": "proxy-0123456789"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "proxy-0123456789"


async def test_who_came_by_https_is_told_to_come_by_nothing_else(client: httpx.AsyncClient) -> None:
    before = settings.current()
    assert "strict-transport-security" not in (await client.get("/healthz")).headers
    settings.use(replace(before, base_url="https://shijian.example"))
    try:
        for path in ("/healthz", "/sign-in", "/nowhere", "/static/css/timebank.css"):
            assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000", path
    finally:
        settings.use(before)


# ------------------------------------------------------------------------------------------- every address, signed in


def addresses(app: Litestar) -> list[tuple[str, str]]:
    """Each method and address, with an unknown UUID or `%00` for each path parameter."""
    found = []
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            path = re.sub(r"\{[^}]*:uuid\}", "01890000-0000-7000-8000-000000000000", route.path_format)
            found += [
                (str(method), re.sub(r"\{[^}]*\}", "%00", path)) for method in sorted(route.methods - {"OPTIONS"})
            ]
    return found


@pytest.mark.parametrize("kind", sorted(BODIES))
async def test_no_body_makes_any_address_fail(town: Town, app: Litestar, client: httpx.AsyncClient, kind: str) -> None:
    token = await town.token("赵丽")
    headers, body = BODIES[kind]
    callers = (
        {"Authorization": f"Bearer {token}", "Idempotency-Key": "k" * 20},
        {"Cookie": f"timebank_session={token}", "X-CSRF-Token": csrf_token(token)},
    )
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    failed = []
    for method, path in addresses(app):
        if method in {"GET", "HEAD"} or path.endswith(("/sign-out", "/sessions/current")):
            continue
        for caller in callers:
            known = {name: value.encode() for name, value in caller.items()}
            answer = await client.request(
                method, path, headers=list({n.encode(): v for n, v in (sent | known).items()}.items()), content=body
            )
            if answer.status_code >= 500:
                failed.append((method, path, answer.text[:200]))
    assert failed == []


@pytest.mark.parametrize("odd", ["%00", "%ff%fe", "%ed%a0%80", "9" * 400, "-1", "%C2%85", "1e999", "[", "{{7*7}}"])
async def test_no_query_makes_any_address_fail(town: Town, app: Litestar, client: httpx.AsyncClient, odd: str) -> None:
    token, failed = await town.token("赵丽"), []
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or "GET" not in route.methods:
            continue
        names = {
            field.kwarg_definition.query or name
            for handler in route.route_handlers
            for name, field in handler.parsed_fn_signature.parameters.items()
            if field.kwarg_definition is not None and hasattr(field.kwarg_definition, "query")
        } | {"community_id", "lang", "cursor", "limit", "next", "q", "person_id", "day", "status"}
        path = re.sub(r"\{[^}]*:uuid\}", str(town.people["张桂兰"]), route.path_format)
        path = re.sub(r"\{[^}]*\}", odd.replace("[", "%5B"), path)
        queries = [f"{name}={odd}" for name in sorted(names)] + ["&".join(f"{name}={odd}" for name in sorted(names))]
        for query in queries:
            answer = await client.get(f"{path}?{query}", headers={"Cookie": f"timebank_session={token}"})
            if answer.status_code >= 500:
                failed.append((f"{path}?{query}", answer.text[:200]))
    assert failed == []


# -------------------------------------------------------------------------------- what only the private network may see


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"X-Real-IP": "203.0.113.9"},
     {"Via": "1.1 proxy"}],
)  # fmt: skip
async def test_metrics_and_the_schema_are_not_for_who_comes_through_a_proxy(
    town: Town, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    for path in ("/metrics", "//metrics", "/metrics/", "/%6Detrics"):
        assert (await client.get(f"http://test{path}", headers=headers)).status_code == 404, path
    schema = "/api/v1/schema/openapi.json"
    for path in (schema, f"/{schema}", "/api/v1/schema"):
        answer = await client.get(f"http://test{path}", headers={"Accept": "application/json"} | headers)
        assert answer.status_code in {401, 404}, path
    assert (await client.get(schema, headers=headers)).json()["code"] == "unauthenticated"
    assert (await client.get(schema, headers=headers | await town.sign_in("张桂兰"))).status_code == 200
    assert (await client.get("/metrics")).status_code == (await client.get(schema)).status_code == 200


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [("1.2.3.4", "test", 404), ("2400:3200::1", "test", 404), ("172.18.0.5", "serve:8000", 200), ("::1", "x", 200),
     ("::ffff:127.0.0.1", "x", 200), ("::ffff:1.2.3.4", "x", 404), ("127.0.0.1", "shijian.example", 404),
     ("127.0.0.1", "127.0.0.1:8000", 200), ("127.0.0.1", "[x", 400)],
)  # fmt: skip
async def test_metrics_are_for_the_machine_and_its_network_alone(
    app: Litestar, address: str, host: str, status: int
) -> None:
    """A loopback address with the public host name is a reverse proxy that adds no forwarding header: it gets 404."""
    before = settings.current()
    settings.use(replace(before, base_url="https://shijian.example"))
    try:
        transport = httpx.ASGITransport(app=app, client=(address, 1))  # type: ignore[arg-type]  # ASGI, typed apart
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as connected:
            assert (await connected.get("/metrics", headers={"Host": host})).status_code == status
    finally:
        settings.use(before)


# ---------------------------------------------------------------------------------------------- connections end in time


def ended(opened: socket.socket, drip: bytes = b"") -> bytes | None:
    """What the service sent before it closed the connection; None if it did not close it within a minute.

    `drip` is sent each second.
    """
    began, came = time.monotonic(), b""
    opened.settimeout(1)
    while time.monotonic() - began < 60:
        try:
            part = opened.recv(65536)
        except TimeoutError:
            with suppress(OSError):
                opened.sendall(drip)
            continue
        except OSError:
            return came
        if not part:
            return came
        came += part
    return None


HALF = request("POST", "/api/v1/sessions", JSON, b'{"phone": "13800000000", "password": "x"}').replace(
    b"Connection: close\r\n", b""
)
HELD: dict[str, tuple[bytes, bytes]] = {
    # what is sent at once, and what is sent each second
    "nothing at all": (b"", b""),
    "empty lines": (b"\r\n", b"\r\n"),
    "half a head": (HALF[:40], b""),
    "a head by bytes": (HALF[:40], b"a"),
    "a second head by bytes": (b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET", b" "),
    "empty lines after a request": (b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n", b"\r\n"),
    "half a body": (HALF[:-10], b""),
    "a body that nobody reads": (b"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 900\r\n\r\n", b"a"),
}


@pytest.fixture(scope="module")
def held(service: Service) -> dict[str, bytes | None]:
    """The outcome of each case of HELD. All run at once, because each takes seconds."""
    found: dict[str, bytes | None] = {}

    def hold(name: str) -> None:
        sent, drip = HELD[name]
        with connect(service.base_url) as opened:
            opened.sendall(sent)
            found[name] = ended(opened, drip)

    threads = [threading.Thread(target=hold, args=(name,)) for name in HELD]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("kind", sorted(HELD))
def test_nobody_holds_a_connection_with_half_a_request(held: dict[str, bytes | None], kind: str) -> None:
    assert (HEAD_SECONDS_MAX, BODY_SECONDS_MAX, REST_SECONDS_MAX) == (10, 20, 20)
    assert held[kind] is not None


@pytest.mark.parametrize("kind", ["half a head", "half a body"])
def test_who_was_cut_off_is_told_why(held: dict[str, bytes | None], kind: str) -> None:
    head, _, body = (held[kind] or b"").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["code"] == "body_cut_short"


def test_a_slow_line_may_take_as_long_as_it_takes(service: Service, town: Town) -> None:
    """The last two bytes come one at a time, each within the limit; together they take longer than the limit."""
    with connect(service.base_url) as opened:
        opened.sendall(HALF[:-2].replace(b"Host: t\r\n", b"Host: t\r\nConnection: close\r\n"))
        for byte in (HALF[-2:-1], HALF[-1:]):
            time.sleep(BODY_SECONDS_MAX * 0.6)
            opened.sendall(byte)
        assert read_answer(opened).status == 401


def test_a_request_that_takes_long_to_answer_is_not_cut_off(service: Service) -> None:
    """The time limits are for the sender: a connection stays open between requests that were sent completely."""
    with connect(service.base_url) as opened:
        for _ in range(3):  # the connection may be used again and again
            opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
            came = opened.recv(65536)
            while not came.endswith(b'{"status":"ok"}'):
                came += opened.recv(65536)
            assert came.startswith(b"HTTP/1.1 200 ")
            time.sleep(2)
