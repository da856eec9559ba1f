"""Readings: a station code that a keeper, an administrator or a counter tablet has read instead of the paired display.

This is allowed, because a display may fail, and it is recorded, because the reader could send the code to a person who
is not there. So is the code that the leader of a shift shows on the own phone, with that shift.

A check-in or check-out by the code of that time step, after the reading, is flagged for review before it is credited.
"""

from datetime import datetime, timedelta
from uuid import UUID

from timebank.core import audit, clock, codes, database
from timebank.core.database import Question, retried, transaction
from timebank.core.scope import Scope

KEPT_FOR = timedelta(
    days=1
)  # longer than any use: a code is valid for 30 seconds, its claim for two minutes; the audit keeps the reading


@retried
async def record_reading(scope: Scope, station_id: UUID, moment: datetime, shift_id: UUID | None = None) -> None:
    """Record that the caller reads the code of this moment; once per reader and time step, in whatever format.

    `shift_id` is the shift that the caller leads there now and so shows the code for.
    """
    reader = scope.login_id or scope.device_id
    async with transaction(scope):
        tag = await database.execute(
            "INSERT INTO code_reading (community_id, station_id, step, reader_id, read_at, shift_id) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            scope.community_id, station_id, codes.step_of(moment, codes.STATION_STEP_SECONDS), reader, moment, shift_id,
        )  # fmt: skip
        if tag == "INSERT 0 1":
            await audit.record(scope, "read_code", "station", station_id)


def readers_question(scope: Scope, code: codes.StationCode, at: datetime) -> Question:
    """The logins and devices that had read this code by the time `at` of a scan, other than on the display.

    Those who led a shift there are not among them: see `presence.evidence.leaders_code`.
    """
    return database.value(
        "SELECT coalesce(json_agg(reader_id ORDER BY reader_id), '[]') FROM code_reading WHERE community_id = $1 "
        "AND station_id = $2 AND step = $3 AND read_at <= $4 AND shift_id IS NULL",
        scope.community_id, code.station_id, code.step, at,
    )  # fmt: skip


@retried
async def purge_readings(scope: Scope) -> None:
    """The worker's job: purge readings of codes that cannot be used any more. The audit keeps who read them."""
    async with transaction(scope):
        await database.execute(
            "DELETE FROM code_reading WHERE community_id = $1 AND read_at < $2",
            scope.community_id, clock.now() - KEPT_FOR,
        )  # fmt: skip
