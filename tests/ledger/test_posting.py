"""The ledger's functions without concurrency: postings, refusals and replays."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.support.town import SPRING, Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.ledger import closing_days as book_days
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import AlreadyReversed, HoldClosed, Insufficient, LedgerKeyReused, NotReversible
from timebank.ledger.statement import balances, statement


def note(kind: str, key: str, source: UUID | None = None) -> Posting:
    return Posting(kind=kind, key=key, source_kind="test", source_id=source or UUID(int=7), memo="因为测试")


async def available(town: Town, name: str) -> int:
    return (await balances(town.system(), town.people[name], [])).points.available


async def test_the_same_key_again_moves_nothing(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    first = await posting.issue(scope, zhang, Currency.point, 10, note("deed", "k"))
    again = await posting.issue(scope, zhang, Currency.point, 10, note("deed", "k"))
    assert (again.entry_id, again.replayed, first.replayed) == (first.entry_id, True, False)
    assert await available(town, "张桂兰") == 10


async def test_the_same_key_for_another_amount_is_refused(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await posting.issue(scope, zhang, Currency.point, 10, note("deed", "k"))
    with pytest.raises(LedgerKeyReused):
        await posting.issue(scope, zhang, Currency.point, 11, note("deed", "k"))
    assert await available(town, "张桂兰") == 10


async def test_six_minutes_make_a_point_and_the_rest_stays_as_minutes(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    until = date(2027, 12, 31)
    earned = await posting.earn(scope, zhang, 135, 6, note("service", "a"), expires_on=until)
    assert (earned.points, earned.minutes_left) == (22, 3)
    earned = await posting.earn(scope, zhang, 3, 6, note("service", "b"), expires_on=until)
    assert (earned.points, earned.minutes_left) == (1, 0)
    again = await posting.earn(scope, zhang, 135, 6, note("service", "a"), expires_on=until)
    assert (again.points, again.replayed) == (22, True)
    assert await available(town, "张桂兰") == 23


async def test_the_earliest_expiry_is_spent_first_and_a_void_returns_it_there(town: Town) -> None:
    today = clock.local_day()
    soon, late = today + timedelta(days=3), today + timedelta(days=400)
    await town.give_points("张桂兰", 5, expires_on=late)
    await town.give_points("张桂兰", 4, expires_on=soon)
    scope, zhang = town.system(), town.people["张桂兰"]
    held = await posting.hold(scope, zhang, 6, note("hold", "h"))
    state = (await balances(scope, zhang, [])).points
    assert (state.available, state.held, [(e.on, e.amount) for e in state.expiring]) == (3, 6, [(late, 3)])
    await posting.void(scope, held.entry_id, note("void", "v"))
    state = (await balances(scope, zhang, [])).points
    assert [(e.on, e.amount) for e in state.expiring] == [(soon, 4), (late, 5)]


async def test_points_past_their_day_cannot_be_spent_and_expire_once(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    yesterday = clock.local_day() - timedelta(days=1)
    await town.give_points("张桂兰", 4, expires_on=yesterday)
    await town.give_points("张桂兰", 5)
    with pytest.raises(Insufficient) as refusal:
        await posting.hold(scope, zhang, 6, note("hold", "h"))
    assert (refusal.value.values["needed"], refusal.value.values["available"]) == (6, 5)
    await book_days.announce(scope, zhang, Currency.point, yesterday, 4)
    await book_days.close_until(scope, yesterday, confirmed=True)
    assert await book_days.expire(scope) == 1
    assert await book_days.expire(scope) == 0
    lines = await statement(scope, zhang, Currency.point)
    assert [(line.kind, line.amount, line.balance) for line in lines.items] == [
        ("expiry", -4, 5),
        ("deed", 5, 9),
        ("deed", 4, 4),
    ]


async def test_a_hold_ends_once(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    held = await posting.hold(scope, zhang, 6, note("hold", "h"))
    await posting.capture(scope, held.entry_id, note("settle", "s"))
    with pytest.raises(HoldClosed):
        await posting.void(scope, held.entry_id, note("void", "v"))
    state = (await balances(scope, zhang, [])).points
    assert (state.available, state.held) == (4, 0)


async def test_a_reversal_of_spent_points_leaves_a_debt_that_later_earnings_repay(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    given = await posting.issue(scope, zhang, Currency.point, 10, note("deed", "d"), expires_on=date(2027, 12, 31))
    await posting.spend(scope, zhang, 7, note("donation", "s"), to="donated")
    reversal = await posting.reverse(scope, given.entry_id, note("reversal", "r"))
    assert (reversal.taken, reversal.owed) == (3, 7)
    again = await posting.reverse(scope, given.entry_id, note("reversal", "r"))
    assert (again.taken, again.owed, again.replayed) == (3, 7, True)
    with pytest.raises(AlreadyReversed):
        await posting.reverse(scope, given.entry_id, note("reversal", "r2"))
    await town.give_points("张桂兰", 5)
    assert (await balances(scope, zhang, [])).owed == 2
    await town.give_points("张桂兰", 5)
    state = await balances(scope, zhang, [])
    assert (state.points.available, state.owed) == (3, 0)


async def test_a_reversal_is_not_reversed(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    given = await posting.issue(scope, zhang, Currency.point, 10, note("deed", "d"))
    reversal = await posting.reverse(scope, given.entry_id, note("reversal", "r"))
    with pytest.raises(NotReversible):
        await posting.reverse(scope, reversal.entry_id, note("reversal", "r2"))


async def test_reversing_service_gives_back_the_minutes_it_took(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    until = date(2027, 12, 31)
    await posting.earn(scope, zhang, 3, 6, note("service", "a"), expires_on=until)
    earned = await posting.earn(scope, zhang, 135, 6, note("service", "b"), expires_on=until)
    assert (earned.points, earned.minutes_left) == (23, 0)
    await posting.reverse(scope, earned.entry_id, note("reversal", "r"))
    state = await balances(scope, zhang, [])
    assert (state.points.available, state.minutes, state.owed) == (0, 3, 0)


async def test_a_collected_hold_that_is_reversed_returns_to_what_can_be_spent(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    held = await posting.hold(scope, zhang, 6, note("hold", "h"))
    settled = await posting.capture(scope, held.entry_id, note("settle", "s"))
    await posting.reverse(scope, settled.entry_id, note("reversal", "r"))
    state = (await balances(scope, zhang, [])).points
    assert (state.available, state.held) == (10, 0)


async def test_the_ledger_of_another_community_is_out_of_reach(town: Town) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(town.system(SPRING)):
            await database.fetch("SELECT ledger_expire($1, $2, $3, 1)", town.community, clock.local_day(), clock.now())


@pytest.mark.parametrize(
    "statement_",
    [
        "UPDATE account SET balance = 1000000",
        "UPDATE transfer SET amount = 1",
        "DELETE FROM transfer",
        "INSERT INTO day_total SELECT * FROM day_total",
        "DELETE FROM debt",
        "TRUNCATE transfer",
        "SELECT ledger_write(NULL, NULL, 1, '', '', NULL, NULL, 1)",
    ],
)
async def test_the_serving_role_cannot_write_the_ledger(town: Town, statement_: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(town.system()):
            await database.execute(statement_)


async def test_a_statement_pages_with_the_right_balances(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    for amount in range(1, 8):
        await town.give_points("张桂兰", amount)
    whole = await statement(scope, zhang, Currency.point, limit=200)
    pages, cursor = [], None
    while True:
        page = await statement(scope, zhang, Currency.point, limit=3, cursor=cursor)
        pages += list(page.items)
        cursor = page.next
        if cursor is None:
            break
    assert pages == list(whole.items)
    assert [line.balance for line in pages] == [28, 21, 15, 10, 6, 3, 1]


async def test_closed_accounts_neither_earn_nor_spend(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    await posting.close_accounts(scope, zhang)
    for attempt in (
        posting.issue(scope, zhang, Currency.point, 1, note("deed", "x")),
        posting.hold(scope, zhang, 1, note("hold", "y")),
        posting.earn(scope, zhang, 60, 6, note("service", "z"), expires_on=date(2027, 12, 31)),
    ):
        with pytest.raises(TimebankError) as refusal:
            await attempt
        assert refusal.value.code == "account_closed"
    await posting.close_accounts(scope, zhang, reopen=True)
    assert await available(town, "张桂兰") == 10
