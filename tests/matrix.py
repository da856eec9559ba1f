"""Every operation of the service, read from its route table and its OpenAPI, and how one asks for it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from PIL import Image

from tests.counter import PASSWORD
from tests.presence import nonce, personal_code, station_code
from tests.rounds import DEVICES, NEIGHBOUR, OWNER, STATION, Round
from tests.shop import key
from tests.test_imports import GOODS, table
from timebank import clock
from timebank.access.callers import csrf_token

ANSWERS = {401: "sign in", 403: "forbidden", 404: "unseen"}


@dataclass(frozen=True)
class Operation:
    """One method of one address. `body` is how it is sent: json, form, multipart, or nothing."""

    method: str
    path: str
    body: str = ""
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        return not self.path.startswith("/api/")

    @property
    def is_look(self) -> bool:
        return self.method == "GET"


def operations(app: Litestar) -> list[Operation]:
    """All of them. What a JSON body must have is told by the OpenAPI; a page's form takes words and says nothing."""
    schema = app.openapi_schema.to_schema()
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    found.append(_operation(schema, str(method), route.path_format))
    return sorted(found, key=lambda op: (op.path, op.method))


def _operation(schema: Mapping[str, Any], method: str, path: str) -> Operation:
    told = schema["paths"].get(path, {}).get(method.lower(), {})
    queries = tuple(p["name"] for p in told.get("parameters", ()) if p.get("required") and p["in"] == "query")
    if "requestBody" in told:
        [(kind, content)] = told["requestBody"]["content"].items()
        shape = content["schema"]
        if "$ref" in shape:
            shape = schema["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
        return Operation(method, path, "multipart" if "multipart" in kind else "json", tuple(shape.get("required", ())))
    is_form = method == "POST" and not path.startswith("/api/")
    return Operation(method, path, "form" if is_form else "", queries)


# The object that a name in an address stands for; where the address says more than the name, by the address.
NAMED = {
    "grant_id": "grant", "person_id": "person", "agreement_id": "agreement", "guardianship_id": "guardianship",
    "message_id": "message", "area_id": "area", "deed_id": "deed", "objection_id": "objection", "record_id": "record",
    "station_id": "station", "device_id": "device", "activity_id": "activity", "shift_id": "shift", "good_id": "good",
    "redemption_id": "redemption", "confirmation_id": "confirmation", "course_id": "course", "lesson_id": "lesson",
    "booking_id": "booking", "run_id": "run", "draft_id": "draft", "entry_id": "entry", "visit_id": "visit",
    "nonce": "nonce", "community_id": "community", "item_id": "noticed deed",
}  # fmt: skip
BY_ADDRESS = {
    r".*/people/\{person_id\}/(guardians.*)": {"person_id": "child"},
    r".*/agreements/logins/.*": {"person_id": "neighbour"},
    r".*/deeds/\{deed_id\}/(objection|objections|witness)": {"deed_id": "noticed deed"},
    r".*/deeds/\{deed_id\}/reversal": {"deed_id": "credited deed"},
    r"/statement/.*": {"entry_id": "own entry"},
    r".*/redemptions/\{redemption_id\}/return": {"redemption_id": "collected redemption"},
    r".*/service-records/\{record_id\}/reversal|/admin/reviews/\{record_id\}/reversal": {
        "record_id": "credited record"
    },
}
WORDS = {"code": "mediation", "name": "notice_days", "path": "css/timebank.css", "kind": "deed"}


def address(op: Operation, made: Round) -> str:
    """The operation's address with an object in each place."""
    names = dict(NAMED)
    for pattern, more in BY_ADDRESS.items():
        if re.fullmatch(pattern, op.path):
            names |= more
    words = WORDS | {"payload": station_code(made.town).rpartition("/")[2]}
    if pairing := re.fullmatch(r"/(desk/pair|display)/\{code\}", op.path):
        words["code"] = made.objects["pairing display" if pairing[1] == "display" else "pairing counter"]

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return made.objects[names[name]] if name in names else words[name]

    return re.sub(r"\{(\w+)\}", value, op.path)


def values(made: Round) -> dict[str, Any]:
    """What a field of a body is filled with, by its name alone."""
    objects, now = made.objects, clock.now()
    today, tomorrow = clock.local_day(), now + timedelta(days=1)
    return {
        "person_id": objects["person"], "child_id": objects["child"], "guardian_id": objects["guardian"],
        "area_id": objects["area"], "station_id": objects["station"], "good_id": objects["good"],
        "course_id": objects["course"], "to_course_id": objects["second course"], "to": objects["second course"],
        "lesson_id": objects["lesson"], "booking_id": objects["booking"], "activity_id": objects["activity"],
        "parent_id": objects["building"], "phone": made.town.phones[OWNER], "password": PASSWORD, "again": PASSWORD,
        "role": "unit_head", "decision": "approve", "name": "新名字", "title": "新课", "relation": "姑姑",
        "consented": "true", "kind": "counter", "value": 9, "occurred_on": str(today), "note": "说明", "reason": "原因",
        "rule_code": "service", "upheld": "false", "confirms": "true", "points": 5, "minutes": 60, "quantity": 1,
        "counted": 50, "seats": 5, "starts_at": tomorrow.isoformat(), "ends_at": (tomorrow + timedelta(hours=1)).isoformat(),
        "started_at": (now - timedelta(hours=5)).isoformat(), "ended_at": (now - timedelta(hours=4)).isoformat(),
        "day": str(today + timedelta(days=3)), "at": "10:00", "code": personal_code(made.town, OWNER), "nonce": nonce(),
        "starts_on": str(today), "ends_on": str(today + timedelta(days=30)), "age_min": 6, "age_max": 12,
        "points_per_hour": 20, "teacher": "林老师", "rows": [], "phone_last4": made.town.phones[OWNER][-4:],
        "status": "blocked", "record": objects["record"], "card": objects["card"], "given": "1", "currency": "point",
        "amount": 5, "skip_bad": "1", "room": "101", "pay_to": "buyer",
    }  # fmt: skip


# What a field means at one address, where it is not what it means everywhere.
MORE: dict[str, dict[str, Any]] = {
    r"POST /api/v1/sessions|POST /sign-in|.*sign-on$": {"phone": "keeper's phone"},
    r".*/agreements/\{agreement_id\}(/decision)?|.*confirmations/\{confirmation_id\}(/decision)?": {"decision": "agree"},
    r"PATCH /api/v1/people/.*": {"relation": "户主"},
    r".*/people/\{person_id\}/correction": {"relation": "户主", "name": OWNER, "phone": "", "area_id": "", "room": ""},
    r"POST (/api/v1|/admin)/people": {"phone": "19900007777", "name": "新居民"},
    r"POST /api/v1/areas": {"kind": "unit", "name": "9单元", "parent_id": "building"},
    r"POST /admin/areas": {"kind": "unit", "name": "9单元"},
    r"POST /admin/areas/regions": {"kind": "community", "parent_id": "street", "name": "新社区"},
    r"POST (/api/v1|/admin)/rules": {"kind": "deed", "name": "送汤"},
    r"POST /admin/rules/\{code\}": {"kind": "deed", "name": "调解", "points": 9},
    r"POST /api/v1/deeds|POST /deeds/new": {"rule_code": "mediation"},
    r".*/imports": {"kind": "goods"},
    r".*redemptions/\{redemption_id\}/collection": {"code": "code"},
    r"POST /api/v1/checkins": {"person_id": None},
    r"POST /(api/v1/)?(classes|class-hours|bookings).*": {"person_id": "guardian"},
    r"POST /admin/classes/\{course_id\}/refund": {"person_id": "guardian"},
    r"POST /(api/v1/bookings|classes/\{course_id\}/bookings)": {"lesson_id": "next lesson"},
    r"POST /(api/v1/donations)": {"person_id": "person"},
    r"POST /c/.*": {"person_id": ""},
    r"POST (/api/v1|/admin)/roles": {"person_id": "neighbour"},
    r"GET /api/v1/class-hours/quote": {"person_id": "guardian"},
    r"POST /scan": {"code": "station code"},
    r"POST /admin/goods/\{good_id\}|POST /admin/activities/\{activity_id\}|POST /admin/stations/\{station_id\}": {
        "active": "true", "rule_code": "service"
    },
}  # fmt: skip


def filled(op: Operation, made: Round) -> dict[str, Any]:
    """The fields of a request's body."""
    known = values(made)
    special = {"keeper's phone": made.town.phones["周敏"], "station code": station_code(made.town)} | made.objects
    for pattern, more in MORE.items():
        if re.fullmatch(pattern, op.name):
            known |= {
                name: special.get(value, value) if isinstance(value, str) else value for name, value in more.items()
            }
    wanted = known if op.body == "form" else {name: known[name] for name in op.needs if name in known}
    if op.body == "json":
        wanted |= {name: known[name] for name in ALSO.get(op.name, ())}
        wanted |= {
            name: value == "true" for name, value in wanted.items() if name in ("upheld", "confirms", "consented")
        }
    return {name: value for name, value in wanted.items() if value is not None}


# What a JSON body has that it need not have.
ALSO: dict[str, tuple[str, ...]] = {
    "POST /api/v1/sessions": ("password",),
    "POST /api/v1/me/password": (),
    "POST /api/v1/counter/sign-on": ("phone",),
    "POST /api/v1/roles": ("area_id",),
    "POST /api/v1/areas": ("parent_id",),
    "PATCH /api/v1/people/{person_id}": ("relation",),
    "POST /api/v1/people": ("phone", "area_id", "room"),
    "POST /api/v1/rules": ("points",),
    "POST /api/v1/checkins": ("station_id",),
    "POST /api/v1/service-records": ("station_id",),
    "POST /api/v1/service-records/{record_id}/review": ("note",),
    "POST /api/v1/redemptions/{redemption_id}/collection": ("code",),
    "POST /api/v1/bookings/{booking_id}/attendance": (),
    "POST /api/v1/courses/{course_id}/lessons": ("minutes",),
    "PATCH /api/v1/lessons/{lesson_id}": ("seats",),
    "PATCH /api/v1/stations/{station_id}": ("name",),
    "PATCH /api/v1/activities/{activity_id}": ("name",),
    "PATCH /api/v1/goods/{good_id}": ("name",),
    "PATCH /api/v1/courses/{course_id}": ("teacher",),
}

FORM_ALSO: dict[str, dict[str, str]] = {}


def picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (64, 64), "red").save(written, "JPEG")
    return written.getvalue()


async def ask(
    client: httpx.AsyncClient, made: Round, role: str, op: Operation, *, community: UUID | None = None
) -> httpx.Response:
    """Send an operation as this role does, with an object of each kind in its place."""
    headers = dict(made.bearer[role]) | key()
    if op.is_page:
        headers |= {"Accept": "application/json, text/html"}
        if role in DEVICES:
            headers |= made.cookie[role]
            headers.pop("Authorization")
    if community is not None:
        headers["X-Community-Id"] = str(community)
    sent: dict[str, Any] = {}
    if op.body == "json":
        sent = {"json": filled(op, made)}
        if op.path == "/desk/scan/batch":
            sent = {"json": {"rows": []}}
    elif op.body == "multipart":
        sent = {"files": _files(op)}
    elif op.body == "form":
        data = {name: str(value) for name, value in filled(op, made).items()} | {"_key": nonce()}
        if role in DEVICES:
            data["_csrf"] = csrf_token(made.bearer[role]["Authorization"].removeprefix("Bearer "))
        sent = {"data": data}
        if op.path in ("/admin/imports", "/admin/goods/{good_id}/photo"):
            sent["files"] = _files(op)
        if op.path == "/desk/scan/batch":
            sent = {"json": {"rows": []}}
            headers["X-CSRF-Token"] = data.get("_csrf", "")
    elif op.needs:
        sent = {"params": filled(op, made)}
    return await client.request(op.method, address(op, made), headers=headers, **sent)


def _files(op: Operation) -> dict[str, tuple[str, bytes, str]]:
    if "photo" in op.path:
        return {"photo": ("照片.jpg", picture(), "image/jpeg")}
    return {"file": ("物品.csv", table(GOODS, ["水杯", "个", "5", "10", STATION, ""]), "text/csv")}


def outcome(op: Operation, answer: httpx.Response) -> str:
    """In one word what an answer was."""
    code = code_of(answer)
    if answer.status_code == 401 or code == "sign_on_needed":
        return "sign in"
    if (
        answer.status_code == 303
        and answer.headers["location"].startswith(("/sign-in?", "/desk/sign-on"))
        and (op.path not in ("/sign-out", "/desk/sign-off"))
    ):
        return "sign in"
    if code in ("forbidden", "not_paired", "pairing_over"):
        return "forbidden"
    if answer.status_code == 404:
        return "unseen"
    if answer.status_code >= 500:
        return "fault"
    if answer.status_code == 403:
        return f"not by you"
    return "done" if answer.status_code < 400 else "refused"


def code_of(answer: httpx.Response) -> str:
    """The stable code of a refusal; empty where a page is shown anew with its sentence."""
    if "json" not in answer.headers.get("content-type", ""):
        return ""
    told = answer.json()
    return str(told.get("code", "")) if isinstance(told, dict) and answer.status_code >= 400 else ""
