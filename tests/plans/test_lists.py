"""No list is cut silently: each one longer than a page links to the next page, and a choice offers every row."""

from dataclasses import dataclass

import asyncpg
import httpx
import msgspec
import pytest

from tests.classes.test_class_refunds import bought
from tests.support.shop import API, browser
from tests.support.town import Town
from timebank.imports.reports.reasons import Remark
from timebank.imports.reports.report import Findings

MANY = 205
IDS = "('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid AS id FROM generate_series(1, 205) n"

# The rows of each table, as a SELECT of named columns. Parameters: $1 community, $2 station, $3 person, $4 area,
# $5 good, $6 course, $7 activity, $8 lesson.
FILL: dict[str, str] = {
    "station": f"SELECT $1 AS community_id, '驿站' || n AS name, 'yi zhan ' || lpad(n::text, 4, '0') || ' 驿站' || n "
    f"AS pinyin, '' AS address, '08:00'::time AS opens_at, '18:00'::time AS closes_at, 1 AS code_epoch, "
    f"true AS active, now() AS created_at, {IDS}",
    "activity": f"SELECT $1 AS community_id, '活动' || n AS name, 'huo dong ' || n AS pinyin, '' AS description, "
    f"'service' AS rule_code, false AS needs_sign_up, true AS active, now() AS created_at, {IDS}",
    "good": f"SELECT $1 AS community_id, '物品' || n AS name, 'wu pin ' || n AS pinyin, '个' AS unit, 5 AS points, "
    f"true AS active, now() AS created_at, {IDS}",
    "rule": "SELECT $1 AS community_id, 'rule-' || n AS code, 1 AS version, 'deed' AS kind, '规则' || n AS name, "
    "5 AS points, true AS active, now() AS valid_from FROM generate_series(1, 205) n",
    "area": f"SELECT $1 AS community_id, 'grid' AS kind, '网格' || n AS name, 'wang ge ' || n AS pinyin, "
    f"ARRAY[('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid] AS path, now() AS created_at, {IDS}",
    "person": f"SELECT $1 AS community_id, '居民' || n AS name, '居民' || n AS name_key, 'ju min ' || n AS pinyin, "
    f"false AS publishes_name, 'active' AS status, 1 AS code_epoch, now() AS created_at, {IDS}",
    "course": f"SELECT $1 AS community_id, '课' || n AS title, 'ke ' || n AS pinyin, 6 AS age_min, 14 AS age_max, "
    f"current_date AS starts_on, current_date + 90 AS ends_on, 20 AS points_per_hour, '林老师' AS teacher, "
    f"$2 AS station_id, true AS active, now() AS created_at, {IDS}",
    "lesson": f"SELECT $1 AS community_id, $6 AS course_id, now() + n * interval '1 hour' AS starts_at, "
    f"now() + n * interval '1 hour' + interval '30 minutes' AS ends_at, 30 AS minutes, 5 AS seats, "
    f"0 AS seats_taken, {IDS}",
    "shift": f"SELECT $1 AS community_id, $7 AS activity_id, $2 AS station_id, "
    f"now() + n * interval '1 hour' AS starts_at, now() + (n + 1) * interval '1 hour' AS ends_at, 5 AS seats, "
    f"0 AS seats_taken, now() AS created_at, {IDS}",
    "message": f"SELECT $1 AS community_id, $3 AS person_id, 'notice' AS kind, '消息' || n AS text, 'k' || n AS key, "
    f"now() AS created_at, now() AS due_at, false AS urgent, {IDS}",
    "role_grant": f"SELECT $1 AS community_id, $3 AS person_id, 'unit_head' AS role, $4 AS area_id, "
    f"current_date AS starts_on, now() AS granted_at, {IDS}",
    "visit": f"SELECT $1 AS community_id, $3 AS person_id, $2 AS station_id, now() - n * interval '1 hour' AS in_at, "
    f"now() - n * interval '1 hour' + interval '30 minutes' AS out_at, 'closed' AS status, 'card' AS in_by, "
    f"'card' AS out_by, '00:00'::time AS opens_at, '23:59'::time AS closes_at, {IDS}",
    "service_record": f"SELECT $1 AS community_id, 'honour' AS kind, $3 AS person_id, now() AS started_at, "
    f"now() AS ended_at, 30 AS minutes, 'pending' AS status, '{{}}'::text[] AS flags, 'service' AS rule_code, "
    f"now() AS created_at, {IDS}",
    "deed": f"SELECT $1 AS community_id, $3 AS person_id, $4 AS area_id, 'patrol' AS rule_code, 1 AS rule_version, "
    f"2 AS points, current_date AS occurred_on, '' AS note, 'noticed' AS status, now() AS notice_from, "
    f"now() + interval '7 days' AS notice_until, now() AS created_at, {IDS}",
    "redemption": f"SELECT $1 AS community_id, $3 AS person_id, $3 AS household_id, $5 AS good_id, "
    f"$2 AS station_id, 1 AS quantity, 8 AS points, 'reserved' AS status, "
    f"gen_random_uuid() AS entry_id, now() AS reserved_at, now() + interval '7 days' AS expires_at, {IDS}",
    "pickup": "SELECT community_id, lpad(right(id::text, 12)::bigint::text, 8, '0') AS code, 'redemption' AS noun, "
    "id AS noun_id, station_id, expires_at FROM redemption",
    "stock_move": f"SELECT $1 AS community_id, $2 AS station_id, $5 AS good_id, 1 AS change, 'received' AS reason, "
    f"'第' || n || '次' AS note, now() AS moved_at, {IDS}",
    "booking": "SELECT $1 AS community_id, $8 AS lesson_id, p.id AS child_id, $3 AS guardian_id, "
    "'waiting' AS status, now() AS created_at, p.id FROM person p WHERE p.name LIKE '居民%'",
    "import_run": f"SELECT $1 AS community_id, 'goods' AS kind, '物品.xlsx' AS file_name, ''::bytea AS file_hash, "
    f"false AS skip_bad, 1 AS rows, 1 AS accepted, 1 AS created, '{{}}'::jsonb AS report, now() AS started_at, {IDS}",
    "objection": "SELECT $1 AS community_id, 'deed' AS subject_kind, d.id AS subject_id, $3 AS person_id, "
    "'不是他做的' AS reason, now() AS created_at, d.id FROM deed d",
}  # fmt: skip


async def fill(owner: asyncpg.Connection, town: Town, *tables: str) -> None:
    """Insert MANY rows into each of these tables in 凤凰社区; rows of a person are 张桂兰's."""
    for table in tables:
        place = [
            town.community, town.stations["暖蜂驿站"], town.people["张桂兰"], town.areas["凤凰社区/第一网格/3栋/1单元"],
            town.goods["香皂"], town.course, town.activities["站点值守"], town.lessons[0],
        ]  # fmt: skip
        statement = FILL[table]
        for number in range(len(place), 0, -1):
            statement = statement.replace(f"${number}", f"'{place[number - 1]}'::uuid")
        row = await owner.prepare(statement)
        names = ", ".join(column.name for column in row.get_attributes())
        await owner.execute(f"INSERT INTO {table} ({names}) {statement}")


@dataclass(frozen=True)
class Listing:
    path: str
    tables: tuple[str, ...]
    reader: str = "赵丽"


LISTS = [
    Listing("/stations", ("station",)),
    Listing("/activities", ("activity",)),
    Listing("/goods", ("good",)),
    Listing("/rules", ("rule",)),
    Listing("/areas", ("area",)),
    Listing("/people", ("person",)),
    Listing("/courses", ("course",)),
    Listing("/courses/{course}/lessons", ("lesson",)),
    Listing("/activities/{activity}/shifts", ("shift",)),
    Listing("/me/messages", ("message",), "张桂兰"),
    Listing("/roles", ("role_grant",)),
    Listing("/visits", ("visit",), "张桂兰"),
    Listing("/service-records", ("service_record",)),
    Listing("/deeds", ("deed",)),
    Listing("/board?community_id={community}", ("deed",)),
    Listing("/objections", ("deed", "objection")),
    Listing("/redemptions", ("redemption",)),
    Listing("/bookings", ("person", "booking")),
    Listing("/imports", ("import_run",)),
]


@pytest.mark.parametrize("listing", LISTS, ids=lambda listing: listing.path)
async def test_two_hundred_and_five_are_all_reached_by_following_the_links(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, listing: Listing
) -> None:
    await fill(owner, town, *listing.tables)
    places = {"course": town.course, "activity": town.activities["站点值守"], "community": town.community}
    path, headers = API + listing.path.format(**places), await town.sign_in(listing.reader)
    url: str | None = f"{path}{'&' if '?' in path else '?'}limit=100"
    found: list[str] = []
    pages = 0
    while url:
        answer = await client.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += [str(item.get("id") or item["code"]) for item in body["items"]]
        following = answer.links.get("next", {}).get("url")
        assert (following is None) == (body["next"] is None)
        url, pages = following, pages + 1
    assert pages >= 3
    assert len(found) == len(set(found)) >= MANY


@pytest.mark.parametrize(
    ("path", "reader", "tables", "last"),
    [
        ("/admin/stations", "赵丽", ("station",), "驿站205"),
        ("/admin/activities", "赵丽", ("activity",), "活动205"),
        ("/admin/activities/new", "赵丽", ("station",), "驿站205"),
        ("/admin/rules", "赵丽", ("rule",), "规则205"),
        ("/admin/deeds/catalogue", "赵丽", ("rule",), "规则205"),
        ("/admin/classes/new", "赵丽", ("station",), "驿站205"),
        ("/admin/classes/{course}", "赵丽", ("lesson",), "000000000205"),
        ("/admin/classes/lessons/{lesson}", "赵丽", ("person", "booking"), "居民205"),
        ("/admin/activities/{activity}", "赵丽", ("shift",), "000000000205"),
        ("/admin/goods/{good}", "赵丽", ("station",), "驿站205"),
        ("/admin/goods/redemptions", "赵丽", ("station",), "驿站205"),
        ("/admin/reviews/hours?person_id={person}", "赵丽", ("activity",), "活动205"),
        ("/goods", "张桂兰", ("good",), "物品205"),
        ("/activities", "张桂兰", ("activity",), "活动205"),
        ("/redemptions", "张桂兰", ("redemption", "pickup"), "0000 0205"),
        ("/desk/shelf?station={station}", "周敏", ("good",), "物品205"),
        ("/deeds/new", "王建国", ("rule",), "规则205"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("/") else "",
)
async def test_a_page_that_chooses_or_counts_shows_the_two_hundred_and_fifth_too(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, path: str, reader: str, tables: tuple[str, ...],
    last: str,
) -> None:  # fmt: skip
    await fill(owner, town, *tables)
    places = {
        "course": town.course, "activity": town.activities["站点值守"], "lesson": town.lessons[0],
        "good": town.goods["香皂"], "station": town.stations["暖蜂驿站"], "person": town.people["张桂兰"],
    }  # fmt: skip
    answer = await client.get(path.format(**places), headers=await town.sign_in(reader))
    assert answer.status_code == 200, answer.text
    assert last in answer.text


async def test_class_minutes_can_move_to_any_of_two_hundred_and_five_courses(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "course")
    await town.credit_deed("刘洋", 40)
    await bought(town, 60)
    path = f"/classes/{town.course}?child={town.people['刘小雨']}"
    answer = await client.get(path, headers=await town.sign_in("刘洋"))
    assert [n for n in range(1, MANY + 1) if f"课{n}（约" not in answer.text] == []


@pytest.mark.parametrize(
    ("path", "tables", "last"),
    [
        (
            "/admin/deeds?status=objected",
            ("deed", "objection"),
            "/admin/objections/00000000-0000-7000-8000-000000000205",
        ),
        ("/admin/goods/{good}", ("stock_move",), "第205次"),
    ],
    ids=["objections", "moves of stock"],
)
async def test_a_long_book_leads_on_to_its_next_page(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, path: str, tables: tuple[str, ...], last: str
) -> None:
    await fill(owner, town, *tables)
    headers, url, seen = await town.sign_in("赵丽"), path.format(good=town.goods["香皂"]), ""
    for _ in range(10):
        answer = await client.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        seen += answer.text
        following = [part for part in answer.text.split('href="') if 'rel="next"' in part.split(">")[0]]
        if not following:
            break
        url = following[0].split('"')[0].replace("&amp;", "&")
    assert last in seen
    assert "000000000001" in seen or "第1次" in seen


async def test_every_message_is_noted_as_read_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "message")
    await (await browser(client, town, "张桂兰")).send("/messages/read")
    assert await owner.fetchval("SELECT count(*) FROM message WHERE read_at IS NULL") == 0
    assert await owner.fetchval("SELECT count(*) FROM message WHERE read_at IS NOT NULL") == MANY


async def test_who_looks_for_a_common_name_hears_that_there_are_more(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "person")
    desk = await browser(client, town, "赵丽")
    many = await desk.send("/admin/reviews/hours/search", q="居民")
    assert "还有更多" in many.text
    one = await desk.send("/admin/reviews/hours/search", q="张桂兰")
    assert "张桂兰" in one.text
    assert "还有更多" not in one.text


def test_a_kept_report_of_an_import_says_how_many_remarks_it_left_out() -> None:
    one = Remark(row=7, column="电话", value="1", sheet="花名册", code="phone_length", values={"length": 1})
    odd = [msgspec.structs.replace(one, values={"length": length}) for length in range(1000)]
    found = Findings(
        rows=1001, accepted=0, created=0, outcome="refused", errors=[one] * 1001, warnings=odd, notes=[]
    )  # fmt: skip
    told = found.kept().told()
    assert (len(told.errors), len(told.warnings)) == (1000, 1000)
    assert told.notes == ["有问题的共 1001 处，只列出前 1000 处。请改好这些再导入，其余的会接着列出"]
    assert found.told().notes == []
