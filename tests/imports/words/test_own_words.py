"""The community's own words for buildings, stations and activities: offered in the trial, for nobody's own rows."""

from datetime import timedelta

import asyncpg
import httpx
import pytest
from openpyxl import Workbook

from tests.access.test_access_pages import browser
from tests.imports.files.test_workbooks import saved
from tests.imports.kinds.test_imports import DEEDS, HOURS, ROSTER, resident, table
from tests.imports.test_pages import tried as page_of
from tests.imports.words.test_words import codes, in_phoenix
from tests.support.town import Town
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock
from timebank.imports.cells.addresses import Address, address
from timebank.imports.cells.problems import Problem
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.words.asking import WordUnclear
from timebank.imports.words.word_list_file import MapUnclear, answers_in
from timebank.imports.words.word_meanings import remember_words
from timebank.imports.words.words import Cap, WordIn
from timebank.overview import agreements
from timebank.rules.catalogue import rules
from timebank.service_records.crediting.credit import rule_code_of


def deed(person: str, place: str, note: str, *, item: str = "调解邻里纠纷", points: object = 10) -> list[object]:
    return [clock.local_day().isoformat(), person, place, item, points, "李秀英", note]


async def places_of_deeds(owner: asyncpg.Connection) -> dict[str, str]:
    """Where each deed was done, by its note."""
    found = await owner.fetch(
        "SELECT d.note, concat(b.name, a.name) AS place FROM deed d JOIN area a ON a.id = d.area_id "
        "LEFT JOIN area b ON b.id = a.parent_id AND b.kind = 'building'"
    )
    return {row["note"]: row["place"] for row in found}


def building(value: str, means: str | None = None) -> WordIn:
    return WordIn(value=value, kind="building", means=means, new=means is None)


def station(value: str, means: str | None = None) -> WordIn:
    return WordIn(value=value, kind="station", means=means, new=means is None)


async def test_an_unknown_building_of_a_deeds_book_is_mapped_or_added_and_known_in_the_next_book(
    town: Town, owner: asyncpg.Connection
) -> None:
    content = table(
        DEEDS, deed("张桂兰", "老邮局楼", "一"), deed("张桂兰", "东头那栋2单元", "二"),
        deed("王建国", "东头那栋", "三"), deed("王建国", "3栋9单元", "四"), deed("张国庆", "老邮局楼2单元", "五"),
    )  # fmt: skip
    tried = await in_phoenix(town, content, dry_run=True)
    assert set(codes(tried)) == {"place_unknown"}
    assert {(word.kind, word.value, word.count, *word.units) for word in tried.unknown} == {
        ("building", "东头那栋", 2, "东头那栋2单元"), ("building", "老邮局楼", 2, "老邮局楼2单元"),
        ("building", "3栋9单元", 1),
    }  # fmt: skip
    suggested = next(word for word in tried.unknown if word.value == "3栋9单元").suggestions
    assert {one.name for one in suggested} <= {"3栋", "3栋1单元", "3栋2单元"}
    words = [building("老邮局楼", "3栋"), building("东头那栋"), building("3栋9单元", suggested[0].name)]
    before = await owner.fetchval("SELECT count(*) FROM area")
    supposed = await in_phoenix(town, content, *words, dry_run=True)
    assert (codes(supposed), supposed.created, supposed.unknown) == ([], 5, [])
    assert await owner.fetchval("SELECT count(*) FROM area") == before, "a trial writes nothing"
    report = await in_phoenix(town, content, *words)
    assert (report.outcome, codes(report), report.created) == ("imported", [], 5)
    assert await places_of_deeds(owner) == {
        "一": "3栋", "二": "东头那栋2单元", "三": "东头那栋", "四": suggested[0].name, "五": "3栋2单元",
    }  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM area") == before + 2
    following = table(DEEDS, deed("欧阳凯伟", "老邮局楼", "六"))
    assert (codes(await in_phoenix(town, following)), (await places_of_deeds(owner))["六"]) == ([], "3栋")
    assert (await in_phoenix(town, content, dry_run=True)).created == 0


async def test_a_row_with_an_unknown_item_and_building_has_both_asked_for_at_once(town: Town) -> None:
    content = table(DEEDS, deed("张桂兰", "老邮局楼", "一", item="夜间巡逻", points=2))
    tried = await in_phoenix(town, content, dry_run=True)
    assert [(word.kind, word.value) for word in tried.unknown] == [("item", "夜间巡逻"), ("building", "老邮局楼")]
    report = await in_phoenix(town, content, WordIn(value="夜间巡逻", new=True), building("老邮局楼", "5栋"))
    assert (codes(report), report.created) == ([], 1)


async def test_the_words_of_one_kind_are_no_words_of_another(town: Town, owner: asyncpg.Connection) -> None:
    """An item that is called like a building: each answer decides its own kind alone."""
    content = table(DEEDS, deed("张桂兰", "巡楼", "一", item="巡楼", points=2))
    tried = await in_phoenix(town, content, building("巡楼", "5栋"), dry_run=True)
    assert [(word.kind, word.value) for word in tried.unknown] == [("item", "巡楼")]
    report = await in_phoenix(town, content, building("巡楼", "5栋"), WordIn(value="巡楼", new=True))
    assert (codes(report), await places_of_deeds(owner)) == ([], {"一": "5栋"})


async def test_a_word_tells_namesakes_apart_as_the_building_does(town: Town, owner: asyncpg.Connection) -> None:
    town_scope = await town.scope("赵丽")
    await import_file(
        town_scope, "residents", "a.csv",
        table(ROSTER, resident("张桂兰", building="5栋", unit="2单元", room="601", phone="19900008123")), skip_bad=True,
    )  # fmt: skip
    content = table(DEEDS, deed("张桂兰", "老邮局楼", "一"))
    assert codes(await in_phoenix(town, content, dry_run=True)) == ["ambiguous_person"]
    assert codes(await in_phoenix(town, content, building("老邮局楼", "3栋"))) == []
    doer = await owner.fetchval("SELECT person_id FROM deed")
    assert doer == town.people["张桂兰"]


async def test_nobody_decides_in_which_building_the_own_deed_was_done(town: Town) -> None:
    """A building's limit, and the look of its head, would be evaded by calling it another."""
    own, word = table(DEEDS, deed("赵丽", "老邮局楼", "一")), building("老邮局楼", "3栋")
    assert codes(await in_phoenix(town, own, word, dry_run=True)) == ["own_word"]
    report = await in_phoenix(town, own, word)
    assert (codes(report), report.unknown) == (["own_word"], [])
    other = await in_phoenix(town, own, by="钱进", dry_run=True)
    assert (codes(other), [word.value for word in other.unknown]) == (["own_word"], ["老邮局楼"])
    assert codes(await in_phoenix(town, own, word, by="钱进")) == []


async def test_the_places_of_sign_in_sheets_are_offered_as_stations(town: Town, owner: asyncpg.Connection) -> None:
    day = (clock.local_day() - timedelta(days=1)).isoformat()

    def row(person: str, place: str, hour: int) -> list[object]:
        return [day, "四点半辅导", place, person, town.phones[person], f"{hour:02}:00", f"{hour + 1:02}:00"]

    async def take(content: bytes, *words: WordIn, by: str = "赵丽", dry_run: bool = False) -> Report:
        scope = await town.scope(by)
        return await import_file(scope, "hours", "a.csv", content, dry_run=dry_run, skip_bad=True, words=words)

    async def stations() -> list[str | None]:
        found = await owner.fetch(
            "SELECT s.name FROM service_record r LEFT JOIN station s ON s.id = r.station_id WHERE r.kind = 'honour' "
            "ORDER BY r.started_at"
        )
        return [one["name"] for one in found]

    content = table(HOURS, row("张桂兰", "暖峰驿站", 8), row("张桂兰", "新站点", 9), row("张桂兰", "河边", 10))
    tried = await take(content, dry_run=True)
    assert {(word.kind, word.value) for word in tried.unknown} == {
        ("station", "暖峰驿站"), ("station", "新站点"), ("station", "河边"),
    }  # fmt: skip
    assert tried.created == 3, "a place that is no station is only written into the reason"
    assert any("河边" in note for note in tried.notes)
    report = await take(content, station("暖峰驿站", "暖蜂驿站"), station("新站点"))
    assert (codes(report), report.created, await stations()) == ([], 3, ["暖蜂驿站", "新站点", None])
    following = table(HOURS, row("王建国", "暖峰驿站", 11))
    assert (await take(following)).unknown == []
    assert (await stations())[-1] == "暖蜂驿站"

    # Whoever has decided the word chooses no station for the own hours: they go in without it.
    own = await take(table(HOURS, row("赵丽", "暖峰驿站", 12)))
    assert (own.created, [warning.code for warning in own.warnings]) == (1, ["own_word"])
    assert (await stations())[-1] is None
    asked = await take(table(HOURS, row("赵丽", "暖峰驿站", 14)), by="钱进", dry_run=True)
    assert [word.value for word in asked.unknown] == ["暖峰驿站"], "another administrator may decide it"


async def test_the_activity_of_the_own_hours_is_decided_by_another_at_the_trial(town: Town) -> None:
    scope = await town.scope("赵丽")
    await add_activity(scope, ActivityIn(name="敬老助餐", rule_code=await rule_code_of(scope, None)))
    day = (clock.local_day() - timedelta(days=1)).isoformat()
    own = table(HOURS, [day, "敬老助参", "", "赵丽", town.phones["赵丽"], "08:00", "09:00"])
    word = WordIn(value="敬老助参", kind="activity", means="敬老助餐")

    async def take(*words: WordIn, by: str, dry_run: bool = False) -> Report:
        asker = await town.scope(by)
        return await import_file(asker, "hours", "a.csv", own, dry_run=dry_run, skip_bad=True, words=words)

    assert codes(await take(word, by="赵丽")) == ["own_word"]
    asked = await take(by="钱进", dry_run=True)
    assert (codes(asked), [one.value for one in asked.unknown]) == (["own_word"], ["敬老助参"])
    decided = await take(word, by="钱进")
    assert (codes(decided), decided.created) == ([], 1)


async def test_a_buildings_own_word_in_a_roster_is_that_building(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    content = table(
        ROSTER, resident("林小满", building="老邮局楼", unit="1", room="801", phone="19900008001", head="林小满"),
        resident("林大满", building="东头那栋", unit="1", room="801", phone="19900008002", head="林大满"),
        resident("林中满", building="31", unit="1", room="801", phone="19900008003", head="林中满"),
    )  # fmt: skip

    async def take(*words: WordIn, dry_run: bool = False) -> Report:
        return await import_file(scope, "residents", "a.csv", content, dry_run=dry_run, skip_bad=True, words=words)

    tried = await take(dry_run=True)
    assert [(word.kind, word.value, word.count) for word in tried.unknown] == [
        ("building", "老邮局楼", 1), ("building", "东头那栋", 1),
    ]  # fmt: skip
    assert (codes(tried), tried.created) == ([], 3), "undecided, it becomes a building; a number is no word of its own"
    report = await take(building("老邮局楼", "3栋"))
    assert (codes(report), report.created) == ([], 3)
    homes = await owner.fetch(
        "SELECT p.name, b.name AS building FROM person p JOIN household h ON h.id = p.household_id "
        "JOIN area u ON u.id = h.area_id JOIN area b ON b.id = u.parent_id WHERE p.name LIKE '林_满'"
    )
    assert {row["name"]: row["building"] for row in homes} == {"林小满": "3栋", "林大满": "东头那栋", "林中满": "31栋"}
    assert await owner.fetchval("SELECT count(*) FROM area WHERE name = '老邮局楼'") == 0
    again = await take(dry_run=True)
    assert (again.unknown, again.created, again.warnings) == ([], 0, [])
    # The word of a roster is known in the book of deeds.
    deeds = table(DEEDS, deed("林小满", "老邮局楼", "一"))
    assert (await in_phoenix(town, deeds, dry_run=True)).unknown == []


async def test_nobody_heads_a_building_by_a_word_of_the_own_household(town: Town, owner: asyncpg.Connection) -> None:
    content = table(
        ROSTER, resident("赵丽", building="老邮局楼", unit="", room="", phone=town.phones["赵丽"], note="楼栋长")
    )  # fmt: skip
    heads = table(["姓名", "楼栋", "职务", "电话"], ["赵丽", "老邮局楼", "楼栋长", town.phones["赵丽"]])

    async def take(content: bytes, *words: WordIn, by: str, dry_run: bool = False) -> Report:
        scope = await town.scope(by)
        return await import_file(scope, "residents", "a.csv", content, dry_run=dry_run, skip_bad=True, words=words)

    await take(content, building("老邮局楼", "3栋"), by="赵丽", dry_run=True)
    await remember_words(await town.scope("赵丽"), "residents", [building("老邮局楼", "3栋")])
    tried = await take(heads, by="钱进", dry_run=True)
    assert "own_word" in {warning.code for warning in tried.warnings}
    assert [word.value for word in tried.unknown] == ["老邮局楼"]
    await take(heads, by="钱进")
    held = "SELECT count(*) FROM role_grant WHERE person_id = $1 AND role = 'building_head'"
    assert await owner.fetchval(held, town.people["赵丽"]) == 0
    await take(heads, building("老邮局楼", "3栋"), by="钱进")
    assert await owner.fetchval(held, town.people["赵丽"]) == 1


async def cap_of(owner: asyncpg.Connection, item: str) -> tuple[object, ...]:
    found = await owner.fetch("SELECT cap_period, cap_per_person, cap_per_area FROM rule WHERE name = $1", item)
    return tuple(found[0])


async def test_a_new_item_comes_with_its_cap(town: Town, owner: asyncpg.Connection) -> None:
    rows = [deed("张桂兰", "3栋", note, item="夜间巡逻", points=2) for note in ("一", "二")]
    content = table(DEEDS, *rows)
    word = WordIn(value="夜间巡逻", new=True, cap=1)
    supposed = await in_phoenix(town, content, word, dry_run=True)
    assert (codes(supposed), supposed.created) == (["deed_cap_reached"], 1), "the trial counts by the cap already"
    report = await in_phoenix(town, content, word)
    assert (codes(report), report.created) == (["deed_cap_reached"], 1)
    assert await cap_of(owner, "夜间巡逻") == ("month", 1, None)
    whole = WordIn(value="清理楼道", new=True, points=2, cap=Cap("week", per_person=3, per_area=9))
    await remember_words(await town.scope("赵丽"), "deeds", [whole])
    assert await cap_of(owner, "清理楼道") == ("week", 3, 9)
    for odd in (
        WordIn(value="老邮局楼", kind="building", new=True, cap=2),
        WordIn(value="老站", kind="station", new=True, cap=2),
    ):
        with pytest.raises(WordUnclear):
            await remember_words(await town.scope("赵丽"), "deeds" if odd.kind == "building" else "goods", [odd])


def test_a_line_of_a_map_may_say_the_kind_and_the_cap() -> None:
    lines = "巡楼,新添,3,事项,每周2次\n夜巡,新添,3,,每楼每月4次\n送餐,新添,2,item,5\n老邮局楼,3栋,,楼栋\n"
    assert answers_in("deeds", lines.encode()) == [
        WordIn(value="巡楼", new=True, points=3, cap=Cap("week", per_person=2)),
        WordIn(value="夜巡", new=True, points=3, cap=Cap("month", per_area=4)),
        WordIn(value="送餐", new=True, points=2, cap=5), building("老邮局楼", "3栋"),
    ]  # fmt: skip
    said = '[{"kind": "item", "value": "巡楼", "new": true, "points": 3, "cap": {"period": "week", "per_person": 2}}]'
    assert answers_in("deeds", said.encode()) == [
        WordIn(value="巡楼", new=True, points=3, cap=Cap("week", per_person=2))
    ]
    assert answers_in("residents", "老邮局楼,3栋".encode()) == [building("老邮局楼", "3栋")]
    with pytest.raises(MapUnclear):
        answers_in("deeds", "巡楼,新添,3,事项,随便".encode())


async def test_a_catalogue_beside_the_book_is_added_in_one_step_and_what_is_above_the_range_waits(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 5)
    scope = await town.scope("赵丽")
    most = max(rule.points or 0 for rule in (await rules(scope, kind="deed", active=True)).items)
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "台账"
    sheet.append([heading for heading in DEEDS if heading != "分值"])
    for item in ("夜间巡逻", "清理楼道", "抢险救灾"):
        sheet.append([clock.local_day().isoformat(), "张桂兰", "3栋", item, "李秀英", item])
    catalogue = workbook.create_sheet("积分目录")
    for line in (["积分事项", "分值"], ["夜间巡逻", most], ["清理楼道", "1分"], ["送餐", 2], ["抢险救灾", most + 1]):
        catalogue.append(line)

    async def take(*words: WordIn, dry_run: bool = False) -> Report:
        content = saved(workbook)
        return await import_file(scope, "deeds", "a.xlsx", content, dry_run=dry_run, skip_bad=True, words=words)

    tried = await take(dry_run=True)
    assert {word.value: (word.count, word.points, word.waits) for word in tried.unknown} == {
        "夜间巡逻": (1, most, False), "清理楼道": (1, 1, False), "抢险救灾": (1, most + 1, True), "送餐": (0, 2, False),
    }  # fmt: skip
    words = [WordIn(value=word.value, new=True) for word in tried.unknown]
    supposed = await take(*words, dry_run=True)
    assert (codes(supposed), supposed.created, supposed.unknown) == (["item_waits"], 2, [])
    report = await take(*words)
    assert (codes(report), report.created, report.unknown) == (["item_waits"], 2, [])
    found = {rule.name: rule.points for rule in (await rules(scope, kind="deed", active=True)).items}
    assert (found["夜间巡逻"], found["清理楼道"], found["送餐"]) == (most, 1, 2)
    assert "抢险救灾" not in found, "it gives more than the catalogue did"
    change = await owner.fetchval("SELECT id FROM waiting_change WHERE kind = 'looser_rule'")
    await agreements.decide_change(await town.scope("钱进"), change, "agree")
    assert (codes(again := await take()), again.created) == ([], 1)


async def test_a_word_decided_in_the_own_household_or_through_an_opened_account_is_ones_own(
    town: Town, owner: asyncpg.Connection
) -> None:
    own = table(DEEDS, deed("王建国", "老邮局楼", "一"), deed("陈明", "老邮局楼", "二"))
    await remember_words(await town.scope("钱进"), "deeds", [building("老邮局楼", "3栋")])
    assert codes(await in_phoenix(town, own, dry_run=True)) == []
    homes = "UPDATE person SET household_id = (SELECT household_id FROM person WHERE id = $1) WHERE id = $2"
    await owner.execute(homes, town.people["钱进"], town.people["陈明"])
    mine = await in_phoenix(town, own, dry_run=True)
    assert [(error.row, error.code) for error in mine.errors] == [(3, "own_word")]
    await owner.execute(
        "UPDATE login SET opened_by_login = $1, opened_at = now(), confirmed_at = NULL WHERE id = $2",
        town.logins["王建国"], town.logins["钱进"],
    )  # fmt: skip
    report = await in_phoenix(town, own)
    assert [(error.row, error.code) for error in report.errors] == [(2, "own_word"), (3, "own_word")]
    assert await places_of_deeds(owner) == {}


def test_a_building_with_a_name_is_read_with_its_unit_and_room() -> None:
    for text, parts in {
        "老邮局楼": ("老邮局楼", None, None), "东头那栋": ("东头那栋", None, None),
        "老邮局楼2单元501": ("老邮局楼", "2单元", "501"), "东头那栋-2单元": ("东头那栋", "2单元", None),
        "老邮局楼501室": ("老邮局楼", None, "501"), "3号楼2单元501": ("3栋", "2单元", "501"),
    }.items():  # fmt: skip
        assert address(text) == Address(*parts), text
    for unclear in ("建设路5号", "老邮局", "老邮局楼2", "二楼那家"):
        found = address(unclear)
        assert isinstance(found, Problem) or found == Address("老邮局楼", "2单元"), unclear


async def test_the_trial_page_asks_for_buildings_and_for_the_cap_of_a_new_item(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    content = table(DEEDS, deed("张桂兰", "老邮局楼", "一", item="夜间巡逻", points=2))
    draft = await page_of(client, headers, csrf, "deeds", content)
    shown = (await client.get(draft, headers=headers)).text
    assert "“老邮局楼”（1 行）" in shown
    assert "/admin/imports/words" in shown
    form = {
        "_csrf": csrf, "value-1": "夜间巡逻", "kind-1": "item", "means-1": "+", "points-1": "2", "cap-1": "4",
        "value-2": "老邮局楼", "kind-2": "building", "means-2": str(town.areas["凤凰社区/第一网格/5栋"]),
    }  # fmt: skip
    assert (await client.post(f"{draft}/words", headers=headers, data=form)).headers["location"] == draft
    await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "0"})
    assert await places_of_deeds(owner) == {"一": "5栋"}
    assert await cap_of(owner, "夜间巡逻") == ("month", 4, None)
