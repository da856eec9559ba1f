"""Reading redemptions: the caller's own, those of the caller's stations, or all for administrators and auditors."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.pickup import Found, find_pickup
from timebank.core import database, names
from timebank.core.capability import Reading
from timebank.core.database import Filters, as_texts, most, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.paging import NEWEST, Count, Order, Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.ledger import grace
from timebank.ledger.posting import Returned
from timebank.presence.at_counter import require_presence
from timebank.shop.collection import NOUN
from timebank.shop.goods import photo_address
from timebank.shop.schemas import RedemptionOut, RedemptionStatus


class RedemptionElsewhere(TimebankError):
    code = "redemption_elsewhere"
    status = 422
    sentence = "这个取货码要到{station}领取。"


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    person_id: UUID
    person: str
    good_id: UUID
    good: str
    unit: str
    photo_id: UUID | None
    station_id: UUID
    station: str
    quantity: int
    points: int
    status: RedemptionStatus
    code: str | None
    reserved_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    returned_at: datetime | None
    reason: str | None


_ROWS = (
    "SELECT r.id, r.person_id, p.name AS person, r.good_id, g.name AS good, g.unit, g.photo_id, r.station_id, "
    "t.name AS station, r.quantity, r.points, r.status, k.code, r.reserved_at, r.expires_at, r.ended_at, "
    "r.returned_at, r.reserved_because AS reason FROM redemption r "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id "
    "JOIN station t ON t.community_id = r.community_id AND t.id = r.station_id "
    "LEFT JOIN pickup k ON k.community_id = r.community_id AND k.noun = 'redemption' AND k.noun_id = r.id "
    "WHERE r.community_id = $1"
)
# Those of one page are found first, along an index: some people have more than a plan expects.
_IDS = "SELECT r.id FROM redemption r WHERE r.community_id = $1"
_IN_ORDER = "ORDER BY r.reserved_at {0}, r.id {0} LIMIT {1}"


def _in_words(scope: Scope, row: _Row, *, named: bool = False) -> RedemptionOut:
    own = scope.stands_for(row.person_id)
    known = own or named or scope.reads_all  # a keeper sees the name only after the person's code or card was read
    return RedemptionOut(
        id=row.id, person_id=row.person_id if known else None, person=row.person if known else names.masked(row.person),
        good_id=row.good_id, good=row.good, unit=row.unit, photo=photo_address(row.good_id, row.photo_id),
        station_id=row.station_id, station=row.station,
        quantity=row.quantity, points=row.points, status=row.status, code=row.code if own else None,
        reserved_at=row.reserved_at, expires_at=row.expires_at, ended_at=row.ended_at,
        returned_at=row.returned_at, reason=row.reason,
    )  # fmt: skip


def _asked(
    scope: Scope, person_id: UUID | None, station_id: UUID | None, good_id: UUID | None, status: RedemptionStatus | None
) -> Filters:
    """The redemptions (`r`) of these that the caller may see."""
    asked = Filters(scope.community_id)
    sees = scope.reads_all or (person_id is not None and scope.stands_for(person_id))
    if not (sees or scope.kept_stations):
        asked.add("r.person_id = ANY ({}::text[]::uuid[])", as_texts(scope.stood_for))
    elif not sees:
        asked.add(
            "(r.person_id = ANY ({}::text[]::uuid[]) OR r.station_id = ANY ({}::text[]::uuid[]))",
            as_texts(scope.stood_for), as_texts(scope.kept_stations),
        )  # fmt: skip
    asked.add_given("r.person_id = {}", person_id)
    asked.add_given("r.station_id = {}", station_id)
    asked.add_given("r.good_id = {}", good_id)
    asked.add_word("r.status = {}", status)
    return asked


async def list_redemptions(
    scope: Scope, *, person_id: UUID | None = None, station_id: UUID | None = None, good_id: UUID | None = None,
    status: RedemptionStatus | None = None, order: Order = NEWEST, limit: int = 50, cursor: str | None = None,
) -> Page[RedemptionOut]:  # fmt: skip
    """The redemptions that the caller may see, newest first unless `order` is OLDEST."""
    asked = _asked(scope, person_id, station_id, good_id, status)
    asked.add_after("r.reserved_at, r.id", order.comparison, read_cursor(cursor, tuple[datetime, UUID]))
    in_order = _IN_ORDER.format(order.direction, most(limit + 1))
    shown = f"{_ROWS} AND r.id = ANY (ARRAY({_IDS}{asked.sql} {in_order})) {in_order}"
    async with transaction(scope):
        found = await database.rows(_Row, shown, *asked.values)
    return make_page([_in_words(scope, row) for row in found], limit, lambda r: (r.reserved_at, r.id))


async def count_redemptions(
    scope: Scope, *, person_id: UUID | None = None, station_id: UUID | None = None,
    status: RedemptionStatus | None = None,
) -> Count:  # fmt: skip
    """How many redemptions `list_redemptions` lists."""
    asked = _asked(scope, person_id, station_id, None, status)
    async with transaction(scope):
        return await database.count_rows(f"{_IDS}{asked.sql}", *asked.values)


async def redemptions_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> Page[RedemptionOut]:
    """The redemptions of one person, newest first, for administrators and auditors."""
    scope.require_reader()
    return await list_redemptions(scope, person_id=person_id, limit=20, cursor=reading.cursor)


async def find_redemption(scope: Scope, redemption_id: UUID) -> RedemptionOut:
    """One redemption. Raises NotFound where the caller may not see it."""
    async with transaction(scope):
        found = await database.row(_Row, _ROWS + " AND r.id = $2", scope.community_id, redemption_id)
    if found is None or not scope.reads_at(found.station_id, own=scope.stands_for(found.person_id)):
        raise NotFound
    return _in_words(scope, found)


async def preview_cancellation(scope: Scope, redemption_id: UUID) -> Returned:
    """The points that cancelling a reservation today would return. Checks no permission: read the redemption first."""
    async with transaction(scope):
        entry_id: UUID = await database.fetch_value(
            "SELECT entry_id FROM redemption WHERE community_id = $1 AND id = $2", scope.community_id, redemption_id
        )
        return await grace.preview_void(scope, entry_id)


async def find_redemption_by_code(scope: Scope, code: str) -> RedemptionOut | None:
    """The open redemption with this collection code, with the person's full name; None where there is none.

    For keepers and administrators only. Wrong codes are counted. Raises Forbidden, RedemptionElsewhere.
    """
    return await redemption_of_code(scope, await find_pickup(scope, code))


async def redemption_of_code(scope: Scope, found: Found | None) -> RedemptionOut | None:
    """The open redemption that a shown code was given for, with the person's full name. Raises RedemptionElsewhere."""
    if found is None or found.noun != NOUN:
        return None
    async with transaction(scope):
        row = await database.row(
            _Row, _ROWS + " AND r.id = $2 AND r.status = 'reserved'", scope.community_id, found.noun_id
        )
    if row is not None and not scope.keeps(row.station_id):
        raise RedemptionElsewhere(station=row.station)
    return _in_words(scope, row, named=True) if row else None


async def list_waiting_redemptions(
    scope: Scope, person_id: UUID, station_id: UUID, presence: str | None
) -> list[RedemptionOut]:  # fmt: skip
    """The open reservations of a person at a station, for its keeper, after a scan has proved that the person is there.

    `presence` is the nonce of that scan. Raises PresenceNeeded, CardNotConfirmed.
    """
    scope.require_keeper(station_id)
    async with transaction(scope):
        await require_presence(scope, [person_id], station_id, presence, spends=False)
        found = await database.rows(
            _Row,
            _ROWS + " AND r.person_id = $2 AND r.station_id = $3 AND r.status = 'reserved' "
            "ORDER BY r.reserved_at, r.id",
            scope.community_id, person_id, station_id,
        )  # fmt: skip
    return [_in_words(scope, row, named=True) for row in found]
