"""Changing and closing a station, with its shifts, reservations and lessons; the people concerned are notified."""

from contextlib import suppress
from uuid import UUID

import msgspec

from timebank.activities.calling_off import call_off_coming
from timebank.activities.patterns.patterns import end_patterns
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import Notification, notify_many
from timebank.presence.visits import keep_longer_hours
from timebank.shop.cancelling import cancel
from timebank.shop.collection import RedemptionEnded
from timebank.stations import stations
from timebank.stations.schemas import StationChange, StationOut


class StationHasLessons(TimebankError):
    code = "station_has_lessons"
    status = 409
    sentence = "《{course}》还有课在这个驿站上（共 {count} 节要上）。请先把课改到别的驿站，或停开这门课，再停用驿站。"


class ClosingEffects(msgspec.Struct, frozen=True):
    """Reservations and coming shifts that closing a station would cancel, and coming lessons that prevent it."""

    reservations: int
    shifts: int
    lessons: int


async def count_closing_effects(scope: Scope, station_id: UUID) -> ClosingEffects:
    """Count what closing a station would cancel or would be prevented by."""
    async with transaction(scope):
        found = await database.row(
            ClosingEffects,
            "SELECT (SELECT count(*) FROM redemption WHERE community_id = $1 AND station_id = $2 "
            "        AND status = 'reserved') AS reservations, "
            "(SELECT count(*) FROM shift WHERE community_id = $1 AND station_id = $2 AND starts_at > $3 "
            "        AND cancelled_at IS NULL) AS shifts, "
            # Course by course, so that the lessons of other stations are not read.
            "(SELECT coalesce(sum(coming.lessons), 0)::bigint FROM course c CROSS JOIN LATERAL "
            "        (SELECT count(*) AS lessons FROM lesson l WHERE l.community_id = c.community_id "
            "         AND l.course_id = c.id AND l.ends_at > $3 AND l.cancelled_at IS NULL) AS coming "
            "        WHERE c.community_id = $1 AND c.station_id = $2) AS lessons",
            scope.community_id, station_id, clock.now(),
        )  # fmt: skip
    assert found is not None
    return found


@retried
async def change_station(scope: Scope, station_id: UUID, wanted: StationChange) -> StationOut:
    """Change a station. Closing it ends its patterns, cancels its coming shifts and reservations, and notifies people.

    New hours or a new address are sent to the people with a reservation or a sign-up for a coming shift there. An open
    visit keeps the closing time that it began with, or gets a later one. Raises StationHasLessons when closing while
    lessons are still to come.
    """
    async with transaction(scope):
        before = await stations.station(scope, station_id)
        after = await stations.write_station(scope, station_id, wanted)
        if before.active and not after.active:
            await _require_no_lessons(scope, station_id)
            await end_patterns(scope, station_id=station_id)
            await call_off_coming(scope, phrase("station_closed", station=after.name), station_id=station_id)
        elif after.active and _where_and_when(before) != _where_and_when(after):
            await keep_longer_hours(scope, station_id)
            await _notify_of_change(scope, after)
    if not after.active:
        await _give_back(scope, station_id)
    return after


def _where_and_when(station: StationOut) -> tuple[str, str, str]:
    return station.opens_at, station.closes_at, station.address


async def _notify_of_change(scope: Scope, station: StationOut) -> None:
    """Notify each person with a reservation or a sign-up at a station of its present hours and address."""
    expected = await database.fetch(
        "SELECT person_id FROM redemption WHERE community_id = $1 AND station_id = $2 AND status = 'reserved' UNION "
        "SELECT u.person_id FROM sign_up u JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
        "WHERE u.community_id = $1 AND s.station_id = $2 AND s.starts_at > $3 AND s.cancelled_at IS NULL "
        "AND u.cancelled_at IS NULL ORDER BY person_id",
        scope.community_id, station.id, clock.now(),
    )  # fmt: skip
    says = phrase("station_changed", station=station.name, hours=f"{station.opens_at} {station.closes_at}")
    if station.address:
        says = phrase("station_changed.with_address", **says.values, address=station.address)
    key = f"station:{station.id}:{clock.new_id()}"
    people = [UUID(bytes=record["person_id"].bytes) for record in expected]
    await notify_many(scope, [Notification(person_id, says, key, station.id) for person_id in people])


async def _require_no_lessons(scope: Scope, station_id: UUID) -> None:
    to_come = await database.fetch(
        "SELECT c.title FROM lesson l JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id "
        "WHERE l.community_id = $1 AND c.station_id = $2 AND l.ends_at > $3 AND l.cancelled_at IS NULL "
        "ORDER BY l.starts_at, l.id",
        scope.community_id, station_id, clock.now(),
    )  # fmt: skip
    if to_come:
        raise StationHasLessons(course=to_come[0]["title"], count=len(to_come))


async def _give_back(scope: Scope, station_id: UUID) -> None:
    """Cancel the reservations at a closed station, each in its own transaction.

    Reservations left by an interruption expire with their hold, or are cancelled when the station is saved again.
    """
    async with transaction(scope):
        waiting = await database.fetch(
            "SELECT id FROM redemption WHERE community_id = $1 AND station_id = $2 AND status = 'reserved' ORDER BY id",
            scope.community_id, station_id,
        )  # fmt: skip
    for record in waiting:
        with suppress(RedemptionEnded):  # collected or cancelled meanwhile
            await cancel(scope, UUID(bytes=record["id"].bytes))
