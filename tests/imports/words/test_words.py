"""A community's own words are decided once, in a trial run, and known in later imports."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
from openpyxl import Workbook, load_workbook

from tests.access.test_access_pages import browser
from tests.commands.test_cli import Timebank, sentence, timebank
from tests.imports.files.test_workbooks import saved
from tests.imports.kinds.chengjiang import CATALOGUE, DATA, FACTS, MOMENT, Chengjiang, found_chengjiang
from tests.imports.kinds.test_chengjiang import CODES
from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, table
from tests.imports.test_pages import tried as page_of
from tests.support.town import Town
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock
from timebank.core.errors import Forbidden, TimebankError
from timebank.http.callers import COMMUNITY_COOKIE
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.words.asking import WordIsName, WordMeaningUnknown, WordUnclear
from timebank.imports.words.likeness import most_alike
from timebank.imports.words.word_list_file import answers_in
from timebank.imports.words.word_meanings import WordKindUnknown, remember_words
from timebank.imports.words.words import WordIn
from timebank.overview import agreements
from timebank.rules.catalogue import rules, set_rule
from timebank.rules.schemas import RuleIn, RuleOut
from timebank.service_records.crediting.credit import rule_code_of

__all__ = ["timebank"]

BOOK = (DATA / "deeds.xlsx").read_bytes()
OTHER_WORD = {"防汛防火值守": "防汛防火值班", "收集社情民意": "搜集社情民意"}
"""Two items of the workbook, each with its name in the community's catalogue."""


async def with_own_words(town: Town) -> Chengjiang:
    """城江社区 with a catalogue of three items, two of which have another name in the workbook."""
    community = await found_chengjiang(town, catalogue={"文明劝导": 3, "防汛防火值班": 20, "搜集社情民意": 3})
    assert (await community.take_in("residents")).outcome == "imported"
    return community


async def take_in(
    community: Chengjiang, *words: WordIn, content: bytes = BOOK, name: str = "deeds.xlsx", dry_run: bool = False
) -> Report:
    with clock.at(MOMENT):
        return await import_file(
            await community.admin(), "deeds", name, content, dry_run=dry_run, skip_bad=True, words=words
        )


def answers(report: Report) -> list[WordIn]:
    """An administrator's answers: the suggestion where the catalogue has the item, otherwise add a new one."""
    return [
        WordIn(value=word.value, means=word.suggestions[0].means)
        if word.value in OTHER_WORD
        else WordIn(value=word.value, new=True)
        for word in report.unknown
    ]


def assert_all_valid_rows_went_in(report: Report) -> None:
    flagged = {fact["row"]: CODES[fact["error"]] for fact in FACTS["deeds"]["flagged_rows"]}
    assert report.accepted == FACTS["deeds"]["clean_rows"]
    assert {error.row for error in report.errors} == set(flagged)
    assert all(error.code in flagged[error.row] for error in report.errors)


async def test_a_book_goes_in_whole_once_its_unknown_are_decided_and_the_next_asks_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    community = await with_own_words(town)
    tried = await take_in(community, dry_run=True)
    unknown = {word.value: word for word in tried.unknown}
    assert set(unknown) == {entry["item"] for entry in FACTS["deeds"]["catalogue"]} - {"文明劝导"}
    assert sum(word.count for word in tried.unknown) == next(
        refusal.count for refusal in tried.refusals if refusal.code == "unknown_item"
    )
    assert {word.value: word.points for word in tried.unknown} == {
        entry["item"]: entry["points"] for entry in FACTS["deeds"]["catalogue"] if entry["item"] != "文明劝导"
    }
    for word, meant in OTHER_WORD.items():
        assert unknown[word].suggestions[0].name == meant

    supposed = await take_in(community, *answers(tried), dry_run=True)
    assert_all_valid_rows_went_in(supposed)
    assert await owner.fetchval("SELECT count(*) FROM import_word") == 0, "a trial writes nothing"
    assert await owner.fetchval("SELECT count(*) FROM rule WHERE community_id = $1", community.id) == 4

    report = await take_in(community, *answers(tried))
    assert report.outcome == "imported"
    assert_all_valid_rows_went_in(report)
    assert report.unknown == []
    points = await owner.fetchval("SELECT sum(points) FROM deed WHERE community_id = $1", community.id)
    assert points == sum(CATALOGUE[item] for item in items_of_valid_rows())

    again = await take_in(community, dry_run=True, name="another.xlsx")
    assert (again.unknown, again.created) == ([], 0)


def items_of_valid_rows() -> list[str]:
    flagged = {fact["row"] for fact in FACTS["deeds"]["flagged_rows"]}
    rows = load_workbook(DATA / "deeds.xlsx").worksheets[0].iter_rows(values_only=True)
    return [str(row[4]) for number, row in enumerate(rows, 1) if row[4] in CATALOGUE and number not in flagged]


def book(item: str, points: object, person: str = "王建国", witness: str = "李秀英") -> bytes:
    return table(DEEDS, [clock.local_day().isoformat(), person, "3栋", item, points, witness, ""])


async def in_phoenix(town: Town, content: bytes, *words: WordIn, by: str = "赵丽", dry_run: bool = False) -> Report:
    """Import deeds into 凤凰社区, whose catalogue has items."""
    return await import_file(
        await town.scope(by), "deeds", "a.csv", content, dry_run=dry_run, skip_bad=True, words=words
    )


def codes(report: Report) -> list[str]:
    return [error.code for error in report.errors]


async def most_points(town: Town) -> int:
    found = (await rules(await town.scope("赵丽"), kind="deed", active=True)).items
    return max(rule.points or 0 for rule in found)


async def test_an_item_within_the_points_of_the_catalogue_is_added_at_once(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 5)
    most = await most_points(town)
    report = await in_phoenix(town, book("夜间巡逻", most), WordIn(value="夜间巡逻", new=True))
    assert (report.outcome, report.created, codes(report)) == ("imported", 1, [])
    assert await owner.fetchval("SELECT points FROM rule WHERE name = '夜间巡逻'") == most
    assert await owner.fetchval("SELECT count(*) FROM waiting_change") == 0


async def test_an_item_above_the_points_of_the_catalogue_waits_for_a_second_person(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 5)
    most = await most_points(town)
    tried = await in_phoenix(town, book("夜间巡逻", most + 1), dry_run=True)
    assert tried.unknown[0].waits
    word = WordIn(value="夜间巡逻", new=True)
    supposed = await in_phoenix(town, book("夜间巡逻", most + 1), word, dry_run=True)
    assert (codes(supposed), supposed.unknown) == (["item_waits"], [])
    for _ in range(2):  # repeated, as after a lost reply
        report = await in_phoenix(town, book("夜间巡逻", most + 1), word)
        assert (report.created, codes(report), report.unknown) == (0, ["item_waits"], [])
    assert await owner.fetchval("SELECT count(*) FROM waiting_change") == 1
    assert await owner.fetchval("SELECT count(*) FROM rule WHERE name = '夜间巡逻'") == 0
    change = await owner.fetchval("SELECT id FROM waiting_change")
    await agreements.decide_change(await town.scope("钱进"), change, "agree")
    assert codes(await in_phoenix(town, book("夜间巡逻", most + 1))) == []


async def test_nobody_decides_what_the_own_deed_is_worth(town: Town) -> None:
    own = book("夜间巡逻", 2, person="赵丽")
    tried = await in_phoenix(town, own, WordIn(value="夜间巡逻", new=True), dry_run=True)
    assert codes(tried) == ["own_word"]
    report = await in_phoenix(town, own, WordIn(value="夜间巡逻", new=True))
    assert (codes(report), report.unknown) == (["own_word"], []), "deciding once more would not help"
    assert codes(await in_phoenix(town, own)) == ["own_word"], "nor does a word that is known by now"
    # Another administrator is asked about the word and decides it.
    other = await in_phoenix(town, own, by="钱进", dry_run=True)
    assert (codes(other), [word.value for word in other.unknown]) == (["own_word"], ["夜间巡逻"])
    decided = await in_phoenix(town, own, WordIn(value="夜间巡逻", means="夜间巡逻"), by="钱进")
    assert (decided.outcome, codes(decided)) == ("imported", [])


async def test_a_word_for_an_item_that_has_ended_is_asked_for_again(town: Town) -> None:
    await in_phoenix(town, book("夜间巡逻", 2), WordIn(value="夜间巡逻", new=True))
    scope = await town.scope("赵丽")
    code = next(rule.code for rule in (await rules(scope, kind="deed")).items if rule.name == "夜间巡逻")
    await set_rule(scope, RuleIn(kind="deed", name="夜间巡逻", code=code, points=2, active=False))
    report = await in_phoenix(town, book("夜间巡逻", 2, person="张桂兰"), dry_run=True)
    assert [word.value for word in report.unknown] == ["夜间巡逻"]


async def test_two_people_who_add_the_same_word_at_once_add_one_item(town: Town, owner: asyncpg.Connection) -> None:
    scopes = [await town.scope("赵丽"), await town.scope("钱进")]
    words = [[WordIn(value="夜间巡逻", new=True, points=2)], [WordIn(value="夜间 巡逻", new=True, points=2)]]
    await asyncio.gather(*(remember_words(scope, "deeds", said) for scope, said in zip(scopes, words, strict=True)))
    assert await owner.fetchval("SELECT count(*) FROM rule WHERE name LIKE '夜间%'") == 1
    assert await owner.fetchval("SELECT count(*) FROM import_word") == 1


async def test_who_adds_what_another_has_just_added_with_other_points_is_told(
    town: Town, owner: asyncpg.Connection
) -> None:
    scopes = [await town.scope("赵丽"), await town.scope("钱进")]
    said = [[WordIn(value="夜间巡逻", new=True, points=points)] for points in (2, 3)]
    found = await asyncio.gather(
        *(remember_words(scope, "deeds", words) for scope, words in zip(scopes, said, strict=True)),
        return_exceptions=True,
    )
    assert sorted(map(type, found), key=str) == [type(None), WordIsName]
    kept = found.index(None)
    assert await owner.fetchval("SELECT points FROM rule WHERE name = '夜间巡逻'") == kept + 2
    assert await owner.fetchval("SELECT decided_by FROM import_word") == scopes[kept].person_id
    await remember_words(scopes[kept], "deeds", said[kept])  # repeated, as after a lost reply


async def test_an_answer_that_says_nothing_or_two_things_is_refused(town: Town, owner: asyncpg.Connection) -> None:
    wrong: list[tuple[WordIn, type[TimebankError]]] = [
        (WordIn(value="夜间巡逻"), WordUnclear),
        (WordIn(value="夜间巡逻", new=True, means="调解邻里纠纷"), WordUnclear),
        (WordIn(value="不在表里", new=True), WordUnclear),
        (WordIn(value="夜间巡逻", means="没有这一项"), WordMeaningUnknown),
        (WordIn(value="夜间巡逻", kind="station", means="慈善超市"), WordKindUnknown),
        (WordIn(value="。。", new=True, points=2), WordKindUnknown),
    ]
    for word, error in wrong:
        with pytest.raises(error):
            await in_phoenix(town, book("夜间巡逻", 2), WordIn(value="先说清的", new=True, points=2), word)
    assert await owner.fetchval("SELECT count(*) FROM import_word") == 0
    with pytest.raises(Forbidden):
        await remember_words(await town.scope("张桂兰"), "deeds", [WordIn(value="夜间巡逻", new=True, points=2)])


def test_words_are_suggested_by_sound_and_by_meaning() -> None:
    items = [(name, name) for name in ("调解邻里纠纷", "楼道卫生巡查", "文明劝导")]
    assert most_alike("调节邻里纠纷", items)[0] == "调解邻里纠纷"
    assert most_alike("邻里矛盾纠纷调解", items)[0] == "调解邻里纠纷"
    assert most_alike("卫生楼道检查", items)[0] == "楼道卫生巡查"
    assert list(most_alike("防汛", items)) == []


async def test_the_command_maps_the_books_words_from_a_file(
    town: Town, timebank: Timebank, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await with_own_words(town)
    asked = ("import", "deeds", str(DATA / "deeds.xlsx"), "--community", FACTS["community"])
    told = timebank(*asked, "--dry-run").stdout
    assert "防汛防火值守,防汛防火值班 或 防汛防火值守,新添,20" in told
    tried = msgspec.json.decode(timebank(*asked, "--dry-run", "--json").stdout, type=Report)
    lines = ["词,是什么,分值", *(f"{word},{meant}" for word, meant in OTHER_WORD.items())]
    lines += [f"{word.value},新添" for word in tried.unknown if word.value not in OTHER_WORD]
    (tmp_path / "words.csv").write_text("\n".join(lines), encoding="gb18030")
    assert "没有登记，或已停用" in sentence(timebank(*asked, "--map", str(unclear(tmp_path))))
    report = msgspec.json.decode(timebank(*asked, "--map", "words.csv", "--json").stdout, type=Report)
    assert report.outcome == "imported"
    assert_all_valid_rows_went_in(report)
    again = msgspec.json.decode(timebank(*asked, "--dry-run", "--json").stdout, type=Report)
    assert (again.unknown, again.created) == ([], 0)
    assert await owner.fetchval("SELECT count(*) FROM import_word WHERE decided_by IS NULL") == len(lines) - 1


def unclear(folder: Path) -> Path:
    path = folder / "unclear.json"
    path.write_text('{"防汛防火值守": "没有这一项"}', encoding="utf-8")
    return path


async def test_the_map_comes_with_the_upload(town: Town, client: httpx.AsyncClient) -> None:
    headers, content = await town.sign_in("赵丽"), book("夜间巡逻", 2)

    async def send(said: str = "", dry_run: str = "false") -> httpx.Response:
        form, file = {"map": said, "dry_run": dry_run}, {"file": ("a.csv", content)}
        return await client.post("/api/v1/imports/deeds", headers=headers, data=form, files=file)

    tried = (await send(dry_run="true")).json()
    (word,) = tried["unknown"]
    assert (word["kind"], word["value"], word["count"], word["rows"], word["points"]) == ("item", "夜间巡逻", 1, [2], 2)
    assert tried["refusals"][0] | {"problem": ""} == {
        "code": "unknown_item", "column": "事项", "problem": "", "count": 1, "rows": [2], "places": ["D2"],
        "varies": False,
    }  # fmt: skip
    assert {"sheet": "", "column": "D", "heading": "事项", "meaning": "事项"} in tried["used_columns"]
    for wrong in ("[", '{"夜间巡逻": 1}', '[{"value": "夜间巡逻", "new": "yes"}]', "夜间巡逻", "夜间巡逻,新添,很多"):
        answer = await send(wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "map_unclear"), wrong
    skipped = (await send()).json()
    assert (skipped["outcome"], [word["value"] for word in skipped["unknown"]]) == ("unchanged", ["夜间巡逻"])
    taken = (await send('[{"value": "夜间巡逻", "new": true, "kind": "item", "points": 2, "cap": 3}]')).json()
    assert (taken["outcome"], taken["created"], taken["unknown"]) == ("imported", 1, [])
    run = (await client.get(f"/api/v1/imports/{taken['run_id']}", headers=headers)).json()
    assert (run["unknown"], run["refusals"], run["unused_columns"], run["errors"]) == ([], [], [], [])


@pytest.mark.parametrize(
    "said",
    [
        "夜间巡逻,新添,2," + "x" * 150_000,
        "夜间巡逻,新添,2\n夜间 巡逻,调解邻里纠纷",
        '[{"value": "夜间巡逻", "new": true, "points": 2}, {"value": "夜间巡逻", "new": true, "points": 3}]',
        '{"夜间巡逻": "new", "夜间巡逻": "调解邻里纠纷"}',
    ],
)
async def test_a_map_that_cannot_be_read_or_says_two_things_of_a_word_is_refused(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, said: str
) -> None:
    for dry_run in ("true", "false"):
        answer = await client.post(
            "/api/v1/imports/deeds", headers=await town.sign_in("赵丽"), data={"map": said, "dry_run": dry_run},
            files={"file": ("a.csv", book("夜间巡逻", 2))},
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (422, "map_unclear")
    assert await owner.fetchval("SELECT count(*) FROM import_word") == 0


def test_a_map_with_the_line_ends_of_any_machine_is_read() -> None:
    for end in ("\n", "\r\n", "\r"):
        assert len(answers_in("deeds", end.join(["词,是什么", "巡楼,楼道卫生巡查", "巡楼,楼道卫生巡查"]).encode())) == 2


async def test_the_page_refuses_points_and_caps_that_are_no_numbers(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "钱进")
    draft = await page_of(client, headers, csrf, "deeds", book("夜间巡逻", 2))
    word = {"_csrf": csrf, "value-1": "夜间巡逻", "kind-1": "item", "means-1": "+"}
    for wrong in ({"points-1": "9" * 5000}, {"points-1": "2", "cap-1": "三次"}, {"points-1": "2", "cap-1": "9" * 5000}):
        answer = await client.post(f"{draft}/words", headers=headers, data=word | wrong)
        assert answer.status_code == 422, wrong
    assert await owner.fetchval("SELECT count(*) FROM import_word") == 0


def test_a_map_is_read_from_lines_and_from_json() -> None:
    known, new = WordIn(value="巡楼", means="楼道卫生巡查"), WordIn(value="夜间巡逻", new=True, points=3)
    for text in (
        "词,是什么,分值\n巡楼,楼道卫生巡查\n\n夜间巡逻,新添,3\n",
        "巡楼，楼道卫生巡查\n夜间巡逻,new,3,item",
        '[{"value": "巡楼", "means": "楼道卫生巡查"}, {"value": "夜间巡逻", "new": true, "points": 3}]',
    ):
        assert answers_in("deeds", text.encode()) == [known, new]
    assert answers_in("deeds", '{"巡楼": "楼道卫生巡查"}'.encode()) == [known]


async def test_the_page_decides_every_word_with_one_button(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    community = await with_own_words(town)
    headers, csrf = await browser(town, "钱进")
    headers |= {"Cookie": f"{headers['Cookie']}; {COMMUNITY_COOKIE}={community.id}"}
    draft = await page_of(client, headers, csrf, "deeds", BOOK)
    shown = (await client.get(draft, headers=headers)).text
    assert "表里的词，是哪一项？" in shown
    assert "每一列读成了什么" in shown
    assert "没有导入的原因" in shown
    values = dict(re.findall(r'name="value-(\d+)" value="([^"]+)"', shown))
    assert set(values.values()) == set(CATALOGUE) - {"文明劝导"}
    form = {"_csrf": csrf}
    for number, value in values.items():
        choices = re.search(rf'<select[^>]*name="means-{number}".*?</select>', shown, re.DOTALL)
        assert choices
        code = re.search(rf'<option value="([^"]+)">就是“{OTHER_WORD.get(value)}”', choices[0])
        points = re.search(rf'name="points-{number}"[^>]*value="(\d+)"', shown)
        assert points
        form |= {f"value-{number}": value, f"kind-{number}": "item", f"points-{number}": points[1]}
        form[f"means-{number}"] = code[1] if code else "+"
    wrong = await client.post(f"{draft}/words", headers=headers, data=form | {"means-1": "no-such-item"})
    assert wrong.status_code == 422
    assert "没有登记，或已停用" in wrong.text
    assert await owner.fetchval("SELECT count(*) FROM import_word") == 0
    decided = await client.post(f"{draft}/words", headers=headers, data=form)
    assert decided.headers["location"] == draft
    again = (await client.get(draft, headers=headers)).text
    assert "表里的词，是哪一项？" not in again
    assert "跳过有问题的 10 行，导入其余 390 行" in again
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE community_id = $1", community.id) == 0
    await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE community_id = $1", community.id) == 390
    following = await page_of(client, headers, csrf, "deeds", BOOK)
    assert "表里的词，是哪一项？" not in (await client.get(following, headers=headers)).text


async def test_a_goods_list_with_another_word_for_a_station_goes_in(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    content = table(
        GOODS, ["雨伞", "把", 45, 3, "暖峰驿站", ""], ["毛巾", "条", 8, 5, "新站点", ""],
        ["牙膏", "支", 6, 2, "暖峰 驿站", ""],
    )  # fmt: skip

    async def take(*words: WordIn, dry_run: bool = False) -> Report:
        return await import_file(scope, "goods", "a.csv", content, dry_run=dry_run, skip_bad=True, words=words)

    tried = await take(dry_run=True)
    assert [(word.kind, word.value, word.count) for word in tried.unknown] == [
        ("station", "暖峰驿站", 2), ("station", "新站点", 1),
    ]  # fmt: skip
    assert tried.unknown[0].suggestions[0].name == "暖蜂驿站"
    words = [
        WordIn(value="暖峰驿站", kind="station", means=tried.unknown[0].suggestions[0].means),
        WordIn(value="新站点", kind="station", new=True),
    ]
    supposed = await take(*words, dry_run=True)
    assert (codes(supposed), supposed.created) == ([], 3)
    assert await owner.fetchval("SELECT count(*) FROM station WHERE name = '新站点'") == 0
    report = await take(*words)
    assert (report.outcome, codes(report), report.created) == ("imported", [], 3)
    found = await owner.fetch(
        "SELECT g.name, s.name FROM stock t JOIN good g ON g.id = t.good_id JOIN station s ON s.id = t.station_id "
        "WHERE g.name IN ('雨伞', '毛巾', '牙膏')"
    )
    assert {tuple(row) for row in found} == {("雨伞", "暖蜂驿站"), ("毛巾", "新站点"), ("牙膏", "暖蜂驿站")}
    assert (await take(dry_run=True)).unknown == []


async def test_a_word_decided_anew_files_the_same_book_no_second_time(town: Town, owner: asyncpg.Connection) -> None:
    content = book("夜间巡逻", "", person="张桂兰")
    first, second = ("调解邻里纠纷", "楼道巡查")
    scope = await town.scope("赵丽")
    await set_rule(scope, RuleIn(kind="deed", name=second, points=1))
    assert (await in_phoenix(town, content, WordIn(value="夜间巡逻", means=first))).created == 1
    again = await in_phoenix(town, content, WordIn(value="夜间巡逻", means=second))
    assert (again.outcome, again.created) == ("unchanged", 0)
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE note_said ->> 'kind' = 'note.deed_from_book'") == 1


async def test_a_word_that_becomes_an_items_name_files_the_same_book_no_second_time(
    town: Town, owner: asyncpg.Connection
) -> None:
    content, scope = book("夜间巡逻", 10, person="张桂兰"), await town.scope("赵丽")
    assert (await in_phoenix(town, content, WordIn(value="夜间巡逻", means="调解邻里纠纷"))).created == 1
    made = await set_rule(scope, RuleIn(kind="deed", name="夜间巡逻", points=10))
    assert isinstance(made, RuleOut)
    assert (await in_phoenix(town, content)).created == 0, "the word is the name of an item now"
    another = book("夜间巡逻", 10, person="王建国")
    assert (await in_phoenix(town, another)).created == 1
    await set_rule(scope, RuleIn(kind="deed", name="夜里巡逻", points=10, code=made.code))
    again = await in_phoenix(town, another, WordIn(value="夜间巡逻", means="夜里巡逻"))
    assert (again.created, codes(again)) == (0, []), "the item has another name now"
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE note_said ->> 'kind' = 'note.deed_from_book'") == 2


async def test_a_catalogue_on_another_sheet_says_the_points_of_what_may_be_added(town: Town) -> None:
    workbook = Workbook()
    deeds = workbook.worksheets[0]
    deeds.title = "台账"
    deeds.append([heading for heading in DEEDS if heading != "分值"])
    deeds.append([clock.local_day().isoformat(), "张桂兰", "3栋", "夜间巡逻", "李秀英", ""])
    catalogue = workbook.create_sheet("积分目录")
    for line in (
        ["积分事项", "分值", "单位"],
        ["夜间巡逻", 2, "次"],
        ["清理楼道", "3分", "次"],
        ["调解邻里纠纷", 10, "件"],
    ):
        catalogue.append(line)
    content = saved(workbook)
    scope = await town.scope("赵丽")

    async def take(*words: WordIn, dry_run: bool = False) -> Report:
        return await import_file(scope, "deeds", "a.xlsx", content, dry_run=dry_run, skip_bad=True, words=words)

    tried = await take(dry_run=True)
    assert [(word.value, word.count, word.points) for word in tried.unknown] == [
        ("夜间巡逻", 1, 2), ("清理楼道", 0, 3),
    ]  # fmt: skip
    assert "工作表“积分目录”读作积分目录（3 项），目录里还没有的可以在下面新添" in tried.notes
    assert not any("没有读" in note for note in tried.notes)
    report = await take(WordIn(value="夜间巡逻", new=True), WordIn(value="清理楼道", new=True))
    assert (report.created, codes(report), report.unknown) == (1, [], [])
    found = {rule.name: rule.points for rule in (await rules(scope, kind="deed", active=True)).items}
    assert (found["夜间巡逻"], found["清理楼道"]) == (2, 3)


async def test_another_word_for_an_activity_is_that_activity(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    await add_activity(scope, ActivityIn(name="敬老助餐", rule_code=await rule_code_of(scope, None)))
    day = (clock.local_day() - timedelta(days=1)).isoformat()

    def sheet(person: str, hour: int) -> bytes:
        row = [day, "敬老助参", "", person, town.phones[person], f"{hour:02}:00", f"{hour + 1:02}:00"]
        return table(HOURS, row)

    async def take(content: bytes, *words: WordIn, dry_run: bool = False) -> Report:
        return await import_file(scope, "hours", "a.csv", content, dry_run=dry_run, skip_bad=True, words=words)

    tried = await take(sheet("张桂兰", 8), dry_run=True)
    (word,) = tried.unknown
    assert (word.kind, word.value, word.suggestions[0].name) == ("activity", "敬老助参", "敬老助餐")
    meant = WordIn(value="敬老助参", kind="activity", means=word.suggestions[0].means)
    report = await take(sheet("张桂兰", 8), meant)
    assert (report.outcome, report.created, report.unknown) == ("imported", 1, [])
    assert await owner.fetchval("SELECT count(*) FROM activity WHERE name = '敬老助参'") == 0
    assert (await take(sheet("张桂兰", 10), dry_run=True)).unknown == []
    assert codes(await take(sheet("赵丽", 12))) == ["own_word"]
