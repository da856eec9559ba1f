"""A matter as the verbs read it: its row with the words for its place, category, handler and people."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.areas.addresses import area_in_words, grid_in_words
from timebank.core import clock, database
from timebank.core.database import Question, most, transaction
from timebank.core.errors import NotFound, RanIntoAnother
from timebank.core.scope import Scope
from timebank.matters.schemas import (
    Because,
    Channel,
    MatterKind,
    MatterLevel,
    MatterStatus,
    OpenTo,
    Verified,
)


class MatterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A matter with everything that is known of it: for verbs and for what is shown after asking who looks."""

    community_id: UUID
    id: UUID
    number: str
    kind: MatterKind
    category_code: str
    area_id: UUID
    place: str
    said: str
    public_text: str | None
    reporter_id: UUID | None
    for_person_id: UUID | None
    entered_by: UUID | None
    channel: Channel
    external_number: str | None
    origin_kind: str | None
    origin_id: UUID | None
    status: MatterStatus
    level: MatterLevel
    unit_id: UUID | None
    team_id: UUID | None
    assignee_id: UUID | None
    open_to: OpenTo
    wanted_at: datetime | None
    at_home: bool
    people_wanted: int
    value_max: int | None
    received_at: datetime
    dispatched_at: datetime | None
    accepted_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    due_at: datetime
    first_due_at: datetime
    result: str | None
    done_by: UUID | None
    verified_by: UUID | None
    verified_at: datetime | None
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
    moved_to: UUID | None
    moved_from: UUID | None
    first_from: UUID | None
    first_id: UUID | None
    moves: int
    refused_because: Because | None
    hides_reporter: bool
    may_be_contacted: bool
    published_at: datetime | None
    flags: list[str]
    told: list[str]
    area_path: list[UUID]
    area: str
    grid: str
    category: str
    is_public: bool
    staff_only: bool
    needs_photo: bool
    minutes_max: int | None
    urgent: bool
    floor: MatterLevel
    activity_id: UUID | None
    default_unit_id: UUID | None
    default_team_id: UUID | None
    unit: str | None
    team: str | None
    reporter: str | None
    for_person: str | None
    assignee: str | None
    helpers: list[UUID]

    @property
    def served_id(self) -> UUID | None:
        """Whom an order or wish is for, and who says whether a matter is solved."""
        return self.for_person_id or self.reporter_id

    @property
    def is_open(self) -> bool:
        return self.status in ("received", "dispatched", "accepted")

    @property
    def is_late(self) -> bool:
        """Whether it is open and its due date has passed."""
        return self.is_open and self.due_at < clock.now()


STORED = MatterRow.__struct_fields__[: MatterRow.__struct_fields__.index("told") + 1]
"""Those of its fields that are columns of a matter."""

_WORDED = f"""
SELECT m.community_id, m.id, m.number, m.kind, m.category_code, m.area_id, m.place, m.said, m.public_text,
       m.reporter_id, m.for_person_id, m.entered_by, m.channel, m.external_number, m.origin_kind, m.origin_id,
       m.status, m.level, m.unit_id, m.team_id, m.assignee_id, m.open_to, m.wanted_at, m.at_home, m.people_wanted,
       m.value_max, m.received_at, m.dispatched_at, m.accepted_at, m.done_at, m.closed_at, m.due_at, m.first_due_at,
       m.result, m.done_by, m.verified_by, m.verified_at, m.verified, m.done_days, m.returns, m.reopens, m.urged,
       m.final, m.postponed_until, m.postpone_reason, m.followers, m.merged_into, m.moved_to, m.moved_from,
       m.first_from, m.first_id, m.moves, m.refused_because,
       m.hides_reporter, m.may_be_contacted, m.published_at, m.flags::text[] AS flags, m.told::text[] AS told,
       a.path::text[] AS area_path, {area_in_words("a")} AS area,
       coalesce({grid_in_words("a")}, '') AS grid,
       c.name AS category, c.public AS is_public, c.staff_only, c.needs_photo, c.minutes_max, c.urgent,
       c.level AS floor, c.activity_id, c.unit_id AS default_unit_id, c.team_id AS default_team_id,
       u.name AS unit, t.name AS team, r.name AS reporter, f.name AS for_person, s.name AS assignee,
       ARRAY(SELECT h.person_id::text FROM matter_helper h WHERE h.community_id = m.community_id AND h.matter_id = m.id
             AND h.left_at IS NULL ORDER BY h.took_at, h.id) AS helpers
FROM {{matters}} m
JOIN area a ON a.community_id = m.community_id AND a.id = m.area_id
JOIN matter_category c ON c.community_id = m.community_id AND c.code = m.category_code
LEFT JOIN unit u ON u.id = m.unit_id
LEFT JOIN team t ON t.community_id = m.community_id AND t.id = m.team_id
LEFT JOIN person r ON r.community_id = m.community_id AND r.id = m.reporter_id
LEFT JOIN person f ON f.community_id = m.community_id AND f.id = m.for_person_id
LEFT JOIN person s ON s.community_id = m.community_id AND s.id = m.assignee_id
"""  # noqa: S608  # constants of the program
SELECT = _WORDED.format(matters="matter")
"""SQL of a MatterRow without its conditions."""


def select_page(conditions: str, order: str, rows: int) -> str:
    """SQL of at most so many MatterRows in this order, of the matters `m` that meet the conditions.

    The matters are chosen first, so that the words beside them are read for these alone.
    """
    chosen = f"SELECT m.* FROM matter m WHERE {conditions} ORDER BY {order} LIMIT {most(rows)}"  # noqa: S608  # no input
    return f"{_WORDED.format(matters=f'({chosen})')}ORDER BY {order}"


def row_question(scope: Scope, matter_id: UUID) -> Question:
    """The question for a matter's row, whoever asks, to be asked with others."""
    return database.one(SELECT + "WHERE m.community_id = $1 AND m.id = $2", scope.community_id, matter_id)


async def matter_row(scope: Scope, matter_id: UUID) -> MatterRow:
    """A matter of the community, whoever asks. Raises NotFound."""
    async with transaction(scope):
        found = await database.row(
            MatterRow, SELECT + "WHERE m.community_id = $1 AND m.id = $2", scope.community_id, matter_id
        )
    if found is None:
        raise NotFound
    return found


async def matter_rows(scope: Scope, matter_ids: Collection[UUID]) -> dict[UUID, MatterRow]:
    """These matters of the community by id."""
    async with transaction(scope):
        found = await database.rows(
            MatterRow,
            SELECT + "WHERE m.community_id = $1 AND m.id = ANY ($2::text[]::uuid[])",
            scope.community_id, database.as_texts(matter_ids),
        )  # fmt: skip
    return {row.id: row for row in found}


async def lock_matter(scope: Scope, matter_id: UUID, people: Collection[UUID] = (), *, gains: bool = False) -> None:
    """Lock these people and the matter until the transaction ends; with `gains` also all who may gain by it.

    People are locked first, in the order of their ids; of two matters the one with the lower id is locked first. Raises
    NotFound, and RanIntoAnother where somebody has come to gain by it meanwhile.
    """
    locked: bool | None = await database.fetch_value(
        "SELECT lock_matter($1, $2, $3::text[]::uuid[], $4)",
        scope.community_id, matter_id, database.as_texts(people), gains,
    )  # fmt: skip
    if locked is None:
        raise NotFound
    if not locked:
        raise RanIntoAnother
