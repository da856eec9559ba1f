"""Makes tests/data/first_version: a small community as version 0.1.0 (commit 7280c9c) left it, to test upgrades with.

It lives through ten days by the verbs of the code that it runs with, so it must run with the code of that commit:

    git worktree add --detach ../old 7280c9c && cp tests/make_old_dump.py ../old/tests/ && cd ../old && make venv
    .venv/bin/python -m tests.make_old_dump postgresql://superuser@host/empty_database folder

The folder gets `dump.sql.gz` (pg_dump with owners, privileges and policies, rows as INSERT) and `told.json`: what the
people of that community still have in their hands, such as tokens, codes, cards and the answers to their requests.
"""

import asyncio
import gzip
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from timebank.access.admins import create_admin
from timebank.app import create_app
from timebank.commands.places import find_or_found_community, system_scope
from timebank.core import clock, database, settings
from timebank.core.scope import Role
from timebank.core.settings import Settings
from timebank.migrate import migrate
from timebank.operations import worker

SECRET = "the key of the first version's test community, no other"
PASSWORD = "梅林社区-2026"
DAY = date(2026, 11, 18)  # the Wednesday on which the dump is taken, at half past twelve
FIRST = DAY - timedelta(days=9)

PHONES = {
    "何晓梅": "19900007001", "钱进": "19900007002", "张桂兰": "19900007003", "周敏": "19900007004",
    "王建国": "19900007005", "刘洋": "19900007006", "陈明": "19900007007",
}  # fmt: skip
BORN = {
    "张桂兰": "1958-03-12", "周敏": "1978-11-30", "王建国": "1960-05-04", "刘洋": "1988-02-14", "陈明": "1985-01-09",
    "李秀英": "1944-08-20", "刘小雨": "2016-09-01",
}  # fmt: skip


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return clock.at_local(day, time(hour, minute))


class Community:
    """Who asks what of the service, and what they were told."""

    def __init__(self, client: httpx.AsyncClient, community: str) -> None:
        self.client = client
        self.community = community
        self.people: dict[str, str] = {}
        self.who: dict[str, dict[str, str]] = {}
        self.told: dict[str, Any] = {"community": community}

    async def ask(self, method: str, path: str, name: str | None, status: int = 200, **more: Any) -> Any:
        headers = {"X-Community-Id": self.community, "Idempotency-Key": more.pop("key", uuid4().hex)}
        headers |= self.who[name] if name else {}
        answer = await self.client.request(method, f"/api/v1{path}", headers=headers, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

    async def kept(self, title: str, path: str, name: str, body: dict[str, Any]) -> Any:
        """A request that is sent again after the upgrade, with its key and its answer."""
        key = f"{title}-{uuid4().hex}"
        answer = await self.ask("POST", path, name, 201, json=body, key=key)
        self.told.setdefault("requests", {})[title] = {
            "path": path, "who": name, "key": key, "body": body, "answer": answer
        }  # fmt: skip
        return answer

    async def sign_in(self, name: str, **how: str) -> None:
        opened = await self.ask("POST", "/sessions", None, 201, json={"phone": PHONES[name], **how})
        self.who[name] = {"Authorization": f"Bearer {opened['token']}"}

    async def scan(self, name: str, code: str, **more: Any) -> Any:
        verdict = await self.ask("POST", "/checkins", name, json={"code": code, "nonce": uuid4().hex, **more})
        assert verdict["status"] == "ok", verdict
        return verdict


async def live(client: httpx.AsyncClient) -> dict[str, Any]:
    """Ten days of the community; what its people have in their hands at the end."""
    with clock.at(at(FIRST, 8)):
        place = await find_or_found_community("清江县", "梅林街道", "梅林社区")
        scope = system_scope(place)
        await create_admin(scope, "何晓梅", PHONES["何晓梅"], PASSWORD)
        street = await database_value("SELECT parent_id FROM region WHERE kind = 'community'")
        await create_admin(scope, "钱进", PHONES["钱进"], PASSWORD, role=Role.street_admin, region_id=street)
        here = Community(client, str(place.id))
        for name in ("何晓梅", "钱进"):
            await here.sign_in(name, password=PASSWORD)
        await set_up(here)
    await deeds(here)
    await hours(here)
    await shop_and_class(here)
    with clock.at(at(DAY, 12, 30)):
        here.told["balances"] = {
            name: await here.ask("GET", "/me/balances", name) for name in ("张桂兰", "刘洋", "王建国")
        }
        here.told["books"] = await here.ask("GET", "/ledger/check", "何晓梅")
        assert here.told["books"]["ok"], here.told["books"]
    here.told |= {"people": here.people, "phones": PHONES, "password": PASSWORD, "tokens": here.who, "secret": SECRET}
    return here.told


async def database_value(sql: str) -> Any:
    async with database.transaction(None):
        return await database.fetch_value(sql)


async def set_up(here: Community) -> None:
    """Places, people, roles, a station with its screen and tablet, rules, goods out of a workbook, a course."""
    admin, told = "何晓梅", here.told
    grid = await here.ask("POST", "/areas", admin, 201, json={"kind": "grid", "name": "第一网格"})
    building = await here.ask(
        "POST", "/areas", admin, 201, json={"kind": "building", "name": "3栋", "parent_id": grid["id"]}
    )
    units = [
        await here.ask("POST", "/areas", admin, 201, json={"kind": "unit", "name": name, "parent_id": building["id"]})
        for name in ("1单元", "2单元")
    ]
    rooms = {"张桂兰": (0, "101"), "周敏": (0, "202"), "王建国": (1, "201"), "刘洋": (1, "401"), "陈明": (1, "502"),
             "李秀英": (0, "302"), "刘小雨": (1, "401")}  # fmt: skip
    for name, (unit, room) in rooms.items():
        body = {
            "name": name, "born_on": BORN[name], "area_id": units[unit]["id"], "room": room, "phone": PHONES.get(name),
            "head_name": "刘洋" if name == "刘小雨" else name,
        }  # fmt: skip
        here.people[name] = (await here.ask("POST", "/people", admin, 201, json=body))["id"]
    for name in ("张桂兰", "周敏", "王建国", "刘洋", "陈明"):
        code = (await here.ask("POST", f"/people/{here.people[name]}/sign-in-code", admin, 201))["code"]
        await here.sign_in(name, otp=code)
        await here.ask("POST", "/me/password", name, 204, json={"password": PASSWORD})
        await here.sign_in(name, password=PASSWORD)
    guardian = {"guardian_id": here.people["刘洋"], "relation": "母亲", "consented": True}
    await here.ask("POST", f"/people/{here.people['刘小雨']}/guardians", admin, 201, json=guardian)
    station = await here.ask(
        "POST", "/stations", admin, 201,
        json={"name": "暖蜂驿站", "address": "梅林路 8 号", "opens_at": "06:00", "closes_at": "22:00"},
    )  # fmt: skip
    told["station"], told["unit"] = station["id"], units[0]["id"]
    for name, role, where in (
        ("周敏", "station_keeper", {"station_id": station["id"]}),
        ("王建国", "building_head", {"area_id": building["id"]}),
        ("陈明", "grid_worker", {"area_id": grid["id"]}),
    ):
        await here.ask("POST", "/roles", admin, 201, json={"person_id": here.people[name], "role": role, **where})
    for kind in ("display", "counter"):
        body = {"name": "门口", "kind": kind}
        made = await here.ask("POST", f"/stations/{station['id']}/devices", admin, 201, json=body)
        here.who[kind] = {"Authorization": f"Bearer {made['token']}"}
        told[kind] = {"token": made["token"], "url": made["url"]}
    told["card"] = (await here.ask("POST", f"/people/{here.people['李秀英']}/card", admin, 201))["url"]
    rule = {"kind": "deed", "name": "调解邻里纠纷", "points": 10, "unit": "每件", "code": "mediation"}
    await here.ask("POST", "/rules", admin, 201, json=rule)
    sheet = "物品,单位,所需积分,库存,兑换站点\n香皂,块,8,20,暖蜂驿站\n毛巾,条,15,5,暖蜂驿站\n".encode()
    report = await here.ask("POST", "/imports/goods", admin, files={"file": ("物品.csv", sheet)})
    assert report["accepted"] == 2, report
    goods = (await here.ask("GET", "/goods", admin))["items"]
    told["goods"] = {good["name"]: good["id"] for good in goods}
    course = {
        "title": "少儿书法", "age_min": 6, "age_max": 14, "points_per_hour": 20, "teacher": "林老师",
        "starts_on": str(FIRST), "ends_on": str(DAY + timedelta(days=60)), "station_id": station["id"],
    }  # fmt: skip
    told["course"] = (await here.ask("POST", "/courses", admin, 201, json=course))["id"]
    told["lessons"] = []
    for day in (DAY - timedelta(days=1), DAY + timedelta(days=3)):
        lesson = {"starts_at": at(day, 16, 30).isoformat(), "ends_at": at(day, 17, 30).isoformat(), "seats": 1}
        made = await here.ask("POST", f"/courses/{told['course']}/lessons", admin, 201, json=lesson)
        told["lessons"].append(made["id"])


async def deeds(here: Community) -> None:
    """One deed is credited after its notice, one hangs on the board, one waits for its review."""
    told = here.told["deeds"] = {}
    for title, day, reviewed in (
        ("credited", FIRST, True), ("noticed", DAY - timedelta(days=1), True), ("filed", DAY, False)
    ):  # fmt: skip
        with clock.at(at(day, 9)):
            body = {
                "person_id": here.people["王建国"], "rule_code": "mediation", "area_id": here.told["unit"],
                "occurred_on": str(day), "note": "劝和了楼上楼下的漏水纠纷", "witness_id": here.people["李秀英"],
            }  # fmt: skip
            told[title] = (await here.ask("POST", "/deeds", "王建国", 201, json=body))["id"]
            if reviewed:
                decision = {"decision": "approve", "note": "属实"}
                await here.ask("POST", f"/deeds/{told[title]}/review", "何晓梅", json=decision)
    with clock.at(at(DAY, 3)):
        await worker.run_all()
        await worker.run_all()
        assert (await here.ask("GET", f"/deeds/{told['credited']}", "王建国"))["status"] == "credited"


async def shown(here: Community) -> str:
    code: str = (await here.ask("GET", f"/stations/{here.told['station']}/code", "display"))["url"]
    return code


async def hours(here: Community) -> None:
    """Whole days by code, an hour by card at the counter, hours entered by hand, and a visit that is still open."""
    for name, day, came, left in (
        ("刘洋", FIRST + timedelta(days=1), 9, 15), ("刘洋", FIRST + timedelta(days=2), 9, 15),
        ("张桂兰", FIRST + timedelta(days=1), 8, 16),
    ):  # fmt: skip
        for hour in (came, left):
            with clock.at(at(day, hour)):
                await here.scan(name, await shown(here))
    for hour in (9, 10):
        with clock.at(at(DAY, hour, 10)):
            await here.scan("counter", here.told["card"])
    with clock.at(at(DAY, 9)):
        here.told["open_visit"] = (await here.scan("张桂兰", await shown(here)))["visit"]
    with clock.at(at(DAY, 10)):
        told = here.told["honour"] = {}
        for title, day in (("pending", DAY - timedelta(days=2)), ("noticed", DAY - timedelta(days=3))):
            body = {
                "person_id": here.people["张桂兰"], "started_at": at(day, 14).isoformat(),
                "ended_at": at(day, 16).isoformat(), "reason": "停电，在纸上签到", "station_id": here.told["station"],
            }  # fmt: skip
            told[title] = (await here.ask("POST", "/service-records", "陈明", 201, json=body))["id"]
        decision = {"decision": "approve", "note": "签到表上有签名"}
        await here.ask("POST", f"/service-records/{told['noticed']}/review", "何晓梅", json=decision)


async def shop_and_class(here: Community) -> None:
    """Soap collected and soap on hold, class time bought, a lesson attended and one booked, points given away."""
    guardian, child, told = here.people["刘洋"], here.people["刘小雨"], here.told
    soap = {"person_id": guardian, "good_id": told["goods"]["香皂"], "station_id": told["station"], "quantity": 2}
    with clock.at(at(FIRST + timedelta(days=3), 10)):
        taken = await here.ask("POST", "/redemptions", "刘洋", 201, json=soap)
        await here.ask("POST", f"/redemptions/{taken['id']}/collection", "周敏", json={"code": taken["code"]})
        bought = {"person_id": guardian, "child_id": child, "course_id": told["course"], "minutes": 150}
        await here.kept("class_hours", "/class-hours", "刘洋", bought)
        for title, lesson in zip(("attended", "booked"), told["lessons"], strict=True):
            told[title] = await here.ask(
                "POST", "/bookings", "刘洋", 201, json={"lesson_id": lesson, "child_id": child}
            )
    with clock.at(at(DAY - timedelta(days=1), 16, 35)):
        code = {"code": told["attended"]["code"]}
        await here.ask("POST", f"/bookings/{told['attended']['id']}/attendance", "周敏", json=code)
    with clock.at(at(DAY, 11)):
        told["held"] = await here.kept("redemption", "/redemptions", "刘洋", soap)
        await here.kept("donation", "/donations", "刘洋", {"person_id": guardian, "points": 5, "note": "给大家"})


@asynccontextmanager
async def service(url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings.use(Settings(database_url=url, secret_key=SECRET.encode(), base_url="http://meilin.example"))
    await migrate(url)
    await database.create_pool(url)
    transport = httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # ASGI, typed apart
    async with httpx.AsyncClient(transport=transport, base_url="http://meilin.example") as client:
        yield client
    await database.close_pool()


async def main(url: str, folder: Path, run: Callable[..., Any] = subprocess.run) -> None:
    async with service(url) as client:
        told = await live(client)
    asked = ["pg_dump", "--inserts", "--rows-per-insert=200", url]
    dumped = run(asked, capture_output=True, text=True, check=True).stdout
    (folder / "told.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "dump.sql.gz").write_bytes(gzip.compress(plain(dumped).encode(), mtime=0))


def plain(dump: str) -> str:
    r"""A dump without what only psql knows (`\restrict`, since PostgreSQL 15.14), so that any client can run it."""
    return re.sub(r"^\\.*\n", "", dump, flags=re.MULTILINE)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
