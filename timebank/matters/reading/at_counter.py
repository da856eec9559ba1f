"""A person's matters at the counter where they stand: what asks them whether it is solved, and what is still open."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.matters.schemas import MatterStatus
from timebank.presence.at_counter import is_present

AT_COUNTER_MAX = 5


class CounterMatter(msgspec.Struct, frozen=True, kw_only=True):
    """An open matter of the person at the counter; `asks`: it is done, and they have not said whether it is solved."""

    id: UUID
    number: str
    category: str
    status: MatterStatus
    due_at: datetime
    result: str | None
    asks: bool


async def matters_at_counter(
    scope: Scope, person_id: UUID, station_id: UUID, presence: str | None
) -> Sequence[CounterMatter]:
    """What the person who has just been scanned at this station waits for, first what asks them; empty without a scan.

    A hidden name stays hidden: such a matter is not among them.
    """
    if presence is None or not await is_present(scope, person_id, station_id, presence):
        return ()
    async with transaction(scope):
        return await database.rows(
            CounterMatter,
            "SELECT m.id, m.number, c.name AS category, m.status, m.due_at, m.result, "  # noqa: S608  # no input
            "m.status = 'done' AND m.kind <> 'wish' AND NOT EXISTS (SELECT FROM rating r "
            "WHERE r.community_id = m.community_id AND r.matter_id = m.id "
            "AND r.reopening = m.reopens AND r.by_kind = 'resident') AS asks "
            "FROM matter m JOIN matter_category c ON c.community_id = m.community_id AND c.code = m.category_code "
            "WHERE m.community_id = $1 AND (m.reporter_id = $2 OR m.for_person_id = $2) AND NOT m.hides_reporter "
            "AND m.status IN ('received', 'dispatched', 'accepted', 'done') "
            f"ORDER BY asks DESC, m.due_at, m.id LIMIT {AT_COUNTER_MAX}",
            scope.community_id, person_id,
        )  # fmt: skip
