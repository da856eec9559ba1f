"""Reminds those who may decide what waits for somebody else than the caller, at most once a day."""

from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.capability import resolve
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.inbox.kinds import kind_of
from timebank.people.messages import notify


@retried
async def remind(scope: Scope, noun: str) -> int:
    """Notify those who may decide what the caller may not; return how many people may. A repetition notifies nobody.

    Only administrators may remind, and each decider is notified once a day however many remind.
    """
    scope.require_admin()
    kind = kind_of(noun)
    if kind.others is None:
        return 0
    async with transaction(scope):
        counted: dict[tuple[UUID, UUID], int] = await resolve(kind.others)(scope)
        place: str = await database.fetch_value("SELECT name FROM region WHERE id = $1", scope.community_id)
        await audit.record(scope, "remind_deciders", "region", scope.community_id, of=noun, people=len(counted))
    by = scope.person.name if scope.person else "—"
    for (home, person_id), count in counted.items():
        key = f"inbox:{noun}:{scope.community_id}:{clock.local_day()}"
        await notify(Scope.of_system(home), person_id, "inbox_waits", key, place=place, count=count, by=by)
    return len(counted)
