"""What a station shows: its turning code."""

from datetime import datetime
from uuid import UUID

from timebank.core import audit, clock, codes, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.stations.places import station, station_row
from timebank.stations.readings import note_reading
from timebank.stations.schemas import CodeOut


def acceptance_ends(moment: datetime, seconds: int) -> datetime:
    """Until when the code of this moment's step is accepted: to the end of the step after it."""
    return codes.step_end(codes.step_of(moment, seconds) + 1, seconds)


async def station_code(scope: Scope, station_id: UUID) -> CodeOut:
    """The code that the station shows now; for its own devices and those who serve at it alone.

    Its paired screen shows it. Whoever else reads it is written down, and visits by what was read are looked at.
    """
    found = await station_row(scope, station_id)
    if found is None:
        raise NotFound
    if not (scope.keeps(station_id) or scope.device_station_id == station_id):
        raise Forbidden
    now = clock.now()
    if not scope.system and scope.device_kind != "display":
        await note_reading(scope, station_id, now)
    payload = codes.station_code(scope.community_id, station_id, found.code_epoch, now)
    seconds = codes.STATION_STEP_SECONDS
    return CodeOut(f"c/{payload}", codes.url("c", payload), seconds, acceptance_ends(now, seconds), now)


@retried
async def rotate_key(scope: Scope, station_id: UUID, reason: str) -> None:
    """Give the station's code a new key: every code shown before is worthless at once."""
    scope.require_admin()
    async with transaction(scope):
        await station(scope, station_id)
        await database.execute(
            "UPDATE station SET code_epoch = code_epoch + 1 WHERE community_id = $1 AND id = $2",
            scope.community_id, station_id,
        )  # fmt: skip
        await audit.record(scope, "rotate_key", "station", station_id, reason=reason)
