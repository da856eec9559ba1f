"""What waits for staff to dispatch or to confirm, as the inbox lists it: by its due date, so the late ones first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import Filters, transaction
from timebank.core.locale import _, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.inbox.kinds import Asked, Decidable, Item
from timebank.matters.loop.deciding import may
from timebank.matters.reading.rows import MatterRow, select_page
from timebank.matters.reading.standing import known_of
from timebank.matters.words import LEVEL_WORDS, STATUSES

LOOKED_AT = 200
FLAGS = {"late": _("超期"), "returned": _("退回过"), "reopened": _("重办")}
CONFIRMED_WITHIN = timedelta(days=30)
"""What was closed longer ago without a word is left alone."""
_WAITS = (
    "m.community_id = $1 AND (m.status IN ('received', 'done') OR (m.verified IS NULL AND m.closed_at > $2 "
    "AND m.channel <> 'import' "
    "AND (m.status = 'closed' OR (m.status = 'refused' AND m.refused_because IN ('not_ours', 'cannot')))))"
)
"""Received matters wait for a dispatch; done ones, and ended ones that may still earn, for a confirmation.

What came from an old book earns nothing."""


async def listing(
    scope: Scope, _asked: Asked, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """What waits for a dispatch or a confirmation, by its due date."""
    found = await _waiting(scope, limit, cursor)
    can = await _decidable_ids(scope, found.items)
    return Page([_item(row, language, mine=row.id in can) for row in found.items], found.next)


async def decidable(scope: Scope, _asked: Asked) -> Decidable:
    """How many wait, and how many of the 200 that are due first the caller may dispatch or confirm."""
    found = (await _waiting(scope, LOOKED_AT, None)).items
    async with transaction(scope):
        counted = await database.count_rows(
            f"SELECT FROM matter m WHERE {_WAITS}", scope.community_id, clock.now() - CONFIRMED_WITHIN
        )
    late = sum(row.is_late for row in found)
    return Decidable(counted.rows, late, len(await _decidable_ids(scope, found)), [], counted.more)


async def _waiting(scope: Scope, limit: int, cursor: str | None) -> Page[MatterRow]:
    scope.require_reader()
    asked = Filters(scope.community_id, clock.now() - CONFIRMED_WITHIN)
    asked.add_after("m.due_at, m.id", ">", read_cursor(cursor, tuple[datetime, UUID]))
    async with transaction(scope):
        found = await database.rows(
            MatterRow, select_page(f"{_WAITS}{asked.sql}", "m.due_at, m.id", limit + 1), *asked.values
        )
    return make_page(found, limit, lambda row: (row.due_at, row.id))


async def _decidable_ids(scope: Scope, rows: Sequence[MatterRow]) -> set[UUID]:
    """Those that the caller may dispatch or confirm now."""
    if not scope.administers or not rows:
        return set()
    async with transaction(scope):
        known = await known_of(scope, rows)
    verbs = [(row.id, may(known.facts(row), known.standing(scope, row))) for row in rows]
    return {id_ for id_, allowed in verbs if "dispatch" in allowed or "confirm" in allowed}


def _item(row: MatterRow, language: str, *, mine: bool) -> Item:
    flags = {"late": row.is_late, "returned": row.returns, "reopened": row.reopens}
    what = [translate(STATUSES[row.status], language), translate(LEVEL_WORDS[row.level], language), row.grid]
    return Item(
        id=row.id, title=f"{translate(row.category, language)} {row.number}", what=[one for one in what if one],
        began_at=row.received_at, doubts=[translate(FLAGS[flag], language) for flag, holds in flags.items() if holds],
        notes=[row.said] if row.said else [], mine=mine,
    )  # fmt: skip
