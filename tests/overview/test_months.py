"""The figures of months: each equals the sum of the days, and of the entries, that its link leads to."""

import re
from datetime import date, timedelta

import asyncpg
import httpx
import pytest

from tests.ledger.test_ledger_check import live_a_little
from tests.support.presence import nine_o_clock, served
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound
from timebank.ledger.closing_days import close_day
from timebank.ledger.entries import entries_of_day
from timebank.ledger.months.turnover import Turnover, turnover_by_day, turnover_by_month
from timebank.overview.figures import count_figures
from timebank.overview.months import count_months, count_this_month, months_back, service_by_month, shares_of_month
from timebank.shop.shelves.costs import ShelfValue, cost_of, set_cost, shelf_value


@pytest.mark.parametrize(
    ("month", "back", "then"),
    [
        (date(2026, 11, 1), 0, date(2026, 11, 1)), (date(2026, 11, 1), 11, date(2025, 12, 1)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)), (date(2025, 12, 1), -1, date(2026, 1, 1)),
        (date(2026, 11, 1), 23, date(2024, 12, 1)),
    ],
)  # fmt: skip
def test_months_are_counted_over_the_end_of_a_year(month: date, back: int, then: date) -> None:
    assert months_back(month, back) == then


async def test_a_month_is_the_sum_of_its_days_and_a_day_of_its_entries(town: Town) -> None:
    await live_a_little(town)
    admin, today = await town.scope("赵丽"), clock.local_day()
    months = await turnover_by_month(admin, date(2000, 1, 1))
    assert months
    for month, total in months.items():
        days = await turnover_by_day(admin, month, months_back(month, -1))
        assert sum(days.values(), Turnover()) == total
        for day, of in days.items():
            assert day <= today + timedelta(days=8)
            entries = (await entries_of_day(admin, day, limit=200)).items
            assert sum(e.points for e in entries if e.kind in ("service", "deed", "conversion")) >= of.issued
            assert entries
    assert sum(each.issued for each in months.values()) > 500


async def test_a_closed_day_and_an_open_one_are_told_alike(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("张桂兰", 30)
    admin, today = await town.scope("赵丽"), clock.local_day()
    before = await turnover_by_day(admin, today, today + timedelta(days=1))
    assert before == {today: Turnover(issued=30)}
    # Earlier days are closed, as the worker does each night; today is read from its transfers.
    assert await close_day(town.system(), today - timedelta(days=1))
    assert await turnover_by_day(admin, today, today + timedelta(days=1)) == before
    await owner.execute(
        "INSERT INTO day_total (community_id, day, currency, bucket, given, taken, transfers) "
        "VALUES ($1, $2, 'point', 'issued', 12, 2, 3), ($1, $3, 'point', 'donated', 0, 1, 1)",
        town.community, months_back(today.replace(day=1), 2), today - timedelta(days=1),
    )  # fmt: skip
    months = await turnover_by_month(admin, months_back(today.replace(day=1), 3))
    assert months == {months_back(today.replace(day=1), 2): Turnover(issued=10), today.replace(day=1): Turnover(30)}


async def test_pages_of_entries_of_a_day_go_on_where_the_last_one_ended(town: Town) -> None:
    for points in range(1, 6):
        await town.credit_deed("张桂兰", points)
    admin, found, cursor = await town.scope("赵丽"), [], None
    while True:
        part = await entries_of_day(admin, clock.local_day(), limit=2, cursor=cursor)
        found += [entry.points for entry in part.items]
        if (cursor := part.next) is None:
            break
    assert found == [5, 4, 3, 2, 1]
    assert not (await entries_of_day(admin, clock.local_day() - timedelta(days=1))).items


async def test_an_hour_that_is_taken_back_leaves_the_month_in_which_it_was_served(
    town: Town, owner: asyncpg.Connection
) -> None:
    await served(town, "张桂兰", 125)
    await count_this_month(town.system())
    admin = await town.scope("赵丽")
    month = clock.local_day(nine_o_clock(0)).replace(day=1)
    counted = await service_by_month(admin, months_back(month, 2))
    assert sum(each.minutes for each in counted.values()) == 125
    (served_in,) = counted
    shares = await shares_of_month(admin, served_in)
    assert {share.kind: (share.minutes, share.people, share.points) for share in shares} == {
        "activity": (125, 1, 20), "station": (125, 1, 20), "area": (125, 1, 20),
    }  # fmt: skip
    assert {share.name for share in shares} >= {"暖蜂驿站", "第一网格"}
    await owner.execute("UPDATE service_record SET status = 'reversed'")
    await count_months(town.system())
    assert await service_by_month(admin, months_back(month, 2)) == {}
    assert await shares_of_month(admin, served_in) == []


async def test_what_the_shelves_are_worth(town: Town, owner: asyncpg.Connection) -> None:
    admin, soap = await town.scope("赵丽"), town.goods["香皂"]
    bare = await shelf_value(admin)
    assert (bare.fen, bare.priced_points, bare.fen_of(100)) == (0, 0, None)
    assert await cost_of(admin, soap) is None
    await set_cost(admin, soap, 250)
    await set_cost(admin, soap, 250)
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'set_good_cost'") == 1
    stocked, points = await owner.fetchrow(
        "SELECT sum(s.quantity), max(g.points) FROM stock s JOIN good g ON g.id = s.good_id WHERE g.id = $1", soap
    )  # type: ignore[misc]  # an aggregate has one row
    worth = await shelf_value(admin)
    assert worth == ShelfValue(bare.points, stocked * points, stocked * 250)
    assert worth.fen_of(points) == 250
    await set_cost(admin, soap, None)
    assert await shelf_value(admin) == bare
    with pytest.raises(NotFound):
        await set_cost(admin, clock.new_id(), 1)
    for name in ("张桂兰", "周敏", "孙伟"):
        with pytest.raises(Forbidden):
            await set_cost(await town.scope(name), soap, 1)


async def test_each_figure_leads_to_its_list(town: Town, client: httpx.AsyncClient) -> None:
    """From the overview to the month, to the day, to the entries: the same number on every page."""
    await town.credit_deed("张桂兰", 37)
    await count_figures(town.system())
    await count_this_month(town.system())
    admin, month = await browser(client, town, "赵丽"), clock.local_day().replace(day=1)
    overview = await admin.see("/admin")
    issued = re.search(rf'<a href="/admin/months/{month}">[^<]*</a></th><td class="is-amount">37</td>', overview)
    assert issued, overview
    of_month = await admin.see(f"/admin/months/{month}")
    assert f'href="/admin/months/days/{clock.local_day()}"' in of_month
    assert "37 分" in of_month
    of_day = await admin.see(f"/admin/months/days/{clock.local_day()}")
    entries = re.findall(r'href="(/admin/ledger/[0-9a-f-]{36})"', of_day)
    assert len(entries) == 1
    assert "+37 分" in await admin.see(entries[0])


@pytest.mark.parametrize("path", ["2026-11-02", "1999-12-01", "2999-01-01", "days/2999-01-01", "days/1999-01-01"])
async def test_a_month_or_a_day_that_no_book_has_is_not_found(town: Town, client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(f"/admin/months/{path}", headers=await town.sign_in("赵丽"))
    assert page.status_code == 404
