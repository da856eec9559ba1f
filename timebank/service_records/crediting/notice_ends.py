"""Credit of honour hours at the end of their public notice period, where no objection is open."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import duration
from timebank.ledger.refusals import AccountClosed
from timebank.people.messages import notify
from timebank.presence.scan_context import lock_person
from timebank.rules.catalogue import RuleNotFound
from timebank.service_records.crediting.credit import credit_record
from timebank.service_records.deciding import ROW, DecidedRow, served_of

AT_ONCE = 200

_DUE = "r.status = 'noticed' AND r.notice_until <= $3"
_DOUBTED = "SELECT EXISTS (SELECT FROM objection WHERE community_id = $1 AND service_record_id = $2 AND upheld IS NULL)"


async def credit_due_records(scope: Scope) -> int:
    """Credit honour hours whose public notice period is over and to which no objection is open; return how many.

    A person's records that fall due on one day are credited together with the last of them, with one notification. Each
    person has a transaction of their own. It is safe to run twice and in two processes, because each takes the person's
    row lock. Records of people who are blocked or have left wait until these are active again, and delay nobody else's.
    """
    credited, after = 0, UUID(int=0)
    while due := await _due(scope, after):
        for person_id in due:
            credited += await _credit_person(scope, person_id)
        after = due[-1]
    return credited


async def _due(scope: Scope, after: UUID) -> list[UUID]:
    """The next people, by id after `after`, who have due records and none that falls due later today."""
    now = clock.now()
    async with transaction(scope):
        due = await database.fetch(
            "SELECT DISTINCT r.person_id FROM service_record r "  # noqa: S608  # own text
            "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id AND p.status = 'active' "
            f"WHERE r.community_id = $1 AND r.person_id > $2 AND {_DUE} AND NOT EXISTS ("
            "SELECT FROM service_record later WHERE later.community_id = $1 AND later.person_id = r.person_id "
            "AND later.status = 'noticed' AND later.notice_until > $3 AND later.notice_until < $4) "
            "ORDER BY r.person_id LIMIT $5",
            scope.community_id, after, now, clock.day_bounds(clock.local_day(now))[1], AT_ONCE,
        )  # fmt: skip
    return [UUID(bytes=row["person_id"].bytes) for row in due]


@retried
async def _credit_person(scope: Scope, person_id: UUID) -> int:
    try:
        async with transaction(scope):
            await lock_person(scope, person_id)
            due = await database.fetch(
                f"SELECT id FROM service_record r WHERE community_id = $1 AND person_id = $2 AND {_DUE} ORDER BY id",  # noqa: S608  # own text
                scope.community_id, person_id, clock.now(),
            )  # fmt: skip
            credited = [done for row in due if (done := await _credit(scope, row["id"]))]
            if credited:
                await _notify(scope, person_id, credited)
    except AccountClosed:  # all records of the person wait until the account is open again
        return 0
    return len(credited)


async def _credit(scope: Scope, record_id: UUID) -> tuple[DecidedRow, int] | None:
    """Credit one record of a person whose row is locked; return it with its points.

    Returns None where the record was decided meanwhile, has an open objection, or has no rule.
    """
    row = await database.row(
        DecidedRow, ROW + f"AND {_DUE} FOR NO KEY UPDATE OF r SKIP LOCKED", scope.community_id, record_id, clock.now()
    )
    # A statement of its own, under the lock: it sees an objection that was made while this waited for the lock.
    if row is None or await database.fetch_value(_DOUBTED, scope.community_id, record_id):
        return None
    try:
        credit = await credit_record(scope, served_of(row))
    except RuleNotFound:  # raised before anything is written: the record waits until there is a rule
        return None
    return row, credit.points


async def _notify(scope: Scope, person_id: UUID, credited: Sequence[tuple[DecidedRow, int]]) -> None:
    first, points = credited[0][0], sum(points for _, points in credited)
    time = duration(sum(row.minutes for row, _ in credited))
    what = f"在{first.place}的 {time}" if len(credited) == 1 else f"补录的 {len(credited)} 次服务（共 {time}）"
    text = f"您{what}公示期满，积分 +{points}。"
    await notify(scope, person_id, "record_credited", text, f"service:{first.id}:credited", first.id)
