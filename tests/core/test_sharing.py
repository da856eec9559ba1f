"""Verbs that share a transaction: as many rows as alone, fewer statements, and nobody pays for the fault of another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import pytest

from tests.support.town import Town
from tests.support.wire import Wire, counted
from timebank.core import clock, database
from timebank.core.database import change, one, shared, transaction
from timebank.core.database import transactions as database_transactions
from timebank.core.database.shared_transaction import NeedsOwn, SharedTransaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope

PEOPLE = 12


class Person(msgspec.Struct):
    id: UUID
    name: str


class Facts(msgspec.Struct):
    person: Person | None


class People:
    """People of their own, each with a counter (`code_epoch`) that a verb adds to, under the lock of the person."""

    def __init__(self, town: Town, scope: Scope, ids: list[UUID]) -> None:
        self.town, self.scope, self.ids = town, scope, ids

    async def add(self, person_id: UUID, by: int = 1, *, then: Callable[[], Awaitable[object]] | None = None) -> str:
        facts = await database.read(Facts, person=one(LOCK, self.scope.community_id, person_id))
        if facts.person is None:
            raise NotFound
        if then is not None:
            await then()
        database.queue(change(ADD, self.scope.community_id, person_id, by))
        return facts.person.name

    async def add_shared(
        self, person_id: UUID, by: int = 1, *, then: Callable[[], Awaitable[object]] | None = None
    ) -> str:
        return await shared(self.scope, [person_id], lambda: self.add(person_id, by, then=then))

    async def counts(self) -> list[int]:
        async with transaction(self.town.system()):
            found = await database.fetch(
                "SELECT code_epoch FROM person WHERE community_id = $1 AND id = ANY ($2) ORDER BY name",
                self.town.community, self.ids,
            )  # fmt: skip
        return [row["code_epoch"] for row in found]


LOCK = "SELECT id, name FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE"
ADD = "UPDATE person SET code_epoch = code_epoch + $3 WHERE community_id = $1 AND id = $2 AND code_epoch + $3 < 100"


@pytest.fixture
async def people(town: Town) -> AsyncIterator[People]:
    ids, scope = [clock.new_id() for _ in range(PEOPLE)], await town.scope("刘洋")
    owner = await asyncpg.connect(Town.operator_url)
    try:
        await owner.execute(
            "INSERT INTO person (community_id, id, name, pinyin, name_key, initials, initials_other, spelled, status, "
            "publishes_name, created_at, code_epoch) SELECT $1, id, 'n' || lpad(n::text, 2, '0'), 'n', 'n' || n, 'n', "
            "'', 'n', 'active', false, now(), 0 FROM unnest($2::uuid[]) WITH ORDINALITY AS p (id, n)",
            town.community, ids,
        )  # fmt: skip
        yield People(town, scope, ids)
    finally:
        await owner.close()


def begun(wire: Wire) -> int:
    return sum(sql.startswith("BEGIN") for sql in wire.statements)


async def test_verbs_at_once_share_transactions_and_each_is_carried_out_once(people: People, tmp_path: Path) -> None:
    async with counted(tmp_path) as wire:
        names = await asyncio.gather(*(people.add_shared(person_id) for person_id in people.ids))
        assert begun(wire) < PEOPLE / 2, wire.listed()
    assert names == [f"n{n:02}" for n in range(1, PEOPLE + 1)]
    assert await people.counts() == [1] * PEOPLE


async def test_one_alone_has_a_transaction_of_its_own_at_once(people: People, tmp_path: Path) -> None:
    async with counted(tmp_path) as wire:
        await people.add_shared(people.ids[0])
        assert begun(wire) == 1
        assert len(wire) == 4, wire.listed()  # BEGIN, the facts, the writes, COMMIT


async def test_those_who_lock_the_same_row_never_share(people: People) -> None:
    first = people.ids[0]
    await asyncio.gather(*(people.add_shared(first) for _ in range(20)))
    assert (await people.counts())[0] == 20


async def test_a_verb_that_is_refused_is_refused_alone(people: People) -> None:
    unknown = clock.new_id()
    done = await asyncio.gather(
        *(people.add_shared(person_id) for person_id in [*people.ids[:6], unknown, *people.ids[6:]]),
        return_exceptions=True,
    )
    assert [type(each) for each in done] == [str] * 6 + [NotFound] + [str] * 6
    assert await people.counts() == [1] * PEOPLE


async def test_a_write_that_changes_nothing_ends_all_and_each_is_run_again(people: People) -> None:
    """The ninth exceeds the limit of its guard: alone it runs into another for good. The others are written."""
    done = await asyncio.gather(
        *(people.add_shared(person_id, 500 if number == 8 else 1) for number, person_id in enumerate(people.ids)),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in done] == ["str"] * 8 + ["RanIntoAnother"] + ["str"] * 3
    assert await people.counts() == [1] * 8 + [0] + [1] * 3


async def test_what_needs_its_own_transaction_gets_it(people: People) -> None:
    """A statement that may return any number of rows, and a savepoint."""

    async def apart() -> None:
        async with database.savepoint():
            await database.execute("SELECT 1")

    others: list[Callable[[], Awaitable[object]] | None] = [
        lambda: database.fetch("SELECT 1"), apart, database.flush, None
    ]  # fmt: skip
    await asyncio.gather(
        *(people.add_shared(person_id, then=others[number % 4]) for number, person_id in enumerate(people.ids))
    )
    assert await people.counts() == [1] * PEOPLE


async def test_a_verb_that_reads_twice_at_once_gets_its_own_transaction(people: People) -> None:
    """Nobody's writes are left out because another's second statement was taken for the end of a third verb."""

    async def twice() -> None:
        async with database.gathering() as reads:
            for _ in range(3):
                reads.start(database.read(Facts, person=one(LOCK, people.scope.community_id, people.ids[0])))

    for _ in range(3):
        await asyncio.gather(
            *(
                people.add_shared(person_id, then=None if number % 3 else twice)
                for number, person_id in enumerate(people.ids)
            )
        )
    assert await people.counts() == [3] * PEOPLE


async def test_nobody_waits_long_for_the_lock_of_another(people: People) -> None:
    """One row is locked elsewhere: who needs it waits for it, the others are done long before."""
    locked = people.ids[3]
    other = await asyncpg.connect(Town.operator_url)
    try:
        async with other.transaction():
            await other.execute("UPDATE person SET pinyin = pinyin WHERE id = $1", locked)
            waits = asyncio.create_task(people.add_shared(locked))
            others = [asyncio.create_task(people.add_shared(other)) for other in people.ids if other != locked]
            async with asyncio.timeout(4):  # the lock itself is waited for five seconds
                await asyncio.gather(*others)
            assert not waits.done()
        await waits
    finally:
        await other.close()
    assert await people.counts() == [1] * PEOPLE


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.003, 0.006])
async def test_a_verb_that_is_cancelled_takes_nobody_along(people: People, pause: float) -> None:
    tasks = [asyncio.create_task(people.add_shared(person_id)) for person_id in people.ids]
    await asyncio.sleep(pause)
    tasks[5].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for number, each in enumerate(done) if number != 5] == [str] * (PEOPLE - 1)
    counts = await people.counts()
    assert counts[:5] + counts[6:] == [1] * (PEOPLE - 1)
    assert counts[5] == 1 or isinstance(done[5], asyncio.CancelledError)
    assert counts[5] in (0, 1)


async def test_a_lost_connection_ends_only_the_attempt(people: People) -> None:
    """The server ends the connection of the shared transaction in its middle: each verb is run again by itself."""
    pid, ended = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def lose(number: int) -> None:
        if number and not ended.is_set():
            found = await database.read(Backend, backend=one("SELECT pg_backend_pid() AS pid"))
            if not ended.is_set() and not pid.done():
                pid.set_result(found.backend.pid)
            await asyncio.sleep(0.05)

    async def end() -> None:
        other = await asyncpg.connect(Town.operator_url)
        await other.execute("SELECT pg_terminate_backend($1)", await pid)
        ended.set()
        await other.close()

    ending = asyncio.create_task(end())
    await asyncio.gather(
        *(people.add_shared(person_id, then=lambda n=n: lose(n)) for n, person_id in enumerate(people.ids))  # type: ignore[misc]  # a default argument binds n
    )
    await ending
    assert await people.counts() == [1] * PEOPLE


class Pid(msgspec.Struct):
    pid: int


class Backend(msgspec.Struct):
    backend: Pid


async def test_two_communities_never_share_and_see_nothing_of_each_other(town: Town) -> None:
    scope = await town.scope("刘洋")
    elsewhere = [await town.scope(name) for name in town.people if town.home[name] != scope.community_id][:1]
    assert elsewhere, "somebody lives in another community"
    seen = "SELECT array_agg(DISTINCT community_id) AS ids FROM person"

    class Seen(msgspec.Struct):
        ids: list[UUID]

    class All(msgspec.Struct):
        seen: Seen

    async def communities(scope: Scope) -> list[UUID]:
        async def verb() -> list[UUID]:
            return (await database.read(All, seen=one(seen))).seen.ids

        return await shared(scope, [clock.new_id()], verb)

    scopes = [scope, elsewhere[0]] * 10
    assert await asyncio.gather(*(communities(each) for each in scopes)) == [[each.community_id] for each in scopes]


async def test_a_verb_cancelled_while_it_waits_is_counted_once(town: Town) -> None:
    """Two wait for the third, which is still running; one of them is cancelled. The end comes with the last of all."""
    async with transaction(town.system()):
        common = SharedTransaction(database_transactions.current().connection, 3)
        asked = [asyncio.create_task(common.ask(clock.new_id(), "SELECT 1", ())) for _ in range(2)]
        await asyncio.sleep(0)
        asked[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked[0]
        common.leave(failed=True)
        await asyncio.sleep(0.01)
        assert not asked[1].done()
        assert not common.over.is_set()
        common.leave()
        with pytest.raises(NeedsOwn):
            await asked[1]
        common.leave(failed=True)
        assert common.over.is_set()
