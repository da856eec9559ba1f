"""What a resident has under way, on their first page: the open visit, reserved goods and coming lessons."""

from datetime import timedelta

import asyncpg
import httpx

from tests.classes.test_bookings import booked, give_minutes, new_family
from tests.shop.test_shop_pages import reserved
from tests.support.presence import scanned, station_code
from tests.support.shop import browser
from tests.support.town import Town
from timebank.classes import booking
from timebank.core import clock
from timebank.overview.resident import Glance, read_first_page
from timebank.shop.cancelling import cancel


async def seen(town: Town, name: str) -> Glance:
    return await read_first_page(await town.scope(name), town.people[name], "zh")


async def test_nothing_is_under_way_at_first(town: Town) -> None:
    page = await seen(town, "张桂兰")
    assert (page.visit, page.reserved, page.lessons, page.shifts) == (None, [], [], [])


async def test_an_open_visit_stands_there_until_its_check_out(town: Town) -> None:
    at, scope = clock.now() - timedelta(hours=2), await town.scope("张桂兰")
    with clock.at(at):
        assert (await scanned(scope, station_code(town))).status == "ok"
    visit = (await seen(town, "张桂兰")).visit
    assert visit is not None
    assert (visit.station, visit.in_at) == ("暖蜂驿站", at)
    assert (await seen(town, "李秀英")).visit is None
    assert (await scanned(scope, station_code(town))).status == "ok"
    assert (await seen(town, "张桂兰")).visit is None


async def test_the_newest_three_reservations_of_the_person_that_still_wait(town: Town) -> None:
    for name in ("张桂兰", "李秀英"):
        await town.give_points(name, 200)
    first = await reserved(town, good="抽纸")
    later = [await reserved(town) for _ in range(3)]
    await reserved(town, "李秀英")
    page = await seen(town, "张桂兰")
    assert [row.id for row in page.reserved] == [row.id for row in reversed(later)]
    assert {(r.good, r.unit, r.quantity, r.station) for r in page.reserved} == {("香皂", "块", 1, "暖蜂驿站")}
    assert [(row.code, row.expires_at) for row in page.reserved] == [(r.code, r.expires_at) for r in reversed(later)]
    await cancel(await town.scope("张桂兰"), later[2].id)
    assert [row.id for row in (await seen(town, "张桂兰")).reserved] == [later[1].id, later[0].id, first.id]


async def test_a_reservation_whose_code_is_lost_still_stands_there(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    await reserved(town)
    await owner.execute("DELETE FROM pickup")
    assert [row.code for row in (await seen(town, "张桂兰")).reserved] == [None]
    assert "待领取 香皂 1 块" in await (await browser(client, town, "张桂兰")).see("/")


async def test_the_coming_lessons_of_the_children_in_care(town: Town, owner: asyncpg.Connection) -> None:
    await new_family(owner, town, "李秀英", "李小月")
    await give_minutes(town, "刘小雨", 120)
    for lesson in (1, 0):
        await booked(town, "刘洋", "刘小雨", lesson)
    lessons = (await seen(town, "刘洋")).lessons
    begins = await owner.fetch("SELECT starts_at FROM lesson WHERE id = ANY ($1) ORDER BY 1", town.lessons)
    assert [lesson.starts_at for lesson in lessons] == [row[0] for row in begins], "the next one first"
    assert {(lesson.course, lesson.child, lesson.station) for lesson in lessons} == {("少儿书法", "刘小雨", "暖蜂驿站")}
    assert (await seen(town, "李秀英")).lessons == [], "another family's"

    with clock.at(begins[0][0] + timedelta(minutes=59)):
        assert len((await seen(town, "刘洋")).lessons) == 2, "it is being held"
    with clock.at(begins[0][0] + timedelta(minutes=61)):
        assert [lesson.starts_at for lesson in (await seen(town, "刘洋")).lessons] == [begins[1][0]]
    await booking.cancel_booking(await town.scope("刘洋"), lessons[1].id)
    assert [lesson.id for lesson in (await seen(town, "刘洋")).lessons] == [lessons[0].id]


async def test_no_lesson_of_a_child_who_is_no_longer_in_care(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    await booked(town, "刘洋", "刘小雨")
    assert len((await seen(town, "刘洋")).lessons) == 1
    await owner.execute("UPDATE guardianship SET ended_at = $1 WHERE child_id = $2", clock.now(), town.people["刘小雨"])
    assert (await seen(town, "刘洋")).lessons == []


async def test_the_page_says_them_in_words(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("刘洋", 200)
    await give_minutes(town, "刘小雨", 60)
    code = (await reserved(town, "刘洋")).code
    await booked(town, "刘洋", "刘小雨")
    assert code is not None
    assert (await scanned(await town.scope("刘洋"), station_code(town))).status == "ok"
    page = await (await browser(client, town, "刘洋")).see("/")
    for words in (
        "扫一扫签退",
        "服务中",
        "待领取 香皂 1 块",
        f"{code[:4]} {code[4:]}",
        "少儿书法",
        "刘小雨 · 暖蜂驿站",
    ):
        assert words in page
