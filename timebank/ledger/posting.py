"""The verbs that move value. Each is one call of a ledger function: it locks, looks the key up, checks, and writes."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.database import retried, transaction
from timebank.errors import TimebankError
from timebank.scope import Scope


class Currency(StrEnum):
    point = "point"
    minute = "minute"
    class_minute = "class_minute"


class Insufficient(TimebankError):
    code = "insufficient_points"
    status = 422
    sentence = "积分不够：需要 {needed} 分，可用 {available} 分。"


class InsufficientClassMinutes(TimebankError):
    code = "insufficient_class_minutes"
    status = 422
    sentence = "课时不够：需要 {needed} 分钟，可用 {available} 分钟。请先用积分换课时。"


class AccountClosed(TimebankError):
    code = "account_closed"
    status = 422
    sentence = "这个账户已停用，不能收支。请找社区管理员。"


class LedgerKeyReused(TimebankError):
    code = "ledger_key_reused"
    status = 422
    sentence = "这笔账已用同样的编号记过另一件事，没有再记。"


class HoldClosed(TimebankError):
    code = "hold_closed"
    status = 409
    sentence = "这笔预留已经办完了，不能再办一次。"


class AlreadyReversed(TimebankError):
    code = "already_reversed"
    status = 409
    sentence = "这笔账已经冲正过了。"


class NotReversible(TimebankError):
    code = "not_reversible"
    status = 422
    sentence = "这笔账不能冲正：预留请取消，到期和冲正本身不再冲正。"


class EntryNotFound(TimebankError):
    code = "entry_not_found"
    status = 404
    sentence = "没有找到这笔账。"


@dataclass(frozen=True, slots=True)
class Posting:
    """What a posting tells of itself. `key` is unique in the community for ever and makes a retry harmless."""

    kind: str
    key: str
    source_kind: str
    source_id: UUID
    memo: str = ""
    occurred_at: datetime | None = None
    rule_code: str | None = None
    rule_version: int | None = None


class Posted(msgspec.Struct, frozen=True):
    entry_id: UUID
    replayed: bool


class Earned(msgspec.Struct, frozen=True):
    """`points` credited now; `minutes_left` stay in the minute account until they make a whole point."""

    entry_id: UUID
    points: int
    minutes_left: int
    replayed: bool


class Reversal(msgspec.Struct, frozen=True):
    """`taken` points came back; `owed` had been spent and are now a debt that later earnings repay."""

    entry_id: UUID
    taken: int
    owed: int
    replayed: bool


_ENTRY = "ROW($2::uuid, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)::ledger_entry"

REFUSALS: dict[str, type[TimebankError]] = {
    "closed": AccountClosed,
    "key_reused": LedgerKeyReused,
    "not_found": EntryNotFound,
    "already_closed": HoldClosed,
    "already_reversed": AlreadyReversed,
    "not_reversible": NotReversible,
}


@retried
async def _call(scope: Scope, function: str, posting: Posting, *arguments: object) -> Any:
    """Call a ledger function: $1 the community, $2 to $13 the entry, the rest its own arguments. One round trip."""
    now = clock.now()
    asked = hashlib.sha256(repr((function, posting.kind, posting.source_id, arguments)).encode()).digest()
    placed = "".join(f", ${number}" for number in range(14, 14 + len(arguments)))
    async with transaction(scope):
        answer = await database.fetch_one(
            f"SELECT * FROM {function}($1, {_ENTRY}{placed})",  # noqa: S608  # a name from this module, no input
            scope.community_id, clock.new_id(), posting.key, asked, posting.kind, posting.occurred_at or now, now,
            scope.person_id, posting.source_kind, posting.source_id, posting.rule_code, posting.rule_version,
            posting.memo, *arguments,
        )  # fmt: skip
        assert answer is not None
        if refusal := REFUSALS.get(answer["verdict"]):
            raise refusal
    return answer


async def issue(
    scope: Scope, person_id: UUID, currency: Currency, amount: int, posting: Posting, *,
    expires_on: date | None = None, subject_id: UUID | None = None,
) -> Posted:  # fmt: skip
    """Issue an amount to a person. What the person owes in that currency is repaid out of it at once."""
    answer = await _call(
        scope, "ledger_issue", posting, "person", person_id, currency.value, subject_id, expires_on, amount
    )
    return Posted(answer["entry_id"], answer["verdict"] == "replayed")


async def earn(
    scope: Scope, person_id: UUID, minutes: int, minutes_per_point: int, posting: Posting, *, expires_on: date
) -> Earned:
    """Issue served minutes and turn every full `minutes_per_point` of the minute balance into a point."""
    answer = await _call(scope, "ledger_earn", posting, person_id, minutes, minutes_per_point, expires_on)
    return Earned(answer["entry_id"], answer["points"], answer["minutes_left"], answer["verdict"] == "replayed")


async def spend(
    scope: Scope, person_id: UUID, amount: int, posting: Posting, *,
    to: str = "redeemed", currency: Currency = Currency.point, subject_id: UUID | None = None,
) -> Posted:  # fmt: skip
    """Spend from a person, earliest expiry first, to a system account or (`to` "held") the person's own held bucket."""
    answer = await _call(
        scope, "ledger_spend", posting, "person", person_id, currency.value, subject_id, amount, to, clock.local_day()
    )
    if answer["verdict"] == "insufficient":
        refusal = InsufficientClassMinutes if currency == Currency.class_minute else Insufficient
        raise refusal(needed=amount, available=answer["available"])
    return Posted(answer["entry_id"], answer["verdict"] == "replayed")


async def hold(
    scope: Scope, person_id: UUID, amount: int, posting: Posting, *,
    currency: Currency = Currency.point, subject_id: UUID | None = None,
) -> Posted:  # fmt: skip
    """Set an amount aside until `settle` or `void`; posting.kind must be "hold"."""
    return await spend(scope, person_id, amount, posting, to="held", currency=currency, subject_id=subject_id)


async def settle(scope: Scope, hold_entry: UUID, posting: Posting, *, to: str = "redeemed") -> Posted:
    """Let a hold go on to a system account: the thing it was for has been handed over. posting.kind is "settle"."""
    answer = await _call(scope, "ledger_close_hold", posting, hold_entry, to)
    return Posted(answer["entry_id"], answer["verdict"] == "replayed")


async def void(scope: Scope, hold_entry: UUID, posting: Posting) -> Posted:
    """Return a hold to the very accounts it came from, their expiry unchanged. posting.kind is "void"."""
    return await settle(scope, hold_entry, posting, to="available")


async def reverse(scope: Scope, entry_id: UUID, posting: Posting) -> Reversal:
    """Undo an entry by transfers that name the reversed ones. Spent points become a debt, never a negative balance."""
    answer = await _call(scope, "ledger_reverse", posting, entry_id)
    async with transaction(scope):
        moved = await database.fetch_one(
            "SELECT (SELECT coalesce(sum(amount), 0) FROM transfer t JOIN account a ON a.community_id = t.community_id "
            "        AND a.id = t.debit_account WHERE t.community_id = $1 AND t.entry_id = $2 AND t.kind = 'reversal' "
            "        AND t.currency = 'point' AND a.owner_kind <> 'system') AS taken, "
            "(SELECT coalesce(sum(amount), 0) FROM debt WHERE community_id = $1 AND entry_id = $2 "
            "        AND currency = 'point') AS owed",
            scope.community_id, answer["entry_id"],
        )  # fmt: skip
    assert moved is not None
    return Reversal(answer["entry_id"], int(moved["taken"]), int(moved["owed"]), answer["verdict"] == "replayed")


@retried
async def expire(scope: Scope, limit: int = 500) -> int:
    """Move points past their last day to the expired account; how many accounts were emptied."""
    async with transaction(scope):
        moved: int = await database.fetch_value(
            "SELECT ledger_expire($1, $2, $3, $4)", scope.community_id, clock.local_day(), clock.now(), limit
        )
    return moved


@retried
async def close_day(scope: Scope, day: date) -> None:
    """Count one local day of the community's system accounts; repeatable."""
    async with transaction(scope):
        await database.execute(
            "SELECT ledger_close_day($1, $2, $3, $4)", scope.community_id, day, *clock.day_bounds(day)
        )


@retried
async def close_accounts(scope: Scope, person_id: UUID, *, reopen: bool = False) -> None:
    """Stop a person's accounts from earning and spending, or open them again; the balances stay."""
    async with transaction(scope):
        await database.execute(
            "SELECT ledger_close_owner($1, 'person', $2, $3)",
            scope.community_id,
            person_id,
            None if reopen else clock.now(),
        )
