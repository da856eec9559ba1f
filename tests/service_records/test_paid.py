"""Paid duty is attendance only, and the hours of somebody with a paid role on a workday are reviewed."""

from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from tests.presence.test_presence_pages import path_of, signed_in, words
from tests.presence.test_what_a_code_proves import flags_of, sends
from tests.support.presence import count, nine_o_clock, points_of, scanned, served, station_code
from tests.support.town import Town
from timebank.activities.changes import change_activity
from timebank.activities.schemas import ActivityChange
from timebank.core import clock
from timebank.policies.values import KNOWN, is_looser_policy
from timebank.presence.forgotten import close_forgotten

FRIDAY = datetime(2026, 2, 13, 1, tzinfo=UTC)  # 9 o'clock in China
API = "/api/v1"


async def pay_for(town: Town, activity: str = "站点值守") -> None:
    await change_activity(await town.scope("赵丽"), town.activities[activity], ActivityChange(paid=True))


async def test_a_visit_of_paid_duty_closes_without_a_record_and_says_why(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await pay_for(town)
    out = await served(town, "张桂兰", 60)
    assert (out.status, out.record_id, out.credited.points, out.attention) == ("ok", None, 0, ["paid_duty"])
    assert out.texts()[0] == "在岗 1 小时。"
    assert "带薪" in out.texts()[1]
    assert "earns no hours and no points" in out.texts("en")[1]
    assert await count(owner, "service_record") == 0
    assert await count(owner, "visit", "paid AND status = 'closed'") == 1
    assert await points_of(town, "张桂兰") == 0
    seen = (await client.get(f"{API}/visits", headers=await town.sign_in("张桂兰"))).json()["items"]
    assert seen[0]["why_no_points"]["kind"] == "paid"
    with clock.at(nine_o_clock() + timedelta(minutes=60, seconds=20)):
        again = await scanned(await town.scope("张桂兰"), station_code(town))
    assert (again.attention, again.status) == (["paid_duty"], "ok"), "the same scan again is answered the same"


async def test_the_phone_says_so_calmly(town: Town) -> None:
    await pay_for(town)
    phone = await signed_in(town, "张桂兰")
    with clock.at(nine_o_clock()):
        came = await sends(phone, path_of(station_code(town)))
    with clock.at(nine_o_clock() + timedelta(minutes=90)):
        left = await sends(phone, path_of(station_code(town)))
    for text in (came, left):
        assert "只记考勤，不计时长和积分" in text
    assert "已签退" in left
    assert "1 小时 30 分" in left
    assert "已签退，不计时长" not in left
    assert "只记考勤" in words(await phone.get("/visits"))


async def test_a_forgotten_check_out_of_paid_duty_earns_nothing_and_what_began_unpaid_stays_so(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE station SET closes_at = '18:00', opens_at = '08:00'")
    with clock.at(nine_o_clock(2)):
        await scanned(await town.scope("李秀英"), station_code(town))
    await pay_for(town)
    with clock.at(nine_o_clock(2) + timedelta(hours=1)):
        assert (await scanned(await town.scope("李秀英"), station_code(town))).credited.points == 10
    with clock.at(nine_o_clock()):
        await scanned(await town.scope("张桂兰"), station_code(town))
    await close_forgotten(town.system())
    assert await count(owner, "service_record", "person_id = $1", town.people["张桂兰"]) == 0
    told = await owner.fetchval("SELECT said::text FROM message WHERE sentence = 'check_out_forgotten'")
    assert "not_counted.paid" in told


@pytest.mark.parametrize(
    ("why", "begin", "minutes", "flags"),
    [
        ("a Friday morning", FRIDAY, 60, ["paid_hours"]),
        ("the working Saturday before the Spring Festival", FRIDAY + timedelta(days=1), 60, ["paid_hours"]),
        ("an ordinary Saturday", FRIDAY - timedelta(days=6), 60, []),
        ("the Spring Festival", FRIDAY + timedelta(days=4), 60, []),
        ("until eight in the morning", FRIDAY - timedelta(hours=2), 60, []),
        ("a minute into the office hours", FRIDAY - timedelta(hours=2), 61, ["paid_hours"]),
        ("from six in the evening", FRIDAY + timedelta(hours=9), 60, []),
        ("a minute before six", FRIDAY + timedelta(hours=8, minutes=59), 60, ["paid_hours"]),
    ],
)
async def test_hours_of_somebody_paid_on_a_workday_wait_for_a_review(
    town: Town, owner: asyncpg.Connection, why: str, begin: datetime, minutes: int, flags: list[str]
) -> None:
    await owner.execute("UPDATE role_grant SET paid = true WHERE person_id = $1", town.people["陈明"])
    found = await served(town, "陈明", minutes, begin=begin)
    assert found.attention == [*flags, *["pending_review"] * bool(flags)], why
    assert await flags_of(owner, town, "陈明") == flags
    assert (await served(town, "张桂兰", minutes, begin=begin)).attention == [], "nobody else"


async def test_a_community_may_do_without_that_review_only_with_a_second_person(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE role_grant SET paid = true WHERE person_id = $1", town.people["陈明"])
    assert is_looser_policy(KNOWN["paid_hours_review"], 1, 0), "a second person agrees to it"
    await owner.execute(
        "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'paid_hours_review', 0, $2)",
        town.community, clock.now(),
    )  # fmt: skip
    assert (await served(town, "陈明", 60, begin=FRIDAY)).attention == []
    await owner.execute("DELETE FROM policy")
    await owner.execute("UPDATE role_grant SET ended_at = $1 WHERE paid", FRIDAY - timedelta(days=2))
    ended = await served(town, "陈明", 60, begin=FRIDAY + timedelta(hours=3))
    assert ended.attention == [], "a role that ended before"
