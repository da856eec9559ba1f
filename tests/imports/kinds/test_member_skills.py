"""What a list of members says that people can do: known skills are entered, and nobody is found by them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from tests.imports.kinds.test_members import book, codes, take_in
from tests.support.town import Town
from tests.support.units import Units, add_units
from timebank.core import clock
from timebank.imports.kinds.members.skills_named import Choices, skills_in
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.policies.values import change_policy
from timebank.teams.helpers import find_helpers
from timebank.teams.importing import Choice
from timebank.teams.members import join_team
from timebank.teams.schemas import MemberIn, OfferIn, SkillChange, SkillIn, TeamIn
from timebank.teams.skills import add_skill, change_skill, offer_skill, withdraw_skill
from timebank.teams.teams import found_team

HEADS = ["单位", "姓名", "手机", "报到日期", "技能特长", "所属班组"]
KNOWN = ("水电维修", "量血压", "PPT 制作", "理发")


@pytest.fixture
async def units(town: Town, owner: asyncpg.Connection) -> Units:
    made = await add_units(owner, town)
    scope = await town.scope("赵丽")
    for name in KNOWN:
        await add_skill(scope, SkillIn(name=name, kind="other", needs_proof=name == "量血压"))
    return made


def row(town: Town, name: str, skill: str = "", team: str = "", phone: str = "") -> list[object]:
    return ["县税务局", name, phone or town.phones.get(name, ""), "2026-03-02", skill, team]


async def hand_in(town: Town, *rows: Sequence[object]) -> Report:
    return await take_in(town, book(("名册", [HEADS, *rows])))


async def held(owner: asyncpg.Connection) -> list[tuple[str, str, bool, bool]]:
    """Who offers what, whether they are found by it, and whether a proof was seen."""
    found = await owner.fetch(
        "SELECT p.name, s.name AS skill, o.findable, o.proof_seen_at IS NOT NULL AS seen FROM person_skill o "
        "JOIN person p ON p.id = o.person_id JOIN skill s ON s.id = o.skill_id WHERE o.withdrawn_at IS NULL "
        "ORDER BY p.name, s.name"
    )
    return [tuple(one) for one in found]


async def skill_of(owner: asyncpg.Connection, name: str) -> UUID:
    found: UUID = await owner.fetchval("SELECT id FROM skill WHERE name = $1", name)
    return UUID(bytes=found.bytes)


async def test_known_skills_are_entered_and_found_by_nobody_and_the_other_words_are_told(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    await change_skill(scope, await skill_of(owner, "理发"), SkillChange(active=False))
    rows = [
        row(town, "张桂兰", "水电 维修、量血压"),
        row(town, "王建国", "ＰＰＴ制作；唢呐/理发"),
        row(town, "郑凯", "水电维修 PPT 制作", phone="19900008801"),
        row(town, "何晨", "无", phone="19900008802"),
    ]
    done = await hand_in(town, *rows)
    assert (done.created, codes(done)) == (4, {})
    assert await held(owner) == [
        ("张桂兰", "水电维修", False, False), ("张桂兰", "量血压", False, False),
        ("王建国", "PPT 制作", False, False), ("郑凯", "PPT 制作", False, False), ("郑凯", "水电维修", False, False),
    ]  # fmt: skip
    told = [(odd.row, odd.code, odd.value) for odd in done.warnings]
    assert told == [(3, "skill_not_listed", "PPT制作;唢呐/理发"), (3, "skill_off_list", "PPT制作;唢呐/理发")]
    assert "“唢呐”" in done.warnings[0].problem
    assert any(note.startswith("按表登记 5 项技能") for note in done.notes)
    assert await find_helpers(scope, await skill_of(owner, "水电维修")) == []
    messages = await owner.fetch(
        "SELECT (said->>'count')::integer AS count FROM message WHERE sentence = 'skill_entered'"
    )
    assert sorted(one["count"] for one in messages) == [1, 2, 2]
    again = await hand_in(town, *rows)
    assert (again.outcome, again.created) == ("unchanged", 0)

    await add_skill(scope, SkillIn(name="唢呐", kind="other"))
    added = await hand_in(town, *rows)
    assert (added.outcome, added.created, [odd.code for odd in added.warnings]) == ("imported", 1, ["skill_off_list"])
    assert ("王建国", "唢呐", False, False) in await held(owner)
    assert await owner.fetchval("SELECT count(*) FROM affiliation") == 4


async def test_what_somebody_has_said_themselves_stays_as_they_said_it(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    own, repair, hair = await town.scope("张桂兰"), await skill_of(owner, "水电维修"), await skill_of(owner, "理发")
    await offer_skill(own, repair, OfferIn(note="水龙头", findable=True))
    await offer_skill(own, hair, OfferIn(findable=True))
    await withdraw_skill(own, hair)
    before = await owner.fetch("SELECT * FROM person_skill ORDER BY id")
    done = await hand_in(town, row(town, "张桂兰", "水电维修,理发"))
    assert [odd.code for odd in done.warnings] == ["skill_withdrawn"]
    assert await owner.fetch("SELECT * FROM person_skill ORDER BY id") == before
    assert [one.name for one in await find_helpers(await town.scope("赵丽"), repair)] == ["张桂兰"]


async def test_taking_a_list_back_takes_what_it_entered_and_nothing_else(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    scope, repair = await town.scope("赵丽"), await skill_of(owner, "水电维修")
    await offer_skill(await town.scope("张桂兰"), repair, OfferIn(findable=True))
    people = await owner.fetchval("SELECT count(*) FROM person")
    rows = [row(town, "张桂兰", "水电维修、理发"), row(town, "郑凯", "理发", phone="19900008801")]
    first = await hand_in(town, *rows)
    assert first.run_id is not None
    await undo(scope, first.run_id)
    assert await held(owner) == [("张桂兰", "水电维修", True, False)]
    assert await owner.fetchval("SELECT count(*) FROM person") == people
    assert await owner.fetchval("SELECT count(*) FROM affiliation") == 0
    told = await owner.fetch("SELECT sentence FROM message WHERE sentence LIKE 'skill_entered%' ORDER BY sentence")
    assert [one["sentence"] for one in told] == ["skill_entered", "skill_entered.undone"], "only to who stays"
    second = await hand_in(town, *rows)
    assert (second.created, second.errors) == (2, [])
    assert second.run_id is not None
    await offer_skill(await town.scope("张桂兰"), await skill_of(owner, "理发"), OfferIn(findable=True))
    with pytest.raises(ImportUsed) as used:
        await undo(scope, second.run_id)
    assert used.value.reasons() == ["张桂兰的技能后来由本人改过，或看过证件"]


async def test_a_team_in_a_list_joins_nobody_and_the_report_names_it(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    team = await found_team(await town.scope("赵丽"), TeamIn(name="护学队", kind="escort"))
    await join_team(await town.scope("赵丽"), team.id, MemberIn(town.people["王建国"]))
    done = await hand_in(
        town,
        row(town, "张桂兰", team="护学队、合唱队"),
        row(town, "王建国", team="护学队"),
        row(town, "刘洋", team="-"),
    )  # fmt: skip
    assert {(odd.row, odd.code) for odd in done.warnings} == {(2, "team_not_joined"), (2, "team_not_listed")}
    assert {odd.value for odd in done.warnings} == {"护学队、合唱队"}
    assert await owner.fetchval("SELECT count(*) FROM team_member") == 1


async def test_where_teams_are_not_used_the_words_are_noted_and_people_report_in(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    await change_policy(await town.scope("赵丽"), "uses_teams", 0)
    content = book(("名册", [HEADS, row(town, "张桂兰", "水电维修")]))
    report = await import_file(await town.scope("赵丽"), "members", "报到.xlsx", content, skip_bad=True, language="en")
    assert report.created == 1
    assert any("does not use teams and skills: 1" in note for note in report.notes)
    assert await held(owner) == []


@pytest.mark.parametrize(
    ("text", "known", "wrong"),
    [
        ("水电维修", ["水电维修"], []), ("水电　维修", ["水电维修"], []), ("PPT制作/理发", ["PPT 制作", "理发"], []),
        ("PPT 制作 理发 水电 维修", ["PPT 制作", "理发", "水电维修"], []), ("理发，理发", ["理发"], []),
        ("理发、", ["理发"], []), ("量血糖", [], ["skill_not_listed_alike"]), ("开锁", [], ["skill_not_listed"]),
        ("19900001234", [], ["skill_not_listed"]),
    ],
)  # fmt: skip
def test_names_may_have_spaces_and_stand_between_spaces(text: str, known: list[str], wrong: list[str]) -> None:
    all_ = {clock.new_id(): name for name in KNOWN}
    found, odd = skills_in(Choices([Choice(id_, name, True) for id_, name in all_.items()]), text)
    assert [all_[one] for one in found] == known
    assert [one.code for one in odd] == wrong
    assert not any("19900001234" in str(one.values) for one in odd)
