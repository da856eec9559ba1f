"""Rules that file deeds by themselves, and their own days of notice: what loosens them needs a second person."""

from datetime import timedelta
from typing import Any, get_args

import asyncpg
import httpx
import pytest

from tests.support.shop import browser
from tests.support.town import Town
from timebank.agreements.schemas import Waiting
from timebank.core import clock
from timebank.core.database import transaction
from timebank.core.locale import translate
from timebank.overview.agreements import decide_change
from timebank.policies.values import change_policy
from timebank.rules.catalogue import rules, set_rule
from timebank.rules.looser import _shortens_notice
from timebank.rules.schemas import RuleIn, RuleOut, Trigger
from timebank.rules.triggers import TRIGGERS, TriggerTaken, code_of_trigger
from timebank.rules.words import rule_in_words

PATROL: dict[str, Any] = {
    "kind": "deed", "code": "patrol", "name": "楼道卫生巡查", "points": 2, "unit": "每周一次", "cap_period": "week",
    "cap_per_person": 1, "cap_per_area": 5,
}  # fmt: skip


async def changed(town: Town, by: str = "赵丽", **other: Any) -> RuleOut | Waiting:
    return await set_rule(await town.scope(by), RuleIn(**PATROL | other))


@pytest.fixture
async def begun(town: Town) -> Town:
    """A town with a first credit, in which 楼道卫生巡查 is filed by kept turns and published for twenty days."""
    assert isinstance(await changed(town, trigger="turn_kept", notice_days=20), RuleOut)
    await town.credit_deed("张桂兰", 5)
    return town


@pytest.mark.parametrize(
    "looser",
    [
        {"trigger": "theme_kept", "notice_days": 20},
        {"trigger": "turn_kept", "notice_days": 20, "points": 3},  # no more than 调解 gives, but nobody reviews it
        {"trigger": "turn_kept", "notice_days": 19},
        {"trigger": "turn_kept"},  # the community's seven days
        {"trigger": "turn_kept", "notice_days": 20, "cap_per_person": 2},
        {"code": None, "name": "值日", "trigger": "pledge_kept"},
        {"code": None, "name": "值日", "notice_days": 7},  # it would stay when the community lengthens its own
    ],
)
async def test_what_files_more_or_is_published_for_less_waits_for_somebody_from_above(
    begun: Town, looser: dict[str, Any]
) -> None:
    assert isinstance(await changed(begun, **looser), Waiting)
    async with transaction(scope := begun.system()):
        assert await code_of_trigger(scope, "turn_kept") == "patrol"
        assert await code_of_trigger(scope, "pledge_kept") is None


@pytest.mark.parametrize(
    "tighter",
    [
        {"trigger": "turn_kept", "notice_days": 20},
        {"trigger": "turn_kept", "notice_days": 30, "points": 1},
        {"notice_days": 20},
        {"trigger": "turn_kept", "notice_days": 20, "active": False},
        {"code": None, "name": "值日", "notice_days": 8},
    ],
)
async def test_what_tightens_never_waits(begun: Town, tighter: dict[str, Any]) -> None:
    assert isinstance(await changed(begun, **tighter), RuleOut)


async def test_lowering_and_raising_again_does_not_get_round_the_second_person(begun: Town) -> None:
    assert isinstance(await changed(begun, trigger="turn_kept", notice_days=20, points=1), RuleOut)
    assert isinstance(await changed(begun, trigger="turn_kept", notice_days=20, points=2), Waiting)
    later = clock.now() + timedelta(days=30)
    assert isinstance(await changed(begun, notice_days=20, valid_from=later), RuleOut)
    assert isinstance(await changed(begun, trigger="turn_kept", notice_days=20), Waiting), "its end is planned already"


async def test_the_second_person_reads_what_will_be_filed(begun: Town, owner: asyncpg.Connection) -> None:
    waits = await changed(begun, name="楼道卫生巡查", trigger="turn_kept", notice_days=3)
    assert isinstance(waits, Waiting)
    kept = await owner.fetchval("SELECT change -> 'says' ->> 'earns' FROM waiting_change WHERE id = $1", waits.waiting)
    assert kept.endswith("值日到岗确认后自动登记，公示 3 天")
    await decide_change(await begun.scope("钱进"), waits.waiting, "agree", "")
    [patrol] = [r for r in (await rules(await begun.scope("张桂兰"))).items if r.code == "patrol"]
    assert (patrol.trigger, patrol.notice_days) == ("turn_kept", 3)


async def test_a_choice_before_the_first_credit_is_listed_for_somebody_from_above(
    town: Town, client: httpx.AsyncClient
) -> None:
    assert isinstance(await changed(town, trigger="turn_kept"), RuleOut)
    listed = (await client.get("/api/v1/agreements", headers=await town.sign_in("钱进"))).json()["items"]
    assert any("值日到岗确认后自动登记" in each["text"] for each in listed), listed


async def test_one_thing_is_filed_by_one_rule(begun: Town) -> None:
    with pytest.raises(TriggerTaken):
        await changed(begun, code=None, name="值日", trigger="turn_kept")
    await changed(begun, notice_days=20)
    free = await changed(begun, code=None, name="值日", trigger="turn_kept")
    assert isinstance(free, Waiting)


async def test_of_two_proposals_for_one_trigger_only_one_comes_into_force(begun: Town) -> None:
    first = await changed(begun, code=None, name="值日", trigger="pledge_kept")
    second = await changed(begun, code=None, name="守诺", trigger="pledge_kept")
    assert isinstance(first, Waiting)
    assert isinstance(second, Waiting)
    street = await begun.scope("钱进")
    await decide_change(street, first.waiting, "agree", "")
    with pytest.raises(TriggerTaken):
        await decide_change(street, second.waiting, "agree", "")


async def test_of_two_rules_set_at_the_same_moment_the_one_that_gives_less_counts(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE rule SET trigger = 'turn_kept' WHERE kind = 'deed'")
    async with transaction(scope := town.system()):
        assert await code_of_trigger(scope, "turn_kept") == "patrol"


@pytest.mark.parametrize("field", [{"trigger": "turn_kept"}, {"notice_days": 3}])
async def test_hours_are_never_filed_by_themselves(
    town: Town, client: httpx.AsyncClient, field: dict[str, object]
) -> None:
    hours = {"kind": "service", "code": "service", "name": "志愿服务", "minutes_per_point": 6} | field
    refused = await client.post("/api/v1/rules", json=hours, headers=await town.sign_in("赵丽"))
    assert (refused.status_code, refused.json()["code"]) == (422, "rule_of_deeds_only")
    unknown = {**PATROL, "trigger": "anything"}
    assert (await client.post("/api/v1/rules", json=unknown, headers=await town.sign_in("赵丽"))).status_code == 400


async def test_the_panel_shows_and_sets_what_is_filed_by_itself(town: Town, client: httpx.AsyncClient) -> None:
    admin = await browser(client, town, "赵丽")
    form = await admin.see("/admin/rules/patrol")
    assert all(word in form for word in TRIGGERS.values())
    wanted = {key: value for key, value in PATROL.items() if key not in ("kind", "code")}
    made = await admin.send("/admin/rules/patrol", **wanted, active="true", trigger="turn_kept", notice_days=10)
    assert made.status_code in (302, 303), made.text
    shown = await admin.see("/admin/rules/patrol")
    assert "值日到岗确认后自动登记，公示 10 天" in shown
    assert 'value="turn_kept" selected' in shown


def test_every_trigger_has_words_in_both_languages() -> None:
    assert set(TRIGGERS) == set(get_args(Trigger))
    rule = RuleOut(
        code="patrol", version=1, kind="deed", name="", minutes_per_point=None, points=2, unit=None, cap_period=None,
        cap_per_person=None, cap_per_area=None, active=True, valid_from=clock.now(), changed_by=None,
        trigger="turn_kept", notice_days=3,
    )  # fmt: skip
    assert rule_in_words(rule) == "每次 2 分，值日到岗确认后自动登记，公示 3 天"
    assert "filed when a turn of duty is confirmed" in rule_in_words(rule, "en")
    assert all(translate(word, "en") != word for word in TRIGGERS.values())


@pytest.mark.parametrize(
    ("wanted", "before", "usual", "shorter"),
    [
        (None, None, 7, False), (8, None, 7, False), (7, None, 7, True), (0, None, 7, True), (0, None, 0, True),
        (5, 5, 7, False), (4, 5, 7, True), (6, 5, 7, False), (None, 5, 7, False), (None, 8, 7, True),
        (None, 7, 7, False), (0, 0, 7, False),
    ],
)  # fmt: skip
def test_when_a_notice_counts_as_shorter(wanted: int | None, before: int | None, usual: int, shorter: bool) -> None:
    assert _shortens_notice(wanted, [before], usual) is shorter


async def test_a_longer_notice_of_the_community_holds_for_every_rule_without_days_of_its_own(begun: Town) -> None:
    await change_policy(await begun.scope("赵丽"), "notice_days", 21)
    assert isinstance(await changed(begun, trigger="turn_kept"), RuleOut), "twenty-one days are longer than twenty"
