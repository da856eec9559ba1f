"""What the ledger's SQL functions refuse themselves, because the serving role may call them with any arguments."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.classes.test_class_refunds import another_course, books_are_clean, bought, give_back
from tests.support.ledger_sums import problems_of
from tests.support.shop import points_of
from tests.support.town import Town
from timebank.classes.class_time import minute_moves
from timebank.classes.schemas import MoveIn
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.database.refusals import BadValue
from timebank.core.errors import Unexpected
from timebank.ledger import donations, posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import AccountClosed, PurchaseNotReversible
from timebank.ledger.schemas import DonationIn
from timebank.people.records import set_person_status

LAST_DAY = date(2027, 12, 31)


def note(kind: str, key: str, source_kind: str = "test") -> Posting:
    return Posting(kind=kind, key=key, source_kind=source_kind, source_id=UUID(int=7), memo="")


async def test_no_entry_of_class_hours_is_reversed_behind_its_purchase(town: Town, owner: asyncpg.Connection) -> None:
    """The ledger refuses to reverse the entry of a purchase, of a move and of a refund, even called directly in SQL."""
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    wanted = MoveIn(
        person_id=town.people["刘洋"],
        child_id=town.people["刘小雨"],
        course_id=town.course,
        to_course_id=await another_course(owner, town),
        minutes=60,
    )
    await minute_moves.move_class_hours(await town.scope("刘洋"), wanted)
    await give_back(town)
    kinds = {}
    for row in await owner.fetch("SELECT DISTINCT kind, entry_id FROM transfer WHERE source_kind = 'class_purchase'"):
        async with transaction(town.system()):
            kinds[row["kind"]] = await database.fetch_value(
                "SELECT verdict FROM ledger_reverse($1, ROW($2::uuid, $3, $4, 'reversal', $5::timestamptz, $5, NULL, "
                "'class_purchase', $2, NULL, NULL, '', NULL, NULL)::ledger_entry, $6, $7, 30)",
                town.community, clock.new_id(), f"r:{row['kind']}", posting.request_hash(entry=row["entry_id"]),
                clock.now(), row["entry_id"], clock.local_day(),
            )  # fmt: skip
        with pytest.raises(PurchaseNotReversible):
            await posting.reverse(town.system(), row["entry_id"], note("reversal", "r", "class_purchase"))
    assert kinds == dict.fromkeys(("purchase", "move", "refund"), "class_hours")
    await books_are_clean(owner, town)


@pytest.mark.parametrize("amount", [0, -1, -(2**62)])
@pytest.mark.parametrize("to", ["held", "redeemed", "donated"])
async def test_nothing_and_less_than_nothing_is_no_posting(
    town: Town, owner: asyncpg.Connection, amount: int, to: str
) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    before = await owner.fetchval("SELECT count(*) FROM transfer")
    with pytest.raises(Unexpected):
        await posting.spend(scope, zhang, amount, note("donation", "d"), to=to)
    with pytest.raises(Unexpected):
        await posting.issue(scope, zhang, Currency.point, amount, note("deed", "i"), expires_on=LAST_DAY)
    with pytest.raises(Unexpected):
        await posting.earn(scope, zhang, amount, 6, note("service", "e"), expires_on=LAST_DAY)
    for name, own in (("张桂兰", zhang), ("李秀英", town.people["李秀英"])):
        caller = await town.scope(name)
        with pytest.raises(Unexpected):
            await donations.donate(caller, DonationIn(own, amount, ""), key="k", request_hash=b"0" * 32)
    assert await owner.fetchval("SELECT count(*) FROM transfer") == before
    assert await problems_of(owner) == []


async def test_more_than_an_account_can_hold_is_refused_and_nothing_moves(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await posting.issue(scope, zhang, Currency.point, 2**63 - 1, note("deed", "a"), expires_on=LAST_DAY)
    with pytest.raises(BadValue):
        await posting.issue(scope, zhang, Currency.point, 1, note("deed", "b"), expires_on=LAST_DAY)
    assert await owner.fetchval("SELECT sum(balance) FROM account WHERE owner_id = $1", zhang) == 2**63 - 1
    assert await problems_of(owner) == []


async def test_who_left_before_ever_earning_earns_nothing(town: Town, owner: asyncpg.Connection) -> None:
    zhao, wang = await town.scope("赵丽"), town.people["王建国"]
    await set_person_status(zhao, wang, "left", None)
    with pytest.raises(AccountClosed):
        await posting.issue(town.system(), wang, Currency.point, 5, note("deed", "d"), expires_on=LAST_DAY)
    with pytest.raises(AccountClosed):
        await posting.earn(town.system(), wang, 60, 6, note("service", "s"), expires_on=LAST_DAY)
    await set_person_status(zhao, wang, "active", None)
    await posting.earn(town.system(), wang, 60, 6, note("service", "s"), expires_on=LAST_DAY)
    assert await points_of(town, "王建国") == (10, 0)


async def test_who_earns_first_and_leaves_at_once_is_closed_with_what_was_earned(
    town: Town, owner: asyncpg.Connection
) -> None:
    """The first earning is not committed when the accounts are closed: closing waits for it and closes its account."""
    wang = town.people["王建国"]
    async with transaction(town.system()):
        await posting.issue(town.system(), wang, Currency.point, 5, note("deed", "d"), expires_on=LAST_DAY)
        closing = asyncio.create_task(_elsewhere(lambda: posting.close_accounts(town.system(), wang)))
        await asyncio.sleep(0.3)
    await closing
    assert await owner.fetchval("SELECT count(*) FROM account WHERE owner_id = $1 AND closed_at IS NULL", wang) == 0
    with pytest.raises(AccountClosed):
        await posting.issue(town.system(), wang, Currency.point, 5, note("deed", "e"), expires_on=LAST_DAY)


async def _elsewhere(verb: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run the verb outside the caller's transaction, as another process would."""
    await asyncio.get_running_loop().create_task(verb(), context=contextvars.Context())


async def test_points_that_come_back_after_somebody_left_are_given_to_no_pool(
    town: Town, owner: asyncpg.Connection
) -> None:
    """An account of grace that is made after the person's accounts were closed is closed as well."""
    scope, wang = town.system(), town.people["王建国"]
    with clock.at(datetime(2026, 12, 30, 4, tzinfo=UTC)):
        await town.credit_deed("王建国", 16, expires_on=date(2026, 12, 31))
        held = await posting.hold(scope, wang, 16, note("hold", "h"))
        caller = await town.scope("王建国")
        await posting.close_accounts(scope, wang)
    with clock.at(datetime(2027, 1, 8, 4, tzinfo=UTC)):
        await posting.void(scope, held.entry_id, note("void", "v"))
        with pytest.raises(AccountClosed):
            await donations.donate(caller, DonationIn(wang, 10, ""), key="k", request_hash=b"0" * 32)
        await posting.close_accounts(scope, wang, reopen=True)
        await donations.donate(caller, DonationIn(wang, 10, ""), key="k2", request_hash=b"0" * 32)
    assert await owner.fetchval("SELECT sum(balance) FROM account WHERE owner_id = $1", wang) == 6


async def test_closing_and_spending_at_once_never_wait_in_a_circle(town: Town, owner: asyncpg.Connection) -> None:
    scope, wang = town.system(), town.people["王建国"]
    await town.give_points("王建国", 100)
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await owner.fetchval(deadlocks)
    for turn in range(5):
        await asyncio.gather(
            *(posting.hold(scope, wang, 1, note("hold", f"h{turn}:{n}")) for n in range(5)),
            *(posting.close_accounts(scope, wang, reopen=n % 2 == 0) for n in range(4)),
            *(
                posting.earn(
                    scope, wang, 7, 6, note("service", f"s{turn}:{n}"), expires_on=LAST_DAY + timedelta(days=n)
                )
                for n in range(5)
            ),
            return_exceptions=True,
        )
    assert await owner.fetchval(deadlocks) == before
    assert await problems_of(owner) == []
