"""The activity and shift of a check-in: those signed up for, else those named, else the first without sign-up."""

from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.presence.scan_context import ScanContext
from timebank.presence.words import ScanRefused

EARLY = timedelta(minutes=60)


class ActivityChoice(msgspec.Struct, frozen=True):
    """The activity and shift of a visit; all None where the station offers none."""

    activity_id: UUID | None = None
    name: str | None = None
    shift_id: UUID | None = None


class Offer(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    needs_sign_up: bool


async def choose_activity(arrival: ScanContext) -> ActivityChoice:
    """The activity of a check-in. Raises NotFound; ScanRefused where it needs a sign-up that is missing."""
    asked = arrival.asked
    seat = await _seat(arrival)
    if seat is not None:
        return seat
    wanted = await _named(arrival)
    if wanted is not None and wanted.needs_sign_up:
        raise ScanRefused("not_signed_up")
    if wanted is not None:
        return ActivityChoice(wanted.id, wanted.name, asked.shift_id)
    usual = [offer for offer in await offers_at(arrival.scope, arrival.here.id) if not offer.needs_sign_up]
    return ActivityChoice(usual[0].id, usual[0].name) if usual else ActivityChoice()


async def _seat(arrival: ScanContext) -> ActivityChoice | None:
    """The shift here that the person has signed up for, from an hour before it begins until it ends."""
    return await database.row(
        ActivityChoice,
        "SELECT s.activity_id, a.name, s.id AS shift_id FROM sign_up u "
        "JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
        "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
        "WHERE u.community_id = $1 AND u.person_id = $2 AND u.cancelled_at IS NULL AND s.cancelled_at IS NULL "
        "AND s.station_id = $3 AND s.starts_at <= $4 AND s.ends_at > $5 "
        "AND ($6::uuid IS NULL OR s.activity_id = $6) AND ($7::uuid IS NULL OR s.id = $7) "
        "ORDER BY s.starts_at, s.id LIMIT 1",
        arrival.scope.community_id, arrival.who.id, arrival.here.id, arrival.at + EARLY, arrival.at,
        arrival.asked.activity_id, arrival.asked.shift_id,
    )  # fmt: skip


async def _named(arrival: ScanContext) -> Offer | None:
    """The activity that the request names directly or by its shift; None where it names none.

    Raises NotFound for an activity or shift that is not offered here now.
    """
    asked = arrival.asked
    if asked.activity_id is None and asked.shift_id is None:
        return None
    found = await database.row(
        Offer,
        "SELECT a.id, a.name, a.needs_sign_up FROM activity a "
        "LEFT JOIN shift s ON s.community_id = a.community_id AND s.activity_id = a.id AND s.id = $4 "
        "WHERE a.community_id = $1 AND a.active AND (a.station_id IS NULL OR a.station_id = $2) "
        "AND ($3::uuid IS NULL OR a.id = $3) "
        "AND ($4::uuid IS NULL OR s.station_id = $2 AND s.cancelled_at IS NULL "
        "     AND s.starts_at <= $5 AND s.ends_at > $6)",
        arrival.scope.community_id, arrival.here.id, asked.activity_id, asked.shift_id, arrival.at + EARLY,
        arrival.at,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def offers_at(scope: Scope, station_id: UUID) -> list[Offer]:
    """The activities at a station, its own before those of the whole community."""
    return await database.rows(
        Offer,
        "SELECT id, name, needs_sign_up FROM activity WHERE community_id = $1 AND active "
        "AND (station_id IS NULL OR station_id = $2) ORDER BY station_id IS NULL, created_at, id",
        scope.community_id, station_id,
    )  # fmt: skip


async def offers_to(scope: Scope, person_id: UUID, station_id: UUID) -> list[Offer]:
    """The activities that a person can check in for now: those of signed-up shifts, then those without sign-up."""
    async with transaction(scope):
        offers = await offers_at(scope, station_id)
        seats = await database.fetch(
            "SELECT s.activity_id FROM sign_up u JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
            "WHERE u.community_id = $1 AND u.person_id = $2 AND u.cancelled_at IS NULL AND s.cancelled_at IS NULL "
            "AND s.station_id = $3 AND s.starts_at <= $4 AND s.ends_at > $5",
            scope.community_id, person_id, station_id, clock.now() + EARLY, clock.now(),
        )  # fmt: skip
    seated = {UUID(bytes=row["activity_id"].bytes) for row in seats}
    open_to_all = [offer for offer in offers if not offer.needs_sign_up or offer.id in seated]
    return sorted(open_to_all, key=lambda offer: offer.id not in seated)
