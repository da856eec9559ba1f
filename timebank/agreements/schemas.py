"""Request and response types of changes that wait for a second person."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Status = Literal["waiting", "agreed", "refused", "withdrawn"]
Decision = Literal["agree", "refuse", "withdraw"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The response if a change waits for a second person: its id, and the people who may decide, in words."""

    waiting: UUID
    who: list[str]


class AgreementOut(msgspec.Struct, frozen=True, kw_only=True):
    """A change that waits, or waited, for a second person.

    `text` describes it; `who` lists the people who may decide. `in_force`: it has been made already and only has to be
    seen.
    """

    id: UUID
    kind: str
    text: str
    person_id: UUID | None
    status: Status
    in_force: bool
    proposed_by: UUID | None
    proposed_by_name: str | None
    proposed_at: datetime
    who: list[str]
    may_decide: bool
    may_withdraw: bool
    decided_by: UUID | None
    decided_by_name: str | None
    decided_at: datetime | None
    note: str | None


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    """`agree` carries the change out, `refuse` ends it (with a reason), `withdraw` is for its proposer."""

    decision: Decision
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class Unconfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a role whose login was opened by a sign-in code and not confirmed by another person since."""

    person_id: UUID
    name: str
    opened_by_login: UUID
    opened_by: UUID | None
    opened_by_name: str | None
    opened_at: datetime | None
