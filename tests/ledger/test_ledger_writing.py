"""The ledger's internal guarantees: no incomplete transfer, no unknown currency, one order of locks."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.support.ledger_sums import problems_of
from tests.support.town import Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting

ENTRY = (
    "ROW(gen_random_uuid(), 'k', '\\x01', 'deed', now(), now(), NULL, 'test', gen_random_uuid(), NULL, NULL, '', "
    "NULL, NULL)::ledger_entry"
)


async def accounts(owner: asyncpg.Connection, town: Town) -> tuple[UUID, UUID]:
    await town.give_points("张桂兰", 10)
    found = await owner.fetchrow("SELECT debit_account, credit_account FROM transfer")
    assert found is not None
    return found["debit_account"], found["credit_account"]


@pytest.mark.parametrize("side", ["debit", "credit"])
async def test_a_transfer_to_or_from_an_account_that_is_not_there_is_refused_whole(
    town: Town, owner: asyncpg.Connection, side: str
) -> None:
    issued, available = await accounts(owner, town)
    pair = (uuid4(), available) if side == "debit" else (issued, uuid4())
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute(f"SELECT ledger_write($1, {ENTRY}, 1, 'deed', 'point', $2, $3, 5)", town.community, *pair)
    assert await owner.fetchval("SELECT count(*) FROM transfer") == 1
    assert await problems_of(owner) == []


@pytest.mark.parametrize("side", ["debit", "credit"])
async def test_without_the_foreign_keys_too_a_missing_account_stops_the_transfer(
    town: Town, owner: asyncpg.Connection, side: str
) -> None:
    issued, available = await accounts(owner, town)
    pair = (uuid4(), available) if side == "debit" else (issued, uuid4())
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="does not exist"):
            async with owner.transaction():
                await owner.execute(
                    f"SELECT ledger_write($1, {ENTRY}, 1, 'deed', 'point', $2, $3, 5)", town.community, *pair
                )


async def test_an_account_with_transfers_cannot_be_deleted(town: Town, owner: asyncpg.Connection) -> None:
    _, available = await accounts(owner, town)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute("DELETE FROM account WHERE id = $1", available)


@pytest.mark.parametrize(("table", "constraint"), [
    ("transfer", "transfer_currency"), ("debt", "debt_currency"), ("day_total", "day_total_currency"),
])  # fmt: skip
async def test_a_currency_that_does_not_exist_is_refused(
    town: Town, owner: asyncpg.Connection, table: str, constraint: str
) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    given = await posting.issue(
        scope, zhang, Currency.point, 10, Posting(kind="deed", key="d", source_kind="test", source_id=zhang)
    )
    await posting.spend(
        scope, zhang, 4, Posting(kind="donation", key="s", source_kind="test", source_id=zhang), to="donated"
    )
    await posting.reverse(scope, given.entry_id, Posting(kind="reversal", key="r", source_kind="test", source_id=zhang))
    await owner.execute(
        "INSERT INTO day_total VALUES ($1, $2, 'point', 'issued', 1, 1, 1)", town.community, clock.local_day()
    )
    with pytest.raises(asyncpg.CheckViolationError) as violation:
        await owner.execute(f"UPDATE {table} SET currency = 'gold'")
    assert violation.value.constraint_name == constraint


async def test_a_reversal_locks_the_anchors_of_all_owners_it_touches(town: Town, owner: asyncpg.Connection) -> None:
    """A transfer from a fund to a person has two owners. The reversal locks the anchor account of each, so other
    postings of either owner wait."""
    scope, zhang = town.system(), town.people["张桂兰"]
    await town.give_points("张桂兰", 10)
    fund, given, entry = uuid4(), uuid4(), uuid4()
    person = await owner.fetchval("SELECT id FROM account WHERE owner_id = $1 AND balance = 10", zhang)
    for id_ in (fund,):
        await owner.execute(
            "INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, balance) "
            "VALUES ($1, $2, 'fund', $3, 'point', 'available', 0)", town.community, id_, given,
        )  # fmt: skip
    await owner.execute(
        "INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, "
        "credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo) VALUES ($1, gen_random_uuid(), "
        "$2, 1, 'grant', '\\x01', 'adjustment', 'point', $3, $4, 3, now(), now(), 'test', $2, '')",
        town.community, entry, fund, person,
    )  # fmt: skip
    anchors = await owner.fetch(
        "SELECT id FROM account WHERE owner_id = ANY ($1) AND bucket = 'available' AND expires_on IS NULL "
        "AND subject_id IS NULL AND currency = 'point'", [zhang, given],
    )  # fmt: skip
    assert len(anchors) == 2
    async with transaction(scope):
        await posting.reverse(scope, entry, Posting(kind="reversal", key="r", source_kind="test", source_id=entry))
        for anchor in anchors:
            with pytest.raises(asyncpg.LockNotAvailableError):
                await owner.execute("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE NOWAIT", anchor["id"])


async def test_the_locks_of_the_ledger_let_others_refer_to_an_account(town: Town, owner: asyncpg.Connection) -> None:
    """A foreign key takes a FOR KEY SHARE lock on the row that it refers to; an open posting must not block it."""
    _, available = await accounts(owner, town)
    async with transaction(town.system()):
        await posting.hold(
            town.system(),
            town.people["张桂兰"],
            1,
            Posting(kind="hold", key="h", source_kind="test", source_id=available),
        )
        await owner.execute("SELECT FROM account FOR KEY SHARE NOWAIT")


async def test_reversals_and_closings_of_the_same_people_in_any_order_do_not_deadlock(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, people = town.system(), [town.people[name] for name in ("张桂兰", "李秀英", "王建国")]
    entries = []
    for person in people:
        for n in range(6):
            note = Posting(kind="service", key=f"s:{person}:{n}", source_kind="test", source_id=person)
            entries.append(await posting.earn(scope, person, 60, 6, note, expires_on=clock.local_day()))

    async def close(person: UUID) -> None:
        await posting.close_accounts(scope, person)
        await posting.close_accounts(scope, person, reopen=True)

    await asyncio.gather(
        *(
            posting.reverse(
                scope, earned.entry_id, Posting(kind="reversal", key=f"r{n}", source_kind="test", source_id=people[0])
            )
            for n, earned in enumerate(entries)
        ),
        *(close(person) for person in people * 4),
    )
    assert await problems_of(owner) == []
    assert await owner.fetchval("SELECT sum(balance) FROM account WHERE owner_kind = 'person'") == 0


async def test_what_was_debited_comes_back_to_the_account_that_the_helper_names(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Until its last day that is the account itself; after that the account of grace, which then stays the same."""
    _, account = await accounts(owner, town)
    last_day = await owner.fetchval("SELECT expires_on FROM account WHERE id = $1", account)

    async def returning(from_: UUID, today: date, grace: int = 30) -> UUID:
        found: UUID = await owner.fetchval(
            "SELECT ledger_returning($1, $2, $3, $4)", town.community, from_, today, grace
        )
        return found

    assert await returning(account, last_day) == account
    in_grace = await returning(account, last_day + timedelta(days=1))
    assert in_grace == await returning(account, last_day + timedelta(days=20)) != account
    assert in_grace == await returning(in_grace, last_day + timedelta(days=99), 300)
    found = await owner.fetchrow("SELECT expires_on, grace_of, balance FROM account WHERE id = $1", in_grace)
    assert found is not None
    assert tuple(found) == (last_day + timedelta(days=30), last_day, 0)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(town.system()):
            await database.fetch("SELECT ledger_returning($1, $2, $3, 30)", town.community, account, last_day)
