"""Which records a login stands for: read before any community is known, kept without a foreign key to the person."""

import asyncio
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.town import PHOENIX, SPRING, Town
from timebank.core import clock

ENTER = "SELECT is_joined FROM login_enter($1, $2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], NULL, false, now())"
DANGLING = (
    "SELECT count(*) FROM (SELECT community_id, person_id FROM membership "
    "UNION SELECT community_id, person_id FROM membership_question) AS link "
    "WHERE NOT EXISTS (SELECT FROM person p WHERE p.community_id = link.community_id AND p.id = link.person_id)"
)
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def _newcomer(owner: asyncpg.Connection, town: Town) -> tuple[UUID, bytes]:
    """A resident with a phone that no login has."""
    person, phone = clock.new_id(), clock.new_id().bytes
    await owner.execute(
        "INSERT INTO person (community_id, id, name, name_key, pinyin, phone_index, publishes_name, status, "
        "code_epoch, created_at) VALUES ($1, $2, '新来', '新来', 'xin lai', $3, false, 'active', 1, now())",
        town.community, person, phone,
    )  # fmt: skip
    return person, phone


async def _enter(connection: asyncpg.Connection, town: Town, person: UUID, phone: bytes) -> bool:
    await connection.execute("SELECT set_config('timebank.communities', $1, true)", f"{{{town.community}}}")
    joined = await connection.fetch(ENTER, town.community, [person], [clock.new_id()], [phone], [b"sealed"])
    return bool(joined and joined[0]["is_joined"])


async def _until_one_waits(owner: asyncpg.Connection) -> None:
    while not await owner.fetchval(WAITS):  # noqa: ASYNC110  # the database tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("first", ["taken out", "entered"])
async def test_no_link_is_left_of_somebody_who_is_taken_out_while_the_link_is_made(
    town: Town, owner: asyncpg.Connection, pool: str, first: str
) -> None:
    person, phone = await _newcomer(owner, town)
    taking, entering = await asyncpg.connect(pool), await asyncpg.connect(pool)

    async def take_out() -> None:
        # As an import's undo does: the person is locked before the links are deleted.
        await taking.execute("SELECT FROM person WHERE id = $1 FOR UPDATE", person)
        await taking.execute("DELETE FROM membership WHERE person_id = $1", person)
        await taking.execute("DELETE FROM person WHERE id = $1", person)

    async with asyncio.timeout(20):
        if first == "taken out":
            async with taking.transaction():
                await take_out()
                begun = entering.transaction()
                await begun.start()
                other = asyncio.create_task(_enter(entering, town, person, phone))
                await _until_one_waits(owner)
            assert not await other
            await begun.commit()
        else:
            async with entering.transaction():
                assert await _enter(entering, town, person, phone)
                begun = taking.transaction()
                await begun.start()
                out = asyncio.create_task(take_out())
                await _until_one_waits(owner)
            await out
            await begun.commit()
    await taking.close()
    await entering.close()
    assert await owner.fetchval("SELECT count(*) FROM person WHERE id = $1", person) == 0
    assert await owner.fetchval(DANGLING) == 0


async def test_every_link_of_the_town_has_its_person(town: Town, owner: asyncpg.Connection) -> None:
    assert await owner.fetchval("SELECT count(*) FROM membership") > 10
    assert await owner.fetchval(DANGLING) == 0


async def test_somebody_of_two_communities_who_is_blocked_in_one_goes_on_in_the_other(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Each record is read in its own community; a block works on the next request."""
    there, login = clock.new_id(), town.logins["张桂兰"]
    await owner.execute(
        "INSERT INTO person (community_id, id, name, name_key, pinyin, publishes_name, status, code_epoch, created_at) "
        "VALUES ($1, $2, '张桂兰', '张桂兰', 'zhang gui lan', false, 'active', 1, now())",
        town.communities[SPRING], there,
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, now())",
        town.communities[SPRING], login, there,
    )  # fmt: skip
    headers = await town.sign_in("张桂兰")

    async def records() -> list[str]:
        me = (await client.get("/api/v1/me", headers=headers)).json()
        return [person["community_id"] for person in me["persons"]]

    assert await records() == [str(town.communities[PHOENIX]), str(town.communities[SPRING])]
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["张桂兰"])
    assert await records() == [str(town.communities[SPRING])]
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", there)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401
