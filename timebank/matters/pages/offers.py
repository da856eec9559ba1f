"""What matters offer at a counter: to report, order or wish for who stands there, and what asks them for an answer."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.matters.reading.at_counter import CounterMatter, matters_at_counter
from timebank.matters.wishes.waiting import gifts_for
from timebank.web.offers import CounterButton, Offered, Stand


class CounterMatters(msgspec.Struct, frozen=True, kw_only=True):
    """What `desk/_matters.html` shows of the person at the counter."""

    person_id: UUID
    station_id: UUID
    presence: str | None
    waiting: Sequence[CounterMatter]


async def counter_offers(caller: Scope, stand: Stand) -> Offered:
    """The ways to speak for the person, and after a scan their open matters and what waits for their wishes."""
    waiting = await matters_at_counter(caller, stand.person_id, stand.station_id, stand.presence)
    shown = CounterMatters(
        person_id=stand.person_id, station_id=stand.station_id, presence=stand.presence, waiting=waiting
    )
    buttons = [
        CounterButton(
            path=f"/desk/wishes/{gift.matter_id}/collection", text=said(_("交付")),
            note=said("{wish}", wish=gift.wish), icon="gift",
            fields={"presence": stand.presence, "station_id": stand.station_id},
        )
        for gift in await gifts_for(caller, stand.person_id, stand.station_id, stand.presence)
    ]  # fmt: skip
    return Offered(buttons=buttons, part="desk/_matters.html", shown=shown)
