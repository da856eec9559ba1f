"""Afterwards: the books balance, and the tables hold what was answered, neither more nor less."""

from collections.abc import Iterator

import asyncpg

from bench import scripts
from bench.ground import STOCK_EACH, Ground
from bench.verbs import Requests
from timebank.core import database
from timebank.core.scope import Scope
from timebank.ledger.checking.check import check_ledger

# What the service has written since the ground was laid: $1 its community, $2 the nonces that were sent.
_WRITTEN = """
SELECT (SELECT count(*) FROM unnest($2::text[]) AS n (nonce) JOIN scan s ON s.community_id = $1 AND s.nonce = n.nonce
            AND s.status = 'ok' AND s.visit_id IS NOT NULL) AS heard,
       (SELECT count(*) FROM scan WHERE community_id = $1 AND received_at > laid_at) AS scans,
       (SELECT count(*) FROM visit WHERE community_id = $1 AND in_at > laid_at) AS visits,
       (SELECT count(*) FROM visit WHERE community_id = $1 AND out_at > laid_at AND status = 'closed') AS closed,
       (SELECT count(*) FROM service_record WHERE community_id = $1 AND created_at > laid_at) AS records,
       (SELECT count(*) FROM service_record r WHERE community_id = $1 AND created_at > laid_at AND status = 'approved'
            AND credited_points > 0 AND EXISTS (SELECT FROM transfer t WHERE t.community_id = $1
                AND t.entry_id = r.entry_id AND t.currency = 'point' AND t.amount = r.credited_points)) AS credited,
       (SELECT count(*) FROM redemption WHERE community_id = $1) AS redemptions,
       (SELECT count(*) FROM redemption WHERE community_id = $1 AND status = 'reserved') AS reserved
FROM bench_place WHERE community_id = $1
"""

# What pgbench has written: $1 its community.
_WRITTEN_BESIDE = """
SELECT (SELECT count(*) FROM scan WHERE community_id = $1 AND received_at > laid_at) AS scans,
       (SELECT count(*) FROM service_record WHERE community_id = $1 AND created_at > laid_at) AS records,
       (SELECT count(*) FROM redemption WHERE community_id = $1) AS redemptions
FROM bench_place WHERE community_id = $1
"""

_BALANCES_DIFFER = """
SELECT count(*) FROM account a LEFT JOIN (
    SELECT account_id, sum(change) AS change FROM (
        SELECT debit_account AS account_id, -amount AS change FROM transfer
        UNION ALL SELECT credit_account, amount FROM transfer) legs GROUP BY account_id
) s ON s.account_id = a.id WHERE a.owner_kind = 'person' AND a.balance <> coalesce(s.change, 0)
"""

# Stock that is negative, or is not what was received less what was reserved.
_STOCK_DIFFERS = f"""
SELECT count(*) FROM stock s LEFT JOIN (
    SELECT community_id, station_id, good_id, sum(quantity) AS quantity FROM redemption GROUP BY 1, 2, 3
) r USING (community_id, station_id, good_id)
WHERE s.quantity < 0 OR s.quantity + coalesce(r.quantity, 0) <> {STOCK_EACH}
"""


async def find_faults(url: str, requests: Requests, by_pgbench: dict[str, int]) -> list[str]:
    """What is wrong in the tables after the measurement, one line each; `by_pgbench` counts transactions by statement.

    The service's community is checked by every invariant of the ledger check, pgbench's by its balances and stock.
    """
    ground = requests.ground
    connection = await asyncpg.connect(url)
    written = await connection.fetchrow(_WRITTEN, ground.community, requests.nonces)
    beside = await connection.fetchrow(_WRITTEN_BESIDE, ground.beside)
    balances = await connection.fetchval(_BALANCES_DIFFER)
    stock = await connection.fetchval(_STOCK_DIFFERS)
    await connection.close()
    assert written is not None and beside is not None  # noqa: PT018
    faults = [*_differences(dict(written), _expected(requests)), *_differences(dict(beside), _beside(by_pgbench))]
    faults += [f"{balances} accounts have another balance than their transfers"] * bool(balances)
    faults += [f"{stock} stocks are negative or differ from what was reserved"] * bool(stock)
    return faults + await _ledger_faults(url, ground)


def _expected(requests: Requests) -> dict[str, int]:
    """The counts of `_WRITTEN` if each answer is true: every request was answered, or the run would have failed."""
    sent = requests.sent
    scans = sent["in"] + sent["out"]
    return {
        "heard": scans, "scans": scans, "visits": sent["in"], "closed": sent["out"], "records": sent["out"],
        "credited": sent["out"], "redemptions": sent["reserved"], "reserved": sent["reserved"],
    }  # fmt: skip


def _beside(by_pgbench: dict[str, int]) -> dict[str, int]:
    names = {"scans": scripts.CHECK_IN, "records": scripts.CHECK_OUT, "redemptions": scripts.RESERVATION}
    return {name: by_pgbench.get(script, 0) for name, script in names.items()}


def _differences(found: dict[str, int], expected: dict[str, int]) -> Iterator[str]:
    for name, count in expected.items():
        if found[name] != count:
            yield f"{name}: {found[name]} in the tables, {count} answered"


async def _ledger_faults(url: str, ground: Ground) -> list[str]:
    await database.create_pool(url, 2)
    try:
        books = await check_ledger(Scope.of_system(ground.community))
    finally:
        await database.close_pool()
    return [problem.text() for problem in books.problems]
