"""Offline scans that arrive late: check-outs of forgotten visits, whole past visits, and forged clocks."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.counter import kept_scope
from tests.support.presence import body, card, count, later, nine_o_clock, nonce, personal_code, points_of, station_code
from tests.support.town import Town, operating
from timebank.access.devices import devices
from timebank.core import clock
from timebank.core.wording import note_in_words
from timebank.presence.forgotten import close_forgotten

BATCH, CHECKINS = "/api/v1/checkins/batch", "/api/v1/checkins"


async def closes_at_noon(owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE station SET opens_at = '08:00', closes_at = '12:00'")


def row(code: str, at: datetime, **more: object) -> dict[str, object]:
    return body(code, offline=True, occurred_at=at.isoformat()) | more


async def send(
    town: Town, client: httpx.AsyncClient, at: datetime, rows: list[dict[str, object]], by: str = "周敏",
    **more: object,
) -> list[dict[str, Any]]:  # fmt: skip
    sent = {"rows": rows, "device_now": at.isoformat()} | more
    with clock.at(at):
        answer = await client.post(BATCH, json=sent, headers=await town.sign_in(by))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def came(town: Town, client: httpx.AsyncClient, at: datetime) -> None:
    """Check 张桂兰 in by the code of the station's display."""
    with clock.at(at):
        answer = await client.post(CHECKINS, json=body(station_code(town)), headers=await town.sign_in("张桂兰"))
    assert answer.json()["direction"] == "in", answer.text


async def review(town: Town, client: httpx.AsyncClient, record_id: str, by: str, decision: str = "approve") -> int:
    asked = {"decision": decision, "note": "看过"}
    address = f"/api/v1/service-records/{record_id}/review"
    return (await client.post(address, json=asked, headers=await town.sign_in(by))).status_code


async def test_a_check_out_that_comes_in_after_closing_is_the_real_end_and_waits_for_a_look(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    with later(begin, 240):
        assert await close_forgotten(town.system()) == 1
    assert await owner.fetchval("SELECT minutes FROM service_record") == 180
    late = row(code, begin + timedelta(minutes=120))
    (left,) = await send(town, client, begin + timedelta(hours=8), [late])
    assert (left["status"], left["direction"], left["visit"]["minutes"]) == ("ok", "out", 120)
    assert left["attention"] == ["offline", "offline_late", "pending_review"]
    visit = await owner.fetchrow("SELECT status, out_by, out_at FROM visit")
    record = await owner.fetchrow("SELECT status, minutes, flags FROM service_record")
    assert visit is not None
    assert record is not None
    assert tuple(visit) == ("closed", "card", begin + timedelta(minutes=120))
    assert tuple(record) == ("pending", 120, ["offline", "offline_late"])
    assert await points_of(town, "张桂兰") == 0
    (again,) = await send(town, client, begin + timedelta(hours=9), [late])
    assert (again["replayed"], again["record_id"]) == (True, left["record_id"])
    assert await review(town, client, left["record_id"], "赵丽") == 200
    assert await points_of(town, "张桂兰") == 20


async def test_a_late_check_out_finds_its_visit_while_the_person_is_in_again(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(2), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    await came(town, client, begin + timedelta(days=1))
    rows = [row(code, begin + timedelta(minutes=90)), row(code, begin + timedelta(minutes=90, seconds=20))]
    first, second = await send(town, client, begin + timedelta(days=1, minutes=30), rows)
    assert (first["direction"], first["visit"]["minutes"]) == ("out", 90)
    assert second["record_id"] == first["record_id"]
    assert await count(owner, "visit", "status = 'open'") == 1


async def test_a_late_check_out_after_the_doors_closed_counts_up_to_closing_time(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    with later(begin, 240):
        assert await close_forgotten(town.system()) == 1
    results = await send(
        town, client, begin + timedelta(hours=8),
        [row(code, begin + timedelta(minutes=minutes)) for minutes in (209, 211)],
    )  # fmt: skip
    assert (results[0]["direction"], results[0]["visit"]["minutes"]) == ("out", 180)
    assert results[1]["reason"] == "closed_station"


@pytest.mark.parametrize("decision", ["approve", "reject"])
async def test_a_late_check_out_changes_nothing_that_somebody_has_decided(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, decision: str
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    with later(begin, 240):
        assert await close_forgotten(town.system()) == 1
    record_id = str(await owner.fetchval("SELECT id FROM service_record"))
    assert await review(town, client, record_id, "赵丽", decision) == 200
    had = await points_of(town, "张桂兰")
    before = [tuple(r) for r in await owner.fetch("SELECT * FROM visit")]
    (refused,) = await send(town, client, begin + timedelta(hours=8), [row(code, begin + timedelta(minutes=60))])
    assert (refused["status"], refused["reason"]) == ("error", "overlap")
    assert "社区已经核对过了" in refused["texts"][0]
    assert [tuple(r) for r in await owner.fetch("SELECT * FROM visit")] == before
    assert await owner.fetchval("SELECT minutes FROM service_record") == 180
    assert await points_of(town, "张桂兰") == had == (30 if decision == "approve" else 0)


async def test_a_late_check_out_replaces_an_end_that_an_administrator_entered(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    with later(begin, 240):
        assert await close_forgotten(town.system()) == 1
    record_id = str(await owner.fetchval("SELECT id FROM service_record"))
    asked = {"ended_at": (begin + timedelta(minutes=170)).isoformat(), "reason": "问过本人"}
    headers = await town.sign_in("赵丽")
    assert (await client.patch(f"/api/v1/service-records/{record_id}", json=asked, headers=headers)).status_code == 200
    (left,) = await send(town, client, begin + timedelta(hours=8), [row(code, begin + timedelta(minutes=60))])
    assert (left["visit"]["minutes"], left["record_id"]) == (60, record_id)
    assert await review(town, client, record_id, "赵丽") == 403, "who had entered an end does not approve it"
    assert await review(town, client, record_id, "钱进") == 200
    assert await points_of(town, "张桂兰") == 10


async def test_a_visit_that_waited_on_a_tablet_is_kept_though_the_person_is_in_again(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin + timedelta(hours=4))
    rows = [row(code, begin), row(code, begin + timedelta(seconds=30)), row(code, begin + timedelta(minutes=60))]
    results = await send(town, client, begin + timedelta(hours=5), rows)
    assert [(r["status"], r["direction"]) for r in results] == [("ok", "in"), ("ok", "in"), ("ok", "out")]
    assert (results[2]["visit"]["minutes"], results[2]["attention"][0]) == (60, "offline")
    assert await count(owner, "visit") == 2
    with later(begin + timedelta(hours=4), 120):
        sent = body(station_code(town))
        left = (await client.post(CHECKINS, json=sent, headers=await town.sign_in("张桂兰"))).json()
    assert left["credited"]["minutes"] == 120, "the visit that was scanned here is clean"
    assert await points_of(town, "张桂兰") == 20
    assert await count(owner, "service_record", "status = 'pending' AND minutes = 60") == 1


async def test_a_lone_check_in_that_waited_is_a_forgotten_visit_until_the_next_began(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin + timedelta(hours=2))
    (result,) = await send(town, client, begin + timedelta(hours=3), [row(code, begin)])
    assert result["direction"] == "in"
    found = await owner.fetchrow("SELECT minutes, status, flags FROM service_record")
    assert found is not None
    assert tuple(found) == (120, "pending", ["offline", "offline_late", "forgotten_check_out"])
    assert await points_of(town, "张桂兰") == 0


async def test_a_late_end_and_a_worker_and_a_reviewer_at_once_leave_one_end(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    at = begin + timedelta(hours=8)
    late = [row(code, begin + timedelta(minutes=minutes)) for minutes in (60, 70, 80)]
    with clock.at(at):
        await asyncio.gather(close_forgotten(town.system()), *(send(town, client, at, [one]) for one in late))
    record_id = str(await owner.fetchval("SELECT id FROM service_record WHERE minutes IN (60, 70, 80)"))
    assert await count(owner, "service_record", "minutes IN (60, 70, 80)") == 1
    assert await points_of(town, "张桂兰") == 0
    assert await review(town, client, record_id, "赵丽") == 200
    assert await points_of(town, "张桂兰") in (10, 11, 13)


@pytest.mark.parametrize("ahead", [timedelta(hours=-9), timedelta(hours=-2), timedelta(hours=9), timedelta(days=36500)])
async def test_a_keeper_who_forges_the_clock_of_a_tablet_moves_no_balance(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, ahead: timedelta
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    rows = [row(code, begin + ahead), row(code, begin + ahead + timedelta(minutes=180))]
    results = await send(
        town, client, begin + timedelta(hours=4), rows, device_now=(begin + ahead + timedelta(hours=4)).isoformat()
    )
    assert results[1]["visit"]["minutes"] == 180
    assert "skew" in results[1]["attention"]
    assert await points_of(town, "张桂兰") == 0
    assert await count(owner, "service_record", "status = 'pending' AND 'offline' = ANY (flags)") == 1
    assert await count(owner, "transfer") == 0


async def test_each_row_with_a_clock_of_its_own_stretches_nothing_that_is_credited(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    at = begin + timedelta(minutes=5)
    rows = [
        row(code, begin, device_now=(at + timedelta(hours=2)).isoformat()),
        row(code, begin + timedelta(minutes=4), device_now=at.isoformat()),
    ]
    results = await send(town, client, at, rows)
    assert [r["direction"] for r in results] == ["in", "out"], "judged in the order in which they were made"
    assert results[1]["visit"]["minutes"] == 124
    assert await points_of(town, "张桂兰") == 0


async def test_one_offline_end_of_two_holds_the_credit_back(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code, keeper = nine_o_clock(), await card(town, owner, "张桂兰"), await town.sign_in("周敏")
    await send(town, client, begin + timedelta(minutes=14), [row(code, begin)])
    with later(begin, 14.03):
        sent = body(code, direction="out")
        left = (await client.post(CHECKINS, json=sent, headers=keeper)).json()
    assert (left["visit"]["minutes"], left["credited"]["points"]) == (14, 0)
    assert left["attention"] == ["offline", "pending_review"], "14 minutes back-dated are not credited in two seconds"
    assert await points_of(town, "张桂兰") == 0


async def test_a_time_that_is_told_with_a_scan_sent_at_once_counts_for_nothing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code, keeper = nine_o_clock(), await card(town, owner, "张桂兰"), await town.sign_in("周敏")
    told = {"occurred_at": (begin - timedelta(minutes=14)).isoformat(), "device_now": begin.isoformat()}
    with clock.at(begin):
        came_in = (await client.post(CHECKINS, json=body(code) | told, headers=keeper)).json()
    assert datetime.fromisoformat(came_in["visit"]["in_at"]) == begin
    with later(begin, 2 / 60):
        left = (await client.post(CHECKINS, json=body(code, direction="out"), headers=keeper)).json()
    assert (left["reason"], left["credited"]["points"]) == ("too_short", 0)


async def test_one_nonce_from_two_tablets_at_once_is_one_scan(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    same = row(code, begin, nonce=nonce())
    tablets = []
    with clock.at(begin - timedelta(days=1)):
        for station in ("暖蜂驿站", "暖蜂驿站", "慈善超市"):
            async with operating():
                made = await devices.register_device(town.system(), town.stations[station], name="平板", kind="counter")
            tablets.append({"Authorization": f"Bearer {made.token}"})
            with clock.at(begin - timedelta(minutes=5)):
                await kept_scope(town, made.token, "赵丽")

    async def sent_by(tablet: dict[str, str]) -> dict[str, Any]:
        with clock.at(begin + timedelta(minutes=5)):
            answer = await client.post(BATCH, json={"rows": [same]}, headers=tablet)
        found: dict[str, Any] = answer.json()["results"][0]
        return found

    both = await asyncio.gather(*(sent_by(tablet) for tablet in tablets[:2]))
    assert sorted(result["replayed"] for result in both) == [False, True]
    assert {(result["status"], result["direction"]) for result in both} == {("ok", "in")}
    elsewhere = await sent_by(tablets[2])
    assert (elsewhere["status"], elsewhere["person"]) == ("error", None), "another station hears nobody's name"
    assert "nonce" in elsewhere["texts"][0]
    assert (await count(owner, "scan"), await count(owner, "visit")) == (1, 1)


async def test_a_hundred_rows_of_one_person_in_any_order_are_whole_visits_in_turn(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    rows = [row(code, begin + timedelta(minutes=8 * number)) for number in range(100)]
    shuffled = [rows[(37 * place) % 100] for place in range(100)]
    results = await send(town, client, begin + timedelta(minutes=800), shuffled)
    by_nonce = {sent["nonce"]: result for sent, result in zip(shuffled, results, strict=True)}
    directions = [by_nonce[one["nonce"]]["direction"] for one in rows]
    assert directions == ["in", "out"] * 50
    assert await count(owner, "service_record", "minutes = 8 AND status = 'pending' AND 'skew' = ANY (flags)") == 50
    assert await points_of(town, "张桂兰") == 0


async def test_a_phones_code_proves_its_minute_to_a_late_end_too(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin = nine_o_clock()
    await came(town, client, begin)
    with later(begin, 240):
        assert await close_forgotten(town.system()) == 1
    with later(begin, 30):
        shown = personal_code(town, "张桂兰")
    (forged,) = await send(town, client, begin + timedelta(hours=8), [row(shown, begin + timedelta(minutes=170))])
    assert forged["reason"] == "expired_code", "a code of half past nine is no proof of ten to twelve"
    (left,) = await send(town, client, begin + timedelta(hours=8), [row(shown, begin + timedelta(minutes=30))])
    assert left["visit"]["minutes"] == 30


async def test_a_card_that_was_lost_after_it_was_scanned_offline_counts_until_then(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await owner.execute("UPDATE card SET revoked_at = $1", begin + timedelta(minutes=100))
    rows = [row(code, begin + timedelta(minutes=minutes)) for minutes in (0, 60, 101)]
    results = await send(town, client, begin + timedelta(minutes=150), rows)
    assert [(r["status"], r["reason"], r["direction"]) for r in results] == [
        ("ok", None, "in"), ("ok", None, "out"), ("error", "revoked", None),
    ]  # fmt: skip
    with later(begin, 151):
        sent = body(code)
        at_once = (await client.post(CHECKINS, json=sent, headers=await town.sign_in("周敏"))).json()
    assert at_once["reason"] == "revoked"
    assert await points_of(town, "张桂兰") == 0, "whatever the device says of the time is looked at"


async def test_a_late_check_out_after_a_few_minutes_takes_the_forgotten_hours_away(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await closes_at_noon(owner)
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    await came(town, client, begin)
    with later(begin, 240):
        assert await close_forgotten(town.system()) == 1
    (left,) = await send(town, client, begin + timedelta(hours=8), [row(code, begin + timedelta(minutes=3))])
    assert (left["status"], left["reason"], left["visit"]["minutes"]) == ("incomplete", "too_short", 3)
    found = await owner.fetchrow("SELECT status, minutes, review_said FROM service_record")
    assert found is not None
    assert (found["status"], found["minutes"]) == ("rejected", 3)
    assert "不足 5 分钟" in (note_in_words(found["review_said"], None) or "")
    assert await review(town, client, left["record_id"], "赵丽") == 409
    assert await points_of(town, "张桂兰") == 0
