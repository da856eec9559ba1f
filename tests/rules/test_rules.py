"""Rules for what a deed or an hour earns: versions, wording, and who may change them."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from tests.support.town import Town
from timebank.core import clock
from timebank.rules import catalogue
from timebank.rules.catalogue import RuleChangedMeanwhile, RuleNotFound
from timebank.rules.schemas import RuleIn, RuleOut

SERVICE = {"kind": "service", "code": "service", "name": "志愿服务", "minutes_per_point": 10}


async def test_a_visitor_sees_no_rules_and_a_resident_reads_them_in_words(
    town: Town, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/api/v1/rules")).status_code == 401
    answer = await client.get("/api/v1/rules", headers=await town.sign_in("张桂兰"))
    assert answer.status_code == 200
    texts = {rule["code"]: rule["text"] for rule in answer.json()["items"]}
    assert texts == {
        "mediation": "每件 10 分，每人每周最多 3 次，每楼或单元每周最多 5 次",
        "patrol": "每周一次 2 分，每人每周最多 1 次，每楼或单元每周最多 5 次",
        "service": "6 分钟 = 1 分",
    }


async def test_only_an_admin_changes_a_rule(town: Town, client: httpx.AsyncClient) -> None:
    for name in ("张桂兰", "周敏", "孙伟", "何静"):
        headers = await town.sign_in(name) | {"X-Community-Id": str(town.home[name])}
        refused = await client.post("/api/v1/rules", json=SERVICE, headers=headers)
        assert refused.status_code == (201 if name == "何静" else 403), name
    kept = await client.get("/api/v1/rules", headers=await town.sign_in("张桂兰"))
    assert {rule["version"] for rule in kept.json()["items"]} == {1}, "another community's change is not ours"


async def test_a_change_is_a_new_version_and_the_past_keeps_its_own(town: Town, client: httpx.AsyncClient) -> None:
    before = clock.now()
    made = await client.post("/api/v1/rules", json=SERVICE, headers=await town.sign_in("赵丽"))
    assert (made.status_code, made.json()["version"], made.json()["text"]) == (201, 2, "10 分钟 = 1 分")
    scope = await town.scope("张桂兰")
    assert (await catalogue.rule_at(scope, "service", before)).minutes_per_point == 6
    assert (await catalogue.rule_at(scope, "service", clock.now())).minutes_per_point == 10


async def test_a_change_announced_for_tomorrow_waits_until_then(town: Town) -> None:
    admin, tomorrow = await town.scope("赵丽"), clock.now() + timedelta(days=1)
    await catalogue.set_rule(
        admin, RuleIn(kind="service", name="志愿服务", code="service", minutes_per_point=12, valid_from=tomorrow)
    )
    assert (await catalogue.rule_at(admin, "service", clock.now())).version == 1
    assert (await catalogue.rule_at(admin, "service", tomorrow)).version == 2


async def test_an_ended_rule_takes_nothing_new(town: Town) -> None:
    admin = await town.scope("赵丽")
    await catalogue.set_rule(admin, RuleIn(kind="deed", name="调解邻里纠纷", code="mediation", points=10, active=False))
    with pytest.raises(RuleNotFound):
        await catalogue.usable_rule(admin, "mediation", "deed")
    assert (await catalogue.rule_at(admin, "mediation", clock.now())).points == 10


async def test_a_rule_without_a_code_gets_one_from_its_name(town: Town) -> None:
    admin = await town.scope("赵丽")
    first = await catalogue.set_rule(admin, RuleIn(kind="deed", name="楼道巡查", points=3))
    second = await catalogue.set_rule(admin, RuleIn(kind="deed", name="楼道巡查", points=4))
    assert isinstance(first, RuleOut)
    assert isinstance(second, RuleOut)
    assert (first.code, second.code) == ("lou-dao-xun-cha", "lou-dao-xun-cha-2")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "service", "name": "甲"}, 422, "rule_incomplete"),
        ({"kind": "deed", "name": "甲", "points": 3, "minutes_per_point": 6}, 422, "rule_incomplete"),
        ({"kind": "deed", "code": "service", "name": "甲", "points": 3}, 422, "rule_kind_fixed"),
        ({"kind": "deed", "name": "甲", "points": 3, "valid_from": "2020-01-01T00:00:00Z"}, 422, "rule_too_early"),
        ({"kind": "deed", "name": "  ", "points": 3}, 422, "invalid"),
        ({"kind": "deed", "name": "甲\u0000", "points": 3}, 400, "bad_request"),
        ({"kind": "deed", "name": "甲" * 61, "points": 3}, 400, "bad_request"),
        ({"kind": "deed", "name": "甲", "points": 10**12}, 400, "bad_request"),
        ({"kind": "fine", "name": "甲", "points": 3}, 400, "bad_request"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_in_words(
    town: Town, client: httpx.AsyncClient, body: dict[str, object], status: int, code: str
) -> None:
    refused = await client.post("/api/v1/rules", json=body, headers=await town.sign_in("赵丽"))
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_two_changes_at_once_make_one_version_each_or_a_refusal(town: Town) -> None:
    admin = await town.scope("赵丽")
    wanted = RuleIn(kind="service", name="志愿服务", code="service", minutes_per_point=5)
    results = await asyncio.gather(*(catalogue.set_rule(admin, wanted) for _ in range(10)), return_exceptions=True)
    refused = [r for r in results if isinstance(r, BaseException)]
    assert all(isinstance(r, RuleChangedMeanwhile) for r in refused)
    versions = [rule.version for rule in await catalogue.versions(admin, "service")]
    assert versions == list(range(10 - len(refused) + 1, 0, -1))


async def test_rules_come_in_pages_that_link_to_the_next(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("张桂兰")
    codes, address = [], "/api/v1/rules?limit=1&kind=deed"
    while address:
        answer = await client.get(address, headers=headers)
        codes += [rule["code"] for rule in answer.json()["items"]]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert codes == ["mediation", "patrol"]


async def test_the_versions_of_an_unknown_rule_are_not_found(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("马涛")
    assert (await client.get("/api/v1/rules/mediation/versions", headers=headers)).status_code == 200
    assert (await client.get("/api/v1/rules/nothing/versions", headers=headers)).status_code == 404
