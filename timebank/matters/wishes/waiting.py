"""What a station's keeper has to do with wishes: those that somebody brings, those that wait, and who may collect."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.pickup import find_pickup
from timebank.core import clock, database
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.matters.reading.rows import matter_row
from timebank.matters.wishes.gifts import NOUN, latest_gift
from timebank.matters.wishes.shown import GiftOut, gift_out
from timebank.people.guardianship.care import children_ids
from timebank.presence.at_counter import is_present

WAITING_MAX = 100
AT_COUNTER_MAX = 5


class OnTheWay(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that somebody has taken and brings to a station; `giver` is a unit or a team, else empty."""

    matter_id: UUID
    number: str
    wish: str
    giver: str
    value_max: int
    accepted_at: datetime


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """A gift that waits at the station; `overdue`: nobody has come for it, and its code is not found any more.

    `days`: for how long it has been there.
    """

    matter_id: UUID
    number: str
    wish: str
    value: int
    received_at: datetime
    waits_until: datetime
    overdue: bool = False
    days: int = 0


_ON_THE_WAY = (
    "SELECT m.id AS matter_id, m.number, coalesce(m.public_text, m.said) AS wish, "
    "coalesce(u.name, t.name, '') AS giver, m.value_max, m.accepted_at FROM matter m "
    "LEFT JOIN unit u ON u.id = m.unit_id LEFT JOIN team t ON t.community_id = m.community_id AND t.id = m.team_id "
    "WHERE m.community_id = $1 AND m.kind = 'wish' AND m.status = 'accepted'"
)


async def wishes_on_the_way(
    scope: Scope, station_id: UUID, *, number: str = "", limit: int = 30, cursor: str | None = None
) -> Page[OnTheWay]:
    """The wishes that somebody has taken, longest ago first, or the one of this number. For the station's keepers."""
    scope.require_use("matters")
    scope.require_keeper(station_id)
    asked = Filters(scope.community_id)
    if number:
        asked.add("m.number = {}", number)
    asked.add_after("m.accepted_at, m.id", ">", read_cursor(cursor, tuple[datetime, UUID]))
    async with transaction(scope):
        found = await database.rows(
            OnTheWay,
            f"{_ON_THE_WAY}{asked.sql} ORDER BY m.accepted_at, m.id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    return make_page(found, limit, lambda row: (row.accepted_at, row.matter_id))


async def gifts_waiting(scope: Scope, station_id: UUID) -> list[Waits]:
    """The gifts that wait at this station, first those for which nobody has come in time. For its keepers."""
    scope.require_use("matters")
    scope.require_keeper(station_id)
    async with transaction(scope):
        found = await database.rows(
            Waits,
            "SELECT m.id AS matter_id, m.number, coalesce(m.public_text, m.said) AS wish, w.value, w.received_at, "  # noqa: S608  # constants of the program
            "w.waits_until FROM wish_gift w JOIN matter m ON m.community_id = w.community_id AND m.id = w.matter_id "
            "WHERE w.community_id = $1 AND w.station_id = $2 AND w.collected_at IS NULL AND w.undone_at IS NULL "
            "AND w.returned_at IS NULL "
            f"ORDER BY w.waits_until, w.id LIMIT {most(WAITING_MAX)}",
            scope.community_id, station_id,
        )  # fmt: skip
    return [
        msgspec.structs.replace(one, overdue=one.waits_until <= clock.now(), days=_days_since(one.received_at))
        for one in found
    ]


def _days_since(moment: datetime) -> int:
    return (clock.local_day() - clock.local_day(moment)).days


async def gift_by_code(scope: Scope, code: str) -> GiftOut | None:
    """The gift that waits under this code at a station of the caller; None where there is none.

    A wrong code is counted. Raises Forbidden, TooManyAttempts.
    """
    scope.require_use("matters")
    found = await find_pickup(scope, code)
    if found is None or found.noun != NOUN or not scope.keeps(found.station_id):
        return None
    return await _gift(scope, found.noun_id)


async def find_gift(scope: Scope, matter_id: UUID) -> GiftOut:
    """The last gift of a wish, for the keepers of its station. Raises NotFound for anything and anybody else."""
    found = await _gift(scope, matter_id)
    if found is None:
        raise NotFound
    return found


async def _gift(scope: Scope, matter_id: UUID) -> GiftOut | None:
    scope.require_use("matters")
    async with transaction(scope):
        row, gift = await matter_row(scope, matter_id), await latest_gift(scope, matter_id)
    return None if gift is None or not scope.keeps(gift.station_id) else gift_out(row, gift)


async def gifts_for(scope: Scope, person_id: UUID, station_id: UUID, presence: str | None) -> Sequence[Waits]:
    """What waits at this station for whoever has just been scanned here, or for a child in their care."""
    if presence is None or not await is_present(scope, person_id, station_id, presence):
        return ()
    async with transaction(scope):
        return await database.rows(
            Waits,
            "SELECT m.id AS matter_id, m.number, coalesce(m.public_text, m.said) AS wish, w.value, w.received_at, "  # noqa: S608  # constants of the program
            "w.waits_until FROM wish_gift w JOIN matter m ON m.community_id = w.community_id AND m.id = w.matter_id "
            "WHERE w.community_id = $1 AND w.station_id = $2 AND w.collected_at IS NULL AND w.undone_at IS NULL "
            "AND w.returned_at IS NULL "
            "AND (coalesce(m.for_person_id, m.reporter_id) = $3 OR coalesce(m.for_person_id, m.reporter_id) IN ("
            f"{children_ids('$1', 'ARRAY[$3::uuid]', '$4')})) "
            f"ORDER BY w.received_at, w.id LIMIT {AT_COUNTER_MAX}",
            scope.community_id, station_id, person_id, clock.local_day(),
        )  # fmt: skip
