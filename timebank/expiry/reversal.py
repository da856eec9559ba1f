"""Reverse a mistaken expiry, and notify its owner of the new last day of the points."""

from uuid import UUID

import msgspec

from timebank.agreements.independence import is_near_home, near
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.ledger import posting
from timebank.ledger.grace import Unit, came_back
from timebank.ledger.posting import Currency, Posting, Reversal
from timebank.ledger.refusals import AlreadyReversed, EntryNotFound, NotReversible
from timebank.people.guardianship.care import guardian_ids
from timebank.people.messages import Notification, notify_many

DAY_MAX = 2000  # expiries that one call reverses; it takes about ten seconds


class OwnExpiry(TimebankError):
    code = "own_expiry"
    status = 403
    sentence = "不能撤回自己或同一户家人的到期。请另一位管理员来办。"


class _Expired(msgspec.Struct, frozen=True):
    kind: str
    account_id: UUID
    owner_id: UUID
    owner: str
    currency: str


_EXPIRED = """
SELECT t.kind, a.id AS account_id, a.owner_id, coalesce(p.name, '') AS owner, a.currency FROM transfer t
JOIN account a ON a.community_id = t.community_id AND a.id = t.debit_account
LEFT JOIN person p ON p.community_id = a.community_id AND p.id = a.owner_id
WHERE t.community_id = $1 AND t.entry_id = $2 AND t.leg = 1
"""


@retried
async def reverse_expiry(scope: Scope, entry_id: UUID, reason: str) -> Reversal:
    """Reverse an expiry: the points go back to their account or, after their last day, to the account of grace.

    Points that a later reversal has taken from the expiry do not come back. Raises OwnExpiry, PastGrace,
    AlreadyReversed, ExpiryTakenBack, NotReversible, EntryNotFound.
    """
    scope.require_admin()
    async with transaction(scope):
        found = await database.row(_Expired, _EXPIRED, scope.community_id, entry_id)
        if found is None:
            raise EntryNotFound
        if found.kind != "expiry":
            raise NotReversible
        if await is_near_home(scope, found.owner_id):
            raise OwnExpiry
        key = f"expiry:{entry_id}:reversal"
        note = Posting(
            kind="reversal",
            key=key,
            source_kind="account",
            source_id=found.account_id,
            memo=phrase("entry.expiry_reversed", reason=reason),
        )
        reversal = await posting.reverse(scope, entry_id, note)
        if reversal.replayed:
            raise AlreadyReversed
        await audit.record(scope, "reverse_expiry", "account", found.account_id, reason=reason, about_id=found.owner_id)
        readers, says = await _message(scope, found, reversal, reason)
        await notify_many(scope, [Notification(reader, says, key, entry_id) for reader in readers])
    return reversal


class DayReversed(msgspec.Struct, frozen=True):
    """The number of reversed expiries of a day; `own` are left for another administrator. `more`: call it again."""

    reversed: int
    own: int
    more: bool


# The order is that in which ledger_expire locks the owners (by the id of their account without expiry), to avoid
# deadlocks.
_SAME_DAY = """
SELECT t.entry_id, a.owner_id FROM transfer t
JOIN account a ON a.community_id = t.community_id AND a.id = t.debit_account
JOIN (
    SELECT e.credit_account, x.currency, x.expires_on FROM transfer e
    JOIN account x ON x.community_id = e.community_id AND x.id = e.debit_account
    WHERE e.community_id = $1 AND e.entry_id = $2 AND e.leg = 1 AND e.kind = 'expiry'
) one ON one.credit_account = t.credit_account AND one.currency = a.currency AND one.expires_on = a.expires_on
JOIN account own ON own.community_id = a.community_id AND own.owner_kind = a.owner_kind AND own.owner_id = a.owner_id
    AND own.currency = a.currency AND own.bucket = 'available' AND own.subject_id IS NULL AND own.expires_on IS NULL
WHERE t.community_id = $1 AND t.kind = 'expiry' AND t.source_kind = 'account'
    AND (a.grace_of IS NULL OR a.expires_on >= $3)
    AND NOT EXISTS (SELECT FROM transfer r WHERE r.community_id = $1 AND r.reverses = t.id)
    AND t.amount > coalesce((SELECT sum(d.amount) FROM transfer d WHERE d.community_id = $1 AND d.draws_on = t.id), 0)
ORDER BY own.id, t.id LIMIT $4
"""


@retried
async def reverse_expiries_of_day(scope: Scope, entry_id: UUID, reason: str) -> DayReversed:
    """Reverse up to DAY_MAX expiries with the same currency and last day as this one, in one transaction.

    Those of the caller and of household members are left for another administrator. Raises AlreadyReversed if nothing
    is left, OwnExpiry if only such ones are left, PastGrace.
    """
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch(_SAME_DAY, scope.community_id, entry_id, clock.local_day(), DAY_MAX + 1)
        close = await near(scope, [row["owner_id"] for row in found])
        own = [row for row in found if row["owner_id"] in close.home]
        others = [row["entry_id"] for row in found[:DAY_MAX] if row not in own]
        if not others:
            raise OwnExpiry if own else AlreadyReversed
        for each in others:
            await reverse_expiry(scope, each, reason)
    return DayReversed(len(others), len(own), len(found) > DAY_MAX)


async def _message(scope: Scope, found: _Expired, reversal: Reversal, reason: str) -> tuple[list[UUID], Phrase]:
    """The message and whom it goes to: the owner or, for a child's class minutes, its guardians."""
    unit: Unit = "points" if found.currency == Currency.point else "minutes"
    back = came_back(reversal.returned, unit)
    if found.currency != Currency.class_minute:
        return [found.owner_id], phrase("expiry_reversed", back=back, reason=reason)
    guardians = await database.fetch(
        guardian_ids("$1", "$2", "$3"), scope.community_id, found.owner_id, clock.local_day()
    )
    says = phrase("expiry_reversed.class_time", child=found.owner, back=back, reason=reason)
    return [row["guardian_id"] for row in guardians], says
