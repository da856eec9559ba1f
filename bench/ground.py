"""Inserts the data for the transfer benchmark: one community, and donors with sessions and points."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from timebank.access.sign_in import sessions
from timebank.core import clock, names, vault

POINTS_EACH = 1_000_000


@dataclass(frozen=True)
class Ground:
    """The donors as (person id, session token), and the pgbench script for the same transfers."""

    donors: list[tuple[UUID, str]]
    pgbench: str


async def lay_ground(url: str, persons: int) -> Ground:
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        community = await insert_community(connection)
        donors = [clock.new_id() for _ in range(persons)]
        logins = await _people(connection, community, donors)
        donated = await _points(connection, community, donors)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    tokens = [(await sessions.open_session(login)).token for login in logins]
    return Ground(list(zip(donors, tokens, strict=True)), _script(community, donated, persons))


async def insert_community(connection: asyncpg.Connection) -> UUID:
    path: list[UUID] = []
    for kind, name in (("county", "清江县"), ("street", "城关街道"), ("community", "凤凰社区")):
        parent, path = (path[-1] if path else None), [*path, clock.new_id()]
        await connection.execute(
            "INSERT INTO region (id, parent_id, kind, name, pinyin, path, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            path[-1], parent, kind, name, names.pinyin(name), path, clock.now(),
        )  # fmt: skip
    return path[-1]


async def _people(connection: asyncpg.Connection, community: UUID, donors: list[UUID]) -> list[UUID]:
    """Insert the donors and their logins; return the login ids in the donors' order."""
    now = clock.now()
    phones = [f"1990{n:07}" for n in range(len(donors))]
    logins = [clock.new_id() for _ in donors]
    await connection.copy_records_to_table(
        "person",
        columns=[
            "community_id",
            "id",
            "name",
            "name_key",
            "pinyin",
            "publishes_name",
            "status",
            "code_epoch",
            "created_at",
        ],
        records=[
            (community, person, "张桂兰", names.key("张桂兰"), names.pinyin("张桂兰"), False, "active", 1, now)
            for person in donors
        ],
    )
    await connection.copy_records_to_table(
        "login",
        columns=["id", "phone_index", "phone_sealed", "created_at"],
        records=[
            (login, vault.blind_index(phone, "phone"), vault.seal(phone, "phone"), now)
            for login, phone in zip(logins, phones, strict=True)
        ],
    )
    await connection.copy_records_to_table(
        "membership",
        columns=["community_id", "login_id", "person_id", "created_at"],
        records=[(community, login, person, now) for login, person in zip(logins, donors, strict=True)],
    )
    return logins


async def _points(connection: asyncpg.Connection, community: UUID, donors: list[UUID]) -> UUID:
    """Insert each donor's points, issued by a transfer so that the ledger balances; return the `donated` account."""
    now, until = clock.now(), date(clock.local_day().year + 1, 12, 31)
    issued, donated = clock.new_id(), clock.new_id()
    accounts = [clock.new_id() for _ in donors]
    await connection.copy_records_to_table(
        "account",
        columns=["community_id", "id", "owner_kind", "owner_id", "currency", "bucket", "expires_on", "balance"],
        records=[
            (community, issued, "system", community, "point", "issued", None, None),
            (community, donated, "system", community, "point", "donated", None, None),
            *(
                (community, account, "person", person, "point", "available", until, POINTS_EACH)
                for account, person in zip(accounts, donors, strict=True)
            ),
            *((community, clock.new_id(), "person", person, "point", "available", None, 0) for person in donors),
        ],
    )
    entries = [clock.new_id() for _ in donors]
    await connection.copy_records_to_table(
        "transfer",
        columns=[
            "community_id", "id", "entry_id", "leg", "key", "request_hash", "kind", "currency", "debit_account",
            "credit_account", "amount", "occurred_at", "posted_at", "source_kind", "source_id", "memo",
        ],
        records=[
            (community, clock.new_id(), entry, 1, f"bench:{entry}", b"", "deed", "point", issued, account, POINTS_EACH,
             now, now, "bench", entry, "")
            for entry, account in zip(entries, accounts, strict=True)
        ],
    )  # fmt: skip
    # pgbench picks a donor by number; a table of its own, so that both sides find theirs by one index look-up.
    await connection.execute("CREATE TABLE bench_donor (n integer PRIMARY KEY, account_id uuid NOT NULL)")
    await connection.copy_records_to_table("bench_donor", records=list(enumerate(accounts, 1)))
    return donated


def _script(community: UUID, donated: UUID, persons: int) -> str:
    return f"""\\set n random(1, {persons})
WITH moved AS (
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account,
                          credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo)
    SELECT '{community}', gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid()::text, '', 'donation', 'point',
           account_id, '{donated}', 1, now(), now(), 'bench', account_id, '' FROM bench_donor WHERE n = :n
    RETURNING community_id, debit_account, amount
)
UPDATE account a SET balance = a.balance - m.amount FROM moved m
WHERE a.community_id = m.community_id AND a.id = m.debit_account AND a.balance >= m.amount;
"""
