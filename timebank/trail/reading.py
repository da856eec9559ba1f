"""Reading the audit trail: every change and every audited read, newest first, for administrators and auditors."""

import json
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import Page, cursor_of, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.trail.schemas import ChangeOut
from timebank.trail.words import change_in_words, verb_in_words

# Audit ids are UUIDv7 and sort by time, so the primary key serves both the newest lines and any earlier day.
_LINES = """
SELECT a.id, a.at, a.person_id, actor.name AS person, a.person_id IS NULL AND a.login_id IS NOT NULL AS from_above,
       a.via, a.device_id, d.name AS device, a.verb, a.noun, a.noun_id, about.id AS about_id, about.name AS about,
       a.reason, a.change::text AS change,
       (SELECT r.name FROM rule r WHERE r.community_id = a.community_id AND
        r.code = coalesce(a.change->>'rule', a.change->>'rule_code') ORDER BY r.version DESC LIMIT 1) AS rule
FROM audit a
LEFT JOIN person actor ON actor.community_id = a.community_id AND actor.id = a.person_id
LEFT JOIN device d ON d.community_id = a.community_id AND d.id = a.device_id
LEFT JOIN person about ON about.community_id = a.community_id AND about.id = a.about_id
WHERE a.community_id = $1
"""
# The lines of one page are found first, along an index: whoever has acted most has more lines than a plan expects.
_IDS = "SELECT a.id FROM audit a WHERE a.community_id = $1"

LOOKED_MAX = 2_000
"""How many lines one page looks through for the words of a reason."""
WORDS_MAX = 5


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


class _Looked(msgspec.Struct, frozen=True):
    """The lines whose reason has the words, how many were looked through for them, and the oldest of those."""

    found: list[UUID]
    looked: int
    oldest: UUID | None


async def trail_by_reason(
    scope: Scope, words: str, *, person_id: UUID | None = None, about_id: UUID | None = None,
    noun_id: UUID | None = None, verb: str | None = None, since: date | None = None, until: date | None = None,
    language: str = "zh", limit: int = 50, cursor: str | None = None,
) -> Page[ChangeOut]:  # fmt: skip
    """The audit lines in whose reason all these words are written, newest first.

    One page looks through LOOKED_MAX lines and no more, so that it may have fewer lines than its limit, or none, and
    yet a next page, which goes on from there.
    """
    scope.require_reader()
    looked, fits = Filters(scope.community_id), Filters()
    # Looked through along one index, whatever else is asked for; the rest is asked of what was looked through.
    ids = [("about_id", about_id), ("noun_id", noun_id), ("person_id", person_id)]
    named = [(column, id_) for column, id_ in ids if id_ is not None]
    for column, id_ in named[:1]:
        looked.add(f"a.{column} = {{}}", id_)
    if not named:
        looked.sql += " AND a.reason IS NOT NULL"
    looked.add_after("a.id", "<", read_cursor(cursor, tuple[UUID]) or _end_of(until))
    looked.add_given("a.id >= {}", _first_id(since, 0))
    fits.values = looked.values
    for column, id_ in named[1:]:
        fits.add(f"l.{column} = {{}}", id_)
    fits.add_given("l.verb = {}", verb)
    for word in words.split()[:WORDS_MAX]:
        fits.add("strpos(lower(l.reason), {}) > 0", word.lower())
    sql = (
        "WITH l AS MATERIALIZED (SELECT a.id, a.person_id, a.about_id, a.noun_id, a.verb, a.reason FROM audit a "  # noqa: S608  # constants and conditions of the program, which hold no values
        f"WHERE a.community_id = $1{looked.sql} ORDER BY a.id DESC LIMIT {most(LOOKED_MAX)}) "
        f"SELECT ARRAY(SELECT l.id FROM l WHERE true{fits.sql} ORDER BY l.id DESC LIMIT {most(limit + 1)}) AS found, "
        "(SELECT count(*) FROM l) AS looked, (SELECT l.id FROM l ORDER BY l.id LIMIT 1) AS oldest"
    )
    async with transaction(scope):
        [seen] = await database.rows(_Looked, sql, *fits.values)
        shown = seen.found[:limit]
        rows = await database.fetch(
            f"{_LINES} AND a.id = ANY ($2::text[]::uuid[]) ORDER BY a.id DESC",
            scope.community_id, database.as_texts(shown),
        )  # fmt: skip
    lines = [_line(dict(row), language) for row in rows]
    if len(seen.found) > limit:
        return Page(lines, cursor_of(shown[-1]))
    return Page(lines, cursor_of(seen.oldest) if seen.looked == LOOKED_MAX else None)


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
    rule = row.pop("rule")
    line = msgspec.convert({name: _plain(value) for name, value in row.items()}, ChangeOut)
    change = {name: rule or value if name in ("rule", "rule_code") else value for name, value in line.change.items()}
    return msgspec.structs.replace(
        line, text=verb_in_words(line.verb, language), values=change_in_words(line.verb, change, language)
    )


def _plain(value: object) -> object:
    return UUID(bytes=value.bytes) if isinstance(value, UUID) else value
