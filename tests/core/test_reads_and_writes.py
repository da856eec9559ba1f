"""Reads that are put together, and writes that are queued: fewer statements, the same rows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import pytest

from tests.support.town import Town
from tests.support.wire import counted
from timebank.core import audit, clock, database
from timebank.core.database import RanIntoAnother, change, many, one, queue, transaction, value
from timebank.core.errors import Busy
from timebank.presence.tables import Visit


class Named(msgspec.Struct):
    id: UUID
    name: str


class Facts(msgspec.Struct):
    day: date
    moment: datetime
    person: Named | None
    nobody: Named | None
    people: list[Named]
    none: list[Named]


async def test_one_statement_answers_several_questions_each_with_its_type(town: Town, tmp_path: Path) -> None:
    scope, moment = town.system(), datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    by_id = "SELECT id, name FROM person WHERE community_id = $1 AND id = $2"
    async with counted(tmp_path) as wire, transaction(scope):
        await wire.renew()
        facts = await database.read(
            Facts,
            day=value("SELECT $1::date", date(2026, 2, 28)),
            moment=value("SELECT $1::timestamptz", moment),
            person=one(by_id, town.community, town.people["刘洋"]),
            nobody=one(by_id, town.community, clock.new_id()),
            people=many("SELECT id, name FROM person WHERE community_id = $1 ORDER BY pinyin, id", town.community),
            none=many("SELECT id, name FROM person WHERE community_id = $1 AND false", town.community),
        )
        assert len(wire) == 1, wire.listed()
    assert (facts.day, facts.moment, facts.moment.utcoffset()) == (date(2026, 2, 28), moment, moment.utcoffset())
    assert facts.person == Named(town.people["刘洋"], "刘洋")
    assert (facts.nobody, facts.none) == (None, [])
    assert {p.name for p in facts.people} >= {"刘洋", "张桂兰"}


async def test_reads_side_by_side_are_sent_together(town: Town, tmp_path: Path) -> None:
    scope = town.system()

    async def names(kind: str) -> list[str]:
        found = await database.rows(Named, f"SELECT id, name FROM {kind} WHERE community_id = $1", scope.community_id)
        return [each.name for each in found]

    async def twice() -> int:
        stations = await names("station")
        return len(stations) + await database.read_value(int, "SELECT $1::integer", 100)

    async with counted(tmp_path) as wire, transaction(scope):
        await wire.renew()
        async with database.gathering() as reads:
            people, stations, both = reads.start(names("person")), reads.start(names("station")), reads.start(twice())
            alone = reads.start(database.fetch_value("SELECT 7"))
        assert len(wire) == 3, wire.listed()
        assert await names("station") == stations.result()
    assert "刘洋" in people.result()
    assert both.result() == 100 + len(stations.result())
    assert alone.result() == 7


class Several(msgspec.Struct):
    person: Named | None
    nobody: Named | None
    nothing: int | None
    number: int
    people: list[Named]


async def test_the_questions_of_a_read_are_sent_with_those_beside_it(town: Town, tmp_path: Path) -> None:
    by_id = "SELECT id, name FROM person WHERE community_id = $1 AND id = $2"

    async def several(number: int) -> Several:
        return await database.read(
            Several,
            person=one(by_id, town.community, town.people["刘洋"]),
            nobody=one(by_id, town.community, clock.new_id()),
            nothing=value("SELECT NULL::integer"),
            number=value("SELECT $1::integer", number),
            people=many(
                "SELECT id, name FROM person WHERE community_id = $1 AND id = $2", town.community, clock.new_id()
            ),
        )

    async with counted(tmp_path) as wire, transaction(town.system()):
        await wire.renew()
        async with database.gathering() as reads:
            first, second = reads.start(several(1)), reads.start(several(2))
            last = reads.start(database.read_value(int, "SELECT $1::integer", 3))
        assert len(wire) == 1, wire.listed()
    expected = Several(Named(town.people["刘洋"], "刘洋"), None, None, 1, [])
    assert (first.result(), second.result()) == (expected, msgspec.structs.replace(expected, number=2))
    assert last.result() == 3


async def test_a_read_that_fails_ends_the_others_and_the_transaction(town: Town) -> None:
    scope, ended = town.system(), asyncio.Event()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(ValueError, match="no"):  # noqa: PT012  # the transaction is part of it
        async with transaction(scope), database.gathering() as reads:
            reads.start(waits())
            reads.start(fails())
    assert ended.is_set()
    async with transaction(scope):
        assert await database.fetch_value("SELECT 1") == 1


async def test_a_wrong_statement_fails_every_read_of_its_group(town: Town) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):  # noqa: PT012  # the transaction is part of it
        async with transaction(town.system()), database.gathering() as reads:
            reads.start(database.rows(Named, "SELECT id, name FROM nothing_here"))
            reads.start(database.read_value(int, "SELECT 1"))


async def test_a_question_that_cannot_be_put_together_fails_its_group(town: Town) -> None:
    with pytest.raises(IndexError):  # noqa: PT012  # the transaction is part of it
        async with asyncio.timeout(20), transaction(town.system()), database.gathering() as reads:
            reads.start(database.read_value(int, "SELECT $2::integer", 1))
            reads.start(database.read_value(int, "SELECT 1"))


@pytest.fixture
async def notes(owner: asyncpg.Connection) -> AsyncIterator[str]:
    await owner.execute("CREATE TABLE IF NOT EXISTS note (id integer PRIMARY KEY, said text, marks bytea[])")
    await owner.execute("TRUNCATE note; GRANT ALL ON note TO timebank_app")
    yield "note"
    await owner.execute("DROP TABLE note")


def note(number: int, said: str = "") -> database.Write:
    return change("INSERT INTO note (id, said) VALUES ($1, $2)", number, said)


async def test_queued_writes_are_one_statement_before_the_commit(
    town: Town, tmp_path: Path, notes: str, owner: asyncpg.Connection
) -> None:
    async with counted(tmp_path) as wire:
        await wire.renew()
        async with transaction(town.system()):
            queue(note(1, "一"), note(2, "二"))
            queue(change("UPDATE note SET said = $2 WHERE id = $1", 9, "九", rows=None))
            await audit.record(town.system(), "identify", "person", None)
            assert await database.fetch_value("SELECT count(*) FROM note") == 0
        assert len(wire) == 4, wire.listed()
    assert [row["said"] for row in await owner.fetch("SELECT said FROM note ORDER BY id")] == ["一", "二"]


async def test_queued_writes_of_a_transaction_that_fails_are_not_sent(
    town: Town, notes: str, owner: asyncpg.Connection
) -> None:
    with pytest.raises(ValueError, match="no"):  # noqa: PT012  # the transaction is part of it
        async with transaction(town.system()):
            queue(note(1))
            raise ValueError("no")
    assert await owner.fetchval("SELECT count(*) FROM note") == 0


async def test_a_queued_write_that_finds_its_row_changed_rolls_everything_back(
    town: Town, notes: str, owner: asyncpg.Connection
) -> None:
    with pytest.raises(RanIntoAnother):
        async with transaction(town.system()):
            queue(note(1), change("UPDATE note SET said = $2 WHERE id = $1 AND said = 'before'", 5, "after"))
    assert await owner.fetchval("SELECT count(*) FROM note") == 0


async def test_a_verb_whose_guard_fails_is_run_again(town: Town, notes: str, owner: asyncpg.Connection) -> None:
    tries: list[int] = []

    @database.retried
    async def verb() -> None:
        tries.append(len(tries))
        if len(tries) == 2:  # another request has written the row meanwhile
            await owner.execute("INSERT INTO note (id, said) VALUES (1, 'a')")
        async with transaction(town.system()):
            queue(change("UPDATE note SET said = 'b' WHERE id = 1 AND said = 'a'"))

    await verb()
    assert await owner.fetchval("SELECT said FROM note WHERE id = 1") == "b"
    assert len(tries) == 2
    with pytest.raises(Busy):
        await verb()


async def test_what_is_queued_in_a_part_that_fails_is_dropped_and_the_rest_stays(
    town: Town, notes: str, owner: asyncpg.Connection
) -> None:
    async with transaction(town.system()):
        queue(note(1))
        with pytest.raises(ValueError, match="no"):  # noqa: PT012  # the transaction is part of it
            async with database.savepoint():
                queue(note(2))
                raise ValueError("no")
        async with database.savepoint():
            queue(note(3))
        assert await database.fetch_value("SELECT count(*) FROM note") == 2
    assert [row["id"] for row in await owner.fetch("SELECT id FROM note ORDER BY id")] == [1, 3]


async def test_many_queued_writes_are_sent_in_parts(town: Town, notes: str, owner: asyncpg.Connection) -> None:
    async with transaction(town.system()):
        for number in range(65):
            queue(note(number))
    assert await owner.fetchval("SELECT count(*) FROM note") == 65


async def test_arrays_of_a_row_are_written_as_they_are(town: Town, owner: asyncpg.Connection) -> None:
    now, login = clock.now(), clock.new_id()
    row = Visit(
        community_id=town.community, id=clock.new_id(), person_id=town.people["刘洋"],
        station_id=town.stations["暖蜂驿站"], activity_id=None, shift_id=None, in_at=now, out_at=None, status="open",
        in_by="card", out_by=None, flags=["own_card", 'a "quoted", {one}\\'], opens_at=now.time(), closes_at=now.time(),
        in_by_login=None, out_by_login=None, marks=[b"\x00\xff", b""], in_address=b"\x01", read_by=[login],
    )  # fmt: skip
    async with transaction(town.system()):
        queue(database.insert(row))
    (found,) = await owner.fetch("SELECT flags, marks, read_by, in_address FROM visit")
    assert found["flags"] == ["own_card", 'a "quoted", {one}\\']
    assert (found["marks"], found["read_by"], found["in_address"]) == ([b"\x00\xff", b""], [login], b"\x01")


async def test_outside_a_transaction_nothing_is_queued() -> None:
    with pytest.raises(RuntimeError, match="outside a transaction"):
        queue(note(1))
