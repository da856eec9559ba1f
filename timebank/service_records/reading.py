"""Reading service records, as far as the caller may see them."""

from datetime import datetime
from uuid import UUID

from timebank.core import database, names
from timebank.core.capability import Hit
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import NEWEST, Count, Order, Page, make_page, read_cursor
from timebank.core.scope import Role, Scope
from timebank.core.wording import note_in_words
from timebank.presence.words import flag_texts
from timebank.service_records.schemas import RecordOut

_SHOWN = (
    "SELECT r.id, r.kind, r.status, r.person_id, p.name AS person, r.activity_id, a.name AS activity, r.station_id, "
    "s.name AS station, r.started_at, r.ended_at, r.minutes, r.flags, r.reason, r.reason_said, r.visit_id, "
    "r.entered_by, r.reviewed_at, r.review_note, r.review_said, r.notice_until, r.credited_minutes, "
    "r.credited_points, r.rule_code, r.rule_version, r.created_at, r.corrected_by, r.source_kind, "
    "r.source_id FROM service_record r "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
    "LEFT JOIN area g ON g.community_id = h.community_id AND g.id = h.area_id "
    "LEFT JOIN activity a ON a.community_id = r.community_id AND a.id = r.activity_id "
    "LEFT JOIN station s ON s.community_id = r.community_id AND s.id = r.station_id "
    "WHERE r.community_id = $1"
)


def _seen(scope: Scope, *, withdrawn: bool) -> Filters:
    """The records that the caller may see: all, else own ones, and those of the caller's stations and grids.

    `withdrawn` adds withdrawn ones, for administrators and auditors.
    """
    grids = [g.area_id for g in scope.here() if g.role == Role.grid_worker and g.area_id]
    seen = Filters(scope.community_id)
    if not scope.reads_all:
        seen.add_any(
            ("r.person_id = ANY ({})", scope.own_ids_here), ("r.entered_by = ANY ({})", scope.own_ids_here),
            ("r.station_id = ANY ({})", list(scope.kept_stations)), ("g.path && {}", grids),
        )  # fmt: skip
    if not (scope.reads_all and withdrawn):
        seen.add("r.status <> 'withdrawn'")
    return seen


class _Stored(RecordOut, frozen=True, kw_only=True):
    reason_said: str | None
    review_said: str | None


def _in_words(scope: Scope, found: _Stored, language: str) -> RecordOut:
    """The record with its flags and reasons in words.

    The name is masked except for the person, who entered the record, administrators and auditors.
    """
    entered = found.entered_by is not None and found.entered_by == scope.person_id
    full = scope.reads_all or entered or scope.is_own(found.person_id)
    name = found.person if full else names.masked(found.person)
    known = full or _works_where(scope)
    told = {field: getattr(found, field) for field in RecordOut.__struct_fields__} | {
        "person": name, "person_id": found.person_id if known else None, "flag_texts": flag_texts(found.flags),
        "reason": note_in_words(found.reason_said, found.reason, language),
        "review_note": note_in_words(found.review_said, found.review_note, language),
    }  # fmt: skip
    return RecordOut(**told)


def _works_where(scope: Scope) -> bool:
    """Whether the caller may list people as a grid worker. A keeper gets no ids except of people at the counter."""
    return scope.has(Role.grid_worker)


async def find_record(scope: Scope, record_id: UUID, language: str = "zh") -> RecordOut:
    seen = _seen(scope, withdrawn=True)
    seen.add("r.id = {}", record_id)
    async with transaction(scope):
        found = await database.row(_Stored, f"{_SHOWN}{seen.sql}", *seen.values)
    if found is None:
        raise NotFound
    return _in_words(scope, found, language)


async def own_record(scope: Scope, record_id: UUID, language: str = "zh") -> RecordOut:
    """One of the caller's own records, also a withdrawn one. Raises NotFound."""
    own = Filters(scope.community_id, record_id)
    own.add("r.id = $2 AND r.person_id = ANY ({})", scope.stood_for)
    async with transaction(scope):
        found = await database.row(_Stored, f"{_SHOWN}{own.sql}", *own.values)
    if found is None:
        raise NotFound
    return _in_words(scope, found, language)


async def list_records(
    scope: Scope, *, status: str | None = None, person_id: UUID | None = None, order: Order = NEWEST, limit: int = 50,
    cursor: str | None = None, language: str = "zh",
) -> Page[RecordOut]:  # fmt: skip
    """The records that the caller may see, newest first unless `order` is OLDEST.

    Withdrawn ones are listed only to administrators and auditors who ask for that status.
    """
    seen = _seen(scope, withdrawn=status == "withdrawn")
    seen.add_given("r.status = {}", status)
    seen.add_given("r.person_id = {}", person_id)
    seen.add_after("r.created_at, r.id", order.comparison, read_cursor(cursor, tuple[datetime, UUID]))
    along = f"ORDER BY r.created_at {order.direction}, r.id {order.direction} LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(_Stored, f"{_SHOWN}{seen.sql} {along}", *seen.values)
    return make_page([_in_words(scope, r, language) for r in found], limit, lambda r: (r.created_at, r.id))


async def count_records(scope: Scope, *, status: str | None = None, person_id: UUID | None = None) -> Count:
    """How many records `list_records` lists to those who read the whole community."""
    scope.require_reader()
    seen = _seen(scope, withdrawn=status == "withdrawn")
    seen.add_given("r.status = {}", status)
    seen.add_given("r.person_id = {}", person_id)
    async with transaction(scope):
        return await database.count_rows(
            f"SELECT FROM service_record r WHERE r.community_id = $1{seen.sql}", *seen.values
        )


async def records_found(scope: Scope, words: str, most: int) -> list[Hit]:  # noqa: ARG001  # one number, one record
    """For the panel's search field: the record of this number."""
    try:
        record_id = UUID(words)
    except ValueError:
        return []
    if not scope.reads_all:
        return []
    try:
        found = await find_record(scope, record_id)
    except NotFound:
        return []
    return [Hit(found.person, f"/admin/reviews/{record_id}", found.activity or "")]
