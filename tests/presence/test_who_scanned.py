"""Whoever scanned a visit does not review it; neither this nor the price of a redemption is read from the audit log."""

from uuid import UUID

import asyncpg
import httpx
import pytest

from admin.reviews import not_decidable_by
from tests.matrix.test_told import ROOT
from tests.support.presence import later, nine_o_clock, nonce, personal_code, points_of, record_id_of, scanned
from tests.support.shop import API, key, reserve
from tests.support.town import Town
from timebank.core import clock
from timebank.inbox import kinds
from timebank.ledger.checking.check import check_ledger
from timebank.presence.scanning import scan_by_hand
from timebank.presence.schemas import ScanIn
from timebank.presence.undoing.visits import undo_check_in
from timebank.service_records import reading
from timebank.shop.goods import change_good
from timebank.shop.schemas import GoodChange

HTML = {"Accept": "text/html"}
RECORDS = f"{API}/service-records"


async def by_hand(town: Town, owner: asyncpg.Connection, name: str, who_in: str, who_out: str) -> UUID:
    """Check the person in and, an hour later, out by hand; return the id of the service record."""
    begin, station = nine_o_clock(), town.stations["暖蜂驿站"]
    for who, minutes in ((who_in, 0), (who_out, 60)):
        with later(begin, minutes):
            await scan_by_hand(
                await town.scope(who), town.people[name], ScanIn(code="hand", nonce=nonce(), station_id=station)
            )
    return await record_id_of(owner, town, name)


async def approves(town: Town, client: httpx.AsyncClient, name: str, record_id: UUID) -> tuple[int, str]:
    answer = await client.post(
        f"{RECORDS}/{record_id}/review", json={"decision": "approve"}, headers=await town.sign_in(name)
    )
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize("ends", [("赵丽", "周敏"), ("周敏", "赵丽"), ("赵丽", "赵丽")])
async def test_an_administrator_who_scanned_does_not_approve_whatever_becomes_of_the_audit(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, ends: tuple[str, str]
) -> None:
    record_id = await by_hand(town, owner, "张桂兰", *ends)
    await owner.execute("DELETE FROM audit")
    assert await approves(town, client, "赵丽", record_id) == (403, "own_record")
    assert await points_of(town, "张桂兰") == 0, "the hour is kept back"
    headers = await town.sign_in("赵丽")
    rejects = {"decision": "reject", "note": "没来"}
    refused = await client.post(f"{RECORDS}/{record_id}/review", json=rejects, headers=headers)
    assert refused.json()["code"] == "own_record"
    assert (await approves(town, client, "钱进", record_id))[0] == 200, "the street decides"
    assert await points_of(town, "张桂兰") == 10


async def test_an_audit_row_stops_nobody_who_did_not_scan(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    record_id = await by_hand(town, owner, "张桂兰", "周敏", "周敏")
    await owner.execute("UPDATE audit SET login_id = $1", town.logins["赵丽"])
    assert (await approves(town, client, "赵丽", record_id))[0] == 200


async def test_whoever_scanned_a_code_does_not_approve_what_is_doubtful_about_it_either(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin, admin, station = nine_o_clock(), await town.scope("赵丽"), town.stations["暖蜂驿站"]
    for minutes in (0, 60):
        with later(begin, minutes):
            await scanned(admin, personal_code(town, "周敏"), station_id=station)
    record_id = await record_id_of(owner, town, "周敏")
    assert await approves(town, client, "赵丽", record_id) == (403, "own_record")
    assert await points_of(town, "周敏") == 0
    assert (await approves(town, client, "钱进", record_id))[0] == 200


async def test_whoever_scanned_does_not_restore_what_was_reversed(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    record_id = await by_hand(town, owner, "张桂兰", "赵丽", "周敏")
    assert (await approves(town, client, "钱进", record_id))[0] == 200
    street, admin, person = [await town.sign_in(name) for name in ("钱进", "赵丽", "张桂兰")]
    address = f"{RECORDS}/{record_id}"
    taken = await client.post(f"{address}/reversal", json={"reason": "没来"}, headers=street | key())
    assert taken.status_code == 200
    objection = await client.post(f"{address}/objections", json={"reason": "我来了"}, headers=person)
    assert objection.status_code == 201, objection.text
    address = f"{API}/objections/{objection.json()['id']}/decision"
    decided = {"upheld": True, "note": "来了"}
    refused = await client.post(address, json=decided, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (403, "party_to_deed")
    for reader, offered in ((admin, False), (street, True)):
        page = await client.get(f"/admin/objections/{objection.json()['id']}", headers=reader | HTML)
        assert ('name="upheld"' in page.text) is offered
    assert await points_of(town, "张桂兰") == 0
    assert (await client.post(address, json=decided, headers=street)).status_code == 200
    assert await points_of(town, "张桂兰") == 10


async def test_a_visit_keeps_who_sent_each_of_its_scans(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    with clock.at(begin):
        await scanned(await town.scope("周敏"), personal_code(town, "张桂兰"))
    visit = await owner.fetchrow("SELECT id, in_by_login, out_by_login FROM visit")
    assert visit is not None
    assert (visit["in_by_login"], visit["out_by_login"]) == (town.logins["周敏"], None)
    with later(begin, 0.5):
        await undo_check_in(await town.scope("周敏"), UUID(bytes=visit["id"].bytes))
    assert await owner.fetchval("SELECT out_by_login FROM visit") == town.logins["周敏"]


async def test_the_page_offers_no_decision_to_whoever_scanned(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    record_id = await by_hand(town, owner, "张桂兰", "赵丽", "周敏")
    for name, offered in (("赵丽", False), ("钱进", True)):
        page = await client.get(f"/admin/reviews/{record_id}", headers=await town.sign_in(name) | HTML)
        assert (page.status_code, 'value="approve"' in page.text) == (200, offered), name


async def test_the_price_of_a_redemption_is_known_without_the_audit(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await town.credit_deed("张桂兰", 200)
    assert (await reserve(client, town, "张桂兰", "香皂")).status_code == 201
    admin = await town.scope("赵丽")
    await change_good(admin, town.goods["香皂"], GoodChange(points=9))
    assert (await reserve(client, town, "张桂兰", "香皂")).status_code == 201
    await change_good(admin, town.goods["香皂"], GoodChange(points=30))
    await owner.execute("DELETE FROM audit")
    assert (await check_ledger(town.system())).problems == []
    await owner.execute("INSERT INTO audit (community_id, id, at, via, request_id, verb, noun, noun_id, change) "
                        "VALUES ($1, $2, now(), 'api', '', 'change_good', 'good', $3, '{\"points\": 4}')",
                        town.community, clock.new_id(), town.goods["香皂"])  # fmt: skip
    await owner.execute("UPDATE redemption SET points = 4 WHERE points = 9")
    found = {problem.code for problem in (await check_ledger(town.system())).problems}
    assert "redemption_off_price" in found, "an audit row makes no price"


def test_no_verb_decides_by_the_audit() -> None:
    """Only the demo, for the progress of its own seeding, and the audit trail select from the audit table."""
    readers = {
        str(path.relative_to(ROOT)) for path in (ROOT / "timebank").rglob("*.py")
        if any(f"{word} audit" in path.read_text(encoding="utf-8") for word in ("FROM", "JOIN"))
    }  # fmt: skip
    assert readers <= {"timebank/demo/settling.py", "timebank/trail/reading.py"}


async def test_a_record_that_one_scanned_waits_for_somebody_else_in_the_panel(
    town: Town, owner: asyncpg.Connection
) -> None:
    await by_hand(town, owner, "张桂兰", "周敏", "赵丽")
    for name, mine in (("赵丽", 0), ("钱进", 1)):
        caller = await town.scope(name, town.community)
        found = await reading.list_records(caller, status="pending")
        assert len(found.items) - len(await not_decidable_by(caller, found.items)) == mine
        assert (await kinds.decidable(caller, kinds.kind_of("service_record"))).mine == mine
