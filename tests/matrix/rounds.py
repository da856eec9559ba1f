"""The round: one object of every kind in one community and a person or device of every role, for the matrix tests."""

import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from litestar import Litestar
from PIL import Image

from tests.imports.kinds.test_imports import GOODS, table
from tests.support.counter import Tablet, has_password, tablet
from tests.support.messages import end_quiet_hours
from tests.support.presence import body, nine_o_clock, personal_code, scanned, served, station_code
from tests.support.saved import save_all
from tests.support.shop import API, key
from tests.support.switches import switch_on
from tests.support.town import PHOENIX, SPRING, Town, operating
from timebank.access.devices import devices
from timebank.core import clock, names, vault
from timebank.policies.values import change_policy
from timebank.presence.forgotten import close_forgotten

STATION = "暖蜂驿站"
FAR_STREET, FAR = "河西街道", "河西社区"
OWNER, NEIGHBOUR, FORMER, FAR_ADMIN, CONTACT = "张桂兰", "郑安", "卫东", "冯远", "郭磊"
TWICE = "何青"  # has several records

# Each role with the name of the person who has it; devices are roles without a person.
PEOPLE = {
    "owner": OWNER, "neighbour": NEIGHBOUR, "guardian": "刘洋", "former guardian": FORMER, "unit head": "李秀英",
    "building head": "王建国", "grid worker": "陈明", "keeper": "周敏", "keeper of another station": "欧阳凯伟",
    "admin": "赵丽", "auditor": "孙伟", "street admin": "钱进", "county admin": "吴昊", "resident elsewhere": "马涛",
    "admin elsewhere": "何静", "admin of another street": FAR_ADMIN,
}  # fmt: skip
DEVICES = ("counter", "counter without a keeper", "display")
ROLES = ("stranger", *PEOPLE, *DEVICES)
OUTSIDE = ("resident elsewhere", "admin elsewhere", "admin of another street")


@dataclass
class Round:
    """The town with an object of each kind, and the credentials of every role."""

    town: Town
    objects: dict[str, str] = field(default_factory=dict)
    bearer: dict[str, dict[str, str]] = field(default_factory=dict)
    cookie: dict[str, dict[str, str]] = field(default_factory=dict)


async def insert(owner: asyncpg.Connection, table_name: str, **values: object) -> UUID:
    """Insert a row; return its id."""
    row = {"id": clock.new_id()} | values
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await owner.execute(f"INSERT INTO {table_name} ({', '.join(row)}) VALUES ({places})", *row.values())
    found = row["id"]
    assert isinstance(found, UUID)
    return found


class Asking:
    """Sends API requests as a role and asserts that they succeed."""

    def __init__(self, client: httpx.AsyncClient, made: Round) -> None:
        self.client, self.made = client, made

    async def by(self, role: str, method: str, path: str, json: object = None, **more: Any) -> dict[str, object]:
        headers = self.made.bearer[role] | key()
        answer = await self.client.request(method, API + path, headers=headers, json=json, **more)
        assert answer.is_success, f"{role} {method} {path}: {answer.status_code} {answer.text}"
        told: dict[str, object] = answer.json() if answer.content else {}
        return told


async def build(owner: asyncpg.Connection, client: httpx.AsyncClient, town: Town) -> Round:
    """Create every role and object, mostly through the API."""
    made = Round(town)
    await _more_people(owner, town)
    for role, name in PEOPLE.items():
        made.bearer[role] = await town.sign_in(name)
    made.bearer["stranger"] = {}
    await _devices(client, made)
    asking = Asking(client, made)
    await _visits(owner, asking)
    await _deeds(owner, asking)
    await _goods(owner, asking)
    await _classes(owner, asking)
    await _places(owner, asking)
    await _changes(owner, asking)
    await _service(owner, asking)
    return made


def picture() -> bytes:
    """A small JPEG photo."""
    written = BytesIO()
    Image.new("RGB", (64, 64), "red").save(written, "JPEG")
    return written.getvalue()


async def _more_people(owner: asyncpg.Connection, town: Town) -> None:
    now = clock.now()
    street, community = clock.new_id(), clock.new_id()
    for id_, parent, kind, name, path in (
        (street, town.county, "street", FAR_STREET, [town.county, street]),
        (community, street, "community", FAR, [town.county, street, community]),
    ):
        await insert(
            owner, "region", id=id_, parent_id=parent, kind=kind, name=name, pinyin=names.pinyin(name), path=path,
            created_at=now,
        )  # fmt: skip
    town.communities[FAR] = community
    for name, home, phone in (
        (NEIGHBOUR, town.community, "19900007101"), (FORMER, town.community, "19900007102"),
        (FAR_ADMIN, community, "19900007103"), (CONTACT, community, "19900007104"),
    ):  # fmt: skip
        town.home[name], town.phones[name] = home, phone
        sealed = {"phone_sealed": vault.seal(phone, "phone"), "phone_index": vault.blind_index(phone, "phone")}
        town.people[name] = await insert(
            owner, "person", community_id=home, name=name, name_key=names.key(name), pinyin=names.pinyin(name),
            publishes_name=False,
            born_on=date(1970, 1, 1), status="active", code_epoch=1, created_at=now, phone_last4=phone[-4:], **sealed,
        )  # fmt: skip
        town.logins[name] = await insert(owner, "login", created_at=now, **sealed)
        await owner.execute(
            "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
            home, town.logins[name], town.people[name], now,
        )  # fmt: skip
    held: dict[str, tuple[str, dict[str, UUID]]] = {
        FAR_ADMIN: ("street_admin", {"region_id": street}),
        "欧阳凯伟": ("station_keeper", {"station_id": town.stations["慈善超市"]}),
    }
    for name, (role, place) in held.items():
        await insert(
            owner, "role_grant", community_id=town.home[name], person_id=town.people[name], role=role,
            starts_on=date(2025, 1, 1), granted_at=now, **place,
        )  # fmt: skip
    await insert(
        owner, "guardianship", community_id=town.community, guardian_id=town.people[FORMER],
        child_id=town.people["刘小雨"], relation="叔叔", consented_at=now, ended_at=now,
    )  # fmt: skip


async def _devices(client: httpx.AsyncClient, made: Round) -> None:
    town = made.town
    await has_password(town, "周敏")
    counters = [await tablet(client, town), await tablet(client, town)]
    await counters[0].sign_on(town, "周敏")
    keeper, station = await town.scope("周敏"), town.stations[STATION]
    screen = Tablet(client, await devices.register_device(keeper, station, name="屏幕", kind="display"))
    made.objects["counter device"] = str(counters[1].id)
    for role, device in zip(DEVICES, (*counters, screen), strict=True):
        made.bearer[role], made.cookie[role] = device.bearer, device.cookie
    async with operating():
        for kind in ("counter", "display"):
            waits = await devices.register_device(town.system(), station, name="待配对", kind=kind)
            made.objects |= {f"pairing {kind}": waits.pairing_code, "device": str(waits.id)}


async def _visits(owner: asyncpg.Connection, asking: Asking) -> None:
    town, objects = asking.made.town, asking.made.objects
    objects |= {"person": str(town.people[OWNER]), "child": str(town.people["刘小雨"])}
    await served(town, "王建国", 90)
    with clock.at(nine_o_clock()):
        assert (await scanned(await town.scope("欧阳凯伟"), station_code(town))).status == "ok"
    await close_forgotten(town.system())
    for kind, status in (("credited record", "approved"), ("forgotten record", "pending")):
        objects[kind] = await owner.fetchval("SELECT id::text FROM service_record WHERE status = $1", status)
    objects["station"] = station = str(town.stations[STATION])
    for kind, hour in (("record", 3), ("noticed record", 6)):
        begin = clock.now() - timedelta(hours=hour)
        hours = {
            "person_id": objects["person"], "station_id": station, "reason": "停电，纸上签到",
            "started_at": begin.isoformat(), "ended_at": (begin + timedelta(hours=2)).isoformat(),
        }  # fmt: skip
        objects[kind] = str((await asking.by("grid worker", "POST", "/service-records", hours))["id"])
    review = {"decision": "approve", "note": "站长看见的"}
    await asking.by("admin", "POST", f"/service-records/{objects['noticed record']}/review", review)
    asked = body(personal_code(town, OWNER), station_id=station)
    verdict = await asking.by("keeper", "POST", "/checkins", asked)
    assert verdict["status"] == "ok", verdict
    visit = verdict["visit"]
    assert isinstance(visit, dict)
    objects |= {"visit": str(visit["id"]), "nonce": str(asked["nonce"])}
    # Its minute of undoing lasts as long as the round, however slow the machine is.
    await owner.execute("UPDATE visit SET in_received_at = in_received_at + interval '1 hour'")
    await asking.by("keeper", "POST", f"/people/{objects['person']}/card")
    objects["card"] = await owner.fetchval("SELECT id::text FROM card LIMIT 1")


async def _deeds(owner: asyncpg.Connection, asking: Asking) -> None:
    town, objects = asking.made.town, asking.made.objects
    unit = str(town.areas[f"{PHOENIX}/第一网格/3栋/1单元"])
    told = {
        "person_id": str(town.people["李秀英"]), "rule_code": "mediation", "area_id": unit, "note": "说和了两家",
        "occurred_on": str(clock.local_day()), "witness_id": str(town.people[OWNER]),
    }  # fmt: skip
    objects["area"], objects["building"] = unit, str(town.areas[f"{PHOENIX}/第一网格/3栋"])
    for kind in ("deed", "noticed deed"):
        objects[kind] = str((await asking.by("unit head", "POST", "/deeds", told))["id"])
    for kind in ("photo", "loose photo"):
        photo = {"photo": ("照片.jpg", picture(), "image/jpeg")}
        objects[kind] = str((await asking.by("unit head", "POST", "/photos", files=photo))["id"])
    await asking.by("unit head", "POST", f"/deeds/{objects['deed']}/photos", {"photo_id": objects["photo"]})
    await owner.execute("UPDATE photo SET unattached_until = unattached_until + interval '1 day'")  # tests take long
    await asking.by("grid worker", "POST", f"/deeds/{objects['noticed deed']}/review", {"decision": "approve"})
    objected = await asking.by(
        "neighbour", "POST", f"/deeds/{objects['noticed deed']}/objections", {"reason": "那天他不在家"}
    )
    objects["objection"] = str(objected["id"])
    objects["matter"] = str(clock.new_id())  # the round's community has not switched matters on
    objects["credited deed"] = str(await town.credit_deed("王建国", 10))
    objects["entry"] = await owner.fetchval("SELECT entry_id::text FROM deed WHERE status = 'credited'")


async def _goods(owner: asyncpg.Connection, asking: Asking) -> None:
    town, objects = asking.made.town, asking.made.objects
    await town.credit_deed(OWNER, 200)
    objects["own entry"] = await owner.fetchval(
        "SELECT entry_id::text FROM deed WHERE person_id = $1 AND status = 'credited'", town.people[OWNER]
    )
    objects["good"] = str(town.goods["香皂"])
    objects["offer"] = f"{objects['good']}/{objects['station']}"
    wanted = {"person_id": objects["person"], "good_id": objects["good"], "station_id": objects["station"]}
    for kind in ("redemption", "collected redemption"):
        reserved = await asking.by("owner", "POST", "/redemptions", wanted)
        objects[kind], objects["code"] = str(reserved["id"]), str(reserved["code"])
    path = f"/redemptions/{objects['collected redemption']}/collection"
    await asking.by("keeper", "POST", path, {"code": objects["code"]})
    objects["code"] = await owner.fetchval("SELECT code FROM pickup WHERE noun = 'redemption'")
    photo = {"photo": ("照片.jpg", picture(), "image/jpeg")}
    await asking.by("admin", "PUT", f"/goods/{objects['good']}/photo", files=photo)
    asked = await asking.by("keeper", "POST", "/counter/confirmations", wanted)
    objects["confirmation"] = str(asked["id"])


async def _classes(owner: asyncpg.Connection, asking: Asking) -> None:
    town, objects = asking.made.town, asking.made.objects
    await town.credit_deed("刘洋", 200)
    objects |= {"course": str(town.course), "lesson": str(town.lessons[0]), "next lesson": str(town.lessons[1])}
    asked = {"person_id": str(town.people["刘洋"]), "child_id": objects["child"], "course_id": objects["course"]}
    await asking.by("guardian", "POST", "/class-hours", asked | {"minutes": 240})
    seat = {"lesson_id": objects["lesson"], "child_id": objects["child"]}
    booked = await asking.by("guardian", "POST", "/bookings", seat)
    objects |= {"booking": str(booked["id"]), "door code": str(booked["code"])}
    objects["guardian"] = asked["person_id"]
    objects["guardianship"] = await owner.fetchval("SELECT id::text FROM guardianship WHERE ended_at IS NULL")
    today = clock.local_day()
    more = {
        "title": "少儿围棋", "age_min": 6, "age_max": 12, "starts_on": str(today), "points_per_hour": 20,
        "ends_on": str(today + timedelta(days=60)), "teacher": "沈老师", "station_id": objects["station"],
    }  # fmt: skip
    objects["second course"] = str((await asking.by("admin", "POST", "/courses", more))["id"])


async def _places(owner: asyncpg.Connection, asking: Asking) -> None:
    town, objects = asking.made.town, asking.made.objects
    objects["activity"] = str(town.activities["四点半辅导"])
    begins = clock.now() + timedelta(days=1)
    planned = {
        "station_id": objects["station"], "starts_at": begins.isoformat(), "seats": 9,
        "ends_at": (begins + timedelta(hours=2)).isoformat(),
    }  # fmt: skip
    objects["shift"] = str(
        (await asking.by("keeper", "POST", f"/activities/{objects['activity']}/shifts", planned))["id"]
    )
    await asking.by("owner", "POST", f"/shifts/{objects['shift']}/sign-ups", {})
    soon, elsewhere = clock.now() + timedelta(minutes=10), str(town.stations["慈善超市"])  # where no screen hangs
    planned |= {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=6)).isoformat()}
    planned["station_id"] = elsewhere
    led = (await asking.by("admin", "POST", f"/activities/{objects['activity']}/shifts", planned))["id"]
    objects["led shift"] = str(led)
    await asking.by("owner", "POST", f"/shifts/{led}/sign-ups", {})
    await asking.by("admin", "PUT", f"/shifts/{led}/leader", {"person_id": str(town.people[OWNER])})
    again = {
        "activity_id": objects["activity"], "station_id": objects["station"], "weekdays": [1], "starts_at": "16:20",
        "ends_at": "16:50", "seats": 2, "starts_on": str(clock.local_day() + timedelta(days=60)),
    }  # fmt: skip
    objects["pattern"] = str((await asking.by("keeper", "POST", "/shift-patterns", again))["id"])
    await end_quiet_hours(owner)
    objects["message"] = await owner.fetchval("SELECT id::text FROM message WHERE person_id = $1", town.people[OWNER])
    objects["grant"] = await owner.fetchval(
        "SELECT id::text FROM role_grant WHERE person_id = $1", town.people["李秀英"]
    )
    content = table(GOODS, ["毛巾", "条", "5", "10", STATION, ""])
    imported = await asking.client.post(
        f"{API}/imports/goods", headers=asking.made.bearer["admin"], files={"file": ("物品.csv", content)},
        data={"map": f"老站,{STATION}"},
    )  # fmt: skip
    assert imported.json()["outcome"] == "imported", imported.text
    objects["run"] = imported.json()["run_id"]
    content = table(GOODS, ["脸盆", "个", "5", "10", STATION, ""])
    draft = await asking.client.post(
        "/admin/imports", headers=asking.made.bearer["admin"], data={"kind": "goods"},
        files={"file": ("物品.csv", content)},
    )  # fmt: skip
    objects["draft"] = draft.headers["location"].rpartition("/")[2]


async def _changes(owner: asyncpg.Connection, asking: Asking) -> None:
    town, objects = asking.made.town, asking.made.objects
    objects["parcel"] = str(
        await insert(
            owner, "outbox", community_id=town.community, kind="message", key=objects["message"], attempts=8,
            payload=json.dumps({"message_id": objects["message"]}), due_at=clock.now(), dead_at=clock.now(),
            last_error='{"code": "push_gateway_away", "values": {}}', created_at=clock.now(),
        )
    )  # fmt: skip
    # Its minute of undoing lasts as long as the round too.
    objects["ended rest"] = str(
        await insert(
            owner, "spending_rest", community_id=town.community, person_id=town.people[NEIGHBOUR], cause="code",
            since=clock.now(), until=clock.now() + timedelta(days=3), ended_at=clock.now() + timedelta(hours=1),
            ended_by_login=town.logins["周敏"], ended_station_id=town.stations["暖蜂驿站"],
        )
    )  # fmt: skip
    objects["mass decision"] = str(
        await insert(
            owner, "mass_decision", community_id=town.community, noun="service_record", decision="approve", note="",
            asked="{}", status="pending", chosen=0, login_id=town.logins["赵丽"], persons=[town.people["赵丽"]],
            decided_by=town.people["赵丽"], proof_hash=b"1", proof_sealed=b"1", decided_at=clock.now(),
            due_at=clock.now() + timedelta(hours=1),
        )
    )  # fmt: skip
    waits = await asking.by("admin", "PUT", "/policies/notice_days", {"value": 3})
    objects["agreement"] = str(waits["waiting"])
    neighbour = str(town.people[NEIGHBOUR])
    given = await asking.by("admin", "POST", f"/people/{neighbour}/sign-in-code")
    opened = await asking.client.post(f"{API}/sessions", json={"phone": town.phones[NEIGHBOUR], "otp": given["code"]})
    assert opened.status_code == 201
    objects |= {"neighbour": neighbour, "community": str(town.community), "street": str(town.street)}
    entered = {"name": "郑平安", "phone": town.phones[NEIGHBOUR]}
    asks = await asking.by("admin elsewhere", "POST", "/people", entered)
    objects |= {"asking person": str(asks["id"]), "asking community": str(town.communities[SPRING])}
    for record, room in (("kept", "901"), ("merged", "902"), ("twin", "903")):
        home = {"name": TWICE, "area_id": str(town.areas[f"{PHOENIX}/第一网格/5栋/1单元"]), "room": room}
        objects[record] = str((await asking.by("admin", "POST", "/people", home))["id"])
    twice = {"merged_id": objects["merged"], "reason": "登记了两次"}
    objects["merge"] = str((await asking.by("admin", "POST", f"/people/{objects['kept']}/merge", twice))["id"])


async def _service(owner: asyncpg.Connection, asking: Asking) -> None:
    """What communities switch on: every one here uses it."""
    town, objects = asking.made.town, asking.made.objects
    for community in town.communities.values():
        await switch_on(owner, community, "units", "teams")
    objects["county"] = str(town.county)
    founded = {"county_id": objects["county"], "name": "县税务局", "kind": "department"}
    objects["linked unit"] = unit = str((await asking.by("county admin", "POST", "/units", founded))["id"])
    await insert(
        owner, "role_grant", community_id=town.home[CONTACT], person_id=town.people[CONTACT], role="unit_contact",
        starts_on=date(2025, 1, 1), granted_at=clock.now(), region_id=town.county, unit_id=UUID(unit),
    )  # fmt: skip
    asking.made.bearer["contact"] = await town.sign_in(CONTACT) | {"X-Community-Id": str(town.community)}
    linked = await asking.by("admin", "POST", f"/units/{unit}/links", {"kind": "handler"})
    objects["link"] = str(linked["id"])
    came = {"person_id": objects["person"], "unit_id": unit}
    objects["affiliation"] = str((await asking.by("owner", "POST", "/affiliations", came))["id"])
    objects["team"] = str((await asking.by("admin", "POST", "/teams", {"name": "维修班", "kind": "repair"}))["id"])
    await asking.by("owner", "POST", f"/teams/{objects['team']}/members", {"person_id": objects["person"]})
    skill = {"name": "修水龙头", "kind": "repair", "needs_proof": True}
    objects["skill"] = str((await asking.by("admin", "POST", "/skills", skill))["id"])
    await asking.by("owner", "PUT", f"/me/skills/{objects['skill']}", {"findable": True})
    await _matters(owner, asking)


async def _matters(owner: asyncpg.Connection, asking: Asking) -> None:
    """The owner's reports in each status that a verb begins from, handled by the repair team, which the building head
    leads; a wish that the guardian fulfils and one whose gift is at the station; a check that was drawn."""
    town, objects = asking.made.town, asking.made.objects
    for admin in ("赵丽", "何静"):
        await change_policy(await town.scope(admin), "uses_matters", 1)
    head = {"person_id": str(town.people["王建国"]), "leads": True}
    await asking.by("admin", "POST", f"/teams/{objects['team']}/members", head)
    steps: dict[str, list[tuple[str, str, object]]] = {
        "matter": [], "second matter": [], "offered matter": [("admin", "dispatch", {"team_id": objects["team"]})],
    }  # fmt: skip
    steps["higher matter"] = [("admin", "hand-up", {"reason": "要社区来办"})]
    steps["unit's matter"] = [("admin", "dispatch", {"unit_id": objects["linked unit"]})]
    steps["unit's taken matter"] = [*steps["unit's matter"], ("contact", "take", {})]
    steps["taken matter"] = [*steps["offered matter"], ("building head", "take", {})]
    steps["done matter"] = [*steps["taken matter"], ("building head", "finish", {"result": "劝过了"})]
    steps["closed matter"] = [*steps["done matter"], ("owner", "rating", {"solved": True, "stars": 4})]
    steps["wish"] = [("admin", "dispatch", {"open_to": "all"}), ("guardian", "take", {})]
    steps["given wish"] = [*steps["wish"], ("counter", "receipt", {"value": 90, "station_id": objects["station"]})]
    for kind, verbs in steps.items():
        told: dict[str, object] = (
            {"kind": "wish", "category": "wish", "value_max": 100}
            if "wish" in kind
            else {"kind": "report", "category": "noise"}
        )
        told |= {"area_id": objects["building"], "said": "夜里吵"}
        if "unit's" in kind:
            told["may_be_contacted"] = False
        opener = "guardian" if "unit's" in kind else "owner"  # nobody may report more than ten a day
        opened = await asking.by(opener, "POST", "/matters", told)
        objects[kind] = str(opened["id"])
        objects["matter number"] = str(opened["number"])
        for role, verb, fields in verbs:
            await asking.by(role, "POST", f"/matters/{objects[kind]}/{verb}", fields)
    # Its minute of undoing lasts as long as the round.
    await owner.execute("UPDATE wish_gift SET received_at = received_at + interval '1 hour'")
    objects["gift code"] = await owner.fetchval("SELECT code FROM pickup WHERE noun = 'matter'")
    objects["helper"] = await owner.fetchval("SELECT id::text FROM matter_helper LIMIT 1")
    objects["check"] = str(
        await insert(
            owner, "spot_check", community_id=town.community, noun="matter", noun_id=UUID(objects["done matter"]),
            drawn_on=clock.local_day(), area_id=UUID(objects["building"]),
        )
    )  # fmt: skip


@asynccontextmanager
async def first(
    pool: str, app: Litestar, first_town: tuple[Town, str], schema: str
) -> AsyncIterator[tuple[Round, str]]:  # fmt: skip
    """The round as built, and the SQL script that restores its rows, which are saved in this schema."""
    built, script = first_town
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx and Litestar type ASGI differently
    owner = await asyncpg.connect(pool)
    await owner.execute(script)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        made = await build(owner, client, copy.deepcopy(built))
    yield made, await save_all(owner, schema)
    await owner.execute(f"DROP SCHEMA {schema} CASCADE")
    await owner.close()
