"""Who sees what of a matter: reporters, handlers, units across communities, and everybody else nothing."""

from uuid import UUID

import asyncpg
import msgspec
import pytest

from tests.support.matters import CONTACT, FIRM, GRID_HEAD, MORNING, POWER, Ground, grant
from tests.support.town import PHOENIX, SPRING
from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.core.scope import Role
from timebank.matters.loop import dispatching
from timebank.matters.opening.opening import open_matter
from timebank.matters.reading.listing import list_matters
from timebank.matters.reading.one import find_by_number, find_matter
from timebank.matters.schemas import DispatchIn, MattersAsked, OpenIn
from timebank.policies.values import change_policy

HIDDEN = {"category": "security", "said": "半夜有人撬锁"}


async def ids(ground: Ground, name: str, **asked: object) -> list[UUID]:
    found = await list_matters(await ground.scope(name), msgspec.convert(asked, MattersAsked))
    return [each.id for each in found.items]


async def test_who_reads_the_reporters_name(ground: Ground) -> None:
    matter = (await ground.open(may_be_contacted=False)).id
    await ground.dispatch(matter)
    await ground.take(matter)
    seen = {
        name: (await find_matter(await ground.scope(name), matter)).reporter
        for name in ("张桂兰", "陈明", GRID_HEAD, "赵丽", "孙伟", CONTACT, "周敏")
    }
    assert {name for name, reporter in seen.items() if reporter == "张桂兰"} == {
        "张桂兰", "陈明", GRID_HEAD, "赵丽", "孙伟",
    }  # fmt: skip


async def test_a_hidden_name_is_the_administrators_alone_and_the_look_is_noted(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    matter = (await ground.open(hides_reporter=True)).id
    for name in ("陈明", GRID_HEAD, "孙伟"):
        assert (await find_matter(await ground.scope(name), matter)).reporter is None
    assert (await list_matters(await ground.scope("赵丽"), MattersAsked())).items[0].reporter is None
    looks = "SELECT count(*) FROM audit WHERE verb = 'read_matter' AND noun_id = $1"
    assert await owner.fetchval(looks, matter) == 0
    assert (await find_matter(await ground.scope("赵丽"), matter)).reporter == "张桂兰"
    assert await owner.fetchval(looks, matter) == 1


async def test_what_is_not_public_is_not_found_by_neighbours(ground: Ground) -> None:
    receipt = await ground.open(**HIDDEN)
    for name in ("李秀英", "张国庆", "周敏"):
        with pytest.raises(NotFound):
            await find_matter(await ground.scope(name), receipt.id)
        with pytest.raises(NotFound):
            await find_by_number(await ground.scope(name), receipt.number)
        assert await ids(ground, name) == []
    mine = await find_by_number(await ground.scope("张桂兰"), f"{receipt.number[:4]} {receipt.number[4:]}")
    assert mine.said == "半夜有人撬锁"


async def test_a_neighbour_reads_of_a_public_one_that_there_is_one(ground: Ground) -> None:
    matter = (await ground.open(place="一单元门口")).id
    seen = await find_matter(await ground.scope("李秀英"), matter)
    assert (seen.category, seen.grid, seen.status) == ("路灯", "第一网格", "received")
    told = [seen.said, seen.place, seen.area, seen.reporter, seen.result, seen.external_number]
    assert told == [None] * len(told)
    assert (seen.steps, seen.photos) == ([], [])


async def test_a_contact_sees_the_units_matters_of_every_community_and_nothing_else(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    """One contact serves two communities of a street; the third matter is another unit's."""
    town = ground.town
    await change_policy(await town.scope("何静"), "uses_matters", 1)
    wanted = {"kind": "report", "category": "street_light", "area_id": town.areas[f"{SPRING}/第一网格"], "said": "灯坏"}
    elsewhere = (await open_matter(await town.scope("马涛"), msgspec.convert(wanted, OpenIn))).id
    await dispatching.dispatch(await town.scope("何静"), elsewhere, DispatchIn(unit_id=ground.units[FIRM]))
    here, foreign, waiting = (await ground.open()).id, (await ground.open("李秀英")).id, (await ground.open("周敏")).id
    await ground.dispatch(here)
    await ground.dispatch(foreign, unit_id=ground.units[POWER])
    contact = await town.scope(CONTACT)
    listed = await list_matters(contact, MattersAsked(open=True))
    assert {(each.id, each.community_id) for each in listed.items} == {
        (here, town.communities[PHOENIX]), (elsewhere, town.communities[SPRING]),
    }  # fmt: skip
    there = await ground.scope(CONTACT)
    assert (await find_matter(there, here)).may == ["take", "return", "ask"]
    for unseen in (foreign, waiting):
        with pytest.raises(NotFound):
            await find_matter(there, unseen)
        with pytest.raises(NotFound):
            await ground.take(unseen)
    with pytest.raises(NotFound):
        await find_matter(there, elsewhere)


async def test_a_contact_of_one_community_does_not_see_the_others(ground: Ground, owner: asyncpg.Connection) -> None:
    town = ground.town
    await owner.execute("UPDATE role_grant SET region_id = $1 WHERE role = 'unit_contact'", town.communities[SPRING])
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    assert (await list_matters(await town.scope(CONTACT), MattersAsked())).items == []
    with pytest.raises(NotFound):
        await town.scope(CONTACT, town.community)


async def test_lists_by_role(ground: Ground) -> None:
    first, second = (await ground.open()).id, (await ground.open("李秀英", **HIDDEN)).id
    assert await ids(ground, "赵丽", open=True) == [second, first]  # due in one day, in two
    assert await ids(ground, "陈明") == [second, first]
    assert await ids(ground, "张桂兰", mine=True) == [first]
    assert await ids(ground, "王建国") == []
    await ground.dispatch(first, person_id=ground.town.people["王建国"])
    assert await ids(ground, "王建国", offered=True) == [first]
    assert await ids(ground, "王建国", assignee="me") == [first]
    assert await ids(ground, "赵丽", status="received") == [second]
    with clock.at(MORNING.replace(day=20)):
        assert await ids(ground, "赵丽", late=True) == [second]


async def test_a_list_goes_on_where_it_ended(ground: Ground) -> None:
    for _each in range(5):
        await ground.open()
    admin, seen, cursor = await ground.scope("赵丽"), [], None
    while True:
        page = await list_matters(admin, MattersAsked(open=True), limit=2, cursor=cursor)
        seen += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert (len(seen), len(set(seen))) == (5, 5)


async def test_a_head_does_not_read_the_neighbours_reports(ground: Ground, owner: asyncpg.Connection) -> None:
    await grant(owner, ground.town, "周敏", Role.mobile_worker, region_id=ground.town.community)
    matter = (await ground.open(**HIDDEN)).id
    for name in ("王建国", "李秀英", "周敏"):
        with pytest.raises(NotFound):
            await find_matter(await ground.scope(name), matter)
