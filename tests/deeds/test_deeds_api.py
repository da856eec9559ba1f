"""Deeds and objections over HTTP: anonymous, wrong owner, invalid, good, repeated."""

from datetime import date
from typing import Any

import httpx
import pytest

from tests.deeds.test_deeds import BUILDING, MORNING, OTHER_BUILDING, UNIT, filed, noticed
from tests.support.town import Town
from timebank.core import clock
from timebank.policies.values import change_policy


def body_of(town: Town, **other: Any) -> dict[str, Any]:
    today = clock.local_day()
    told = {"person_id": town.people["李秀英"], "area_id": town.areas[UNIT], "occurred_on": today}
    return {
        **{name: str(value) for name, value in told.items()},
        "rule_code": "mediation",
        "note": "说和了两家",
        **other,
    }


async def test_filing_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head = await town.sign_in("李秀英")
    assert (await client.post("/api/v1/deeds", json=body_of(town))).status_code == 401
    made = await client.post("/api/v1/deeds", json=body_of(town), headers=head | {"Idempotency-Key": "deed-1"})
    assert (made.status_code, made.json()["status"], made.json()["area"]) == (201, "filed", "3栋1单元")
    again = await client.post("/api/v1/deeds", json=body_of(town), headers=head | {"Idempotency-Key": "deed-1"})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (made.json(), "true")
    refused = await client.post("/api/v1/deeds", json=body_of(town), headers=await town.sign_in("张桂兰"))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_area")
    elsewhere = await client.post("/api/v1/deeds", json=body_of(town), headers=await town.sign_in("何静"))
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"note": "\x00"}, {"note": ""}, {"note": "长" * 501}, {"points": 10**12}, {"points": 0},
        {"rule_code": "x" * 41}, {"occurred_on": "明天"}, {"person_id": "1"}, {"unknown": 1},
    ],
)  # fmt: skip
async def test_a_malformed_deed_is_a_400(town: Town, client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    refused = await client.post("/api/v1/deeds", json=body_of(town, **wrong), headers=await town.sign_in("李秀英"))
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


async def test_reviewing_objecting_and_deciding_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head, worker, admin = [await town.sign_in(name) for name in ("李秀英", "陈明", "赵丽")]
    deed = (await client.post("/api/v1/deeds", json=body_of(town), headers=head)).json()["id"]
    approve = {"decision": "approve", "note": ""}
    assert (await client.post(f"/api/v1/deeds/{deed}/review", json=approve)).status_code == 401
    assert (await client.post(f"/api/v1/deeds/{deed}/review", json=approve, headers=head)).status_code == 403
    assert (
        await client.post(f"/api/v1/deeds/{deed}/review", json={"decision": "maybe"}, headers=worker)
    ).status_code == 400
    reviewed = await client.post(f"/api/v1/deeds/{deed}/review", json=approve, headers=worker)
    assert (reviewed.status_code, reviewed.json()["status"]) == (200, "noticed")
    reason = {"reason": "那天他不在家"}
    assert (await client.post(f"/api/v1/deeds/{deed}/objections", json=reason)).status_code == 401
    neighbour = await town.sign_in("张桂兰")
    objection = await client.post(f"/api/v1/deeds/{deed}/objections", json=reason, headers=neighbour)
    assert objection.status_code == 201
    assert "person_id" not in objection.json()
    twice = await client.post(f"/api/v1/deeds/{deed}/objections", json=reason, headers=neighbour)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_objected")
    assert (await client.get("/api/v1/objections?undecided=true", headers=neighbour)).status_code == 403
    waiting = (await client.get("/api/v1/objections?undecided=true", headers=admin)).json()["items"]
    assert [o["id"] for o in waiting] == [objection.json()["id"]]
    decision = {"upheld": False, "note": "核对过"}
    decided = await client.post(f"/api/v1/objections/{waiting[0]['id']}/decision", json=decision, headers=admin)
    assert (decided.status_code, decided.json()["upheld"]) == (200, False)
    assert (await client.get(f"/api/v1/deeds/{deed}", headers=head)).json()["status"] == "noticed"


async def test_each_reader_sees_the_deeds_that_concern_them(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        await filed(town, by="李秀英")
        await filed(town, by="王建国", person="王建国", area=BUILDING)
        await filed(town, by="赵丽", person="刘洋", area=OTHER_BUILDING, witness_id=town.people["张桂兰"])
    seen = {}
    for name in ("李秀英", "王建国", "陈明", "赵丽", "孙伟", "张桂兰", "刘洋", "周敏", "何静"):
        answer = await client.get("/api/v1/deeds", headers=await town.sign_in(name))
        seen[name] = sorted(deed["person"] for deed in answer.json()["items"])
    every = sorted(["刘洋", "王建国", "李秀英"])
    assert seen == {
        "李秀英": ["李秀英"], "王建国": sorted(["王建国", "李秀英"]), "陈明": every, "赵丽": every, "孙伟": every,
        "张桂兰": ["刘洋"], "刘洋": ["刘洋"], "周敏": [], "何静": [],
    }  # fmt: skip
    assert (await client.get("/api/v1/deeds")).status_code == 401


async def test_deeds_come_in_pages(town: Town, client: httpx.AsyncClient) -> None:
    for day in (15, 16, 17):
        with clock.at(MORNING.replace(day=day)):
            await filed(town, occurred_on=date(2026, 11, day))
    headers = await town.sign_in("李秀英")
    first = await client.get("/api/v1/deeds?limit=2&status=filed", headers=headers)
    assert len(first.json()["items"]) == 2
    rest = await client.get(first.links["next"]["url"], headers=headers)
    assert [d["occurred_on"] for d in rest.json()["items"]] == ["2026-11-15"]
    assert rest.json()["next"] is None
    assert (await client.get("/api/v1/deeds?cursor=x", headers=headers)).status_code == 400
    assert (await client.get("/api/v1/deeds?limit=201", headers=headers)).status_code == 400


async def test_a_reversal_over_http_needs_a_key_and_an_admin(town: Town, client: httpx.AsyncClient) -> None:
    await change_policy(await town.scope("赵丽"), "notice_days", 0)
    with clock.at(MORNING):
        deed = await noticed(town)
    path, reason = f"/api/v1/deeds/{deed.id}/reversal", {"reason": "重复登记"}
    admin = await town.sign_in("赵丽")
    assert (await client.post(path, json=reason, headers=admin)).json()["code"] == "idempotency_key_missing"
    key = {"Idempotency-Key": "r-1"}
    assert (await client.post(path, json=reason, headers=key | await town.sign_in("李秀英"))).status_code == 403
    assert (await client.post(path, json=reason, headers=key | await town.sign_in("何静"))).status_code == 404
    first, second = [await client.post(path, json=reason, headers=key | admin) for _ in range(2)]
    assert (first.status_code, first.json()["status"], second.headers["Idempotent-Replayed"]) == (
        200,
        "reversed",
        "true",
    )
