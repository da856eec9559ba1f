"""Reading the audit trail: every change and every audited read, newest first, for administrators and auditors."""

import json
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.trail.schemas import ChangeOut
from timebank.trail.words import change_in_words, verb_in_words

# Audit ids are UUIDv7 and sort by time, so the primary key serves both the newest lines and any earlier day.
_LINES = """
SELECT a.id, a.at, a.person_id, actor.name AS person, a.person_id IS NULL AND a.login_id IS NOT NULL AS from_above,
       a.via, a.device_id, d.name AS device, a.verb, a.noun, a.noun_id, about.id AS about_id, about.name AS about,
       a.reason, a.change::text AS change
FROM audit a
LEFT JOIN person actor ON actor.community_id = a.community_id AND actor.id = a.person_id
LEFT JOIN device d ON d.community_id = a.community_id AND d.id = a.device_id
LEFT JOIN person about ON about.community_id = a.community_id
     AND about.id = CASE WHEN a.noun = 'person' THEN a.noun_id ELSE (a.change->>'person_id')::uuid END
WHERE a.community_id = $1 AND a.id < $2 {chosen} ORDER BY a.id DESC LIMIT $3
"""
_LAST = UUID(int=2**128 - 1)


async def trail(
    scope: Scope, *, person_id: UUID | None = None, noun_id: UUID | None = None, verb: str | None = None,
    until: date | None = None, language: str = "zh", limit: int = 50, cursor: str | None = None,
) -> Page[ChangeOut]:  # fmt: skip
    """The audit lines of the community, newest first; filtered by actor, by subject, by verb or up to a day.

    The statement holds only the filters in use, so that each can use its own index.
    """
    scope.require_reader()
    after = read_cursor(cursor, tuple[UUID])
    values: list[object] = [scope.community_id, after[0] if after else _end_of(until), limit + 1]
    chosen = ""
    for column, value in (("person_id", person_id), ("noun_id", noun_id), ("verb", verb)):
        if value is not None:
            values.append(value)
            chosen += f"AND a.{column} = ${len(values)} "
    async with transaction(scope):
        found = await database.fetch(_LINES.format(chosen=chosen), *values)
    lines = [_line(dict(record), language) for record in found]
    return make_page(lines, limit, lambda line: (line.id,))


def _end_of(until: date | None) -> UUID:
    """The smallest id after the end of a day; the largest of all without a day. No id is of a day before 1970."""
    if until is None:
        return _LAST
    return UUID(int=max(0, int(clock.day_bounds(until)[1].timestamp() * 1000)) << 80)


def _line(row: dict[str, object], language: str) -> ChangeOut:
    row["change"] = json.loads(str(row["change"]))
    line = msgspec.convert({name: _plain(value) for name, value in row.items()}, ChangeOut)
    return msgspec.structs.replace(
        line, text=verb_in_words(line.verb, language), values=change_in_words(line.verb, line.change, language)
    )


def _plain(value: object) -> object:
    return UUID(bytes=value.bytes) if isinstance(value, UUID) else value
