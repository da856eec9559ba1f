"""Hours, deeds and redemptions in the panel are narrowed to a person found by name, counted and saved so."""

import re
from dataclasses import dataclass
from html import unescape
from io import BytesIO

import asyncpg
import httpx
import pytest
from openpyxl import load_workbook

from tests.plans.test_lists import MANY, fill
from tests.support.presence import served
from tests.support.shop import browser
from tests.support.town import Town
from timebank.classes.courses import courses
from timebank.shop.goods import list_goods

WHO = "张桂兰"


@dataclass(frozen=True)
class Listed:
    path: str
    table: str
    status: str


LISTS = [
    Listed("/admin/reviews", "service_record", "rejected"),
    Listed("/admin/deeds", "deed", "noticed"),
    Listed("/admin/goods/redemptions", "redemption", "reserved"),
]


def ids(listed: Listed) -> str:
    return listed.path


@pytest.mark.parametrize("listed", LISTS, ids=ids)
async def test_the_things_of_one_person_are_found_by_name(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, listed: Listed
) -> None:
    table = listed.table
    await fill(owner, town, table)
    await owner.execute(f"UPDATE {table} SET status = $1", listed.status)
    await owner.execute(
        f"UPDATE {table} SET person_id = $1 WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT 3)",
        town.people["李秀英"],
    )
    desk = await browser(client, town, "孙伟")
    assert f"共 {MANY} 条" in await desk.see(f"{listed.path}?status={listed.status}")
    answer = await desk.send(f"{listed.path}/search", q="李秀英", status=listed.status)
    at = answer.headers["location"]
    assert at == f"{listed.path}?status={listed.status}&person_id={town.people['李秀英']}"
    page = await desk.see(at)
    assert "共 3 条" in page
    assert "不再只看李秀英" in page
    assert page.count("<tr>") == 3 + 1  # and the headings
    assert WHO not in page
    other = await desk.send(f"{listed.path}/search", q=WHO, status=listed.status, person_id=town.people["李秀英"])
    assert other.headers["location"].endswith(f"person_id={town.people[WHO]}"), "a new name takes the place of the old"


@pytest.mark.parametrize("listed", LISTS, ids=ids)
async def test_several_of_a_name_are_shown_to_choose_from_and_nobody_is_said(
    town: Town, client: httpx.AsyncClient, listed: Listed
) -> None:
    desk = await browser(client, town, "孙伟")
    several = (await desk.send(f"{listed.path}/search", q="刘", status=listed.status)).text
    for name in ("刘洋", "刘小雨"):
        assert f"person_id={town.people[name]}" in several
    assert "是哪一位" in several
    assert "没有找到这个人" in (await desk.send(f"{listed.path}/search", q="没有这个", status=listed.status)).text
    whole = await desk.send(f"{listed.path}/search", q=" ", status=listed.status)
    assert whole.headers["location"] == f"{listed.path}?status={listed.status}"
    for name in ("张桂兰", "王建国"):
        refused = await (await browser(client, town, name)).send(f"{listed.path}/search", q="李秀英")
        assert refused.status_code == 403


async def test_more_than_three_hundred_are_said_to_be_more(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "redemption")
    await owner.execute(
        "INSERT INTO redemption (id, community_id, person_id, household_id, good_id, station_id, quantity, points, "
        "status, entry_id, reserved_at, expires_at) SELECT gen_random_uuid(), community_id, person_id, household_id, "
        "good_id, station_id, quantity, points, status, gen_random_uuid(), reserved_at, expires_at FROM redemption"
    )
    desk = await browser(client, town, "孙伟")
    assert "共 300+ 条" in await desk.see("/admin/goods/redemptions")
    assert "共 205 条" not in await desk.see("/admin/goods/redemptions?status=returned")


async def test_what_is_saved_is_what_is_shown_of_one_person(town: Town, client: httpx.AsyncClient) -> None:
    for name in (WHO, "李秀英"):
        await served(town, name, 90)
    admin = await browser(client, town, "赵丽")
    page = await admin.see(f"/admin/reviews?status=approved&person_id={town.people[WHO]}")
    assert f'name="person_id" value="{town.people[WHO]}"' in page
    saved = await admin.send("/admin/exports/hours", status="approved", person_id=town.people[WHO])
    sheet = load_workbook(BytesIO(saved.content), read_only=True).worksheets[0]
    _heading, *rows = sheet.iter_rows(values_only=True)
    assert [row[3] for row in rows] == [WHO]
    refused = await admin.send("/admin/exports/hours", status="approved", person_id="all")
    assert refused.status_code == 422


async def test_a_course_is_found_by_its_teacher_also_when_it_has_ended(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "course")
    await owner.execute(
        "UPDATE course SET teacher = '苏老师', ends_on = current_date - 1, starts_on = current_date - 90 "
        "WHERE title = '课7'"
    )
    desk = await browser(client, town, "孙伟")
    found = (await desk.send("/admin/classes/search", q="苏老师")).text
    assert "课7</a>" in found
    assert "课8</a>" not in found
    assert "已结课" in found
    first = (await desk.send("/admin/classes/search", q="课")).text
    assert 'name="cursor"' in first, "the next page is a button of the search"
    assert "没有找到“林黛玉”" in (await desk.send("/admin/classes/search", q="林黛玉")).text


@pytest.mark.parametrize("listed", LISTS, ids=ids)
async def test_the_oldest_come_first_where_they_are_asked_for_and_each_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, listed: Listed
) -> None:
    await fill(owner, town, listed.table)
    at = "reserved_at" if listed.table == "redemption" else "created_at"
    await owner.execute(
        f"UPDATE {listed.table} SET status = $1, {at} = now() - right(id::text, 4)::integer * interval '1 minute'",
        listed.status,
    )
    desk = await browser(client, town, "孙伟")
    for order in ("oldest", ""):
        seen: list[str] = []
        place: str | None = f"{listed.path}?status={listed.status}&order={order}"
        while place:
            page = await desk.see(place)
            found = re.findall(rf'<th scope="row"><a href="{listed.path}/([0-9a-f-]+)"', page)
            seen += found
            following = re.search(r'href="([^"]*)" rel="next"', page)
            place = unescape(following[1]) if following else None
        key = "id" if listed.table == "deed" else at
        rows = await owner.fetch(f"SELECT id FROM {listed.table} ORDER BY {key} {'ASC' if order else 'DESC'}")
        assert seen == [str(row["id"]) for row in rows]
    later = (await desk.send(f"{listed.path}/search", q="李秀英", status=listed.status, order="oldest")).headers
    assert later["location"].endswith("order=oldest"), "the order stays when a person is found"


async def test_goods_and_courses_say_on_their_first_page_how_many_there_are(
    town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, reader = await browser(client, town, "孙伟"), await town.scope("孙伟")
    whole = len((await list_goods(reader, with_ended=True, limit=200)).items)
    held = len((await courses(reader, with_ended=True, limit=200)).items)
    assert whole > 1
    for size in (1, 50):
        monkeypatch.setattr("admin.goods.PAGE", size)
        monkeypatch.setattr("admin.classes.PAGE", size)
        assert f"共 {whole} 条" in await desk.see("/admin/goods")
        assert f"共 {held} 条" in await desk.see("/admin/classes?ended=true")
        assert "共 1 条" in (await desk.send("/admin/goods/search", q="香皂")).text
    monkeypatch.setattr("admin.goods.PAGE", 1)
    [further] = re.findall(r'href="(/admin/goods\?cursor=[^"]+)"', await desk.see("/admin/goods"))
    assert "共" not in (await desk.see(further)).split("<table", 1)[1]
