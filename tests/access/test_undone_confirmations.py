"""A confirmation at a counter that ends a spending pause is a last action there, and is undone for a minute."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_taking_over import World
from tests.support.counter import STATION, kept
from tests.support.messages import texts
from tests.support.shop import Browser, browser
from tests.support.town import Town
from timebank.access.membership_state import membership_state_of
from timebank.agreements.independence import NotIndependent
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.overview.openers import ConfirmationStands, confirm_login, undo_confirm_login
from timebank.presence.recent import recent_at

NAME = "张桂兰"


@pytest.fixture
async def paused(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> World:
    """A resident with points who is signed in by a code of the administrator: her spending is paused."""
    await town.give_points(NAME, 100)
    world = World(town, client, owner)
    await world.opened(town.phones[NAME], otp=await world.code("赵丽", NAME))
    assert await pauses(town) is True
    return world


async def pauses(town: Town) -> bool:
    return (await membership_state_of(await town.scope("赵丽"), town.people[NAME])).rests_until is not None


async def confirmed(town: Town) -> tuple[Scope, UUID]:
    """The keeper who has just confirmed her at the counter, and the id by which that is undone."""
    keeper = await town.scope("周敏")
    await confirm_login(keeper, town.people[NAME], town.stations[STATION])
    [done] = [each for each in await recent_at(keeper, town.stations[STATION]) if "confirmations" in each.undo]
    assert 0 < done.undo_seconds <= 60
    return keeper, UUID(done.undo.split("/")[4])


async def test_it_is_listed_at_its_counter_and_undone_there(paused: World) -> None:
    town, owner = paused.town, paused.owner
    before = await owner.fetchrow("SELECT opened_by_login, confirmed_at FROM login WHERE id = $1", town.logins[NAME])
    counter = await kept(paused.client, town)
    here = {"person_id": town.people[NAME], "station_id": town.stations[STATION]}
    keeper = Browser(paused.client, await town.token("周敏"))
    assert (await keeper.send("/desk/sign-in-code/confirmation", **here)).status_code == 303
    assert await pauses(town) is False
    assert "张* 确认了账号是本人" in await counter.see("/desk")
    shown = await keeper.see(f"/desk?station={town.stations[STATION]}")
    assert "张* 确认了账号是本人" in shown
    [path] = {part.split('"')[0] for part in shown.split('action="') if "confirmations" in part.split('"')[0]}
    for _ in range(2):
        undone = await keeper.send(path, station_id=town.stations[STATION])
        assert undone.status_code == 303, undone.text
    assert await pauses(town) is True
    after = await owner.fetchrow("SELECT opened_by_login, confirmed_at FROM login WHERE id = $1", town.logins[NAME])
    assert after is not None
    assert after == before
    assert after["confirmed_at"] is None
    assert "撤销了刚才的确认" in "".join(await texts(owner, "kind = 'login_confirmed'"))
    assert "张* 确认了账号是本人" not in await keeper.see(f"/desk?station={town.stations[STATION]}")
    listed = await (await browser(paused.client, town, "赵丽")).see("/admin/presence/undone")
    for each in ("周敏", "1 次", "确认了账号是本人", "张*"):
        assert each in listed, each
    rows = await owner.fetch("SELECT login_id, about_id FROM audit WHERE verb = 'undo_confirm_login'")
    assert [tuple(row) for row in rows] == [(town.logins["周敏"], town.people[NAME])]


async def test_it_may_be_confirmed_and_undone_again(paused: World) -> None:
    for _ in range(2):
        keeper, rest = await confirmed(paused.town)
        await undo_confirm_login(keeper, rest)
        assert await pauses(paused.town) is True
    assert await paused.owner.fetchval("SELECT count(*) FROM undone_act WHERE kind = 'confirm_login'") == 2


async def test_only_the_login_that_confirmed_it_undoes_it_and_only_for_a_minute(paused: World) -> None:
    town = paused.town
    keeper, rest = await confirmed(town)
    for name, refusal in (("赵丽", ConfirmationStands), ("王建国", Forbidden), ("何静", NotFound)):
        with pytest.raises(refusal):
            await undo_confirm_login(await town.scope(name), rest)
    with clock.at(clock.now() + timedelta(seconds=61)), pytest.raises(ConfirmationStands):
        await undo_confirm_login(keeper, rest)
    assert await pauses(town) is False


async def test_nobody_undoes_it_for_the_own_household(paused: World) -> None:
    town = paused.town
    keeper, rest = await confirmed(town)
    await paused.owner.execute(
        "UPDATE person SET household_id = (SELECT household_id FROM person WHERE id = $1) WHERE id = $2",
        town.people[NAME], town.people["周敏"],
    )  # fmt: skip
    with pytest.raises(NotIndependent):
        await undo_confirm_login(keeper, rest)


async def test_one_of_the_panel_is_at_no_counter_and_stands(paused: World) -> None:
    town = paused.town
    keeper = await town.scope("周敏")
    await confirm_login(keeper, town.people[NAME])
    rest = await paused.owner.fetchval("SELECT id FROM spending_rest WHERE ended_at IS NOT NULL")
    with pytest.raises(ConfirmationStands):
        await undo_confirm_login(keeper, UUID(bytes=rest.bytes))
    assert "确认了账号" not in str(await recent_at(keeper, town.stations[STATION]))


async def test_a_station_that_is_not_the_keepers_is_not_noted(paused: World) -> None:
    town = paused.town
    await confirm_login(await town.scope("周敏"), town.people[NAME], town.stations["慈善超市"])
    assert await paused.owner.fetchval("SELECT ended_station_id FROM spending_rest WHERE ended_at IS NOT NULL") is None


async def test_undos_and_confirmations_at_once_leave_one_state(paused: World) -> None:
    """However they meet, the pause is ended or goes on, each act is noted once, and no other error is raised."""
    town = paused.town
    keeper, rest = await confirmed(town)
    answers = await asyncio.gather(
        *(undo_confirm_login(keeper, rest) for _ in range(4)),
        *(confirm_login(keeper, town.people[NAME], town.stations[STATION]) for _ in range(2)),
        return_exceptions=True,
    )
    told = Counter(a.code if isinstance(a, TimebankError) else str(a) for a in answers)
    assert set(told) <= {"None", "not_independent", "login_confirmation_stands"}
    undone = await paused.owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'undo_confirm_login'")
    assert undone == await paused.owner.fetchval("SELECT count(*) FROM undone_act WHERE kind = 'confirm_login'")
    agreed = await paused.owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'confirm_login'")
    assert undone >= 1
    assert await pauses(town) is (agreed == undone)
