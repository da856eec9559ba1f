"""Request and response bodies of objections."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]


class ObjectionIn(msgspec.Struct, forbid_unknown_fields=True):
    """The reason of an objection; `person_id` is the resident in whose name staff object."""

    reason: Reason
    person_id: UUID | None = None


class ObjectionDecision(msgspec.Struct, forbid_unknown_fields=True):
    """`upheld` is true where the objection is right. The note is sent to who objected and explains a rejection."""

    upheld: bool
    note: Reason


class ObjectionOut(msgspec.Struct, kw_only=True):
    """An objection to its subject; `upheld` is null until it is decided.

    A deed or a service record is named by `deed_id` or `service_record_id` too. `waiting` is the change that waits for
    a second person from above where upholding the objection restores many points, `who` may agree to it.
    """

    id: UUID
    subject_kind: str
    subject_id: UUID
    deed_id: UUID | None = None
    service_record_id: UUID | None = None
    reason: str
    created_at: datetime
    upheld: bool | None
    decided_at: datetime | None
    decision_note: str | None
    waiting: UUID | None = None
    who: list[str] = []


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An objection as it is stored."""

    id: UUID
    subject_kind: str
    subject_id: UUID
    person_id: UUID
    reason: str
    created_at: datetime
    upheld: bool | None
    decided_at: datetime | None
    decision_note: str | None
    entered_by: UUID | None

    def out(self) -> ObjectionOut:
        known = msgspec.structs.asdict(self) | {f"{self.subject_kind}_id": self.subject_id}
        return ObjectionOut(**{name: known[name] for name in ObjectionOut.__struct_fields__ if name in known})
