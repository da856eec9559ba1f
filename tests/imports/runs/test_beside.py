"""Nobody at a station, a counter or a phone waits for an import longer than for one batch of it: the database's own
list of locks is looked at while books are tried, taken in and taken back and their people come and go."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, table
from tests.imports.runs.test_runs import undo_begun
from tests.support.counter import PASSWORD
from tests.support.lock_watch import LockWatch, doing, watching
from tests.support.presence import card, later, nine_o_clock, scanned, station_code
from tests.support.shop import API, books_balance, key
from tests.support.town import Town, set_password
from timebank.core import clock, database, names, vault
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.imports.intake import Kind
from timebank.imports.reports import history
from timebank.imports.reports.report import Report
from timebank.imports.runs import runs
from timebank.imports.runs.undo import undo
from timebank.people.locks import lock_people
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.schemas import HoursIn

NEIGHBOURS = [first + last for first in "赵钱孙李周吴郑王冯陈" for last in "安宁平康和顺福禄寿喜"]
AT_THE_STATION = 6
TRIALS_MAX = 50
BATCHES_MET_MAX = 3
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
        return [
            LONG_AGO - timedelta(days=turn // 10),
            "站点值守",
            "",
            name,
            town.phones[name],
            f"{hour}:00",
            f"{hour}:45",
        ]

    return table(HOURS, *map(line, range(rows)))


def deeds_of(people: Sequence[str], rows: int) -> bytes:
    """So many deeds of these people, witnessed by each other."""
    day = clock.local_day()
    return table(
        DEEDS,
        *(
            [
                day - timedelta(days=n // len(people) + 1),
                people[n % len(people)],
                "3栋",
                "楼道卫生巡查",
                2,
                "",
                f"第{n}次",
            ]
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


async def at_the_station(
    town: Town, owner: asyncpg.Connection, people: Sequence[str], visits: list[str]
) -> list[Visitor]:
    """Two who scan the screen by their own phones, and others who show a card at the counter."""
    phones = [(await town.scope(name), partial(station_code, town)) for name in ("张桂兰", "王建国")]
    counter = await town.scope("周敏")
    shown = [await card(town, owner, name) for name in people]
    cards = [(counter, partial(str, code)) for code in shown]
    return [partial(comes_and_goes, scope, code, iter(range(1, 900)), visits) for scope, code in [*phones, *cards]]


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


async def tried(scope: Scope, kind: Kind, content: bytes, watch: LockWatch) -> Report:
    """The trial's report. A quick one may lie between two looks: it is made again until one falls on it."""
    for _ in range(TRIALS_MAX):
        with doing("trial"):
            report = await runs.import_file(scope, kind, f"{kind}.csv", content, dry_run=True, skip_bad=True)
        if "trial" in watch.seen_in:
            return report
    raise AssertionError("no look fell on a trial")


async def taken_in(scope: Scope, kind: Kind, content: bytes) -> Report:
    with doing("import"):
        return await runs.import_file(scope, kind, f"{kind}.csv", content, skip_bad=True)


async def last_run(scope: Scope) -> UUID:
    return (await history.runs(scope, limit=1)).items[0].id


async def taken_back(scope: Scope) -> None:
    with doing("undo"):
        await undo(scope, await last_run(scope))


def assert_nobody_waited_long(watch: LockWatch) -> None:
    """A visitor waits for a batch or two of a run, of its tens or hundreds, and for a trial not at all.

    Each transaction of an import is one batch. One batch is the rule. PostgreSQL may give a row that has just come free
    to the next batch before a visitor who slept is awake, so it may be a second or third, never the run.
    """
    assert watch.looks > 50
    assert {"visitor", "trial", "import", "undo"} <= set(watch.seen_in)
    assert watch.met("visitor", "trial") == []
    for what in ("import", "undo"):
        waited = watch.met("visitor", what)
        assert max(map(len, waited), default=0) <= BATCHES_MET_MAX, waited


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
            lambda: tried(admin, "deeds", deeds_of(people, 400), watch),
            lambda: taken_in(admin, "hours", hours_of(town, people, rows)),
            lambda: taken_back(admin),
        )
    assert (trial.outcome, trial.rows) == ("tried", 400)
    assert (run.outcome, run.created) == ("imported", rows)
    assert_nobody_waited_long(watch)
    assert watch.met("visitor", "import") == [], "hours hold no resident's row"
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == rows
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE kind = 'credit'") == len(visits) > 20
    assert await owner.fetchval("SELECT count(*) FROM scan WHERE status <> 'ok'") == 0
    await books_balance(owner)


async def test_nobody_waits_for_the_run_of_the_deeds_that_name_them(
    town: Town, owner: asyncpg.Connection, neighbours: Sequence[str], pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    admin, visits, people = await town.scope("赵丽"), list[str](), neighbours[:AT_THE_STATION]
    visitors = await at_the_station(town, owner, people, visits)
    book = deeds_of(["张桂兰", "王建国", *people], 1500)
    with watching(pool, monkeypatch) as watch:
        _, run, _ = await meanwhile(
            visitors, lambda: tried(admin, "deeds", book, watch), lambda: taken_in(admin, "deeds", book),
            lambda: taken_back(admin),
        )  # fmt: skip
    assert (run.outcome, run.created) == ("imported", 1500)
    assert_nobody_waited_long(watch)
    assert await owner.fetchval("SELECT count(*) FROM scan WHERE status <> 'ok'") == 0
    assert visits


async def signs_in(client: httpx.AsyncClient, town: Town, name: str) -> None:
    answer = await client.post(f"{API}/sessions", json={"phone": town.phones[name], "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    me = await client.get(f"{API}/me", headers={"Authorization": f"Bearer {answer.json()['token']}"})
    assert me.status_code == 200, me.text


async def test_a_roster_keeps_nobody_from_signing_in_or_checking_in_whom_it_names(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names people of the book with their phones, and brings their children, their neighbours and offices."""
    admin, visits = await town.scope("赵丽"), list[str]()
    for name in ("张桂兰", "王建国"):
        await set_password(town.logins[name], town.phones[name], PASSWORD)
    visitors = await at_the_station(town, owner, [], visits)
    visitors += [partial(signs_in, client, town, name) for name in ("张桂兰", "王建国")]
    known = [
        resident("张桂兰", phone=town.phones["张桂兰"], born="1958-03-12", room="101", note="楼栋长"),
        resident("王建国", phone=town.phones["王建国"], born="1960-05-04", unit="2单元", room="201", note="单元长"),
        resident("张小宝", born="2018-05-01", room="101", head="张桂兰", relation="孙子"),
    ]
    new = [resident(f"林{chr(0x4E00 + n)}", phone=f"1990001{n:04}", room=str(n % 40)) for n in range(400)]
    book = table(ROSTER, *known, *new)
    with watching(pool, monkeypatch) as watch:
        _, run, _ = await meanwhile(
            visitors, lambda: tried(admin, "residents", book, watch), lambda: taken_in(admin, "residents", book),
            lambda: taken_back(admin),
        )  # fmt: skip
    assert run.outcome == "imported"
    assert_nobody_waited_long(watch)
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'") == 0
    assert await owner.fetchval("SELECT count(*) FROM scan WHERE status <> 'ok'") == 0
    assert visits


async def test_whom_somebody_enters_hours_for_while_a_roster_is_taken_back_stays_or_is_gone(
    town: Town, owner: asyncpg.Connection, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, keeper = await town.scope("赵丽"), await town.scope("赵丽")
    book = table(ROSTER, *(resident(f"林{chr(0x4E00 + n)}", phone=f"1990001{n:04}") for n in range(400)))
    with doing("import"):
        await runs.import_file(admin, "residents", "a.csv", book, skip_bad=True)
    people = [row["id"] for row in await owner.fetch("SELECT id FROM person WHERE name LIKE '林%' ORDER BY id DESC")]
    coming, entered = iter(people[:150]), list[UUID]()

    async def enters_hours() -> None:
        person_id = next(coming, None)
        if person_id is None:
            return
        start = nine_o_clock()
        try:
            await enter_hours(
                keeper,
                HoursIn(person_id=person_id, started_at=start, ended_at=start + timedelta(hours=1), reason="忘带手机"),
            )
        except NotFound:
            return
        entered.append(person_id)

    await undo_begun(admin, await last_run(admin))
    with watching(pool, monkeypatch) as watch:
        await meanwhile([enters_hours] * 3, lambda: taken_back(admin))
    waited = watch.met("visitor", "undo")
    assert max(map(len, waited), default=0) <= 1
    stay = await owner.fetch("SELECT id FROM person WHERE name LIKE '林%'")
    assert {row["id"] for row in stay} == set(entered)
    notes = (await history.show_run(admin, await last_run(admin))).notes
    assert any(f"留下 {len(entered)} 位" in note for note in notes) == bool(entered)


async def reserves(
    client: httpx.AsyncClient, town: Town, name: str, goods: Iterator[UUID], answers: Counter[int]
) -> None:
    """Reserve a good and let it go again."""
    headers = await town.sign_in(name)
    wanted = {
        "person_id": str(town.people[name]), "good_id": str(next(goods)),
        "station_id": str(town.stations["暖蜂驿站"]), "quantity": 1,
    }  # fmt: skip
    answer = await client.post(f"{API}/redemptions", json=wanted, headers=headers | key())
    assert answer.status_code in (201, 404, 409, 422), answer.text
    answers[answer.status_code] += 1
    if answer.status_code == 201:
        back = await client.delete(f"{API}/redemptions/{answer.json()['id']}", headers=headers)
        assert back.status_code in (200, 204), back.text


async def test_a_list_of_goods_is_in_nobodys_way_who_redeems_the_same_goods(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Residents reserve what the list has just brought, and go on while it is taken back; the shelves add up."""
    admin, answers = await town.scope("赵丽"), Counter[int]()
    shelf: list[UUID] = [town.goods["香皂"]]

    def list_of(name: str) -> bytes:
        soap = ["香皂", "块", 8, 50, "慈善超市", 3]
        return table(GOODS, *([f"{name}{n}", "个", 5, 9, "暖蜂驿站", ""] for n in range(80)), soap)

    def any_good() -> Iterator[UUID]:
        while True:
            yield random.choice(shelf)

    async def look() -> None:
        found = await owner.fetch("SELECT id FROM good WHERE name LIKE '伞%' OR name LIKE '盆%'")
        shelf[1:] = [row["id"] for row in found]
        await asyncio.sleep(0.05)

    visitors: list[Visitor] = [look]
    for name in ("张桂兰", "王建国"):
        await town.credit_deed(name, 300)
        visitors.append(partial(reserves, client, town, name, any_good(), answers))
    with watching(pool, monkeypatch) as watch:
        _, run = await meanwhile(
            visitors,
            lambda: tried(admin, "goods", list_of("伞"), watch),
            lambda: taken_in(admin, "goods", list_of("伞")),
        )
        assert (run.outcome, run.created) == ("imported", 81)
        await taken_in(admin, "goods", list_of("盆"))
        await undo_begun(admin, await last_run(admin))
        await meanwhile(visitors, lambda: taken_back(admin))
    assert_nobody_waited_long(watch)
    assert answers[201] > 5
    off = (
        "SELECT count(*) FROM stock s WHERE s.quantity < 0 OR s.quantity <> (SELECT coalesce(sum(m.change), 0) "
        "FROM stock_move m WHERE m.good_id = s.good_id AND m.station_id = s.station_id)"
    )
    assert await owner.fetchval(off) == 0
    await books_balance(owner)


async def test_who_waits_for_a_lock_of_an_import_is_seen(
    town: Town, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tests above look with sees a wait where there is one."""
    scope = await town.scope("张桂兰")
    with watching(pool, monkeypatch) as watch:
        with doing("import"):
            holding = asyncio.create_task(_hold(town, watch))
        await asyncio.sleep(0.05)
        with doing("visitor"):
            verdict = await scanned(scope, station_code(town))
        await holding
    assert verdict.status == "ok"
    assert len(watch.met("visitor", "import")) == 1


async def _hold(town: Town, watch: LockWatch) -> None:
    async with database.transaction(town.system()):
        await lock_people(town.system(), [town.people["张桂兰"]])
        while not watch.waits:  # noqa: ASYNC110  # it is a thread that sees it
            await asyncio.sleep(0.01)
