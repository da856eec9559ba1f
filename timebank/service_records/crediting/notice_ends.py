"""Credit of honour hours at the end of their public notice period, where no objection is open."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.objections.objecting import is_objected
from timebank.people.messages import notify
from timebank.presence.scans.facts import lock_person
from timebank.rules.catalogue import RuleNotFound
from timebank.rules.due_credits import DUE, credit_due
from timebank.service_records.crediting.credit import credit_record
from timebank.service_records.reviews.deciding import ROW, DecidedRow, served_of


async def credit_due_records(scope: Scope) -> int:
    """Credit honour hours whose public notice period is over and to which no objection is open; return how many.

    See `credit_due`. The records of a person that are credited together have one notification.
    """
    return await credit_due(scope, "service_record", _credit_person)


@retried
async def _credit_person(scope: Scope, person_id: UUID) -> int:
    async with transaction(scope):
        await lock_person(scope, person_id)
        due = await database.fetch(
            f"SELECT id FROM service_record r WHERE community_id = $1 AND person_id = $2 AND {DUE} ORDER BY id",  # noqa: S608  # no input
            scope.community_id, person_id, clock.now(),
        )  # fmt: skip
        credited = [done for row in due if (done := await _credit(scope, row["id"]))]
        if credited:
            await _notify(scope, person_id, credited)
    return len(credited)


async def _credit(scope: Scope, record_id: UUID) -> tuple[DecidedRow, int] | None:
    """Credit one record of a person whose row is locked; return it with its points.

    Returns None where the record was decided meanwhile, has an open objection, or has no rule.
    """
    row = await database.row(
        DecidedRow, ROW + f"AND {DUE} FOR NO KEY UPDATE OF r SKIP LOCKED", scope.community_id, record_id, clock.now()
    )
    # A statement of its own, under the lock: it sees an objection that was made while this waited for the lock.
    if row is None or await is_objected(scope, "service_record", record_id):
        return None
    try:
        credit = await credit_record(scope, served_of(row))
    except RuleNotFound:  # raised before anything is written: the record waits until there is a rule
        return None
    return row, credit.points


async def _notify(scope: Scope, person_id: UUID, credited: Sequence[tuple[DecidedRow, int]]) -> None:
    first, key = credited[0][0], f"service:{credited[0][0].id}:credited"
    earned: dict[str, Any] = {
        "minutes": sum(row.minutes for row, _ in credited),
        "points": sum(points for _, points in credited),
    }
    if len(credited) == 1:
        await notify(scope, person_id, "record_credited.noticed", key, first.id, where=first.where, **earned)
    else:
        await notify(scope, person_id, "record_credited.noticed_several", key, first.id, times=len(credited), **earned)
