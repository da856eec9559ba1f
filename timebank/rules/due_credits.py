"""Credit of hours and deeds at the end of their public notice period, person by person."""

from collections.abc import Awaitable, Callable
from typing import Literal
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.ledger.refusals import AccountClosed

AT_ONCE = 200
# Whether the public notice period of the row `r` is over at $3.
DUE = "r.status = 'noticed' AND r.notice_until <= $3"


async def credit_due(
    scope: Scope, table: Literal["service_record", "deed"], credit_person: Callable[[Scope, UUID], Awaitable[int]]
) -> int:
    """Credit what is due in a table with `credit_person`, person by person; return how many rows were credited.

    A person's rows that fall due on one day are credited together with the last of them. `credit_person` has a
    transaction of its own and takes the person's row lock, so that this is safe to run twice and in two processes.
    Rows of people who are blocked or have left wait until these are active again, and rows of a person whose account is
    closed until it is open again; they delay nobody else's.
    """
    credited, after = 0, UUID(int=0)
    while people := await _people_due(scope, table, after):
        for person_id in people:
            try:
                credited += await credit_person(scope, person_id)
            except AccountClosed:  # closed since the list was read
                continue
        after = people[-1]
    return credited


async def _people_due(scope: Scope, table: str, after: UUID) -> list[UUID]:
    """The next people, by id after `after`, who have due rows and none that falls due later today."""
    now = clock.now()
    async with transaction(scope):
        due = await database.fetch(
            f"SELECT DISTINCT r.person_id FROM {table} r "  # noqa: S608  # service_record or deed
            "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id AND p.status = 'active' "
            f"WHERE r.community_id = $1 AND r.person_id > $2 AND {DUE} AND NOT EXISTS ("
            f"SELECT FROM {table} later WHERE later.community_id = $1 AND later.person_id = r.person_id "
            "AND later.status = 'noticed' AND later.notice_until > $3 AND later.notice_until < $4) "
            "ORDER BY r.person_id LIMIT $5",
            scope.community_id, after, now, clock.day_bounds(clock.local_day(now))[1], AT_ONCE,
        )  # fmt: skip
    return [UUID(bytes=row["person_id"].bytes) for row in due]
