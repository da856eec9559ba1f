"""Every page as every kind of reader, with malformed addresses and form fields: no answer is a 5xx."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from tests.support.counter import kept_scope
from tests.support.ledger_sums import problems_of
from tests.support.presence import nonce, served
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.app import create_app
from timebank.core.paging import cursor_of
from timebank.http.callers import DEVICE_COOKIE, SESSION_COOKIE, csrf_token

READERS = ("", "张桂兰", "周敏", "赵丽", "counter")
DEEP = "赵丽"
# These pages end the reader's session, or set a password by which the next request is refused.
ENDING = ("/sign-out", "/password")
URL_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
DAYS = {"day", "at", "minutes", "occurred_on", "born_on", "starts_on", "ends_on"}
HURTS: dict[str, bytes] = {
    "nul": b"\x00", "text with nul": "张\x00".encode(), "huge": b"9" * 25, "beyond digits": b"9" * 5000,
    "long": "长".encode() * 600, "no utf-8": b"\xff\xfe\xc3(", "first day": b"0001-01-01", "last day": b"9999-12-31",
    "surrogate": b"\xed\xa0\x80", "minus": b"-1", "line": b"a\r\nSet-Cookie: a=b", "markup": b"<script>x</script>",
    "cursor with nul": cursor_of("\x00", UUID(int=0)).encode(),
    "cursor without zone": cursor_of("2026-01-01T00:00:00", UUID(int=0)).encode(),
    "cursor of the last day": cursor_of("9999-12-31T23:59:59-12:00", UUID(int=0)).encode(),
}  # fmt: skip
SHALLOW = ("nul", "no utf-8", "long")
FITTING = {
    "day": "2026-01-01", "at": "23:59", "minutes": "1440", "decision": "approve", "note": "好", "reason": "因为",
    "seats": "1",
    "occurred_on": "2026-01-01", "born_on": "1980-01-01", "starts_on": "2026-01-01", "ends_on": "2026-12-31",
    "name": "名", "points": "5", "quantity": "1", "counted": "5", "kind": "grid", "role": "auditor", "age_min": "6",
    "age_max": "9",
    "points_per_hour": "5", "teacher": "林", "title": "课", "opens_at": "08:00", "closes_at": "20:00", "value": "5",
    "code": "12345678", "phone": "19900000099", "phone_last4": "0000", "status": "blocked", "upheld": "1",
    "rule_code": "mediation", "direction": "auto", "relation": "母亲",
}  # fmt: skip


def pages(app: Litestar) -> list[tuple[HTTPRoute, HTTPRouteHandler, str]]:
    """The route, handler and method of every page; tests/http/test_fuzz.py covers the API."""
    return [
        (route, handler, method)
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith(("/api/", "/static", *ENDING))
        for handler in route.route_handlers
        for method in sorted(handler.http_methods & {"GET", "POST"})
    ]


def addresses(route: HTTPRoute, known: dict[str, list[UUID]]) -> Iterator[str]:
    """Three addresses of a page. Ids are of existing rows where known; text parts are valid, odd bytes, or overlong."""
    for which in (0, 1, 2):
        parts = []
        for part in route.path_components:
            if isinstance(part, str):
                parts.append(part)
            elif part.parser is UUID or part.type is UUID:
                found = known.get(part.name, [UUID(int=1)])
                parts.append(str(found[which % len(found)]))
            else:
                parts.append(("service", "%00%ff", "%E9%95%BF" * 60)[which])
        yield "/" + "/".join(parts)


def fields_of(handler: HTTPRouteHandler) -> list[str]:
    """The names of form fields, from the label dictionaries of the handler's module."""
    module = importlib.import_module(handler.fn.__module__)
    labels = [value for name, value in vars(module).items() if name.isupper() and isinstance(value, dict)]
    names = {name for label in labels for name in label if isinstance(name, str)}
    return sorted(names | {"next", "record", "active", "view"})


def queries_of(handler: HTTPRouteHandler) -> list[str]:
    names = set(handler.parsed_fn_signature.parameters) - {"request", "caller", "visitor", "once", "data", "self"}
    return [*sorted(name for name in names if not name.endswith("_id") or name == "person_id"), "lang"]


async def headers_of(town: Town, reader: str) -> tuple[dict[str, str], str]:
    """A reader's session cookie, and the CSRF token for its forms."""
    if not reader:
        return {}, ""
    if reader in ("counter", "display"):
        station = town.stations["暖蜂驿站"]
        token = (await devices.register_device(await town.scope("赵丽"), station, name="屏", kind=reader)).token
        if reader == "counter":
            await kept_scope(town, token)
        return {"Cookie": f"{DEVICE_COOKIE}={token}"}, csrf_token(token)
    token = await town.token(reader)
    return {"Cookie": f"{SESSION_COOKIE}={token}"}, csrf_token(token)


async def things(town: Town, owner: asyncpg.Connection) -> dict[str, list[UUID]]:
    """Ids of existing rows, by the name of the path parameter or form field that takes them."""
    await town.give_points("张桂兰", 500)
    await served(town, "张桂兰", 60)
    found = {
        name: [UUID(bytes=row["id"].bytes) for row in await owner.fetch(f"SELECT id FROM {table} LIMIT 1")]
        for name, table in (("visit_id", "visit"), ("record_id", "service_record"), ("entry_id", "transfer"))
    }
    return found | {
        "community_id": [town.community], "station_id": [town.stations["暖蜂驿站"]], "course_id": [town.course],
        "good_id": [town.goods["香皂"]], "activity_id": [town.activities["站点值守"]], "lesson_id": [town.lessons[0]],
        "person_id": [town.people["张桂兰"]], "child_id": [town.people["刘小雨"]], "area_id": list(town.areas.values()),
        "guardian_id": [town.people["刘洋"]], "witness_id": [town.people["王建国"]], "region_id": [town.community],
        "parent_id": list(town.areas.values()),
    }  # fmt: skip


@dataclass(frozen=True)
class Try:
    """One request; its fields are sent in the query string of a GET or the form of a POST."""

    method: str
    path: str
    fields: dict[str, bytes]
    why: str

    async def of(self, client: httpx.AsyncClient, headers: dict[str, str], csrf: str) -> httpx.Response:
        if self.method == "GET":
            return await client.get(f"{self.path}?{_encoded(self.fields)}", headers=headers)
        content = _encoded(self.fields | {"_csrf": csrf.encode(), "_key": nonce().encode()})
        return await client.post(self.path, headers=headers | URL_ENCODED, content=content)


def _encoded(fields: dict[str, bytes]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields.items())


def tries(handler: HTTPRouteHandler, there: str, known: dict[str, list[UUID]], *, deep: bool) -> Iterator[Try]:
    """Requests to an existing page: all fields malformed at once and, with `deep`, also one field after the other."""
    method = "GET" if "GET" in handler.http_methods else "POST"
    names = queries_of(handler) if method == "GET" else fields_of(handler)
    fitting = {name: str(ids[0]).encode() for name, ids in known.items()} | {n: v.encode() for n, v in FITTING.items()}
    for why in HURTS if deep else SHALLOW:
        yield Try(method, there, dict.fromkeys(names, HURTS[why]), f"all: {why}")
    for name in names if deep else []:
        others = {n: fitting[n] for n in names if n in fitting} if method == "POST" else {}
        for why in _hurting(name):
            yield Try(method, there, others | {name: HURTS[why]}, f"{name}: {why}")


def _hurting(name: str) -> list[str]:
    """The keys of HURTS that are tried on a single field, chosen by its name."""
    if name == "cursor":
        return [why for why in HURTS if why.startswith("cursor")]
    return ["first day", "last day"] if name in DAYS else ["nul", "huge"]


@pytest.mark.parametrize("reader", READERS, ids=[f"reader{n}" for n in range(len(READERS))])
async def test_no_address_and_no_form_makes_a_page_fail(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, reader: str
) -> None:
    known = await things(town, owner)
    headers, csrf = await headers_of(town, reader)
    failed = []
    for route, handler, method in pages(create_app(opens_pool=False)):
        there, elsewhere, nonsense = addresses(route, known)
        amiss = [Try(method, path, {}, "address") for path in (elsewhere, nonsense)]
        for each in (*amiss, *tries(handler, there, known, deep=reader == DEEP)):
            answer = await each.of(client, headers, csrf)
            if answer.status_code >= 500 or "\n" in answer.headers.get("location", ""):
                failed.append((each.method, each.path[:120], each.why, answer.status_code))
    assert failed == []
    assert await problems_of(owner) == []
