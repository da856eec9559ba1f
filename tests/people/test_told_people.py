"""People are notified of what they did not do themselves: forgotten check-outs, and what others enter or cancel."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, give_minutes
from tests.deeds.test_deeds import filed
from tests.matrix.test_told import told
from tests.support.messages import end_quiet_hours
from tests.support.presence import card, nine_o_clock, nonce, scanned, station_code
from tests.support.shop import API, browser, key
from tests.support.town import Town
from timebank.cards.cards import issue_missing_cards
from timebank.classes import attendance, booking
from timebank.core import clock
from timebank.people.records import set_person_status
from timebank.presence.forgotten import close_forgotten
from timebank.presence.scanning import scan_by_hand
from timebank.presence.schemas import ScanIn


async def close_at_noon(owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE station SET opens_at = '08:00', closes_at = '12:00'")


async def test_a_forgotten_check_out_is_told_at_once_with_what_to_do(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await close_at_noon(owner)
    with clock.at(nine_o_clock()):
        await scanned(await town.scope("张桂兰"), station_code(town))
    with clock.at(nine_o_clock() + timedelta(hours=3, minutes=31)):
        assert [await close_forgotten(town.system()) for _ in range(2)] == [1, 0]
        [text] = await told(owner, town, "张桂兰", "check_out_forgotten")
    assert "09:00在暖蜂驿站签到，没有签退，先按" in text
    assert "12:00离开记下。有人核实以前不计时长和积分。请到驿站柜台或找社区管理员，说明您是几点离开的。" in text
    visit = await owner.fetchval("SELECT id FROM visit")
    await end_quiet_hours(owner)
    page = await (await browser(client, town, "张桂兰")).see("/messages")
    assert f'href="/visits/{visit}"' in page


async def test_who_scans_the_next_morning_is_told_of_the_evening_before(town: Town, owner: asyncpg.Connection) -> None:
    await close_at_noon(owner)
    for days_ago in (2, 1):
        with clock.at(nine_o_clock(days_ago)):
            assert (await scanned(await town.scope("张桂兰"), station_code(town))).status == "ok"
    assert len(await told(owner, town, "张桂兰", "check_out_forgotten")) == 1


async def test_a_visit_cut_off_a_minute_after_it_began_is_told_to_count_for_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    await close_at_noon(owner)
    with clock.at(nine_o_clock() + timedelta(hours=2, minutes=59, seconds=30)):
        await scanned(await town.scope("张桂兰"), station_code(town))
    assert await close_forgotten(town.system()) == 1
    [text] = await told(owner, town, "张桂兰", "check_out_forgotten")
    assert "时间太短，不计时长" in text


async def test_a_childs_guardian_reads_what_the_child_is_told(town: Town, owner: asyncpg.Connection) -> None:
    """A child under 14 has no login, so its guardian gets a copy of the message."""
    await close_at_noon(owner)
    keeper = await town.scope("周敏")
    with clock.at(nine_o_clock()):
        code = await card(town, owner, "刘小雨")
        assert (await scanned(keeper, code, station_id=town.stations["暖蜂驿站"])).status == "ok"
    assert await close_forgotten(town.system()) == 1
    [own] = await told(owner, town, "刘小雨", "check_out_forgotten")
    assert await told(owner, town, "刘洋", "check_out_forgotten") == [f"给刘小雨的消息：{own}"]
    assert await told(owner, town, "张桂兰", "check_out_forgotten") == []


@pytest.mark.parametrize(
    ("change", "readers"), [("consented_at = NULL", 0), ("ended_at = now()", 0), ("relation = '父'", 1)]
)
async def test_only_a_guardian_whose_consent_is_in_force_reads_for_a_child(
    town: Town, owner: asyncpg.Connection, change: str, readers: int
) -> None:
    await owner.execute(f"UPDATE guardianship SET {change}")
    await set_person_status(await town.scope("赵丽"), town.people["刘小雨"], "blocked", "核对")
    assert len(await told(owner, town, "刘小雨", "status_changed")) == 1
    assert len(await told(owner, town, "刘洋", "status_changed")) == readers


async def test_who_is_checked_in_without_a_code_is_told(town: Town, owner: asyncpg.Connection) -> None:
    """A keeper checks a resident in and out by hand, and herself: only the resident is notified."""
    begin, keeper = nine_o_clock(), await town.scope("周敏")
    for minutes, name in ((0, "张桂兰"), (1, "周敏"), (90, "张桂兰"), (91, "周敏")):
        with clock.at(begin + timedelta(minutes=minutes)):
            asked = ScanIn(code="", nonce=nonce(), station_id=town.stations["暖蜂驿站"])
            await scan_by_hand(keeper, town.people[name], asked)
    texts = await told(owner, town, "张桂兰", "checked_by_staff")
    assert ["替您签到了" in text for text in texts] == [True, False]
    assert "替您签退了" in texts[1]
    assert await told(owner, town, "周敏", "checked_by_staff") == []


async def test_hours_entered_by_somebody_else_are_told(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = clock.now() - timedelta(days=1)
    for name in ("张桂兰", "赵丽"):
        wanted = {
            "person_id": str(town.people[name]), "started_at": begin.isoformat(), "reason": "停电，纸上签到",
            "ended_at": (begin + timedelta(hours=2)).isoformat(),
        }  # fmt: skip
        made = await client.post(f"{API}/service-records", json=wanted, headers=await town.sign_in("赵丽") | key())
        assert made.status_code == 201, made.text
    [text] = await told(owner, town, "张桂兰", "record_entered")
    assert "2 小时的服务，审核并公示后才计入。理由：停电，纸上签到。" in text
    assert await told(owner, town, "赵丽", "record_entered") == []


async def test_a_deed_by_somebody_else_is_told_to_its_doer_and_to_the_witness_it_names(
    town: Town, owner: asyncpg.Connection
) -> None:
    await filed(town, by="陈明", witness_id=town.people["张桂兰"])
    [doer] = await told(owner, town, "李秀英", "deed_filed")
    assert "有人给您登记了善行「调解邻里纠纷」" in doer
    [witness] = await told(owner, town, "张桂兰", "witness_asked")
    assert "请您作证：「调解邻里纠纷」" in witness


async def test_who_files_the_own_deed_is_not_told_of_it(town: Town, owner: asyncpg.Connection) -> None:
    await filed(town, by="李秀英")
    assert await owner.fetchval("SELECT count(*) FROM message") == 0


async def test_a_lesson_that_used_minutes_is_told_to_who_booked_it(town: Town, owner: asyncpg.Connection) -> None:
    """The message lets the guardian notice attendance recorded for a child who did not come."""
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    for _ in range(2):
        await attendance.attend(await town.scope("周敏"), made.id, made.code)
    [text] = await told(owner, town, "刘洋", "booking_attended")
    assert text.startswith("刘小雨来上了《")
    assert "用去 60 分钟课时。没有去的话，请找" in text


async def test_a_seat_that_the_station_gives_back_is_told_to_who_booked_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 120)
    for lesson, by in ((0, "周敏"), (1, "刘洋")):
        made = await booked(town, "刘洋", "刘小雨", lesson)
        for _ in range(2):
            await booking.cancel_booking(await town.scope(by), made.id)
    [text] = await told(owner, town, "刘洋", "booking_cancelled")
    assert "那一节取消了，课时" in text


async def test_cards_issued_for_many_are_told_to_each(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE person SET phone_index = NULL, phone_sealed = NULL WHERE name IN ('张桂兰', '李秀英')")
    given = [await issue_missing_cards(await town.scope("赵丽")) for _ in range(2)]
    people = await owner.fetch("SELECT person_id FROM message WHERE kind = 'card'")
    children = [row for row in people if row["person_id"] == town.people["刘洋"]]
    assert given[1] == 0
    assert len(people) == given[0] + len(children)
    assert len(children) == 1, "the guardian of the child that got a card"
    for name in ("张桂兰", "李秀英", "刘小雨"):
        assert len(await told(owner, town, name, "card")) == 1, name
