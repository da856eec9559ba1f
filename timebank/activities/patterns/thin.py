"""The warning of shifts for which too few people have signed up a day before."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.roles.holders import Place, notify_holders
from timebank.activities.team_of import leaders_to_notify
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Role, Scope
from timebank.core.wording import phrase
from timebank.people.messages import Notification, is_soon, notify_many

BEFORE = timedelta(hours=24)


class _Thin(msgspec.Struct, frozen=True, kw_only=True):
    """A shift with too few people; a seat on offer counts as free."""

    id: UUID
    station_id: UUID
    activity: str
    station: str
    starts_at: datetime
    coming: int
    least: int


@retried
async def warn_thin_shifts(scope: Scope) -> int:
    """The worker's job: a day before, notify the leader of each shift below its least number; return how many.

    Where nobody leads, the station's keepers and the administrators are notified. Each is notified once, however often
    the job runs.
    """
    now = clock.now()
    async with transaction(scope):
        found = await database.rows(
            _Thin,
            "SELECT s.id, s.station_id, a.name AS activity, t.name AS station, s.starts_at, c.coming, "
            "p.seats_min AS least FROM shift s "
            "JOIN shift_pattern p ON p.community_id = s.community_id AND p.id = s.pattern_id "
            "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
            "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
            "CROSS JOIN LATERAL (SELECT count(*) AS coming FROM sign_up u WHERE u.community_id = s.community_id "
            "AND u.shift_id = s.id AND u.cancelled_at IS NULL AND u.offered_at IS NULL) c "
            "WHERE s.community_id = $1 AND s.pattern_id IS NOT NULL AND s.cancelled_at IS NULL "
            "AND s.starts_at > $2 AND s.starts_at <= $3 AND c.coming < p.seats_min ORDER BY s.starts_at, s.id",
            scope.community_id, now, now + BEFORE,
        )  # fmt: skip
        for each in found:
            await _warn(scope, each)
    return len(found)


async def _warn(scope: Scope, thin: _Thin) -> None:
    values = {
        "activity": thin.activity, "at": thin.starts_at, "station": thin.station, "coming": thin.coming,
        "least": thin.least,
    }  # fmt: skip
    key, urgent = f"shift:{thin.id}:thin", is_soon(thin.starts_at)
    leaders = await leaders_to_notify(scope, thin.id)
    if leaders:
        says = phrase("shift_thin", **values)
        await notify_many(scope, [Notification(person, says, key, thin.id) for person in leaders], urgent=urgent)
        return
    roles = (Role.station_keeper, Role.community_admin)
    await notify_holders(
        scope, roles, Place(station_id=thin.station_id), "shift_thin", values, key, thin.id, urgent=urgent
    )
