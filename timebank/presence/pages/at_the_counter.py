"""The person at the counter: who it is, and what every capability offers them there, read side by side."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.access.membership_state import membership_state_of
from timebank.cards.cards import card_to_read
from timebank.cards.schemas import CardOut
from timebank.core import database
from timebank.core.capability import capabilities_of, resolve
from timebank.core.scope import Scope
from timebank.ledger.statement import PointBalance, balances
from timebank.overview.openers import rests_to_confirm
from timebank.presence import counter
from timebank.presence.at_counter import is_present
from timebank.service_records.visits import open_visit
from timebank.stations.schemas import StationOut
from timebank.web.offers import CounterButton, CounterLineShown, Offered, Stand


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The person at the counter and what can be done for them.

    `available` and `held` are None where the person was found by name alone: their points are not spent then.
    """

    person: counter.CounterPerson
    available: int | None
    held: int | None
    is_in: bool
    elsewhere: str | None
    is_proven: bool
    rests_until: datetime | None  # until then the person's login cannot spend points
    may_confirm: bool  # whether this keeper may confirm the login
    card: CardOut | None  # the valid card
    buttons: Sequence[CounterButton]
    parts: Sequence[Offered]


async def person_at_counter(caller: Scope, chosen: StationOut, person_id: UUID, scanned_by: str | None) -> Served:
    """The person and what can be done for them, in the open transaction; `scanned_by` is the nonce of their scan."""
    async with database.gathering() as reads:
        person = reads.start(counter.find_counter_person(caller, person_id))
        visiting = reads.start(open_visit(caller, person_id))
        state = reads.start(membership_state_of(caller, person_id))
        carded = reads.start(card_to_read(caller, person_id))
        offering = reads.start(_offered(caller, chosen.id, person_id, scanned_by))
    visit, rests_until = visiting.result(), state.result().rests_until
    is_in = visit is not None and visit.station_id == chosen.id
    stand, points, offered = offering.result()
    return Served(
        person=person.result(), available=points.available if points else None, held=points.held if points else None,
        is_in=is_in, elsewhere=visit.station if visit is not None and not is_in else None,
        is_proven=stand.presence is not None, rests_until=rests_until,
        may_confirm=rests_until is not None and await rests_to_confirm(caller, person_id),
        card=carded.result(), buttons=[button for each in offered for button in each.buttons],
        parts=[each for each in offered if each.part is not None],
    )  # fmt: skip


async def _offered(
    caller: Scope, station_id: UUID, person_id: UUID, scanned_by: str | None
) -> tuple[Stand, PointBalance | None, list[Offered]]:
    """How the person stands here, their points where a scan proves it, and what each capability offers, in order."""
    stand = Stand(
        person_id=person_id, station_id=station_id, presence=await _proof(caller, person_id, station_id, scanned_by)
    )
    offers = sorted((offer for one in capabilities_of(caller) for offer in one.offers), key=lambda offer: offer.place)
    async with database.gathering() as reads:
        offering: list[Any] = [reads.start(resolve(offer.verb)(caller, stand)) for offer in offers]
        has = reads.start(balances(caller, person_id, [])) if stand.presence is not None else None
    return stand, has.result().points if has is not None else None, [each.result() for each in offering]


async def _proof(caller: Scope, person_id: UUID, station_id: UUID, nonce: str | None) -> str | None:
    """The nonce, where it proves that the person is at this station and may spend."""
    return nonce if nonce is not None and await is_present(caller, person_id, station_id, nonce) else None


async def lines_at(caller: Scope, station_id: UUID) -> list[CounterLineShown]:
    """What every capability always shows at this counter, in order."""
    lines = sorted((line for one in capabilities_of(caller) for line in one.lines), key=lambda line: line.place)
    async with database.gathering() as reads:
        reading: list[Any] = [reads.start(resolve(line.verb)(caller, station_id)) for line in lines]
    return [found for each in reading if (found := each.result()) is not None]
