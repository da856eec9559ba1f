"""One community over HTTP: four imports, visits, deeds, goods, classes and a reversal; the ledger balances."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import zxingcpp
from PIL import Image

from tests.conftest import DatabaseClock
from tests.support.ledger_sums import problems_of
from tests.support.town import SPRING, Town
from timebank.core import clock, vault
from timebank.operations import worker


@dataclass
class Story:
    """Requests to one community, asserted to have the expected status."""

    client: httpx.AsyncClient
    community: str

    async def ask(self, method: str, path: str, who: dict[str, str], expected: int = 200, **more: Any) -> Any:
        headers = who | {"X-Community-Id": self.community} | more.pop("headers", {})
        if method == "POST":
            headers.setdefault("Idempotency-Key", uuid4().hex)
        answer = await self.client.request(method, f"/api/v1{path}", headers=headers, **more)
        assert answer.status_code == expected, (method, path, answer.status_code, answer.text[:2000])
        return (
            answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer.content
        )

    async def scan(self, who: dict[str, str], code: str, **more: Any) -> Any:
        body = {"code": code, "nonce": uuid4().hex, **more}
        verdict = await self.ask("POST", "/checkins", who, json=body)
        assert verdict["status"] == "ok", verdict
        return verdict

    async def first_sign_in(self, admin: dict[str, str], person_id: str, phone: str) -> dict[str, str]:
        """The resident signs in with a code from staff, sets a password and signs in with it. Returns the headers."""
        told = await self.ask("POST", f"/people/{person_id}/sign-in-code", admin, 201)
        opened = await self.ask("POST", "/sessions", {}, 201, json={"phone": phone, "otp": told["code"]})
        who = {"Authorization": f"Bearer {opened['token']}"}
        password = password_of(phone)
        await self.ask("POST", "/me/password", who, 204, json={"password": password})
        opened = await self.ask("POST", "/sessions", {}, 201, json={"phone": phone, "password": password})
        return {"Authorization": f"Bearer {opened['token']}"}


def password_of(phone: str) -> str:
    """The password that the resident with this phone sets."""
    return f"清江-{phone[-4:]}-2026"


async def import_all(story: Story, admin: dict[str, str], chengjiang: Path, stations: dict[str, str]) -> None:
    facts = json.loads((chengjiang / "facts.json").read_text())
    for item in facts["deeds"]["catalogue"]:
        rule = {"kind": "deed", "name": item["item"], "points": item["points"], "unit": item["unit"]}
        await story.ask("POST", "/rules", admin, 201, json=rule)
    accepted = {}
    for kind, file in (("residents", "roster"), ("hours", "hours"), ("deeds", "deeds"), ("goods", "goods")):
        content = (chengjiang / f"{file}.xlsx").read_bytes()
        form: dict[str, Any] = {"files": {"file": (f"{file}.xlsx", content)}, "data": {"skip_bad": "true"}}
        tried = await story.ask("POST", f"/imports/{kind}?dry_run=true", admin, **form)
        report = await story.ask("POST", f"/imports/{kind}", admin, **form)
        assert (tried["accepted"], tried["errors"]) == (report["accepted"], report["errors"])
        accepted[kind] = report["accepted"]
    # A row with a wrong phone and a right identity number is imported without the phone.
    without_phone = sum(bad["error"] == "phone length" for bad in facts["roster"]["bad_rows"])
    assert accepted["residents"] == facts["roster"]["valid_rows"] + without_phone
    assert accepted["deeds"] == facts["deeds"]["clean_rows"]
    assert accepted["goods"] == 14


async def test_one_community_runs_on_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, chengjiang: Path, tmp_path: Path,
    database_clock: DatabaseClock,
) -> None:  # fmt: skip
    story = Story(client, str(town.communities[SPRING]))
    admin, street_admin = await town.sign_in("何静"), await town.sign_in("钱进")
    today = clock.at_local(clock.local_day(), datetime.min.time()) + timedelta(hours=9)
    await database_clock.show(today)

    with clock.at(today):
        stations = await open_stations(story, admin)
        await import_all(story, admin, chengjiang, stations)
        display = await device(story, admin, stations["米邻驿站"], "display")
        counter = await device(story, admin, stations["米邻驿站"], "counter")
        people = Residents(owner, story.community)

        await an_imported_hour_is_approved_by_another(story, admin, street_admin)

        keeper_id, keeper_phone = await people.with_phone("1栋")
        keeper = await story.first_sign_in(admin, keeper_id, keeper_phone)
        role = {"person_id": keeper_id, "role": "station_keeper", "station_id": stations["米邻驿站"]}
        await story.ask("POST", "/roles", admin, 201, json=role)
        signs_on = {"phone": keeper_phone, "password": password_of(keeper_phone)}
        await story.ask("POST", "/counter/sign-on", counter, 201, json=signs_on)

        guardian_id, child_id, guardian_phone = await people.guardian()
        guardian = await story.first_sign_in(admin, guardian_id, guardian_phone)
        (named,) = [
            g for g in await story.ask("GET", f"/people/{child_id}/guardians", admin) if g["guardian_id"] == guardian_id
        ]
        await story.ask("POST", f"/guardianships/{named['id']}/consent", admin)

        elder_id = await people.without_phone()
        card = await story.ask("POST", f"/people/{elder_id}/card", admin, 201)
        picture = tmp_path / "card.png"
        picture.write_bytes(await story.ask("GET", f"/people/{elder_id}/card.png", admin))
        (printed,) = zxingcpp.read_barcodes(Image.open(picture))
        assert printed.text == card["url"]

    async def shown() -> str:
        code: str = (await story.ask("GET", f"/stations/{stations['米邻驿站']}/code", display))["url"]
        return code

    await a_volunteer_and_a_card_holder_serve(story, guardian, counter, shown, printed.text, today)
    await a_deed_passes_its_notice(story, admin, street_admin, people, today)
    with clock.at(today + timedelta(days=9)):
        await a_resident_reserves_and_collects(story, guardian, guardian_id, keeper, stations)
        await a_child_goes_to_class(story, admin, guardian, guardian_id, child_id, keeper, stations)
        check = await story.ask("GET", "/ledger/check", admin)
    assert (check["ok"], check["problems"]) == (True, [])
    points = check["currencies"]["point"]
    assert points["issued"] == sum(
        points[place]
        for place in ("outstanding", "held", "redeemed", "expired", "donated", "converted", "adjusted", "clearing")
    )
    assert await problems_of(owner) == []


async def open_stations(story: Story, admin: dict[str, str]) -> dict[str, str]:
    found = {}
    for name in ("米邻驿站", "慈善超市"):
        body = {"name": name, "address": "清江路 8 号", "opens_at": "06:00", "closes_at": "22:00"}
        found[name] = (await story.ask("POST", "/stations", admin, 201, json=body))["id"]
    return found


async def device(story: Story, admin: dict[str, str], station: str, kind: str) -> dict[str, str]:
    body = {"name": "门口", "kind": kind}
    told = await story.ask("POST", f"/stations/{station}/devices", admin, 201, json=body)
    return {"Authorization": f"Bearer {told['token']}"}


async def an_imported_hour_is_approved_by_another(
    story: Story, importer: dict[str, str], reviewer: dict[str, str]
) -> None:
    pending = await story.ask("GET", "/service-records?status=pending&limit=1", importer)
    record = pending["items"][0]
    assert (record["kind"], record["credited_points"]) == ("honour", None)
    decision = {"decision": "approve", "note": "签到表上有签名"}
    await story.ask("POST", f"/service-records/{record['id']}/review", importer, 403, json=decision)
    await story.ask("POST", f"/service-records/{record['id']}/review", reviewer, json=decision)


async def a_volunteer_and_a_card_holder_serve(
    story: Story,
    volunteer: dict[str, str],
    counter: dict[str, str],
    shown: Callable[[], Awaitable[str]],
    card: str,
    today: datetime,
) -> None:
    with clock.at(today + timedelta(minutes=5)):
        assert (await story.scan(volunteer, await shown()))["direction"] == "in"
        assert (await story.scan(counter, card))["direction"] == "in"
    with clock.at(today + timedelta(minutes=5 + 135)):
        out = await story.scan(volunteer, await shown())
        assert out["credited"] == {"minutes": 135, "points": 22, "minutes_left": 3}
        out = await story.scan(counter, card)
        assert (out["credited"]["points"], out["person"]["name"][0] != "*") == (22, True)
    statement = await story.ask("GET", "/me/statement?currency=point", volunteer)
    assert statement["items"][0]["amount"] == 22
    assert "2 小时 15 分" in statement["items"][0]["why"]
    assert "米邻驿站" in statement["items"][0]["why"]
    # A second, longer visit, to have enough points for soap and a class.
    with clock.at(today + timedelta(days=1)):
        await story.scan(volunteer, await shown())
    with clock.at(today + timedelta(days=1, hours=7)):
        assert (await story.scan(volunteer, await shown()))["credited"]["points"] == 70


async def a_deed_passes_its_notice(
    story: Story, admin: dict[str, str], reviewer: dict[str, str], people: "Residents", today: datetime
) -> None:
    with clock.at(today):
        head_id, head_phone, area_id = await people.head()
        witness_id, _ = await people.with_phone("12栋")
        head = await story.first_sign_in(admin, head_id, head_phone)
        rule = next(r for r in (await story.ask("GET", "/rules", head))["items"] if r["name"] == "调解邻里纠纷")
        body = {
            "person_id": head_id, "rule_code": rule["code"], "area_id": area_id, "witness_id": witness_id,
            "occurred_on": clock.local_day().isoformat(), "note": "劝和了楼上楼下的漏水纠纷",
        }  # fmt: skip
        deed = await story.ask("POST", "/deeds", head, 201, json=body)
        asked = {"decision": "approve", "note": "属实", "witness_asked": True}
        await story.ask("POST", f"/deeds/{deed['id']}/review", reviewer, json=asked)
        board = await story.ask("GET", f"/board?community_id={story.community}", {})
        assert any(notice["id"] == deed["id"] for notice in board["items"])
    with clock.at(today + timedelta(days=6)):
        await worker.run_all()
        assert (await story.ask("GET", f"/deeds/{deed['id']}", head))["status"] == "noticed"
    with clock.at(today + timedelta(days=8)):
        await worker.run_all()
        await worker.run_all()
        assert (await story.ask("GET", f"/deeds/{deed['id']}", head))["status"] == "credited"
        balance = await story.ask("GET", "/me/balances", head)
        assert balance["points"]["available"] == 10
        reason = {"reason": "查明是同一件事，重复申报"}
        await story.ask("POST", f"/deeds/{deed['id']}/reversal", reviewer, 200, json=reason)
        assert (await story.ask("GET", "/me/balances", head))["points"]["available"] == 0
        assert any("重复申报" in m["text"] for m in (await story.ask("GET", "/me/messages", head))["items"])


async def a_resident_reserves_and_collects(
    story: Story, resident: dict[str, str], resident_id: str, keeper: dict[str, str], stations: dict[str, str]
) -> None:
    goods = (await story.ask("GET", f"/goods?station_id={stations['米邻驿站']}", resident))["items"]
    towel = next(g for g in goods if g["name"] == "牙膏")
    body = {"person_id": resident_id, "good_id": towel["id"], "station_id": stations["米邻驿站"], "quantity": 2}
    key = {"Idempotency-Key": "the-answer-was-lost-on-the-way"}
    reserved = await story.ask("POST", "/redemptions", resident, 201, json=body, headers=key)
    assert await story.ask("POST", "/redemptions", resident, 201, json=body, headers=key) == reserved
    assert (reserved["status"], reserved["points"]) == ("reserved", 24)
    assert (await story.ask("GET", "/me/balances", resident))["points"]["held"] == 24
    collection = f"/redemptions/{reserved['id']}/collection"
    done = await story.ask("POST", collection, keeper, 200, json={"code": reserved["code"]})
    assert done["status"] == "collected"
    balance = (await story.ask("GET", "/me/balances", resident))["points"]
    assert (balance["available"], balance["held"]) == (92 - 24, 0)


async def a_child_goes_to_class(
    story: Story,
    admin: dict[str, str],
    guardian: dict[str, str],
    guardian_id: str,
    child_id: str,
    keeper: dict[str, str],
    stations: dict[str, str],
) -> None:
    now = clock.now()
    course = await story.ask(
        "POST", "/courses", admin, 201,
        json={
            "title": "少儿书法", "age_min": 0, "age_max": 17, "points_per_hour": 20, "teacher": "林老师",
            "starts_on": clock.local_day().isoformat(), "station_id": stations["米邻驿站"],
            "ends_on": (clock.local_day() + timedelta(days=60)).isoformat(),
        },
    )  # fmt: skip
    starts_at = now + timedelta(days=3)
    lesson = await story.ask(
        "POST", f"/courses/{course['id']}/lessons", admin, 201,
        json={"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat(), "seats": 1},
    )  # fmt: skip
    purchase = {"person_id": guardian_id, "child_id": child_id, "course_id": course["id"], "minutes": 60}
    bought = await story.ask("POST", "/class-hours", guardian, 201, json=purchase)
    assert (bought["points"], bought["available"]) == (20, 60)
    booked = await story.ask("POST", "/bookings", guardian, 201, json={"lesson_id": lesson["id"], "child_id": child_id})
    assert booked["status"] == "held"
    with clock.at(starts_at + timedelta(minutes=2)):
        attended = await story.ask(
            "POST", f"/bookings/{booked['id']}/attendance", keeper, 200, json={"code": booked["code"]}
        )
        assert attended["status"] == "attended"
        state = await story.ask("GET", "/me/balances", guardian)
    assert state["class_minutes"] == []
    assert state["points"]["available"] == 92 - 24 - 20


@dataclass
class Residents:
    """Finds imported residents by their properties."""

    owner: asyncpg.Connection
    community: str

    async def with_phone(self, building: str) -> tuple[str, str]:
        """The id and phone of an adult of this building who has no role grant."""
        row = await self.owner.fetchrow(
            "SELECT p.id, p.phone_sealed FROM person p JOIN household h ON h.community_id = p.community_id AND "
            "h.id = p.household_id JOIN area u ON u.community_id = h.community_id AND u.id = h.area_id "
            "JOIN area b ON b.community_id = u.community_id AND b.id = u.parent_id "
            "WHERE p.community_id = $1 AND b.name = $2 AND p.phone_sealed IS NOT NULL AND p.born_on < '1990-01-01' "
            "AND NOT EXISTS (SELECT FROM role_grant g WHERE g.person_id = p.id) ORDER BY p.pinyin LIMIT 1",
            self.community, building,
        )  # fmt: skip
        assert row is not None
        return str(row["id"]), vault.unseal(row["phone_sealed"], "phone")

    async def without_phone(self) -> str:
        """The id of the oldest resident without a phone."""
        return str(
            await self.owner.fetchval(
                "SELECT id FROM person WHERE community_id = $1 AND phone_sealed IS NULL ORDER BY born_on LIMIT 1",
                self.community,
            )
        )

    async def head(self) -> tuple[str, str, str]:
        """The id, phone and building of a building head."""
        row = await self.owner.fetchrow(
            "SELECT p.id, p.phone_sealed, g.area_id FROM role_grant g JOIN person p ON p.community_id = g.community_id "
            "AND p.id = g.person_id WHERE g.community_id = $1 AND g.role = 'building_head' ORDER BY p.pinyin LIMIT 1",
            self.community,
        )
        assert row is not None
        return str(row["id"]), vault.unseal(row["phone_sealed"], "phone"), str(row["area_id"])

    async def guardian(self) -> tuple[str, str, str]:
        """The ids of a guardian from the roster and of the child, and the guardian's phone."""
        row = await self.owner.fetchrow(
            "SELECT g.guardian_id, g.child_id, p.phone_sealed FROM guardianship g JOIN person p ON p.community_id = "
            "g.community_id AND p.id = g.guardian_id WHERE g.community_id = $1 AND p.phone_sealed IS NOT NULL "
            "AND NOT EXISTS (SELECT FROM role_grant r WHERE r.person_id = p.id) ORDER BY p.pinyin, g.child_id LIMIT 1",
            self.community,
        )
        assert row is not None
        return str(row["guardian_id"]), str(row["child_id"]), vault.unseal(row["phone_sealed"], "phone")
