"""Visits with what became of them, as a caller may see them."""

from datetime import datetime, time
from uuid import UUID

from timebank.core import database
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import note_in_words
from timebank.policies.values import Policies, policies
from timebank.presence.words import flag_texts
from timebank.service_records.account.no_points import NoPoints
from timebank.service_records.account.rows import (
    RECORD_COLUMNS,
    RECORD_JOIN,
    STAY_COLUMNS,
    STAY_JOIN,
    WhyFacts,
    no_points_out,
)
from timebank.service_records.schemas import VisitOut

_SHOWN = (
    "SELECT v.id, v.person_id, v.station_id, s.name AS station, a.name AS activity, v.in_at, v.out_at, v.status, "  # noqa: S608  # no input
    "r.id AS record_id, r.status AS record_status, r.minutes, r.credited_minutes, r.credited_points, "
    f"coalesce(r.flags, '{{}}') AS flags, r.review_note, r.review_said::text AS review_said, v.in_by, v.out_by, "
    f"{STAY_COLUMNS}, {RECORD_COLUMNS} FROM visit v "
    "JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id "
    "LEFT JOIN activity a ON a.community_id = v.community_id AND a.id = v.activity_id "
    f"LEFT JOIN service_record r ON r.community_id = v.community_id AND r.visit_id = v.id "
    f"AND r.status <> 'withdrawn' {RECORD_JOIN}{STAY_JOIN}"
)
_OF_PERSON = _SHOWN + "WHERE v.community_id = $1 AND v.person_id = $2"


class _Stored(VisitOut, frozen=True, kw_only=True):
    review_said: str | None
    opens_at: time
    closes_at: time
    shift_begin: datetime | None
    shift_end: datetime | None
    paid: bool | None
    record_kind: str | None
    notice_until: datetime | None
    per_point: int | None
    repaid: int | None
    objected: bool | None

    def why(self, least_minutes: int) -> NoPoints | None:
        facts = WhyFacts(**{field: getattr(self, field) for field in WhyFacts.__struct_fields__})
        return facts.why(least_minutes)


def _in_words(visit: _Stored, least_minutes: int, language: str = "zh") -> VisitOut:
    told = {field: getattr(visit, field) for field in VisitOut.__struct_fields__} | {
        "flag_texts": flag_texts(visit.flags),
        "review_note": note_in_words(visit.review_said, visit.review_note, language),
        "why_no_points": no_points_out(visit.why(least_minutes), language),
    }  # fmt: skip
    return VisitOut(**told)


async def list_visits(
    scope: Scope,
    person_id: UUID | None = None,
    *,
    limit: int = 50,
    cursor: str | None = None,
    language: str = "zh",
) -> Page[VisitOut]:
    """A person's visits, newest first: the caller's own, or anybody's for administrators and auditors."""
    person = person_id or scope.require_self()
    if not (scope.is_own(person) or scope.reads_all):
        raise NotFound
    asked = Filters(scope.community_id, person)
    asked.add_after("v.in_at, v.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    newest = f"{_OF_PERSON}{asked.sql} ORDER BY v.in_at DESC, v.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope), database.gathering() as reads:
        found = reads.start(database.rows(_Stored, newest, *asked.values))
        in_force = reads.start(policies(scope))
    least = in_force.result().visit_minutes_min
    shown = [_in_words(visit, least, language) for visit in found.result()]
    return make_page(shown, limit, lambda v: (v.in_at, v.id))


async def find_visit(scope: Scope, visit_id: UUID, language: str = "zh") -> VisitOut:
    """One visit: the caller's own, or anybody's for administrators and auditors. Raises NotFound."""
    async with transaction(scope), database.gathering() as reads:
        read = reads.start(
            database.row(_Stored, _SHOWN + "WHERE v.community_id = $1 AND v.id = $2", scope.community_id, visit_id)
        )
        in_force = reads.start(policies(scope))
    found = read.result()
    if found is None or not (scope.is_own(found.person_id) or scope.reads_all):
        raise NotFound
    return _in_words(found, in_force.result().visit_minutes_min, language)


async def open_visit(scope: Scope, person_id: UUID) -> VisitOut | None:
    """A person's open visit, or None. The caller has checked the right to see it."""
    async with transaction(scope):
        found = await database.row(
            _Stored,
            _OF_PERSON + " AND v.status = 'open'",
            scope.community_id, person_id,
        )  # fmt: skip
    return _in_words(found, Policies().visit_minutes_min) if found else None
