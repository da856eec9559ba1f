"""Matters over HTTP: the contract's addresses, codes and repeated requests, and the check of the books."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx

from tests.support.matters import BUILDING, CONTACT, FIRM, GRID_HEAD, LEADER, MORNING, Ground, let_reports_earn
from tests.support.shop import API, key
from timebank.core import clock
from timebank.deeds.credit import credit_due_deeds
from timebank.ledger.checking.check import check_ledger


class Asking:
    """Requests by name, in the community of the matters."""

    def __init__(self, client: httpx.AsyncClient, ground: Ground) -> None:
        self.client, self.ground = client, ground

    async def __call__(
        self, name: str, method: str, path: str, body: dict[str, Any] | None = None, status: int = 200
    ) -> Any:
        headers = await self.ground.town.sign_in(name)
        headers["X-Community-Id"] = str(self.ground.town.community)
        answer = await self.client.request(method, f"{API}{path}", json=body, headers=headers | key())
        assert answer.status_code == status, answer.text
        return answer.json()


async def test_from_receipt_to_the_points_over_http(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await let_reports_earn(ground.town)
    ask, town = Asking(client, ground), ground.town
    area = str(town.areas[BUILDING])
    assert len(await ask("张桂兰", "GET", "/matter-categories?kind=report")) == 20
    assert await ask("张桂兰", "GET", f"/matters/similar?category=street_light&area_id={area}") == []
    wanted = {"kind": "report", "category": "street_light", "area_id": area, "said": "灯坏了"}
    opened = await ask("张桂兰", "POST", "/matters", wanted, 201)
    assert opened.keys() == {"id", "number", "status", "due_at", "texts"}
    one = f"/matters/{opened['id']}"
    assert (await ask("张桂兰", "GET", f"/matters/by-number/{opened['number']}"))["status"] == "received"
    assert (await ask("张桂兰", "POST", f"{one}/dispatch", {}, 403))["code"] == "forbidden"
    sent = await ask(GRID_HEAD, "POST", f"{one}/dispatch", {"unit_id": str(ground.units[FIRM])})
    assert sent["in_words"] == "已派出"
    assert (await ask("周敏", "POST", f"{one}/take", None, 403))["code"] == "forbidden"
    await ask(CONTACT, "POST", f"{one}/take")
    assert (await ask(LEADER, "POST", f"{one}/finish", {}, 403))["code"] == "forbidden"
    assert (await ask(CONTACT, "POST", f"{one}/return", {}, 422))["code"] == "reason_missing"
    await ask(CONTACT, "POST", f"{one}/finish", {"result": "换了灯泡"})
    assert (await ask(CONTACT, "POST", f"{one}/finish", {"result": "换了灯泡"}, 409))["code"] == "matter_moved_on"
    assert (await ask("周敏", "POST", f"{one}/rating", {"solved": True, "stars": 5}, 403))["code"] == "not_the_reporter"
    await ask("张桂兰", "POST", f"{one}/rating", {"solved": True, "stars": 4, "words": "很快"})
    confirmed = await ask(GRID_HEAD, "POST", f"{one}/confirm", {"verified": "true"})
    assert confirmed["award"] == {"points": 5, "rule": "发现并上报隐患"}
    listed = await ask("赵丽", "GET", "/matters?status=closed&kind=report")
    assert [each["id"] for each in listed["items"]] == [opened["id"]]
    with clock.at(MORNING + timedelta(days=8)):
        await credit_due_deeds(town.system())
        assert (await ask("张桂兰", "GET", "/me/balances"))["points"]["available"] == 5
        assert (await check_ledger(town.system())).problems == []
        await owner.execute("UPDATE deed SET source_id = gen_random_uuid() WHERE source_kind = 'matter'")
        problems = (await check_ledger(town.system())).problems
    assert [each.code for each in problems] == ["deed_without_matter"]


async def test_forged_hours_are_found(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = (await ground.open("李秀英", kind="order", category="repair")).id
    await ground.dispatch(matter, team_id=ground.team)
    await ground.take(matter, by=LEADER)
    with clock.at(MORNING + timedelta(hours=2)):
        began = MORNING + timedelta(hours=1)
        await ground.finish(matter, by=LEADER, started_at=began, ended_at=began + timedelta(minutes=30))
        await ground.rate(matter, by="李秀英")
        await ground.confirm(matter)
        assert (await check_ledger(ground.town.system())).problems == []
        await owner.execute("UPDATE matter_helper SET person_id = $1", ground.town.people["周敏"])
        problems = (await check_ledger(ground.town.system())).problems
    assert [each.code for each in problems] == ["record_without_help"]


async def test_the_same_request_again_opens_nothing_new(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers = await ground.town.sign_in("张桂兰")
    wanted = {
        "kind": "report", "category": "noise", "area_id": str(ground.town.areas[BUILDING]), "said": "夜里吵",
    }  # fmt: skip
    without = await client.post(f"{API}/matters", json=wanted, headers=headers)
    assert without.json()["code"] == "idempotency_key_missing"
    headers |= key()
    answers = [(await client.post(f"{API}/matters", json=wanted, headers=headers)).json() for _each in range(2)]
    assert answers[0] == answers[1]
    by_nonce = wanted | {"nonce": "phone-4071-5520"}
    unkeyed = await ground.town.sign_in("张桂兰")
    again = [(await client.post(f"{API}/matters", json=by_nonce, headers=unkeyed)).json() for _each in range(2)]
    assert again[0] == again[1]
    assert await owner.fetchval("SELECT count(*) FROM matter") == 2
