"""What was issued, exchanged and expired by day and by month: the stored daily totals, and the transfers after them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from timebank.core import clock, database, settings
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.ledger.totals import FIRST_MOMENT, last_counted_day


@dataclass(frozen=True, slots=True)
class Turnover:
    """Points issued, exchanged and expired, and minutes of service credited, each less what was taken back."""

    issued: int = 0
    redeemed: int = 0
    expired: int = 0
    minutes: int = 0

    def __add__(self, other: "Turnover") -> "Turnover":
        return Turnover(
            self.issued + other.issued, self.redeemed + other.redeemed, self.expired + other.expired,
            self.minutes + other.minutes,
        )  # fmt: skip


# The field of each system account, and whether it gives or takes.
_FIELDS = {
    ("point", "issued"): ("issued", -1),
    ("point", "redeemed"): ("redeemed", 1),
    ("point", "expired"): ("expired", 1),
    ("minute", "issued"): ("minutes", -1),
}

_COUNTED = """
SELECT {day} AS day, currency, bucket, sum(taken - given)::bigint AS taken FROM day_total
WHERE community_id = $1 AND day >= $2 AND day < $3 AND bucket IN ('issued', 'redeemed', 'expired') GROUP BY 1, 2, 3
"""
_AFTER = """
SELECT s.day, a.currency, a.bucket, sum(s.taken)::bigint AS taken FROM account a
CROSS JOIN LATERAL (
    SELECT (t.posted_at AT TIME ZONE $3)::date AS day, -sum(t.amount) AS taken FROM transfer t
    WHERE t.community_id = $1 AND t.debit_account = a.id AND t.posted_at >= $2 GROUP BY 1
    UNION ALL
    SELECT (t.posted_at AT TIME ZONE $3)::date, sum(t.amount) FROM transfer t
    WHERE t.community_id = $1 AND t.credit_account = a.id AND t.posted_at >= $2 GROUP BY 1
) s
WHERE a.community_id = $1 AND a.owner_kind = 'system' AND a.owner_id = $1
  AND a.bucket IN ('issued', 'redeemed', 'expired') GROUP BY 1, 2, 3
"""


class _Taken(msgspec.Struct, frozen=True):
    day: date
    currency: str
    bucket: str
    taken: int


async def turnover_by_month(scope: Scope, first: date) -> dict[date, Turnover]:
    """The turnover of each month since the first day of a month, by its first day; for administrators and auditors.

    A month without a ledger entry is not in it.
    """
    return await _turnover(scope, first, date.max, "date_trunc('month', day)::date", months=True)


async def turnover_by_day(scope: Scope, first: date, end: date) -> dict[date, Turnover]:
    """The turnover of each local day from `first` to the day before `end`; for administrators and auditors."""
    return await _turnover(scope, first, end, "day", months=False)


async def _turnover(scope: Scope, first: date, end: date, day: str, *, months: bool) -> dict[date, Turnover]:
    """The last counted day is read again from its transfers: a posting may have been under way when it was counted."""
    scope.require_reader()
    async with transaction(scope):
        last = await last_counted_day(scope)
        async with database.gathering() as reads:
            counted = None
            if last and first < last:
                asked = _COUNTED.format(day=day)
                counted = reads.start(database.rows(_Taken, asked, scope.community_id, first, min(last, end)))
            since = (
                clock.day_bounds(max(first, last) if last else first)[0] if last or first > date.min else FIRST_MOMENT
            )
            zone: ZoneInfo = settings.current().time_zone
            after = reads.start(database.rows(_Taken, _AFTER, scope.community_id, since, zone.key))
    later = [row for row in after.result() if first <= row.day < end]
    if months:
        later = [msgspec.structs.replace(row, day=row.day.replace(day=1)) for row in later]
    return _summed([*(counted.result() if counted else []), *later])


def _summed(rows: Iterable[_Taken]) -> dict[date, Turnover]:
    found: dict[date, Turnover] = {}
    for row in rows:
        name, sign = _FIELDS.get((row.currency, row.bucket), ("", 0))
        if name:
            found[row.day] = found.get(row.day, Turnover()) + replace(Turnover(), **{name: sign * row.taken})
    return found
