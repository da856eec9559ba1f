"""What goes in and out of the ledger over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class StatementItem(msgspec.Struct):
    """An entry in words: `what` it was, `amount` with its sign, `balance` after it, and `why`."""

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


class DonationOut(msgspec.Struct):
    """The donation's ledger entry and its points."""

    id: UUID
    points: int


class Totals(msgspec.Struct, frozen=True):
    """Where a currency is: all of it was issued, and lies in one of the places from `outstanding` to `clearing`.

    `issued` is what was given less what was taken back, `outstanding` what people can spend; `owed` is what they
    still have to earn back after a reversal.
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


class ProblemOut(msgspec.Struct):
    """Something in the books that cannot be right, in words, with the records that it is about."""

    code: str
    text: str
    ids: list[UUID]


class BooksOut(msgspec.Struct):
    """Whether a community's books balanced at `checked_at`; `currencies` by name, now: point, minute, class_minute."""

    ok: bool
    checked_at: datetime
    currencies: dict[str, Totals]
    problems: list[ProblemOut]
