"""Codes that were read elsewhere than on the paired screen: by a keeper, an administrator or a counter tablet.

Such a reading is allowed, for a screen that has failed, and it is written down: whoever reads the code at home could
send it on to somebody at home. What is checked in or out by the code of that step, from then on, is looked at before it
is credited.
"""

from datetime import datetime, timedelta
from uuid import UUID

from timebank.core import audit, clock, codes, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope

KEPT_FOR = timedelta(
    days=1
)  # a code is accepted for 30 seconds, its claim for two minutes; the audit keeps the reading


@retried
async def note_reading(scope: Scope, station_id: UUID, moment: datetime) -> None:
    """Write down that the caller reads the code of this moment; once for a step, whatever form it is read in."""
    reader = scope.login_id or scope.device_id
    async with transaction(scope):
        tag = await database.execute(
            "INSERT INTO code_reading (community_id, station_id, step, reader_id, read_at) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT DO NOTHING",
            scope.community_id, station_id, codes.step_of(moment, codes.STATION_STEP_SECONDS), reader, moment,
        )  # fmt: skip
        if tag == "INSERT 0 1":
            await audit.record(scope, "read_code", "station", station_id)


async def readers_of(scope: Scope, code: codes.StationCode, at: datetime) -> list[UUID]:
    """Who had read this very code elsewhere than on the screen by the time of a scan: logins or devices."""
    found = await database.fetch(
        "SELECT reader_id FROM code_reading WHERE community_id = $1 AND station_id = $2 AND step = $3 "
        "AND read_at <= $4 ORDER BY reader_id",
        scope.community_id, code.station_id, code.step, at,
    )  # fmt: skip
    return [UUID(bytes=row["reader_id"].bytes) for row in found]


@retried
async def forget_readings(scope: Scope) -> None:
    """Drop readings whose codes nobody can use any more; the audit keeps who read them."""
    async with transaction(scope):
        await database.execute(
            "DELETE FROM code_reading WHERE community_id = $1 AND read_at < $2",
            scope.community_id, clock.now() - KEPT_FOR,
        )  # fmt: skip
