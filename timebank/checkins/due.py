"""Notices falling due: honour hours are credited when they have hung on the board and nobody objects."""

from uuid import UUID

from timebank import clock, database
from timebank.checkins.arrivals import lock_person
from timebank.checkins.credit import credit_record
from timebank.checkins.deciding import ROW, DecidedRow, served_of
from timebank.wording import duration
from timebank.database import transaction
from timebank.people.messages import tell
from timebank.scope import Scope

AT_ONCE = 200

_DUE = (
    "r.status = 'noticed' AND r.notice_until <= $3 AND NOT EXISTS (SELECT FROM objection o "
    "WHERE o.community_id = r.community_id AND o.service_record_id = r.id AND o.upheld IS NULL)"
)


async def credit_due_records(scope: Scope) -> int:
    """Credit the honour hours whose notice is over and to which no objection is open; how many were credited.

    Safe twice and in two processes at once: whoever holds a record alone credits it.
    """
    credited = 0
    async with transaction(scope):
        due = await database.fetch(
            f"SELECT r.id, r.person_id FROM service_record r WHERE r.community_id = $1 AND {_DUE} "  # noqa: S608  # own text
            "ORDER BY r.id LIMIT $2",
            scope.community_id, AT_ONCE, clock.now(),
        )  # fmt: skip
    for found in due:
        credited += await _credit_due(scope, UUID(bytes=found["id"].bytes), UUID(bytes=found["person_id"].bytes))
    return credited


async def _credit_due(scope: Scope, record_id: UUID, person_id: UUID) -> bool:
    async with transaction(scope):
        await lock_person(scope, person_id)
        row = await database.row(
            DecidedRow,
            ROW + f"AND {_DUE} FOR UPDATE OF r SKIP LOCKED",
            scope.community_id, record_id, clock.now(),
        )  # fmt: skip
        if row is None:
            return False
        credit = await credit_record(scope, served_of(row))
        text = f"您在{row.place}的 {duration(row.minutes)}公示期满，积分 +{credit.points}。"
        await tell(scope, row.person_id, "record_credited", text, f"service:{row.id}:credited", row.id)
    return True
