"""A second login or a household member does not count as a second person: cheats over HTTP."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.matters import grant
from tests.support.messages import messages_of
from tests.support.presence import nine_o_clock, scanned, station_code
from tests.support.shop import API, books_balance, browser, key, points_of, reserve, stock_of
from tests.support.town import PHOENIX, SPRING, Town, operating
from timebank.agreements.independence import Side, is_independent
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Role, Scope
from timebank.deeds.credit import credit_due_deeds
from timebank.http.preferences import LANGUAGE_COOKIE
from timebank.overview import change_kinds as agreed
from timebank.overview.agreements import ChangeDecided, OthersDecide, decide_change
from timebank.overview.reminding import remind_deciders
from timebank.policies.values import KNOWN, Policies, is_looser_policy, policies
from timebank.presence.forgotten import close_forgotten

UNIT = f"{PHOENIX}/第一网格/5栋/2单元"
ME, FRIEND, OTHER = (UUID(int=number) for number in (1, 2, 3))


async def call(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], json: object = None, status: int = 200
) -> dict[str, object]:
    answer = await client.request(method, API + path, headers=headers, json=json)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    told: dict[str, object] = answer.json() if answer.content else {}
    return told


async def puppet(client: httpx.AsyncClient, town: Town, giver: str, name: str, phone: str) -> dict[str, str]:
    """Enter a person, give them a code and sign in with it, all as `giver`; return the session's header."""
    headers = await town.sign_in(giver)
    area = str(town.areas[f"{PHOENIX}/第一网格/3栋/2单元"])
    made = await call(
        client, "POST", "/people", headers, {"name": name, "phone": phone, "area_id": area, "room": "901"}, 201
    )
    town.people[name] = UUID(str(made["id"]))
    code = (await call(client, "POST", f"/people/{made['id']}/sign-in-code", headers, status=201))["code"]
    opened = await call(client, "POST", "/sessions", {}, {"phone": phone, "otp": code}, 201)
    session = {"Authorization": f"Bearer {opened['token']}"}
    await call(client, "POST", "/me/password", session, {"password": "木偶的密码-2026"}, 204)
    return session


async def big_deed(client: httpx.AsyncClient, town: Town, by: str, **more: object) -> str:
    wanted = {
        "person_id": str(town.people[by]), "rule_code": "mediation", "area_id": str(town.areas[UNIT]),
        "occurred_on": str(clock.local_day()), "note": "自己说的好事", "points": 10_000, "points_reason": "贡献突出",
    } | more  # fmt: skip
    return str((await call(client, "POST", "/deeds", await town.sign_in(by), wanted, 201))["id"])


async def test_one_administrator_with_a_second_login_mints_nothing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 10)
    admin = await town.sign_in("赵丽")
    assert "who" in await call(client, "PUT", "/policies/notice_days", admin, {"value": 0}, 202)
    doll = await puppet(client, town, "赵丽", "木偶", "19900007001")
    person = str(town.people["木偶"])
    grid = {"person_id": person, "role": "grid_worker", "area_id": str(town.areas[f"{PHOENIX}/第一网格"])}
    await call(client, "POST", "/roles", admin, grid, 201)
    office = {"person_id": person, "role": "community_admin", "region_id": str(town.community)}
    waits = await call(client, "POST", "/roles", admin, office, 202)
    assert waits["who"] == ["街道管理员钱进（城关街道）", "县管理员吴昊（清江县）"]
    deed = await big_deed(client, town, "赵丽")
    refused = await client.post(f"{API}/deeds/{deed}/review", headers=doll, json={"decision": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "party_to_deed")
    for hand in (admin, doll):
        agreed = await client.post(
            f"{API}/agreements/{waits['waiting']}/decision", headers=hand, json={"decision": "agree"}
        )
        assert agreed.status_code == 403
    assert (await policies(town.system())).notice_days == 7
    assert await owner.fetchval("SELECT count(*) FROM role_grant WHERE person_id = $1", town.people["木偶"]) == 1
    assert await points_of(town, "赵丽") == (0, 0)


async def test_the_panels_page_of_a_deed_names_the_second_person_in_the_readers_language(
    town: Town, client: httpx.AsyncClient
) -> None:
    deed, admin = await big_deed(client, town, "赵丽", person_id=str(town.people["李秀英"])), await town.sign_in("赵丽")
    await call(client, "POST", f"/deeds/{deed}/review", await town.sign_in("陈明"), {"decision": "approve"}, 202)
    english = await client.get(f"/admin/deeds/{deed}", headers=admin | {"Cookie": f"{LANGUAGE_COOKIE}=en"})
    assert "a second person must confirm: Street administrator 钱进 (" in english.text
    assert "街道管理员" not in english.text


async def test_an_account_that_one_opened_is_a_second_person_only_after_another_confirmed_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.credit_deed("张桂兰", 10)
    admin, street = await town.sign_in("赵丽"), await town.sign_in("钱进")
    doll = await puppet(client, town, "赵丽", "木偶", "19900007001")
    person = str(town.people["木偶"])
    office = {"person_id": person, "role": "community_admin", "region_id": str(town.community)}
    waits = await call(client, "POST", "/roles", admin, office, 202)
    agree = {"decision": "agree"}
    assert (await call(client, "POST", f"/agreements/{waits['waiting']}/decision", street, agree))["status"] == "agreed"
    deed = await big_deed(client, town, "赵丽")
    address = f"{API}/deeds/{deed}/review"
    assert (await client.post(address, headers=doll, json={"decision": "approve"})).json()["code"] == "party_to_deed"
    [shown] = (await client.get(f"{API}/agreements/logins", headers=street)).json()
    assert (shown["name"], shown["opened_by_name"]) == ("木偶", "赵丽")
    own = await client.post(f"{API}/agreements/logins/{person}", headers=admin)
    assert (own.status_code, own.json()["code"]) == (403, "not_independent")
    await call(client, "POST", f"/agreements/logins/{person}", street, status=204)
    approved = await client.post(address, headers=doll, json={"decision": "approve"})
    assert approved.status_code == 202, "10,000 points need a second person from above all the same"
    assert (approved.json()["status"], len(approved.json()["who"])) == ("filed", 2)
    assert await points_of(town, "赵丽") == (0, 0)
    await call(client, "POST", f"/agreements/{approved.json()['waiting']}/decision", street, agree)
    assert (await call(client, "GET", f"/deeds/{deed}", admin))["status"] == "noticed"


async def test_who_signs_in_again_by_an_administrators_code_is_that_administrator_once_more(
    town: Town, client: httpx.AsyncClient
) -> None:
    """赵丽 gives the grid worker 陈明 a code; the session that it opens may not review a deed of 赵丽."""
    code = (await call(client, "POST", f"/people/{town.people['陈明']}/sign-in-code", await town.sign_in("赵丽"),
                       status=201))["code"]  # fmt: skip
    opened = await call(client, "POST", "/sessions", {}, {"phone": town.phones["陈明"], "otp": code}, 201)
    deed = await big_deed(client, town, "赵丽", points=10, points_reason=None)
    answer = await client.post(
        f"{API}/deeds/{deed}/review", headers={"Authorization": f"Bearer {opened['token']}"},
        json={"decision": "approve"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (403, "party_to_deed")


async def test_whoever_gave_a_resident_the_first_code_still_decides_about_hours_that_somebody_else_saw(
    town: Town, client: httpx.AsyncClient
) -> None:
    """An administrator who gave a resident their first code can still review hours that a keeper entered for them."""
    await puppet(client, town, "赵丽", "新居民", "19900007001")
    seen = await hours_of(town, client, "新居民", "周敏")
    decision = {"decision": "approve", "note": "站长看见的"}
    await call(client, "POST", f"/service-records/{seen}/review", await town.sign_in("赵丽"), decision)


async def test_hours_that_ones_second_login_entered_are_ones_own(town: Town, client: httpx.AsyncClient) -> None:
    doll = await puppet(client, town, "赵丽", "木偶", "19900007001")
    keeper = {
        "person_id": str(town.people["木偶"]), "role": "station_keeper", "station_id": str(town.stations["暖蜂驿站"])
    }  # fmt: skip
    await call(client, "POST", "/roles", await town.sign_in("赵丽"), keeper, 201)
    end = clock.now() - timedelta(hours=1)
    wanted = {
        "person_id": str(town.people["张桂兰"]), "station_id": str(town.stations["暖蜂驿站"]),
        "started_at": (end - timedelta(hours=2)).isoformat(), "ended_at": end.isoformat(), "reason": "忘带手机",
    }  # fmt: skip
    record = (await call(client, "POST", "/service-records", doll | key(), wanted, 201))["id"]
    answer = await client.post(
        f"{API}/service-records/{record}/review", headers=await town.sign_in("赵丽"), json={"decision": "approve"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "own_record")


async def test_nobody_gives_a_role_to_the_own_household(town: Town, client: httpx.AsyncClient) -> None:
    spouse = await spouse_of(town, client, "赵丽的丈夫")
    grid = {"person_id": spouse, "role": "grid_worker", "area_id": str(town.areas[f"{PHOENIX}/第一网格"])}
    refused = await client.post(f"{API}/roles", headers=await town.sign_in("赵丽"), json=grid)
    assert (refused.status_code, refused.json()["code"]) == (403, "own_role")
    await call(client, "POST", "/roles", await town.sign_in("钱进"), grid, 201)


@pytest.mark.parametrize("name", ["何静二", "孙伟", "钱进", "吴昊"])
async def test_nobody_gives_a_code_to_a_peer_a_superior_or_an_auditor(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, name: str
) -> None:
    if name == "何静二":
        await owner.execute(
            "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
            "VALUES ($1, $2, $3, 'community_admin', $1, '2025-01-01', now())",
            town.community, clock.new_id(), town.people["欧阳凯伟"],
        )  # fmt: skip
        name = "欧阳凯伟"
    answer = await client.post(f"{API}/people/{town.people[name]}/sign-in-code", headers=await town.sign_in("赵丽"))
    assert (answer.status_code, answer.json()["code"]) == (403, "office_holder")
    assert "上一级" in answer.json()["detail"]


async def spouse_of(town: Town, client: httpx.AsyncClient, name: str) -> str:
    """Enter a person into 赵丽's household as the street administrator; return the id."""
    home = {"area_id": str(town.areas[UNIT]), "room": "301", "head_name": "赵丽"}
    made = await call(client, "POST", "/people", await town.sign_in("钱进"), {"name": name} | home, 201)
    town.people[name] = UUID(str(made["id"]))
    return str(made["id"])


async def hours_of(town: Town, client: httpx.AsyncClient, name: str, by: str) -> str:
    end = clock.now() - timedelta(hours=1)
    wanted = {
        "person_id": str(town.people[name]), "station_id": str(town.stations["暖蜂驿站"]),
        "started_at": (end - timedelta(hours=2)).isoformat(), "ended_at": end.isoformat(), "reason": "忘带手机",
    }  # fmt: skip
    return str((await call(client, "POST", "/service-records", await town.sign_in(by) | key(), wanted, 201))["id"])


async def test_moving_out_on_paper_does_not_make_a_stranger_of_ones_spouse(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await spouse_of(town, client, "赵丽的丈夫")
    record = await hours_of(town, client, "赵丽的丈夫", "周敏")
    admin, street = await town.sign_in("赵丽"), await town.sign_in("钱进")
    move = {"room": "808", "head_name": "赵丽", "reason": "更正"}
    waits = await call(client, "PATCH", f"/people/{town.people['赵丽']}", admin, move, 202)
    assert (await call(client, "PATCH", f"/people/{town.people['赵丽的丈夫']}", admin, move, 202))["waiting"]
    review = f"/service-records/{record}/review"
    await call(client, "POST", review, admin, {"decision": "approve"}, 403)
    await call(client, "POST", f"/agreements/{waits['waiting']}/decision", street, {"decision": "agree"})
    household = "SELECT household_id FROM person WHERE id = $1"
    assert await owner.fetchval(household, town.people["赵丽"]) != await owner.fetchval(
        household, town.people["赵丽的丈夫"]
    )
    refused = await client.post(f"{API}{review}", headers=await town.sign_in("赵丽"), json={"decision": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "own_record"), "they lived together on that day"
    assert await points_of(town, "赵丽的丈夫") == (0, 0)


async def test_a_witness_is_another_than_the_filer_and_the_filers_household(
    town: Town, client: httpx.AsyncClient
) -> None:
    await spouse_of(town, client, "赵丽的丈夫")
    for witness in ("赵丽", "赵丽的丈夫", "刘洋"):
        wanted = {
            "person_id": str(town.people["刘洋"]), "rule_code": "mediation", "area_id": str(town.areas[UNIT]),
            "occurred_on": str(clock.local_day()), "note": "说和了两家", "witness_id": str(town.people[witness]),
        }  # fmt: skip
        answer = await client.post(f"{API}/deeds", headers=await town.sign_in("赵丽"), json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (422, "witness_too_close"), witness


async def witnessed(town: Town, client: httpx.AsyncClient, *, days: int = 8) -> str:
    """File and approve, some days ago, a deed of 李秀英 that names 张桂兰 as witness; return its id."""
    with clock.at(clock.now() - timedelta(days=days)):
        deed = await big_deed(
            client, town, "李秀英", area_id=str(town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]), points=None,
            points_reason=None, witness_id=str(town.people["张桂兰"]),
        )  # fmt: skip
        review = f"/deeds/{deed}/review"
        assert (await call(client, "POST", review, await town.sign_in("陈明"), {"decision": "approve"}))["status"] == (
            "noticed"
        )
    return deed


async def test_a_deed_is_credited_only_after_its_witness_has_confirmed_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    deed = await witnessed(town, client)
    assert await credit_due_deeds(town.system()) == 0
    assert await points_of(town, "李秀英") == (0, 0)
    told = await messages_of(town, "张桂兰")
    assert [m.kind for m in told] == ["witness_asked"]
    witness = await town.sign_in("张桂兰")
    await call(client, "POST", f"/deeds/{deed}/witness", await town.sign_in("李秀英"), {"confirms": True}, 403)
    await call(client, "POST", f"/deeds/{deed}/witness", await town.sign_in("张国庆"), {"confirms": True}, 404)
    for _ in range(2):
        said = await call(client, "POST", f"/deeds/{deed}/witness", witness, {"confirms": True})
        assert said["witness_answer"] == "confirmed"
    assert await credit_due_deeds(town.system()) == 1
    assert await points_of(town, "李秀英") == (10, 0)
    late = await client.post(f"{API}/deeds/{deed}/witness", headers=witness, json={"confirms": False})
    assert (late.status_code, late.json()["code"]) == (409, "witness_not_asked")
    await books_balance(owner)


async def test_a_deed_that_its_witness_denies_goes_back_to_review_with_a_flag(
    town: Town, client: httpx.AsyncClient
) -> None:
    deed = await witnessed(town, client)
    reader = await browser(client, town, "张桂兰")
    assert "请您作证" in await reader.see(f"/deeds/{deed}")
    await reader.send(f"/deeds/{deed}/witness", confirms="false", note="那天我不在家")
    assert await credit_due_deeds(town.system()) == 0
    panel = await browser(client, town, "陈明")
    page = await panel.see(f"/admin/deeds/{deed}")
    assert "那天我不在家" in page
    again = await client.post(
        f"{API}/deeds/{deed}/review", headers=await town.sign_in("陈明"), json={"decision": "approve"}
    )
    assert (again.status_code, again.json()["code"]) == (422, "witness_denied")
    why = {"decision": "approve", "note": "监控里看得清楚，见证人记错了日子"}
    assert (await call(client, "POST", f"/deeds/{deed}/review", await town.sign_in("陈明"), why))["status"] == "noticed"


async def test_a_reviewer_who_asked_in_person_notes_it_for_a_witness_without_a_phone(
    town: Town, client: httpx.AsyncClient
) -> None:
    deed = await big_deed(
        client, town, "李秀英", area_id=str(town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]), points=None,
        points_reason=None, witness_id=str(town.people["张桂兰"]),
    )  # fmt: skip
    asked = {"decision": "approve", "witness_asked": True}
    told = await call(client, "POST", f"/deeds/{deed}/review", await town.sign_in("陈明"), asked)
    assert (told["status"], told["witness_answer"]) == ("noticed", "asked")
    with clock.at(clock.now() + timedelta(days=8)):
        assert await credit_due_deeds(town.system()) == 1


async def test_a_witness_whose_account_the_filer_opened_is_asked_by_the_reviewer(
    town: Town, client: httpx.AsyncClient
) -> None:
    doll = await puppet(client, town, "赵丽", "木偶", "19900007001")
    wanted = {
        "person_id": str(town.people["刘洋"]), "rule_code": "mediation", "area_id": str(town.areas[UNIT]),
        "occurred_on": str(clock.local_day()), "note": "说和了两家", "witness_id": str(town.people["木偶"]),
    }  # fmt: skip
    deed = (await call(client, "POST", "/deeds", await town.sign_in("赵丽"), wanted, 201))["id"]
    answer = await client.post(f"{API}/deeds/{deed}/witness", headers=doll, json={"confirms": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "witness_through_filer")


async def test_an_auditor_is_ended_blocked_and_given_a_new_phone_only_from_above(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    admin, street, auditor = await town.sign_in("赵丽"), await town.sign_in("钱进"), town.people["孙伟"]
    grant = await owner.fetchval("SELECT id FROM role_grant WHERE person_id = $1", auditor)
    await call(client, "DELETE", f"/roles/{grant}", admin, status=202)
    blocked = await call(client, "PATCH", f"/people/{auditor}", admin, {"status": "blocked", "reason": "不配合"}, 202)
    other = await client.patch(f"{API}/people/{auditor}", headers=admin, json={"phone": "19900007777"})
    assert (other.status_code, other.json()["code"]) == (409, "change_already_waiting")
    assert await owner.fetchval("SELECT status FROM person WHERE id = $1", auditor) == "active"
    assert (await town.scope("孙伟")).has(Role.auditor)
    no = {"decision": "refuse", "note": "审计员照常工作"}
    await call(client, "POST", f"/agreements/{blocked['waiting']}/decision", street, no)
    phone = await call(client, "PATCH", f"/people/{auditor}", admin, {"phone": "19900007777"}, 202)
    sealed = await owner.fetchval("SELECT change::text FROM waiting_change WHERE id = $1", UUID(str(phone["waiting"])))
    assert "19900007777" not in sealed, "a phone stands readable nowhere"
    await call(client, "POST", f"/agreements/{phone['waiting']}/decision", street, {"decision": "agree"})
    assert await owner.fetchval("SELECT phone_last4 FROM person WHERE id = $1", auditor) == "7777"
    assert (await call(client, "DELETE", f"/roles/{grant}", street, status=204)) == {}


async def test_the_phone_of_a_peer_is_not_ones_own_to_change(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'community_admin', $1, '2025-01-01', now())",
        town.community, clock.new_id(), town.people["欧阳凯伟"],
    )  # fmt: skip
    peer = f"/people/{town.people['欧阳凯伟']}"
    waits = await call(client, "PATCH", peer, await town.sign_in("赵丽"), {"phone": "19900007777"}, 202)
    assert waits["who"] == ["街道管理员钱进（城关街道）", "县管理员吴昊（清江县）"]
    assert await owner.fetchval("SELECT phone_last4 FROM person WHERE id = $1", town.people["欧阳凯伟"]) != "7777"


async def test_nobody_records_oneself_or_ones_household_as_guardian(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await spouse_of(town, client, "赵丽的丈夫")
    admin = await town.sign_in("赵丽")
    for name in ("赵丽", "赵丽的丈夫"):
        named = {"guardian_id": str(town.people[name]), "relation": "姑姑", "consented": True}
        await call(client, "POST", f"/people/{town.people['刘小雨']}/guardians", admin, named, 202)
        assert not await owner.fetchval(
            "SELECT EXISTS (SELECT FROM guardianship WHERE guardian_id = $1)", town.people[name]
        )
    waiting = (await client.get(f"{API}/agreements", headers=await town.sign_in("钱进"))).json()["items"]
    for each in waiting:
        await call(
            client, "POST", f"/agreements/{each['id']}/decision", await town.sign_in("钱进"), {"decision": "agree"}
        )
    assert await owner.fetchval("SELECT count(*) FROM guardianship WHERE consented_at IS NOT NULL") == 3


async def returned(town: Town, client: httpx.AsyncClient, keeper: str, name: str) -> httpx.Response:
    """Reserve a good as the person, collect and return it as the keeper; return the answer to the return."""
    made = (await reserve(client, town, name, "香皂")).json()
    headers = await town.sign_in(keeper)
    address = f"/redemptions/{made['id']}"
    await call(client, "POST", f"{address}/collection", headers | key(), {"code": made["code"]})
    return await client.post(f"{API}{address}/return", headers=headers | key(), json={"reason": "坏了"})


async def counted(town: Town, client: httpx.AsyncClient, keeper: str, number: int) -> httpx.Response:
    body = {"station_id": str(town.stations["暖蜂驿站"]), "counted": number, "note": "盘点"}
    return await client.post(f"{API}/goods/{town.goods['香皂']}/counts", headers=await town.sign_in(keeper), json=body)


async def test_a_sham_return_is_not_hidden_by_a_count_of_the_same_hands(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 100)
    before = await stock_of(owner, town, "香皂")
    assert (await returned(town, client, "周敏", "张桂兰")).status_code == 200
    fewer = await counted(town, client, "周敏", before - 1)
    assert fewer.status_code == 202
    assert await stock_of(owner, town, "香皂") == before
    assert (await counted(town, client, "周敏", before + 2)).status_code == 201, "what is found too many never waits"
    await call(
        client, "POST", f"/agreements/{fewer.json()['waiting']}/decision", await town.sign_in("赵丽"),
        {"decision": "agree"},
    )  # fmt: skip
    assert await stock_of(owner, town, "香皂") == before + 1


async def test_nor_a_count_by_a_sham_return_afterwards(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 100)
    before = await stock_of(owner, town, "香皂")
    assert (await counted(town, client, "周敏", before - 1)).status_code == 201
    answer = await returned(town, client, "周敏", "张桂兰")
    assert answer.status_code == 202
    assert await points_of(town, "张桂兰") == (92, 0)
    address = f"/agreements/{answer.json()['waiting']}/decision"
    await call(client, "POST", address, await town.sign_in("赵丽"), {"decision": "agree"})
    assert await points_of(town, "张桂兰") == (100, 0)
    await books_balance(owner)


async def test_where_there_is_one_administrator_the_street_decides_and_the_page_says_so(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.credit_deed("马涛", 10)
    only = await browser(client, town, "何静")
    sent = await only.send("/admin/policies/notice_days", value=3)
    page = await only.see(sent.headers["location"])
    assert "可以决定的人：街道管理员钱进（城关街道）、县管理员吴昊（清江县）" in page
    assert "已提交" in page
    here = {"X-Community-Id": str(town.communities[SPRING])}
    street = await town.sign_in("钱进") | here
    [waits] = (await client.get(f"{API}/agreements", headers=street)).json()["items"]
    assert (waits["may_decide"], waits["text"]) == (True, "放宽规则“善行和荣誉时数的公示天数”：从 7 改成 3 天")
    await call(client, "POST", f"/agreements/{waits['id']}/decision", street, {"decision": "agree"})
    assert (await policies(town.system(SPRING))).notice_days == 3
    told = await messages_of(town, "何静")
    assert [m.kind for m in told] == ["change_decided"]


async def test_without_a_street_the_auditor_decides_and_without_one_the_operator(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 10)
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role IN ('street_admin', 'county_admin')")
    waits = await call(client, "PUT", "/policies/notice_days", await town.sign_in("赵丽"), {"value": 3}, 202)
    assert waits["who"] == [f"审计员孙伟（{PHOENIX}）"]
    change = UUID(str(waits["waiting"]))
    with pytest.raises(OthersDecide):
        await decide_change(town.system(), change, "agree")
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role = 'auditor'")
    shown = await call(client, "GET", f"/agreements/{change}", await town.sign_in("赵丽"))
    assert shown["who"] == ["系统管理员（在服务器上运行 timebank confirm）"]
    async with operating():
        assert (await decide_change(town.system(), change, "agree")).status == "agreed"
    assert (await policies(town.system())).notice_days == 3


async def test_before_the_first_credit_rules_are_set_alone_and_seen_by_a_second_person_afterwards(
    town: Town, client: httpx.AsyncClient
) -> None:
    admin, street = await town.sign_in("赵丽"), await town.sign_in("钱进")
    await call(client, "PUT", "/policies/notice_days", admin, {"value": 3})
    rule = {"kind": "deed", "name": "抢险", "points": 50}
    await call(client, "POST", "/rules", admin, rule, 201)
    panel = await browser(client, town, "钱进")
    assert "请另一人看过的" in await panel.see("/admin/agreements")
    listed = (await client.get(f"{API}/agreements", headers=street)).json()["items"]
    assert {(each["kind"], each["in_force"], each["may_decide"]) for each in listed} == {
        ("policy_before", True, True), ("rule_before", True, True),
    }  # fmt: skip
    await panel.send("/admin/agreements/seen")
    assert (await client.get(f"{API}/agreements", headers=street)).json()["items"] == []


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"kind": "deed", "name": "送汤", "points": 10}, 201),
        ({"kind": "deed", "name": "抢险", "points": 11}, 202),
        ({"kind": "deed", "name": "楼道卫生巡查", "code": "patrol", "points": 2, "cap_period": "week",
          "cap_per_person": 2, "cap_per_area": 5}, 202),
        ({"kind": "deed", "name": "楼道卫生巡查", "code": "patrol", "points": 1, "cap_period": "month",
          "cap_per_person": 1, "cap_per_area": 5}, 201),
        ({"kind": "deed", "name": "楼道卫生巡查", "code": "patrol", "points": 2}, 202),
        ({"kind": "service", "name": "志愿服务", "code": "service", "minutes_per_point": 3}, 202),
        ({"kind": "service", "name": "志愿服务", "code": "service", "minutes_per_point": 12}, 201),
        ({"kind": "deed", "name": "调解邻里纠纷", "code": "mediation", "points": 99, "active": False}, 201),
    ],
)  # fmt: skip
async def test_what_tightens_never_waits_and_what_loosens_does(
    town: Town, client: httpx.AsyncClient, rule: dict[str, object], status: int
) -> None:
    await town.credit_deed("张桂兰", 10)
    await call(client, "POST", "/rules", await town.sign_in("赵丽"), rule, status)


MINT_NOTHING = {
    "figure_same_day", "figure_two_days", "figure_three_days", "matter_confirm_days", "matter_reopen_days",
    "matter_returns_max", "similar_days", "uses_matters", "uses_teams", "uses_units",
}  # fmt: skip
"""Targets, deadlines and switches: neither direction of them issues points or unlocks anything."""


def test_each_policy_says_which_direction_loosens_it() -> None:
    assert {name for name, info in KNOWN.items() if info.looser == "neither"} == MINT_NOTHING
    tighter = {name for name in KNOWN if is_looser_policy(KNOWN[name], getattr(Policies(), name), KNOWN[name].smallest)}
    assert tighter == {
        "notice_days", "attendance_percent_min", "cancel_class_hours", "visit_minutes_min", "paid_hours_review",
        "spot_check_percent",
    }  # fmt: skip


async def test_whoever_stands_above_approves_many_points_in_the_review_itself(
    town: Town, client: httpx.AsyncClient
) -> None:
    deed = await big_deed(client, town, "赵丽")
    await call(client, "POST", f"/deeds/{deed}/review", await town.sign_in("陈明"), {"decision": "approve"}, 202)
    street = await town.sign_in("钱进")
    told = await call(client, "POST", f"/deeds/{deed}/review", street, {"decision": "approve"})
    assert (told["status"], told["waiting"]) == ("noticed", None)
    assert (await client.get(f"{API}/agreements", headers=street)).json()["items"] == []


async def test_a_town_on_its_first_day_appoints_its_people_without_waiting(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The county administrator appoints the street's, who appoints the community's and an auditor; nothing waits."""
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role IN ('street_admin', 'community_admin')")
    steps = (
        ("吴昊", "钱进", "street_admin", town.street), ("钱进", "赵丽", "community_admin", town.community),
        ("钱进", "张国庆", "auditor", town.community),
    )  # fmt: skip
    for giver, name, role, region in steps:
        office = {"person_id": str(town.people[name]), "role": role, "region_id": str(region)}
        await call(client, "POST", "/roles", await town.sign_in(giver), office, 201)
    admin = await town.sign_in("赵丽")
    await call(client, "POST", "/rules", admin, {"kind": "deed", "name": "抢险", "points": 50}, 201)
    await call(client, "PUT", "/policies/notice_days", admin, {"value": 5})


async def test_a_second_login_does_not_approve_the_end_that_the_first_has_lengthened(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """赵丽 corrects the end of a forgotten visit; neither she nor her second login may then approve it."""
    with clock.at(nine_o_clock()):
        await scanned(await town.scope("张桂兰"), station_code(town))
    await close_forgotten(town.system())
    record = await owner.fetchval("SELECT id FROM service_record WHERE status = 'pending'")
    end = (nine_o_clock() + timedelta(hours=8)).isoformat()
    at_once = {"decision": "approve", "note": "问过了", "ended_at": end}
    review = f"/service-records/{record}/review"
    assert (await call(client, "POST", review, await town.sign_in("赵丽"), at_once))["status"] == "pending"
    doll = await puppet(client, town, "赵丽", "木偶", "19900007001")
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'community_admin', $1, '2025-01-01', now())",
        town.community, clock.new_id(), town.people["木偶"],
    )  # fmt: skip
    for hand in (await town.sign_in("赵丽"), doll):
        refused = await client.post(f"{API}{review}", headers=hand, json={"decision": "approve", "note": "属实"})
        assert (refused.status_code, refused.json()["code"]) == (403, "own_record")
    assert await points_of(town, "张桂兰") == (0, 0)


async def test_the_contract_tells_of_each_call_that_may_wait(client: httpx.AsyncClient) -> None:
    paths = (await client.get(f"{API}/schema/openapi.json")).json()["paths"]
    waits = {
        (method, path.removeprefix(API))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "202" in operation["responses"] and not path.startswith(f"{API}/imports")
    }
    assert waits == {
        ("post", "/people/{person_id}/merge"),
        ("post", "/roles"), ("delete", "/roles/{grant_id}"), ("put", "/policies/{name}"), ("post", "/rules"),
        ("patch", "/people/{person_id}"), ("post", "/people/{person_id}/guardians"),
        ("post", "/guardianships/{guardianship_id}/consent"), ("post", "/deeds/{deed_id}/review"),
        ("post", "/goods/{good_id}/counts"), ("post", "/redemptions/{redemption_id}/return"),
        ("post", "/objections/{objection_id}/decision"), ("post", "/stations/{station_id}/devices"),
        ("put", "/matter-categories/{code}"),
    }  # fmt: skip


async def loosening(town: Town, client: httpx.AsyncClient) -> UUID:
    await town.credit_deed("张桂兰", 10)
    made = await call(client, "PUT", "/policies/notice_days", await town.sign_in("赵丽"), {"value": 3}, 202)
    return UUID(str(made["waiting"]))


async def test_of_two_who_decide_at_once_one_decides(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    change = await loosening(town, client)
    street, county = await town.scope("钱进"), await town.scope("吴昊")
    outcomes = await asyncio.gather(
        decide_change(street, change, "agree"),
        decide_change(county, change, "refuse", "先不放宽"),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ChangeDecided) for outcome in outcomes) == 1
    status = await owner.fetchval("SELECT status FROM waiting_change WHERE id = $1", change)
    assert (await policies(town.system())).notice_days == (3 if status == "agreed" else 7)


async def test_the_same_decision_once_more_answers_the_same_and_does_nothing_twice(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    change = await loosening(town, client)
    street = await town.scope("钱进")
    outcomes = await asyncio.gather(*[decide_change(street, change, "agree") for _ in range(4)])
    assert {outcome.status for outcome in outcomes} == {"agreed"}
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'change_policy'") == 1
    with pytest.raises(ChangeDecided):
        await decide_change(street, change, "refuse", "改主意了")


async def test_a_change_is_withdrawn_or_decided_never_both(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    change = await loosening(town, client)
    outcomes = await asyncio.gather(
        decide_change(await town.scope("赵丽"), change, "withdraw"),
        decide_change(await town.scope("钱进"), change, "agree"),
        return_exceptions=True,
    )  # fmt: skip
    assert sum(isinstance(outcome, ChangeDecided) for outcome in outcomes) == 1
    status = await owner.fetchval("SELECT status FROM waiting_change WHERE id = $1", change)
    assert (await policies(town.system())).notice_days == (3 if status == "agreed" else 7)


async def test_a_change_is_not_carried_out_over_another(town: Town, client: httpx.AsyncClient) -> None:
    change = await loosening(town, client)
    await call(client, "PUT", "/policies/notice_days", await town.sign_in("赵丽"), {"value": 14})
    late = await client.post(
        f"{API}/agreements/{change}/decision", headers=await town.sign_in("钱进"), json={"decision": "agree"}
    )
    assert (late.status_code, late.json()["code"]) == (409, "change_stale")
    assert (await policies(town.system())).notice_days == 14


async def test_who_may_decide_is_reminded_once_a_day_wherever_they_live(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("马涛", 10)
    await call(client, "PUT", "/policies/notice_days", await town.sign_in("何静"), {"value": 3}, 202)
    spring = Scope.of_system(town.communities[SPRING])
    for _ in range(2):
        assert await remind_deciders(spring) == 2
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'change_waits'") == 2
    [told] = await messages_of(town, "钱进")
    assert told.text == f"{SPRING}有 1 项改动等您决定。请在管理页面的「待另一人确认」里看。"
    with clock.at(clock.now() + timedelta(days=1)):
        await remind_deciders(spring)
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'change_waits'") == 4


async def test_what_one_may_not_decide_is_not_shown_as_ones_own_to_decide(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.credit_deed("张桂兰", 10)
    await big_deed(client, town, "赵丽")
    mine = await hours_of(town, client, "张桂兰", "赵丽")
    await call(client, "PUT", "/policies/notice_days", await town.sign_in("赵丽"), {"value": 3}, 202)
    own, other = await browser(client, town, "赵丽"), await browser(client, town, "钱进")
    assert "没有等着办的事" in await own.see("/admin")
    assert "另有 1 件由别人决定" in await own.see("/admin")
    assert "有 3 件事等着办" in await other.see("/admin")
    assert f'value="{mine}"' not in await own.see("/admin/inbox")
    assert f'value="{mine}"' in await other.see("/admin/inbox")


async def test_the_page_of_what_waits_is_for_those_who_read_the_books(town: Town, client: httpx.AsyncClient) -> None:
    change = await loosening(town, client)
    for name, status in (("张桂兰", 403), ("周敏", 403), ("孙伟", 200), ("赵丽", 200), ("何静", 403)):
        headers = await town.sign_in(name) | (
            {"X-Community-Id": str(town.communities[SPRING])} if name == "何静" else {}
        )
        answer = await client.get(f"{API}/agreements", headers=headers)
        assert answer.status_code == (200 if name == "何静" else status), name
    assert (await client.get(f"{API}/agreements")).status_code == 401
    foreign = await client.get(f"{API}/agreements/{change}", headers=await town.sign_in("何静"))
    assert foreign.status_code == 404
    for name in ("张桂兰", "孙伟", "赵丽"):
        answer = await client.post(
            f"{API}/agreements/{change}/decision", headers=await town.sign_in(name), json={"decision": "agree"}
        )
        assert answer.status_code == 403, name
    silent = await client.post(
        f"{API}/agreements/{change}/decision", headers=await town.sign_in("钱进"), json={"decision": "refuse"}
    )
    assert (silent.status_code, silent.json()["code"]) == (422, "refusal_needs_reason")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Side(frozenset({ME})), Side(frozenset({OTHER})), True),
        (Side(frozenset({ME})), Side(frozenset({ME})), False),
        (Side(frozenset({ME}), frozenset({FRIEND})), Side(frozenset({OTHER}), frozenset({FRIEND})), False),
        (Side(hands=frozenset({ME})), Side(hands=frozenset({OTHER, ME})), False),
        (Side(hands=frozenset({OTHER, FRIEND})), Side(hands=frozenset({ME, FRIEND})), False),
        (Side(hands=frozenset({OTHER})), Side(hands=frozenset({ME})), True),
        (Side(), Side(), True),
    ],
)
def test_two_are_two_people_when_neither_person_nor_door_nor_hand_is_the_same(
    one: Side, other: Side, expected: bool
) -> None:
    assert is_independent(one, other) is is_independent(other, one) is expected


async def test_every_kind_of_change_is_carried_out_or_in_force_already() -> None:
    assert {n for n, kind in agreed.kinds().items() if not kind.in_force} == agreed.carriers().keys()


async def test_other_roles_over_a_region_decide_nothing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A unit's contact of the county, a mediator and a courier are neither named as deciders nor may they decide."""
    unit = clock.new_id()
    await owner.execute(
        "INSERT INTO unit (id, county_id, name, pinyin, kind, active, created_at) "
        "VALUES ($1, $2, '清江物业', 'qing jiang wu ye', 'property', true, now())",
        unit, town.county,
    )  # fmt: skip
    await grant(owner, town, "刘洋", Role.unit_contact, region_id=town.county, unit_id=unit)
    await grant(owner, town, "陈明", Role.mediator, region_id=town.community)
    await grant(owner, town, "周敏", Role.mobile_worker, region_id=town.community)
    await town.credit_deed("张桂兰", 10)
    waits = await call(client, "PUT", "/policies/notice_days", await town.sign_in("赵丽"), {"value": 0}, 202)
    assert not any(name in str(waits["who"]) for name in ("刘洋", "陈明", "周敏"))
    for name in ("刘洋", "陈明", "周敏"):
        with pytest.raises((OthersDecide, Forbidden, NotFound)):
            await decide_change(await town.scope(name), UUID(str(waits["waiting"])), "agree", "")
    assert (await policies(town.system())).notice_days == Policies().notice_days
