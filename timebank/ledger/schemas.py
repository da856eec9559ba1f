"""Request and response types of the ledger's HTTP interface."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class StatementItem(msgspec.Struct, kw_only=True):
    """A ledger entry in words: `what` is its kind, `why` its reason, `amount` is signed, `balance` is after it."""

    entry_id: UUID
    kind: str
    what: str
    when: datetime
    amount: int
    balance: int
    why: str


class DonationIn(msgspec.Struct, forbid_unknown_fields=True):
    """Points that a resident gives to the community's common pool."""

    person_id: UUID
    points: Annotated[int, Meta(ge=1, le=1_000_000)]
    note: Annotated[str, Meta(max_length=160, pattern=r"^[^\x00]*$")] = ""


class DonationOut(msgspec.Struct, kw_only=True):
    """`id` is the donation's ledger entry."""

    id: UUID
    points: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The totals of a currency. `issued` is the sum of the fields from `outstanding` to `clearing`.

    `issued` is what was given less what was taken back, `outstanding` what people can spend; `owed` is what they still
    have to earn back after a reversal.
    """

    issued: int
    outstanding: int
    held: int
    redeemed: int
    expired: int
    donated: int
    converted: int
    adjusted: int
    clearing: int
    owed: int


class ProblemOut(msgspec.Struct, kw_only=True):
    """A violation of an invariant, in words, with the ids of the records concerned."""

    code: str
    text: str
    ids: list[UUID]


class BooksOut(msgspec.Struct, kw_only=True):
    """Whether a community's books balanced at `checked_at`; `currencies` by name, as they are now."""

    ok: bool
    checked_at: datetime
    currencies: dict[str, Totals]
    problems: list[ProblemOut]
