"""The person at the counter: what can be done for them there, read side by side."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.access.membership_state import membership_state_of
from timebank.cards.cards import card_to_read
from timebank.cards.schemas import CardOut
from timebank.classes.pages.counter import counter_classes
from timebank.core import database
from timebank.core.scope import Scope
from timebank.ledger.statement import balances
from timebank.overview.openers import rests_to_confirm
from timebank.presence import counter
from timebank.presence.at_counter import is_present
from timebank.service_records.visits import open_visit
from timebank.shop.pages.counter import counter_goods, offered_here
from timebank.shop.schemas import GoodOut
from timebank.stations.schemas import StationOut


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The person at the counter and what can be done for them."""

    person: counter.CounterPerson
    available: int | None  # None where the person was found by name alone: their points cannot be spent then
    is_in: bool
    elsewhere: str | None
    goods: Any
    classes: Any
    rests_until: datetime | None  # until then the person's login cannot spend points
    may_confirm: bool  # whether this keeper may confirm the login
    offered: list[GoodOut]  # goods for which a counter confirmation can be asked
    card: CardOut | None  # the valid card


async def person_at_counter(caller: Scope, chosen: StationOut, person_id: UUID, presence: str | None) -> Served:
    """The person and what can be done for them, in the open transaction; `presence` is the nonce of their scan."""
    async with database.gathering() as reads:
        person = reads.start(counter.find_counter_person(caller, person_id))
        visiting = reads.start(open_visit(caller, person_id))
        state = reads.start(membership_state_of(caller, person_id))
        card = reads.start(card_to_read(caller, person_id))
        spends = reads.start(_spends(caller, chosen, person_id, presence))
    visit, rests_until, spending = visiting.result(), state.result().rests_until, spends.result()
    return Served(
        person=person.result(), available=spending.available,
        is_in=visit is not None and visit.station_id == chosen.id,
        elsewhere=visit.station if visit is not None and visit.station_id != chosen.id else None,
        goods=spending.goods, classes=spending.classes, rests_until=rests_until,
        may_confirm=rests_until is not None and await rests_to_confirm(caller, person_id),
        offered=spending.offered, card=card.result(),
    )  # fmt: skip


class _Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What the person can spend here, whose presence the scan proves; else what can be asked to be confirmed."""

    available: int | None = None
    goods: Any = None
    classes: Any = None
    offered: list[GoodOut] = []


async def _spends(caller: Scope, chosen: StationOut, person_id: UUID, presence: str | None) -> _Spending:
    if presence is None or not await is_present(caller, person_id, chosen.id, presence):
        return _Spending(offered=await offered_here(caller, chosen.id))
    async with database.gathering() as reads:
        has = reads.start(balances(caller, person_id, []))
        goods = reads.start(counter_goods(caller, person_id, chosen.id, presence))
        classes = reads.start(counter_classes(caller, person_id, chosen.id, presence))
    return _Spending(available=has.result().points.available, goods=goods.result(), classes=classes.result())
