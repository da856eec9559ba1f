"""Signs that somebody reports for the points: counted from what was decided, and shown to whoever decides next.

None of them takes anything away. They are flags on a matter or a record, and who decides sees them; only reports that
were found untrue three times wait for a confirmation before anybody is sent out, and earn nothing for a while.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Question
from timebank.core.scope import Scope

REPORTS_WAIT, SAME_PHONE, SAME_PAIR = "reports_wait", "same_phone", "same_pair"
"""Flags of a matter or record."""
DOUBTFUL = frozenset({SAME_PHONE, SAME_PAIR})
"""What such a matter earns is first reviewed by somebody else than who confirmed it."""

UNTRUE_MAX = 3
UNTRUE_WITHIN = timedelta(days=90)
PAIR_WITHIN = timedelta(days=30)
MUTUAL_MAX = 3


async def is_mutual(scope: Scope, reporter_id: UUID, helper_id: UUID) -> bool:
    """Whether these two have finished each other's matters more than three times in 30 days, both ways together.

    Each way must have happened: somebody who is helped by one neighbour again and again is not meant.
    """
    found = await database.fetch_one(
        "SELECT count(*) FILTER (WHERE reporter_id = $2) AS one, count(*) FILTER (WHERE reporter_id = $3) AS other "
        "FROM matter WHERE community_id = $1 AND received_at >= $4 AND status IN ('done', 'closed') "
        "AND (reporter_id = $2 AND done_by = $3 OR reporter_id = $3 AND done_by = $2)",
        scope.community_id, reporter_id, helper_id, clock.now() - PAIR_WITHIN,
    )  # fmt: skip
    assert found is not None
    one, other = int(found["one"]), int(found["other"])
    return one > 0 and other > 0 and one + other > MUTUAL_MAX


async def orders_of_pair(scope: Scope, helper_id: UUID, served_id: UUID) -> int:
    """How many orders of this person the helper has finished in the calendar month of today."""
    first = clock.local_day().replace(day=1)
    found: int = await database.fetch_value(
        "SELECT count(*) FROM matter_helper h JOIN matter m ON m.community_id = $1 AND m.id = h.matter_id "
        "WHERE h.community_id = $1 AND h.person_id = $2 AND h.took_at >= $4 AND h.ended_at IS NOT NULL "
        "AND m.kind = 'order' AND coalesce(m.for_person_id, m.reporter_id) = $3",
        scope.community_id, helper_id, served_id, clock.day_bounds(first)[0],
    )  # fmt: skip
    return found


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """Of a resident: how many of their reports were found untrue in the last 90 days, and whether somebody else has
    reported from the same phone or browser in the last 30."""

    reporter_id: UUID
    untrue: int
    shared: bool

    def flags(self) -> list[str]:
        """The flags of a report that this resident opens now."""
        signs = [REPORTS_WAIT] if self.untrue >= UNTRUE_MAX else []
        return [*signs, SAME_PHONE] if self.shared else signs


def signs_question(scope: Scope, reporters: Iterable[UUID], mark: bytes | None) -> Question:
    """The question for the `Signs` of these residents; `mark` is the phone or browser, if one is known."""
    now = clock.now()
    return database.many(
        "SELECT x.id AS reporter_id, (SELECT count(*) FROM matter m WHERE m.community_id = $1 AND m.reporter_id = x.id "
        "AND m.received_at >= $3 AND m.verified = 'untrue' AND m.verified_at >= $3) AS untrue, "
        "EXISTS (SELECT FROM matter m WHERE m.community_id = $1 AND m.mark = $4 AND m.received_at >= $5 "
        "AND m.reporter_id <> x.id) AS shared FROM unnest($2::text[]::uuid[]) AS x (id)",
        scope.community_id, database.as_texts(reporters), now - UNTRUE_WITHIN, mark, now - PAIR_WITHIN,
    )  # fmt: skip


async def flag_pair(scope: Scope, one: UUID, other: UUID) -> None:
    """Flag what these two have finished for each other lately, so that whoever decides sees it."""
    await database.execute(
        "UPDATE matter SET flags = flags || $5::text WHERE community_id = $1 AND received_at >= $4 "
        "AND status IN ('done', 'closed') AND NOT $5::text = ANY (flags) "
        "AND (reporter_id = $2 AND done_by = $3 OR reporter_id = $3 AND done_by = $2)",
        scope.community_id, one, other, clock.now() - PAIR_WITHIN, SAME_PAIR,
    )  # fmt: skip
