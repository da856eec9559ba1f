"""A statement by month: each month's sums are those of its rows, filtered by what an entry did."""

import re
from datetime import UTC, date, datetime
from html import unescape
from itertools import pairwise

import httpx
import pytest

from tests.support.shop import Browser, browser, reserve
from tests.support.town import Town
from timebank.core import clock
from timebank.ledger import posting
from timebank.ledger.months.reading import AskedMonth, Month, month_of_statement
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.statement import Line, balances
from timebank.shop.cancelling import cancel

SEPTEMBER = datetime(2026, 9, 30, 15, 59, tzinfo=UTC)  # the last minute of September in the place
OCTOBER = datetime(2026, 9, 30, 16, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 20, 2, tzinfo=UTC)
AMOUNT = re.compile(r'<span class="row-amount[^"]*">([+−][\d,]+) 分')
SUM = re.compile(r'<a href="([^"]+)"(?: aria-current="true")?><span>([^<]+)</span><strong>([+−]?[\d,]+) 分')


async def _give(town: Town, name: str, points: int) -> None:
    note = Posting(kind="donation", key=f"donation:{clock.new_id()}", source_kind="donation", source_id=clock.new_id())
    await posting.spend(town.system(), town.people[name], points, note, to="donated")


@pytest.fixture
async def lived(town: Town, client: httpx.AsyncClient) -> Town:
    """张桂兰 earns on both sides of midnight on the last of September; in November she gives, reserves and cancels."""
    with clock.at(SEPTEMBER):
        await town.credit_deed("张桂兰", 40)
    with clock.at(OCTOBER):
        await town.credit_deed("张桂兰", 100)
    with clock.at(NOVEMBER):
        await town.credit_deed("张桂兰", 60)
        await _give(town, "张桂兰", 15)
        made = await reserve(client, town, "张桂兰", "香皂")
        assert made.status_code < 300, made.text
        await cancel(await town.scope("张桂兰"), made.json()["id"])
    return town


async def _month(town: Town, **asked: object) -> Month:
    scope = await town.scope("张桂兰")
    return await month_of_statement(scope, town.people["张桂兰"], Currency.point, AskedMonth(**asked))  # type: ignore[arg-type]  # a test's words


async def test_a_month_ends_at_midnight_of_the_place(lived: Town) -> None:
    september, october = await _month(lived, first=date(2026, 9, 1)), await _month(lived, first=date(2026, 10, 1))
    assert [line.amount for line in september.lines.items] == [40]
    assert [line.amount for line in october.lines.items] == [100]
    assert not september.has_balances


async def test_the_newest_month_is_shown_first_with_the_balance_after_each_entry(lived: Town) -> None:
    shown = await _month(lived)
    assert shown.first == date(2026, 11, 1)
    assert shown.has_balances
    has = await balances(lived.system(), lived.people["张桂兰"], [])
    lines = shown.lines.items
    assert lines[0].balance == has.points.available
    for newer, older in pairwise(lines):
        assert newer.balance - newer.amount == older.balance
    assert lines[-1].balance - lines[-1].amount == 140


async def test_the_sums_of_a_month_are_those_of_its_rows(lived: Town) -> None:
    for first in (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1), date(2026, 8, 1)):
        whole = await _month(lived, first=first)
        assert whole.change == sum(line.amount for line in whole.lines.items)
        for sort in ("earned", "spent", "expired", "returned"):
            part = await _month(lived, first=first, sort=sort)
            assert whole.changes.get(sort, 0) == sum(line.amount for line in part.lines.items), sort
            assert part.changes == whole.changes
    november = await _month(lived, first=date(2026, 11, 1))
    assert november.changes["earned"] == 60
    assert november.changes["spent"] < -15
    assert november.changes["returned"] == -15 - november.changes["spent"]


async def test_pages_of_a_month_hold_each_entry_once(lived: Town) -> None:
    with clock.at(NOVEMBER):
        for _n in range(7):
            await _give(lived, "张桂兰", 1)
    scope, person = await lived.scope("张桂兰"), lived.people["张桂兰"]
    whole = await month_of_statement(scope, person, Currency.point, AskedMonth())
    found, cursor = list[Line](), None
    while True:
        part = await month_of_statement(scope, person, Currency.point, AskedMonth(), limit=3, cursor=cursor)
        found += part.lines.items
        cursor = part.lines.next
        if cursor is None:
            break
    assert found == list(whole.lines.items)


async def _amounts(who: Browser, path: str) -> int:
    return sum(map(_number, AMOUNT.findall(await who.see(path))))


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-").replace("+", ""))


async def test_each_sum_on_the_page_leads_to_the_rows_that_it_adds_up(lived: Town, client: httpx.AsyncClient) -> None:
    who = await browser(client, lived, "张桂兰")
    for month in ("", "2026-11", "2026-09"):
        page = await who.see(f"/statement?month={month}")
        sums = [(unescape(href), word, _number(value)) for href, word, value in SUM.findall(page)]
        assert {word for _, word, _ in sums} >= {"全部", "得到", "用掉"}
        for href, word, value in sums:
            assert await _amounts(who, href) == value, (month, word)


async def test_a_month_or_sort_that_there_is_not_is_left_out_of_the_question(
    lived: Town, client: httpx.AsyncClient
) -> None:
    who = await browser(client, lived, "张桂兰")
    for asked in ("month=2026-13", "month=9999-12", "month=1066-10", "month='", "sort=stolen", "month=&sort="):
        assert "2026年11月" in await who.see(f"/statement?{asked}"), asked
    assert "这个月没有" in await who.see("/statement?month=2020-02")
