"""Importing workbooks: what is written, what is refused and why; a second import changes nothing."""

import asyncio
import csv
import io
import random
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.imports.kinds.chengjiang import DATA, FACTS, FILES, MOMENT, TODAY, Chengjiang, counts, found_chengjiang
from tests.imports.kinds.test_chengjiang import CODES, opened
from tests.support.town import PHOENIX, Town, operating
from timebank.core import clock, names, vault
from timebank.core.errors import Forbidden
from timebank.core.wording import note_in_words
from timebank.imports.files.refusals import NoKnownColumn
from timebank.imports.intake import Kind
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.hours.write import NoServiceRule
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.people.guardianship.guardians import record_consent
from timebank.people.identity.citizen_number import check_character
from timebank.people.records import set_person_status
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.schemas import HoursIn
from timebank.shop.goods import change_good
from timebank.shop.schemas import GoodChange

ROSTER = ["网格", "楼栋", "单元", "房号", "户主", "姓名", "与户主关系", "性别", "身份证号", "出生日期", "电话", "备注"]
WITHOUT_PHONE = [bad for bad in FACTS["roster"]["bad_rows"] if bad["error"] == "phone length"]
"""Residents whose phone has a wrong length: they are imported by their identity number, without the phone."""

HOURS = ["日期", "活动", "地点", "姓名", "电话", "签到时间", "签退时间"]
DEEDS = ["日期", "姓名", "楼栋单元", "事项", "分值", "证明人", "备注"]
GOODS = ["物品", "单位", "积分", "库存", "站点", "限兑"]


def table(*rows: Sequence[object]) -> bytes:
    """A CSV file of these rows; the first is the header."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def resident(
    name: str, *, phone: str = "", born: str = "", identity: str = "", note: str = "", **home: str
) -> list[str]:
    """A row of a roster; the default address is 3栋1单元 102 in 凤凰社区."""
    place = {"grid": "第一网格", "building": "3栋", "unit": "1单元", "room": "102", "head": "", "relation": ""} | home
    return [
        place["grid"], place["building"], place["unit"], place["room"], place["head"], name, place["relation"], "",
        identity, born, phone, note,
    ]  # fmt: skip


def codes(report: Report) -> list[tuple[int, str]]:
    return [(error.row, error.code) for error in report.errors]


def warned(report: Report) -> list[tuple[int, str]]:
    return [(row, warning.code) for warning in report.warnings for row in warning.rows or [warning.row]]


async def take_in(
    town: Town, kind: Kind, *rows: Sequence[object], dry_run: bool = False, skip_bad: bool = True, by: str = "赵丽"
) -> Report:
    """Import these rows as a CSV file into 凤凰社区."""
    scope = await town.scope(by)
    return await import_file(scope, kind, f"{kind}.csv", table(*rows), dry_run=dry_run, skip_bad=skip_bad)


@pytest.fixture
async def community(town: Town) -> Chengjiang:
    """城江社区 before its first import."""
    return await found_chengjiang(town)


@pytest.fixture
async def settled(community: Chengjiang) -> Chengjiang:
    """城江社区 with its residents."""
    assert (await community.take_in("residents")).outcome == "imported"
    return community


def assert_refused_as_known(report: Report, facts: list[dict[str, object]]) -> None:
    """Assert that exactly the bad rows in the facts have an error or a warning, for the reason in the facts."""
    found = {*codes(report), *warned(report)}
    expected = {fact["row"]: CODES[str(fact["error"])] for fact in facts}
    assert {row for row, _ in found} == set(expected)
    assert all(code in expected[row] for row, code in found)


async def test_the_roster_enters_every_good_row_and_refuses_every_bad_one(
    community: Chengjiang, owner: asyncpg.Connection
) -> None:
    report = await community.take_in("residents")
    assert (report.outcome, report.rows, report.accepted, report.created) == ("imported", 2613, 2559, 2559)
    assert report.accepted == FACTS["roster"]["valid_rows"] + len(WITHOUT_PHONE)
    assert_refused_as_known(report, FACTS["roster"]["bad_rows"])
    entered = await owner.fetch(
        "SELECT p.name, p.born_on, p.sex, p.phone_last4, p.identity_index, h.room, h.head_name FROM person p "
        "JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id WHERE p.community_id = $1",
        community.id,
    )
    expected = Counter(
        (row.name, row.born_on, "男" if row.sex == "male" else "女", row.phone[-4:] if row.phone else None,
         vault.blind_index(row.identity or "", "identity"), row.household.room, row.household.head)
        for row in read_roster.parse(opened("roster.xlsx"), today=TODAY).rows
    )  # fmt: skip
    assert Counter(tuple(row) for row in entered) == expected


async def test_a_roster_brings_its_places_offices_and_logins(settled: Chengjiang, owner: asyncpg.Connection) -> None:
    rows = read_roster.parse(opened("roster.xlsx"), today=TODAY).rows
    areas = await owner.fetch("SELECT kind, count(*) FROM area WHERE community_id = $1 GROUP BY kind", settled.id)
    assert dict(map(tuple, areas)) == {"grid": 6, "building": 32, "unit": 84}
    held = await owner.fetch(
        "SELECT g.role, p.name, a.kind, a.name AS place FROM role_grant g "
        "JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id "
        "JOIN area a ON a.community_id = g.community_id AND a.id = g.area_id WHERE g.community_id = $1",
        settled.id,
    )
    assert Counter(map(tuple, held)) == Counter(
        ("building_head", row.name, "building", row.household.building)
        if "building_head" in row.roles
        else ("unit_head", row.name, "unit", row.household.unit)
        for row in rows
        if row.roles
    )
    young = date(TODAY.year - 14, TODAY.month, TODAY.day)
    grown = [row for row in rows if row.phone and not (row.born_on and row.born_on > young)]
    members = await owner.fetchval("SELECT count(*) FROM membership WHERE community_id = $1", settled.id)
    asked = await owner.fetchval("SELECT count(*) FROM membership_question WHERE community_id = $1", settled.id)
    assert members + asked == len(grown)
    known = await owner.fetchval(
        "SELECT count(*) FROM membership_question q JOIN membership m ON m.login_id = q.login_id "
        "WHERE q.community_id = $1 AND m.community_id <> $1", settled.id,
    )  # fmt: skip
    assert asked == known, "only whose phone somebody elsewhere has"


async def test_children_have_guardians_named_who_must_still_consent(
    settled: Chengjiang, owner: asyncpg.Connection
) -> None:
    named = await owner.fetch(
        "SELECT g.relation, g.consented_at, g.recorded_by, c.born_on AS child, a.born_on AS adult, a.sex, "
        "a.household_id = c.household_id AS together FROM guardianship g "
        "JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id "
        "JOIN person a ON a.community_id = g.community_id AND a.id = g.guardian_id WHERE g.community_id = $1",
        settled.id,
    )
    assert len(named) > 300
    eighteen = date(TODAY.year - 18, TODAY.month, TODAY.day)
    for row in named:
        assert row["child"] > eighteen >= row["adult"]
        assert row["together"]
        assert (row["consented_at"], row["recorded_by"]) == (None, None)
        assert row["relation"] == ("父亲" if row["sex"] == "男" else "母亲")


async def test_the_sign_in_sheets_become_honour_hours_that_nobody_has_credited(
    settled: Chengjiang, owner: asyncpg.Connection
) -> None:
    report = await settled.take_in("hours")
    assert (report.outcome, report.rows, report.accepted, report.created) == ("imported", 900, 870, 870)
    assert_refused_as_known(report, FACTS["hours"]["flagged_rows"])
    assert Counter(code for _, code in warned(report)) == {"same_day": 15}
    assert report.accepted - 15 == FACTS["hours"]["clean_rows"]
    parsed = read_hours.parse(opened("hours.xlsx"), None, today=TODAY)
    flagged = {row for row, _ in warned(report)}
    beside = sum(row.minutes for row in parsed.rows if row.row in flagged)
    records = await owner.fetch("SELECT * FROM service_record WHERE community_id = $1", settled.id)
    assert sum(record["minutes"] for record in records) == FACTS["hours"]["clean_minutes"] + beside
    assert {(r["kind"], r["status"], r["credited_minutes"], r["visit_id"]) for r in records} == {
        ("honour", "pending", None, None)
    }
    said = [note_in_words(r["reason_said"], r["reason"]) or "" for r in records]
    assert all(reason.startswith("纸质签到表补录：hours.xlsx；地点：") for reason in said)
    assert await owner.fetchval("SELECT count(*) FROM transfer") == 0
    activities = await owner.fetch("SELECT name, rule_code, active FROM activity WHERE community_id = $1", settled.id)
    assert {row["name"] for row in activities} == {row.activity for row in parsed.rows}
    assert {row["active"] for row in activities} == {True}


async def test_the_moral_banks_book_is_filed_for_review(settled: Chengjiang, owner: asyncpg.Connection) -> None:
    report = await settled.take_in("deeds")
    assert (report.outcome, report.rows, report.accepted, report.created) == ("imported", 400, 390, 390)
    assert report.accepted == FACTS["deeds"]["clean_rows"]
    assert Counter(code for _, code in warned(report)) == {"witness_unclear": 5}
    assert {row for row, _ in codes(report)} == {fact["row"] for fact in FACTS["deeds"]["flagged_rows"]}
    filed = await owner.fetch(
        "SELECT d.status, d.points, d.entry_id, d.witness_id, d.person_id, d.area_id, g.area_id AS headed "
        "FROM deed d JOIN role_grant g ON g.community_id = d.community_id AND g.person_id = d.person_id "
        "WHERE d.community_id = $1",
        settled.id,
    )
    assert len(filed) == 390
    assert {(row["status"], row["entry_id"]) for row in filed} == {("filed", None)}
    assert all(row["area_id"] == row["headed"] for row in filed)
    assert sum(row["witness_id"] is not None for row in filed) == 385


async def test_the_goods_list_is_on_the_shelves(community: Chengjiang, owner: asyncpg.Connection) -> None:
    report = await community.take_in("goods")
    assert (report.outcome, report.accepted, report.created, report.errors) == ("imported", 14, 14, [])
    found = await owner.fetch(
        "SELECT g.name, g.unit, g.points, g.monthly_limit, s.quantity, m.change, m.reason, t.name AS station "
        "FROM good g JOIN stock s ON s.community_id = g.community_id AND s.good_id = g.id "
        "JOIN stock_move m ON m.community_id = s.community_id AND m.good_id = g.id AND m.station_id = s.station_id "
        "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id WHERE g.community_id = $1",
        community.id,
    )
    assert {tuple(row) for row in found} == {
        (names.clean(row.name), row.unit, row.points, row.limit, row.stock, row.stock, "import", row.station)
        for row in read_goods.parse(opened("goods.xlsx")).rows
    }


async def test_a_trial_tells_what_the_run_refuses_and_neither_it_nor_a_second_run_changes_anything(
    community: Chengjiang, owner: asyncpg.Connection
) -> None:
    for kind in FILES:
        before = await counts(owner)
        tried = await community.take_in(kind, dry_run=True)
        assert await counts(owner) == before
        assert (tried.outcome, tried.run_id) == ("tried", None)
        real = await community.take_in(kind)
        assert real.run_id is not None
        assert (tried.rows, tried.accepted, tried.created) == (real.rows, real.accepted, real.created)
        assert (tried.errors, tried.warnings, tried.notes) == (real.errors, real.warnings, real.notes)
    before = await counts(owner)
    for kind in FILES:
        again = await community.take_in(kind)
        assert (again.outcome, again.created, again.run_id) == ("unchanged", 0, None)
        assert any("没有重复导入" in note for note in again.notes)
    assert await counts(owner) == before


async def test_all_or_nothing_takes_nothing_while_one_row_is_bad(
    community: Chengjiang, owner: asyncpg.Connection
) -> None:
    before = await counts(owner)
    report = await community.take_in("residents", skip_bad=False)
    assert (report.outcome, report.accepted, report.created, report.run_id) == ("refused", 0, 0, None)
    assert len(report.errors) == len(FACTS["roster"]["bad_rows"]) - len(WITHOUT_PHONE)
    assert await counts(owner) == before


async def test_two_imports_of_one_roster_at_once_enter_everybody_once(
    community: Chengjiang, owner: asyncpg.Connection
) -> None:
    reports = await asyncio.gather(*(community.take_in("residents") for _ in range(2)))
    assert sorted(report.outcome for report in reports) == ["imported", "unchanged"]
    people = await owner.fetchval("SELECT count(*) FROM person WHERE community_id = $1", community.id)
    assert people == FACTS["roster"]["valid_rows"] + len(WITHOUT_PHONE)
    assert await owner.fetchval("SELECT count(*) FROM import_run WHERE community_id = $1", community.id) == 1


async def test_two_imports_of_the_other_workbooks_at_once_take_each_row_once(
    settled: Chengjiang, owner: asyncpg.Connection
) -> None:
    wanted: list[Kind] = ["hours", "deeds", "goods", "hours", "deeds", "goods"]
    reports = await asyncio.gather(*(settled.take_in(kind) for kind in wanted))
    assert Counter(report.outcome for report in reports) == {"imported": 3, "unchanged": 3}
    for table_name, expected in (("service_record", 870), ("deed", 390), ("stock_move", 14)):
        found = await owner.fetchval(f"SELECT count(*) FROM {table_name} WHERE community_id = $1", settled.id)
        assert found == expected


async def test_no_phone_or_identity_number_stands_in_clear_anywhere(
    settled: Chengjiang, owner: asyncpg.Connection
) -> None:
    told = await settled.take_in("hours")
    rows = read_roster.parse(opened("roster.xlsx"), today=TODAY).rows
    numbers = {row.identity for row in rows if row.identity} | {row.phone for row in rows if row.phone}
    columns = await owner.fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type IN ('text', 'character varying', 'jsonb', 'bytea', 'ARRAY') AND table_name <> 'migration'"
    )
    looked_at = 0
    for table_name, column, kind in map(tuple, columns):
        as_text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
        for (text,) in await owner.fetch(f'SELECT {as_text} FROM "{table_name}" WHERE "{column}" IS NOT NULL'):
            looked_at += 1
            assert numbers.isdisjoint(re.findall(r"\d{11,18}X?", text)), f"{table_name}.{column}"
    assert looked_at > 20_000
    for remark in [*told.errors, *told.warnings]:
        assert numbers.isdisjoint(re.findall(r"\d{11,18}X?", remark.value + remark.problem))


async def test_a_corrected_roster_adds_only_the_corrected_rows(town: Town, owner: asyncpg.Connection) -> None:
    good = resident("林小满", phone="19900008001", head="林小满", relation="户主")
    bad, mended = (
        resident("林大山", phone=phone, head="林小满", relation="配偶") for phone in ("199000", "19900008002")
    )
    first = await take_in(town, "residents", ROSTER, good, bad)
    assert (first.created, codes(first)) == (1, [(3, "phone_length")])
    second = await take_in(town, "residents", ROSTER, good, mended)
    assert (second.outcome, second.accepted, second.created, second.errors) == ("imported", 2, 1, [])
    assert second.notes[0] == "1 行以前已经导入或登记，没有重复导入"
    entered = await owner.fetch("SELECT household_id FROM person WHERE name IN ('林小满', '林大山')")
    assert len(entered) == 2
    assert len({row["household_id"] for row in entered}) == 1


async def test_an_identity_number_is_not_given_to_a_second_person(town: Town) -> None:
    number = "522699196809283822"
    await take_in(town, "residents", ROSTER, resident("薛翠", identity=number))
    tried = await take_in(town, "residents", ROSTER, resident("薛翠翠", identity=number), dry_run=True)
    assert codes(tried) == [(2, "identity_taken")]
    assert tried.errors[0].column == "身份证号"
    assert tried.errors[0].value == "5226****3822"
    assert tried.errors[0].problem == "这个身份证号已登记在另一位居民名下，请对照证件核对"


async def test_who_is_in_the_book_already_stays_as_the_book_has_them(town: Town, owner: asyncpg.Connection) -> None:
    phone, elsewhere = town.phones["张桂兰"], {"building": "9栋", "room": "909"}
    row = resident(
        "张桂兰",
        phone=phone,
        born="1958-03-12",
        identity=f"52269919580312124{check_character('52269919580312124')}",
        note="单元长",
        **elsewhere,
    )
    before = await owner.fetchrow("SELECT * FROM person WHERE id = $1", town.people["张桂兰"])
    report = await take_in(town, "residents", ROSTER, row)
    assert (report.outcome, report.accepted, report.created) == ("unchanged", 1, 0)
    assert [code for _, code in warned(report)] == [
        "known_identity_missing",
        "known_home_differs",
        "known_role_differs",
    ]
    assert await owner.fetchrow("SELECT * FROM person WHERE id = $1", town.people["张桂兰"]) == before
    assert await owner.fetchval("SELECT count(*) FROM area WHERE name = '9栋'") == 0


async def test_who_has_left_is_pointed_out_and_not_entered_again(town: Town) -> None:
    await set_person_status(town.system(), town.people["欧阳凯伟"], "left", "搬走")
    row = resident("欧阳凯伟", phone=town.phones["欧阳凯伟"], unit="2单元", room="301")
    assert warned(await take_in(town, "residents", ROSTER, row)) == [(2, "known_not_active")]


async def test_a_couple_may_share_a_phone_and_has_one_login(town: Town, owner: asyncpg.Connection) -> None:
    phone = "19900008111"
    await take_in(
        town, "residents", ROSTER, resident("彭德海", phone=phone, head="彭德海", relation="户主"),
        resident("罗秀梅", phone=phone, head="彭德海", relation="配偶"),
    )  # fmt: skip
    members = await owner.fetch(
        "SELECT m.login_id, p.name FROM membership m JOIN person p ON p.id = m.person_id "
        "JOIN login l ON l.id = m.login_id WHERE l.phone_index = $1",
        vault.blind_index(phone, "phone"),
    )
    assert {row["name"] for row in members} == {"彭德海", "罗秀梅"}
    assert len({row["login_id"] for row in members}) == 1


async def test_a_child_under_fourteen_gets_guardians_and_no_login(town: Town, owner: asyncpg.Connection) -> None:
    born = clock.local_day() - timedelta(days=8 * 365)
    report = await take_in(
        town, "residents", ROSTER, resident("沈国强", phone="19900008120", head="沈国强", relation="户主"),
        resident("沈小童", phone="19900008120", born=born.isoformat(), head="沈国强", relation="孙女", note="楼栋长"),
    )  # fmt: skip
    assert warned(report) == [(3, "cannot_hold_role")]
    child = await owner.fetchval("SELECT id FROM person WHERE name = '沈小童'")
    assert await owner.fetchval("SELECT count(*) FROM membership WHERE person_id = $1", child) == 0
    named = await owner.fetch("SELECT relation, consented_at FROM guardianship WHERE child_id = $1", child)
    assert [tuple(row) for row in named] == [("祖父母", None)]


async def test_a_place_that_cannot_be_told_is_refused(town: Town, owner: asyncpg.Connection) -> None:
    await take_in(town, "residents", ROSTER, resident("甲文", phone="19900008130", grid="第二网格"))
    report = await take_in(
        town, "residents", ROSTER, resident("乙文", phone="19900008131", grid=""),
        resident("丙文", phone="19900008132", building=""), resident("丁文", phone="19900008133", room="1" * 21),
    )  # fmt: skip
    # A blank grid means the grid of the row above; the first row has none above.
    assert codes(report) == [(2, "building_ambiguous"), (3, "unit_without_building"), (4, "text_too_long")]


async def test_who_has_no_address_belongs_to_no_household(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in(town, "residents", ["姓名", "电话"], ["戊文", "19900008134"])
    assert report.notes == ["1 位居民没有写楼栋，没有归入任何一户，请到居民页补上住处"]
    assert await owner.fetchval("SELECT household_id FROM person WHERE name = '戊文'") is None


async def test_hours_beside_hours_on_record_are_refused_with_their_time(town: Town) -> None:
    day = clock.local_day() - timedelta(days=3)
    start = datetime.combine(day, datetime.min.time(), clock.local(clock.now()).tzinfo) + timedelta(hours=9)
    wanted = HoursIn(
        person_id=town.people["张桂兰"], started_at=start, ended_at=start + timedelta(hours=2), reason="忘带手机"
    )
    await enter_hours(await town.scope("赵丽"), wanted)
    phone = town.phones["张桂兰"]
    report = await take_in(
        town, "hours", HOURS, [day, "站点值守", "暖蜂驿站", "张桂兰", phone, "10:00", "12:00"],
        [day, "站点值守", "暖蜂驿站", "张桂兰", phone, "11:00", "12:00"], dry_run=True,
    )  # fmt: skip
    # Row 3 overlaps row 2 of the same file, which is reported although row 2 is refused.
    assert codes(report) == [(2, "overlap_known"), (3, "overlap")]
    assert f"{day:%m-%d} 09:00–11:00" in report.errors[0].problem


async def test_hours_find_the_station_the_activity_and_what_is_too_long_a_day(
    town: Town, owner: asyncpg.Connection
) -> None:
    day, phone = clock.local_day() - timedelta(days=3), town.phones["张桂兰"]
    report = await take_in(
        town, "hours", HOURS, [day, "站点值守", "暖蜂驿站", "张桂兰", phone, "06:00", "14:00"],
        [day, "站点值守", "村口", "张桂兰", phone, "15:00", "20:00"],
    )  # fmt: skip
    assert report.created == 2
    records = await owner.fetch("SELECT * FROM service_record ORDER BY started_at")
    assert [r["station_id"] for r in records] == [town.stations["暖蜂驿站"], None]
    assert {r["activity_id"] for r in records} == {town.activities["站点值守"]}
    assert [r["flags"] for r in records] == [[], ["long_day"]]
    assert {r["entered_by"] for r in records} == {town.people["赵丽"]}
    assert note_in_words(records[1]["reason_said"], records[1]["reason"]) == "纸质签到表补录：hours.csv；地点：村口"


async def test_hours_of_long_ago_are_taken_in_with_a_flag(town: Town, owner: asyncpg.Connection) -> None:
    today, phone = clock.local_day(), town.phones["张桂兰"]
    days = [today - timedelta(days=n) for n in (366, 367)] + [date(2001, 5, 1)]
    report = await take_in(
        town, "hours", HOURS, *([day, "站点值守", "暖蜂驿站", "张桂兰", phone, "09:00", "11:00"] for day in days)
    )
    assert report.created == 3
    found = await owner.fetch("SELECT flags, status FROM service_record ORDER BY started_at DESC")
    assert [row["flags"] for row in found] == [[], ["long_ago"], ["long_ago"]]
    assert {row["status"] for row in found} == {"pending"}


async def test_hours_of_a_child_wait_for_the_guardians_consent(town: Town, owner: asyncpg.Connection) -> None:
    born = clock.local_day() - timedelta(days=9 * 365)
    await take_in(
        town, "residents", ROSTER, resident("高翔", phone="19900008140", head="高翔", relation="户主"),
        resident("高小天", born=born.isoformat(), head="高翔", relation="子"),
    )  # fmt: skip
    row = [clock.local_day() - timedelta(days=1), "站点值守", "", "高小天", "", "09:00", "10:00"]
    assert codes(await take_in(town, "hours", HOURS, row)) == [(2, "guardian_consent_missing")]
    guardianship = await owner.fetchval("SELECT id FROM guardianship WHERE consented_at IS NULL")
    await record_consent(town.system(), guardianship)
    assert (await take_in(town, "hours", HOURS, row)).created == 1


async def test_hours_of_strangers_and_of_those_who_left_are_refused(town: Town) -> None:
    await set_person_status(town.system(), town.people["欧阳凯伟"], "left", "搬走")
    day = clock.local_day() - timedelta(days=1)
    report = await take_in(
        town, "hours", HOURS, [day, "站点值守", "", "没有人", "", "09:00", "10:00"],
        [day, "站点值守", "", "欧阳凯伟", town.phones["欧阳凯伟"], "09:00", "10:00"],
        [day, "站点值守", "", "张桂兰", "19900009999", "09:00", "10:00"],
        [day, "站点值守", "", "马涛", town.phones["马涛"], "09:00", "10:00"],
    )  # fmt: skip
    # 马涛 lives in the other community, so is unknown here.
    assert codes(report) == [
        (2, "unknown_person"), (3, "person_not_active"), (4, "unknown_phone"), (5, "unknown_person"),
    ]  # fmt: skip


async def test_without_a_rule_for_service_no_hours_are_taken(community: Chengjiang, owner: asyncpg.Connection) -> None:
    await owner.execute("DELETE FROM rule WHERE community_id = $1 AND kind = 'service'", community.id)
    with pytest.raises(NoServiceRule):
        await community.take_in("hours")


async def test_deeds_are_judged_by_the_moral_banks_own_rules(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    first = date(2026, 11, 2)
    week = [first + timedelta(days=days) for days in range(5)]
    with clock.at(MOMENT + timedelta(days=20)):
        report = await take_in(
            town, "deeds", DEEDS,
            *([day, "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", ""] for day in week[:4]),
            [week[0], "王建国", "3栋", "修路", 10, "李秀英", ""],
            [week[0], "李秀英", "7栋", "楼道卫生巡查", 2, "王建国", ""],
            [week[1], "张桂兰", "3栋1单元", "楼道卫生巡查", 2, "张国庆", ""],
            [week[2], "张桂兰", "3栋1单元", "楼道卫生巡查", 3, "李秀英", "雨天清淤，多记 1 分"],
            [week[3], "刘小雨", "5栋2单元", "楼道卫生巡查", 2, "李秀英", ""],
        )  # fmt: skip
    assert codes(report) == [
        (5, "deed_cap_reached"), (6, "unknown_item"), (7, "place_unknown"), (8, "household_witness"),
        (10, "guardian_consent_missing"),
    ]  # fmt: skip
    assert report.errors[0].problem.startswith("「调解邻里纠纷」每人每周最多记 3 次")
    assert warned(report) == [(9, "points_differ_reason"), (9, "not_head")]
    assert report.created == 4


async def test_a_deed_is_worth_what_the_catalogue_said_on_its_day(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MOMENT - timedelta(days=10)):
        async with operating():
            await set_rule(
                town.system(), RuleIn(kind="deed", code="patrol", name="楼道卫生巡查", points=4, unit="每次")
            )
    with clock.at(MOMENT):
        report = await take_in(
            town, "deeds", DEEDS, [date(2026, 9, 1), "李秀英", "", "楼道卫生巡查", 2, "王建国", ""],
            [date(2026, 10, 25), "李秀英", "", "楼道卫生巡查", 4, "王建国", ""],
            [date(2026, 10, 26), "李秀英", "", "楼道卫生巡查", 2, "王建国", ""],
        )  # fmt: skip
    assert codes(report) == [(4, "points_differ")]
    filed = await owner.fetch("SELECT points, rule_version, area_id, note, note_said FROM deed ORDER BY occurred_on")
    home = town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]
    assert [tuple(row)[:3] for row in filed] == [(2, 1, home), (4, 2, home)]
    assert note_in_words(filed[0]["note_said"], filed[0]["note"]) == "楼道卫生巡查（台账补录：deeds.csv）"


async def test_a_deed_filed_twice_for_one_day_is_pointed_out(town: Town) -> None:
    day = clock.local_day() - timedelta(days=20)
    row = [day, "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", "三楼"]
    assert (await take_in(town, "deeds", DEEDS, row)).warnings == []
    other = [day, "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", "五楼"]
    report = await take_in(town, "deeds", DEEDS, row, other)
    assert (report.created, warned(report)) == (1, [(3, "same_deed")])


async def test_an_empty_catalogue_is_said_to_be_empty(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("DELETE FROM rule WHERE kind = 'deed'")
    report = await take_in(town, "deeds", DEEDS, [date(2026, 10, 1), "王建国", "", "文明劝导", 3, "", ""], dry_run=True)
    assert codes(report) == [(2, "unknown_item")]
    assert report.notes == ["积分目录里还没有善行事项：可以在试导入里新添表里的事项，也可以先到积分规则页添加"]


async def test_goods_that_are_there_stay_and_new_ones_are_added(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in(
        town, "goods", GOODS, ["食用油 5L", "桶", 120, 5, "暖蜂驿站", 1], ["香皂", "块", 9, 50, "暖蜂驿站", 3],
        ["抽纸", "提", 30, 7, "慈善超市", ""], ["雨伞", "", 45, 20, "慈善超市", ""],
        ["雨伞", "", 46, 20, "暖蜂驿站", ""],
        ["毛巾", "条", 15, 3, "没有的站", ""], ["牙膏", "支", 12, 3, "", ""], ["理发券", "张", 20, "", "", ""],
    )  # fmt: skip
    assert codes(report) == [(6, "good_differs"), (7, "station_unknown"), (8, "station_missing")]
    assert report.created == 3
    [kept] = await owner.fetch("SELECT points, active FROM good WHERE name = '香皂'")
    assert tuple(kept) == (8, True)
    warning = next(warning for warning in report.warnings if warning.row == 3)
    assert warning.problem == "已有这种物品（每块 8 分，每户每月限 3），没有改动；要改请到物品页"
    shelves = await owner.fetch(
        "SELECT g.name, t.name, s.quantity FROM stock s JOIN good g ON g.id = s.good_id "
        "JOIN station t ON t.id = s.station_id WHERE g.name IN ('抽纸', '雨伞', '理发券') AND t.name = '慈善超市'"
    )
    assert {tuple(row) for row in shelves} == {("抽纸", "慈善超市", 7), ("雨伞", "慈善超市", 20)}


async def test_a_good_that_had_ended_is_offered_again(town: Town, owner: asyncpg.Connection) -> None:
    await change_good(town.system(), town.goods["香皂"], GoodChange(active=False))
    report = await take_in(town, "goods", GOODS, ["香皂", "块", 10, 5, "慈善超市", ""])
    assert (report.created, warned(report)) == (1, [(2, "good_offered_again")])
    [good] = await owner.fetch("SELECT points, monthly_limit, active FROM good WHERE name = '香皂'")
    assert tuple(good) == (10, None, True)


async def test_a_number_in_the_wrong_column_is_masked_too(town: Town) -> None:
    row = resident("张三19912345678", phone="199 1234 5678", relation="522699196809283822的儿子，住得很远很远")
    report = await take_in(town, "residents", ROSTER, row, dry_run=True)
    assert [(e.column, e.value) for e in report.errors if e.column == "姓名"] == [("姓名", "张三199****5678")]
    assert not any("19912345678" in e.value or "522699196809283822" in e.value for e in report.errors)


async def test_a_run_keeps_no_number_of_its_files_name(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    content = table(ROSTER, resident("林小满", phone="19900008001"))
    await import_file(scope, "residents", "C:\\花名册\\林小满19900008001.csv", content, skip_bad=True)
    assert await owner.fetchval("SELECT file_name FROM import_run") == "林小满199****8001.csv"


@pytest.mark.parametrize("name", ["陈明", "周敏", "张桂兰", "孙伟", "王建国"])
async def test_only_administrators_of_the_community_import(town: Town, name: str) -> None:
    with pytest.raises(Forbidden):
        await take_in(town, "goods", GOODS, ["雨伞", "把", 45, 1, "慈善超市", ""], by=name)


async def test_an_import_stays_in_its_own_community(town: Town, owner: asyncpg.Connection) -> None:
    await take_in(town, "residents", ROSTER, resident("林小满", phone="19900008001"), by="何静")
    where = await owner.fetchval("SELECT community_id FROM person WHERE name = '林小满'")
    assert where == town.communities["龙泉社区"]


async def test_a_file_that_is_no_such_table_is_refused_and_leaves_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    before = await counts(owner)
    with pytest.raises(NoKnownColumn):
        await import_file(await town.scope("赵丽"), "deeds", "goods.xlsx", (DATA / "goods.xlsx").read_bytes())
    assert await counts(owner) == before


async def test_what_was_done_and_by_whom_is_in_the_audit(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in(town, "residents", ROSTER, resident("林小满", phone="19900008001"))
    [audited] = await owner.fetch("SELECT person_id, noun_id FROM audit WHERE verb = 'import'")
    assert tuple(audited) == (town.people["赵丽"], report.run_id)
    assert isinstance(report.run_id, UUID)


ANYBODY = ["张桂兰", "李秀英", "王建国", "欧阳凯伟", "刘小雨", "林甲", "林乙", "没有人", "x1", ""]
ANYTHING: dict[Kind, dict[str, list[str]]] = {
    "residents": {
        "网格": ["第一网格", "第二网格", "", "1"], "楼栋": ["3栋", "5", "九栋", ""], "单元": ["1", "2单元", ""],
        "房号": ["101", "302", "", "x" * 25], "户主": ["", "林甲", "张桂兰"], "姓名": ANYBODY,
        "与户主关系": ["户主", "配偶", "子", "孙女", ""], "性别": ["男", "女", ""],
        "身份证号": ["", "", "522699196809283822", "52269919820713313X", "1"],
        "出生日期": ["", "2019-01-01", "1960-05-04", "2099-01-01"],
        "电话": ["", "19900000000", "19900007001", "1990"], "备注": ["", "楼栋长", "单元长、网格员"],
    },
    "hours": {
        "日期": ["2026-07-01", "7月2日", "2026/7/3", ""], "活动": ["站点值守", "新活动", "", "y" * 70],
        "地点": ["暖蜂驿站", "村口", ""], "姓名": ANYBODY, "电话": ["", "", "19900000000", "1990"],
        "签到时间": ["09:00", "08:30", "23:30"], "签退时间": ["10:00", "12:00", "次日00:30", ""],
    },
    "deeds": {
        "日期": ["2026-07-01", "2026-07-02", "2025-01-01"], "姓名": ANYBODY, "楼栋单元": ["3栋", "3栋1单元", "", "9栋"],
        "事项": ["调解邻里纠纷", "楼道卫生巡查", "修路"], "分值": ["10", "2", ""], "证明人": ANYBODY,
        "备注": ["", "有理由"],
    },
    "goods": {
        "物品": ["雨伞", "食用油 5L", "香皂", "新物"], "单位": ["把", ""], "积分": ["45", "120", "0"],
        "库存": ["5", "0", ""], "站点": ["暖蜂驿站", "慈善超市", "没有", ""], "限兑": ["1", "不限", ""],
    },
}  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_stands_in_a_sheet_a_trial_tells_the_truth_and_a_second_run_adds_nothing(
    town: Town, owner: asyncpg.Connection, seed: int
) -> None:
    chance, imported = random.Random(seed), 0
    for _ in range(30):
        kind = chance.choice(list(ANYTHING))
        columns = ANYTHING[kind]
        rows = [[chance.choice(column) for column in columns.values()] for _ in range(chance.randint(1, 8))]
        before = await counts(owner)
        tried = await take_in(town, kind, list(columns), *rows, dry_run=True)
        assert await counts(owner) == before
        real = await take_in(town, kind, list(columns), *rows)
        assert (tried.accepted, tried.created) == (real.accepted, real.created)
        assert (tried.errors, tried.warnings, tried.notes) == (real.errors, real.warnings, real.notes)
        after = await counts(owner)
        again = await take_in(town, kind, list(columns), *rows)
        assert (again.created, await counts(owner)) == (0, after), (kind, rows)
        imported += real.outcome == "imported"
    assert imported > 2
