"""What presence always shows at a counter: who is in now, and how many came today."""

from uuid import UUID

from timebank.core import clock, database
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.presence.visits import still_in, today_at
from timebank.web.offers import CounterLineShown


async def people_in(caller: Scope, station_id: UUID) -> CounterLineShown:
    """How many came today and how many are in, with their masked names."""
    async with database.gathering() as reads:
        counting = reads.start(today_at(caller, station_id, most=1))
        staying = reads.start(still_in(caller, station_id))
    today, there = counting.result(), staying.result()
    return CounterLineShown(
        text=said(_("今天到站 {people} 人，在站 {present} 人"), people=today.people, present=today.present),
        rows=[(each.name, f"{clock.local(each.in_at):%H:%M}") for each in there],
        more=max(0, today.present - len(there)),
    )  # fmt: skip
