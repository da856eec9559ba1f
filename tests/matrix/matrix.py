"""Lists every operation of the service from its routes and OpenAPI schema, and builds and sends its requests."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

import httpx
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, table
from tests.matrix.rounds import DEVICES, OWNER, STATION, Round, picture
from tests.support.counter import PASSWORD
from tests.support.presence import nine_o_clock, nonce, personal_code, station_code
from tests.support.shop import key
from timebank.core import clock
from timebank.http.callers import csrf_token


@dataclass(frozen=True)
class Operation:
    """A method of a path. `body` is json, form, multipart or empty; `needs` are its required fields."""

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
    """Every operation. Required fields of JSON bodies come from the OpenAPI schema, which does not list page forms."""
    schema = app.openapi_schema.to_schema()
    found: list[Operation] = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                methods = sorted(str(method) for method in handler.http_methods)
                asked = [method for method in methods if method not in ("OPTIONS", "HEAD")]
                found += [_operation(schema, method, route.path_format, _queries(handler)) for method in asked]
    return sorted(found, key=lambda op: (op.path, op.method))


def _queries(handler: HTTPRouteHandler) -> tuple[str, ...]:
    """The required query parameters of a handler."""
    told = handler.parsed_fn_signature.parameters.items()
    return tuple(
        name
        for name, each in told
        if not each.has_default and any(isinstance(part, QueryParameter) for part in get_args(each.raw))
    )


def _operation(schema: Mapping[str, Any], method: str, path: str, queries: tuple[str, ...]) -> Operation:
    told = schema["paths"].get(path, {}).get(method.lower(), {})
    if "requestBody" in told:
        [(kind, content)] = told["requestBody"]["content"].items()
        shape = content["schema"]
        if "$ref" in shape:
            shape = schema["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
        return Operation(method, path, "multipart" if "multipart" in kind else "json", tuple(shape.get("required", ())))
    is_form = method == "POST" and not path.startswith("/api/")
    return Operation(method, path, "form" if is_form else "", queries)


# The object for each path parameter; BY_ADDRESS overrides it for operations where the name means another object.
NAMED = {
    "grant_id": "grant", "person_id": "person", "agreement_id": "agreement", "guardianship_id": "guardianship",
    "message_id": "message", "area_id": "area", "deed_id": "deed", "objection_id": "objection", "record_id": "record",
    "station_id": "station", "device_id": "device", "activity_id": "activity", "shift_id": "shift", "good_id": "good",
    "pattern_id": "pattern",
    "redemption_id": "redemption", "confirmation_id": "confirmation", "course_id": "course", "lesson_id": "lesson",
    "booking_id": "booking", "run_id": "run", "draft_id": "draft", "entry_id": "entry", "visit_id": "visit",
    "nonce": "nonce", "merge_id": "merge", "community_id": "community", "item_id": "noticed deed",
    "parcel_id": "parcel", "decision_id": "mass decision", "rest_id": "ended rest",
    "photo_id": "photo", "unit_id": "linked unit", "link_id": "link", "affiliation_id": "affiliation",
    "team_id": "team", "skill_id": "skill", "matter_id": "matter", "check_id": "check", "helper_id": "helper",
}  # fmt: skip
BY_ADDRESS = {
    r".*/people/\{person_id\}/guardians.*": {"person_id": "child"},
    r".*/people/\{person_id\}/booking": {"person_id": "guardian"},
    r".*/agreements/logins/.*": {"person_id": "neighbour"},
    r".*/deeds/\{deed_id\}/(objection|objections|witness)": {"deed_id": "noticed deed"},
    r".*/deeds/\{deed_id\}/reversal": {"deed_id": "credited deed"},
    r".* /statement/.*": {"entry_id": "own entry"},
    r".*/redemptions/\{redemption_id\}/return": {"redemption_id": "collected redemption"},
    r".*/(service-records|reviews)/\{record_id\}/reversal": {"record_id": "credited record"},
    r".*/service-records/\{record_id\}/objections": {"record_id": "noticed record"},
    r"PATCH /api/v1/service-records/\{record_id\}": {"record_id": "forgotten record"},
    r"GET /activities/shifts/\{shift_id\}/code.*": {"shift_id": "led shift"},
    r".*/memberships/.*": {"community_id": "asking community", "person_id": "asking person"},
    r".*/people/\{person_id\}/confirmation": {"person_id": "neighbour"},
    r".*/devices/\{device_id\}/pairing": {"device_id": "device"},
    r".*/people/\{person_id\}/merges?(/.*)?": {"person_id": "kept"},
    r".*/matters/\{matter_id\}/(take|ask|postponement|publish)": {"matter_id": "offered matter"},
    r".*/matters/\{matter_id\}/(give-up|giving-up|return|finish)": {"matter_id": "taken matter"},
    r".*/matters/\{matter_id\}/(rating|confirm|follow|photos|\{act\})": {"matter_id": "done matter"},
    r".*/matters/\{matter_id\}/(reopen|reopening)": {"matter_id": "closed matter"},
    r".*/matters/\{matter_id\}/hand-down": {"matter_id": "higher matter"},
    r".*/matters/\{matter_id\}/merge": {"matter_id": "second matter"},
    r".*/(matters|desk/wishes)/\{matter_id\}/receipt": {"matter_id": "wish"},
    r".*/(matters|desk/wishes)/\{matter_id\}/(renewal|collection|undo|giving-back)": {"matter_id": "given wish"},
    r"GET /desk/wishes/\{matter_id\}": {"matter_id": "given wish"},
}
WORDS = {
    "listed": "goods", "code": "mediation", "name": "notice_days", "path": "css/timebank.css", "kind": "deed",
    "month": "2025-01-01", "day": "2025-01-01", "act": "confirm",
}  # fmt: skip


def address(op: Operation, made: Round) -> str:
    """The operation's path with an object's id for each path parameter."""
    names = dict(NAMED)
    for pattern, more in BY_ADDRESS.items():
        if re.fullmatch(pattern, op.name):
            names |= more
    words = WORDS | {"payload": station_code(made.town).rpartition("/")[2], "number": made.objects["matter number"]}
    if "/matters/categories/" in op.path or "/matter-categories/" in op.path:
        words["code"] = "noise"
    if pairing := re.fullmatch(r"/(desk/pair|display)/\{code\}", op.path):
        words["code"] = made.objects["pairing display" if pairing[1] == "display" else "pairing counter"]

    def value(match: re.Match[str]) -> str:
        return made.objects[names[match[1]]] if match[1] in names else words[match[1]]

    return re.sub(r"\{(\w+)\}", value, op.path)


def values(made: Round) -> dict[str, Any]:
    """The default value of each body field, by field name."""
    objects, now = made.objects, clock.now()
    today, tomorrow = clock.local_day(), now + timedelta(days=1)
    same = ("person", "child", "guardian", "area", "station", "good", "course", "lesson", "booking", "activity")
    return {f"{name}_id": objects[name] for name in same} | {
        "to_course_id": objects["second course"], "to": objects["second course"], "parent_id": objects["building"],
        "phone": made.town.phones[OWNER], "password": PASSWORD, "again": PASSWORD, "role": "unit_head",
        "decision": "approve", "name": "新名字", "title": "新课", "relation": "姑姑", "consented": "true",
        "kind": "counter", "value": 9, "occurred_on": str(today), "note": "说明", "reason": "原因",
        "rule_code": "service", "upheld": "false", "confirms": "true", "points": 5, "minutes": 60, "quantity": 1,
        "counted": 50, "seats": 5, "starts_at": tomorrow.isoformat(),
        "ends_at": (tomorrow + timedelta(hours=1)).isoformat(),
        "started_at": (now - timedelta(minutes=50)).isoformat(), "ended_at": (now - timedelta(minutes=5)).isoformat(),
        "day": str(today + timedelta(days=3)), "at": "10:00", "code": personal_code(made.town, OWNER),
        "nonce": nonce(), "starts_on": str(today), "ends_on": str(today + timedelta(days=30)), "age_min": 6,
        "age_max": 12, "points_per_hour": 20, "teacher": "林老师", "phone_last4": made.town.phones[OWNER][-4:],
        "rows": [{"code": personal_code(made.town, OWNER), "nonce": nonce()}], "status": "blocked",
        "record": objects["record"], "card": objects["card"], "given": "1", "currency": "point", "amount": 5,
        "skip_bad": "1", "room": "101", "station": objects["station"],
        "merged_id": objects["twin"], "unit_id": objects["linked unit"],
        "county_id": objects["county"], "skill_id": objects["skill"], "text": "明早集合", "free": [],
        "cleared": "true",
    }  # fmt: skip


# Field values that differ from the default for some operations; `@name` is replaced by the object of that name.
MORE: dict[str, dict[str, Any]] = {
    r"POST /api/v1/sessions|POST /sign-in|POST /.*/sign-on": {"phone": "@keeper's phone", "person_id": ""},
    r".*/agreements/\{agreement_id\}(/decision)?|.*confirmations/\{confirmation_id\}(/decision)?": {
        "decision": "agree"
    },
    r"\w+ .*/photos/\{photo_id\}/paint": {"boxes": [[8, 8, 16, 16]]},
    r"PATCH /api/v1/people/.*": {"relation": "户主"},
    r".*/people/\{person_id\}/correction": {"relation": "户主", "name": OWNER, "phone": "", "area_id": "", "room": ""},
    r"POST (/api/v1|/admin)/people": {"phone": "19900007777", "name": "新居民"},
    r".*/people/\{person_id\}/guardians": {"guardian_id": "@person"},
    r"POST (/api/v1|/admin)/areas": {"kind": "unit", "name": "9单元"},
    r"POST /admin/areas/regions": {"kind": "community", "parent_id": "@street", "name": "新社区"},
    r"POST /admin/workdays": {"works": "false"},
    r"POST (/api/v1|/admin)/rules": {"kind": "deed", "name": "送汤"},
    r"POST /admin/rules/\{code\}": {"kind": "deed", "name": "调解", "points": 9},
    r"POST (/api/v1/deeds|/deeds/new)": {"rule_code": "mediation"},
    r"POST /api/v1/deeds/\{deed_id\}/photos": {"photo_id": "@loose photo"},
    r"POST (/api/v1|/admin)/units": {"kind": "firm", "name": "新单位"},
    r"POST (/api/v1|/admin)/units/.*": {"kind": "sponsor"},
    r"POST (/api/v1/(teams|skills)|/admin/(teams|skills)(/.*)?)": {"kind": "repair", "name": "新的一项"},
    r"POST /admin/imports": {"kind": "goods"},
    r"(GET|POST) /admin/imports/words(/forgotten)?": {"kind": "station", "word": "老站", "means": "@station"},
    r".*redemptions/\{redemption_id\}/collection": {"code": "@code"},
    r"POST /(api/v1/matters|desk/wishes)/\{matter_id\}/collection": {"code": "@gift code"},
    r".*/bookings/\{booking_id\}/attendance": {"code": "@door code"},
    r"\w+ /(api/v1/)?(classes|class-hours|bookings).*|POST /admin/classes/\{course_id\}/refund": {
        "person_id": "@guardian"
    },
    r"POST /(api/v1/bookings|classes/\{course_id\}/bookings)": {"lesson_id": "@next lesson"},
    r"POST /admin/people/\{person_id\}/reservation": {"what": "@offer"},
    r"POST /admin/people/\{person_id\}/booking": {"lesson_id": "@next lesson"},
    r"POST /c/.*": {"person_id": ""},
    r"POST .*/memberships.*": {"decision": "agree", "community_id": "@asking community", "person_id": "@asking person"},
    r"POST (/admin/agreements/logins|/desk/sign-in-code/confirmation)": {
        "person": "@neighbour",
        "person_id": "@neighbour",
        "station_id": "@station",
    },
    r"(GET|POST) .*/devices(/pairing)?": {"device": "@device", "replaces": "@counter device"},
    r"\w+ (/api/v1|/admin)/roles(/new)?": {
        "person_id": "@neighbour",
        "station_id": "",
        "unit_id": "",
        "ends_on": "",
    },
    r"POST /scan": {"code": "@station code"},
    r"POST /sign-ins/end": {"sign_in_id": str(clock.new_id())},
    r"POST /admin/.*/search|POST /admin/find": {"q": "香皂"},
    r"POST /admin/goods/redemptions/search": {"status": ""},
    r"POST /admin/inbox(/reminder)?": {"kind": "service_record", "id": "@record"},
    r"POST /desk/visits": {"presence": nonce()},
    r"POST /admin/(goods|activities|stations)/\{\w+_id\}": {"active": "true"},
    r"POST /admin/stations(/\{station_id\})?": {"kind": "gate"},
    r"POST /admin/reviews/hours": {"day": str(clock.local_day() - timedelta(days=1)), "activity_id": "", "minutes": 45},
    r"POST /admin/reviews/\{record_id\}": {"at": ""},
    r"POST /api/v1/shift-patterns": {"weekdays": [1], "starts_at": "07:20", "ends_at": "07:50", "ends_on": None},
    r"POST /admin/activities/\{activity_id\}/patterns": {
        "on_2": "1",
        "days": "all",
        "begins": "07:20",
        "ends": "07:50",
        "places": "2",
        "least": "1",
    },
    r"POST /admin/activities/\{activity_id\}/patterns/\{pattern_id\}/breaks": {
        "starts_on": "2027-01-01",
        "ends_on": "2027-01-02",
    },
    r"POST /admin/activities/\{activity_id\}/shifts/\{shift_id\}/leader": {"leads": "true"},
    r"POST /activities/patterns/.*": {"weekday": "1"},
    r"POST /api/v1/shift-patterns/\{pattern_id\}/breaks": {"starts_on": "2027-01-01", "ends_on": "2027-01-02"},
    r"(PUT|DELETE) /api/v1/shift-patterns/.*": {"weekday": 1, "person_id": None},
    r".*/(matter|worker).*": {
        "kind": "report",
        "category": "noise",
        "said": "夜里吵",
        "verified": "true",
        "solved": "true",
        "stars": 4,
        "until": (clock.now() + timedelta(days=5)).isoformat(),
        "because": "not_ours",
        "into": "@matter",
        "public_text": "修好了",
        "text": "是哪一盏？",
        "kinds": ["report"],
        "due_days": 3,
        "team_id": "@team",
        "found": "true",
        "presence": nonce(),
    },
    r"POST /admin/matters/search": {"status": ""},
    r"POST /admin/matters/categories(/\{code\})?": {
        "due_counts": "day",
        "kind_report": "true",
        "level": "grid",
        "activity_id": "",
        "minutes_max": "",
        "active": "true",
    },
    r".*(wishes|order).*|.*/receipt": {"value": 90, "value_max": 100},
    r"POST /matters/wishes/new": {"kind": "wish", "category": "wish"},
    r"POST /matters/order": {"kind": "order", "category": "errands", "wanted_at": ""},
    r"(PUT /api/v1/|POST /)matters/\{matter_id\}/follow": {"kind": "same"},
    r"PATCH /api/v1/service-records/.*": {"ended_at": (nine_o_clock() + timedelta(hours=1)).isoformat()},
}
# Optional fields that are sent in a JSON body too.
ALSO: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            f"POST /api/v1/matters/{{matter_id}}/{verb}"
            for verb in ("hand-up", "give-up", "return", "postponement", "area")
        ),
        ("reason",),
    ),
    "POST /api/v1/matters/{matter_id}/reopen": ("reason",),
    "POST /api/v1/matters/{matter_id}/dispatch": ("team_id",),
    "POST /api/v1/matters/{matter_id}/refuse": ("note",),
    "POST /api/v1/matters/{matter_id}/ask": ("text",),
    "POST /api/v1/matters/{matter_id}/answer": ("text",),
    "POST /api/v1/matters": ("said",),
    "POST /api/v1/sessions": ("password",),
    "POST /api/v1/stations/{station_id}/devices": ("replaces",),
    "POST /api/v1/me/memberships/{community_id}/{person_id}": ("decision",),
    "POST /api/v1/counter/sign-on": ("phone",),
    "POST /api/v1/roles": ("area_id",),
    "POST /api/v1/areas": ("parent_id",),
    "PATCH /api/v1/people/{person_id}": ("relation",),
    "POST /api/v1/people": ("phone", "area_id", "room"),
    "POST /api/v1/rules": ("points",),
    "POST /api/v1/checkins": ("station_id",),
    "POST /api/v1/service-records": ("station_id",),
    "POST /api/v1/service-records/{record_id}/review": ("note",),
    "POST /api/v1/class-hours/refunds": ("reason",),
    "POST /api/v1/class-hours/moves": ("reason",),
    "POST /api/v1/redemptions/{redemption_id}/collection": ("code",),
    "POST /api/v1/matters/{matter_id}/collection": ("code",),
    "POST /api/v1/bookings/{booking_id}/attendance": ("code",),
    "POST /api/v1/courses/{course_id}/lessons": ("minutes",),
    "PATCH /api/v1/lessons/{lesson_id}": ("seats",),
    "PATCH /api/v1/stations/{station_id}": ("name",),
    "PATCH /api/v1/activities/{activity_id}": ("name",),
    "PATCH /api/v1/goods/{good_id}": ("name",),
    "PATCH /api/v1/units/{unit_id}": ("name",),
    "PATCH /api/v1/teams/{team_id}": ("name",),
    "PATCH /api/v1/skills/{skill_id}": ("name",),
    "PATCH /api/v1/courses/{course_id}": ("teacher",),
}
TRUTHS = ("solved", "upheld", "confirms", "consented", "cleared")


def filled(op: Operation, made: Round) -> dict[str, Any]:
    """The fields of a request's body or query, with values."""
    known = values(made)
    special = {"keeper's phone": made.town.phones["周敏"], "station code": station_code(made.town)} | made.objects
    for pattern, more in MORE.items():
        if re.fullmatch(pattern, op.name):
            known |= {n: special[v[1:]] if isinstance(v, str) and v.startswith("@") else v for n, v in more.items()}
    if op.body == "form":
        return known
    wanted = {name: known[name] for name in (*op.needs, *ALSO.get(op.name, ())) if name in known}
    return {name: value == "true" if name in TRUTHS else value for name, value in wanted.items()}


async def ask(
    client: httpx.AsyncClient, made: Round, role: str, op: Operation, more: Mapping[str, Any] = {}
) -> httpx.Response:
    """Send an operation as this role, with the round's objects in the path and `more` added to the fields."""
    headers, fields = dict(made.bearer[role]) | key(), {**filled(op, made), **more}
    if op.is_page:
        headers["Accept"] = "application/json, text/html"
    if op.is_page and role in DEVICES:
        token = headers.pop("Authorization").rpartition(" ")[2]
        headers |= made.cookie[role]
        fields["_csrf"] = headers["X-CSRF-Token"] = csrf_token(token)
    return await client.request(op.method, address(op, made), headers=headers, **_sent(op, fields))


UPLOADS = ("/admin/imports", "/admin/goods/{good_id}/photo", "/deeds/{deed_id}/photos", "/matters/{matter_id}/photos")


def _sent(op: Operation, fields: dict[str, Any]) -> dict[str, Any]:
    """The httpx arguments that send the fields as JSON, query, form or multipart."""
    if op.body == "json":
        return {"json": {name: value for name, value in fields.items() if name != "_csrf"}}
    if op.path == "/desk/scan/batch":
        return {"json": {"rows": fields["rows"]}}
    if op.body == "":
        return {"params": {name: value for name, value in fields.items() if name != "_csrf"}}
    data = {name: str(value) for name, value in fields.items()} | {"_key": nonce()}
    sent: dict[str, Any] = {"data": data, "params": {name: fields[name] for name in op.needs if op.is_page}}
    return sent | {"files": _files(op)} if op.body == "multipart" or op.path in UPLOADS else sent


def _files(op: Operation) -> dict[str, tuple[str, bytes, str]]:
    if "photo" in op.path:
        return {"photo": ("照片.jpg", picture(), "image/jpeg")}
    day = clock.local_day() - timedelta(days=1)
    rows: dict[str, list[Sequence[object]]] = {
        "residents": [ROSTER, resident("林小满", phone="19900008001", head="林小满", relation="户主")],
        "hours": [HOURS, [day, "站点值守", STATION, "李秀英", "", "10:00", "12:00"]],
        "deeds": [DEEDS, [day, "李秀英", "", "楼道卫生巡查", 2, "王建国", ""]],
        "goods": [GOODS, ["水杯", "个", "5", "10", STATION, ""]],
        "members": [["单位", "姓名", "手机"], ["县税务局", "林中", "13800008001"]],
        "matters": [["上报时间", "网格", "内容"], [day, "第一网格", "楼道灯不亮"]],
    }  # fmt: skip
    return {"file": ("表.csv", table(*rows.get(op.path.rpartition("/")[2], rows["goods"])), "text/csv")}


def outcome(op: Operation, answer: httpx.Response) -> str:
    """Classify an answer: done, refused (by a domain rule), forbidden (403), unseen (404), sign in, or fault (5xx)."""
    led = answer.headers.get("location", "") if answer.status_code == 303 else ""
    if answer.status_code == 401 or code_of(answer) == "sign_on_needed":
        return "sign in"
    if led.startswith("/sign-in?") or (led == "/desk/sign-on" and op.is_look):
        return "sign in"
    if answer.status_code >= 500:
        return "fault"
    if answer.status_code < 400:
        return "done"
    return {403: "forbidden", 404: "unseen"}.get(answer.status_code, "refused")


def code_of(answer: httpx.Response) -> str:
    """The error code of a refusal, or an empty string for an HTML page."""
    if "json" not in answer.headers.get("content-type", ""):
        return ""
    told = answer.json()
    return str(told.get("code", "")) if isinstance(told, dict) and answer.status_code >= 400 else ""
