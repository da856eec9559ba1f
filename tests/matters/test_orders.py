"""Orders and wishes: hours for who helped, after the word of who was served; and nobody helps themselves."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.support.matters import CONTACT, GRID_HEAD, LEADER, MEMBER, MORNING, Ground, grant
from timebank.core import clock
from timebank.core.errors import Forbidden, Invalid, NotFound
from timebank.core.scope import Role
from timebank.matters.loop.refusals import NotVetted, OwnOrder, ServedNotAsked
from timebank.matters.opening.openers import WishTooDear
from timebank.matters.reading.one import find_matter
from timebank.people.guardianship.guardians import NotGuardian

FROM, TO = MORNING + timedelta(hours=2), MORNING + timedelta(hours=2, minutes=50)
LATER = MORNING + timedelta(hours=5)


async def order(ground: Ground, name: str = "李秀英", **more: object) -> UUID:
    wanted = {"kind": "order", "category": "repair", "said": "灯泡坏了"} | more
    return (await ground.open(name, **wanted)).id


async def helped(ground: Ground, matter: UUID, *helpers: str) -> None:
    """The team takes the order and finishes it after fifty minutes."""
    await ground.dispatch(matter, team_id=ground.team, people_wanted=len(helpers))
    for name in helpers:
        await ground.take(matter, by=name)
    with clock.at(LATER):
        await ground.finish(matter, by=helpers[0], started_at=FROM, ended_at=TO)


async def records(owner: asyncpg.Connection, name: UUID) -> list[tuple[int, str]]:
    found = await owner.fetch(
        "SELECT minutes, status FROM service_record WHERE person_id = $1 AND source_kind = 'matter_helper' "
        "ORDER BY created_at, id", name,
    )  # fmt: skip
    return [(each["minutes"], each["status"]) for each in found]


async def test_an_order_becomes_minutes_that_wait_for_a_review(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await order(ground)
    await helped(ground, matter, LEADER)
    with clock.at(LATER):
        with pytest.raises(ServedNotAsked):
            await ground.confirm(matter)
        await ground.rate(matter, by="李秀英")
        confirmed = await ground.confirm(matter)
    assert len(confirmed.records) == 1
    assert await records(owner, ground.town.people[LEADER]) == [(50, "pending")]


async def test_two_helpers_have_a_record_each(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await order(ground, people_wanted=2)
    await helped(ground, matter, LEADER, MEMBER)
    with clock.at(LATER):
        await ground.rate(matter, by="李秀英")
        assert len((await ground.confirm(matter)).records) == 2
        assert (await ground.confirm(matter)).records == []
    for name in (LEADER, MEMBER):
        assert await records(owner, ground.town.people[name]) == [(50, "pending")]


async def test_no_more_than_the_minutes_of_the_category_count(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await order(ground, category="meals")
    await ground.dispatch(matter, team_id=ground.team)
    await ground.take(matter, by=LEADER)
    with clock.at(LATER):
        await ground.finish(matter, by=LEADER, started_at=FROM, ended_at=FROM + timedelta(hours=3))
        await ground.rate(matter, by="李秀英")
        await ground.confirm(matter)
    assert await records(owner, ground.town.people[LEADER]) == [(60, "pending")]


@pytest.mark.parametrize(
    ("began", "ended"),
    [(FROM, FROM), (TO, FROM), (FROM, LATER + timedelta(hours=1)), (MORNING - timedelta(hours=3), MORNING)],
)
async def test_hours_that_cannot_be_are_refused(ground: Ground, began: object, ended: object) -> None:
    matter = await order(ground)
    await ground.dispatch(matter, team_id=ground.team)
    await ground.take(matter, by=LEADER)
    with clock.at(LATER), pytest.raises(Invalid):
        await ground.finish(matter, by=LEADER, started_at=began, ended_at=ended)


async def test_hours_are_withdrawn_when_it_was_not_solved_and_counted_anew_after_the_second_time(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    matter = await order(ground)
    await helped(ground, matter, LEADER)
    with clock.at(LATER):
        await ground.rate(matter, by="李秀英")
        await ground.confirm(matter)
        await ground.reopen(matter, by="李秀英")
        assert await records(owner, ground.town.people[LEADER]) == [(50, "rejected")]
        await ground.take(matter, by=LEADER)
    with clock.at(LATER + timedelta(hours=1)):
        await ground.finish(matter, by=LEADER, started_at=LATER, ended_at=LATER + timedelta(minutes=30))
        await ground.rate(matter, by="李秀英")
        await ground.confirm(matter)
    assert await records(owner, ground.town.people[LEADER]) == [(50, "rejected"), (30, "pending")]


async def test_nobody_takes_their_own_or_their_familys_order(ground: Ground) -> None:
    matter = await order(ground, "张桂兰")
    await ground.dispatch(matter, open_to="all")
    for name in ("张桂兰", "张国庆"):
        with pytest.raises(OwnOrder):
            await ground.take(matter, by=name)
    assert (await ground.take(matter, by="周敏")).status == "accepted"


async def test_before_taking_an_order_at_home_one_sees_category_grid_and_time_alone(ground: Ground) -> None:
    matter = await order(ground, at_home=True, place="302室")
    await ground.dispatch(matter, open_to="all")
    seen = await find_matter(await ground.scope("周敏"), matter)
    assert (seen.category, seen.grid, seen.seen_as) == ("家电维修", "第一网格", "offered")
    assert (seen.place, seen.said, seen.area, seen.reporter, seen.steps) == (None, None, None, None, [])
    with pytest.raises(NotVetted):
        await ground.take(matter, by="周敏")
    await ground.take(matter, by=LEADER)
    taken = await find_matter(await ground.scope(LEADER), matter)
    assert (taken.place, taken.reporter) == ("302室", "李秀英")
    with pytest.raises(NotFound):
        await find_matter(await ground.scope("周敏"), matter)


async def test_a_keeper_orders_for_who_stands_there_and_a_daughter_for_her_mother(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    await order(ground, "周敏", for_person_id=ground.town.people["李秀英"])
    typed = await owner.fetchrow("SELECT reporter_id, for_person_id, entered_by, channel FROM matter")
    assert typed is not None
    people = ground.town.people
    assert tuple(typed) == (people["李秀英"], None, people["周敏"], "desk")
    await order(ground, "张桂兰", for_person_id=people["张国庆"])
    with pytest.raises(Forbidden):
        await order(ground, "张桂兰", for_person_id=people["李秀英"])


async def test_staff_who_are_no_party_may_ask_by_telephone(ground: Ground) -> None:
    matter = await order(ground)
    await helped(ground, matter, LEADER)
    with clock.at(LATER):
        with pytest.raises(Forbidden):
            await ground.rate(matter, by=LEADER, called=True)
        assert (await ground.rate(matter, by=GRID_HEAD, called=True)).status == "closed"
        assert len((await ground.confirm(matter, by="赵丽")).records) == 1


async def test_a_wish_has_a_price_and_never_shows_where_the_child_lives(ground: Ground) -> None:
    child = ground.town.people["刘小雨"]
    wish = {"kind": "wish", "category": "wish", "said": "一盏台灯", "value_max": 200, "for_person_id": child}
    with pytest.raises(WishTooDear):
        await ground.open("陈明", **(wish | {"value_max": 201}))
    with pytest.raises(NotGuardian):
        await ground.open("张桂兰", **wish)
    matter = (await ground.open("陈明", **wish)).id
    await ground.dispatch(matter, by="赵丽", open_to="all")
    taken = await ground.take(matter, by="王建国")
    assert taken.status == "accepted"
    seen = await find_matter(await ground.scope("王建国"), matter)
    assert (seen.reporter, seen.for_person) == (None, None)


async def test_paid_duty_never_earns(ground: Ground, owner: asyncpg.Connection) -> None:
    await grant(owner, ground.town, LEADER, Role.mobile_worker, region_id=ground.town.community)
    await owner.execute("UPDATE role_grant SET paid = true WHERE person_id = $1", ground.town.people[LEADER])
    matter = await order(ground)
    await helped(ground, matter, LEADER)
    with clock.at(LATER):
        await ground.rate(matter, by="李秀英")
        assert (await ground.confirm(matter)).records == []


async def test_a_unit_has_no_helper_and_no_minutes(ground: Ground) -> None:
    matter = await order(ground)
    await ground.dispatch(matter)
    await ground.take(matter, by=CONTACT)
    await ground.finish(matter, by=CONTACT)
    await ground.rate(matter, by="李秀英")
    assert (await ground.confirm(matter)).records == []


async def test_an_order_does_with_fewer_people_than_it_wanted(ground: Ground) -> None:
    matter = await order(ground, people_wanted=3)
    await ground.dispatch(matter, team_id=ground.team)
    assert (await ground.take(matter, by=LEADER)).status == "dispatched"
    with pytest.raises(Invalid):
        await ground.dispatch(matter, people_wanted=3)
    assert (await ground.dispatch(matter, people_wanted=2)).status == "dispatched"
    fewer = await ground.dispatch(matter, people_wanted=1)
    assert (fewer.status, fewer.helpers, fewer.people_wanted) == ("accepted", 1, 1)
