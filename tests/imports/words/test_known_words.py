"""The words that a community has decided, on their page: changed and forgotten without gain for whoever does it."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.imports.kinds.test_imports import DEEDS, HOURS, table
from tests.imports.words.test_own_words import building, deed, places_of_deeds, station
from tests.imports.words.test_words import book, codes, in_phoenix
from tests.support.town import Town
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound
from timebank.imports.runs.batches import Progress, run_batches
from timebank.imports.runs.runs import try_or_import
from timebank.imports.words.asking import WordIsName
from timebank.imports.words.known_words import change_word, delete_word, known_word, known_words
from timebank.imports.words.word_meanings import remember_words
from timebank.imports.words.words import WordIn
from timebank.rules.catalogue import rules, set_rule
from timebank.rules.schemas import RuleIn
from timebank.service_records.crediting.credit import rule_code_of

PATROL = "夜间巡逻"


async def with_two_items(town: Town, *, of: str = "赵丽") -> None:
    """A catalogue with a small and a greater item, and a word that means the small one."""
    scope = await town.scope("赵丽")
    await set_rule(scope, RuleIn(kind="deed", name="扫雪", points=1))
    await set_rule(scope, RuleIn(kind="deed", name="送医", points=9))
    await remember_words(await town.scope(of), "deeds", [WordIn(value=PATROL, means="扫雪")])


async def points_of(owner: asyncpg.Connection) -> list[int]:
    return [row["points"] for row in await owner.fetch("SELECT points FROM deed ORDER BY created_at, id")]


async def test_the_page_shows_who_decided_which_word_and_changes_and_forgets_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await with_two_items(town, of="钱进")
    await remember_words(await town.scope("赵丽"), "goods", [station("新站点")])
    headers, csrf = await browser(town, "赵丽")
    assert "/admin/imports/words" in (await client.get("/admin/imports", headers=headers)).text
    shown = (await client.get("/admin/imports/words", headers=headers)).text
    assert all(text in shown for text in (PATROL, "扫雪", "钱进", "新站点", "新添的", "选了已有的"))
    chosen = (await client.get(f"/admin/imports/words?kind=item&word={PATROL}", headers=headers)).text
    assert "“夜间巡逻”是哪一项？" in chosen
    code = (await known_word(await town.scope("赵丽"), "item", PATROL)).target
    other = next(
        rule.code for rule in (await rules(await town.scope("赵丽"), kind="deed")).items if rule.name == "送医"
    )
    form = {"_csrf": csrf, "kind": "item", "word": PATROL}
    wrong = await client.post("/admin/imports/words", headers=headers, data=form | {"means": "no-such-item"})
    assert wrong.status_code == 422
    assert "没有登记，或已停用" in wrong.text
    changed = await client.post("/admin/imports/words", headers=headers, data=form | {"means": other})
    assert changed.headers["location"] == "/admin/imports/words?done=changed"
    now = await known_word(await town.scope("赵丽"), "item", PATROL)
    assert (now.name, now.target, now.decided_by) == ("送医", other, town.people["赵丽"])
    told = await owner.fetchval(
        "SELECT change->>'targets' FROM audit WHERE verb = 'map_words' ORDER BY at DESC LIMIT 1"
    )
    assert told == f'[["{code}", "{other}"]]', "the audit says what it meant, and means"
    gone = await client.post("/admin/imports/words/forgotten", headers=headers, data=form)
    assert gone.headers["location"] == "/admin/imports/words?done=forgotten"
    with pytest.raises(NotFound):
        await known_word(await town.scope("赵丽"), "item", PATROL)
    assert [word.value for word in (await in_phoenix(town, book(PATROL, 1), dry_run=True)).unknown] == [PATROL]


async def test_only_administrators_change_words_and_auditors_read_them(town: Town, client: httpx.AsyncClient) -> None:
    await with_two_items(town)
    assert [one.word for one in (await known_words(await town.scope("孙伟"))).items] == [PATROL]
    headers, _ = await browser(town, "孙伟")
    shown = await client.get(f"/admin/imports/words?kind=item&word={PATROL}", headers=headers)
    assert (shown.status_code, "改成这一项" in shown.text) == (200, False)
    for verb in (
        change_word(await town.scope("孙伟"), "item", PATROL, "送医"),
        delete_word(await town.scope("孙伟"), "item", PATROL),
    ):
        with pytest.raises(Forbidden):
            await verb
    with pytest.raises(Forbidden):
        await known_words(await town.scope("张桂兰"))


async def test_a_word_changed_by_somebody_with_rows_waiting_by_it_gains_them_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    await with_two_items(town, of="钱进")
    own = book(PATROL, "", person="赵丽")
    assert (await in_phoenix(town, own, by="钱进")).created == 1
    await change_word(await town.scope("赵丽"), "item", PATROL, "送医")
    assert await points_of(owner) == [1], "what waits for its review stays as it was filed"
    again = await in_phoenix(town, own, by="钱进")
    assert (again.outcome, again.created) == ("unchanged", 0)
    following = table(DEEDS, deed("赵丽", "3栋", "又一次", item=PATROL, points=""))
    for by in ("赵丽", "钱进"):
        assert codes(await in_phoenix(town, following, by=by)) == ["own_word"], by
    await delete_word(await town.scope("赵丽"), "item", PATROL)
    asked = await in_phoenix(town, following, by="赵丽")
    assert (asked.created, codes(asked)) == (0, ["unknown_item"])
    assert codes(await in_phoenix(town, following, WordIn(value=PATROL, means="送医"), by="赵丽")) == ["own_word"]
    assert await points_of(owner) == [1]


async def test_who_has_added_an_item_cannot_have_that_forgotten(town: Town, owner: asyncpg.Connection) -> None:
    """Else the own deed would go in by it as if another had decided what it is worth."""
    own = book(PATROL, 2, person="赵丽")
    assert codes(await in_phoenix(town, own, WordIn(value=PATROL, new=True))) == ["own_word"]
    for by in ("赵丽", "钱进"):
        with pytest.raises(WordIsName):
            await delete_word(await town.scope(by), "item", PATROL)
        with pytest.raises(WordIsName):
            await change_word(await town.scope(by), "item", PATROL, "调解邻里纠纷")
    assert codes(await in_phoenix(town, own, by="钱进")) == ["own_word"]
    await change_word(await town.scope("赵丽"), "item", PATROL, PATROL)
    assert codes(await in_phoenix(town, own, by="钱进")) == ["own_word"]
    await change_word(await town.scope("钱进"), "item", PATROL, PATROL)
    assert codes(await in_phoenix(town, own)) == [], "another has said that it is this item"


async def test_who_has_added_an_item_gains_nothing_by_renaming_or_ending_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    own, mine = book(PATROL, 2, person="赵丽"), await town.scope("赵丽")
    assert codes(await in_phoenix(town, own, WordIn(value=PATROL, new=True))) == ["own_word"]
    code = (await known_word(mine, "item", PATROL)).target
    for name, active in (("巡夜", True), (PATROL, False)):
        await set_rule(mine, RuleIn(kind="deed", name=name, code=code, points=2, active=active))
        with pytest.raises(WordIsName):
            await delete_word(mine, "item", PATROL)
        await set_rule(mine, RuleIn(kind="deed", name=PATROL, code=code, points=2))
        assert codes(await in_phoenix(town, own)) == ["own_word"]


async def test_a_building_added_by_a_word_keeps_its_name(town: Town, owner: asyncpg.Connection) -> None:
    content = table(DEEDS, deed("张桂兰", "东头那栋2单元", "一"))
    assert codes(await in_phoenix(town, content, building("东头那栋"))) == []
    scope = await town.scope("赵丽")
    listed = {(one.word, one.added, one.is_name, one.name) for one in (await known_words(scope)).items}
    assert listed == {("东头那栋", True, True, "东头那栋"), ("东头那栋2单元", True, True, "东头那栋2单元")}
    with pytest.raises(WordIsName):
        await change_word(scope, "building", "东头那栋", "3栋")
    assert await places_of_deeds(owner) == {"一": "东头那栋2单元"}


async def test_a_word_whose_item_has_ended_or_waits_says_so(town: Town) -> None:
    await with_two_items(town)
    scope = await town.scope("赵丽")
    code = (await known_word(scope, "item", PATROL)).target
    await set_rule(scope, RuleIn(kind="deed", name="扫雪", code=code, points=1, active=False))
    await town.give_points("张桂兰", 5)
    await remember_words(scope, "deeds", [WordIn(value="抢险", new=True, points=900)])
    assert {one.word: one.standing for one in (await known_words(scope)).items} == {PATROL: "gone", "抢险": "waits"}
    await delete_word(scope, "item", "抢险")
    first = await known_words(scope, limit=1)
    assert ([one.word for one in first.items], first.next) == ([PATROL], None)


async def test_a_word_changed_while_a_run_goes_on_changes_none_of_its_rows(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, mine = await town.scope("钱进"), await town.scope("赵丽")
    usual = await rule_code_of(mine, None)
    await set_rule(mine, RuleIn(kind="service", name="加倍", code="double", minutes_per_point=3))
    await add_activity(mine, ActivityIn(name="敬老助餐", rule_code=usual))
    await add_activity(mine, ActivityIn(name="夜间陪护", rule_code="double"))
    day = (clock.local_day() - timedelta(days=1)).isoformat()
    content = table(HOURS, [day, "敬老助参", "暖峰驿站", "赵丽", town.phones["赵丽"], "08:00", "09:00"])
    words = [WordIn(value="敬老助参", kind="activity", means="敬老助餐"), station("暖峰驿站", "暖蜂驿站")]
    begun = await try_or_import(
        scope, "hours", "a.csv", content, dry_run=False, skip_bad=True, seconds=0.0, words=words
    )  # fmt: skip
    assert isinstance(begun, Progress)
    await change_word(mine, "activity", "敬老助参", "夜间陪护")
    await delete_word(mine, "station", "暖峰驿站")
    await run_batches(scope, begun.run_id)
    found = await owner.fetch(
        "SELECT a.name AS activity, s.name AS station, r.rule_code FROM service_record r "
        "JOIN activity a ON a.id = r.activity_id JOIN station s ON s.id = r.station_id WHERE r.kind = 'honour'"
    )
    assert [tuple(row) for row in found] == [("敬老助餐", "暖蜂驿站", usual)]
