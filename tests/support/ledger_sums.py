"""Check the ledger's sums in SQL, independently of the program's own check."""

import asyncpg

_PROBLEMS = """
WITH moved AS (
    SELECT community_id, currency, debit_account AS account_id, -amount AS change FROM transfer
    UNION ALL SELECT community_id, currency, credit_account, amount FROM transfer
), summed AS (
    SELECT community_id, account_id, min(currency) AS currency, max(currency) AS other, sum(change) AS change
    FROM moved GROUP BY 1, 2
)
SELECT 'currency ' || currency || ' does not sum to zero' AS problem
    FROM moved GROUP BY currency HAVING sum(change) <> 0
UNION ALL
SELECT 'account ' || id || ' stores ' || balance || ', its transfers say ' || coalesce(s.change, 0)
    FROM account a LEFT JOIN summed s ON s.community_id = a.community_id AND s.account_id = a.id
    WHERE a.owner_kind <> 'system' AND a.balance <> coalesce(s.change, 0)
UNION ALL
SELECT 'account ' || id || ' is negative' FROM account WHERE balance < 0
UNION ALL
SELECT 'account ' || a.id || ' moves another currency' FROM account a
    JOIN summed s ON s.community_id = a.community_id AND s.account_id = a.id
    WHERE s.currency <> a.currency OR s.other <> a.currency
UNION ALL
SELECT 'transfer ' || t.id || ' has no account' FROM transfer t
    WHERE 2 <> (SELECT count(*) FROM account a WHERE a.community_id = t.community_id
                AND a.id IN (t.debit_account, t.credit_account))
"""


async def problems_of(owner: asyncpg.Connection) -> list[str]:
    """A sentence for each sum that is wrong; empty when the ledger balances."""
    return [row["problem"] for row in await owner.fetch(_PROBLEMS)]
