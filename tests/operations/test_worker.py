"""The worker: each due job is done once by any number of workers, and one community's failure affects no other."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.conftest import DatabaseClock
from tests.support.messages import texts
from tests.support.town import PHOENIX, SPRING, Town
from timebank.classes.booking import book_seat
from timebank.classes.class_time.purchase import buy_class_hours
from timebank.classes.schemas import BookingIn, ClassHoursIn
from timebank.core import clock
from timebank.core.errors import Busy
from timebank.core.scope import Scope
from timebank.deeds.filing.filing import file_deed
from timebank.deeds.review import review_deed
from timebank.deeds.schemas import DeedIn
from timebank.expiry.expiring import close_days, expire_points
from timebank.expiry.reminders import remind_of_expiry
from timebank.operations import worker
from timebank.operations.worker import Job, Sweep
from timebank.presence.scanning import scan_by_hand
from timebank.presence.schemas import ScanIn
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.review import review_record
from timebank.service_records.schemas import HoursIn, ReviewIn
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn

NOW = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)  # noon in the town


@pytest.fixture
async def everything_due(town: Town, database_clock: DatabaseClock) -> Town:
    """14 days ago: a deed and honour hours approved, points given, goods reserved, a visit without a check-out. The
    worker reminded of expiring points at that time, and it closed the days up to a week ago."""
    with clock.at(NOW - timedelta(days=14)):
        await _approve_a_deed(town)
        await _approve_honour_hours(town)
        await town.give_points("张桂兰", 100, expires_on=date(2026, 10, 12))
        await town.give_points("张桂兰", 50)
        wanted = RedemptionIn(
            person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
        )
        await redeem(await town.scope("张桂兰"), wanted)
        asked = ScanIn(code="by hand", nonce="A" * 24, station_id=town.stations["暖蜂驿站"])
        await scan_by_hand(await town.scope("周敏"), town.people["张国庆"], asked)
        await database_clock.show(clock.now())
        await remind_of_expiry(town.system())
        await close_days(town.system())
    with clock.at(NOW - timedelta(days=7)):
        await database_clock.show(clock.now())
        await close_days(town.system())
    await database_clock.show(NOW)
    return town


async def _approve_a_deed(town: Town) -> None:
    area = town.areas[f"{PHOENIX}/第一网格/3栋"]
    wanted = DeedIn(
        person_id=town.people["王建国"],
        rule_code="mediation",
        area_id=area,
        occurred_on=clock.local_day(),
        note="楼上漏水，两家谈妥",
    )
    filed = await file_deed(await town.scope("王建国"), wanted)
    await review_deed(await town.scope("陈明"), filed.id, "approve", "")


async def _approve_honour_hours(town: Town) -> None:
    began = clock.now() - timedelta(hours=5)
    wanted = HoursIn(
        person_id=town.people["张国庆"],
        started_at=began,
        ended_at=began + timedelta(hours=2),
        reason="陪长辈看病，没有经过驿站",
    )
    entered = await enter_hours(await town.scope("陈明"), wanted)
    await review_record(await town.scope("赵丽"), entered.id, ReviewIn("approve"))


async def _state(owner: asyncpg.Connection) -> dict[str, object]:
    """The state that the worker changes, as far as people see it."""
    return {
        "deed": await owner.fetchval("SELECT array_agg(status) FROM deed"),
        "records": await owner.fetchval("SELECT array_agg(kind || ' ' || status ORDER BY kind) FROM service_record"),
        "redemption": await owner.fetchval("SELECT array_agg(status) FROM redemption"),
        "visit": await owner.fetchval("SELECT array_agg(status) FROM visit"),
        "transfers": await owner.fetchval("SELECT count(*) FROM transfer"),
        "messages": await owner.fetchval("SELECT count(*) FROM message"),
        "days": await owner.fetch("SELECT day, currency, bucket, given, taken FROM day_total ORDER BY 1, 2, 3"),
        "balance": await owner.fetchval("SELECT sum(balance) FROM account WHERE currency = 'point'"),
    }


async def test_everything_that_is_due_is_done(everything_due: Town, owner: asyncpg.Connection) -> None:
    with clock.at(NOW):
        await worker.run_all()
    state = await _state(owner)
    assert state["deed"] == ["credited"]
    assert state["records"] == ["credit pending", "honour approved"]
    assert state["redemption"] == ["expired"]
    assert state["visit"] == ["needs_confirmation"]
    # 50 points given, 10 for the deed, 20 for two hours at 6 minutes a point. The other 100 have expired, except the 8
    # of the soap's hold, which were voided a week later and are in their days of grace.
    assert state["balance"] == 50 + 10 + 20 + 8


async def test_two_workers_at_once_do_everything_once(everything_due: Town, owner: asyncpg.Connection) -> None:
    with clock.at(NOW):
        await asyncio.gather(worker.run_all(), worker.run_all(), worker.run_all())
        first = await _state(owner)
        await worker.run_all()
        again = await _state(owner)
    assert first["deed"] == ["credited"]
    assert first["balance"] == 88
    assert again == first
    doubled = await owner.fetch("SELECT person_id, key FROM message GROUP BY 1, 2 HAVING count(*) > 1")
    assert doubled == []


async def test_before_anything_is_due_nothing_is_done(everything_due: Town, owner: asyncpg.Connection) -> None:
    with clock.at(NOW - timedelta(days=13, hours=20)):
        await worker.run_all()
    state = await _state(owner)
    assert (state["deed"], state["redemption"], state["visit"]) == (["noticed"], ["reserved"], ["open"])


async def test_a_seat_nobody_came_to_is_consumed_when_the_lesson_is_over(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("刘洋", 100)
    guardian, child = await town.scope("刘洋"), town.people["刘小雨"]
    await buy_class_hours(guardian, ClassHoursIn(town.people["刘洋"], child, town.course, 60))
    await book_seat(guardian, BookingIn(town.lessons[0], child))
    with clock.at(clock.now() + timedelta(days=3)):
        await asyncio.gather(worker.run_all(), worker.run_all())
    assert await owner.fetchval("SELECT status FROM booking") == "missed"
    assert await owner.fetchval("SELECT sum(balance) FROM account WHERE currency = 'class_minute'") == 0


async def test_points_about_to_expire_are_told_of_three_times_and_no_more(
    town: Town, owner: asyncpg.Connection, database_clock: DatabaseClock
) -> None:
    last_day = date(2026, 12, 31)
    with clock.at(datetime(2026, 3, 1, tzinfo=UTC)):
        await town.give_points("张桂兰", 120, expires_on=last_day)
        await town.give_points("张桂兰", 30, expires_on=date(2027, 12, 31))
    told = []
    for day in range(1, 70):
        with clock.at(clock.day_bounds(last_day)[0] - timedelta(days=69 - day)):
            await database_clock.show(clock.now())
            await asyncio.gather(*[remind_of_expiry(town.system()) for _ in range(2)])
            told.append(await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'points_expiring'"))
    days_before = [69 - (n + 1) for n in range(1, len(told)) if told[n] > told[n - 1]]
    assert days_before == [60, 30, 7]
    said = set(await texts(owner, "kind = 'points_expiring'"))
    assert said == {"您有 120 积分在12月31日 24:00 到期，请在那之前使用。"}


async def test_points_run_out_at_the_end_of_their_last_day_and_not_before(
    town: Town, owner: asyncpg.Connection, database_clock: DatabaseClock
) -> None:
    await town.give_points("张桂兰", 100, expires_on=date(2027, 12, 31))
    balance = "SELECT sum(balance)::integer FROM account WHERE currency = 'point'"
    midnight = clock.day_bounds(date(2027, 12, 31))[1]
    with clock.at(midnight - timedelta(seconds=1)):
        await database_clock.show(clock.now())
        await remind_of_expiry(town.system())
        await close_days(town.system())
        assert await expire_points(town.system()) == 0
    assert await owner.fetchval(balance) == 100
    with clock.at(midnight):
        await database_clock.show(clock.now())
        await close_days(town.system())
        assert await expire_points(town.system()) == 1
        assert await expire_points(town.system()) == 0
    assert await owner.fetchval(balance) == 0


async def test_days_are_counted_also_those_on_which_no_worker_ran(town: Town, owner: asyncpg.Connection) -> None:
    for day, points in ((1, 10), (2, 20), (9, 30)):
        with clock.at(datetime(2026, 10, day, 4, tzinfo=UTC)):
            await town.give_points("张桂兰", points)
    with clock.at(datetime(2026, 10, 2, 5, tzinfo=UTC)):
        assert await close_days(town.system()) == 1
    with clock.at(datetime(2026, 10, 12, 5, tzinfo=UTC)):
        assert await close_days(town.system()) == 2
        assert await close_days(town.system()) == 0
    found = await owner.fetch("SELECT day, given FROM day_total WHERE bucket = 'issued' ORDER BY day")
    assert [(row["day"].day, row["given"]) for row in found] == [(1, 10), (2, 20), (9, 30)]


async def test_one_failing_community_does_not_stop_the_others(town: Town) -> None:
    done = []

    async def fails_in_phoenix(scope: Scope) -> int:
        if scope.community_id == town.communities[PHOENIX]:
            raise ValueError("张桂兰 19900000000")
        done.append(scope.community_id)
        return 3

    async def is_busy() -> None:
        raise Busy

    with capture_logs() as lines:
        await worker.do(Job("test", 1, fails_in_phoenix))
        await worker.do(Sweep("busy", 1, is_busy))
    assert done == [town.communities[SPRING]]
    failed, counted, busy = sorted(lines, key=lambda line: (line["job"] == "busy", line["event"] == "job"))
    assert (failed["community_id"], failed["code"]) == (str(town.communities[PHOENIX]), "ValueError")
    assert "张桂兰" not in json.dumps(lines, ensure_ascii=False), "the error's own words may quote a person"
    assert (counted["community_id"], counted["count"]) == (str(town.communities[SPRING]), 3)
    assert (busy["event"], busy["code"]) == ("job failed", "busy")


async def test_it_ends_at_once_when_told_to_stop(town: Town) -> None:
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run_worker(stop))
    await asyncio.sleep(0.3)
    assert not working.done()
    stop.set()
    await asyncio.wait_for(working, 5)


async def test_what_is_old_and_belongs_to_nobody_is_swept(town: Town, owner: asyncpg.Connection) -> None:
    await town.token("张桂兰")
    await owner.execute("INSERT INTO throttle VALUES ('x', $1, 1)", clock.now())
    tables = ("session", "throttle")
    for days, left in ((0, 1), (40, 0)):
        with clock.at(clock.now() + timedelta(days=days)):
            await worker.run_all()
        for table in tables:
            assert await owner.fetchval(f"SELECT count(*) FROM {table}") == left, (table, days)
