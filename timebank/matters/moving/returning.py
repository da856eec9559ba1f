"""What a community hears of a report that it has moved: its number there, and what came of it."""

from uuid import UUID

from timebank.core import database
from timebank.core.scope import Scope
from timebank.matters.loop.acting import add_step
from timebank.matters.loop.notices import notify_reporter
from timebank.matters.reading.rows import matter_row
from timebank.outbox.putting import Parcel


async def note_new_number(scope: Scope, parcel: Parcel) -> None:
    """Add the other community's number to the timeline; where it was received first, notify the reporter of it."""
    row = await matter_row(scope, UUID(str(parcel.payload["matter"])))
    number, there = str(parcel.payload["number"]), await _name(parcel)
    step = add_step(scope, row, "move", row.status, by="system", note=f"{there} {number}")
    if row.first_from is None:
        await notify_reporter(scope, row, "matter_moved", step, community=there, there=number)
    await database.flush()


async def pass_on_news(scope: Scope, parcel: Parcel) -> None:
    """Notify the reporter, who has no record in the other community, that it is done there, or will not be."""
    row = await matter_row(scope, UUID(str(parcel.payload["matter"])))
    kind = "matter_moved.done" if parcel.payload["news"] == "done" else "matter_moved.refused"
    there = await _name(parcel)
    number = str(parcel.payload["number"])
    await notify_reporter(scope, row, kind, parcel.id, community=there, there=number)


async def _name(parcel: Parcel) -> str:
    name: str = await database.fetch_value("SELECT name FROM region WHERE id = $1", parcel.from_community)
    return name
