"""Cancelling shifts before they begin; everybody who signed up is notified."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.activities.shifts import ShiftOver, shift
from timebank.activities.tables import Shift
from timebank.core import audit, clock, database
from timebank.core.database import Filters, retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.people.messages import Notification, is_soon, notify_many


class _Called(msgspec.Struct, frozen=True):
    """A shift under its row lock, with the names for the message."""

    id: UUID
    activity: str
    station: str
    starts_at: datetime
    cancelled: bool


_CALLED = (
    "SELECT s.id, a.name AS activity, t.name AS station, s.starts_at, s.cancelled_at IS NOT NULL AS cancelled "
    "FROM shift s JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
    "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id WHERE s.community_id = $1"
)


@retried
async def cancel_shift(scope: Scope, shift_id: UUID) -> None:
    """Cancel a shift before it begins and notify those signed up; a repetition changes nothing. Raises ShiftOver."""
    async with transaction(scope):
        scope.require_keeper((await shift(scope, shift_id)).station_id)
        found = await database.row(
            _Called, _CALLED + " AND s.id = $2 FOR NO KEY UPDATE OF s", scope.community_id, shift_id
        )
        assert found is not None
        if found.cancelled:
            return
        if found.starts_at <= clock.now():
            raise ShiftOver
        await _call_off(scope, found, None)


@retried
async def call_off_coming(
    scope: Scope, because: Phrase, *, activity_id: UUID | None = None, station_id: UUID | None = None,
    pattern_id: UUID | None = None, shift_ids: Collection[UUID] | None = None,
) -> int:  # fmt: skip
    """Cancel every shift that has not begun, of an activity, a pattern or at a station, or these; returns how many.

    `because` begins the message to those who signed up.
    """
    asked = Filters(scope.community_id)
    asked.add("s.starts_at > {} AND s.cancelled_at IS NULL", clock.now())
    asked.add_given("s.activity_id = {}", activity_id)
    asked.add_given("s.station_id = {}", station_id)
    asked.add_given("s.pattern_id = {}", pattern_id)
    asked.add_given("s.id = ANY ({})", list(shift_ids) if shift_ids is not None else None)
    async with transaction(scope):
        coming = await database.rows(
            _Called, f"{_CALLED}{asked.sql} ORDER BY s.id FOR NO KEY UPDATE OF s", *asked.values
        )
        for found in coming:
            await _call_off(scope, found, because)
    return len(coming)


async def _call_off(scope: Scope, found: _Called, because: Phrase | None) -> None:
    await Shift.update({Shift.cancelled_at: clock.now()}).where(
        (Shift.community_id == scope.community_id) & (Shift.id == found.id)
    )
    await audit.record(scope, "cancel_shift", "shift", found.id, reason=because.text() if because else None)
    signed_up = await database.fetch(
        "SELECT person_id FROM sign_up WHERE community_id = $1 AND shift_id = $2 AND cancelled_at IS NULL "
        "ORDER BY person_id",
        scope.community_id, found.id,
    )  # fmt: skip
    says = phrase("shift_cancelled", activity=found.activity, at=found.starts_at, station=found.station)
    if because:
        says = phrase("shift_cancelled.because", because=because, **says.values)
    key = f"shift:{found.id}:cancelled"
    people = [UUID(bytes=record["person_id"].bytes) for record in signed_up]
    to_send = [Notification(person_id, says, key, found.id) for person_id in people]
    await notify_many(scope, to_send, urgent=is_soon(found.starts_at))
