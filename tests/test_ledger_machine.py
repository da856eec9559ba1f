"""A hypothesis machine over earn, hold, collect, cancel, expire, reverse, beside a model that a child could check."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.ledger_sums import problems_of
from tests.town import Town
from timebank import clock
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Insufficient, Posting
from timebank.ledger.statement import Balances, balances

T = TypeVar("T")
PERSONS = st.integers(0, 1)
AMOUNTS = st.integers(1, 30)


@dataclass
class Wallet:
    """What one person should have: points by their last day, and what is owed."""

    lots: dict[date, int] = field(default_factory=dict)
    owed: int = 0
    held: int = 0

    def add(self, last_day: date, amount: int) -> None:
        self.lots[last_day] = self.lots.get(last_day, 0) + amount

    def usable(self, today: date) -> int:
        return sum(amount for last_day, amount in self.lots.items() if last_day >= today)

    def take(self, amount: int, days: list[date]) -> dict[date, int]:
        """Take up to `amount` from the lots in this order; answers what came from where."""
        taken: dict[date, int] = {}
        for day in days:
            part = min(amount - sum(taken.values()), self.lots.get(day, 0))
            if part:
                self.lots[day] -= part
                taken[day] = part
        return taken


@dataclass(frozen=True)
class Given:
    """An issue or a hold that can still be ended: whose, which entry, from or to which lots."""

    person: int
    entry_id: UUID
    lots: tuple[tuple[date, int], ...]


def machine_on(  # noqa: C901  # the complexity counted is that of the machine's rules, each small
    town: Town, url: str, loop: asyncio.AbstractEventLoop
) -> type[RuleBasedStateMachine]:
    def run(verb: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(verb, loop).result(30)

    class Machine(RuleBasedStateMachine):
        issues = Bundle("issues")
        holds = Bundle("holds")

        def __init__(self) -> None:
            super().__init__()
            self.scope = town.system()
            self.now = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
            self.persons = [uuid4(), uuid4()]
            self.wallets = [Wallet(), Wallet()]
            self.step = 0

        def posting(self, kind: str) -> Posting:
            self.step += 1
            return Posting(kind, f"{kind}:{self.persons[0]}:{self.step}", "test", UUID(int=1), "")

        async def at(self, verb: Coroutine[Any, Any, T]) -> T:
            with clock.at(self.now):
                return await verb

        @property
        def today(self) -> date:
            return clock.local_day(self.now)

        @rule(target=issues, person=PERSONS, amount=AMOUNTS, days=st.integers(0, 40))
        def earn(self, person: int, amount: int, days: int) -> Given:
            last_day, wallet = self.today + timedelta(days=days), self.wallets[person]
            posted = run(
                self.at(
                    posting.issue(
                        self.scope,
                        self.persons[person],
                        Currency.point,
                        amount,
                        self.posting("deed"),
                        expires_on=last_day,
                    )
                )
            )
            wallet.add(last_day, amount)
            # The debt is repaid from the very account that was credited, with whatever lay there before too.
            repaid = min(wallet.owed, wallet.lots[last_day])
            wallet.owed -= repaid
            wallet.lots[last_day] -= repaid
            return Given(person, posted.entry_id, ((last_day, amount),))

        @rule(target=holds, person=PERSONS, amount=AMOUNTS)
        def hold(self, person: int, amount: int) -> Any:
            wallet = self.wallets[person]
            verb = self.at(posting.hold(self.scope, self.persons[person], amount, self.posting("hold")))
            if wallet.usable(self.today) < amount:
                with pytest.raises(Insufficient):
                    run(verb)
                return multiple()
            posted = run(verb)
            taken = wallet.take(amount, sorted(day for day in wallet.lots if day >= self.today))
            wallet.held += amount
            return Given(person, posted.entry_id, tuple(taken.items()))

        @rule(held=consumes(holds))
        def collect(self, held: Given) -> None:
            run(self.at(posting.settle(self.scope, held.entry_id, self.posting("settle"))))
            self.wallets[held.person].held -= sum(amount for _, amount in held.lots)

        @rule(held=consumes(holds))
        def cancel(self, held: Given) -> None:
            run(self.at(posting.void(self.scope, held.entry_id, self.posting("void"))))
            wallet = self.wallets[held.person]
            for day, amount in held.lots:
                wallet.add(day, amount)
                wallet.held -= amount

        @rule(given=consumes(issues))
        def reverse(self, given: Given) -> None:
            reversal = run(self.at(posting.reverse(self.scope, given.entry_id, self.posting("reversal"))))
            wallet, (day, amount) = self.wallets[given.person], given.lots[0]
            others = sorted(other for other in wallet.lots if other != day)
            taken = sum(wallet.take(amount, [day, *others]).values())
            wallet.owed += amount - taken
            assert (reversal.taken, reversal.owed) == (taken, amount - taken)

        @rule(days=st.integers(1, 20))
        def time_passes_and_points_expire(self, days: int) -> None:
            self.now += timedelta(days=days)
            while run(self.at(posting.expire(self.scope, limit=100))):
                pass
            for wallet in self.wallets:
                wallet.lots = {day: amount for day, amount in wallet.lots.items() if day >= self.today}

        @invariant()
        def the_ledger_agrees_with_the_model(self) -> None:
            for person, wallet in zip(self.persons, self.wallets, strict=True):
                state: Balances = run(self.at(balances(self.scope, person, [])))
                assert (state.points.available, state.points.held, state.owed) == (
                    wallet.usable(self.today),
                    wallet.held,
                    wallet.owed,
                )

        @invariant()
        def the_books_balance(self) -> None:
            assert run(_problems(url)) == []

    return Machine


async def _problems(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return await problems_of(connection)
    finally:
        await connection.close()


async def test_the_ledger_keeps_its_promises_whatever_happens(town: Town, pool: str) -> None:
    machine = machine_on(town, pool, asyncio.get_running_loop())
    chosen = settings(
        max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)


@pytest.mark.torture
async def test_the_ledger_keeps_its_promises_for_a_long_time(town: Town, pool: str) -> None:
    machine = machine_on(town, pool, asyncio.get_running_loop())
    chosen = settings(
        max_examples=400, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)
