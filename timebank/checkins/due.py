"""Notices falling due: honour hours are credited when they have hung on the board and nobody objects."""

from uuid import UUID

from timebank import clock, database
from timebank.checkins.arrivals import lock_person
from timebank.checkins.credit import credit_record
from timebank.checkins.deciding import ROW, DecidedRow, served_of
from timebank.database import retried, transaction
from timebank.ledger.refusals import AccountClosed
from timebank.people.messages import tell
from timebank.rules.catalogue import RuleNotFound
from timebank.scope import Scope
from timebank.wording import duration

AT_ONCE = 200

_DUE = "r.status = 'noticed' AND r.notice_until <= $3"
_DOUBTED = "SELECT EXISTS (SELECT FROM objection WHERE community_id = $1 AND service_record_id = $2 AND upheld IS NULL)"


async def credit_due_records(scope: Scope) -> int:
    """Credit the honour hours whose notice is over and to which no objection is open; how many were credited.

    Each record is a transaction of its own. Safe twice and in two processes at once: whoever holds a record alone
    credits it. Records of people who are blocked or have left wait until they are back, and keep nobody else waiting.
    """
    credited, after = 0, UUID(int=0)
    while due := await _due(scope, after):
        for record_id, person_id in due:
            credited += await _credit_one(scope, record_id, person_id)
        after = due[-1][0]
    return credited


async def _due(scope: Scope, after: UUID) -> list[tuple[UUID, UUID]]:
    async with transaction(scope):
        due = await database.fetch(
            "SELECT r.id, r.person_id FROM service_record r "  # noqa: S608  # own text
            "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id AND p.status = 'active' "
            f"WHERE r.community_id = $1 AND r.id > $2 AND {_DUE} ORDER BY r.id LIMIT $4",
            scope.community_id, after, clock.now(), AT_ONCE,
        )  # fmt: skip
    return [(UUID(bytes=row["id"].bytes), UUID(bytes=row["person_id"].bytes)) for row in due]


@retried
async def _credit_one(scope: Scope, record_id: UUID, person_id: UUID) -> bool:
    try:
        async with transaction(scope):
            await lock_person(scope, person_id)
            row = await database.row(
                DecidedRow,
                ROW + f"AND {_DUE} FOR NO KEY UPDATE OF r SKIP LOCKED",
                scope.community_id, record_id, clock.now(),
            )  # fmt: skip
            # Asked under the lock and in a statement of its own: an objection that came while we waited counts.
            if row is None or await database.fetch_value(_DOUBTED, scope.community_id, record_id):
                return False
            credit = await credit_record(scope, served_of(row))
            text = f"您在{row.place}的 {duration(row.minutes)}公示期满，积分 +{credit.points}。"
            await tell(scope, row.person_id, "record_credited", text, f"service:{row.id}:credited", row.id)
    except (AccountClosed, RuleNotFound):  # it waits until the account is open again, or there is a rule to credit by
        return False
    return True
