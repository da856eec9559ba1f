"""The type of an invariant, and the common table expressions that several invariants use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """A condition that must hold in the ledger. `sentence` describes one violation; `sql` finds the violations."""

    code: str
    sentence: str
    sql: str
    given: str = ""  # common table expressions, put before `sql`

    @property
    def statement(self) -> str:
        return self.given + self.sql


# The sum of each account's transfers.
SUMMED = """
WITH moved AS (
    SELECT debit_account AS account_id, -amount AS change FROM transfer WHERE community_id = $1
    UNION ALL SELECT credit_account, amount FROM transfer WHERE community_id = $1
), summed AS (SELECT account_id, sum(change)::bigint AS change FROM moved GROUP BY account_id)
"""

# Accounts of a merged record count as those of the record that it was merged into.
# Each hold with its legs summed up: how much is open, captured (settled), voided, and captured by what was reversed
# since. settled_entry: the capturing entry.
HELD = """
WITH held AS (
    SELECT h.entry_id, h.source_kind, h.source_id, coalesce(w.merged_into, a.owner_id) AS owner_id, a.currency,
           sum(h.amount)::bigint AS amount,
           coalesce(sum(h.amount) FILTER (WHERE c.id IS NULL), 0)::bigint AS open,
           coalesce(sum(h.amount) FILTER (WHERE c.kind = 'settle'), 0)::bigint AS settled,
           coalesce(sum(h.amount) FILTER (WHERE c.kind = 'void'), 0)::bigint AS voided,
           coalesce(sum(h.amount) FILTER (WHERE r.id IS NOT NULL), 0)::bigint AS taken_back,
           max(c.entry_id::text) FILTER (WHERE c.kind = 'settle')::uuid AS settled_entry
    FROM transfer h JOIN account a ON a.community_id = $1 AND a.id = h.credit_account
    LEFT JOIN person w ON w.community_id = $1 AND w.id = a.owner_id
    LEFT JOIN transfer c ON c.community_id = $1 AND c.closes = h.id
    LEFT JOIN transfer r ON r.community_id = $1 AND r.reverses = c.id
    WHERE h.community_id = $1 AND h.kind = 'hold'
    GROUP BY h.entry_id, h.source_kind, h.source_id, coalesce(w.merged_into, a.owner_id), a.currency
)
"""

# What an entry credited to an owner for hours or a deed, under which rule, and whether it has been reversed.
CREDITED = """
WITH undone AS (
    SELECT reverses FROM transfer WHERE community_id = $1 AND reverses IS NOT NULL
    UNION SELECT reverses FROM debt WHERE community_id = $1
), credited AS (
    SELECT t.entry_id, t.kind, t.source_id, coalesce(w.merged_into, a.owner_id) AS owner_id, t.rule_code,
           t.rule_version, coalesce(sum(t.amount) FILTER (WHERE t.currency = 'minute'), 0)::bigint AS minutes,
           coalesce(sum(t.amount) FILTER (WHERE t.currency = 'point'), 0)::bigint AS points,
           bool_or(u.reverses IS NOT NULL) AS reversed
    FROM transfer t JOIN account a ON a.community_id = $1 AND a.id = t.credit_account
    LEFT JOIN person w ON w.community_id = $1 AND w.id = a.owner_id
    LEFT JOIN undone u ON u.reverses = t.id
    WHERE t.community_id = $1 AND t.kind IN ('service', 'deed') AND a.owner_kind <> 'system'
    GROUP BY t.entry_id, t.kind, t.source_id, coalesce(w.merged_into, a.owner_id), t.rule_code, t.rule_version
)
"""


def credit_without_source(code: str, sentence: str, *, kind: str, table: str, status: str, amount: str) -> Invariant:
    """Each credit of `kind` that is not reversed belongs to a row of `table` with this status, which names its entry.

    `amount`: what the sentence shows of a violating credit, "minutes" or "points".
    """
    return Invariant(
        code,
        sentence,
        f"""
SELECT ARRAY[c.entry_id, c.source_id] AS ids, c.{amount} AS amount FROM credited c
LEFT JOIN {table} s ON s.community_id = $1 AND s.id = c.source_id
WHERE c.kind = '{kind}'
  AND (s.id IS NULL OR NOT c.reversed AND (s.status <> '{status}' OR s.entry_id IS DISTINCT FROM c.entry_id))
ORDER BY c.entry_id LIMIT $2""",  # noqa: S608  # no input
        CREDITED,
    )
