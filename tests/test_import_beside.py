"""Nobody at a station, a counter or a phone waits for an import longer than for one batch of it: the database's own
list of locks is looked at while books are tried, taken in and taken back and their people come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.lock_watch import LockWatch, doing, watching
from tests.presence import card, later, nine_o_clock, scanned, station_code
from tests.shop import API, books_balance, key, stock_of
from tests.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, table
from tests.town import Town, set_password
from timebank import clock, names, vault
from timebank.imports import runs, undoing
from timebank.imports.intake import Kind
from timebank.imports.kinds import IMPORTERS
from timebank.imports.report import Report
from timebank.imports.undo import undo
from timebank.scope import Scope

NEIGHBOURS = [first + last for first in "赵钱孙李周吴郑王冯陈" for last in "安宁平康和顺福禄寿喜"]
AT_THE_STATION = 6
LONG_AGO = clock.local_day() - timedelta(days=340)  # before all that the visitors do meanwhile
Visitor = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture
async def neighbours(town: Town, owner: asyncpg.Connection) -> Sequence[str]:
    """A hundred residents behind the door of 张桂兰's neighbour, made by one statement."""
    phones = [f"1991{number:07}" for number in range(len(NEIGHBOURS))]
    people = {name: clock.new_id() for name in NEIGHBOURS}
    await owner.execute(
        "INSERT INTO person (community_id, id, household_id, name, name_key, pinyin, phone_index, phone_last4, "
        "publishes_name, status, code_epoch, created_at) SELECT $1, n.id, $2, n.name, n.key, n.key, n.phone, '0000', "
        "false, 'active', 1, now() FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[]) "
        "AS n (id, name, key, phone)",
        town.community, town.households["李秀英"], list(people.values()), NEIGHBOURS,
        [names.key(name) for name in NEIGHBOURS], [vault.blind_index(phone, "phone") for phone in phones],
    )  # fmt: skip
    town.people |= people
    town.phones |= dict(zip(NEIGHBOURS, phones, strict=True))
    town.home |= dict.fromkeys(NEIGHBOURS, town.community)
    await owner.execute("ANALYZE person")
    return NEIGHBOURS


def hours_of(town: Town, people: Sequence[str], rows: int) -> bytes:
    """So many hours of these people, none of which meets another."""

    def line(number: int) -> list[object]:
        name, turn = people[number % len(people)], number // len(people)
        hour = 8 + turn % 10
        return [LONG_AGO - timedelta(days=turn // 10), "站点值守", "", name, town.phones[name], f"{hour}:00", f"{hour}:45"]

    return table(HOURS, *map(line, range(rows)))


def deeds_of(people: Sequence[str], rows: int) -> bytes:
    """So many deeds of these people, witnessed by each other."""
    day = clock.local_day()
    return table(
        DEEDS,
        *(
            [day - timedelta(days=n // len(people) + 1), people[n % len(people)], "3栋", "楼道卫生巡查", 2, "", f"第{n}次"]
            for n in range(rows)
        ),
    )


async def comes_and_goes(scope: Scope, code: Callable[[], str], day: Iterator[int], visits: list[str]) -> None:
    """Check in and out again on a day of one's own: both scans are good, and the time is credited."""
    begin = nine_o_clock(next(day))
    with clock.at(begin):
        came = await scanned(scope, code())
    assert came.status == "ok", came.reason
    with later(begin, 30):
        left = await scanned(scope, code())
    assert (left.status, left.reason) == ("ok", None)
    assert left.credited is not None
    visits.append(came.status)


async def at_the_station(town: Town, owner: asyncpg.Connection, people: Sequence[str], visits: list[str]) -> list[Visitor]:
    """Two who scan the screen by their own phones, and others who show a card at the counter."""
    counter = await town.scope("周敏")
    found = []
    for name in ("张桂兰", "王建国"):
        found.append(partial(comes_and_goes, await town.scope(name), partial(station_code, town), iter(range(1, 900)), visits))
    for name in people:
        shown = await card(town, owner, name)
        found.append(partial(comes_and_goes, counter, lambda shown=shown: shown, iter(range(1, 900)), visits))
    return found


async def meanwhile(visitors: Sequence[Visitor], *steps: Callable[[], Coroutine[Any, Any, Any]]) -> list[Any]:
    """What the steps answer, one after the other, while each visitor does the same again and again."""
    ends = asyncio.Event()

    async def again(visitor: Visitor) -> None:
        while not ends.is_set():
            await visitor()
            await asyncio.sleep(0.03)

    with doing("visitor"):
        coming = [asyncio.create_task(again(visitor)) for visitor in visitors]
    try:
        return [await step() for step in steps]
    finally:
        ends.set()
        await asyncio.gather(*coming)


async def tried(scope: Scope, kind: Kind, content: bytes) -> Report:
    with doing("trial"):
        return await runs.import_file(scope, kind, f"{kind}.csv", content, dry_run=True, skip_bad=True)


async def taken_in(scope: Scope, kind: Kind, content: bytes) -> Report:
    with doing("import"):
        return await runs.import_file(scope, kind, f"{kind}.csv", content, skip_bad=True)


async def taken_back(scope: Scope, owner: asyncpg.Connection) -> None:
    run_id = await owner.fetchval("SELECT id FROM import_run ORDER BY started_at DESC LIMIT 1")
    with doing("undo"):
        await undo(scope, UUID(bytes=run_id.bytes))


def assert_nobody_waited_long(watch: LockWatch) -> None:
    """No transaction of a visitor is seen waiting for more than one of an import's: each of those is one batch.

    And a trial is in nobody's way at all.
    """
    assert watch.looks > 50
    assert {"visitor", "trial", "import", "undo"} <= set(watch.seen_in)
    assert watch.met("visitor", "trial") == []
    for what in ("import", "undo"):
        waited = watch.met("visitor", what)
        assert max(map(len, waited), default=0) <= 1, waited


async def assert_short_batches(owner: asyncpg.Connection, noun: str, batch: int) -> None:
    """Each transaction has written one batch of rows and no more."""
    most = await owner.fetchval(f"SELECT max(n) FROM (SELECT count(*) AS n FROM {noun} GROUP BY xmin) AS each")
    assert most <= batch


@pytest.mark.parametrize("rows", [2_000, pytest.param(10_000, marks=pytest.mark.torture)])
async def test_nobody_waits_at_a_station_while_their_books_are_tried_taken_in_and_taken_back(
    town: Town, owner: asyncpg.Connection, neighbours: Sequence[str], pool: str, monkeypatch: pytest.MonkeyPatch,
    rows: int,
) -> None:  # fmt: skip
    """A trial of 400 deeds, a run of very many hours, and its undoing, whose people check in and out all the time."""
    admin, visits = await town.scope("赵丽"), list[str]()
    visitors = await at_the_station(town, owner, neighbours[:AT_THE_STATION], visits)
    people = ["张桂兰", "王建国", *neighbours]
    with watching(pool, monkeypatch) as watch:
        trial, run, _ = await meanwhile(
            visitors,
            lambda: tried(admin, "deeds", deeds_of(people, 400)),
            lambda: taken_in(admin, "hours", hours_of(town, people, rows)),
            lambda: taken_back(admin, owner),
        )
    assert (trial.outcome, trial.rows) == ("tried", 400)
    assert (run.outcome, run.created) == ("imported", rows)
    assert_nobody_waited_long(watch)
    assert watch.met("visitor", "import") == [], "hours hold no resident's row"
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == rows
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE kind = 'credit'") == len(visits) > 20
    assert await owner.fetchval("SELECT count(*) FROM scan WHERE status <> 'ok'") == 0
    await books_balance(owner)


async def test_nobody_waits_for_more_than_a_batch_of_the_deeds_that_name_them(
    town: Town, owner: asyncpg.Connection, neighbours: Sequence[str], pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    admin, visits, people = await town.scope("赵丽"), list[str](), neighbours[:AT_THE_STATION]
    visitors = await at_the_station(town, owner, people, visits)
    book = deeds_of(["张桂兰", "王建国", *people], 1500)
    with watching(pool, monkeypatch) as watch:
        _, run, _ = await meanwhile(
            visitors, lambda: tried(admin, "deeds", book), lambda: taken_in(admin, "deeds", book),
            lambda: taken_back(admin, owner),
        )  # fmt: skip
    assert (run.outcome, run.created) == ("imported", 1500)
    assert_nobody_waited_long(watch)
    assert await owner.fetchval("SELECT count(*) FROM scan WHERE status <> 'ok'") == 0
    assert visits
