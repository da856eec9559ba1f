"""Who reports for the points: each test plays the cheat, and an honest neighbour beside them."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from tests.support.matters import BUILDING, LEADER, MEMBER, MORNING, Ground, let_reports_earn
from timebank.core import clock
from timebank.core.errors import Invalid
from timebank.matters.checks.drawing import draw_spot_checks, is_drawn
from timebank.matters.loop.refusals import ReportsWait
from timebank.matters.opening.opening import open_matter
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import OpenIn

ADMIN = "赵丽"


@pytest.fixture
async def earning(ground: Ground) -> Ground:
    await let_reports_earn(ground.town)
    return ground


async def flags(owner: asyncpg.Connection, matter_id: UUID) -> list[str]:
    found: list[str] = await owner.fetchval("SELECT flags FROM matter WHERE id = $1", matter_id)
    return found


async def deeds(owner: asyncpg.Connection, person_id: UUID) -> list[str]:
    found = await owner.fetch("SELECT status FROM deed WHERE person_id = $1 AND source_kind = 'matter'", person_id)
    return [row["status"] for row in found]


async def untrue(ground: Ground, times: int, name: str = "张国庆") -> None:
    for _each in range(times):
        matter = await ground.done(name=name)
        await ground.confirm(matter, verified="untrue")


async def test_reports_of_somebody_who_was_untrue_three_times_wait(earning: Ground, owner: asyncpg.Connection) -> None:
    await untrue(earning, 2)
    before = await earning.open("张国庆")
    await earning.dispatch(before.id)  # twice may be a mistake
    await untrue(earning, 1)
    waiting = await earning.open("张国庆")
    assert await flags(owner, waiting.id) == ["reports_wait"]
    with pytest.raises(ReportsWait):
        await earning.dispatch(waiting.id)
    with pytest.raises(Invalid):
        await earning.confirm(waiting.id, verified="untrue")
    assert (await earning.confirm(waiting.id)).why == "untrue_before"
    await earning.dispatch(waiting.id)
    await earning.take(waiting.id)
    await earning.finish(waiting.id)
    confirmed = await earning.confirm(waiting.id)
    assert (confirmed.award, confirmed.why, confirmed.matter.status) == (None, "untrue_before", "closed")
    assert await deeds(owner, earning.town.people["张国庆"]) == []
    neighbour = await earning.done()
    assert (await earning.confirm(neighbour)).award is not None


async def test_after_ninety_days_reports_count_again(earning: Ground, owner: asyncpg.Connection) -> None:
    await untrue(earning, 3)
    with clock.at(MORNING + timedelta(days=91)):
        assert await flags(owner, (await earning.open("张国庆")).id) == []


async def test_one_phone_that_reports_for_two_people_is_seen(earning: Ground, owner: asyncpg.Connection) -> None:
    """The second person's report is flagged, and what it earns is reviewed by somebody else than who confirms it."""

    async def report(name: str, phone: str) -> UUID:
        wanted = msgspec.convert(
            {"kind": "report", "category": "street_light", "area_id": earning.town.areas[BUILDING], "said": "灯坏了"},
            OpenIn,
        )
        return (await open_matter(await earning.town.scope(name), wanted, browser=phone)).id

    first, again = await report("张桂兰", "phone of a shop"), await report("张桂兰", "phone of a shop")
    second, other = await report("李秀英", "phone of a shop"), await report(LEADER, "another phone")
    assert [await flags(owner, each) for each in (first, again, second, other)] == [[], [], ["same_phone"], []]
    for matter in (second, other):
        await earning.dispatch(matter)
        await earning.take(matter)
        await earning.finish(matter)
        await earning.confirm(matter)
    assert await deeds(owner, earning.town.people["李秀英"]) == ["filed"]
    assert await deeds(owner, earning.town.people[LEADER]) == ["noticed"]


async def test_two_who_finish_what_the_other_reports_are_flagged(earning: Ground, owner: asyncpg.Connection) -> None:
    town = earning.town
    matters = []
    for number in range(4):
        reporter, helper = ((MEMBER, LEADER), (LEADER, MEMBER))[number % 2]
        matter = (await earning.open(reporter)).id
        await earning.dispatch(matter, person_id=town.people[helper])
        await earning.take(matter, by=helper)
        await earning.finish(matter, by=helper)
        matters.append(matter)
        if number < 3:
            await earning.confirm(matter, by=ADMIN)
            assert await flags(owner, matter) == []
    await earning.confirm(matters[-1], by=ADMIN)
    assert [await flags(owner, each) for each in matters] == [["same_pair"]] * 4
    assert sorted(await deeds(owner, town.people[LEADER])) == ["filed", "noticed"]
    seen = await find_matter(await town.scope(ADMIN), matters[-1])
    assert seen.flags == ["same_pair"]
    assert (await find_matter(await town.scope(LEADER), matters[0])).flags == []  # the flag is for who decides


async def test_many_orders_for_one_neighbour_are_flagged_for_the_review(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    """Up to the policy's number they are good neighbours."""
    for number in range(6):
        day = MORNING + timedelta(hours=number)
        with clock.at(day):
            matter = (await ground.open("李秀英", kind="order", category="repair", said="灯泡坏了")).id
            await ground.dispatch(matter, team_id=ground.team)
            await ground.take(matter, by=LEADER)
        with clock.at(day + timedelta(minutes=50)):
            times = {"started_at": day + timedelta(minutes=5), "ended_at": day + timedelta(minutes=45)}
            await ground.finish(matter, by=LEADER, **times)
            await ground.rate(matter, by="李秀英")
            await ground.confirm(matter)
    found = await owner.fetch(
        "SELECT flags FROM service_record WHERE source_kind = 'matter_helper' ORDER BY started_at"
    )
    assert ["same_pair" in row["flags"] for row in found] == [False] * 4 + [True] * 2


async def test_spot_checks_are_drawn_the_same_way_each_time(ground: Ground, owner: asyncpg.Connection) -> None:
    """About one in twenty, of what was finished on past days; a worker that did not run makes up for it."""
    drawn = [is_drawn(clock.local_day(), clock.new_id(), 5) for _each in range(4000)]
    assert 120 < sum(drawn) < 280
    await owner.execute(
        "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'spot_check_percent', 100, now())",
        ground.town.community,
    )
    matter = await ground.done()
    system = ground.town.system()
    assert await draw_spot_checks(system) == 0  # the day is not over
    with clock.at(MORNING + timedelta(days=3)):
        assert await draw_spot_checks(system) == 1
        assert await draw_spot_checks(system) == 0
    assert await owner.fetchval("SELECT noun_id FROM spot_check") == matter
