"""Ledger entries found by person, kind, amount of points and day; for administrators and auditors."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.capability import capabilities
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import COUNT_MAX, Count, Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.ledger.entries import ENTRIES, Entry

DAYS_MAX = 31
"""An amount of the whole community is looked for in at most so many days: no index leads to amounts in their order."""
AMOUNT_MAX = 1_000_000_000
FIRST_DAY = date(2000, 1, 1)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What entries are asked for; `least` and `most` are points that one transfer of the entry moves."""

    person_id: UUID | None = None
    kind: str | None = None
    least: int | None = None
    most: int | None = None
    since: date | None = None
    until: date | None = None

    @property
    def of_amount(self) -> bool:
        return self.least is not None or self.most is not None

    def narrowed(self) -> "Asked":
        """With the days that are searched: those of an amount of everybody are the last DAYS_MAX before `until`."""
        if not self.of_amount or self.person_id is not None:
            return self
        until = min(self.until or clock.local_day(), clock.local_day())
        first = max(until - timedelta(days=DAYS_MAX - 1), FIRST_DAY)
        return msgspec.structs.replace(self, since=max(self.since or first, first), until=until)


Read = TypeVar("Read")


def entries_asked_for(fields: Mapping[str, str]) -> Asked:
    """What the fields of a form or an address ask for; what is empty, unknown, no number or no day is left out."""
    kind = fields.get("kind")
    return Asked(
        person_id=_read(UUID, fields.get("person_id")),
        kind=kind if kind in entry_kinds() else None,
        least=_points(fields.get("least")),
        most=_points(fields.get("most")),
        since=_day(fields.get("since")),
        until=_day(fields.get("until")),
    )


def _points(text: str | None) -> int | None:
    found = _read(int, (text or "")[:20])
    return None if found is None else min(max(found, 0), AMOUNT_MAX)


def _day(text: str | None) -> date | None:
    found = _read(date.fromisoformat, text)
    return None if found is None else min(max(found, FIRST_DAY), clock.local_day())


def _read(read: Callable[[str], Read], text: str | None) -> Read | None:
    try:
        return read(text) if text else None
    except ValueError:
        return None


def entry_kinds() -> list[str]:
    """The kinds of entries, as the capabilities declare their words; each once."""
    named = [name.rpartition(":")[2] for one in capabilities() for name in one.statement]
    return [kind for kind in dict.fromkeys(named) if kind not in PARTS]


PARTS = ("conversion", "repayment")
"""Kinds of transfers that are a part of an entry of another kind."""


def _add_days(page: Filters, asked: Asked, alias: str) -> None:
    if asked.since is not None:
        page.add(f"{alias}.posted_at >= {{}}", clock.day_bounds(asked.since)[0])
    if asked.until is not None:
        page.add(f"{alias}.posted_at < {{}}", clock.day_bounds(asked.until)[1])


def _add_amount(page: Filters, asked: Asked, alias: str) -> None:
    page.add_given(f"{alias}.amount >= {{}}", asked.least)
    page.add_given(f"{alias}.amount <= {{}}", asked.most)
    if asked.of_amount:
        page.sql += f" AND {alias}.currency = 'point'"


_FIRST = "SELECT t.* FROM transfer t WHERE t.community_id = $1 AND t.leg = 1"
_OF_ENTRIES = (
    "SELECT * FROM transfer WHERE community_id = $1 AND leg = 1 "
    "AND entry_id = ANY (ARRAY(SELECT o.entry_id FROM ({own}) o))"
)


def _heads(asked: Asked, page: Filters, place: tuple[datetime, UUID] | None, limit: int) -> str:
    """The first transfers of the newest entries, from `place` on."""
    page.add_word("t.kind = {}", asked.kind)
    _add_days(page, asked, "t")
    if asked.of_amount:
        moved = Filters(*page.values)
        _add_amount(moved, asked, "x")
        page.values = moved.values
        page.sql += (
            " AND EXISTS (SELECT FROM transfer x WHERE x.community_id = t.community_id AND x.entry_id = t.entry_id"
            f"{moved.sql})"
        )
    page.add_after("t.posted_at, t.id", "<", place)
    return f"{_FIRST}{page.sql} ORDER BY t.posted_at DESC, t.id DESC LIMIT {most(limit)}"


# The newest entries of every account of a person: each side of an account is read by its index no further than a page.
_OWN = """
SELECT DISTINCT s.posted_at, s.entry_id FROM account a CROSS JOIN LATERAL (
    (SELECT DISTINCT t.posted_at, t.entry_id FROM transfer t
     WHERE t.community_id = a.community_id AND t.debit_account = a.id{legs}
     ORDER BY t.posted_at DESC, t.entry_id DESC LIMIT {limit})
    UNION ALL
    (SELECT DISTINCT t.posted_at, t.entry_id FROM transfer t
     WHERE t.community_id = a.community_id AND t.credit_account = a.id{legs}
     ORDER BY t.posted_at DESC, t.entry_id DESC LIMIT {limit})
) AS s WHERE a.community_id = $1 AND a.owner_kind = 'person' AND a.owner_id = $2{accounts}
ORDER BY s.posted_at DESC, s.entry_id DESC LIMIT {limit}
"""


def _own(asked: Asked, page: Filters, place: tuple[datetime, UUID] | None, limit: int) -> str:
    """The newest entries of the person ($2), from `place` on."""
    page.add_word("t.kind = {}", asked.kind)
    _add_days(page, asked, "t")
    _add_amount(page, asked, "t")
    if place is not None:
        page.add("t.posted_at <= {}", place[0])
        page.add_after("t.posted_at, t.entry_id", "<", place)
    accounts = " AND a.currency = 'point'" if asked.of_amount else ""
    return _OWN.format(legs=page.sql, limit=most(limit), accounts=accounts)


@asynccontextmanager
async def _planned(scope: Scope, asked: Asked) -> AsyncIterator[None]:
    """A transaction whose plans know the amount that is asked for: some amounts are common, some do not exist."""
    async with transaction(scope):
        if asked.of_amount:
            await database.plan_anew()
        yield


async def find_entries(scope: Scope, asked: Asked, *, limit: int = 50, cursor: str | None = None) -> Page[Entry]:
    """The entries that are asked for, newest first. With a person: as they changed what that person can spend."""
    scope.require_reader()
    asked, place = asked.narrowed(), read_cursor(cursor, tuple[datetime, UUID])
    if asked.person_id is None:
        page = Filters(scope.community_id)
        sql = ENTRIES.format(heads=_heads(asked, page, place, limit + 1), whose="")
        order, last = "h.posted_at DESC, h.id DESC", "first_id"
    else:
        page = Filters(scope.community_id, asked.person_id)
        heads = _OF_ENTRIES.format(own=_own(asked, page, place, limit + 1))
        sql = ENTRIES.format(heads=heads, whose=" AND a.owner_id = $2")
        order, last = "h.posted_at DESC, h.entry_id DESC", "entry_id"
    async with _planned(scope, asked):
        found = await database.rows(Entry, f"{sql} ORDER BY {order}", *page.values)
    return make_page(found, limit, lambda entry: (entry.posted_at, getattr(entry, last)))


async def count_entries(scope: Scope, asked: Asked) -> Count:
    """How many entries are asked for."""
    scope.require_reader()
    asked = asked.narrowed()
    if asked.person_id is None:
        page = Filters(scope.community_id)
        sql = _heads(asked, page, None, COUNT_MAX + 1)
    else:
        page = Filters(scope.community_id, asked.person_id)
        sql = _own(asked, page, None, COUNT_MAX + 1)
    async with _planned(scope, asked):
        return await database.count_rows(sql, *page.values)
