"""Concurrent postings on the same points, with real commits: nothing is spent twice, posted twice or deadlocked."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from tests.support.ledger_sums import problems_of
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.ledger import closing_days as book_days
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.statement import balances

UNTIL = date(2027, 12, 31)


def note(kind: str, key: str) -> Posting:
    return Posting(kind=kind, key=key, source_kind="test", source_id=UUID(int=7), memo="")


async def outcomes(*verbs: Awaitable[object]) -> Counter[str]:
    """Run the verbs concurrently and count `done`, `replayed` and each refusal by its code. Other errors are raised."""
    answers: Counter[str] = Counter()
    for answer in await asyncio.gather(*verbs, return_exceptions=True):
        if isinstance(answer, TimebankError):
            answers[answer.code] += 1
        elif isinstance(answer, BaseException):
            raise answer
        else:
            answers["replayed" if getattr(answer, "replayed", False) else "done"] += 1
    return answers


async def test_fifty_spend_the_last_points_and_one_succeeds(town: Town, owner: asyncpg.Connection) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    answers = await outcomes(*(posting.hold(scope, zhang, 10, note("hold", f"h{n}")) for n in range(50)))
    assert answers == {"done": 1, "insufficient_points": 49}
    assert await problems_of(owner) == []


async def test_one_key_sent_fifty_times_at_once_posts_once(town: Town, owner: asyncpg.Connection) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    answers = await outcomes(
        *(posting.issue(scope, zhang, Currency.point, 10, note("deed", "k"), expires_on=UNTIL) for _ in range(50))
    )
    assert answers == {"done": 1, "replayed": 49}
    assert (await balances(scope, zhang, [])).points.available == 10
    assert await problems_of(owner) == []


async def test_a_hold_collected_and_cancelled_at_once_ends_one_way(town: Town, owner: asyncpg.Connection) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    held = await posting.hold(scope, zhang, 6, note("hold", "h"))
    answers = await outcomes(
        *(posting.capture(scope, held.entry_id, note("settle", f"s{n}")) for n in range(10)),
        *(posting.void(scope, held.entry_id, note("void", f"v{n}")) for n in range(10)),
    )
    assert answers == {"done": 1, "hold_closed": 19}
    state = (await balances(scope, zhang, [])).points
    assert (state.available, state.held) in {(4, 0), (10, 0)}
    assert await problems_of(owner) == []


async def test_first_earnings_at_once_share_one_account(town: Town, owner: asyncpg.Connection) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    answers = await outcomes(
        *(posting.earn(scope, zhang, 7, 6, note("service", f"e{n}"), expires_on=UNTIL) for n in range(30))
    )
    assert answers == {"done": 30}
    state = await balances(scope, zhang, [])
    assert (state.points.available, state.minutes) == (35, 0)
    assert (
        await owner.fetchval("SELECT count(*) FROM account WHERE owner_id = $1 AND expires_on = $2", zhang, UNTIL) == 1
    )
    assert await problems_of(owner) == []


async def test_an_entry_reversed_by_many_is_reversed_once(town: Town, owner: asyncpg.Connection) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    given = await posting.issue(scope, zhang, Currency.point, 10, note("deed", "d"), expires_on=UNTIL)
    answers = await outcomes(
        *(posting.reverse(scope, given.entry_id, note("reversal", f"r{n}")) for n in range(20)),
        *(posting.spend(scope, zhang, 1, note("donation", f"s{n}"), to="donated") for n in range(5)),
    )
    assert answers["done"] >= 1
    assert answers["already_reversed"] == 19
    assert await problems_of(owner) == []


async def test_everything_at_once_neither_deadlocks_nor_loses_a_point(town: Town, owner: asyncpg.Connection) -> None:
    scope = town.system()
    two = [town.people["张桂兰"], town.people["张国庆"]]
    yesterday = clock.local_day() - timedelta(days=1)
    for name in ("张桂兰", "张国庆"):
        await town.give_points(name, 200)
        await town.give_points(name, 5, expires_on=yesterday)
        await book_days.announce(scope, town.people[name], Currency.point, yesterday, 5)
    await book_days.close_until(scope, yesterday, confirmed=True)
    entries = [
        await posting.issue(scope, person, Currency.point, 3, note("deed", f"d{n}:{person}"), expires_on=UNTIL)
        for person in two
        for n in range(10)
    ]
    verbs: list[Awaitable[object]] = []
    for n in range(20):
        person = two[n % 2]
        verbs += [
            posting.hold(scope, person, 3, note("hold", f"hold{n}")),
            posting.earn(scope, person, 13, 6, note("service", f"earn{n}"), expires_on=UNTIL),
            posting.spend(scope, person, 2, note("donation", f"give{n}"), to="donated"),
            posting.reverse(scope, entries[n].entry_id, note("reversal", f"rev{n}")),
            book_days.expire(scope),
        ]
    answers = await outcomes(*verbs)
    assert set(answers) == {"done"}
    assert await problems_of(owner) == []


async def test_closing_a_day_twice_at_once_counts_it_once(town: Town, owner: asyncpg.Connection) -> None:
    yesterday = clock.local_day() - timedelta(days=1)
    with clock.at(clock.day_bounds(yesterday)[0]):
        await town.give_points("张桂兰", 10)
    await asyncio.gather(*(book_days.close_day(town.system(), yesterday) for _ in range(8)))
    issued = await owner.fetchrow("SELECT * FROM day_total WHERE bucket = 'issued' AND currency = 'point'")
    assert issued is not None
    assert (issued["given"], issued["taken"], issued["transfers"]) == (10, 0, 1)
