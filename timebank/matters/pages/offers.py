"""What matters offer at a counter: to report, order or wish for who stands there, and what asks them for an answer."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core.scope import Scope
from timebank.matters.reading.at_counter import CounterMatter, matters_at_counter
from timebank.web.offers import Offered, Stand


class CounterMatters(msgspec.Struct, frozen=True, kw_only=True):
    """What `desk/_matters.html` shows of the person at the counter."""

    person_id: UUID
    station_id: UUID
    presence: str | None
    waiting: Sequence[CounterMatter]


async def counter_offers(caller: Scope, stand: Stand) -> Offered:
    """The ways to speak for the person, and after a scan their open matters."""
    waiting = await matters_at_counter(caller, stand.person_id, stand.station_id, stand.presence)
    shown = CounterMatters(
        person_id=stand.person_id, station_id=stand.station_id, presence=stand.presence, waiting=waiting
    )
    return Offered(part="desk/_matters.html", shown=shown)
