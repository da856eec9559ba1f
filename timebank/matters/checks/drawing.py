"""Draw some of the finished matters to be looked at once more. Nobody can foresee which."""

import hmac
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.policies.values import policies

DAYS_BACK = 7
"""How many past days are drawn from again, so that a night on which no worker ran is made up for."""
_PARTS = 1 << 32


class _Finished(msgspec.Struct, frozen=True):
    id: UUID
    area_id: UUID
    done_at: datetime


def is_drawn(day: date, matter_id: UUID, percent: int) -> bool:
    """Whether a matter that was finished on this day is drawn: by a keyed hash, so always the same for both.

    Without the installation's key nobody can foresee which ones are drawn.
    """
    drawn = hmac.digest(vault.key_for("spot check"), f"{day.isoformat()} {matter_id}".encode(), "sha256")
    return int.from_bytes(drawn[:4]) * 100 < percent * _PARTS


@retried
async def draw_spot_checks(scope: Scope) -> int:
    """Draw from what was finished on the past days; return how many are new. Drawn again, a day gives the same.

    What came from an old book is not drawn: it earns nothing.
    """
    today = clock.local_day()
    begins, _end = clock.day_bounds(today - timedelta(days=DAYS_BACK))
    ends, _end = clock.day_bounds(today)
    async with transaction(scope):
        percent = (await policies(scope)).spot_check_percent
        finished = await database.rows(
            _Finished,
            "SELECT id, area_id, done_at FROM matter WHERE community_id = $1 AND done_at >= $2 AND done_at < $3 "
            "AND channel <> 'import' ORDER BY id",
            scope.community_id, begins, ends,
        )  # fmt: skip
        drawn = [one for one in finished if is_drawn(clock.local_day(one.done_at), one.id, percent)]
        return await _keep(scope, drawn, today)


async def _keep(scope: Scope, drawn: Iterable[_Finished], today: date) -> int:
    columns = ("community_id", "id", "noun", "noun_id", "drawn_on", "area_id")
    rows = [(scope.community_id, clock.new_id(), "matter", one.id, today, one.area_id) for one in drawn]
    return len(await database.insert_many("spot_check", columns, rows, "ON CONFLICT DO NOTHING RETURNING id"))
