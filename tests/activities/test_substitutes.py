"""Seats on offer: the team is told, the first who says yes has the seat, and nobody is put there by others."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.activities.test_activities import shift_of
from tests.support.messages import end_quiet_hours
from tests.support.presence import count
from tests.support.town import Town
from timebank.activities import shifts
from timebank.activities.leaders import OwnLeader, name_shift_leader
from timebank.activities.patterns.standing import AdultsOnly
from timebank.activities.schemas import SeatOut
from timebank.activities.shifts import ShiftOver
from timebank.activities.substitutes import SeatTaken, offer_seat, take_over
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound

API = "/api/v1"


async def told(owner: asyncpg.Connection, town: Town, sentence: str) -> set[str]:
    await end_quiet_hours(owner)
    found = await owner.fetch(
        "SELECT p.name FROM message m JOIN person p ON p.id = m.person_id WHERE m.sentence = $1", sentence
    )
    return {row["name"] for row in found}


async def team_of(owner: asyncpg.Connection, town: Town, activity: str, *members: str, leader: str = "") -> UUID:
    """Insert a team with these members for an activity of the town."""
    team = clock.new_id()
    await owner.execute(
        "INSERT INTO team (community_id, id, name, pinyin, kind, created_at) "
        "VALUES ($1, $2, '护学队', 'huxuedui', 'escort', $3)",
        town.community, team, clock.now(),
    )  # fmt: skip
    for name in members:
        await owner.execute(
            "INSERT INTO team_member (community_id, id, team_id, person_id, leads, asked_at, joined_on) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            town.community, clock.new_id(), team, town.people[name], name == leader, clock.now(), clock.local_day(),
        )  # fmt: skip
    await owner.execute("UPDATE activity SET team_id = $1 WHERE id = $2", team, town.activities[activity])
    return team


async def test_the_team_is_told_once_and_the_first_takes_the_seat_with_its_holder_told(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await team_of(owner, town, "四点半辅导", "张桂兰", "李秀英", "王建国", leader="王建国")
    shift = await shift_of(town, seats=2)
    address = f"{API}/shifts/{shift}"
    mine, other = await town.sign_in("张桂兰"), await town.sign_in("李秀英")
    assert (await client.post(f"{address}/offers", json={}, headers=mine)).status_code == 404
    await client.post(f"{address}/sign-ups", json={}, headers=mine)
    none_yet = await client.post(f"{address}/take-over", json={}, headers=other)
    assert (none_yet.status_code, none_yet.json()["code"]) == (409, "seat_taken")
    for _ in range(2):
        offered = await client.post(f"{address}/offers", json={}, headers=mine)
        assert (offered.status_code, offered.json()["offered"]) == (200, True)
    assert await told(owner, town, "seat_offered") == {"李秀英", "王建国"}
    assert await count(owner, "message", "sentence = 'seat_offered'") == 2
    seen = (await client.get(f"{API}/activities/{town.activities['四点半辅导']}/shifts", headers=other)).json()["items"]
    assert [(each["on_offer"], each["offering"]) for each in seen] == [(1, False)]
    taken = await client.post(f"{address}/take-over", json={}, headers=other)
    assert (taken.status_code, taken.json()["person_id"]) == (200, str(town.people["李秀英"]))
    again = await client.post(f"{address}/take-over", json={}, headers=other)
    assert again.json()["seat"] == taken.json()["seat"]
    late = await client.post(f"{address}/take-over", json={}, headers=await town.sign_in("王建国"))
    assert (late.status_code, late.json()["code"]) == (409, "seat_taken")
    assert await told(owner, town, "seat_taken_over") == {"张桂兰"}
    found = await shifts.shift(await town.scope("张桂兰"), shift)
    assert (found.seats_taken, found.signed_up, found.on_offer) == (1, False, 0)
    assert (await client.post(f"{address}/take-over", json={})).status_code == 401
    elsewhere = await client.post(f"{address}/take-over", json={}, headers=await town.sign_in("马涛"))
    assert elsewhere.status_code == 404


async def test_one_of_ten_has_the_seat(town: Town, owner: asyncpg.Connection) -> None:
    shift = await shift_of(town, seats=1)
    await shifts.sign_up(await town.scope("张桂兰"), shift)
    await offer_seat(await town.scope("张桂兰"), shift)
    names = [name for name in town.logins if town.home[name] == town.community and name != "张桂兰"][:10]
    assert len(names) == 10
    scopes = [await town.scope(name) for name in names]
    answers = await asyncio.gather(*(take_over(scope, shift) for scope in scopes), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["SeatOut", *["SeatTaken"] * 9]
    (seat,) = [answer for answer in answers if isinstance(answer, SeatOut)]
    holders = await owner.fetch("SELECT person_id FROM sign_up WHERE shift_id = $1 AND cancelled_at IS NULL", shift)
    assert [row["person_id"] for row in holders] == [seat.person_id]
    assert (await shifts.shift(town.system(), shift)).seats_taken == 1
    assert await count(owner, "message", "sentence = 'seat_taken_over'") == 1


async def test_who_gives_up_or_keeps_the_offered_seat_while_others_take_it_leaves_one_holder_at_most(
    town: Town, owner: asyncpg.Connection
) -> None:
    shift = await shift_of(town, seats=2)
    mine, other, third = [await town.scope(name) for name in ("张桂兰", "李秀英", "王建国")]
    for _ in range(3):
        await shifts.sign_up(mine, shift)
        await offer_seat(mine, shift)
        await asyncio.gather(
            take_over(other, shift), take_over(mine, shift), shifts.cancel_sign_up(mine, shift),
            take_over(third, shift), return_exceptions=True,
        )  # fmt: skip
        stored = (await shifts.shift(town.system(), shift)).seats_taken
        held = await count(owner, "sign_up", "shift_id = $1 AND cancelled_at IS NULL", shift)
        assert stored == held <= 2
        for scope in (other, third):
            if (await shifts.shift(scope, shift)).signed_up:
                await shifts.cancel_sign_up(scope, shift)


async def test_who_offered_may_come_after_all(town: Town, owner: asyncpg.Connection) -> None:
    shift, mine = await shift_of(town), await town.scope("张桂兰")
    await shifts.sign_up(mine, shift)
    await offer_seat(mine, shift)
    assert (await shifts.shift(mine, shift)).offering
    kept = await take_over(mine, shift)
    assert (kept.person_id, (await shifts.shift(mine, shift)).offering) == (town.people["张桂兰"], False)
    with pytest.raises(SeatTaken):
        await take_over(await town.scope("李秀英"), shift)


async def test_without_a_team_those_are_asked_who_signed_up_lately(town: Town, owner: asyncpg.Connection) -> None:
    earlier, shift = await shift_of(town, seats=5), await shift_of(town, seats=5)
    long_ago = await shift_of(town, seats=5)
    for name in ("李秀英", "陈明"):
        await shifts.sign_up(await town.scope(name), earlier)
    await shifts.sign_up(await town.scope("王建国"), long_ago)
    await owner.execute(
        "UPDATE shift SET starts_at = starts_at - interval '90 days', ends_at = ends_at - interval '90 days' "
        "WHERE id = $1", long_ago,
    )  # fmt: skip
    for name in ("张桂兰", "陈明"):
        await shifts.sign_up(await town.scope(name), shift)
    await offer_seat(await town.scope("张桂兰"), shift)
    assert await told(owner, town, "seat_offered") == {"李秀英"}, "陈明 has a seat of this shift"


async def test_a_shift_that_began_hands_on_no_seat_and_only_adults_take_one(
    town: Town, owner: asyncpg.Connection
) -> None:
    shift, mine, other = await shift_of(town), await town.scope("张桂兰"), await town.scope("李秀英")
    await shifts.sign_up(mine, shift)
    await offer_seat(mine, shift)
    with pytest.raises(Forbidden):
        await take_over(other, shift, town.people["王建国"])
    await owner.execute("UPDATE person SET born_on = '2010-03-01' WHERE id = $1", town.people["李秀英"])
    with pytest.raises(AdultsOnly):
        await take_over(other, shift)
    with clock.at(clock.now() + timedelta(hours=3)):
        for verb in (offer_seat, take_over):
            with pytest.raises(ShiftOver):
                await verb(await town.scope("王建国"), shift)


async def test_a_leader_of_the_team_leads_and_others_are_named_by_somebody_who_is_not_family(
    town: Town, owner: asyncpg.Connection
) -> None:
    await team_of(owner, town, "四点半辅导", "张桂兰", "王建国", leader="王建国")
    shift = await shift_of(town, seats=5)
    for name in ("王建国", "张桂兰", "周敏"):
        await shifts.sign_up(await town.scope(name), shift)
    assert (await shifts.shift(await town.scope("王建国"), shift)).leads
    assert not (await shifts.shift(await town.scope("张桂兰"), shift)).leads
    keeper = await town.scope("周敏")
    with pytest.raises(OwnLeader):
        await name_shift_leader(keeper, shift, town.people["周敏"])
    with pytest.raises(Forbidden):
        await name_shift_leader(await town.scope("王建国"), shift, town.people["张桂兰"])
    with pytest.raises(NotFound):
        await name_shift_leader(keeper, shift, town.people["李秀英"])
    for _ in range(2):
        await name_shift_leader(keeper, shift, town.people["张桂兰"])
    assert (await shifts.shift(await town.scope("张桂兰"), shift)).leads
    assert await told(owner, town, "shift_leader") == {"张桂兰"}
    await offer_seat(await town.scope("张桂兰"), shift)
    await take_over(await town.scope("李秀英"), shift)
    assert not (await shifts.shift(await town.scope("李秀英"), shift)).leads, "leading is not handed on"
