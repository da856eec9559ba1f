"""Correcting where a matter is: the other grid has it from now on, and nobody gains by it."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matters.ground import add_grids
from tests.matters.pages import Pages
from tests.matters.test_wishes_at_the_station import GIVER, PARENT, taken
from tests.support.matters import BUILDING, CONTACT, GRID, GRID_HEAD, MORNING, Ground, grant, let_reports_earn
from tests.support.messages import messages_of
from tests.support.town import PHOENIX
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Role
from timebank.matters.checks.looking import spot_checks
from timebank.matters.figures.counting import count_matters
from timebank.matters.figures.reading import matter_figures
from timebank.matters.loop.placing import correct_area
from timebank.matters.loop.refusals import LeavesOwnGrid, MatterMovedOn, PartyToMatter, ReasonMissing
from timebank.matters.pages.timeline import timeline
from timebank.matters.reading.listing import list_matters
from timebank.matters.reading.one import find_matter
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import AreaIn, MattersAsked
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn

OTHER_HEAD = "周敏"
REASON = "在新修的那条路上"


@pytest.fixture
async def other(ground: Ground, owner: asyncpg.Connection) -> UUID:
    """A second grid with a head of its own."""
    [grid] = await add_grids(owner, ground.town.community, 1)
    await grant(owner, ground.town, OTHER_HEAD, Role.grid_head, area_id=grid)
    return grid


async def corrected(ground: Ground, matter: UUID, area: UUID, by: str = "赵丽") -> MatterOut:
    return await correct_area(await ground.scope(by), matter, AreaIn(area, REASON))


async def texts_to(ground: Ground, name: str) -> str:
    return "\n".join(each.text for each in await messages_of(ground.town, name))


async def by_grid(ground: Ground) -> dict[str, int]:
    """How many each grid has received, as the figures show it."""
    await count_matters(ground.town.system())
    day = clock.local_day(MORNING)
    found = await matter_figures(await ground.scope("赵丽"), "grid", day, day)
    return {row.name: row.received for row in found.rows if row.received}


async def test_the_other_grid_has_it_and_its_clock_goes_on(
    ground: Ground, owner: asyncpg.Connection, other: UUID
) -> None:
    matter = (await ground.open()).id
    before = await find_matter(await ground.scope("赵丽"), matter)
    assert await by_grid(ground) == {"第一网格": 1}
    with clock.at(MORNING + timedelta(hours=2)):
        after = await corrected(ground, matter, other)
        assert (after.status, after.level, after.area_id, after.grid) == ("received", "grid", other, "网格 1")
        assert (after.received_at, after.due_at, after.returns) == (before.received_at, before.due_at, 0)
        assert await by_grid(ground) == {"网格 1": 1}
        [line] = timeline(await find_matter(await ground.scope("张桂兰"), matter), "zh")[1:]
        assert (line.text, line.note) == ("网格从第一网格改成了网格 1", REASON)
        seen = await find_matter(await ground.scope(GRID_HEAD), matter)
        assert (seen.seen_as, seen.said) == ("public", None), "a neighbour like any other now"
        assert "dispatch" in (await find_matter(await ground.scope(OTHER_HEAD), matter)).may
        for name, word in ((GRID_HEAD, "不在您的网格"), (OTHER_HEAD, "改到了您这边"), ("张桂兰", "期限不变")):
            assert word in await texts_to(ground, name), name
    kept = await owner.fetchrow(
        "SELECT change ->> 'from_area' AS was, change ->> 'to_area' AS now FROM audit WHERE verb = 'correct_area'"
    )
    assert kept is not None
    assert (kept["was"], kept["now"]) == (str(ground.town.areas[BUILDING]), str(other))


async def test_what_neighbours_do_not_see_is_gone_for_the_first_grid(ground: Ground, other: UUID) -> None:
    matter = (await ground.open(category="security", said="半夜有人撬锁")).id
    await corrected(ground, matter, other)
    for name in (GRID_HEAD, "陈明"):
        with pytest.raises(NotFound):
            await find_matter(await ground.scope(name), matter)
        assert (await list_matters(await ground.scope(name), MattersAsked(open=True))).items == []


async def test_whoever_handles_it_keeps_it(ground: Ground, other: UUID) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter, by="赵丽", person_id=ground.town.people["陈明"])
    await ground.take(matter, by="陈明")
    after = await corrected(ground, matter, other)
    assert (after.status, after.assignee) == ("accepted", "陈明")
    assert "您承办的" in await texts_to(ground, "陈明")
    assert (await find_matter(await ground.scope("陈明"), matter)).said == "楼下的灯坏了"
    assert (await ground.finish(matter, by="陈明")).status == "done"
    with pytest.raises(Forbidden):
        await ground.confirm(matter, by=GRID_HEAD)
    assert (await ground.confirm(matter, by=OTHER_HEAD)).matter.status == "closed"


async def test_nobody_rids_their_own_grid_of_it(ground: Ground, owner: asyncpg.Connection, other: UUID) -> None:
    matter = (await ground.open()).id
    for name in (GRID_HEAD, "陈明", CONTACT, "张桂兰", "孙伟"):
        with pytest.raises((Forbidden, NotFound)):
            await corrected(ground, matter, other, by=name)
    await grant(owner, ground.town, "赵丽", Role.grid_worker, area_id=ground.town.areas[GRID])
    with pytest.raises(LeavesOwnGrid):  # the administrator works in that grid herself
        await corrected(ground, matter, other)
    assert (await corrected(ground, matter, other, by="钱进")).area_id == other


async def test_who_handles_or_reported_it_does_not_correct_it(ground: Ground, other: UUID) -> None:
    handled = (await ground.open()).id
    await ground.dispatch(handled, person_id=ground.town.people["赵丽"])
    await ground.take(handled, by="赵丽")
    with pytest.raises(PartyToMatter):
        await corrected(ground, handled, other)
    own = (await ground.open("赵丽")).id
    with pytest.raises(PartyToMatter):
        await corrected(ground, own, other)


async def test_the_head_of_the_other_grid_takes_it_before_it_is_dispatched(ground: Ground, other: UUID) -> None:
    matter, later, above = [(await ground.open(name)).id for name in ("张桂兰", "李秀英", "王建国")]
    assert (await corrected(ground, matter, other, by=OTHER_HEAD)).area_id == other
    await ground.dispatch(later)
    with pytest.raises(Forbidden):  # it would be in her figures, done by others
        await corrected(ground, later, other, by=OTHER_HEAD)
    for _each in range(2):
        await ground.dispatch(above, unit_id=next(iter(ground.units.values())))
        await ground.send_back(above)
    with pytest.raises(Forbidden):  # the community dispatches that one
        await corrected(ground, above, other, by=OTHER_HEAD)


async def test_a_grid_head_says_which_building_of_the_own_grid_it_is(ground: Ground, other: UUID) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    building = ground.town.areas[f"{PHOENIX}/第一网格/5栋"]
    after = await corrected(ground, matter, building, by=GRID_HEAD)
    assert (after.area, after.grid) == ("5栋", "第一网格")
    assert timeline(await find_matter(await ground.scope("张桂兰"), matter), "zh")[-1].text == "地点改正了"
    assert "您的网格" not in await texts_to(ground, GRID_HEAD)


async def test_after_it_is_done_it_stays_in_the_figures_where_it_was(ground: Ground, other: UUID) -> None:
    matter = await ground.done()
    with pytest.raises(MatterMovedOn):
        await corrected(ground, matter, other)
    await ground.rate(matter)
    with pytest.raises(MatterMovedOn):
        await corrected(ground, matter, other)
    refused = (await ground.open("李秀英")).id
    await ground.refuse(refused)
    with pytest.raises(MatterMovedOn):
        await corrected(ground, refused, other)


async def test_the_same_place_or_none_changes_nothing(ground: Ground, owner: asyncpg.Connection, other: UUID) -> None:
    matter = (await ground.open()).id
    with pytest.raises(ReasonMissing):
        await correct_area(await ground.scope("赵丽"), matter, AreaIn(other, " "))
    with pytest.raises(NotFound):
        await corrected(ground, matter, clock.new_id())
    with pytest.raises(NotFound):
        await corrected(ground, matter, ground.town.areas["龙泉社区/第一网格"])
    await corrected(ground, matter, ground.town.areas[BUILDING])
    assert await owner.fetchval("SELECT count(*) FROM matter_step WHERE verb = 'correct_area'") == 0


async def test_opened_again_elsewhere_it_earns_no_second_time(
    ground: Ground, owner: asyncpg.Connection, other: UUID
) -> None:
    """Neither in the other grid nor by the other rule of who heads a building there."""
    await let_reports_earn(ground.town)
    with clock.at(MORNING - timedelta(days=30)):
        for_heads = RuleIn(kind="deed", code="head_hazard", name="楼长上报", points=9, trigger="head_report_confirmed")
        await set_rule(await ground.town.scope("赵丽"), for_heads)
    await grant(owner, ground.town, "张桂兰", Role.building_head, area_id=other)
    matter = await ground.done()
    assert (await ground.confirm(matter)).award is not None
    await ground.reopen(matter)
    await corrected(ground, matter, other)
    await ground.take(matter)
    await ground.finish(matter)
    again = await ground.confirm(matter, by=OTHER_HEAD)
    assert (again.award, again.why) == (None, "twice")
    deeds = await owner.fetch("SELECT points, area_id FROM deed WHERE source_id = $1", matter)
    assert [(each["points"], each["area_id"]) for each in deeds] == [(5, ground.town.areas[BUILDING])]


async def test_what_was_drawn_to_be_looked_at_follows(ground: Ground, owner: asyncpg.Connection, other: UUID) -> None:
    matter = await ground.done()
    await ground.rate(matter)
    await owner.execute(
        "INSERT INTO spot_check (community_id, id, noun, noun_id, drawn_on, area_id) "
        "VALUES ($1, $2, 'matter', $3, $4, $5)",
        ground.town.community, clock.new_id(), matter, date(2026, 11, 18), ground.town.areas[BUILDING],
    )  # fmt: skip
    await ground.reopen(matter)
    await corrected(ground, matter, other)
    assert await spot_checks(await ground.scope(GRID_HEAD)) == []
    assert [one.matter.id for one in await spot_checks(await ground.scope(OTHER_HEAD))] == [matter]


async def test_corrected_and_dispatched_at_once_both_stand(
    ground: Ground, owner: asyncpg.Connection, other: UUID
) -> None:
    for _each in range(3):
        matter = (await ground.open(said=f"灯 {_each}")).id
        found = await asyncio.gather(
            corrected(ground, matter, other, by=OTHER_HEAD), ground.dispatch(matter), corrected(ground, matter, other),
            return_exceptions=True,
        )  # fmt: skip
        assert all(isinstance(one, MatterOut | TimebankError) for one in found), found
        row = await owner.fetchrow("SELECT area_id, unit_id FROM matter WHERE id = $1", matter)
        steps = [
            each["verb"]
            for each in await owner.fetch("SELECT verb FROM matter_step WHERE matter_id = $1 ORDER BY id", matter)
        ]
        assert row is not None
        assert row["area_id"] == other
        assert steps.count("correct_area") == 1
        assert (row["unit_id"] is not None) == ("dispatch" in steps)


async def test_over_the_panel_and_the_phone_of_a_grid_head(
    ground: Ground, client: httpx.AsyncClient, other: UUID
) -> None:
    matter = (await ground.open()).id
    panel = await Pages.of(client, ground.town, "赵丽")
    form = await panel.get(f"/admin/matters/{matter}?act=correct_area")
    assert "到底在哪里" in form
    assert str(other) in form
    at = f"/admin/matters/{matter}/correct_area"
    assert "原因" in await panel.refused(at, 422, area_id=other, reason="")
    await panel.post(at, area_id=other, reason=REASON)
    assert "网格 1" in await panel.get(f"/admin/matters/{matter}?done=correct_area")
    phone = await Pages.of(client, ground.town, OTHER_HEAD)
    await phone.get(f"/worker/matters/{matter}?act=correct_area")
    building = ground.town.areas[BUILDING]
    refused = await phone.refused(f"/worker/matters/{matter}/correct_area", 403, area_id=building, reason=REASON)
    assert refused
    assert (await find_matter(await ground.scope("赵丽"), matter)).area_id == other


async def test_who_brings_a_gift_does_not_learn_whose_door_it_is(ground: Ground, other: UUID) -> None:
    matter = await taken(ground)
    await corrected(ground, matter, other)
    steps = (await find_matter(await ground.scope(GIVER), matter)).steps
    [step] = [one for one in steps if one.verb == "correct_area"]
    assert (step.note, step.grid, step.from_grid) == (None, None, None)
    assert REASON not in await texts_to(ground, GIVER)
    assert REASON in await texts_to(ground, PARENT)


async def test_a_handler_hears_where_it_is_but_not_why(ground: Ground, other: UUID) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    await corrected(ground, matter, other)
    heard = await texts_to(ground, CONTACT)
    assert "改成了网格 1" in heard
    assert REASON not in heard
