"""Ledger entries in words: the kind of an entry, and the reason for its amount."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import database
from timebank.core.capability import capabilities, hook
from timebank.core.database import reading_directly, transaction
from timebank.core.locale import _, translate
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.ledger.memos import Reasoned
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import StatementItem
from timebank.ledger.statement import Line, statement


def entry_kind_in_words(kind: str, source_kind: str, language: str = "zh") -> str:
    """The word for a kind of entry, from the manifests; the kind itself if none declares one."""
    return _word(_words(), kind, source_kind, language)


def _words() -> dict[str, str]:
    """The Chinese words for kinds of entries, by `kind` or `source_kind:kind`."""
    return {name: word for one in capabilities() for name, word in one.statement.items()}


def _word(words: dict[str, str], kind: str, source_kind: str, language: str) -> str:
    return translate(words.get(f"{source_kind}:{kind}") or words.get(kind, kind), language)


async def explain_lines(scope: Scope, lines: Sequence[Line], language: str = "zh") -> list[StatementItem]:
    """Statement lines with their words. A reversal names the entry that it reversed."""
    undone = await reversed_words(scope, [line.entry_id for line in lines if line.kind == "reversal"], language)
    unsaid = [line.rule_code for line in lines if line.rule_code and not line.reason()]
    rules = await hook("rule_names")(scope, unsaid)
    words = _words()
    return [
        StatementItem(
            entry_id=line.entry_id, kind=line.kind, what=_word(words, line.kind, line.source_kind, language),
            when=line.posted_at, amount=line.amount, balance=line.balance,
            why=_why(line, undone.get(line.entry_id), rules, language),
        )
        for line in lines
    ]  # fmt: skip


async def worded_statement(
    scope: Scope, person_id: UUID, currency: Currency, language: str, *, subject_id: UUID | None = None,
    limit: int = 50, cursor: str | None = None,
) -> Page[StatementItem]:  # fmt: skip
    """The statement of `statement`, with its lines in words."""
    async with reading_directly(scope):
        found = await statement(scope, person_id, currency, subject_id=subject_id, limit=limit, cursor=cursor)
        return Page(await explain_lines(scope, found.items, language), found.next)


def _why(line: Line, undone: str | None, rules: dict[tuple[str, int], str], language: str) -> str:
    reason = line.reason(language)
    if not reason and line.rule_code and line.rule_version:
        reason = rules.get((line.rule_code, line.rule_version), "")
    if undone:
        told = translate(_("撤回：{undone}"), language).format(undone=undone)
        return translate(_("{reason}（{told}）"), language).format(reason=reason, told=told) if reason else told
    return reason


class _Reversed(Reasoned, frozen=True, kw_only=True):
    entry_id: UUID
    kind: str
    source_kind: str


# Looks each of the reversals ($2) up by index. A reversal reverses the legs of one entry. If nothing was left to take
# back, only the debt names the reversed transfer. Each part is an aggregate, so that the planner cannot join the whole
# table instead.
_REVERSED = """
SELECT e.entry_id, whole.* FROM unnest($2::uuid[]) AS e (entry_id)
CROSS JOIN LATERAL (
    SELECT (array_agg(r.reverses))[1] AS id FROM (
        SELECT t.reverses FROM transfer t
        WHERE t.community_id = $1 AND t.entry_id = e.entry_id AND t.reverses IS NOT NULL
        UNION ALL SELECT d.reverses FROM debt d WHERE d.community_id = $1 AND d.entry_id = e.entry_id) AS r
) AS leg
CROSS JOIN LATERAL (
    SELECT (array_agg(o.entry_id))[1] AS entry_id FROM transfer o WHERE o.community_id = $1 AND o.id = leg.id
) AS undone
CROSS JOIN LATERAL (
    SELECT (array_agg(o.kind ORDER BY o.leg))[1] AS kind, min(o.source_kind) AS source_kind, max(o.memo) AS memo,
           max(o.memo_kind) AS memo_kind, (array_agg(o.memo_values))[1]::text AS memo_values
    FROM transfer o WHERE o.community_id = $1 AND o.entry_id = undone.entry_id AND o.kind <> 'repayment'
) AS whole WHERE whole.kind IS NOT NULL
"""


async def reversed_words(scope: Scope, entries: list[UUID], language: str) -> dict[UUID, str]:
    """The entry that each of these reversals reversed, in words, by the reversal's entry id."""
    if not entries:
        return {}
    async with transaction(scope):
        found = await database.rows(_Reversed, _REVERSED, scope.community_id, entries)
    words = {
        one.entry_id: (entry_kind_in_words(one.kind, one.source_kind, language), one.reason(language)) for one in found
    }
    return {entry: f"{kind} · {reason}" if reason else kind for entry, (kind, reason) in words.items()}
