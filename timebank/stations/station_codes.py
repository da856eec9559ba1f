"""A station's code, which changes with the time, and the rotation of its key."""

from datetime import datetime
from uuid import UUID

from timebank.core import audit, clock, codes, database
from timebank.core.capability import hook
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.stations.code_readings import record_reading
from timebank.stations.schemas import CodeOut
from timebank.stations.stations import station, station_row


def acceptance_ends(moment: datetime, seconds: int) -> datetime:
    """The end of acceptance of the code of a moment's time step: the end of the following step."""
    return codes.step_end(codes.step_of(moment, seconds) + 1, seconds)


async def code_on_screen(scope: Scope, station_id: UUID) -> CodeOut:
    """The station's present code. Raises Forbidden unless the caller is one of its devices, serves at it or leads now.

    At a place without a screen the leader of a shift shows it on the own phone while the shift runs. Reading it other
    than on a display is recorded, and visits by a code that was read so are flagged for review; a code on a leader's
    phone counts for those who signed up for that shift, but not for the leader.
    """
    found = await station_row(scope, station_id)
    if found is None:
        raise NotFound
    now = clock.now()
    led: UUID | None = None
    if scope.person_id is not None and scope.device_id is None:
        led = await hook("shift_led_at")(scope, station_id, now)
    if not (led or scope.keeps(station_id) or scope.device_station_id == station_id):
        raise Forbidden
    if not scope.system and scope.device_kind != "display":
        await record_reading(scope, station_id, now, led)
    payload = codes.station_code(scope.community_id, station_id, found.code_epoch, now)
    seconds = codes.STATION_STEP_SECONDS
    return CodeOut(
        code=f"c/{payload}",
        url=codes.url("c", payload),
        step_seconds=seconds,
        expires_at=acceptance_ends(now, seconds),
        server_time=now,
    )


@retried
async def rotate_key(scope: Scope, station_id: UUID, reason: str) -> None:
    """Replace the key of the station's code; every code shown before becomes invalid at once."""
    scope.require_admin()
    async with transaction(scope):
        await station(scope, station_id)
        await database.execute(
            "UPDATE station SET code_epoch = code_epoch + 1 WHERE community_id = $1 AND id = $2",
            scope.community_id, station_id,
        )  # fmt: skip
        await audit.record(scope, "rotate_key", "station", station_id, reason=reason)
