"""Reading the audit trail: every change and every audited read, newest first, for administrators and auditors."""

import json
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, transaction
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
LEFT JOIN person about ON about.community_id = a.community_id AND about.id = a.about_id
WHERE a.community_id = $1
"""
# The lines of one page are found first, along an index: whoever has acted most has more lines than a plan expects.
_IDS = "SELECT a.id FROM audit a WHERE a.community_id = $1"


async def trail(
    scope: Scope, *, person_id: UUID | None = None, about_id: UUID | None = None, noun_id: UUID | None = None,
    verb: str | None = None, since: date | None = None, until: date | None = None, language: str = "zh",
    limit: int = 50, cursor: str | None = None,
) -> Page[ChangeOut]:  # fmt: skip
    """The audit lines of the community, newest first; by or about one person, of a thing, a verb or some days."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_given("a.person_id = {}", person_id)
    asked.add_given("a.about_id = {}", about_id)
    asked.add_given("a.noun_id = {}", noun_id)
    asked.add_given("a.verb = {}", verb)
    asked.add_after("a.id", "<", read_cursor(cursor, tuple[UUID]) or _end_of(until))
    asked.add_given("a.id >= {}", _first_id(since, 0))
    newest = f"{_IDS}{asked.sql} ORDER BY a.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.fetch(f"{_LINES} AND a.id = ANY (ARRAY({newest})) ORDER BY a.id DESC", *asked.values)
    lines = [_line(dict(record), language) for record in found]
    return make_page(lines, limit, lambda line: (line.id,))


async def changes_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> Page[ChangeOut]:
    """The changes of one person's record, and who opened it, newest first."""
    return await trail(scope, noun_id=person_id, language=reading.language, limit=20, cursor=reading.cursor)


def _end_of(until: date | None) -> tuple[UUID] | None:
    """The smallest id after the end of a day, as a cursor; None without a day."""
    after = _first_id(until, 1)
    return (after,) if after else None


def _first_id(day: date | None, bound: int) -> UUID | None:
    """The smallest id since the beginning (0) or the end (1) of a day. No id is of a day before 1970."""
    if day is None:
        return None
    return UUID(int=max(0, int(clock.day_bounds(day)[bound].timestamp() * 1000)) << 80)


def _line(row: dict[str, object], language: str) -> ChangeOut:
    row["change"] = json.loads(str(row["change"]))
    line = msgspec.convert({name: _plain(value) for name, value in row.items()}, ChangeOut)
    return msgspec.structs.replace(
        line, text=verb_in_words(line.verb, language), values=change_in_words(line.verb, line.change, language)
    )


def _plain(value: object) -> object:
    return UUID(bytes=value.bytes) if isinstance(value, UUID) else value
