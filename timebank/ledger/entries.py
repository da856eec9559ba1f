"""Ledger entries: all transfers (legs) of one event summed up, for a person or for the whole community."""

from datetime import date, datetime
from uuid import UUID

from timebank.core import clock, database
from timebank.core.capability import Hit, Reversal, capabilities
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.ledger.memos import Reasoned
from timebank.ledger.refusals import EntryNotFound


class Entry(Reasoned, frozen=True, kw_only=True):
    """A ledger entry: how one event changed what a person can spend.

    `moved` is the full amount of the event. For a captured hold it is the amount of the hold, although nothing changes
    of what can be spent.
    """

    first_id: UUID
    entry_id: UUID
    kind: str
    source_kind: str
    source_id: UUID
    posted_at: datetime
    occurred_at: datetime
    rule_code: str | None
    rule_version: int | None
    actor_id: UUID | None
    person_id: UUID | None
    points: int
    minutes: int
    class_minutes: int
    moved: int
    currency: str
    expires_on: date | None
    reversed: bool


ENTRIES = """
SELECT h.id AS first_id, h.entry_id, h.kind, h.source_kind, h.source_id, h.posted_at, h.occurred_at,
       h.memo, h.memo_kind, h.memo_values::text, h.rule_code, h.rule_version, h.actor_id, h.currency, legs.person_id,
       coalesce(legs.points, 0) AS points, coalesce(legs.minutes, 0) AS minutes,
       coalesce(legs.class_minutes, 0) AS class_minutes, legs.expires_on,
       (SELECT sum(m.amount)::bigint FROM transfer m WHERE m.community_id = h.community_id
        AND m.entry_id = h.entry_id AND m.kind = h.kind AND m.currency = h.currency) AS moved,
       EXISTS (SELECT FROM transfer o WHERE o.community_id = h.community_id AND o.entry_id = h.entry_id
               AND (EXISTS (SELECT FROM transfer r WHERE r.community_id = o.community_id AND r.reverses = o.id)
                 OR EXISTS (SELECT FROM debt d WHERE d.community_id = o.community_id AND d.reverses = o.id)
                 OR o.kind = 'expiry' AND o.amount = (
                    SELECT sum(x.amount) FROM transfer x WHERE x.community_id = o.community_id AND x.draws_on = o.id)))
       AS reversed
FROM ({heads}) h
LEFT JOIN LATERAL (
    SELECT (array_agg(a.owner_id ORDER BY t.leg, change))[1] AS person_id,
           max(a.expires_on) FILTER (WHERE change > 0) AS expires_on,
           sum(change) FILTER (WHERE a.currency = 'point' AND a.bucket = 'available')::bigint AS points,
           sum(change) FILTER (WHERE a.currency = 'minute' AND a.bucket = 'available')::bigint AS minutes,
           sum(change) FILTER (WHERE a.currency = 'class_minute' AND a.bucket = 'available')::bigint AS class_minutes
    FROM transfer t
    CROSS JOIN LATERAL (VALUES (t.debit_account, -t.amount), (t.credit_account, t.amount)) AS s (account_id, change)
    JOIN account a ON a.community_id = t.community_id AND a.id = s.account_id AND a.owner_kind = 'person'
    WHERE t.community_id = h.community_id AND t.entry_id = h.entry_id {whose}
) legs ON true
"""

_HEADS = "SELECT * FROM transfer WHERE community_id = $1 AND leg = 1"


async def last_entries(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[Entry]:
    """The community's ledger entries, newest first; for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_after("id", "<", read_cursor(cursor, tuple[UUID]))
    newest = f"{_HEADS}{asked.sql} ORDER BY id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(
            Entry, f"{ENTRIES.format(heads=newest, whose='')} ORDER BY h.id DESC", *asked.values
        )
    return make_page(found, limit, lambda entry: (entry.first_id,))


async def entries_of_day(scope: Scope, day: date, *, limit: int = 50, cursor: str | None = None) -> Page[Entry]:
    """The ledger entries of one local day, newest first; for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id, *clock.day_bounds(day))
    asked.add_after("posted_at, id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    heads = (
        f"{_HEADS} AND posted_at >= $2 AND posted_at < $3{asked.sql} "
        f"ORDER BY posted_at DESC, id DESC LIMIT {most(limit + 1)}"
    )
    async with transaction(scope):
        found = await database.rows(
            Entry, f"{ENTRIES.format(heads=heads, whose='')} ORDER BY h.posted_at DESC, h.id DESC", *asked.values
        )
    return make_page(found, limit, lambda entry: (entry.posted_at, entry.first_id))


async def find_entry(scope: Scope, entry_id: UUID, *, person_id: UUID | None = None) -> Entry:
    """One ledger entry. With `person_id`: what it changed for that person. Without: for administrators and auditors.

    Raises EntryNotFound.
    """
    if person_id is None:
        scope.require_reader()
    whose = Filters(scope.community_id, entry_id)
    whose.add_given("a.owner_id = {}", person_id)
    one = ENTRIES.format(heads=f"{_HEADS} AND entry_id = $2", whose=whose.sql)
    async with transaction(scope):
        found = await database.row(Entry, one, *whose.values)
    if found is None or (person_id is not None and found.person_id != person_id):
        raise EntryNotFound
    return found


def reversal_of(entry: Entry) -> Reversal | None:
    """How an entry is taken back, where what it stands for can be."""
    sources = [source for one in capabilities() for source in one.sources if source.noun == entry.source_kind]
    ways = [source.reversal for source in sources if source.reversal and entry.kind in source.reversal.entries]
    return ways[0] if ways else None


async def entries_found(scope: Scope, words: str, most: int) -> list[Hit]:  # noqa: ARG001  # one number, one entry
    """For the panel's search field: the entry of this number."""
    try:
        entry_id = UUID(words)
    except ValueError:
        return []
    if not scope.reads_all:
        return []
    try:
        await find_entry(scope, entry_id)
    except EntryNotFound:
        return []
    return [Hit(str(entry_id), f"/admin/ledger/{entry_id}")]
