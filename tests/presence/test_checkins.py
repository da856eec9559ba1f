"""Check-in and check-out by scan: verdicts, refusals, one verdict per nonce, and races."""

import asyncio
from datetime import time, timedelta

import asyncpg
import httpx
import pytest

from tests.support.counter import kept_scope
from tests.support.presence import (
    body,
    card,
    count,
    later,
    nine_o_clock,
    nonce,
    personal_code,
    points_of,
    scanned,
    served,
    station_code,
)
from tests.support.town import SPRING, Town
from timebank.access.devices import devices
from timebank.activities import shifts
from timebank.activities.schemas import ShiftIn
from timebank.core import clock, codes
from timebank.core.errors import Forbidden
from timebank.ledger.posting import Currency
from timebank.ledger.statement import statement
from timebank.presence.evidence.browsers import Browser
from timebank.presence.evidence.claims import binding_hash, new_claim, read_claim
from timebank.presence.scanning import NonceReused, scan, scan_by_hand
from timebank.presence.schemas import ScanIn
from timebank.service_records.visits import open_visit

CHECKINS = "/api/v1/checkins"


# ----------------------------------------------------------------------------------------------- the volunteer's phone


async def test_scanning_in_and_out_credits_the_minutes_at_once(town: Town) -> None:
    left = await served(town, "张桂兰", 135)
    assert (left.status, left.direction, left.reason) == ("ok", "out", None)
    assert (left.credited.minutes, left.credited.points, left.credited.minutes_left) == (135, 22, 3)
    assert left.texts() == ["服务 2 小时 15 分，积分 +22。", "余 3 分钟记入时间账户。"]
    assert left.visit is not None
    assert (left.visit.station, left.visit.activity, left.visit.minutes) == ("暖蜂驿站", "站点值守", 135)
    lines = (await statement(town.system(), town.people["张桂兰"], Currency.point)).items
    assert [line.reason() for line in lines] == ["2 小时 15 分 · 暖蜂驿站 · 志愿服务，6 分钟 = 1 分"]
    assert await points_of(town, "张桂兰") == 22


async def test_over_http_a_scan_answers_as_the_contract_says(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.post(CHECKINS, json=body(station_code(town)))).status_code == 401
    headers, asked = await town.sign_in("张桂兰"), body(station_code(town), direction="in")
    answer = await client.post(CHECKINS, json=asked, headers=headers)
    told = answer.json()
    assert (answer.status_code, told["status"], told["reason"], told["replayed"]) == (200, "ok", None, False)
    assert told["person"] == {"id": str(town.people["张桂兰"]), "name": "张桂兰", "masked_name": "张*"}
    assert told["visit"]["out_at"] is None
    assert told["credited"]["points"] == 0
    again = await client.post(CHECKINS, json=asked, headers=headers)
    assert again.json() == told | {"replayed": True}


@pytest.mark.parametrize(
    "asked",
    [
        {"code": "c/x", "nonce": "short"},
        {"code": "c/x", "nonce": "!" * 30},
        {"code": "c/x"},
        {"nonce": "a" * 32},
        {"code": "c/x", "nonce": "a" * 32, "direction": "sideways"},
        {"code": "c/\u0000", "nonce": "a" * 32},
        {"code": "长" * 601, "nonce": "a" * 32},
        {"code": "c/x", "nonce": "a" * 32, "occurred_at": "yesterday"},
        {"code": "c/x", "nonce": "a" * 32, "occurred_at": "2026-01-01T08:00:00"},
        {"code": "c/x", "nonce": "a" * 32, "colour": "red"},
    ],
)
async def test_a_malformed_scan_is_a_bad_request(
    town: Town, client: httpx.AsyncClient, asked: dict[str, object]
) -> None:
    answer = await client.post(CHECKINS, json=asked, headers=await town.sign_in("张桂兰"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "code",
    ["hello", "https://evil.example/c/abc", "c/AAAA", "c/" + "A" * 61, "k/" + "A" * 131, "x/1"],
)
async def test_what_is_no_code_of_ours_is_refused_and_kept(town: Town, owner: asyncpg.Connection, code: str) -> None:
    verdict = await scanned(await town.scope("张桂兰"), code)
    assert (verdict.status, verdict.reason) == ("error", "invalid_code")
    assert await count(owner, "scan", "status = 'error' AND reason = 'invalid_code'") == 1
    assert await count(owner, "visit") == 0


async def test_a_code_of_an_unknown_community_is_kept_under_the_callers_own(
    town: Town, owner: asyncpg.Connection
) -> None:
    stray = codes.url("c", codes.station_code(clock.new_id(), clock.new_id(), 1, clock.now()))
    verdict = await scanned(await town.scope("张桂兰"), stray)
    assert verdict.reason == "wrong_station"
    assert await count(owner, "scan", "community_id = $1", town.community) == 1


async def test_a_code_is_accepted_for_its_step_and_the_next_and_not_longer(town: Town) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        code = station_code(town)
    with clock.at(begin + timedelta(seconds=31)):
        late = await scanned(scope, code)
    assert late.reason == "expired_code"
    assert late.texts() == ["这个码已过期（09:00:15）。请对准屏幕再扫一次。"]
    with clock.at(begin - timedelta(seconds=1)):
        assert (await scanned(scope, code)).reason == "expired_code"
    with clock.at(begin + timedelta(seconds=29)):
        assert (await scanned(scope, code)).status == "ok"


async def test_a_screen_code_sent_as_offline_is_still_judged_by_the_servers_clock(town: Town) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        code = station_code(town)
    with later(begin, 10):
        assert (await scanned(scope, code, offline=True, occurred_at=begin)).reason == "expired_code"


async def test_a_code_made_under_an_old_key_is_refused(town: Town) -> None:
    assert (await scanned(await town.scope("张桂兰"), station_code(town, epoch=2))).reason == "invalid_code"


async def test_another_communitys_station_is_the_wrong_one(town: Town, owner: asyncpg.Connection) -> None:
    verdict = await scanned(await town.scope("张桂兰"), station_code(town, "龙泉驿站"))
    assert (verdict.status, verdict.reason) == ("error", "wrong_station")
    assert await count(owner, "scan", "community_id = $1", town.communities[SPRING]) == 0


async def test_a_resident_of_two_communities_checks_in_where_the_code_hangs(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.communities[SPRING], town.logins["张桂兰"], town.people["马涛"], clock.now(),
    )  # fmt: skip
    verdict = await scanned(await town.scope("张桂兰"), station_code(town, "龙泉驿站"))
    assert verdict.status == "ok"
    assert verdict.person is not None
    assert verdict.person.id == town.people["马涛"]


async def test_a_second_scan_within_a_minute_is_the_same_scan(town: Town, owner: asyncpg.Connection) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        first = await scanned(scope, station_code(town))
    with clock.at(begin + timedelta(seconds=59)):
        second = await scanned(scope, station_code(town))
    assert (second.status, second.direction, second.visit) == ("ok", "in", first.visit)
    with later(begin, 60):
        out = await scanned(scope, station_code(town))
    with clock.at(begin + timedelta(minutes=60, seconds=30)):
        again = await scanned(scope, station_code(town))
    assert (out.direction, again.direction, again.credited.points) == ("out", "out", 10)
    assert await count(owner, "visit") == 1
    assert await points_of(town, "张桂兰") == 10


async def test_asking_for_a_direction_is_answered_when_it_cannot_be(town: Town) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        assert (await scanned(scope, station_code(town), direction="out")).reason == "not_in"
        assert (await scanned(scope, station_code(town), direction="in")).status == "ok"
    with later(begin, 5):
        refused = await scanned(scope, station_code(town), direction="in")
    assert (refused.reason, refused.texts()) == ("already_in", [refused.texts()[0]])
    assert "09:00" in refused.texts()[0]


async def test_while_in_elsewhere_one_is_told_where_to_check_out(town: Town) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        await scanned(scope, station_code(town))
    with later(begin, 20):
        verdict = await scanned(scope, station_code(town, "慈善超市"))
    assert (verdict.status, verdict.reason) == ("error", "open_elsewhere")
    assert "暖蜂驿站" in verdict.texts()[0]


async def test_a_visit_left_open_yesterday_does_not_stand_in_the_way_today(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock(2)
    with clock.at(begin):
        await scanned(scope, station_code(town))
    with later(begin, 24 * 60):
        verdict = await scanned(scope, station_code(town, "慈善超市"))
    assert (verdict.status, verdict.direction) == ("ok", "in")
    assert await count(owner, "visit", "status = 'needs_confirmation' AND out_by = 'closing_time'") == 1
    assert await count(owner, "service_record", "status = 'pending' AND 'forgotten_check_out' = ANY (flags)") == 1
    assert await points_of(town, "张桂兰") == 0


async def test_a_few_minutes_are_too_short_to_count(town: Town, owner: asyncpg.Connection) -> None:
    left = await served(town, "张桂兰", 4)
    assert (left.status, left.reason, left.credited.points) == ("incomplete", "too_short", 0)
    assert await count(owner, "service_record") == 0
    assert await count(owner, "visit", "status = 'closed'") == 1


async def test_a_closed_station_takes_nobody_in_and_lets_everybody_out(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE station SET opens_at = '08:00', closes_at = '12:00'")
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with later(begin, 181):
        shut = await scanned(scope, station_code(town))
    assert (shut.reason, shut.texts()) == (
        "closed_station", ["暖蜂驿站现在不开门（08:00–12:00）。请在开门时间来签到。"],
    )  # fmt: skip
    with clock.at(begin):
        await scanned(scope, station_code(town))
    with later(begin, 190):
        out = await scanned(scope, station_code(town))
    assert (out.direction, out.credited.minutes) == ("out", 180), "only the hours while it is open count"


async def test_a_station_that_was_given_up_takes_nobody(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE station SET active = false")
    assert (await scanned(await town.scope("张桂兰"), station_code(town))).reason == "closed_station"


# --------------------------------------------------------------------------------------------------- claims and phones


async def test_a_claim_keeps_the_time_of_arrival_for_two_minutes(town: Town) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        text = station_code(town)
        code = codes.read(text)
        assert isinstance(code, codes.StationCode)
        claim = new_claim(code, "phone", scope.session_id)
    assert claim is not None
    with clock.at(begin + timedelta(seconds=119)):
        found = read_claim(claim.token(), "phone")
        assert found == claim
        assert read_claim(claim.token(), "another phone") is None
        assert read_claim(claim.token()[:-2], "phone") is None
        verdict = await scan(scope, ScanIn(code=text, nonce=nonce()), claim=found)
        assert verdict.visit is not None
        assert (verdict.status, verdict.visit.in_at) == ("ok", begin)
        used = await scan(scope, ScanIn(code=text, nonce=nonce(), direction="out"), claim=found)
        assert used.reason == "expired_code", "a claim serves once"
    with clock.at(begin + timedelta(seconds=121)):
        assert read_claim(claim.token(), "phone") is None
        assert new_claim(code, "phone", scope.session_id) is None


async def test_one_phone_for_two_people_at_once_goes_to_review(town: Town) -> None:
    begin, phone = nine_o_clock(), binding_hash("one phone")
    scopes = [await town.scope("张桂兰"), await town.scope("李秀英")]
    for scope in scopes:
        with clock.at(begin):
            await scan(scope, ScanIn(code=station_code(town), nonce=nonce()), browser=Browser(phone))
    verdicts = []
    for scope in scopes:
        with later(begin, 60):
            verdicts.append(await scan(scope, ScanIn(code=station_code(town), nonce=nonce()), browser=Browser(phone)))
    assert [v.attention for v in verdicts] == [["same_device", "pending_review"]] * 2
    assert "同一部手机" in verdicts[0].texts()[0]
    assert await points_of(town, "张桂兰") == 0


async def test_the_keeper_of_a_station_is_not_credited_there_silently(town: Town) -> None:
    assert (await served(town, "周敏", 60)).attention == ["keeper_is_volunteer", "pending_review"]


# --------------------------------------------------------------------------------------------------------- the counter


async def test_a_keeper_scans_a_personal_code_in_and_out(town: Town) -> None:
    keeper, begin = await town.scope("周敏"), nine_o_clock()
    with clock.at(begin):
        seen = await scanned(keeper, personal_code(town, "张桂兰"))
    assert seen.person is not None
    assert (seen.status, seen.person.name) == ("ok", "张桂兰"), "the keeper who has just scanned sees the full name"
    with later(begin, 60):
        out = await scanned(keeper, personal_code(town, "张桂兰"))
    assert (out.credited.minutes, out.credited.points) == (60, 10)


async def test_a_card_is_accepted_at_a_counter_alone(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    code = await card(town, owner, "张桂兰")
    counter = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="平板", kind="counter"
    )
    wall = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="大屏", kind="display"
    )
    await kept_scope(town, counter.token)
    for headers, status in (
        (await town.sign_in("张桂兰"), 403),
        (await town.sign_in("孙伟"), 403),
        ({"Authorization": f"Bearer {wall.token}"}, 403),
        ({"Authorization": f"Bearer {counter.token}"}, 200),
    ):
        answer = await client.post(CHECKINS, json=body(code), headers=headers)
        assert answer.status_code == status
        assert status == 403 or answer.json()["person"]["name"] == "张桂兰"


async def test_a_revoked_card_and_a_blocked_resident_are_refused(town: Town, owner: asyncpg.Connection) -> None:
    keeper = await town.scope("周敏")
    assert (await scanned(keeper, await card(town, owner, "张桂兰", revoked=True))).reason == "revoked"
    replaced = await card(town, owner, "李秀英")
    await owner.execute("UPDATE card SET epoch = 2 WHERE person_id = $1", town.people["李秀英"])
    assert (await scanned(keeper, replaced)).reason == "revoked"
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["张国庆"])
    blocked = await scanned(keeper, await card(town, owner, "张国庆"))
    assert blocked.person is not None
    assert (blocked.reason, blocked.person.masked_name) == ("blocked", "张*")


async def test_a_personal_code_serves_a_minute_and_ends_when_its_epoch_rises(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper, begin = await town.scope("周敏"), nine_o_clock()
    with clock.at(begin):
        code = personal_code(town, "张桂兰")
    with clock.at(begin + timedelta(seconds=60)):
        assert (await scanned(keeper, code)).reason == "expired_code"
    await owner.execute("UPDATE person SET code_epoch = 2 WHERE id = $1", town.people["张桂兰"])
    with clock.at(begin):
        assert (await scanned(keeper, code)).reason == "invalid_code"


async def test_another_communitys_card_is_the_wrong_one_at_this_counter(town: Town, owner: asyncpg.Connection) -> None:
    assert (await scanned(await town.scope("周敏"), await card(town, owner, "马涛"))).reason == "wrong_station"


async def test_a_keeper_of_two_stations_says_which(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'station_keeper', $4, '2025-01-01', $5)",
        town.community, clock.new_id(), town.people["周敏"], town.stations["慈善超市"], clock.now(),
    )  # fmt: skip
    keeper, code = await town.scope("周敏"), await card(town, owner, "张桂兰")
    asked = await scanned(keeper, code)
    assert (asked.status, asked.reason) == ("incomplete", "ambiguous")
    chosen = await scanned(keeper, code, station_id=town.stations["慈善超市"])
    assert chosen.visit is not None
    assert (chosen.status, chosen.visit.station) == ("ok", "慈善超市")


async def test_a_keeper_does_not_scan_for_a_station_of_others(town: Town, owner: asyncpg.Connection) -> None:
    with pytest.raises(Forbidden):
        await scanned(await town.scope("周敏"), await card(town, owner, "张桂兰"), station_id=town.stations["慈善超市"])


async def test_a_child_needs_a_guardians_recorded_consent(town: Town, owner: asyncpg.Connection) -> None:
    keeper, code = await town.scope("周敏"), await card(town, owner, "刘小雨")
    assert (await scanned(keeper, code)).status == "ok"
    await owner.execute("DELETE FROM visit; UPDATE guardianship SET consented_at = NULL")
    assert (await scanned(keeper, code)).reason == "guardian_consent_missing"


async def test_who_was_found_by_name_is_checked_in_by_hand_and_looked_at(town: Town) -> None:
    keeper, begin = await town.scope("周敏"), nine_o_clock()
    with clock.at(begin):
        await scan_by_hand(keeper, town.people["张桂兰"], ScanIn(code="by hand", nonce=nonce()))
    with later(begin, 60):
        verdict = await scan_by_hand(keeper, town.people["张桂兰"], ScanIn(code="by hand", nonce=nonce()))
    assert verdict.attention == ["by_keeper", "pending_review"]
    with pytest.raises(Forbidden):
        await scan_by_hand(await town.scope("李秀英"), town.people["张桂兰"], ScanIn(code="by hand", nonce=nonce()))


# -------------------------------------------------------------------------------------------------------- offline rows


async def test_scans_that_waited_offline_are_taken_in_order_and_looked_at_when_late(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    code, begin = await card(town, owner, "张桂兰"), nine_o_clock()
    headers = await town.sign_in("周敏")
    times = [(begin + timedelta(minutes=m)).isoformat() for m in (0, 120, 125)]
    rows = [
        body(code, offline=True, occurred_at=times[0]), body(code, offline=True, occurred_at=times[1]),
        body("hello", offline=True, occurred_at=times[2]), {"nonce": "short"},
    ]  # fmt: skip
    with later(begin, 180):
        answer = await client.post(f"{CHECKINS}/batch", json={"rows": rows}, headers=headers)
        again = await client.post(f"{CHECKINS}/batch", json={"rows": rows}, headers=headers)
    results = answer.json()["results"]
    assert [(r["status"], r["reason"], r["direction"]) for r in results] == [
        ("ok", None, "in"), ("ok", None, "out"), ("error", "invalid_code", None), ("error", "error", None),
    ]  # fmt: skip
    assert results[1]["visit"]["minutes"] == 120
    assert results[1]["attention"] == ["offline", "offline_late", "pending_review"]
    assert [r["replayed"] for r in again.json()["results"]] == [True, True, True, False]
    assert await count(owner, "visit") == 1
    assert await points_of(town, "张桂兰") == 0


async def test_a_visit_whose_check_in_came_late_is_looked_at_too(town: Town, owner: asyncpg.Connection) -> None:
    keeper, code, begin = await town.scope("周敏"), await card(town, owner, "张桂兰"), nine_o_clock()
    with later(begin, 40):
        await scanned(keeper, code, offline=True, occurred_at=begin)
    with later(begin, 90):
        assert (await scanned(keeper, code)).attention == ["offline", "offline_late", "pending_review"]


async def test_a_scan_a_few_minutes_late_counts_from_when_it_was_made_and_is_looked_at(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper, code, begin = await town.scope("周敏"), await card(town, owner, "张桂兰"), nine_o_clock()
    with later(begin, 10):
        await scanned(keeper, code, offline=True, occurred_at=begin)
    with later(begin, 60):
        out = await scanned(keeper, code)
    assert (out.attention, out.visit.minutes if out.visit else 0) == (["offline", "pending_review"], 60)
    assert out.credited.minutes == 0


async def test_a_scan_older_than_two_days_or_inside_another_visit_is_refused(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper, code, begin = await town.scope("周敏"), await card(town, owner, "张桂兰"), nine_o_clock()
    await served(town, "张桂兰", 120, begin=begin)
    with later(begin, 180):
        inside = await scanned(keeper, code, offline=True, occurred_at=begin + timedelta(minutes=30))
        assert inside.reason == "overlap"
        old = await scanned(keeper, code, offline=True, occurred_at=begin - timedelta(hours=49))
        assert old.reason == "error"
        assert "48 小时" in old.texts()[0]


async def test_sent_at_once_and_again_as_offline_is_one_scan(town: Town, owner: asyncpg.Connection) -> None:
    keeper, same = await town.scope("周敏"), nonce()
    code, at = await card(town, owner, "张桂兰"), clock.now()
    first = await scan(keeper, ScanIn(code=code, nonce=same, occurred_at=at))
    again = await scan(keeper, ScanIn(code=code, nonce=same, occurred_at=at, offline=True))
    assert (first.replayed, again.replayed, again.visit) == (False, True, first.visit)


async def test_a_batch_has_at_most_a_hundred_rows(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("周敏")
    for rows in ([], [body("x") for _ in range(101)]):
        answer = await client.post(f"{CHECKINS}/batch", json={"rows": rows}, headers=headers)
        assert answer.status_code == 400


# ----------------------------------------------------------------------------------------------- activities and shifts


async def test_an_activity_that_needs_a_sign_up_asks_for_it(town: Town) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin - timedelta(days=1)):
        wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(minutes=120), 5)
        shift = await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
    with clock.at(begin - timedelta(minutes=10)):
        refused = await scanned(scope, station_code(town), activity_id=town.activities["四点半辅导"])
        assert refused.reason == "not_signed_up"
        await shifts.sign_up(scope, shift.id)
        seen = await scanned(scope, station_code(town))
    assert seen.visit is not None
    assert seen.visit.activity == "四点半辅导"
    with later(begin, 110):
        out = await scanned(scope, station_code(town))
    assert out.credited.minutes == 110, "the ten minutes before the shift do not count"


async def test_under_sixty_percent_of_a_shift_does_not_count(town: Town, owner: asyncpg.Connection) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin - timedelta(days=1)):
        wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(minutes=120), 5)
        shift = await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
        await shifts.sign_up(scope, shift.id)
    with clock.at(begin):
        await scanned(scope, station_code(town))
    with later(begin, 71):
        out = await scanned(scope, station_code(town))
    assert (out.credited.points, out.attention) == (0, ["attendance_too_low"])
    assert out.texts() == ["到岗 1 小时 11 分，不足计划 2 小时的 60 %，不计入。"]
    assert await count(owner, "service_record", "status = 'rejected'") == 1


# ------------------------------------------------------------------------------------------------------ caps and flags


async def test_the_days_cap_cuts_what_is_credited(town: Town, owner: asyncpg.Connection) -> None:
    begin = clock.at_local(clock.local_day() - timedelta(days=1), time(6, 0))
    assert (await served(town, "张桂兰", 420, begin=begin)).credited.minutes == 420
    second = await served(town, "张桂兰", 120, begin=begin + timedelta(minutes=430))
    assert (second.status, second.credited.minutes, second.attention) == ("ok", 60, ["quota_reached"])
    third = await served(town, "张桂兰", 30, begin=begin + timedelta(minutes=560))
    assert (third.credited.minutes, third.credited.points) == (0, 0)
    assert await points_of(town, "张桂兰") == 80


async def test_a_day_of_more_than_twelve_hours_is_looked_at(town: Town) -> None:
    begin = clock.at_local(clock.local_day() - timedelta(days=1), time(6, 0))
    assert (await served(town, "张桂兰", 721, begin=begin)).attention == ["long_day", "pending_review"]


async def test_hours_that_overlap_another_record_are_looked_at(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    await owner.execute(
        "INSERT INTO service_record (community_id, id, kind, person_id, started_at, ended_at, minutes, status, flags, "
        "rule_code, created_at) VALUES ($1, $2, 'honour', $3, $4, $5, 60, 'pending', '{}', 'service', $4)",
        town.community, clock.new_id(), town.people["张桂兰"], begin, begin + timedelta(hours=1),
    )  # fmt: skip
    out = await served(town, "张桂兰", 60, begin=begin + timedelta(minutes=30))
    assert out.attention == ["overlap", "pending_review"]
    assert "和另一次服务的时间重叠" in out.texts()[0]


# ----------------------------------------------------------------------------------------------------------- one nonce


async def test_a_nonce_serves_one_request(town: Town) -> None:
    scope, asked = await town.scope("张桂兰"), ScanIn(code=station_code(town), nonce=nonce())
    await scan(scope, asked)
    with pytest.raises(NonceReused):
        await scan(scope, ScanIn(code=asked.code, nonce=asked.nonce, direction="out"))
    with pytest.raises(NonceReused):
        await scan(await town.scope("李秀英"), asked)


async def test_the_kept_verdict_tells_no_full_name(town: Town, owner: asyncpg.Connection) -> None:
    await scanned(await town.scope("张桂兰"), station_code(town))
    assert "张桂兰" not in await owner.fetchval("SELECT verdict::text FROM scan")


# --------------------------------------------------------------------------------------------------------------- races


async def test_a_code_scanned_fifty_times_at_once_opens_one_visit(town: Town, owner: asyncpg.Connection) -> None:
    scope, code = await town.scope("张桂兰"), station_code(town)
    verdicts = await asyncio.gather(*(scanned(scope, code) for _ in range(50)))
    assert {v.status for v in verdicts} == {"ok"}
    assert {v.direction for v in verdicts} == {"in"}
    assert len({v.visit.id for v in verdicts if v.visit}) == 1
    assert await count(owner, "visit") == 1
    assert await count(owner, "scan") == 50


async def test_one_nonce_sent_fifty_times_at_once_is_judged_once(town: Town, owner: asyncpg.Connection) -> None:
    scope, asked = await town.scope("张桂兰"), ScanIn(code=station_code(town), nonce=nonce())
    verdicts = await asyncio.gather(*(scan(scope, asked) for _ in range(50)))
    assert sum(not v.replayed for v in verdicts) == 1
    assert len({v.visit.id for v in verdicts if v.visit}) == 1
    assert (await count(owner, "visit"), await count(owner, "scan")) == (1, 1)


async def test_everybody_at_one_code_gets_a_visit(town: Town, owner: asyncpg.Connection) -> None:
    code = station_code(town)
    scopes = [await town.scope(name) for name in town.logins if town.home[name] == town.community]
    verdicts = await asyncio.gather(*(scanned(scope, code) for scope in scopes * 2))
    assert {v.status for v in verdicts} == {"ok"}
    assert await count(owner, "visit") == len(scopes)


async def test_checking_out_twenty_times_at_once_credits_once(town: Town, owner: asyncpg.Connection) -> None:
    scope, begin = await town.scope("张桂兰"), nine_o_clock()
    with clock.at(begin):
        await scanned(scope, station_code(town))
    with later(begin, 60):
        code = station_code(town)
        verdicts = await asyncio.gather(*(scanned(scope, code) for _ in range(20)))
    assert {(v.status, v.direction, v.credited.points) for v in verdicts} == {("ok", "out", 10)}
    assert await points_of(town, "张桂兰") == 10
    assert await count(owner, "service_record") == 1
    assert await open_visit(scope, town.people["张桂兰"]) is None
