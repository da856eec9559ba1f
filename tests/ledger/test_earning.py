"""An earning: its transfers, with and without minutes or points that are owed, and the accounts that it changes."""

from datetime import date
from uuid import UUID

import asyncpg
import pytest

from tests.support.ledger_sums import problems_of
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Busy, Unexpected
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.statement import balances

UNTIL = date(clock.local_day().year + 1, 12, 31)
EARNED, POINTS = ("service", "minute"), ("service", "point")
CONVERTED = ("conversion", "minute")
REPAID, REPAID_POINTS = ("repayment", "minute"), ("repayment", "point")


def note(kind: str, key: str) -> Posting:
    return Posting(kind=kind, key=key, source_kind="test", source_id=UUID(int=7))


async def earn(town: Town, minutes: int, key: str = "e") -> posting.Earned:
    zhang = town.people["张桂兰"]
    return await posting.earn(town.system(), zhang, minutes, 6, note("service", key), expires_on=UNTIL)


async def owe(town: Town, owner: asyncpg.Connection, currency: Currency, amount: int) -> None:
    """Let the person owe what was issued, spent and then reversed; six minutes are spent by converting them."""
    scope, zhang = town.system(), town.people["张桂兰"]
    issued = await posting.issue(scope, zhang, currency, amount, note("adjustment", f"owes {currency}"))
    if currency == Currency.minute:
        assert (await earn(town, 6 - amount, "used")).points == 1
        await posting.spend(scope, zhang, 1, note("donation", "gone"), to="donated")
    else:
        await posting.spend(scope, zhang, amount, note("donation", "spent"), to="donated")
    await posting.reverse(scope, issued.entry_id, note("reversal", f"back {currency}"))
    owed = await owner.fetchval("SELECT sum(amount - repaid) FROM debt WHERE currency = $1", currency.value)
    assert owed == amount


@pytest.mark.parametrize(("before", "owed", "owed_points", "minutes", "legs", "left"), [
    (0, 0, 0, 5, [(1, *EARNED, 5)], 5),
    (0, 0, 0, 60, [(1, *EARNED, 60), (2, *CONVERTED, 60), (3, *POINTS, 10)], 0),
    (5, 0, 0, 2, [(1, *EARNED, 2), (2, *CONVERTED, 6), (3, *POINTS, 1)], 1),
    (1, 0, 0, 6, [(1, *EARNED, 6), (2, *CONVERTED, 6), (3, *POINTS, 1)], 1),
    (0, 4, 0, 3, [(1, *EARNED, 3), (2, *REPAID, 3)], 0),
    (0, 4, 0, 10, [(1, *EARNED, 10), (2, *REPAID, 4), (3, *CONVERTED, 6), (4, *POINTS, 1)], 0),
    (0, 4, 0, 6, [(1, *EARNED, 6), (2, *REPAID, 4)], 2),
    (0, 0, 3, 60, [(1, *EARNED, 60), (2, *CONVERTED, 60), (3, *POINTS, 10), (4, *REPAID_POINTS, 3)], 0),
    (0, 4, 3, 17, [(1, *EARNED, 17), (2, *REPAID, 4), (3, *CONVERTED, 12), (4, *POINTS, 2), (5, *REPAID_POINTS, 2)], 1),
])  # fmt: skip
async def test_the_transfers_of_an_earning(
    town: Town, owner: asyncpg.Connection, before: int, owed: int, owed_points: int, minutes: int,
    legs: list[tuple[int, str, str, int]], left: int,
) -> None:  # fmt: skip
    for currency, amount in ((Currency.minute, owed), (Currency.point, owed_points)):
        if amount:
            await owe(town, owner, currency, amount)
    if before:
        assert (await earn(town, before, "before")).minutes_left == before
    spendable = (await balances(town.system(), town.people["张桂兰"], [])).points.available
    earned = await earn(town, minutes)
    found = await owner.fetch(
        "SELECT leg, kind, currency, amount FROM transfer WHERE entry_id = $1 ORDER BY leg", earned.entry_id
    )
    assert [tuple(leg) for leg in found] == legs
    points = sum(amount for _, *what, amount in legs if tuple(what) == POINTS)
    repaid = sum(amount for _, *what, amount in legs if tuple(what) == REPAID_POINTS)
    assert (earned.points, earned.minutes_left, earned.replayed) == (points, left, False)
    state = await balances(town.system(), town.people["张桂兰"], [])
    assert (state.points.available, state.minutes) == (spendable + points - repaid, left)
    assert await problems_of(owner) == []
    again = await earn(town, minutes)
    assert (again.entry_id, again.points, again.minutes_left, again.replayed) == (earned.entry_id, points, left, True)


async def test_a_leg_whose_key_is_taken_leaves_nothing_of_the_earning(town: Town, owner: asyncpg.Connection) -> None:
    """Keys of later legs are those of the entry with a number; only a fault could have taken one."""
    await posting.issue(town.system(), town.people["赵丽"], Currency.point, 1, note("deed", f"e{chr(31)}2"))
    with pytest.raises(Busy):
        await earn(town, 60)
    assert await owner.fetchval("SELECT count(*) FROM transfer") == 1
    assert await problems_of(owner) == []


@pytest.mark.parametrize("minutes", [0, -6])
async def test_no_minutes_are_refused_by_the_ledger(town: Town, owner: asyncpg.Connection, minutes: int) -> None:
    with pytest.raises(Unexpected) as refused:
        await earn(town, minutes)
    assert isinstance(refused.value.__cause__, asyncpg.CheckViolationError)
    assert await owner.fetchval("SELECT count(*) FROM transfer") == 0


async def test_minutes_that_are_converted_whole_do_not_change_their_account(
    town: Town, owner: asyncpg.Connection
) -> None:
    await earn(town, 3, "first")
    row = "SELECT xmin::text, ctid::text, balance FROM account WHERE owner_id = $1 AND currency = 'minute'"
    before = await owner.fetchrow(row, town.people["张桂兰"])
    await earn(town, 60)
    assert await owner.fetchrow(row, town.people["张桂兰"]) == before


@pytest.mark.parametrize("minutes_per_point", [None, 0, -6])
async def test_a_rate_that_gives_no_points_is_refused(
    town: Town, owner: asyncpg.Connection, minutes_per_point: int | None
) -> None:
    entry = (
        "ROW(gen_random_uuid(), 'k', '\\x01', 'service', now(), now(), NULL, 'test', $2, NULL, NULL, '', NULL, NULL)"
    )
    async with owner.transaction():
        await owner.execute("SELECT set_config('timebank.communities', $1, true)", f"{{{town.community}}}")
        with pytest.raises(asyncpg.InvalidParameterValueError):
            async with owner.transaction():
                await owner.execute(
                    f"SELECT ledger_earn($1, {entry}::ledger_entry, $2, 60, $3, NULL)",
                    town.community, town.people["张桂兰"], minutes_per_point,
                )  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM transfer") == 0
