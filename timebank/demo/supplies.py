"""Deliveries to the stations of the demo: new stock every second month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from timebank.demo.place import Place
from timebank.demo.stories import Step, Story
from timebank.shop.shelves.stock import receive

if TYPE_CHECKING:
    from timebank.demo.year import Year

RESTOCK_DAYS, RESTOCK = 60, 25


@dataclass(slots=True)
class Delivery:
    """Every station of a community receives some of every good."""

    place: Place
    at: datetime

    def steps(self) -> Iterator[Step]:
        yield Step(self.at, self.place.id, self.receive)

    async def receive(self) -> None:
        for good in self.place.goods.values():
            for station, station_id in self.place.stations.items():
                await receive(self.place.keeper(station), good.id, station_id, RESTOCK, "例行补货")


def deliveries(year: Year) -> Iterator[Story]:
    """The deliveries of a community's year."""
    for days in range(RESTOCK_DAYS, year.days, RESTOCK_DAYS):
        yield Delivery(year.place, year.at(year.first + timedelta(days=days), 8))
