"""The check finds forged issues of points or minutes, whatever kind and source they name.

Whoever has the serving role's login may call the ledger's functions with any arguments. The check compares each entry
with the source that it names.
"""

from uuid import UUID

import asyncpg
import pytest

from tests.ledger.test_ledger_check import check, live_a_little
from tests.support.town import Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.ledger.checking import check as ledger_check
from timebank.ledger.posting import request_hash

KINDS = (
    "service", "conversion", "deed", "hold", "settle", "void", "purchase", "donation", "expiry", "adjustment",
    "reversal", "repayment", "refund", "move",
)  # fmt: skip
SOURCES = {
    "service_record": "SELECT id FROM service_record LIMIT 1",
    "deed": "SELECT id FROM deed WHERE status = 'credited' LIMIT 1",
    "redemption": "SELECT id FROM redemption WHERE status = 'collected'",
    "booking": "SELECT id FROM booking",
    "class_purchase": "SELECT id FROM class_purchase",
    "donation": "SELECT source_id FROM transfer WHERE kind = 'donation'",
    "account": "SELECT id FROM account WHERE currency = 'point' AND balance > 100",
    "adjustment": "SELECT gen_random_uuid()",
}


async def issue(town: Town, kind: str, source_kind: str, source: UUID, currency: str, owner: tuple[str, UUID]) -> UUID:
    """Issue 5 without cause, as the serving role can, and return the entry's id."""
    entry = clock.new_id()
    key = f"forged:{entry}"
    async with transaction(town.system()):
        verdict = await database.fetch_value(
            "SELECT verdict FROM ledger_issue($1, ROW($2::uuid, $3, $4, $5, $6::timestamptz, $6, NULL, $7, $8, NULL, "
            "NULL, '', NULL, NULL)::ledger_entry, $9, $10, $11, NULL, NULL, 5)",
            town.community, entry, key, request_hash(key=key), kind, clock.now(), source_kind, source, *owner,
            currency,
        )  # fmt: skip
    assert verdict == "posted"
    return entry


async def named(town: Town, owner: asyncpg.Connection) -> set[UUID]:
    """The ids of the forged entries that the check reports, by the entry or by its transfer."""
    ids = {each for problem in (await check(town)).problems for each in problem.ids}
    rows = await owner.fetch("SELECT id, entry_id FROM transfer WHERE key LIKE 'forged:%'")
    return {UUID(bytes=row["entry_id"].bytes) for row in rows if ids & {row["id"], row["entry_id"]}}


async def forget(owner: asyncpg.Connection) -> None:
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(
        "WITH gone AS (DELETE FROM transfer WHERE key LIKE 'forged:%' RETURNING credit_account, amount), "
        "each AS (SELECT credit_account, sum(amount) AS amount FROM gone GROUP BY 1) "
        "UPDATE account a SET balance = balance - g.amount FROM each g WHERE a.id = g.credit_account"
    )


@pytest.mark.parametrize("currency", ["point", "minute", "class_minute"])
@pytest.mark.parametrize("whose", ["person", "household"])
async def test_an_issue_out_of_nothing_is_found(
    town: Town, owner: asyncpg.Connection, currency: str, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of entry is forged for every kind of source, with a source that exists and with one that does not.

    All of them are posted first, and one check has to name most of them. Those that it does not name, because it
    compares a sum of several, are then posted one at a time, and the check has to fail for each.
    """
    monkeypatch.setattr(ledger_check, "FOUND_MAX", 10_000)
    await live_a_little(town)
    taker = (whose, town.people["张桂兰"] if whose == "person" else town.households["张桂兰"])
    sources = {noun: (await owner.fetchval(sql), clock.new_id()) for noun, sql in SOURCES.items()}
    cases = [(kind, noun, source) for kind in KINDS for noun in sources for source in sources[noun]]
    forged = {await issue(town, *case, currency, taker): case for case in cases}
    alone = [forged[entry] for entry in set(forged) - await named(town, owner)]
    await forget(owner)
    unfound = []
    for case in alone:
        await issue(town, *case, currency, taker)
        if (await check(town)).ok:
            unfound.append(case)
        await forget(owner)
    assert unfound == []
    assert len(alone) < len(cases) / 4
    assert (await check(town)).ok


ADD_A_LEG = """
WITH first AS (
    SELECT t.* FROM transfer t JOIN account a ON a.id = t.credit_account
    WHERE t.kind = $1 AND t.leg = 1 AND a.owner_id = $6 LIMIT 1
), given AS (
    INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, expires_on, balance)
    VALUES ($7, gen_random_uuid(), $2, $3, $4, $8, '2030-01-01', 5) RETURNING id
), taken AS (
    INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket)
    VALUES ($7, gen_random_uuid(), 'system', $7, $4, 'issued') ON CONFLICT DO NOTHING RETURNING id
), issued AS (
    SELECT id FROM taken UNION SELECT id FROM account
    WHERE community_id = $7 AND owner_kind = 'system' AND bucket = 'issued' AND currency = $4
)
INSERT INTO transfer SELECT f.community_id, gen_random_uuid(), f.entry_id,
    (SELECT max(leg) + 1 FROM transfer x WHERE x.entry_id = f.entry_id), 'forged:leg', f.request_hash, $5, $4,
    (SELECT id FROM issued), (SELECT id FROM given), 5, f.occurred_at, f.posted_at, f.actor_id, f.source_kind,
    f.source_id, f.rule_code, f.rule_version, NULL, NULL, f.memo FROM first f
"""


@pytest.mark.parametrize("whose", ["the person", "somebody else", "a household", "the person's held"])
@pytest.mark.parametrize("entry", ["service", "deed"])
async def test_a_leg_added_to_an_honest_entry_is_found(
    town: Town, owner: asyncpg.Connection, whose: str, entry: str
) -> None:
    """A leg of 5 is added to a deed's or an hour's genuine entry: of each kind and currency, to its person, somebody
    else, a household or the person's held points."""
    await live_a_little(town)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM day_total")
    person = await owner.fetchval(
        "SELECT a.owner_id FROM transfer t JOIN account a ON a.id = t.credit_account WHERE t.kind = $1 AND t.leg = 1 "
        "AND NOT EXISTS (SELECT FROM transfer r WHERE r.reverses = t.id) LIMIT 1",
        entry,
    )
    taker = {
        "somebody else": ("person", town.people["张国庆"]), "a household": ("household", town.households["张桂兰"]),
    }.get(whose, ("person", person))  # fmt: skip
    bucket, unfound = "held" if "held" in whose else "available", []
    for kind in ("service", "deed", "conversion", "repayment", "reversal"):
        for currency in ("point", "minute", "class_minute"):
            await owner.execute(ADD_A_LEG, entry, *taker, currency, kind, person, town.community, bucket)
            if (await check(town)).ok:
                unfound.append((kind, currency))
            await forget(owner)
            await owner.execute("DELETE FROM account WHERE expires_on = '2030-01-01'")
    assert unfound == []
    assert (await check(town)).ok
