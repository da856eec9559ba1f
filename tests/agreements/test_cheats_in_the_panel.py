"""Cheats by an administrator, alone or with a second login: each is refused or waits for a second person."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.agreements.test_two_people import UNIT, big_deed, call, hours_of, puppet
from tests.support.presence import later, nine_o_clock, nonce, record_id_of
from tests.support.shop import API, browser, key, points_of, reserve
from tests.support.town import PHOENIX, Town
from timebank.core import clock
from timebank.policies.values import policies
from timebank.presence.scanning import scan_by_hand
from timebank.presence.schemas import ScanIn

CAPPED = {"kind": "deed", "name": "楼道卫生巡查", "code": "patrol", "points": 2, "cap_period": "week",
          "cap_per_person": 1, "cap_per_area": 5}  # fmt: skip
UNCAPPED = {"kind": "deed", "name": "楼道卫生巡查", "code": "patrol", "points": 2}


async def test_a_cap_is_not_lifted_by_ending_the_rule_first(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("张桂兰", 10)
    admin = await town.sign_in("赵丽")
    await call(client, "POST", "/rules", admin, UNCAPPED | {"active": False}, 201)
    await call(client, "POST", "/rules", admin, UNCAPPED, 202)
    await call(client, "POST", "/rules", admin, CAPPED, 201)


async def test_what_was_agreed_for_later_is_not_put_in_force_now(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("张桂兰", 10)
    admin = await town.sign_in("赵丽")
    festival = UNCAPPED | {"valid_from": (clock.now() + timedelta(days=60)).isoformat()}
    waits = await call(client, "POST", "/rules", admin, festival, 202)
    await call(client, "POST", f"/agreements/{waits['waiting']}/decision", await town.sign_in("钱进"),
               {"decision": "agree"})  # fmt: skip
    await call(client, "POST", "/rules", admin, UNCAPPED, 202)


async def test_a_visit_that_ones_second_login_scanned_is_not_approved_by_the_first(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await puppet(client, town, "赵丽", "木偶", "19900007001")
    keeper = {
        "person_id": str(town.people["木偶"]), "role": "station_keeper", "station_id": str(town.stations["暖蜂驿站"]),
        "starts_on": str(clock.local_day() - timedelta(days=1)),
    }  # fmt: skip
    await call(client, "POST", "/roles", await town.sign_in("赵丽"), keeper, 201)
    invented = await call(client, "POST", "/people", await town.sign_in("赵丽"),
                          {"name": "查无此人", "area_id": str(town.areas[UNIT]), "room": "990"}, 201)  # fmt: skip
    town.people["查无此人"], town.home["查无此人"] = UUID(str(invented["id"])), town.community
    login = await owner.fetchval("SELECT login_id FROM membership WHERE person_id = $1", town.people["木偶"])
    town.logins["木偶"], town.home["木偶"] = login, town.community
    for minutes in (0, 300):
        with later(nine_o_clock(), minutes):
            await scan_by_hand(
                await town.scope("木偶"), town.people["查无此人"],
                ScanIn(code="hand", nonce=nonce(), station_id=town.stations["暖蜂驿站"]),
            )  # fmt: skip
    record = await record_id_of(owner, town, "查无此人")
    answer = await client.post(
        f"{API}/service-records/{record}/review", headers=await town.sign_in("赵丽"), json={"decision": "approve"}
    )
    assert (answer.status_code, answer.json().get("code")) == (403, "own_record")
    assert await points_of(town, "查无此人") == (0, 0)


@pytest.mark.parametrize("name", ["孙伟", "钱进", "吴昊"])
async def test_whoever_watches_is_not_made_a_child(town: Town, client: httpx.AsyncClient, name: str) -> None:
    watcher, admin = await town.sign_in(name), await town.sign_in("赵丽")
    body = {"born_on": str(clock.local_day() - timedelta(days=3000))}
    answer = await client.patch(f"{API}/people/{town.people[name]}", headers=admin, json=body)
    assert answer.status_code in (202, 403), answer.text
    assert (await client.get(f"{API}/agreements", headers=watcher)).status_code == 200


async def test_nobody_chooses_who_watches_them_by_saying_where_they_live(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Moving people into one's own household waits; a guardian of a child who lives there still decides."""
    await town.credit_deed("张桂兰", 10)
    admin = await town.sign_in("赵丽")
    own_door = {"area_id": str(town.areas[UNIT]), "room": "301", "head_name": "赵丽"}
    for name in ("钱进", "吴昊", "孙伟", "张国庆"):
        waits = await call(client, "PATCH", f"/people/{town.people[name]}", admin, own_door, 202)
        assert waits["who"], name
    elsewhere = {"room": "101", "head_name": "陈明", "area_id": str(town.areas[f"{PHOENIX}/第一网格/5栋/1单元"])}
    await call(client, "PATCH", f"/people/{town.people['王建国']}", admin, elsewhere, 200)
    refused = await client.patch(f"{API}/people/{town.people['孙伟']}", headers=admin, json=elsewhere)
    assert refused.json()["code"] == "change_already_waiting"
    await owner.execute(
        "UPDATE person SET household_id = $2 WHERE id = $1", town.people["刘小雨"], town.households["赵丽"]
    )
    guardian = {"guardian_id": str(town.people["钱进"]), "relation": "叔叔", "consented": True}
    await call(client, "POST", f"/people/{town.people['刘小雨']}/guardians", admin, guardian, 201)
    loosened = await call(client, "PUT", "/policies/notice_days", admin, {"value": 0}, 202)
    assert loosened["who"] == ["街道管理员钱进（城关街道）", "县管理员吴昊（清江县）"]


async def test_whoever_decides_about_a_correction_reads_what_it_makes_of_each_field(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The list of waiting changes gives each new value in words; the stored change does not hold it as plain text."""
    admin, street = await town.sign_in("赵丽"), await town.sign_in("钱进")
    blocked = {"status": "blocked", "reason": "更正"}
    await call(client, "PATCH", f"/people/{town.people['孙伟']}", admin, blocked, 202)
    move = {"room": "808", "head_name": "赵丽丽", "area_id": str(town.areas[UNIT]), "phone": "19900007777"}
    await call(client, "PATCH", f"/people/{town.people['赵丽']}", admin, move, 202)
    told = [each["text"] for each in (await client.get(f"{API}/agreements", headers=street)).json()["items"]]
    assert told == [
        "更改赵丽的登记：手机号改成“199****7777”、楼栋单元改成“5栋2单元”、房号改成“808”、户主姓名改成“赵丽丽”",
        "更改孙伟的登记：状态改成“已停用”",
    ]
    assert "赵丽丽" not in await owner.fetchval("SELECT string_agg(change::text, '') FROM waiting_change")
    await client.get("/admin/agreements", headers=street)


async def test_many_points_that_were_taken_back_are_given_again_by_the_street_alone(
    town: Town, client: httpx.AsyncClient
) -> None:
    deed = await town.credit_deed("张桂兰", 10_000)
    street, admin = await town.sign_in("钱进"), await town.sign_in("赵丽")
    await call(client, "POST", f"/deeds/{deed}/reversal", street | key(), {"reason": "编造的"})
    objection = await call(client, "POST", f"/deeds/{deed}/objections", await town.sign_in("张桂兰"),
                           {"reason": "是真的"}, 201)  # fmt: skip
    decided = {"upheld": True, "note": "是真的"}
    answer = await client.post(f"{API}/objections/{objection['id']}/decision", headers=admin, json=decided)
    assert answer.status_code in (202, 403), answer.text
    assert await points_of(town, "张桂兰") == (0, 0)


async def test_nobody_buys_at_a_price_that_they_have_set_until_another_has_seen_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    """Whoever lowered a price to one point may not buy at it until an independent person has seen it."""
    for name in ("赵丽", "张桂兰"):
        await town.credit_deed(name, 10)
    oil, admin = f"{API}/goods/{town.goods['食用油 5L']}", await town.sign_in("赵丽")
    assert (await client.patch(oil, headers=admin, json={"points": 1})).status_code == 200
    refused = await reserve(client, town, "赵丽", "食用油 5L")
    assert (refused.status_code, refused.json()["code"]) == (403, "own_terms")
    assert "街道管理员钱进（城关街道）" in refused.json()["detail"]
    assert (await reserve(client, town, "张桂兰", "食用油 5L")).status_code == 201, "for everybody else it is the price"
    assert await points_of(town, "赵丽") == (10, 0)
    street, street_api = await browser(client, town, "钱进"), await town.sign_in("钱进")
    assert "物品“食用油 5L”由一个人定为 1 分，每户每月限换：1" in await street.see("/admin/agreements")
    await call(client, "PATCH", f"/goods/{town.goods['食用油 5L']}", street_api, {"unit": "瓶"})
    assert (await reserve(client, town, "赵丽", "食用油 5L")).json()["code"] == "own_terms", "whoever touches it since"
    county = await browser(client, town, "吴昊")
    await county.send("/admin/agreements/seen")
    assert (await reserve(client, town, "赵丽", "食用油 5L")).status_code == 201


@pytest.mark.parametrize("change", [{"name": "大米 10kg"}, {"unit": "箱"}, {"monthly_limit": None}, {"points": 7}])
async def test_a_good_is_cheaper_too_by_another_name_or_without_its_limit(
    town: Town, client: httpx.AsyncClient, change: dict[str, object]
) -> None:
    await town.credit_deed("赵丽", 10)
    soap, admin = f"{API}/goods/{town.goods['香皂']}", await town.sign_in("赵丽")
    assert (await client.patch(soap, headers=admin, json={"points": 8})).status_code == 200
    answer = await reserve(client, town, "赵丽", "香皂")
    assert answer.status_code == 201, "nothing has become cheaper"
    assert (await client.patch(soap, headers=admin, json=change)).status_code == 200
    assert (await reserve(client, town, "赵丽", "香皂")).json()["code"] == "own_terms"


async def test_a_guardian_buys_no_class_time_at_a_price_that_they_have_set(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40)
    await with_office(owner, town, "刘洋")
    parent = await town.sign_in("刘洋")
    course = f"{API}/courses/{town.course}"
    assert (await client.patch(course, headers=parent, json={"points_per_hour": 1})).status_code == 200
    wanted = {
        "person_id": str(town.people["刘洋"]), "child_id": str(town.people["刘小雨"]), "course_id": str(town.course),
        "minutes": 60,
    }  # fmt: skip
    refused = await client.post(f"{API}/class-hours", headers=parent | key(), json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (403, "own_terms")
    [seen] = (await client.get(f"{API}/agreements", headers=await town.sign_in("赵丽"))).json()["items"]
    assert (seen["text"], seen["may_decide"]) == ("课程《少儿书法》由一个人定为每 60 分钟 1 分", True)
    decision = f"/agreements/{seen['id']}/decision"
    await call(client, "POST", decision, parent, {"decision": "agree"}, 403)
    await call(client, "POST", decision, await town.sign_in("赵丽"), {"decision": "agree"})
    assert (await client.post(f"{API}/class-hours", headers=parent | key(), json=wanted)).status_code == 201


async def test_a_lesson_that_uses_up_one_minute_is_not_booked_by_whoever_planned_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40)
    await with_office(owner, town, "刘洋")
    parent, child = await town.sign_in("刘洋"), str(town.people["刘小雨"])
    bought = {"person_id": str(town.people["刘洋"]), "child_id": child, "course_id": str(town.course), "minutes": 60}
    assert (await client.post(f"{API}/class-hours", headers=parent | key(), json=bought)).status_code == 201
    begin = clock.now() + timedelta(days=3)
    planned = {
        "starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat(), "minutes": 1, "seats": 3
    }  # fmt: skip
    lessons = [await call(client, "POST", f"/courses/{town.course}/lessons", parent, planned, 201)]
    honest = planned | {"minutes": 60, "starts_at": (begin + timedelta(hours=2)).isoformat(),
                        "ends_at": (begin + timedelta(hours=3)).isoformat()}  # fmt: skip
    lessons.append(await call(client, "POST", f"/courses/{town.course}/lessons", parent, honest, 201))
    await call(client, "PATCH", f"/lessons/{lessons[1]['id']}", parent, {"minutes": 2})
    for lesson in lessons:
        booking = {"lesson_id": lesson["id"], "child_id": child}
        refused = await client.post(f"{API}/bookings", headers=parent | key(), json=booking)
        assert (refused.status_code, refused.json()["code"]) == (403, "own_terms")
    panel = await browser(client, town, "赵丽")
    assert "一节上 60 分钟，由一个人定为只用 1 分钟课时" in await panel.see("/admin/agreements")
    await panel.send("/admin/agreements/seen")
    booking = {"lesson_id": lessons[0]["id"], "child_id": child}
    assert (await client.post(f"{API}/bookings", headers=parent | key(), json=booking)).status_code == 201


async def test_a_deed_in_two_halves_waits_as_the_whole_would(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("张桂兰", 10)
    rule = {"kind": "deed", "name": "抢险", "code": "rescue", "points": 150}
    waits = await call(client, "POST", "/rules", await town.sign_in("赵丽"), rule, 202)
    agree = {"decision": "agree"}
    await call(client, "POST", f"/agreements/{waits['waiting']}/decision", await town.sign_in("钱进"), agree)
    worker = await town.sign_in("陈明")
    for day, status in ((0, 200), (0, 202), (1, 200)):
        deed = await big_deed(
            client, town, "赵丽", rule_code="rescue", points=None, points_reason=None,
            person_id=str(town.people["刘洋"]), occurred_on=str(clock.local_day() - timedelta(days=day)),
        )  # fmt: skip
        await call(client, "POST", f"/deeds/{deed}/review", worker, {"decision": "approve"}, status)


async def test_whom_the_proposer_has_appointed_meanwhile_does_not_decide(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 10)
    county = await town.sign_in("吴昊")
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role IN ('auditor', 'street_admin')")
    waits = await call(client, "PUT", "/policies/notice_days", county, {"value": 0}, 202)
    for role, region in (("auditor", town.community), ("street_admin", town.street)):
        office = {"person_id": str(town.people["王建国"]), "role": role, "region_id": str(region)}
        await call(client, "POST", "/roles", county, office, 201)
        friend = await town.sign_in("王建国")
        refused = await client.post(
            f"{API}/agreements/{waits['waiting']}/decision", headers=friend, json={"decision": "agree"}
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "others_decide"), role
        assert "timebank confirm" in refused.json()["detail"]
    assert (await policies(town.system())).notice_days == 7


async def test_an_auditor_does_not_decide_for_whoever_appointed_them(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The street administrator appoints an auditor and then proposes a change, which only the operator may decide."""
    await town.credit_deed("张桂兰", 10)
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role IN ('auditor', 'county_admin')")
    street = await town.sign_in("钱进")
    office = {"person_id": str(town.people["王建国"]), "role": "auditor", "region_id": str(town.community)}
    await call(client, "POST", "/roles", street, office, 201)
    waits = await call(client, "PUT", "/policies/notice_days", street, {"value": 0}, 202)
    assert waits["who"] == ["系统管理员（在服务器上运行 timebank confirm）"]
    own = await call(client, "PUT", "/policies/hold_days", await town.sign_in("赵丽"), {"value": 30}, 202)
    assert own["who"] == ["街道管理员钱进（城关街道）"], "for the others the street decides as before"


async def test_a_guardian_does_not_decide_for_the_child_who_lives_elsewhere(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """刘小雨 lives in 李秀英's household; her mother 刘洋 administers first the community, then the street."""
    await owner.execute(
        "UPDATE person SET household_id = $2 WHERE id = $1", town.people["刘小雨"], town.households["李秀英"]
    )
    await with_office(owner, town, "刘洋")
    record = await hours_of(town, client, "刘小雨", "周敏")
    answer = await client.post(
        f"{API}/service-records/{record}/review", headers=await town.sign_in("刘洋"), json={"decision": "approve"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "own_record")
    deed = await big_deed(client, town, "赵丽", person_id=str(town.people["刘小雨"]))
    await call(client, "POST", f"/deeds/{deed}/review", await town.sign_in("陈明"), {"decision": "approve"}, 202)
    await owner.execute(
        "UPDATE role_grant SET role = 'street_admin', region_id = $2 WHERE person_id = $1",
        town.people["刘洋"], town.street,
    )  # fmt: skip
    [waits] = (await client.get(f"{API}/agreements", headers=await town.sign_in("刘洋"))).json()["items"]
    assert (waits["may_decide"], len(waits["who"])) == (False, 2)


async def test_whoever_approved_a_deed_does_not_turn_down_the_objection_to_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    admin, street = await town.sign_in("赵丽"), await town.sign_in("钱进")
    deed = await big_deed(client, town, "李秀英", points=None, points_reason=None, area_id=str(
        town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]))  # fmt: skip
    record = await hours_of(town, client, "张桂兰", "周敏")
    decisions = []
    for what, verdict in ((f"/deeds/{deed}", "noticed"), (f"/service-records/{record}", "noticed")):
        approved = await call(client, "POST", f"{what}/review", admin, {"decision": "approve"})
        assert approved["status"] == verdict
        doubt = await call(
            client, "POST", f"{what}/objections", await town.sign_in("王建国"), {"reason": "没有这回事"}, 201
        )
        decisions.append(f"/objections/{doubt['id']}/decision")
    for decision in decisions:
        refused = await client.post(f"{API}{decision}", headers=admin, json={"upheld": False, "note": "属实"})
        assert (refused.status_code, refused.json()["code"]) == (403, "party_to_deed")
    page = await (await browser(client, town, "赵丽")).see("/admin")
    assert "件事等着办" not in page
    assert f"另有 {len(decisions)} 件由别人决定" in page
    for decision in decisions:
        await call(client, "POST", decision, street, {"upheld": True, "note": "查过了，没有"})


async def with_office(owner: asyncpg.Connection, town: Town, name: str) -> None:
    """Make the person a second administrator of the community."""
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'community_admin', $1, '2025-01-01', now())",
        town.community, clock.new_id(), town.people[name],
    )  # fmt: skip


async def test_what_is_in_force_is_not_said_to_be_refused(town: Town, client: httpx.AsyncClient) -> None:
    await call(client, "PUT", "/policies/notice_days", await town.sign_in("赵丽"), {"value": 0})
    street = await town.sign_in("钱进")
    [row] = (await client.get(f"{API}/agreements", headers=street)).json()["items"]
    address, refuse = f"{API}/agreements/{row['id']}/decision", {"decision": "refuse", "note": "太短"}
    answer = await client.post(address, headers=street, json=refuse)
    assert (answer.status_code, answer.json()["code"]) == (409, "change_in_force")
    assert len((await client.get(f"{API}/agreements", headers=street)).json()["items"]) == 1, "it stays in the list"
