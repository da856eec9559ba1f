"""Who answers for a scan at a counter: the keeper signed on to it, or, for one that waited there, who was on then."""

from datetime import datetime

import msgspec

from timebank.access.devices.sign_on import SignOnNeeded, as_keeper, signed_on_then
from timebank.core.scope import Mine, Scope
from timebank.presence.evidence.device_clock import TOLERANCE
from timebank.presence.scan_context import Arrival, occurred
from timebank.presence.words import Refused
from timebank.stations.places import station_row


async def find_keeper(arrival: Arrival) -> None:
    """Make the keeper the actor of a scan on a counter tablet; a device is nobody.

    Without network the last keeper stays on until closing time. A scan for which nobody was on is refused.
    """
    scope = arrival.scope
    if not scope.is_counter:
        return
    if not arrival.asked.offline or arrival.asked.occurred_at is None:
        if scope.login_id is None:
            raise SignOnNeeded
        return
    at = await occurred(arrival)
    # A clock that is a little slow puts the first scan of a sign-on before it.
    then = await signed_on_then(scope, at) or await signed_on_then(scope, at + TOLERANCE)
    if then is None or at >= then.lasts_until(await _doors_close(scope, then.signed_on_at)):
        raise Refused("no_keeper_then")
    if then.login_id != scope.login_id:
        arrival.sender = scope
        persons = msgspec.json.decode(then.persons, type=tuple[Mine, ...])
        arrival.scope = as_keeper(scope, persons, then.login_id, None)


async def _doors_close(scope: Scope, moment: datetime) -> datetime | None:
    """When the device's station closes after a moment; None for doors that never close."""
    assert scope.device_station_id is not None
    station = await station_row(scope, scope.device_station_id)
    return station.opening(moment).end if station else None
