"""An import replaces no second person: for the importer's own household it credits and grants nothing."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx

from tests.agreements.test_two_people import call
from tests.imports.kinds.test_imports import DEEDS, HOURS, ROSTER, resident, table
from tests.imports.test_api import Desk
from tests.support.shop import API, key, points_of
from tests.support.town import Town
from timebank.core import clock

HOME = {"building": "5栋", "unit": "2单元", "room": "301", "head": "赵丽"}
SPOUSE = resident("宋平", phone="19900008301", relation="配偶", note="楼栋长，网格员", **HOME)
NEIGHBOUR = resident("林大山", phone="19900008302", head="林大山", relation="户主", note="楼栋长")


def child(name: str, **home: str) -> list[str]:
    born = clock.local_day() - timedelta(days=9 * 365)
    return resident(name, born=born.isoformat(), relation="子", **home)


async def person(owner: asyncpg.Connection, town: Town, name: str) -> UUID:
    found: UUID = await owner.fetchval("SELECT id FROM person WHERE name = $1", name)
    town.people[name], town.home[name] = found, town.community
    return found


async def offices(owner: asyncpg.Connection, who: UUID) -> list[str]:
    found = await owner.fetch("SELECT role FROM role_grant WHERE person_id = $1 ORDER BY role", who)
    return [row["role"] for row in found]


async def test_a_roster_gives_the_importers_household_no_office_and_no_child(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """赵丽 imports her husband as building head, and a stranger's child in her own household."""
    desk = Desk(client, await town.sign_in("赵丽"))
    roster = table(
        ROSTER, SPOUSE, child("林小天", **HOME), NEIGHBOUR, child("林小海", head="林大山"),
    )  # fmt: skip
    tried = await desk.told("residents", roster, dry_run="true")
    report = await desk.told("residents", roster)
    assert (report["accepted"], report["created"], report["errors"]) == (4, 4, [])
    for told in (tried, report):
        assert [(each["row"], each["code"]) for each in told["warnings"]] == [(2, "own_role"), (3, "own_guardian")]
    assert all("另一位管理员" in each["problem"] for each in report["warnings"])
    assert "楼栋长 1 位、单元长 0 位、网格员 0 位" in "".join(report["notes"])

    spouse, stray = await person(owner, town, "宋平"), await person(owner, town, "林小天")
    assert await offices(owner, spouse) == []
    assert await offices(owner, await person(owner, town, "林大山")) == ["building_head"]
    assert await owner.fetchval("SELECT count(*) FROM guardianship WHERE child_id = $1", stray) == 0
    named = await owner.fetch("SELECT guardian_id FROM guardianship WHERE child_id = $1",
                              await person(owner, town, "林小海"))  # fmt: skip
    assert [row["guardian_id"] for row in named] == [town.people["林大山"]]

    await town.give_points("赵丽", 50)
    hours = {
        "person_id": str(town.people["赵丽"]),
        "child_id": str(stray),
        "course_id": str(town.course),
        "minutes": 60,
    }
    bought = await client.post(f"{API}/class-hours", json=hours, headers=await town.sign_in("赵丽") | key())
    assert (bought.status_code, bought.json()["code"]) == (422, "guardian_consent_missing")
    assert await points_of(town, "赵丽") == (50, 0)


async def test_what_the_roster_left_out_waits_for_another_administrator(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The guardian is proposed and the street administrator agrees; the street administrator grants the role."""
    admin, street = await town.sign_in("赵丽"), await town.sign_in("钱进")
    await Desk(client, admin).told("residents", table(ROSTER, SPOUSE, child("宋小天", **HOME)))
    spouse, own = await person(owner, town, "宋平"), await person(owner, town, "宋小天")
    named = {"guardian_id": str(spouse), "relation": "父亲", "consented": True}
    waits = await call(client, "POST", f"/people/{own}/guardians", admin, named, 202)
    assert await owner.fetchval("SELECT count(*) FROM guardianship WHERE child_id = $1", own) == 0
    await call(client, "POST", f"/agreements/{waits['waiting']}/decision", street, {"decision": "agree"})
    assert await owner.fetchval("SELECT count(*) FROM guardianship WHERE child_id = $1", own) == 1
    office = {"person_id": str(spouse), "role": "grid_worker", "area_id": str(town.areas["凤凰社区/第一网格"])}
    await call(client, "POST", "/roles", admin, office, 403)
    await call(client, "POST", "/roles", street, office, 201)


async def test_the_streets_import_names_the_heads_and_parents_of_an_administrators_household(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers = await town.sign_in("吴昊") | {"X-Community-Id": str(town.community)}
    report = await Desk(client, headers).told("residents", table(ROSTER, SPOUSE, child("宋小天", **HOME)))
    assert report["warnings"] == []
    assert await offices(owner, await person(owner, town, "宋平")) == ["building_head", "grid_worker"]


async def test_hours_and_deeds_of_a_workbook_are_not_approved_by_who_imported_them(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Neither the importer's own, a household member's nor a neighbour's; no balance changes."""
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["赵丽"], town.people["陈明"]
    )
    admin = await town.sign_in("赵丽")
    desk, day = Desk(client, admin), clock.local_day() - timedelta(days=1)
    rows = [[day, "站点值守", "", name, "", "09:00", "11:00"] for name in ("赵丽", "陈明", "王建国")]
    assert (await desk.told("hours", table(HOURS, *rows)))["created"] == 3
    deeds = [[day, name, "5栋2单元", "调解邻里纠纷", 10, "", ""] for name in ("赵丽", "陈明", "王建国")]
    assert (await desk.told("deeds", table(DEEDS, *deeds)))["created"] == 3
    for noun, table_name, own in (("service-records", "service_record", "own_record"),
                                  ("deeds", "deed", "party_to_deed")):  # fmt: skip
        for row in await owner.fetch(f"SELECT id FROM {table_name}"):  # the table name is one of the two above
            answer = await client.post(f"{API}/{noun}/{row['id']}/review", json={"decision": "approve"}, headers=admin)
            assert (answer.status_code, answer.json()["code"]) == (403, own)
    for name in ("赵丽", "陈明", "王建国"):
        assert await points_of(town, name) == (0, 0)
