"""Figures that need the whole history are counted by the worker, stored, and shown with the time of counting."""

import asyncio
from datetime import date, time, timedelta

import httpx
import pytest

from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.overview.figures import count_figures, figures


async def test_the_panel_shows_what_was_counted_last_and_when(town: Town, client: httpx.AsyncClient) -> None:
    admin = await browser(client, town, "赵丽")
    assert "正在统计，请过几分钟再看" in await admin.see("/admin")
    assert await figures(await town.scope("赵丽")) is None
    await count_figures(town.system())
    counted = await figures(await town.scope("赵丽"))
    assert counted is not None
    assert (counted.expiring, counted.people_this_month) == (0, 0)
    page = await admin.see("/admin")
    assert "统计" in page
    assert "正在统计" not in page


async def test_points_that_expire_this_year_and_who_served_this_month_are_counted(town: Town) -> None:
    await town.credit_deed("张桂兰", 30)
    await count_figures(town.system())
    this_year = await figures(await town.scope("赵丽"))
    assert this_year is not None
    assert this_year.expiring == 0
    with clock.at(clock.now() + timedelta(days=366)):
        await count_figures(town.system())
        next_year = await figures(await town.scope("赵丽"))
    assert next_year is not None
    assert next_year.expiring == 30


@pytest.mark.parametrize(
    ("counted_on", "shown_on"), [(date(2027, 12, 31), date(2028, 1, 1)), (date(2027, 2, 28), date(2027, 3, 1))]
)
async def test_after_midnight_no_figure_of_the_month_or_year_before_is_shown(
    town: Town, client: httpx.AsyncClient, counted_on: date, shown_on: date
) -> None:
    """Figures counted at 23:55 are not shown at 00:05: until the worker runs, the page says that it is counting."""
    with clock.at(clock.at_local(counted_on, time(23, 55))):
        admin = await browser(client, town, "赵丽")
        await town.credit_deed("张桂兰", 30)
        await count_figures(town.system())
        before = await figures(await town.scope("赵丽"))
        assert before is not None
        assert before.expiring == 0
        assert "正在统计" not in await admin.see("/admin")
    with clock.at(clock.at_local(shown_on, time(0, 5))):
        assert await figures(await town.scope("赵丽")) is None
        assert "正在统计，请过几分钟再看" in await admin.see("/admin")
        await count_figures(town.system())
        after = await figures(await town.scope("赵丽"))
        assert after is not None
        assert after.expiring == (30 if shown_on.month == 1 else 0)
        assert "正在统计" not in await admin.see("/admin")


async def test_of_two_counts_the_later_stays(town: Town) -> None:
    now = clock.now()
    with clock.at(now):
        await count_figures(town.system())
    with clock.at(now - timedelta(minutes=5)):
        await count_figures(town.system())
    kept = await figures(await town.scope("赵丽"))
    assert kept is not None
    assert kept.counted_at == now
    await asyncio.gather(*(count_figures(town.system()) for _ in range(4)))


async def test_only_who_reads_the_books_sees_them(town: Town) -> None:
    for name in ("张桂兰", "周敏"):
        with pytest.raises(Forbidden):
            await figures(await town.scope(name))
