"""A matter and its steps as they are answered: what its reader does not see is null."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core.locale import translate
from timebank.core.scope import Scope
from timebank.matters.loop.deciding import Standing
from timebank.matters.reading.rows import MatterRow
from timebank.matters.reading.seeing import View, is_for_everybody, sees_place, sees_reporter, sees_text
from timebank.matters.schemas import MatterKind, MatterLevel, MatterStatus, Verb, Verified
from timebank.matters.words import AT_STATION, BECAUSE, STATUSES, VERBS
from timebank.photos.schemas import AttachmentOut


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the timeline. `by` is what the actor was: resident, keeper, worker, dispatcher, handler or system.

    `from_grid` and `grid`: where it was said to be, and where it is, once that is corrected.
    """

    at: datetime
    verb: str
    what: str
    by: str
    from_status: MatterStatus | None
    to_status: MatterStatus
    note: str | None
    unit: str | None
    team: str | None
    level: MatterLevel | None
    due_at: datetime | None
    from_grid: str | None = None
    grid: str | None = None


class PickupOut(msgspec.Struct, frozen=True, kw_only=True):
    """What whom a wish is for shows at the counter to collect it: the code, where, and until when."""

    code: str
    station: str
    until: datetime


class MatterOut(msgspec.Struct, frozen=True, kw_only=True):
    """A matter as far as its reader may see it.

    `seen_as` says why the reader sees it, `may` what they may do with it now. `in_words` is the status. `done_days` are
    the local days from receipt to the last finish, 0 the same day. `helpers` is how many help.
    `pickup`: the gift for a wish waits; for whom it is for and a child's guardians alone.
    """

    id: UUID
    community_id: UUID
    number: str
    kind: MatterKind
    category_code: str
    category: str
    area_id: UUID | None
    area: str | None
    grid: str
    place: str | None
    said: str | None
    public_text: str | None
    status: MatterStatus
    in_words: str
    level: MatterLevel
    unit_id: UUID | None
    unit: str | None
    team_id: UUID | None
    team: str | None
    assignee: str | None
    open_to: str
    wanted_at: datetime | None
    at_home: bool
    people_wanted: int
    helpers: int
    value_max: int | None
    received_at: datetime
    dispatched_at: datetime | None
    accepted_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    due_at: datetime
    first_due_at: datetime
    late: bool
    result: str | None
    verified: Verified | None
    done_days: int | None
    returns: int
    reopens: int
    urged: int
    final: bool
    postponed_until: datetime | None
    postpone_reason: str | None
    followers: int
    merged_into: UUID | None
    refused_because: str | None
    refused_in_words: str | None
    reporter_id: UUID | None
    reporter: str | None
    for_person: str | None
    hides_reporter: bool
    channel: str | None
    external_number: str | None
    published_at: datetime | None
    flags: list[str]
    seen_as: View
    may: list[Verb]
    steps: list[StepOut] = []
    photos: list[AttachmentOut] = []
    pickup: PickupOut | None = None


def shown(
    scope: Scope, row: MatterRow, caller: Standing, view: View, *, may: list[Verb], opened: bool = False,
    language: str = "zh",
) -> MatterOut:  # fmt: skip
    """The matter for this reader. `opened`: it is read by itself, which is logged where it must be."""
    text, name = sees_text(view, row, caller), sees_reporter(scope, row, caller, opened=opened)
    where = text and sees_place(view, row)
    status = AT_STATION if row.kind == "wish" and row.status == "done" else STATUSES[row.status]
    inside = view in ("staff", "own", "handler")
    return MatterOut(
        id=row.id, community_id=row.community_id, number=row.number if inside or is_for_everybody(row) else "",
        kind=row.kind, category_code=row.category_code, category=translate(row.category, language),
        area_id=row.area_id if where else None, area=row.area if where else None, grid=row.grid,
        place=row.place if where else None, said=row.said if text else None, public_text=row.public_text,
        status=row.status, in_words=translate(status, language), level=row.level, unit_id=row.unit_id,
        unit=row.unit, team_id=row.team_id, team=row.team, assignee=row.assignee if view == "staff" else None,
        open_to=row.open_to, wanted_at=row.wanted_at if view != "public" else None, at_home=row.at_home,
        people_wanted=row.people_wanted, helpers=len(row.helpers), value_max=row.value_max,
        received_at=row.received_at, dispatched_at=row.dispatched_at, accepted_at=row.accepted_at,
        done_at=row.done_at, closed_at=row.closed_at, due_at=row.due_at, first_due_at=row.first_due_at,
        late=row.is_late, result=row.result if inside else None, verified=row.verified if inside else None,
        done_days=row.done_days, returns=row.returns, reopens=row.reopens, urged=row.urged, final=row.final,
        postponed_until=row.postponed_until, postpone_reason=row.postpone_reason if inside else None,
        followers=row.followers, merged_into=row.merged_into, refused_because=row.refused_because,
        refused_in_words=translate(BECAUSE[row.refused_because], language) if row.refused_because else None,
        reporter_id=row.reporter_id if name else None, reporter=row.reporter if name else None,
        for_person=row.for_person if name else None, hides_reporter=row.hides_reporter if inside else False,
        channel=row.channel if view == "staff" else None,
        external_number=row.external_number if view in ("staff", "handler") else None,
        published_at=row.published_at, flags=row.flags if view == "staff" else [], seen_as=view, may=may,
    )  # fmt: skip


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step as it is stored, with the names of its unit, team and grids."""

    at: datetime
    verb: str
    by_kind: str
    from_status: MatterStatus | None
    to_status: MatterStatus
    note: str | None
    public: bool
    unit: str | None
    team: str | None
    level: MatterLevel | None
    due_at: datetime | None
    from_grid: str | None
    grid: str | None

    def out(self, view: View, language: str, *, places: bool) -> StepOut:
        """For this reader: the reporter reads the notes that are meant for them, staff and handlers all.

        Why a place was corrected may say whose door it is, so that handlers do not read it. `places`: whether the
        reader sees where the matter is at all.
        """
        from_grid, grid = (self.from_grid, self.grid) if places else (None, None)
        return StepOut(
            at=self.at, verb=self.verb, what=translate(VERBS.get(self.verb, self.verb), language), by=self.by_kind,
            from_status=self.from_status, to_status=self.to_status,
            note=self.note if self._is_told(view) else None, unit=self.unit, team=self.team,
            level=self.level, due_at=self.due_at, from_grid=from_grid, grid=grid,
        )  # fmt: skip

    def _is_told(self, view: View) -> bool:
        if self.verb == "correct_area":
            return view in ("staff", "own")
        return self.public or view in ("staff", "handler")
