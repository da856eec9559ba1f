"""The gift for a wish of the demo: it is brought to a station, and collected there by the code."""

from datetime import datetime
from uuid import UUID

from timebank.core.scope import Scope
from timebank.demo.neighbourhood.loop import Loop
from timebank.demo.place import Place
from timebank.demo.population import Resident
from timebank.matters.reading.one import find_matter
from timebank.matters.wishes.collecting import collect_gift
from timebank.matters.wishes.receiving import GiftIn, receive_gift
from timebank.shop.schemas import Collection

YUAN = 45


def bring_and_collect(
    place: Place, wish: Loop, guardian: Resident, brought_at: datetime, collected_at: datetime
) -> None:  # fmt: skip
    """The giver brings what was wished for to a station, and the guardian collects it by the code."""
    name = next(name for name, keeper in place.keepers.items() if keeper.door != guardian.door)
    station_id = place.stations[name]

    async def collect(keeper: Scope, wish_id: UUID) -> None:
        waiting = (await find_matter(place.scope(guardian), wish_id)).pickup
        assert waiting is not None
        await collect_gift(keeper, wish_id, Collection(code=waiting.code))

    wish.then(brought_at, receive_gift, place.keeper(name), GiftIn(station_id=station_id, value=YUAN))
    wish.then(collected_at, collect, place.keeper(name))
