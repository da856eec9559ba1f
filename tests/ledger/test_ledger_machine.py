"""A hypothesis machine over earn, serve, hold, collect, cancel, donate, expire and their reversals, beside a model that
a child could check.

Points that come back after their last day go into days of grace, whose number changes during the run. A reversal counts
what has expired of the credit before it takes other points. Most requests are sent twice."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
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

from tests.conftest import DatabaseClock
from tests.support.ledger_sums import problems_of
from tests.support.town import Town, operating
from timebank.core import clock
from timebank.expiry.expiring import waiting_expiries
from timebank.ledger import closing_days as book_days
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import ExpiryTakenBack, Insufficient, PastGrace
from timebank.ledger.statement import Balances, balances
from timebank.policies.values import change_policy

T = TypeVar("T")
MINUTES_PER_POINT = 6
Lot = tuple[date, date | None]  # the last day; for points in their days of grace, also the original last day
PERSONS = st.integers(0, 1)
AMOUNTS = st.integers(1, 30)


@dataclass
class Lost:
    """Points of a lot that one entry let expire; `left` is what no reversal has taken of them."""

    entry_id: UUID
    lot: Lot
    left: int


@dataclass(kw_only=True)
class Wallet:
    """What the ledger should say about one person: points by lot, held points, minutes, debts and expired points."""

    lots: dict[Lot, int] = field(default_factory=dict)
    owed: int = 0
    held: int = 0
    minutes: int = 0
    owed_minutes: int = 0
    lost: list[Lost] = field(default_factory=list)

    def add(self, lot: Lot, amount: int) -> None:
        self.lots[lot] = self.lots.get(lot, 0) + amount

    def serve(self, minutes: int, lot: Lot) -> int:
        """Minutes repay owed minutes first; of the rest, every six become a point. Returns the points."""
        self.minutes += minutes
        self.repay_minutes()
        points, self.minutes = divmod(self.minutes, MINUTES_PER_POINT)
        if points:
            self.add(lot, points)
            self.repay(lot)
        return points

    def unserve(self, minutes: int, points: int) -> None:
        """The minutes that became points come back, then the minutes of the record are taken; the shortfall is owed."""
        self.minutes += points * MINUTES_PER_POINT
        taken = min(self.minutes, minutes)
        self.minutes -= taken
        self.owed_minutes += minutes - taken
        self.repay_minutes()

    def repay_minutes(self) -> None:
        repaid = min(self.owed_minutes, self.minutes)
        self.owed_minutes -= repaid
        self.minutes -= repaid

    def come_back(self, parts: list[tuple[Lot, int]], today: date, grace: timedelta) -> None:
        """Return each part to its lot, or past its last day to a lot in grace; then repay the debt from these lots."""
        placed = [lot if lot[1] or lot[0] >= today else (lot[0] + grace, lot[0]) for lot, _ in parts]
        for lot, (_, amount) in zip(placed, parts, strict=True):
            self.add(lot, amount)
        for lot in placed:
            self.repay(lot)

    def repay(self, lot: Lot) -> None:
        """Repay the debt from the credited lot, including what the lot held before the credit."""
        repaid = min(self.owed, self.lots[lot])
        self.owed -= repaid
        self.lots[lot] -= repaid

    def usable(self, today: date) -> int:
        return sum(amount for lot, amount in self.lots.items() if lot[0] >= today)

    def take(self, amount: int, lots: list[Lot]) -> dict[Lot, int]:
        """Take up to `amount` from the lots in this order. Returns what each lot gave."""
        taken: dict[Lot, int] = {}
        for lot in lots:
            part = min(amount - sum(taken.values()), self.lots.get(lot, 0))
            if part:
                self.lots[lot] -= part
                taken[lot] = part
        return taken

    def take_back(self, amount: int, lot: Lot) -> tuple[int, int, int]:
        """Reverse a credit: first from its lot, then from what expired of that lot or of its days of grace, then from
        the other lots; the rest is owed. Returns what was taken, what is owed and what had expired."""
        taken = sum(self.take(amount, [lot]).values())
        lapsed = self.take_lost(amount - taken, lot)
        taken += sum(
            self.take(amount - taken - lapsed, first_out(other for other in self.lots if other != lot)).values()
        )
        owed = amount - taken - lapsed
        self.owed += owed
        return taken, owed, lapsed

    def take_lost(self, amount: int, lot: Lot) -> int:
        taken = 0
        for lost in sorted(self.lost, key=lambda lost: (lost.lot[0], lost.lot[1] or date.max)):
            if lost.lot == lot or lost.lot[1] == lot[0]:
                part = min(amount - taken, lost.left)
                lost.left -= part
                taken += part
        return taken


def first_out(lots: Iterable[Lot]) -> list[Lot]:
    """The order of spending: earliest last day first; of one day, lots in their days of grace first."""
    return sorted(lots, key=lambda lot: (lot[0], lot[1] or date.max))


@dataclass(frozen=True)
class Given:
    """An entry that can still be captured, voided or reversed: its person, its lots with amounts, its minutes."""

    person: int
    entry_id: UUID
    lots: tuple[tuple[Lot, int], ...]
    minutes: int = 0
    grace: timedelta = timedelta()  # the days of grace in force when the hold was made


def machine_on(  # noqa: C901  # the complexity counted is that of the machine's rules, each small
    town: Town, url: str, loop: asyncio.AbstractEventLoop, database_clock: DatabaseClock
) -> type[RuleBasedStateMachine]:
    def run(verb: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(verb, loop).result(30)

    class Machine(RuleBasedStateMachine):
        issues = Bundle("issues")
        holds = Bundle("holds")
        expiries = Bundle("expiries")
        hours = Bundle("hours")
        spends = Bundle("spends")

        def __init__(self) -> None:
            super().__init__()
            self.scope = town.system()
            self.now = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
            self.persons = [uuid4(), uuid4()]
            self.wallets = [Wallet(), Wallet()]
            self.step = 0
            self.grace_is(30)

        @rule(days=st.sampled_from([0, 5, 30]))
        def grace_is(self, days: int) -> None:
            self.grace = timedelta(days=days)
            run(self.at(self.change_grace(days)))

        async def change_grace(self, days: int) -> None:
            async with operating():  # otherwise the change would wait for a second person
                await change_policy(town.system(), "grace_days", days)

        def twice(self, verb: Callable[[], Coroutine[Any, Any, T]]) -> T:
            """Send the request twice and assert that the second is a replay. Returns the first answer."""
            first = run(self.at(verb()))
            again = run(self.at(verb()))
            assert getattr(again, "entry_id", None) == getattr(first, "entry_id", None)
            assert getattr(again, "replayed", True)
            return first

        def posting(self, kind: str) -> Posting:
            self.step += 1
            return Posting(
                kind=kind,
                key=f"{kind}:{self.persons[0]}:{self.step}",
                source_kind="test",
                source_id=UUID(int=1),
                memo="",
            )

        async def at(self, verb: Coroutine[Any, Any, T]) -> T:
            with clock.at(self.now):
                return await verb

        @property
        def today(self) -> date:
            return clock.local_day(self.now)

        @rule(target=issues, person=PERSONS, amount=AMOUNTS, days=st.integers(0, 40))
        def earn(self, person: int, amount: int, days: int) -> Given:
            last_day, wallet = self.today + timedelta(days=days), self.wallets[person]
            note = self.posting("deed")
            posted = self.twice(
                lambda: posting.issue(
                    self.scope, self.persons[person], Currency.point, amount, note, expires_on=last_day
                )
            )
            lot = (last_day, None)
            wallet.add(lot, amount)
            wallet.repay(lot)
            return Given(person, posted.entry_id, ((lot, amount),))

        @rule(target=holds, person=PERSONS, amount=AMOUNTS)
        def hold(self, person: int, amount: int) -> Any:
            wallet = self.wallets[person]
            verb = self.at(
                posting.hold(self.scope, self.persons[person], amount, self.posting("hold"), grace_days=self.grace.days)
            )
            if wallet.usable(self.today) < amount:
                with pytest.raises(Insufficient):
                    run(verb)
                return multiple()
            posted = run(verb)
            taken = wallet.take(amount, first_out(lot for lot in wallet.lots if lot[0] >= self.today))
            wallet.held += amount
            return Given(person, posted.entry_id, tuple(taken.items()), grace=self.grace)

        @rule(target=hours, person=PERSONS, minutes=st.integers(1, 50), days=st.integers(0, 40))
        def serve(self, person: int, minutes: int, days: int) -> Given:
            last_day, note = self.today + timedelta(days=days), self.posting("service")
            earned = self.twice(
                lambda: posting.earn(
                    self.scope, self.persons[person], minutes, MINUTES_PER_POINT, note, expires_on=last_day
                )
            )
            lot = (last_day, None)
            assert earned.points == self.wallets[person].serve(minutes, lot)
            return Given(person, earned.entry_id, ((lot, earned.points),), minutes)

        @rule(given=consumes(hours))
        def take_an_hour_back(self, given: Given) -> None:
            wallet, (lot, points) = self.wallets[given.person], given.lots[0]
            note = self.posting("reversal")
            reversal = self.twice(lambda: posting.reverse(self.scope, given.entry_id, note))
            assert (reversal.taken, reversal.owed, reversal.lapsed) == wallet.take_back(points, lot)
            wallet.unserve(given.minutes, points)

        @rule(target=spends, held=consumes(holds))
        def collect(self, held: Given) -> Given:
            note = self.posting("settle")
            settled = self.twice(lambda: posting.capture(self.scope, held.entry_id, note))
            self.wallets[held.person].held -= sum(amount for _, amount in held.lots)
            return Given(held.person, settled.entry_id, held.lots, grace=held.grace)

        @rule(target=spends, person=PERSONS, amount=AMOUNTS)
        def donate(self, person: int, amount: int) -> Any:
            wallet, note = self.wallets[person], self.posting("donation")
            if wallet.usable(self.today) < amount:
                with pytest.raises(Insufficient):
                    run(self.at(posting.spend(self.scope, self.persons[person], amount, note, to="donated")))
                return multiple()
            posted = self.twice(lambda: posting.spend(self.scope, self.persons[person], amount, note, to="donated"))
            taken = wallet.take(amount, first_out(lot for lot in wallet.lots if lot[0] >= self.today))
            return Given(person, posted.entry_id, tuple(taken.items()))

        @rule(spent=consumes(spends))
        def give_back(self, spent: Given) -> None:
            note = self.posting("reversal")
            self.twice(lambda: posting.reverse(self.scope, spent.entry_id, note))
            self.wallets[spent.person].come_back(list(spent.lots)[::-1], self.today, max(self.grace, spent.grace))

        @rule(held=consumes(holds))
        def cancel(self, held: Given) -> None:
            note = self.posting("void")
            self.twice(lambda: posting.void(self.scope, held.entry_id, note))
            wallet = self.wallets[held.person]
            wallet.come_back(list(held.lots), self.today, max(self.grace, held.grace))
            wallet.held -= sum(amount for _, amount in held.lots)

        @rule(given=consumes(issues))
        def reverse(self, given: Given) -> None:
            note = self.posting("reversal")
            reversal = self.twice(lambda: posting.reverse(self.scope, given.entry_id, note))
            wallet, (lot, amount) = self.wallets[given.person], given.lots[0]
            assert (reversal.taken, reversal.owed, reversal.lapsed) == wallet.take_back(amount, lot)

        @rule(target=expiries, days=st.integers(1, 20))
        def time_passes_and_points_expire(self, days: int) -> Any:
            self.now += timedelta(days=days)
            run(database_clock.show(self.now))
            run(self.at(self.let_everything_expire()))
            for wallet in self.wallets:
                wallet.lots = {lot: amount for lot, amount in wallet.lots.items() if lot[0] >= self.today}
            found = run(_expired(url, self.now, self.persons))
            for given in found:
                (lot, amount), wallet = given.lots[0], self.wallets[given.person]
                wallet.lost.append(Lost(given.entry_id, lot, amount))
            return multiple(*found)

        async def let_everything_expire(self) -> None:
            await book_days.close_until(self.scope, self.today - timedelta(days=1), confirmed=True)
            for due in await waiting_expiries(self.scope):
                assert await book_days.approve_expiry(self.scope, Currency.point, due.day, due.amount)
            while await book_days.expire(self.scope, limit=100):
                pass

        @rule(expired=consumes(expiries))
        def take_an_expiry_back(self, expired: Given) -> None:
            verb = self.at(posting.reverse(self.scope, expired.entry_id, self.posting("reversal")))
            (day, grace_of), wallet = expired.lots[0][0], self.wallets[expired.person]
            lost = next(lost for lost in wallet.lost if lost.entry_id == expired.entry_id)
            if lost.left == 0:
                with pytest.raises(ExpiryTakenBack):
                    run(verb)
                return
            if day + (timedelta() if grace_of else self.grace) < self.today:
                with pytest.raises(PastGrace):
                    run(verb)
                return
            run(verb)
            wallet.lost.remove(lost)
            wallet.come_back([(lost.lot, lost.left)], self.today, self.grace)

        @invariant()
        def the_ledger_agrees_with_the_model(self) -> None:
            for person, wallet in zip(self.persons, self.wallets, strict=True):
                state: Balances = run(self.at(balances(self.scope, person, [])))
                assert (state.points.available, state.points.held, state.minutes, state.owed) == (
                    wallet.usable(self.today),
                    wallet.held,
                    wallet.minutes,
                    wallet.owed,
                )

        @invariant()
        def the_books_balance(self) -> None:
            assert run(_problems(url)) == []

    return Machine


async def _expired(url: str, now: datetime, persons: list[UUID]) -> list[Given]:
    """The expiries posted at `now`, one for each account, in the order of `persons`: the ids differ in each run."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetch(
            "SELECT t.entry_id, a.owner_id, t.amount, a.expires_on, a.grace_of FROM transfer t "
            "JOIN account a ON a.id = t.debit_account WHERE t.kind = 'expiry' AND t.posted_at = $1 "
            "AND a.owner_id = ANY ($2) ORDER BY array_position($2, a.owner_id), a.expires_on, a.grace_of",
            now, persons,
        )  # fmt: skip
    finally:
        await connection.close()
    return [
        Given(persons.index(r["owner_id"]), r["entry_id"], (((r["expires_on"], r["grace_of"]), r["amount"]),))
        for r in found
    ]


async def _problems(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return await problems_of(connection)
    finally:
        await connection.close()


async def test_the_ledger_keeps_its_promises_whatever_happens(
    town: Town, pool: str, database_clock: DatabaseClock
) -> None:
    machine = machine_on(town, pool, asyncio.get_running_loop(), database_clock)
    chosen = settings(max_examples=25, stateful_step_count=25, suppress_health_check=list(HealthCheck), database=None)
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)


@pytest.mark.torture
async def test_the_ledger_keeps_its_promises_for_a_long_time(
    town: Town, pool: str, database_clock: DatabaseClock
) -> None:
    machine = machine_on(town, pool, asyncio.get_running_loop(), database_clock)
    chosen = settings(max_examples=400, stateful_step_count=50, suppress_health_check=list(HealthCheck), database=None)
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)
