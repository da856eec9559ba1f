"""Request and response bodies of deeds and the public board."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from timebank.core import clock, names
from timebank.core.wording import Phrase, note_in_words

Note = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
DeedStatus = Literal["filed", "noticed", "objected", "credited", "rejected", "reversed", "withdrawn"]
Decision = Literal["approve", "reject"]
WitnessAnswer = Literal["confirmed", "denied", "asked"]


class DeedIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A deed for a building or unit. Points other than the catalogue's need an administrator and a reason.

    `photo_ids` are photos that the filer has just uploaded to prove it.
    """

    person_id: UUID
    rule_code: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]
    area_id: UUID
    occurred_on: date
    note: Reason
    witness_id: UUID | None = None
    points: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    points_reason: Note | None = None
    photo_ids: Annotated[list[UUID], Meta(max_length=20)] = []


class BookDeed(DeedIn, kw_only=True):
    """A deed from a book that is imported. Where the book has no note, `note_said` says what it calls the deed."""

    note: Note = ""
    note_said: Phrase | None = None


class ReviewIn(msgspec.Struct, forbid_unknown_fields=True):
    """`witness_asked` records that the reviewer asked a witness who has not answered."""

    decision: Decision
    note: Note = ""
    witness_asked: bool = False


class WitnessIn(msgspec.Struct, forbid_unknown_fields=True):
    """The witness's answer: `confirms` is true where the deed was as it was filed."""

    confirms: bool
    note: Note = ""


class ReasonIn(msgspec.Struct, forbid_unknown_fields=True):
    """The reason of a reversal."""

    reason: Reason


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """A deed with the facts that its readers and its rules need."""

    id: UUID
    person_id: UUID
    person: str
    household_id: UUID | None
    area_id: UUID
    area: str
    area_path: list[UUID]
    rule_code: str
    rule_version: int
    rule: str
    points: int
    points_reason: str | None
    occurred_on: date
    note: str
    witness_id: UUID | None
    witness: str | None
    witness_answer: WitnessAnswer | None
    witness_note: str | None
    witness_answered_at: datetime | None
    filed_by: UUID | None
    filed_by_name: str | None
    status: DeedStatus
    review_note: str | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    notice_from: datetime | None
    notice_until: datetime | None
    entry_id: UUID | None
    created_at: datetime
    open_objections: int
    source_kind: str | None
    source_id: UUID | None
    notice_days: int | None
    """How long deeds of this rule are published; None: the community's policy."""
    note_said: str | None = None

    def words(self, language: str = "zh") -> str:
        """What was done, in words."""
        return note_in_words(self.note_said, self.note, language) or ""

    @property
    def witness_owes(self) -> bool:
        """Whether a witness is named who has neither confirmed the deed nor been asked by the reviewer."""
        return self.witness_id is not None and self.witness_answer not in ("confirmed", "asked")


class DeedOut(msgspec.Struct, kw_only=True):
    """A deed as the API returns it. `points` is what it will be, or was, credited with.

    `waiting` is the change that waits for a second person from above to approve the deed, `who` may agree to it.
    `witness_answer` is confirmed or denied by the witness, or asked by the reviewer; a deed with a witness is credited
    only when it is confirmed or asked.
    """

    id: UUID
    status: DeedStatus
    person_id: UUID
    person: str
    area_id: UUID
    area: str
    rule_code: str
    rule_version: int
    rule: str
    points: int
    points_reason: str | None
    occurred_on: date
    note: str
    witness_id: UUID | None
    witness: str | None
    review_note: str | None
    reviewed_at: datetime | None
    notice_from: datetime | None
    notice_until: datetime | None
    entry_id: UUID | None
    created_at: datetime
    open_objections: int
    witness_answer: WitnessAnswer | None = None
    waiting: UUID | None = None
    who: list[str] = []

    @classmethod
    def of(cls, deed: Deed, language: str = "zh") -> "DeedOut":
        known = asdict(deed) | {"note": deed.words(language)}
        return cls(**{name: known[name] for name in cls.__struct_fields__ if name in known})


class BoardItem(msgspec.Struct, kw_only=True):
    """An item on the public board. `person` is masked unless that person consented to be named."""

    kind: Literal["deed", "service_record"]
    id: UUID
    person: str
    what: str
    where: str
    occurred_on: date
    points: int | None
    minutes: int | None
    notice_until: datetime
    open_objections: int


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A board item before its name is masked."""

    kind: Literal["deed", "service_record"]
    id: UUID
    person_id: UUID
    name: str
    publishes_name: bool
    what: str
    where: str
    occurred_on: date | None
    started_at: datetime | None
    points: int | None
    minutes: int | None
    notice_until: datetime
    open_objections: int

    @property
    def day(self) -> date:
        return self.occurred_on or clock.local_day(self.started_at)

    def public(self) -> BoardItem:
        return BoardItem(
            kind=self.kind, id=self.id, person=self.name if self.publishes_name else names.masked(self.name),
            what=self.what, where=self.where,
            occurred_on=self.day, points=self.points, minutes=self.minutes, notice_until=self.notice_until,
            open_objections=self.open_objections,
        )  # fmt: skip
