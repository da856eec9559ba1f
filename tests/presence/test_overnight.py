"""Opening hours past midnight: a visit after midnight counts on the day on which the station opened."""

from datetime import datetime, time, timedelta

import asyncpg
import httpx

from tests.support.presence import count, later, nine_o_clock, points_of, record_id_of, scanned, served, station_code
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.activities import shifts
from timebank.activities.schemas import ShiftIn
from timebank.commands.printing import find_station
from timebank.core import clock
from timebank.core.wording import until
from timebank.presence.forgotten import close_forgotten
from timebank.presence.visits import today_at
from timebank.service_records import review, visits
from timebank.service_records.honour import entering
from timebank.service_records.schemas import HoursIn, ReviewIn
from timebank.stations.stations import open_hours


def evening(clock_time: str, days_ago: int = 3) -> datetime:
    """Return a time of a past day; a time before noon means the morning after that day."""
    at = time.fromisoformat(clock_time)
    return clock.at_local(clock.local_day() - timedelta(days=days_ago - (at < time(12))), at)


async def at_night(owner: asyncpg.Connection, opens: str = "20:00", closes: str = "02:00") -> None:
    await owner.execute("UPDATE station SET opens_at = $1::text::time, closes_at = $2::text::time", opens, closes)


async def stayed(town: Town, name: str, came: str, left: str) -> tuple[str, int, int, list[str]]:
    """Check in and out; return the second scan's direction, the visit's minutes, the credited minutes and the flags."""
    scope = await town.scope(name)
    with clock.at(evening(came)):
        assert (await scanned(scope, station_code(town))).direction == "in"
    with clock.at(evening(left)):
        out = await scanned(scope, station_code(town))
    assert out.visit is not None
    return out.direction or "", out.visit.minutes or 0, out.credited.minutes, out.attention


async def test_a_station_is_opened_for_the_night(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    admin = await town.sign_in("赵丽")
    made = await client.post(
        "/api/v1/stations", json={"name": "夜巡站", "opens_at": "20:00", "closes_at": "02:00"}, headers=admin
    )
    assert (made.status_code, made.json()["opens_at"], made.json()["closes_at"]) == (201, "20:00", "02:00")
    for path in ("/admin/stations", f"/admin/stations/{made.json()['id']}"):
        assert "20:00–次日 02:00" in (await client.get(path, headers=admin)).text
    changed = await client.patch(f"/api/v1/stations/{made.json()['id']}", json={"closes_at": "20:00"}, headers=admin)
    assert (changed.status_code, changed.json()["closes_at"]) == (200, "20:00")
    assert "全天" in (await client.get("/admin/stations", headers=admin)).text
    await at_night(owner)
    _, found = await find_station("夜巡站")
    assert open_hours(found) == "20:00–次日 02:00", "the poster says it so"


async def test_a_visit_over_midnight_is_credited_whole(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner)
    assert await stayed(town, "张桂兰", "22:30", "00:15") == ("out", 105, 105, [])
    assert await points_of(town, "张桂兰") == 17


async def test_a_visit_over_midnight_where_the_doors_never_close_is_credited_whole(
    town: Town, owner: asyncpg.Connection
) -> None:
    for opens, closes, name in (
        ("00:00", "23:59", "张桂兰"),
        ("00:00", "00:00", "李秀英"),
        ("06:00", "06:00", "王建国"),
    ):
        await at_night(owner, opens, closes)
        assert await stayed(town, name, "22:30", "00:15") == ("out", 105, 105, []), (opens, closes)


async def test_a_scan_after_midnight_ends_the_visit_of_the_evening(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner, "00:00", "23:59")
    assert (await stayed(town, "张桂兰", "22:30", "00:40"))[:3] == ("out", 130, 130)
    assert await count(owner, "visit") == 1


async def test_a_station_that_closes_at_midnight_counts_up_to_it(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner, "08:00", "00:00")
    assert await stayed(town, "张桂兰", "22:30", "00:15") == ("out", 90, 90, [])


async def test_the_doors_close_at_two_in_the_night(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner)
    scope = await town.scope("张桂兰")
    with clock.at(evening("19:00")):
        shut = await scanned(scope, station_code(town))
    assert (shut.reason, shut.texts()) == (
        "closed_station", ["暖蜂驿站现在不开门（20:00–次日 02:00）。请在开门时间来签到。"],
    )  # fmt: skip
    assert "20:00–02:00 the next day" in shut.texts("en")[0]
    with clock.at(evening("02:00")):
        assert (await scanned(scope, station_code(town))).reason == "closed_station"
    assert await stayed(town, "张桂兰", "00:40", "02:20") == ("out", 80, 80, []), "the minutes end with the hours"


async def test_a_forgotten_night_is_closed_when_its_doors_close(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner)
    for name, came in (("张桂兰", "22:30"), ("李秀英", "00:40")):
        with clock.at(evening(came)):
            await scanned(await town.scope(name), station_code(town))
    with clock.at(evening("02:29")):
        assert await close_forgotten(town.system()) == 0
    with clock.at(evening("02:31")):
        assert await close_forgotten(town.system()) == 2
    assert await count(owner, "visit", "out_at = $1 AND status = 'needs_confirmation'", evening("02:00")) == 2
    found = await owner.fetch("SELECT minutes FROM service_record ORDER BY minutes")
    assert [row["minutes"] for row in found] == [80, 210]


async def test_where_the_doors_never_close_a_visit_is_forgotten_after_twelve_hours(
    town: Town, owner: asyncpg.Connection
) -> None:
    await at_night(owner, "00:00", "00:00")
    with clock.at(evening("20:00")):
        await scanned(await town.scope("张桂兰"), station_code(town))
    with clock.at(evening("08:29")):
        assert await close_forgotten(town.system()) == 0
    with clock.at(evening("08:31")):
        assert await close_forgotten(town.system()) == 1
    assert await count(owner, "service_record", "status = 'pending' AND minutes = 720") == 1


async def test_the_days_cap_belongs_to_the_evening_before(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner, "14:00", "06:00")
    assert (await stayed(town, "张桂兰", "14:00", "21:00"))[2] == 420
    assert (await stayed(town, "张桂兰", "00:40", "02:40"))[2:] == (60, ["quota_reached"])
    assert await owner.fetchval("SELECT counts_on FROM service_record WHERE counts_on IS NOT NULL") == (
        clock.local(evening("22:00")).date()
    )
    with clock.at(evening("07:00")):
        await at_night(owner, "06:30", "20:00")
    next_day = await served(town, "张桂兰", 120, begin=evening("07:00"))
    assert next_day.credited.minutes == 120, "the day after has a cap of its own"


async def test_twelve_hours_are_counted_over_the_night(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner, "12:00", "10:00")
    assert (await stayed(town, "张桂兰", "12:00", "21:00"))[3] == ["quota_reached"]
    assert (await stayed(town, "张桂兰", "01:00", "04:30"))[3] == ["long_day", "pending_review"]


async def test_an_approved_night_counts_on_its_evening(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner, "14:00", "06:00")
    await stayed(town, "周敏", "14:00", "21:00")
    await stayed(town, "周敏", "00:40", "02:40")
    admin = await town.scope("赵丽")
    ids = await owner.fetch("SELECT id FROM service_record ORDER BY started_at")
    done = [await review.review_record(admin, row["id"], ReviewIn("approve")) for row in ids]
    assert [record.credited_minutes for record in done] == [420, 60]


async def test_entered_hours_after_midnight_count_on_their_own_day(town: Town, owner: asyncpg.Connection) -> None:
    wanted = HoursIn(
        person_id=town.people["张桂兰"], started_at=evening("00:40"), ended_at=evening("02:40"), reason="停电"
    )
    await entering.enter_hours(await town.scope("陈明"), wanted)
    assert await count(owner, "service_record", "counts_on IS NULL") == 1


async def test_wall_and_counter_show_the_evening_as_one_day(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner)
    wall = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="大屏", kind="display"
    )
    screen = await devices.find_device(wall.token)
    assert screen is not None
    for name, came in (("张桂兰", "22:30"), ("李秀英", "00:40")):
        with clock.at(evening(came)):
            await scanned(await town.scope(name), station_code(town))
    with clock.at(evening("01:00")):
        tonight = await today_at(screen, town.stations["暖蜂驿站"])
    assert (tonight.present, tonight.people, [r.at for r in tonight.recent]) == (2, 2, ["00:40", "22:30"])
    with clock.at(evening("09:00")):
        assert (await today_at(screen, town.stations["暖蜂驿站"])).people == 0


async def test_who_is_in_over_midnight_is_still_there(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner, "00:00", "00:00")
    with clock.at(evening("22:30")):
        await scanned(await town.scope("张桂兰"), station_code(town))
    with clock.at(evening("00:40")):
        tonight = await today_at(await town.scope("周敏"), town.stations["暖蜂驿站"])
    assert (tonight.present, tonight.people) == (1, 0)


async def test_a_night_shift_is_measured_over_midnight(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner)
    scope = await town.scope("张桂兰")
    wanted = ShiftIn(town.stations["暖蜂驿站"], evening("22:00"), evening("01:00"), 5)
    with clock.at(evening("18:00", 4)):
        shift = await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
        await shifts.sign_up(scope, shift.id)
    assert until(wanted.ends_at, wanted.starts_at) == "次日 01:00"
    assert until(wanted.ends_at, wanted.starts_at, "en") == "01:00 the next day"
    assert await stayed(town, "张桂兰", "21:50", "01:20") == ("out", 180, 180, [])
    with later(nine_o_clock(), 0):
        assert (await visits.list_visits(scope)).items[0].activity == "四点半辅导"


async def test_a_corrected_night_is_judged_by_its_evening(town: Town, owner: asyncpg.Connection) -> None:
    await at_night(owner)
    with clock.at(evening("00:40")):
        await scanned(await town.scope("张桂兰"), station_code(town))
    with clock.at(evening("03:00")):
        await close_forgotten(town.system())
    record_id = await record_id_of(owner, town, "张桂兰")
    found = await review.correct_end(await town.scope("赵丽"), record_id, evening("05:00"), "问过本人")
    assert (found.minutes, found.status) == (80, "pending")
