"""Notify owners before points expire, and record the announced amount, because only that expires automatically."""

from datetime import date, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.ledger import closing_days
from timebank.ledger.posting import Currency
from timebank.people.guardianship.care import guardian_ids
from timebank.people.messages import Notification, notify_many

REMINDER_DAYS = (7, 30, 60)


class _RunningOut(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts of an owner with the same last day.

    `told_to` are the people to notify: the owner or, for class minutes, the child's guardians. `was_told`: all of them
    had a notice with this many days left, of a smaller amount. `left`: the owner has left; nobody can be notified.
    """

    owner_id: UUID
    owner: str
    currency: str
    expires_on: date
    available: int
    held: int
    was_told: bool
    left: bool
    told_to: list[UUID]


# Finds owners who have had no notice of this day with this many days left, or a notice of a smaller amount. Points in
# their days of grace were announced when they came back, so only the last reminder includes them. For class minutes the
# child's guardians are notified. A blocked person is notified too and can read it once unblocked: the last day is the
# same for everybody, and an expiry can be reversed.
_RUNNING_OUT = """
SELECT * FROM (
    SELECT p.id AS owner_id, p.name AS owner, due.currency, due.expires_on, due.available, due.held, readers.told_to,
           p.status = 'left' AS left, coalesce(n.amount, 0) AS announced, NOT EXISTS (
               SELECT FROM unnest(readers.told_to) r (id) WHERE NOT EXISTS (
                   SELECT FROM message m WHERE m.community_id = $1 AND m.person_id = r.id
                   AND m.key = 'points-expire:' || CASE WHEN due.currency = 'class_minute' THEN due.owner_id || ':'
                       ELSE '' END || due.expires_on || ':' || $4)) AS was_told
    FROM (
        SELECT a.owner_id, a.currency, a.expires_on,
               coalesce(sum(a.balance) FILTER (WHERE a.bucket = 'available'), 0)::bigint AS available,
               coalesce(sum(a.balance) FILTER (WHERE a.bucket = 'held'), 0)::bigint AS held
        FROM account a WHERE a.community_id = $1 AND a.owner_kind = 'person' AND a.balance > 0
            AND a.expires_on >= $2 AND a.expires_on <= $3 AND (a.grace_of IS NULL OR $4 = $5)
        GROUP BY a.owner_id, a.currency, a.expires_on
    ) due
    JOIN person p ON p.community_id = $1 AND p.id = due.owner_id
    LEFT JOIN expiry_announcement n ON n.community_id = $1 AND n.day = due.expires_on AND n.owner_id = due.owner_id
        AND n.currency = due.currency
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.status = 'left' THEN '{}' WHEN due.currency = 'class_minute' THEN
            coalesce(nullif(ARRAY({guardian_ids}), '{}'), ARRAY[p.id])
            ELSE ARRAY[p.id] END AS told_to
    ) readers
) found
WHERE announced < available + held OR available > 0 AND NOT was_told
ORDER BY owner_id, currency, expires_on
""".replace("{guardian_ids}", guardian_ids("$1", "p.id", "$6"))


async def remind_of_expiry(scope: Scope) -> int:
    """Notify each owner 60, 30 and 7 days before an amount expires, and again if the amount has grown.

    Returns the number of owners. The announced amount is recorded in the same transaction as the message.
    """
    told, today = 0, clock.local_day()
    until = today
    for days in REMINDER_DAYS:
        since, until = until, today + timedelta(days=days)
        async with transaction(scope):
            found = await database.rows(
                _RunningOut, _RUNNING_OUT, scope.community_id, since, until, str(days), str(REMINDER_DAYS[0]), today
            )
        for due in found:
            told += await _remind(scope, due, days)
        until += timedelta(days=1)
    return told


@retried
async def _remind(scope: Scope, due: _RunningOut, days: int) -> bool:
    """Record the announcement and send the messages; for an owner who has left, only record it.

    False without a message: the owner has left, nobody is to notify, or the database's clock disagrees.
    """
    about = f"{due.owner_id}:" if due.currency == Currency.class_minute else ""
    key, total = f"points-expire:{about}{due.expires_on}:{days}", due.available + due.held
    async with transaction(scope):
        currency = Currency(due.currency)
        if not (due.told_to or due.left) or not await closing_days.announce(
            scope, due.owner_id, currency, due.expires_on, total
        ):
            return False
        key = f"{key}:{total}" if due.was_told else key
        await notify_many(scope, [Notification(reader, _message(due), key) for reader in due.told_to])
    return not due.left


def _message(due: _RunningOut) -> Phrase:
    if due.currency == Currency.class_minute:
        kind = "points_expiring.class_time_booked" if due.held else "points_expiring.class_time"
        booked = {"booked": due.held} if due.held else {}
        return phrase(kind, child=due.owner, minutes=due.available, day=due.expires_on, **booked)
    if not due.available:
        return phrase("points_expiring.held", points=due.held, day=due.expires_on)
    held = [phrase("also_held", points=due.held)] if due.held else []
    return phrase("points_expiring", points=due.available, day=due.expires_on, held=held)
