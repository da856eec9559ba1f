"""The audit trail: administrators and auditors read, in words, who did what and who viewed whose data."""

import ast
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.matrix.test_told import calls
from tests.support.counter import PASSWORD, has_password, kept_scope
from tests.support.presence import served
from tests.support.shop import API, browser
from tests.support.town import Town
from timebank.access.devices.devices import register_device
from timebank.access.sign_in.finding import find_at_counter
from timebank.cards.cards import issue_card
from timebank.core import audit, clock
from timebank.core.database import transaction
from timebank.core.errors import Forbidden
from timebank.operations.piccolo_app import APP_CONFIG
from timebank.people.enrolment.enrolling import enrol
from timebank.people.schemas import Enrolment
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.reading import list_records
from timebank.trail import reading
from timebank.trail.reading import trail, trail_by_reason
from timebank.trail.words import LABELS, change_in_words, nouns, verbs

# UNSAID: audited values without a label, such as version numbers, which mean nothing to a reader.
VERB, NOUN = 1, 2
UNSAID = {
    "merge",
    "merged",
    "bytes",
    "by_code",
    "targets",
    "code",
    "skip_bad",
    "epoch",
    "objection",
    "rule_version",
    "version",
    "to",
    "arrived",
    "filters",
    "category",
}


def constants(position: int) -> set[str]:
    """Return the string literals at one argument position, VERB or NOUN, of the calls that write the audit."""
    writers = ["audit.record", "audit.record_many", "audit.record_of_login"][: 3 if position == VERB else 2]
    found = [call.args[position] for call in calls(*writers)]
    return {each.value for each in found if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_every_verb_noun_and_value_has_words() -> None:
    assert constants(VERB) - verbs().keys() == set()
    assert constants(NOUN) - nouns().keys() == set()
    named = {
        k.arg
        for call in calls("audit.record", "audit.record_many", "audit.record_of_login")
        for k in call.keywords
        if k.arg
    } - {"reason"}
    assert {n for n in named if not n.endswith("_id")} - LABELS.keys() - UNSAID == set()


@pytest.mark.parametrize(
    ("verb", "change", "said"),
    [
        (
            "record_service", {"kind": "credit", "flags": ["forgotten_check_out"], "minutes": 720},
            "种类 两次扫码 · 标记 忘记签退，按闭站时间关闭 · 分钟 720",
        ),
        (
            "propose", {"kind": "looser_policy", "subject": "notice_days"},
            "种类 放宽规则“…”：从 … 改成 … · 事由 善行和荣誉时数的公示天数",
        ),
        ("propose", {"kind": "of_a_later_version", "subject": "019a7593-9e80-7004-8589-a9ddc7fd0b99:display"}, ""),
        ("ask_confirmation", {"kind": "spend"}, "种类 没有带手机和卡，当场领取"),
        ("correct_person", {"fields": ["phone", "room"]}, "改了 手机号、住址"),
        ("count_stock", {"change": -202, "counted": 4}, "增减 −202 · 清点数 4"),
        ("decide_change", {"decision": "agree"}, "决定 同意"),
        ("change_policy", {"name": "hold_days", "value": 5}, "名称 预留物品保留天数 · 新值 5"),
        ("add_good", {"name": "A4 paper"}, "名称 A4 paper"),
    ],
)  # fmt: skip
def test_a_value_is_said_in_words_and_never_as_a_code(verb: str, change: dict[str, object], said: str) -> None:
    assert change_in_words(verb, change, "zh") == said


async def test_a_rule_is_named_as_its_newest_version_is(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "张桂兰", 60)
    await owner.execute(
        "INSERT INTO rule SELECT (jsonb_populate_record(r, $2::jsonb)).* FROM rule r WHERE community_id = $1 "
        "AND code = 'service' AND version = 1", town.community, '{"version": 9, "name": "邻里服务"}',
    )  # fmt: skip
    [line] = (await trail(await town.scope("赵丽"), verb="credit_record")).items
    assert "规则 邻里服务" in line.values
    assert line.change["rule_code"] == "service"


def test_every_change_of_something_that_is_a_residents_says_whose() -> None:
    """So that what was done about a resident is found by the resident, whatever it was done to."""
    columns = {
        table._meta.tablename: {c._meta.db_column_name for c in table._meta.columns}
        for table in APP_CONFIG.table_classes
    }
    of_residents = {name for name, known in columns.items() if known & {"person_id", "child_id"}}
    silent = []
    for call in calls("audit.record"):
        noun = call.args[NOUN]
        named = isinstance(noun, ast.Constant) and noun.value in of_residents
        one = ast.unparse(call.args[NOUN + 1]) != "None"
        if named and one and not {"about_id", "person_id", "child_id"} & {k.arg for k in call.keywords}:
            silent.append(ast.unparse(call)[:90])
    assert silent == []
    assert {"deed", "service_record", "redemption"} <= of_residents


async def test_administrators_and_auditors_read_it_and_nobody_else(town: Town) -> None:
    await issue_card(await town.scope("周敏"), town.people["张桂兰"])
    for name in ("赵丽", "孙伟"):
        [line, *_] = (await trail(await town.scope(name), verb="issue_card")).items
        assert (line.person, line.about, line.text) == ("周敏", "张桂兰", "发了卡")
    for name in ("周敏", "陈明", "张桂兰"):
        with pytest.raises(Forbidden):
            await trail(await town.scope(name))


async def test_it_is_read_by_person_thing_kind_and_day_from_the_newest_on(town: Town) -> None:
    keeper, admin = await town.scope("周敏"), await town.scope("赵丽")
    first = clock.now()
    with clock.at(first):
        await issue_card(keeper, town.people["张桂兰"])
    with clock.at(first + timedelta(days=1)):
        await issue_card(admin, town.people["李秀英"])
    both = (await trail(admin, verb="issue_card")).items
    assert [line.about for line in both] == ["李秀英", "张桂兰"]
    assert [line.about for line in (await trail(admin, person_id=town.people["周敏"])).items] == ["张桂兰"]
    [thing] = (await trail(admin, noun_id=both[0].noun_id)).items
    assert thing == both[0]
    early = (await trail(admin, verb="issue_card", until=clock.local_day(first))).items
    assert [line.about for line in early] == ["张桂兰"]
    page = await trail(admin, verb="issue_card", limit=1)
    rest = await trail(admin, verb="issue_card", limit=1, cursor=page.next)
    assert [*page.items, *rest.items] == both


async def test_it_is_asked_whom_an_act_was_about_and_on_which_days(town: Town) -> None:
    """The record of somebody's hours names them, although the act was done to the record."""
    admin, began = await town.scope("赵丽"), clock.now()
    await served(town, "李秀英", 60)
    mine = await served(town, "张桂兰", 90)
    [record] = (await list_records(await town.scope("张桂兰"))).items
    await reverse_record(admin, record.id, "扫错了")
    about = (await trail(admin, about_id=town.people["张桂兰"])).items
    assert mine is not None
    assert {line.about for line in about} == {"张桂兰"}
    assert about[0].verb == "reverse_record"
    assert (about[0].person, about[0].reason, about[0].noun_id) == ("赵丽", "扫错了", record.id)
    assert {"check_in", "check_out", "credit_record"} <= {line.verb for line in about}
    [only] = (await trail(admin, about_id=town.people["张桂兰"], person_id=town.people["赵丽"])).items
    assert only == about[0]
    today = clock.local_day(began)
    assert about[:1] == (await trail(admin, about_id=town.people["张桂兰"], since=today)).items, (
        "yesterday's are left out"
    )
    assert (await trail(admin, since=today + timedelta(days=1))).items == []
    assert (await trail(admin, about_id=town.people["张桂兰"], until=today - timedelta(days=2))).items == []


async def test_a_person_is_found_by_name_and_the_address_holds_the_id_alone(
    town: Town, client: httpx.AsyncClient
) -> None:
    await issue_card(await town.scope("周敏"), town.people["张桂兰"])
    auditor = await browser(client, town, "孙伟")
    for part, name, shown in (("about", "张桂兰", "周敏"), ("by", "周敏", "张桂兰")):
        answer = await auditor.send("/admin/audit/search", q=name, part=part, verb="issue_card")
        field = "about_id" if part == "about" else "person_id"
        assert (answer.status_code, answer.headers["location"]) == (
            303, f"/admin/audit?verb=issue_card&{field}={town.people[name]}",
        )  # fmt: skip
        page = await auditor.see(answer.headers["location"])
        assert "发了卡" in page
        assert shown in page
    several = (await auditor.send("/admin/audit/search", q="刘", part="about")).text
    for name in ("刘洋", "刘小雨"):
        assert f"about_id={town.people[name]}" in several
    assert "没有找到这个人" in (await auditor.send("/admin/audit/search", q="没有这个")).text
    for name in ("周敏", "陈明", "张桂兰"):
        refused = await (await browser(client, town, name)).send("/admin/audit/search", q="张桂兰")
        assert refused.status_code == 403, name


async def test_a_sign_in_stands_where_its_time_is(town: Town, client: httpx.AsyncClient) -> None:
    await has_password(town, "周敏")
    keeper, first = await town.scope("周敏"), clock.now()
    asked = {"phone": town.phones["周敏"], "password": PASSWORD}
    for minute, name in enumerate(("张桂兰", "李秀英")):
        with clock.at(first + timedelta(minutes=2 * minute)):
            await issue_card(keeper, town.people[name])
        with clock.at(first + timedelta(minutes=2 * minute + 1)):
            assert (await client.post(f"{API}/sessions", json=asked)).status_code == 201
    lines = (await trail(await town.scope("赵丽"))).items
    assert [line.verb for line in lines][:4] == ["sign_in", "issue_card", "sign_in", "issue_card"]


async def test_another_communitys_trail_is_not_seen(town: Town, owner: asyncpg.Connection) -> None:
    other = clock.new_id()
    await owner.execute(
        "INSERT INTO audit (community_id, id, at, via, request_id, verb, noun, change) "
        "VALUES ($1, $2, now(), 'api', '', 'set_rule', 'rule', '{}')",
        other, clock.new_id(),
    )  # fmt: skip
    assert (await trail(await town.scope("赵丽"), verb="set_rule")).items == []


async def test_a_device_is_named(town: Town, owner: asyncpg.Connection) -> None:
    made = await register_device(await town.scope("周敏"), town.stations["暖蜂驿站"], name="东门平板", kind="counter")
    await issue_card(await kept_scope(town, made.token), town.people["张桂兰"])
    [line] = (await trail(await town.scope("赵丽"), verb="issue_card")).items
    assert (line.person, line.device_id, line.device) == ("周敏", made.id, "东门平板")


async def test_a_look_up_at_the_counter_is_written_down_without_what_was_typed(
    town: Town, owner: asyncpg.Connection
) -> None:
    last4 = await owner.fetchval("SELECT phone_last4 FROM person WHERE id = $1", town.people["张桂兰"])
    keeper = await town.scope("周敏")
    for digits, found in ((last4, 1), ("9876", 0)):
        assert len(await find_at_counter(keeper, "张桂兰", phone_last4=digits)) == found
    rows = await owner.fetch("SELECT noun_id, change::text FROM audit WHERE verb = 'look_up' ORDER BY id")
    assert [row["noun_id"] for row in rows] == [town.people["张桂兰"], None]
    assert [row["change"] for row in rows] == ['{"found": 1}', '{"found": 0}']


async def test_a_list_with_children_is_written_down_and_one_without_is_not(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    admin = await town.sign_in("赵丽")
    assert (await client.get(f"{API}/people", params={"q": "张桂兰"}, headers=admin)).status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'read_children'") == 0
    assert (await client.get(f"{API}/people", params={"q": "刘小雨"}, headers=admin)).status_code == 200
    change = await owner.fetchval("SELECT change::text FROM audit WHERE verb = 'read_children'")
    assert change == '{"list": "people", "children": 1}'


async def test_the_panel_shows_it_in_both_languages(town: Town, client: httpx.AsyncClient) -> None:
    await issue_card(await town.scope("周敏"), town.people["张桂兰"])
    admin = await browser(client, town, "赵丽")
    page = await admin.see("/admin/audit")
    assert "发了卡" in page
    assert "张桂兰" in page
    answer = await client.get(
        f"{API}/audit", params={"verb": "issue_card"},
        headers={**await town.sign_in("赵丽"), "Accept-Language": "en"},
    )  # fmt: skip
    assert [line["text"] for line in answer.json()["items"]] == ["Issued a card"]


async def test_a_day_before_every_id_has_an_empty_trail(town: Town, client: httpx.AsyncClient) -> None:
    admin = await town.sign_in("赵丽")
    await issue_card(await town.scope("赵丽"), town.people["王建国"])
    for day in ("0035-01-02", "1969-12-31"):
        answer = await client.get(f"{API}/audit", params={"until": day}, headers=admin)
        assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (await client.get(f"{API}/audit", headers=admin)).json()["items"]


async def test_an_act_is_found_by_words_of_its_reason_and_the_words_stand_in_no_address(
    town: Town, client: httpx.AsyncClient
) -> None:
    admin = await town.scope("赵丽")
    for name, reason in (("张桂兰", "扫错了 A3 门"), ("李秀英", "本人要求改")):
        await served(town, name, 60)
        [record] = (await list_records(await town.scope(name))).items
        await reverse_record(admin, record.id, reason)
    for words, about in (("扫错", ["张桂兰"]), ("a3 扫", ["张桂兰"]), ("要求", ["李秀英"]), ("扫错 要求", [])):
        assert [line.about for line in (await trail_by_reason(admin, words)).items] == about, words
    of_one = await trail_by_reason(admin, "扫错", about_id=town.people["李秀英"])
    assert (of_one.items, of_one.next) == ([], None)
    assert len((await trail_by_reason(admin, "扫错", verb="reverse_record", person_id=town.people["赵丽"])).items) == 1
    assert (await trail_by_reason(admin, "扫错", verb="issue_card")).items == []
    auditor = await browser(client, town, "孙伟")
    answer = await auditor.send("/admin/audit/search", reason="扫错")
    assert answer.status_code == 200
    assert "扫错了 A3 门" in answer.text
    assert "本人要求改" not in answer.text
    both = await auditor.send("/admin/audit/search", reason="要求", q="李秀英", part="about")
    assert "本人要求改" in both.text
    assert "没有找到操作记录" in (await auditor.send("/admin/audit/search", reason="没有写过的词")).text


async def test_who_is_chosen_of_several_of_one_name_keeps_the_words_of_the_reason_and_the_other_filters(
    town: Town, client: httpx.AsyncClient
) -> None:
    admin = await town.scope("赵丽")
    twin = await enrol(admin, Enrolment(name="张桂兰", phone="19900007777"))
    async with transaction(admin):
        for reason in ("扫错了", "别的事"):
            await audit.record(admin, "set_status", "person", twin, reason=reason)
    auditor = await browser(client, town, "孙伟")
    asked = {"reason": "扫错", "verb": "set_status", "since": "2026-01-01", "part": "about"}
    several = await auditor.send("/admin/audit/search", q="张桂兰", **asked)
    assert "是哪一位？" in several.text
    assert f'name="chosen" value="{twin}"' in several.text
    assert 'name="reason" maxlength="60" autocomplete="off" value="扫错"' in several.text
    chosen = await auditor.send("/admin/audit/search", chosen=twin, **asked)
    assert "扫错了" in chosen.text
    assert "别的事" not in chosen.text
    assert f'name="about_id" value="{twin}"' in chosen.text
    other = await auditor.send("/admin/audit/search", chosen=town.people["张桂兰"], **asked)
    assert "没有找到操作记录" in other.text


@pytest.mark.parametrize("name", ["周敏", "陈明", "张桂兰"])
async def test_who_may_not_read_the_trail_finds_no_reason_in_it(town: Town, name: str) -> None:
    with pytest.raises(Forbidden):
        await trail_by_reason(await town.scope(name), "扫错")


async def test_an_old_reason_is_reached_stretch_by_stretch(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five lines are looked through at a time: of the eleven the eighth and the last say it."""
    monkeypatch.setattr(reading, "LOOKED_MAX", 5)
    admin, began = await town.scope("赵丽"), clock.now()
    for number in range(11):
        with clock.at(began + timedelta(seconds=number)):
            async with transaction(admin):
                reason = "水管坏了" if number in (3, 10) else "别的"
                await audit.record(admin, "set_status", "person", town.people["张桂兰"], reason=reason)
    found, cursor, pages = [], None, 0
    while True:
        page = await trail_by_reason(admin, "水管", cursor=cursor)
        found += [line.at for line in page.items]
        pages += 1
        cursor = page.next
        if cursor is None:
            break
    assert pages == 3
    assert found == [began + timedelta(seconds=10), began + timedelta(seconds=3)]
    one = await trail_by_reason(admin, "别的", limit=2)
    rest = await trail_by_reason(admin, "别的", limit=2, cursor=one.next)
    assert [line.at for line in (*one.items, *rest.items)] == [began + timedelta(seconds=n) for n in (9, 8, 7, 6)]
