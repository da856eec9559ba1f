"""Ledger entries as rows of a workbook, as they are found."""

from collections.abc import Mapping

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.ledger.searching.found import entries_asked_for, find_entries
from timebank.ledger.statement_words import entry_kind_in_words
from timebank.people.directory import names_of


async def entry_rows(scope: Scope, filters: Mapping[str, str], limit: int, cursor: str | None) -> Page[object]:
    """A page of the entries that these fields ask for, for those who read the whole community."""
    found = await find_entries(scope, entries_asked_for(filters), limit=limit, cursor=cursor)
    names = await names_of(scope, {entry.person_id for entry in found.items if entry.person_id})
    rows = [
        (
            entry.posted_at, entry_kind_in_words(entry.kind, entry.source_kind),
            names.get(entry.person_id, "") if entry.person_id else "", entry.points, entry.minutes,
            entry.class_minutes, entry.reason(), str(entry.entry_id),
        )
        for entry in found.items
    ]  # fmt: skip
    return Page(rows, found.next)
