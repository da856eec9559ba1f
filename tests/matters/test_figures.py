"""The three figures of matters, held to a list of 355 whose answers were worked out by hand, and to recounts."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matters.ground import CATEGORIES, Given, add_categories, add_grids, add_matters, add_steps
from tests.support.switches import switch_on
from tests.support.town import SPRING, Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden
from timebank.http.callers import SESSION_COOKIE
from timebank.matters.figures.counting import count_days, count_matters, monday_of
from timebank.matters.figures.reading import matter_figures
from timebank.matters.figures.schemas import By, FigurePeriod, FigureRow

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
TODAY = date(2026, 6, 30)
FIRST, LAST = date(2026, 5, 1), TODAY
OLD = date(2026, 5, 20)  # whose third day is long over


def the_355(grids: Sequence[UUID], reporter: UUID) -> list[Given]:
    """67 grids, 355 matters, 296 of them finished.

    35 were refused, withdrawn or merged: 320 count. The third day of 300 of these is over: 150 were done on the day of
    receipt (50 %), 90 more on the next (80 %), 45 more on the third (95 %), 11 later, and 4 are still open and late.
    20 came in the last three days and are open. Of the 296 finished, 120 residents were asked: 70 said solved, 10 not.
    """
    ended = [*["refused"] * 20, *["withdrawn"] * 15]
    finished = [*[0] * 150, *[1] * 90, *[2] * 45, *[9] * 11]
    answers = [*[True] * 70, *[False] * 10, *[None] * 40]
    given = [Given(area_id=grids[0], received_on=OLD, status=status) for status in ended]
    for n, days in enumerate(finished):
        asked = n < len(answers)
        given.append(
            Given(
                area_id=grids[0], received_on=OLD + timedelta(days=n % 20), done_on=OLD + timedelta(days=n % 20 + days),
                status="closed" if n % 3 else "done", reporter_id=reporter if asked else None,
                solved=answers[n] if asked else None,
            )
        )  # fmt: skip
    given += [Given(area_id=grids[0], received_on=OLD, status="dispatched") for _ in range(4)]
    given += [Given(area_id=grids[0], received_on=TODAY - timedelta(days=n % 3)) for n in range(20)]
    for n, one in enumerate(given):
        one.area_id, one.category = grids[n % len(grids)], CATEGORIES[n % 3]
        one.kind = ("report", "event", "order", "pledge")[n % 4]
    return given


def counted_by_hand(given: Sequence[Given]) -> dict[str, int]:
    """The figures of these matters by their definition, one matter after the other."""
    here = [one for one in given if one.kind != "wish"]
    kept = [one for one in here if one.status not in ("refused", "merged", "withdrawn")]
    mature = [one for one in kept if one.received_on + timedelta(days=2) < TODAY]
    asked = [one for one in kept if one.done_days is not None and one.reporter_id is not None]
    return {
        "received": len(here), "mature": len(mature),
        **{f"done{n}": sum(one.done_days is not None and one.done_days <= n for one in mature) for n in range(3)},
        "open": sum(one.status in ("received", "dispatched", "accepted") for one in kept),
        "open_late": sum(one.done_days is None and one.received_at + timedelta(days=1) < NOON for one in kept),
        "reopened": sum(one.reopens > 0 for one in kept), "returned": sum(one.returns > 0 for one in kept),
        "asked": len(asked), "answered": sum(one.solved is not None for one in asked),
        "solved": sum(one.solved is True for one in asked),
    }  # fmt: skip


def of(row: FigureRow) -> dict[str, int]:
    return {field: getattr(row, field) for field in FigureRow.__struct_fields__ if field not in ("subject", "name")}


@pytest.fixture
async def ground(town: Town, owner: asyncpg.Connection) -> list[Given]:
    await add_categories(owner, town.community)
    given = the_355(await add_grids(owner, town.community, 67), town.people["张桂兰"])
    with clock.at(NOON):
        await add_matters(owner, town.community, given)
        await count_matters(town.system())
    return given


async def read(town: Town, by: By, name: str = "赵丽") -> dict[str, FigureRow]:
    with clock.at(NOON):
        found = await matter_figures(await town.scope(name), by, FIRST, LAST)
    return {row.subject: row for row in found.rows} | {"": found.total}


async def test_355_matters_of_67_grids(town: Town, ground: list[Given]) -> None:
    with clock.at(NOON):
        found = await matter_figures(await town.scope("赵丽"), "grid", FIRST, LAST)
    assert len(ground) == 355
    assert of(found.total) == {
        "received": 355, "mature": 300, "done0": 150, "done1": 240, "done2": 285, "open": 24,
        "open_late": 4 + 13, "reopened": 0, "returned": 0, "asked": 120, "answered": 80, "solved": 70,
    }  # fmt: skip
    assert (found.targets.done0, found.targets.done1, found.targets.done2) == (50, 80, 95)
    assert len(found.rows) == 67
    grids = {str(one.area_id) for one in ground}
    assert {row.subject: of(row) for row in found.rows} == {
        grid: counted_by_hand([one for one in ground if str(one.area_id) == grid]) for grid in grids
    }


async def test_each_way_to_divide_them_has_the_same_sum(town: Town, ground: list[Given]) -> None:
    whole = counted_by_hand(ground)
    for by in ("grid", "community", "street", "category", "unit"):
        assert of((await read(town, by))[""]) == whole, by
    by_category = await read(town, "category")
    for code in CATEGORIES:
        assert of(by_category[code]) == counted_by_hand([one for one in ground if one.category == code])


async def test_a_count_after_random_changes_of_old_days_equals_a_count_from_the_beginning(
    town: Town, owner: asyncpg.Connection, ground: list[Given]
) -> None:
    chance = random.Random(7)
    with clock.at(NOON + timedelta(minutes=30)):
        assert await count_matters(town.system()) > 0  # what may not have been committed is counted once more
        changed = chance.sample([one for one in ground if one.status in ("done", "closed")], 60)
        for one in changed:
            one.status, one.done_on, one.reopens = chance.choice([("dispatched", None, 1), ("done", TODAY, 1)])
            done = None if one.done_on is None else NOON
            await owner.execute(
                "UPDATE matter SET status = $2, done_at = $3, done_days = $4, reopens = 1, closed_at = NULL "
                "WHERE id = $1",
                one.id, one.status, done, one.done_days,
            )  # fmt: skip
            one.solved = None  # what was said of the first time does not count for the second
        await add_steps(owner, town.community, changed)
        assert await count_matters(town.system()) == len({one.received_on for one in changed})
        kept = await rows_of(owner)
        scope = town.system()
        async with transaction(scope):
            for table in ("matter_tally", "matter_tally_week"):
                await database.execute(f"DELETE FROM {table} WHERE community_id = $1", town.community)
            await count_days(scope, sorted({one.received_on for one in ground}))
        assert await rows_of(owner) == kept
    for by in ("grid", "category"):
        assert of((await read(town, by))[""]) == counted_by_hand(ground)
    with clock.at(NOON + timedelta(hours=2)):
        await count_matters(town.system())
        assert await count_matters(town.system()) == 0  # nothing is counted for ever


async def rows_of(owner: asyncpg.Connection) -> list[tuple[object, ...]]:
    """What is stored of each day and of each week, of which one is the sum of its days."""
    days = await owner.fetch("SELECT * FROM matter_tally ORDER BY community_id, day, subject_kind, subject")
    weeks = await owner.fetch("SELECT * FROM matter_tally_week ORDER BY community_id, week, subject_kind, subject")
    summed: dict[tuple[object, ...], list[int]] = {}
    for community, day, kind, subject, *counts in map(tuple, days):
        week = summed.setdefault((community, monday_of(day), kind, subject), [0] * len(counts))
        week[:] = [one + more for one, more in zip(week, counts, strict=True)]
    assert {tuple(row)[:4]: list(row)[4:] for row in weeks} == summed
    return [tuple(row) for row in (*days, *weeks)]


async def test_any_period_is_read_as_the_sum_of_its_days(
    town: Town, owner: asyncpg.Connection, ground: list[Given]
) -> None:
    """From any day of a week to any other: days alone, whole weeks alone, and whole weeks between days."""
    scope = await town.scope("赵丽")
    for begins in range(8):
        for days in (*range(9), 13, 14, 20, 27, (LAST - FIRST).days - begins):
            first = FIRST + timedelta(days=begins)
            last = first + timedelta(days=days)
            here = [one for one in ground if first <= one.received_on <= last]
            with clock.at(NOON):
                total = (await matter_figures(scope, "category", first, last)).total
            by_hand = counted_by_hand(here)
            for measure in ("received", "mature", "done0", "done1", "done2", "reopened", "asked", "answered", "solved"):
                assert getattr(total, measure) == by_hand[measure], (first, last, measure)


async def test_who_reads_which_figures(town: Town, ground: list[Given]) -> None:
    with clock.at(NOON):
        for nobody in ("张桂兰", "周敏", "王建国"):
            with pytest.raises(Forbidden):
                await matter_figures(await town.scope(nobody), "grid", FIRST, LAST)
        worker = await matter_figures(await town.scope("陈明"), "grid", FIRST, LAST)
        assert worker.rows == []  # nothing happened in the worker's own grid
        with pytest.raises(Forbidden):
            await matter_figures(await town.scope("陈明"), "category", FIRST, LAST)
        elsewhere = await matter_figures(await town.scope("何静"), "community", FIRST, LAST)
        assert elsewhere.rows == []
        county = await matter_figures(await town.scope("吴昊"), "community", FIRST, LAST)
        assert [(row.name, row.received) for row in county.rows] == [("凤凰社区", 355)]
        for first, last in ((LAST, FIRST), (date(2024, 1, 1), LAST)):
            with pytest.raises(FigurePeriod):
                await matter_figures(await town.scope("赵丽"), "grid", first, last)


async def test_two_workers_at_once_count_the_same(town: Town, owner: asyncpg.Connection, ground: list[Given]) -> None:

    kept = await rows_of(owner)
    await owner.execute("DELETE FROM matter_tally; DELETE FROM matter_tally_week; DELETE FROM matter_counted")
    with clock.at(NOON):
        await asyncio.gather(*(count_matters(town.system()) for _ in range(4)))
    assert await rows_of(owner) == kept
    assert (await owner.fetchval("SELECT count(*) FROM matter_counted")) == 1
    assert SPRING not in {row.name for row in (await read(town, "community")).values()}


async def test_the_page_of_figures_says_what_was_reached(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, ground: list[Given]
) -> None:
    admin = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}
    address = f"/admin/figures/matters?by=category&since={FIRST}&until={LAST}"
    with clock.at(NOON):
        assert (await client.get(address, headers=admin)).status_code == 404  # nobody has switched matters on here
        await switch_on(owner, town.community, "matters")
        page = (await client.get(address, headers=admin)).text
        english = (await client.get(address, headers=admin | {"Accept-Language": "en"})).text
    for shown in (
        "300 件里的 150 件",
        "300 件里的 240 件",
        "300 件里的 285 件",
        "目标 95%",
        "其中超时 17 件",
        "80 / 120",
    ):
        assert shown in page
    assert page.count("category=manhole") >= 1
    assert "150 of 300" in english
