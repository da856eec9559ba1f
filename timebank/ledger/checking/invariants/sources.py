"""The invariants between the ledger and the rows that its entries refer to, for the sources of all capabilities."""

from collections.abc import Sequence

from timebank.core.capability import Source
from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import HELD, Invariant

NONE = "SELECT NULL::uuid WHERE false"


def of_sources(sources: Sequence[Source]) -> tuple[Invariant, ...]:
    """The invariants over all sources together."""
    return _source_unknown(sources), _hold_without_cause(sources), _credit_astray(sources)


def _source_unknown(sources: Sequence[Source]) -> Invariant:
    known = ", ".join(f"('{kind}', '{source.noun}')" for source in sources for kind in source.entries)
    return Invariant(
        "source_unknown",
        _("一笔 {amount} 的流水没有可以核对的来处。"),
        """
SELECT ARRAY[t.id, t.source_id] AS ids, t.amount FROM transfer t
LEFT JOIN known k ON k.kind = t.kind AND k.source_kind = t.source_kind
WHERE t.community_id = $1 AND k.kind IS NULL ORDER BY t.id LIMIT $2""",
        f"WITH known (kind, source_kind) AS (VALUES {known})",
    )


def _hold_without_cause(sources: Sequence[Source]) -> Invariant:
    causes = "\n    UNION ALL ".join(source.holds for source in sources if source.holds)
    anew = " UNION ALL ".join(source.held_anew for source in sources if source.held_anew) or NONE
    return Invariant(
        "hold_without_cause",
        _("一笔 {amount} 的预留没有对应的兑换或预约。"),
        f"""
, cause AS ({causes})
SELECT ARRAY[h.entry_id, h.source_id] AS ids, h.amount FROM held h
LEFT JOIN cause c ON c.entry_id = h.entry_id AND c.id = h.source_id
LEFT JOIN (SELECT DISTINCT entry_id FROM ({anew}) AS each (entry_id)) m ON m.entry_id = h.entry_id
WHERE c.id IS NULL AND (m.entry_id IS NULL OR h.voided + h.taken_back <> h.amount) OR h.open > 0 AND NOT c.is_open
ORDER BY h.entry_id LIMIT $2""",  # noqa: S608  # from the manifests
        HELD,
    )


def _credit_astray(sources: Sequence[Source]) -> Invariant:
    """Hours must credit minutes and points to their own person, deeds only points to theirs."""
    credited = "\n    UNION ALL ".join(
        f"SELECT id, person_id, '{source.noun}' AS noun FROM ({source.credited}) AS {source.noun}"  # noqa: S608
        for source in sources
        if source.credited
    )
    return Invariant(
        "credit_astray",
        _("为一条服务或一件善行记的 {amount}，到了别人的账户，或记成了另一种账。"),
        f"""
WITH stands_for AS ({credited}), credited AS (
    SELECT t.id, t.entry_id, t.kind, t.currency, t.amount, t.source_id, t.source_kind, a.owner_kind,
           coalesce(w.merged_into, a.owner_id) AS owner_id
    FROM transfer t JOIN account a ON a.community_id = $1
         AND a.id = CASE t.kind WHEN 'conversion' THEN t.debit_account ELSE t.credit_account END
    LEFT JOIN person w ON w.community_id = $1 AND w.id = a.owner_id
    WHERE t.community_id = $1 AND t.kind IN ('service', 'deed', 'conversion')
)
SELECT ARRAY[c.id, c.entry_id] AS ids, c.amount FROM credited c
JOIN stands_for s ON s.id = c.source_id AND s.noun = c.source_kind
LEFT JOIN person p ON p.community_id = $1 AND p.id = s.person_id
WHERE (c.owner_kind, c.owner_id) IS DISTINCT FROM ('person', coalesce(p.merged_into, s.person_id))
   OR CASE c.kind WHEN 'deed' THEN c.currency <> 'point' WHEN 'conversion' THEN c.currency <> 'minute'
                  ELSE c.currency NOT IN ('minute', 'point') END
ORDER BY c.id LIMIT $2""",  # noqa: S608  # from the manifests
    )
