"""A corrected end is judged like a scanned one, and whoever entered it does not approve it."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.support.messages import texts
from tests.support.presence import nine_o_clock, points_of, record_id_of, scanned, served, station_code
from tests.support.town import Town
from timebank.activities import shifts
from timebank.activities.schemas import ShiftIn
from timebank.core import clock
from timebank.presence.forgotten import close_forgotten
from timebank.service_records import review
from timebank.service_records.review import NotPending
from timebank.service_records.reviews.deciding import OwnRecord
from timebank.service_records.schemas import RecordOut, ReviewIn

APPROVE = ReviewIn("approve")


async def forgotten(town: Town, owner: asyncpg.Connection, *, days_ago: int = 1, closes: str = "12:00") -> None:
    """Check 张桂兰 in at nine and close the visit, which has no check-out, at closing time."""
    await owner.execute("UPDATE station SET opens_at = '08:00', closes_at = $1::text::time", closes)
    with clock.at(nine_o_clock(days_ago)):
        await scanned(await town.scope("张桂兰"), station_code(town))
    assert await close_forgotten(town.system()) == 1


async def corrected(town: Town, owner: asyncpg.Connection, minutes: int, by: str = "赵丽") -> RecordOut:
    end = nine_o_clock() + timedelta(minutes=minutes)
    return await review.correct_end(await town.scope(by), await record_id_of(owner, town, "张桂兰"), end, "问过本人")


async def test_a_corrected_end_past_closing_time_is_credited_up_to_it(town: Town, owner: asyncpg.Connection) -> None:
    await forgotten(town, owner)
    found = await corrected(town, owner, 480)
    assert (found.minutes, found.status, found.flags) == (180, "pending", ["forgotten_check_out", "corrected_end"])
    done = await review.review_record(await town.scope("钱进"), found.id, APPROVE)
    assert (done.credited_minutes, done.credited_points) == (180, 30)
    assert await points_of(town, "张桂兰") == 30


async def test_who_entered_an_end_does_not_approve_it(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await forgotten(town, owner)
    found = await corrected(town, owner, 60)
    with pytest.raises(OwnRecord):
        await review.review_record(await town.scope("赵丽"), found.id, APPROVE)
    page = await client.get(f"/admin/reviews/{found.id}", headers=await town.sign_in("赵丽"))
    assert "请由另一位管理员来同意" in page.text
    assert (await review.review_record(await town.scope("钱进"), found.id, APPROVE)).credited_minutes == 60


async def test_an_approval_with_another_end_corrects_it_and_waits_for_somebody_else(
    town: Town, owner: asyncpg.Connection
) -> None:
    await forgotten(town, owner)
    record_id, end = await record_id_of(owner, town, "张桂兰"), nine_o_clock() + timedelta(minutes=90)
    asked = ReviewIn("approve", "问过本人", end)
    waiting = await review.review_record(await town.scope("赵丽"), record_id, asked)
    assert (waiting.status, waiting.minutes, waiting.credited_minutes) == ("pending", 90, None)
    assert await points_of(town, "张桂兰") == 0
    assert (await review.review_record(await town.scope("钱进"), record_id, APPROVE)).credited_minutes == 90


async def test_a_corrected_end_that_meets_other_hours_says_so(town: Town, owner: asyncpg.Connection) -> None:
    await forgotten(town, owner, closes="18:00")
    await owner.execute("UPDATE service_record SET ended_at = started_at + interval '1 hour', minutes = 60")
    await owner.execute(
        "INSERT INTO service_record (community_id, id, kind, person_id, started_at, ended_at, minutes, status, flags, "
        "rule_code, created_at) VALUES ($1, $2, 'honour', $3, $4, $5, 60, 'pending', '{}', 'service', $4)",
        town.community, clock.new_id(), town.people["张桂兰"], nine_o_clock() + timedelta(hours=5),
        nine_o_clock() + timedelta(hours=6),
    )  # fmt: skip
    found = await corrected_first(town, owner, 330)
    assert found.flags == ["forgotten_check_out", "corrected_end", "overlap"]
    assert (await corrected_first(town, owner, 240)).flags == ["forgotten_check_out", "corrected_end"]


async def corrected_first(town: Town, owner: asyncpg.Connection, minutes: int) -> RecordOut:
    record_id = await owner.fetchval("SELECT id FROM service_record WHERE visit_id IS NOT NULL AND status = 'pending'")
    end = nine_o_clock() + timedelta(minutes=minutes)
    return await review.correct_end(await town.scope("赵丽"), record_id, end, "问过本人")


async def test_a_corrected_end_under_sixty_percent_of_the_shift_does_not_count(
    town: Town, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    with clock.at(begin - timedelta(days=1)):
        wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(minutes=120), 5)
        shift = await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
        await shifts.sign_up(await town.scope("张桂兰"), shift.id)
    await forgotten(town, owner)
    found = await corrected(town, owner, 71)
    assert (found.status, found.minutes) == ("rejected", 71)
    assert found.review_note is not None
    assert "不足计划 2 小时的 60 %" in found.review_note
    [told] = await texts(owner, "person_id = $1 AND kind = 'record_rejected'", town.people["张桂兰"])
    assert "60 %" in told


async def test_a_corrected_end_of_a_few_minutes_does_not_count(town: Town, owner: asyncpg.Connection) -> None:
    await forgotten(town, owner)
    found = await corrected(town, owner, 3)
    assert (found.status, found.minutes) == ("rejected", 3)
    assert "不足 5 分钟" in (found.review_note or "")


async def test_a_correction_and_an_approval_at_once_never_credit_an_end_that_its_enterer_approved(
    town: Town, owner: asyncpg.Connection
) -> None:
    await forgotten(town, owner)
    record_id, end = await record_id_of(owner, town, "张桂兰"), nine_o_clock() + timedelta(minutes=60)
    mine, other = await town.scope("赵丽"), await town.scope("钱进")
    outcomes = await asyncio.gather(
        review.correct_end(mine, record_id, end, "问过本人"),
        *(review.review_record(who, record_id, APPROVE) for who in (mine, other)),
        return_exceptions=True,
    )
    assert all(isinstance(o, RecordOut | OwnRecord | NotPending) for o in outcomes), outcomes
    found = await owner.fetchrow(
        "SELECT status, minutes, corrected_by, reviewed_by, credited_minutes FROM service_record"
    )
    assert found is not None
    assert (found["status"], found["credited_minutes"]) in {("approved", found["minutes"]), ("pending", None)}
    assert found["corrected_by"] is None or found["corrected_by"] != found["reviewed_by"]
    assert await points_of(town, "张桂兰") == (found["minutes"] // 6 if found["status"] == "approved" else 0)


async def test_the_days_length_counts_for_a_corrected_end_too(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE station SET opens_at = '06:00', closes_at = '23:00'")
    await served(town, "张桂兰", 170, begin=nine_o_clock() - timedelta(minutes=175))
    with clock.at(nine_o_clock()):
        await scanned(await town.scope("张桂兰"), station_code(town))
    assert await close_forgotten(town.system()) == 1
    assert "long_day" in (await corrected_first(town, owner, 560)).flags
    assert "long_day" not in (await corrected_first(town, owner, 540)).flags
