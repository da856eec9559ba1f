"""Request bodies of matters, and the words that their columns hold."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.core.clock import Moment

MatterKind = Literal["report", "event", "order", "wish", "pledge"]
MatterStatus = Literal["received", "dispatched", "accepted", "done", "closed", "refused", "merged", "withdrawn"]
MatterLevel = Literal["grid", "community", "street", "county"]
Channel = Literal["member", "desk", "worker", "round", "call", "meeting", "mediation", "import", "hotline"]
OpenTo = Literal["assigned", "team", "all"]
Because = Literal["not_ours", "cannot", "untrue", "spam", "elsewhere", "mediation"]
Verified = Literal["true", "untrue"]
Verb = Literal[
    "dispatch", "hand_up", "hand_down", "take", "give_up", "return", "ask", "answer", "postpone", "finish", "confirm",
    "rate", "reopen", "refuse", "merge", "withdraw", "follow", "thank", "publish", "receive", "collect", "unreceive",
    "uncollect", "correct_area", "give_back",
]  # fmt: skip

OPEN: tuple[MatterStatus, ...] = ("received", "dispatched", "accepted")
"""The statuses in which something is still to be done."""
ENDED: tuple[MatterStatus, ...] = ("closed", "refused", "merged", "withdrawn")
DUE_DAYS_MAX = 90
LEVELS: tuple[MatterLevel, ...] = ("grid", "community", "street", "county")
PHOTOS_MAX = 3

_TEXT = r"^[^\x00]*$"
Said = Annotated[str, Meta(max_length=500, pattern=_TEXT)]
Place = Annotated[str, Meta(max_length=120, pattern=_TEXT)]
ShortReason = Annotated[str, Meta(max_length=200, pattern=_TEXT)]
Words = Annotated[str, Meta(max_length=300, pattern=_TEXT)]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
Nonce = Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[!-~]+$")]
PhotoIds = Annotated[list[UUID], Meta(max_length=PHOTOS_MAX)]
People = Annotated[int, Meta(ge=1, le=20)]
Yuan = Annotated[int, Meta(ge=1, le=100_000)]
Stars = Annotated[int, Meta(ge=1, le=5)]


class OriginIn(msgspec.Struct, forbid_unknown_fields=True):
    """The row that a matter comes from, such as a round or an item of a meeting."""

    kind: Annotated[str, Meta(min_length=1, max_length=24, pattern=r"^[a-z_]+$")]
    id: UUID


class OpenIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A report, event, order, wish or pledge.

    `for_person_id`: by a resident, the parent or child that an order or wish is for; by staff, who stands before them
    and speaks. `nonce` and `written_at` are those of one that waited on a phone without network.
    """

    kind: MatterKind
    category: Code
    area_id: UUID
    place: Place = ""
    said: Said = ""
    photo_ids: PhotoIds = []
    for_person_id: UUID | None = None
    wanted_at: Moment | None = None
    at_home: bool = False
    people_wanted: People = 1
    value_max: Yuan | None = None
    hides_reporter: bool = False
    may_be_contacted: bool = True
    origin: OriginIn | None = None
    external_number: Annotated[str, Meta(min_length=1, max_length=40, pattern=_TEXT)] | None = None
    nonce: Nonce | None = None
    written_at: Moment | None = None


class DispatchIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """To whom a matter goes: a unit, a team or a person, or (`open_to` all) whoever takes it.

    With nothing named it goes to the category's own unit or team.
    """

    unit_id: UUID | None = None
    team_id: UUID | None = None
    person_id: UUID | None = None
    open_to: OpenTo | None = None
    due_at: Moment | None = None
    people_wanted: People | None = None


class ReasonGiven(msgspec.Struct, forbid_unknown_fields=True):
    """Why; it must not be empty."""

    reason: ShortReason = ""


class AreaIn(msgspec.Struct, forbid_unknown_fields=True):
    """Where it really is, and how one knows."""

    area_id: UUID
    reason: ShortReason = ""


class ReturnIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is not ours, and whose it may be."""

    reason: ShortReason = ""
    suggestion: ShortReason = ""


class FinishIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What was done. For an order, from when to when; `photo_ids` show it afterwards."""

    result: Said = ""
    started_at: Moment | None = None
    ended_at: Moment | None = None
    photo_ids: PhotoIds = []


class ConfirmIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whether what was reported, or done, is true."""

    verified: Verified
    note: ShortReason = ""


class PostponeIn(msgspec.Struct, forbid_unknown_fields=True):
    """A later due date, with a reason that the reporter reads."""

    until: Moment
    reason: ShortReason = ""


class RefuseIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why nothing will be done; the note is read by the reporter.

    `to_community`: where it is, for `elsewhere`; it is opened there.
    """

    because: Because
    note: ShortReason = ""
    to_community: UUID | None = None


class MergeIn(msgspec.Struct, forbid_unknown_fields=True):
    """The older matter that this one is about too."""

    into: UUID


class TextIn(msgspec.Struct, forbid_unknown_fields=True):
    """A question or its answer."""

    text: Said = ""


class PublishIn(msgspec.Struct, forbid_unknown_fields=True):
    """What everybody may read of it: two sentences without names; and which of its photos they may see."""

    public_text: ShortReason
    attachment_ids: Annotated[list[UUID], Meta(max_length=2 * PHOTOS_MAX)] = []
    cleared: bool = False


class FollowIn(msgspec.Struct, forbid_unknown_fields=True):
    """`same`: I see it too. `thanks`: for what was done."""

    kind: Literal["same", "thanks"]


class RatingIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether it is solved, and how well.

    `nonce` and `station_id`: a keeper's scan of the card of the resident who says so. `called`: staff asked by phone.
    """

    solved: bool
    stars: Stars
    words: Words | None = None
    called: bool = False
    station_id: UUID | None = None
    nonce: str | None = None


class CategoryIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A category as it is from now on. A matter keeps the due date that it was given."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=_TEXT)]
    kinds: Annotated[list[MatterKind], Meta(min_length=1, max_length=5)]
    due_days: Annotated[int, Meta(ge=1, le=DUE_DAYS_MAX)]
    due_counts: Literal["day", "workday"] = "day"
    level: MatterLevel = "grid"
    unit_id: UUID | None = None
    team_id: UUID | None = None
    activity_id: UUID | None = None
    public: bool = True
    staff_only: bool = False
    needs_photo: bool = False
    minutes_max: Annotated[int, Meta(ge=1, le=1440)] | None = None
    urgent: bool = False
    advice: ShortReason = ""
    standard_code: Annotated[str, Meta(min_length=1, max_length=20, pattern=_TEXT)] | None = None
    active: bool = True


class MattersAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which matters a list asks for."""

    status: MatterStatus | None = None
    open: bool = False
    kind: MatterKind | None = None
    unit_id: UUID | None = None
    team_id: UUID | None = None
    area_id: UUID | None = None
    category: str | None = None
    assignee: Literal["me"] | None = None
    mine: bool = False
    offered: bool = False
    late: bool = False
    today: bool = False
    """Still open, and due today."""
    unverified: bool = False
    q: str | None = None
    since: date | None = None
