"""The list of service records as rows of a workbook, with the headings by which the hours import reads them again."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from timebank.core import clock
from timebank.core.filters import read_filters
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.service_records.reading import list_records


class RecordsAsked(msgspec.Struct):
    """The filters of the list of records, as its form sends them."""

    status: str | None = None
    person_id: UUID | None = None


async def record_rows(scope: Scope, filters: Mapping[str, str], limit: int, cursor: str | None) -> Page[object]:
    """A page of the records of this status and person, for those who read the whole community."""
    scope.require_reader()
    asked = read_filters(filters, RecordsAsked)
    found = await list_records(scope, status=asked.status, person_id=asked.person_id, limit=limit, cursor=cursor)
    rows = []
    for record in found.items:
        begin, end = clock.local(record.started_at), clock.local(record.ended_at)
        rows.append(
            (
                begin.date(), record.activity, record.station, record.person, f"{begin:%H:%M}", f"{end:%H:%M}",
                f"{record.minutes}分钟", record.reason,
            )
        )  # fmt: skip
    return Page(rows, found.next)
