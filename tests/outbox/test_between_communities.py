"""What crosses communities is two legs, each in a transaction of one community; its effect is there once."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import pytest

from tests.outbox.parcels import WALKS
from tests.support.town import SPRING, Town
from timebank.core import clock
from timebank.core.capability import also
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.outbox.delivering import deliver_due
from timebank.outbox.putting import put

EFFECTS = "SELECT array_agg(community_id ORDER BY at) FROM audit WHERE verb = 'delivered'"


@pytest.fixture(autouse=True)
def walks() -> Iterator[None]:
    with also(WALKS):
        yield


async def post(town: Town, key: str = "a", **payload: str) -> None:
    async with transaction(town.system()):
        await put(town.system(), "letter", key, payload, to=town.communities[SPRING])


async def test_a_letter_is_read_in_the_other_community_and_its_answer_comes_back(
    town: Town, owner: asyncpg.Connection
) -> None:
    here, there = town.system(), town.system(SPRING)
    await post(town)
    assert await deliver_due(there) == 0, "nothing is there before it was handed over"
    assert await deliver_due(here) == 1
    assert await owner.fetchval(EFFECTS) is None
    assert await deliver_due(there) == 2, "the letter, and the answer that is handed over"
    assert await deliver_due(here) == 1
    assert await owner.fetchval(EFFECTS) == [there.community_id, here.community_id]
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_many_workers_at_once_bring_each_letter_over_once(town: Town, owner: asyncpg.Connection) -> None:
    keys = [str(n) for n in range(10)]
    for key in keys:
        await post(town, key)
    for _ in range(3):
        await asyncio.gather(*[deliver_due(town.system(name)) for name in town.communities for _ in range(4)])
    effects = await owner.fetchval(EFFECTS)
    assert len(effects) == 2 * len(keys), "each letter there and each answer here"


async def test_a_worker_that_ends_between_the_two_legs_brings_nothing_over_twice(
    town: Town, owner: asyncpg.Connection
) -> None:
    await post(town)
    await deliver_due(town.system())
    await owner.execute("UPDATE outbox SET done_at = NULL WHERE to_community IS NOT NULL")  # it was killed before that
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await deliver_due(town.system()) == 1
        await deliver_due(town.system(SPRING))
        await deliver_due(town.system())
    assert len(await owner.fetchval(EFFECTS)) == 2


async def test_what_fails_there_is_listed_there_and_done_here(town: Town, owner: asyncpg.Connection) -> None:
    await post(town, fails="always")
    await deliver_due(town.system())
    for hour in range(9):
        with clock.at(clock.now() + timedelta(hours=hour + 1)):
            await deliver_due(town.system(SPRING))
    dead = await owner.fetch("SELECT community_id FROM outbox WHERE dead_at IS NOT NULL")
    assert [row["community_id"] for row in dead] == [town.communities[SPRING]]
    assert await owner.fetchval(EFFECTS) is None


async def test_two_communities_letters_of_the_same_key_are_two(town: Town, owner: asyncpg.Connection) -> None:
    """Nobody keeps another community's letter away by putting its key first."""
    async with transaction(town.system(SPRING)):
        await put(town.system(SPRING), "letter", "a", {}, due_at=clock.now() + timedelta(days=9))
    await post(town)
    await deliver_due(town.system())
    assert await deliver_due(town.system(SPRING)) == 2


async def test_nothing_is_put_for_a_community_that_is_not_there(town: Town) -> None:
    with pytest.raises(TimebankError):
        async with transaction(town.system()):
            await put(town.system(), "letter", "a", {}, to=clock.new_id())
