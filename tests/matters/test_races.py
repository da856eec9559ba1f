"""Matters under races with real commits: one taker, one deed, one end."""

import asyncio

import asyncpg

from tests.support.matters import GRID_HEAD, LEADER, MEMBER, Ground, let_reports_earn
from timebank.core.errors import TimebankError
from timebank.matters.loop import ending
from timebank.matters.opening.opening import OpenedOut


async def test_of_two_who_take_at_once_one_has_it(ground: Ground, owner: asyncpg.Connection) -> None:
    for _each in range(3):
        matter = (await ground.open("李秀英", kind="order", category="repair")).id
        await ground.dispatch(matter, team_id=ground.team)
        found = await asyncio.gather(
            ground.take(matter, by=LEADER), ground.take(matter, by=MEMBER), return_exceptions=True
        )
        refused = [one for one in found if isinstance(one, TimebankError)]
        assert [one.code for one in refused] == ["matter_already_taken"]
        helping = "SELECT count(*) FROM matter_helper WHERE matter_id = $1 AND left_at IS NULL"
        assert await owner.fetchval(helping, matter) == 1


async def test_fifty_confirmations_at_once_make_one_deed(ground: Ground, owner: asyncpg.Connection) -> None:
    await let_reports_earn(ground.town)
    matter = await ground.done()
    found = await asyncio.gather(*(ground.confirm(matter) for _each in range(50)), return_exceptions=True)
    answered = [one for one in found if not isinstance(one, BaseException)]
    assert {one.status for one in found if isinstance(one, TimebankError)} <= {503}
    assert len([one for one in answered if one.award]) == 1
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE source_id = $1", matter) == 1
    steps = "SELECT count(*) FROM matter_step WHERE matter_id = $1 AND verb = 'confirm'"
    assert await owner.fetchval(steps, matter) == 1


async def test_merging_and_confirming_at_once_make_one_deed(ground: Ground, owner: asyncpg.Connection) -> None:
    await let_reports_earn(ground.town)
    older = await ground.done()
    later = (await ground.open("李秀英")).id
    head = await ground.scope(GRID_HEAD)
    await asyncio.gather(
        ground.confirm(older), ending.merge_matters(head, later, older), ground.refuse(later, by="赵丽"),
        return_exceptions=True,
    )  # fmt: skip
    await asyncio.gather(ground.confirm(later), ground.confirm(older), return_exceptions=True)
    status = await owner.fetchval("SELECT status FROM matter WHERE id = $1", later)
    assert status in ("merged", "refused")
    earned = await owner.fetchval("SELECT count(*) FROM deed WHERE source_id IN ($1, $2)", older, later)
    assert earned == (1 if status == "merged" else 2)


async def test_one_nonce_at_once_is_one_report(ground: Ground, owner: asyncpg.Connection) -> None:
    found = await asyncio.gather(*(ground.open(nonce="phone-4071-5520") for _each in range(8)))
    assert {type(one) for one in found} == {OpenedOut}
    assert len({one.number for one in found}) == 1
    assert await owner.fetchval("SELECT count(*) FROM matter") == 1
