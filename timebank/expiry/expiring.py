"""Expiry: days are closed, announced amounts expire automatically, the rest waits for an administrator."""

from datetime import date, timedelta

import msgspec
import structlog

from timebank.core import audit, clock, database, settings
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.ledger import closing_days
from timebank.ledger.closing_days import Closing
from timebank.ledger.posting import Currency
from timebank.ledger.totals import FIRST_MOMENT, last_counted_day

log = structlog.get_logger()

BATCH = 500
SKIPPED_DAYS_MAX = 7  # the same number as in the database function ledger_close_until


class ExpiryChanged(TimebankError):
    code = "expiry_changed"
    status = 409
    sentence = "等待到期的数目已经变了，没有办理。请刷新后再看一次。"


class ClockDisagrees(TimebankError):
    code = "clock_disagrees"
    status = 409
    sentence = "数据库的时钟说今天还不是这一天，没有办理。请让系统管理员核对服务器的日期和时间。"


async def expire_points(scope: Scope) -> int:
    """The worker's job: expire what ended on closed days and was announced; returns the number of accounts."""
    moved = 0
    while count := await closing_days.expire(scope, BATCH):
        moved += count
    return moved


_DAYS = """
SELECT DISTINCT (moved.posted_at AT TIME ZONE $3)::date AS day FROM account a CROSS JOIN LATERAL (
    SELECT t.posted_at FROM transfer t WHERE t.community_id = $1 AND t.debit_account = a.id
        AND t.posted_at >= $4 AND t.posted_at < $2
    UNION ALL
    SELECT t.posted_at FROM transfer t WHERE t.community_id = $1 AND t.credit_account = a.id
        AND t.posted_at >= $4 AND t.posted_at < $2
) AS moved WHERE a.community_id = $1 AND a.owner_kind = 'system' ORDER BY 1
"""


async def close_days(scope: Scope) -> int:
    """The worker's job: compute the totals of past days with postings, and close the days up to yesterday.

    Returns the number of newly counted days. A day must also be over by the database's clock. The last counted day is
    counted again, because a posting may have been under way when it was counted.
    """
    async with transaction(scope):
        last = await last_counted_day(scope)
        since = clock.day_bounds(last)[0] if last else FIRST_MOMENT
        until = clock.day_bounds(clock.local_day())[0]
        found = await database.fetch(_DAYS, scope.community_id, until, settings.current().time_zone.key, since)
    counted = [row["day"] for row in found if await closing_days.close_day(scope, row["day"])]
    closing = await closing_days.close_until(scope, clock.local_day() - timedelta(days=1))
    if closing is not Closing.closed:
        log.warning("days not closed", reason=closing.value, community_id=str(scope.community_id))
    return sum(day != last for day in counted)


class WaitingExpiry(msgspec.Struct, frozen=True):
    """An amount that ended on `day` and did not expire automatically.

    It belongs to `people` owners, who were not notified of all of it. With `skipped` the reason is that more than a
    week would be closed at once, so that an administrator has to confirm the date.
    """

    day: date
    currency: str
    amount: int
    people: int
    skipped: bool


# Of a closed day: the balances of which nothing announced is left. Of a day that is not closed: the balances only if
# closing was skipped; otherwise the worker will close the day.
_WAITING = """
SELECT a.expires_on AS day, a.currency, sum(a.balance)::bigint AS amount, count(DISTINCT a.owner_id) AS people,
       coalesce(a.expires_on > b.until, true) AS skipped
FROM account a
LEFT JOIN books_closed b ON b.community_id = a.community_id
LEFT JOIN expiry_announcement n ON n.community_id = a.community_id AND n.day = a.expires_on
    AND n.owner_id = a.owner_id AND n.currency = a.currency
WHERE a.community_id = $1 AND a.expires_on < $2 AND a.balance > 0 AND a.bucket = 'available'
    AND a.owner_kind = 'person' AND CASE WHEN a.expires_on <= b.until THEN coalesce(n.amount, 0) = 0
        ELSE coalesce(b.until < $3, true) END
GROUP BY a.expires_on, a.currency, skipped ORDER BY a.expires_on, a.currency
"""


async def waiting_expiries(scope: Scope) -> list[WaitingExpiry]:
    """The amounts that wait for an administrator, oldest day first; for administrators and auditors."""
    scope.require_reader()
    today = clock.local_day()
    async with transaction(scope):
        return await database.rows(
            WaitingExpiry, _WAITING, scope.community_id, today, today - timedelta(days=SKIPPED_DAYS_MAX + 1)
        )


@retried
async def let_expire(scope: Scope, day: date, currency: Currency, amount: int) -> int:
    """Approve the expiry of what waits of a day; `amount` must be the amount that the administrator has seen.

    Expires the first BATCH accounts at once and returns their number; the worker does the rest. Nobody gains
    by it, because points past their last day cannot be spent anyway. Raises ExpiryChanged, ClockDisagrees.
    """
    scope.require_admin()
    async with transaction(scope):
        waiting = [w for w in await waiting_expiries(scope) if (w.day, w.currency, w.amount) == (day, currency, amount)]
        if not waiting:
            raise ExpiryChanged
        if waiting[0].skipped:
            closing = await closing_days.close_until(scope, clock.local_day() - timedelta(days=1), confirmed=True)
            if closing is not Closing.closed:
                raise ClockDisagrees
        if not await closing_days.approve_expiry(scope, currency, day, amount, skipped=waiting[0].skipped):
            raise ExpiryChanged
        await audit.record(
            scope, "let_expire", "account", None, day=day, currency=currency, amount=amount,
            people=waiting[0].people, skipped=waiting[0].skipped,
        )  # fmt: skip
        return await closing_days.expire(scope, BATCH)
