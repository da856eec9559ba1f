"""The keeper who answers for a scan at a counter: the one signed on now or, for an offline scan, at its time."""

from dataclasses import replace
from datetime import datetime

import msgspec

from timebank.access.devices.sign_on import SignOnNeeded, as_keeper, signed_on_then
from timebank.core.scope import ResidentRecord, Scope
from timebank.presence.evidence.device_clock import TOLERANCE
from timebank.presence.scans.context import ScanContext
from timebank.presence.scans.facts import FirstFacts
from timebank.presence.scans.identifying import scan_time
from timebank.presence.words import ScanRefused
from timebank.stations.stations import StationRow, station_row


async def with_keeper(context: ScanContext, first: FirstFacts) -> ScanContext:
    """The scan context with the signed-on keeper as its actor, for a scan on a counter tablet.

    Without network the last keeper stays signed on until closing time. Raises SignOnNeeded where nobody is signed on,
    and ScanRefused for an offline scan that was made while nobody was.
    """
    scope = context.scope
    if not scope.is_counter:
        return context
    if not context.is_dated:
        if scope.login_id is None:
            raise SignOnNeeded
        return context
    at = scan_time(context, first.paired_at)
    # A slightly slow device clock dates the first scan after a sign-on before the sign-on.
    then = await signed_on_then(scope, at) or await signed_on_then(scope, at + TOLERANCE)
    if then is None or at >= then.lasts_until(await _closing_after(scope, first.station, then.signed_on_at)):
        raise ScanRefused("no_keeper_then")
    if then.login_id == scope.login_id:
        return context
    persons = msgspec.json.decode(then.persons, type=tuple[ResidentRecord, ...])
    return replace(context, sender=scope, scope=as_keeper(scope, persons, then.login_id, None))


async def _closing_after(scope: Scope, station: StationRow | None, moment: datetime) -> datetime | None:
    """The end of the opening period of the device's station at a moment; None where it never closes."""
    assert scope.device_station_id is not None
    if station is None or station.id != scope.device_station_id:
        station = await station_row(scope, scope.device_station_id)
    return station.opening(moment).end if station else None
