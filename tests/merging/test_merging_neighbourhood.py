"""Two records of one person who have both reported in, joined a team, offered a skill, helped and followed."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.merging.test_merging import TWIN, clean, merged, twin
from tests.support.matters import LEADER, MORNING, Ground, matters_ground
from tests.support.town import SPRING as ELSEWHERE
from tests.support.town import Town, _insert
from tests.support.units import Units, add_units, reported
from timebank.core import clock
from timebank.merging.undoing import undo_merge
from timebank.overview.units.summary import unit_summary
from timebank.teams.free_times import set_free_times
from timebank.teams.helpers import find_helpers
from timebank.teams.members import join_team, leave_team, team_members
from timebank.teams.schemas import FreeTime, MemberIn, OfferIn, SkillIn, TeamIn
from timebank.teams.skills import add_skill, offer_skill, offers_of_skill, see_proof
from timebank.teams.teams import found_team
from timebank.units.affiliations import affiliations_of, leave_unit, report_in, reported_in
from timebank.units.schemas import AffiliationIn

WINTER, SPRING, SUMMER = date(2026, 1, 5), date(2026, 3, 2), date(2026, 6, 1)


@pytest.fixture
async def units(town: Town, owner: asyncpg.Connection) -> AsyncIterator[Units]:
    with clock.at(MORNING):
        made = await add_units(owner, town)
        await twin(town, owner, points=0)
        yield made


async def both(town: Town, owner: asyncpg.Connection, kept: tuple[UUID, date], other: tuple[UUID, date]) -> None:
    """Report the two records in, each from a unit since a day."""
    for name, (unit, since) in (("张桂兰", kept), (TWIN, other)):
        await reported(owner, town.community, unit, name, since=since, person=town.people[name])


async def terms(town: Town, name: str) -> list[tuple[str, date, date | None]]:
    found = await affiliations_of(await town.scope("赵丽"), town.people[name])
    return [(one.unit_name, one.reported_on, one.ended_on) for one in found]


async def rows(owner: asyncpg.Connection, *tables: str) -> list[Any]:
    return [await owner.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") for table in tables]  # from below


@pytest.mark.parametrize("later", ["kept", "merged"])
async def test_of_two_units_the_later_one_goes_on_and_the_earlier_ends_as_it_began(
    town: Town, units: Units, owner: asyncpg.Connection, later: str
) -> None:
    kept, other = (units.tax, WINTER), (units.power, SPRING)
    await both(town, owner, *((kept, other) if later == "merged" else (other, kept)))
    before = await rows(owner, "affiliation")
    done = await merged(town)
    assert await terms(town, "张桂兰") == [("供电公司", SPRING, None), ("县税务局", WINTER, SPRING)]
    assert await terms(town, TWIN) == []
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert await rows(owner, "affiliation") == before


@pytest.mark.parametrize("earlier", ["kept", "merged"])
async def test_of_one_unit_twice_there_is_one_since_the_earlier_day(
    town: Town, units: Units, owner: asyncpg.Connection, earlier: str
) -> None:
    early, late = (units.tax, WINTER), (units.tax, SPRING)
    await both(town, owner, *((early, late) if earlier == "kept" else (late, early)))
    before = await rows(owner, "affiliation")
    done = await merged(town)
    assert await terms(town, "张桂兰") == [("县税务局", WINTER, None)]
    scope = await town.scope("赵丽")
    assert [one.reported_on for one in (await reported_in(scope, units.tax)).items] == [WINTER]
    shown = await unit_summary(scope, units.tax, WINTER, SUMMER)
    assert shown.reported == 1
    await undo_merge(scope, done.kept_id, done.id)
    assert await rows(owner, "affiliation") == before


async def test_what_others_have_reported_and_taken_stays_theirs(town: Town, owner: asyncpg.Connection) -> None:
    """The kept record has neither reported in nor helped; a neighbour and somebody of another community have."""
    with clock.at(MORNING):
        ground = await matters_ground(town, owner)
        units = await add_units(owner, town)
        await twin(town, owner, points=0)
        for name in ("王建国", "陈明"):
            await reported(owner, town.community, units.tax, name, since=WINTER, person=town.people[name])
        await reported(owner, town.communities[ELSEWHERE], units.tax, "何静", since=WINTER, person=town.people["何静"])
        matter = (await ground.open("陈明")).id
        await _insert(
            owner, "matter_helper", community_id=town.community, id=clock.new_id(), matter_id=matter,
            person_id=town.people["王建国"], took_at=clock.now(),
        )  # fmt: skip
        before = await rows(owner, "affiliation", "matter_helper")
        done = await merged(town)
        assert await rows(owner, "affiliation", "matter_helper") == before
        await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
        assert await rows(owner, "affiliation", "matter_helper") == before


async def test_a_unit_between_is_not_overlapped(town: Town, units: Units, owner: asyncpg.Connection) -> None:
    await reported(
        owner, town.community, units.power, "张桂兰", since=WINTER, until=SPRING, person=town.people["张桂兰"]
    )
    await both(town, owner, (units.tax, SUMMER), (units.tax, date(2026, 2, 1)))
    await merged(town)
    assert await terms(town, "张桂兰") == [("县税务局", SPRING, None), ("供电公司", WINTER, SPRING)]


async def test_who_reported_in_anew_after_the_merge_has_one_unit_after_its_undoing(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    await both(town, owner, (units.tax, WINTER), (units.power, SPRING))
    done, own = await merged(town), await town.scope("张桂兰")
    [going_on] = [one for one in await affiliations_of(own, done.kept_id) if one.ended_on is None]
    await leave_unit(own, going_on.id)
    await report_in(own, AffiliationIn(done.kept_id, units.power))
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    open_ = await owner.fetch("SELECT person_id, unit_id FROM affiliation WHERE ended_on IS NULL")
    assert [(one["person_id"], one["unit_id"]) for one in open_] == [(done.kept_id, units.power)]
    assert (await terms(town, TWIN))[0][:2] == ("供电公司", SPRING)


@pytest.mark.parametrize("kept_was", ["asked", "left", "member"])
async def test_who_belongs_to_a_team_by_either_record_belongs_to_it_once(
    town: Town, units: Units, owner: asyncpg.Connection, kept_was: str
) -> None:
    scope, mine = await town.scope("赵丽"), town.people["张桂兰"]
    team = await found_team(scope, TeamIn(name="护学队", kind="escort"))
    if kept_was == "asked":
        await join_team(await town.scope("张桂兰"), team.id, MemberIn(mine))
    else:
        await join_team(scope, team.id, MemberIn(mine))
    if kept_was == "left":
        await leave_team(scope, team.id, mine)
    await join_team(scope, team.id, MemberIn(town.people[TWIN], leads=True))
    before = await rows(owner, "team_member")
    done = await merged(town)
    members = await team_members(scope, team.id)
    assert [(one.person_id, one.leads, one.pending) for one in members] == [(mine, True, False)]
    await undo_merge(scope, done.kept_id, done.id)
    assert await rows(owner, "team_member") == before


async def test_a_proof_that_was_seen_for_either_record_counts_and_free_times_come_along(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    scope, own = await town.scope("赵丽"), await town.scope("张桂兰")
    skill = await add_skill(scope, SkillIn(name="量血压", kind="health", needs_proof=True))
    await offer_skill(own, skill.id, OfferIn(findable=True))
    await _insert(
        owner, "person_skill", community_id=town.community, id=clock.new_id(), person_id=town.people[TWIN],
        skill_id=skill.id, note="", findable=False, offered_at=clock.now(),
    )  # fmt: skip
    await see_proof(scope, town.people[TWIN], skill.id, date(2027, 1, 1))
    for part in ("morning", "evening"):
        await _insert(
            owner, "free_time", community_id=town.community, person_id=town.people[TWIN], weekday=3, part=part
        )
    before = await rows(owner, "person_skill", "free_time")
    done = await merged(town)
    [offer] = (await offers_of_skill(scope, skill.id)).items
    assert (offer.person_id, offer.proof, offer.findable) == (done.kept_id, True, True)
    at = datetime(2026, 11, 25, 1, tzinfo=UTC)  # Wednesday, nine o'clock
    assert [(one.proof, one.free) for one in await find_helpers(scope, skill.id, at=at)] == [(True, True)]
    await undo_merge(scope, done.kept_id, done.id)
    assert await rows(owner, "person_skill", "free_time") == before
    await set_free_times(own, [FreeTime(1, "morning")])
    await merged(town)
    kept = await owner.fetch("SELECT weekday FROM free_time WHERE person_id = $1", done.kept_id)
    assert [one["weekday"] for one in kept] == [1], "what the kept record says itself stays as it is"


async def test_one_person_helps_and_follows_once(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        ground: Ground = await matters_ground(town, owner)
        gone, mine = await twin(town, owner, points=0), town.people["张桂兰"]
        own = (await ground.open("张桂兰", said="自己反映的")).id
        other = (await ground.open("陈明", said="别人反映的")).id
        order = (await ground.open(LEADER, said="也是别人的")).id
        now = clock.now()
        for matter, people in ((own, [gone]), (other, [mine, gone])):
            for person in people:
                await _insert(
                    owner, "matter_follow", community_id=town.community, id=clock.new_id(), matter_id=matter,
                    person_id=person, kind="same", at=now,
                )  # fmt: skip
            await owner.execute("UPDATE matter SET followers = $2 WHERE id = $1", matter, len(people))
        for person in (mine, gone):
            await _insert(
                owner, "matter_helper", community_id=town.community, id=clock.new_id(), matter_id=order,
                person_id=person, took_at=now,
            )  # fmt: skip
        before = await rows(owner, "matter", "matter_helper")
        follows = await owner.fetch("SELECT matter_id, person_id, kind, at FROM matter_follow ORDER BY 1, 2")
        done = await merged(town)
        followers = await owner.fetch("SELECT id, followers FROM matter ORDER BY received_at, id")
        assert {one["id"]: one["followers"] for one in followers} == {own: 0, other: 1, order: 0}
        assert await owner.fetchval("SELECT array_agg(person_id) FROM matter_follow") == [mine]
        helps = await owner.fetch("SELECT person_id FROM matter_helper WHERE left_at IS NULL")
        assert [one["person_id"] for one in helps] == [mine]
        await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
        assert await rows(owner, "matter", "matter_helper") == before
        back = await owner.fetch("SELECT matter_id, person_id, kind, at FROM matter_follow ORDER BY 1, 2")
        assert back == follows
        await clean(town, owner)
