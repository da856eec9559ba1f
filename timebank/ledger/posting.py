"""The postings. Each calls one ledger function of the database, which locks, looks the key up, checks and writes."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.ledger.refusals import REFUSALS, Insufficient, InsufficientClassMinutes
from timebank.policies.values import policies


class Currency(StrEnum):
    point = "point"
    minute = "minute"
    class_minute = "class_minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What every transfer of a posting stores. `key` is its natural idempotency key, unique in the community.

    `request_hash` is the client's, where the key is one that the client chose; else it is made from what is posted.
    `memo` says why. It is a text only where a person wrote it.
    """

    kind: str
    key: str
    source_kind: str
    source_id: UUID
    memo: Phrase | str = ""
    occurred_at: datetime | None = None
    rule_code: str | None = None
    rule_version: int | None = None
    request_hash: bytes | None = None


class Posted(msgspec.Struct, frozen=True):
    entry_id: UUID
    replayed: bool


class Earned(msgspec.Struct, frozen=True):
    """`points` are credited now; `minutes_left` stay in the minute account until they make a whole point."""

    entry_id: UUID
    points: int
    minutes_left: int
    replayed: bool


class Returned(msgspec.Struct, frozen=True):
    """What a posting returned to the owner.

    `usable` can be spent now; `graced` is the part of it that is past its last day and usable until `until`; `repaid`
    went to open debts; `expired` cannot be used any more, because its days of grace are over too.
    """

    usable: int
    repaid: int
    expired: int
    graced: int
    until: date | None


class Closed(msgspec.Struct, frozen=True):
    """The result of the capture (`capture`) or void of a hold; `returned` is what came back to its owner."""

    entry_id: UUID
    replayed: bool
    returned: Returned


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a reversal, in points.

    `taken` was taken from the owner's accounts; `owed` had been spent and is now a debt that later earnings repay;
    `lapsed` had expired before, so the owner loses nothing more. `returned` is what the owner got back.
    """

    entry_id: UUID
    taken: int
    owed: int
    replayed: bool
    returned: Returned
    lapsed: int = 0


_ENTRY = "ROW($2::uuid, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)::ledger_entry"

HASH_VERSION = b"\x01"


def request_hash(**meaning: object) -> bytes:
    """A version byte and the SHA-256 of a request's meaning: who, what, how much and for which target.

    Do not pass the day, a policy or a rule in force: the same request must have the same hash tomorrow. A change of
    what is hashed needs a new HASH_VERSION.
    """
    return HASH_VERSION + hashlib.sha256(msgspec.json.encode(meaning, order="deterministic")).digest()


@retried
async def call(scope: Scope, function: str, posting: Posting, meaning: dict[str, object], *arguments: object) -> Any:
    """Call a ledger function: $1 is the community, $2 to $15 the entry, the rest its own arguments. One round trip.

    The capability `classes` passes functions of its own, which write its rows with the entry (migrations/0005). Raises
    the refusal of the verdict (REFUSALS).
    """
    now = clock.now()
    asked = posting.request_hash or request_hash(
        verb=function, kind=posting.kind, source_kind=posting.source_kind, source_id=posting.source_id, **meaning
    )
    placed = "".join(f", ${number}" for number in range(16, 16 + len(arguments)))
    why = posting.memo.bounded() if isinstance(posting.memo, Phrase) else None
    async with transaction(scope):
        answer = await database.fetch_only(
            f"SELECT * FROM {function}($1, {_ENTRY}{placed})",  # noqa: S608  # a name from this module, no input
            scope.community_id, clock.new_id(), posting.key, asked, posting.kind, posting.occurred_at or now, now,
            scope.person_id, posting.source_kind, posting.source_id, posting.rule_code, posting.rule_version,
            "" if why else posting.memo, why and why.kind, why and msgspec.json.encode(why.values).decode(), *arguments,
        )  # fmt: skip
        if refusal := REFUSALS.get(answer["verdict"]):
            raise refusal
    return answer


async def issue(
    scope: Scope, person_id: UUID, currency: Currency, amount: int, posting: Posting, *,
    expires_on: date | None = None, subject_id: UUID | None = None,
) -> Posted:  # fmt: skip
    """Issue an amount to a person. It first repays what the person owes in that currency."""
    meaning = {"person": person_id, "currency": currency, "subject": subject_id, "amount": amount}
    answer = await call(
        scope, "ledger_issue", posting, meaning, "person", person_id, currency.value, subject_id, expires_on, amount
    )
    return Posted(answer["entry_id"], answer["verdict"] == "replayed")


async def earn(
    scope: Scope, person_id: UUID, minutes: int, minutes_per_point: int, posting: Posting, *, expires_on: date
) -> Earned:
    """Issue served minutes and convert every full `minutes_per_point` of the minute balance into a point."""
    meaning = {"person": person_id, "minutes": minutes}
    answer = await call(scope, "ledger_earn", posting, meaning, person_id, minutes, minutes_per_point, expires_on)
    return Earned(answer["entry_id"], answer["points"], answer["minutes_left"], answer["verdict"] == "replayed")


async def spend(
    scope: Scope, person_id: UUID, amount: int, posting: Posting, *,
    to: str = "redeemed", currency: Currency = Currency.point, subject_id: UUID | None = None,
    grace_days: int | None = None,
) -> Posted:  # fmt: skip
    """Spend from a person, earliest expiry first, to a system account or (`to` "held") the person's own held bucket.

    Raises Insufficient or InsufficientClassMinutes.
    """
    meaning = {"person": person_id, "currency": currency, "subject": subject_id, "amount": amount, "to": to}
    answer = await call(
        scope, "ledger_spend", posting, meaning, "person", person_id, currency.value, subject_id, amount, to,
        clock.local_day(), grace_days,
    )  # fmt: skip
    if answer["verdict"] == "insufficient":
        refusal = InsufficientClassMinutes if currency == Currency.class_minute else Insufficient
        raise refusal(needed=amount, available=answer["available"])
    return Posted(answer["entry_id"], answer["verdict"] == "replayed")


async def hold(
    scope: Scope, person_id: UUID, amount: int, posting: Posting, *,
    currency: Currency = Currency.point, subject_id: UUID | None = None, grace_days: int | None = None,
) -> Posted:  # fmt: skip
    """Set an amount aside until its capture (`capture`) or `void`. posting.kind must be "hold".

    `grace_days` are the days of grace that the person was shown; they are stored with the hold, in case the policy is
    shortened meanwhile.
    """
    return await spend(
        scope, person_id, amount, posting,
        to="held", currency=currency, subject_id=subject_id, grace_days=grace_days,
    )  # fmt: skip


async def capture(scope: Scope, hold_entry: UUID, posting: Posting, *, to: str = "redeemed") -> Closed:
    """Capture a hold: move it to a system account, because what it was for was delivered. posting.kind is "settle"."""
    meaning = {"hold": hold_entry, "to": to}
    grace_days = await _grace_days(scope) if to == "available" else 0
    answer = await call(scope, "ledger_close_hold", posting, meaning, hold_entry, to, clock.local_day(), grace_days)
    return Closed(answer["entry_id"], answer["verdict"] == "replayed", _returned(answer))


async def void(scope: Scope, hold_entry: UUID, posting: Posting) -> Closed:
    """Void a hold: return it to its accounts or, after their last day, to the account of grace. posting.kind is "void".

    What the person owes is repaid from it first.
    """
    return await capture(scope, hold_entry, posting, to="available")


async def _grace_days(scope: Scope) -> int:
    return (await policies(scope)).grace_days


def _returned(answer: Any) -> Returned:
    return Returned(
        int(answer["usable"]), int(answer["repaid"]), int(answer["expired"]), int(answer["graced"]), answer["until"]
    )


@retried
async def reverse(scope: Scope, entry_id: UUID, posting: Posting) -> Reversal:
    """Reverse an entry by transfers that name the reversed ones. Spent points become a debt, not a negative balance."""
    async with transaction(scope):
        answer = await call(
            scope, "ledger_reverse", posting, {"entry": entry_id}, entry_id, clock.local_day(), await _grace_days(scope)
        )
        moved = await database.fetch_one(
            "SELECT (SELECT coalesce(sum(amount), 0) FROM transfer t JOIN account a ON a.community_id = t.community_id "
            "        AND a.id = t.debit_account WHERE t.community_id = $1 AND t.entry_id = $2 AND t.kind = 'reversal' "
            "        AND t.currency = 'point' AND a.owner_kind <> 'system') AS taken, "
            "(SELECT coalesce(sum(amount), 0) FROM transfer WHERE community_id = $1 AND entry_id = $2 "
            "        AND kind = 'reversal' AND currency = 'point' AND draws_on IS NOT NULL) AS lapsed, "
            "(SELECT coalesce(sum(amount), 0) FROM debt WHERE community_id = $1 AND entry_id = $2 "
            "        AND currency = 'point') AS owed",
            scope.community_id, answer["entry_id"],
        )  # fmt: skip
    assert moved is not None
    return Reversal(
        entry_id=answer["entry_id"],
        taken=int(moved["taken"]),
        owed=int(moved["owed"]),
        replayed=answer["verdict"] == "replayed",
        returned=_returned(answer),
        lapsed=int(moved["lapsed"]),
    )


@retried
async def close_accounts(scope: Scope, person_id: UUID, *, reopen: bool = False) -> None:
    """Close a person's accounts, so that they neither earn nor spend, or open them again. The balances stay."""
    closed_at = None if reopen else clock.now()
    async with transaction(scope):
        await database.execute(
            "SELECT ledger_close_owner($1, 'person', $2, $3)", scope.community_id, person_id, closed_at
        )
