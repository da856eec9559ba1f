"""The request hash stored with an idempotency key covers what was asked, not the day, the policies or the rules."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.town import Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import LedgerKeyReused
from timebank.ledger.statement import balances
from timebank.policies.values import change_policy, points_expire_on, policies

BEFORE = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)  # 23:59 in the town
AFTER = BEFORE + timedelta(minutes=2)
UNTIL = date(2028, 12, 31)
SOURCE = UUID(int=7)


def note(kind: str, key: str = "k", memo: str = "", source: UUID = SOURCE) -> Posting:
    return Posting(kind=kind, key=key, source_kind="test", source_id=source, memo=memo)


Answer = posting.Posted | posting.Earned | posting.Closed | posting.Reversal
Verb = Callable[[Town], Awaitable[Answer]]


async def earn(town: Town) -> Answer:
    until = points_expire_on(await policies(town.system()), clock.now())
    rate = 6 if clock.now() == BEFORE else 5
    return await posting.earn(town.system(), town.people["张桂兰"], 60, rate, note("service"), expires_on=until)


async def issue(town: Town) -> Answer:
    until = points_expire_on(await policies(town.system()), clock.now())
    memo = "午夜前" if clock.now() == BEFORE else "午夜后"
    scope, zhang = town.system(), town.people["张桂兰"]
    return await posting.issue(scope, zhang, Currency.point, 5, note("deed", memo=memo), expires_on=until)


async def spend(town: Town) -> Answer:
    return await posting.spend(town.system(), town.people["张桂兰"], 5, note("donation"), to="donated")


async def hold(town: Town) -> Answer:
    return await posting.hold(town.system(), town.people["张桂兰"], 5, note("hold"))


async def void(town: Town) -> Answer:
    return await posting.void(town.system(), await _entry(town, "held"), note("void"))


async def settle(town: Town) -> Answer:
    return await posting.capture(town.system(), await _entry(town, "held"), note("settle"))


async def reverse(town: Town) -> Answer:
    return await posting.reverse(town.system(), await _entry(town, "given"), note("reversal"))


async def _entry(town: Town, key: str) -> UUID:
    async with transaction(town.system()):
        found = await database.fetch_value("SELECT entry_id FROM transfer WHERE key = $1", key)
    return UUID(bytes=found.bytes)


@pytest.fixture
async def given(town: Town) -> Town:
    scope, zhang = town.system(), town.people["张桂兰"]
    with clock.at(BEFORE - timedelta(hours=1)):
        await posting.issue(scope, zhang, Currency.point, 20, note("deed", "given"), expires_on=UNTIL)
        await posting.issue(scope, zhang, Currency.point, 2, note("deed", "soon"), expires_on=date(2026, 12, 31))
        await posting.hold(scope, zhang, 4, note("hold", "held"))
    return town


VERBS: list[Verb] = [earn, issue, spend, hold, void, settle, reverse]


@pytest.mark.parametrize("verb", VERBS)
async def test_the_same_request_before_and_after_midnight_is_one(given: Town, verb: Verb) -> None:
    with clock.at(BEFORE):
        first = await verb(given)
    await change_policy(await given.scope("赵丽"), "expiry_years", 3)
    with clock.at(AFTER):
        again = await verb(given)
    assert (again.entry_id, first.replayed, again.replayed) == (first.entry_id, False, True)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_request_of_before_the_upgrade_still_replays(
    given: Town, verb: Verb, owner: asyncpg.Connection
) -> None:
    """Hashes stored by earlier versions covered the day and the policies, so they cannot be computed again."""
    with clock.at(BEFORE):
        first = await verb(given)
    formerly = hashlib.sha256(repr(("verb", 1, date(2026, 12, 31))).encode()).digest()
    await owner.execute("UPDATE transfer SET request_hash = $1", formerly)
    with clock.at(AFTER):
        again = await verb(given)
    assert (again.entry_id, again.replayed) == (first.entry_id, True)


@pytest.mark.parametrize("is_old", [False, True])
async def test_another_amount_person_kind_or_target_under_the_same_key_is_refused(
    given: Town, owner: asyncpg.Connection, is_old: bool
) -> None:
    scope, zhang, other = given.system(), given.people["张桂兰"], given.people["李秀英"]
    await given.give_points("李秀英", 50)
    await posting.hold(scope, zhang, 1, note("hold", "held 2"))
    await spend(given)
    await posting.void(scope, await _entry(given, "held"), note("void", "v"))
    await posting.reverse(scope, await _entry(given, "given"), note("reversal", "r"))
    await posting.earn(scope, zhang, 60, 6, note("service", "e"), expires_on=UNTIL)
    if is_old:
        await owner.execute("UPDATE transfer SET request_hash = sha256(request_hash)")
    for refused in (
        posting.spend(scope, zhang, 6, note("donation"), to="donated"),
        posting.spend(scope, other, 5, note("donation"), to="donated"),
        posting.spend(scope, zhang, 5, note("purchase")),
        posting.spend(scope, zhang, 5, note("donation", source=UUID(int=8)), to="donated"),
        posting.void(scope, await _entry(given, "held 2"), note("void", "v")),
        posting.reverse(scope, await _entry(given, "soon"), note("reversal", "r")),
        posting.earn(scope, zhang, 61, 6, note("service", "e"), expires_on=UNTIL),
        posting.earn(scope, other, 60, 6, note("service", "e"), expires_on=UNTIL),
    ):
        with pytest.raises(LedgerKeyReused):
            await refused


async def test_every_stored_hash_says_by_which_version_it_was_made(given: Town, owner: asyncpg.Connection) -> None:
    for verb in (earn, spend, void):
        await posting_of(given, verb)
    assert {
        bytes(row[0])[:1] + bytes([len(row[0])]) for row in await owner.fetch("SELECT request_hash FROM transfer")
    } == {b"\x01\x21"}


async def posting_of(town: Town, verb: Verb) -> None:
    note_key = {"earn": "e", "spend": "s", "void": "v"}[verb.__name__]
    scope, zhang = town.system(), town.people["张桂兰"]
    if verb is earn:
        await posting.earn(scope, zhang, 60, 6, note("service", note_key), expires_on=UNTIL)
    elif verb is spend:
        await posting.spend(scope, zhang, 1, note("donation", note_key), to="donated")
    else:
        await posting.void(scope, await _entry(town, "held"), note("void", note_key))


async def test_a_key_that_looks_like_anothers_second_leg_moves_each_request_once(
    town: Town, client: httpx.AsyncClient
) -> None:
    """A spend over two accounts writes two transfers. The key of the second must not be taken for a request's key."""
    await town.give_points("张桂兰", 3, expires_on=clock.local_day() + timedelta(days=5))
    await town.give_points("张桂兰", 7)
    headers = await town.sign_in("张桂兰")
    for key, points in (("k#2", 1), ("k", 6), ("k", 6)):
        body = {"person_id": str(town.people["张桂兰"]), "points": points}
        answer = await client.post("/api/v1/donations", json=body, headers=headers | {"Idempotency-Key": key})
        assert answer.status_code == 201
    assert (await balances(town.system(), town.people["张桂兰"], [])).points.available == 3


async def test_a_form_that_is_sent_again_after_a_new_sign_in_is_one_request(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The CSRF token belongs to the session and is not part of the request hash."""
    await town.give_points("张桂兰", 50)
    place = f"/goods/{town.goods['香皂']}/reservation"
    for quantity, token in ((1, "a"), (1, "b"), (2, "c")):
        data = {"_key": "k", "_csrf": token, "station_id": str(town.stations["暖蜂驿站"]), "quantity": str(quantity)}
        headers = await town.sign_in("张桂兰")
        answer = await client.post(place, data=data, headers=headers)
        assert answer.status_code in ((303,) if quantity == 1 else (422,))
    assert await owner.fetchval("SELECT count(*) FROM redemption") == 1
