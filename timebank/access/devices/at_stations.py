"""The devices of a station: displays and counter tablets."""

from uuid import UUID

from timebank.access.devices import devices, further_devices
from timebank.agreements.schemas import Waiting
from timebank.core import database, settings
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.stations.schemas import DeviceIn, DeviceOut, NewDeviceOut, StandingDevice
from timebank.stations.stations import station


@retried
async def add_device(scope: Scope, station_id: UUID, wanted: DeviceIn) -> NewDeviceOut:
    """Register a display or counter tablet. Its token and pairing link are returned only here.

    The token is for a program. The link pairs one browser with the device, which ends this token.
    """
    async with transaction(scope):
        await station(scope, station_id)
        made = await devices.register_device(
            scope, station_id, name=wanted.name, kind=wanted.kind, replaces=wanted.replaces
        )
    return _in_words(made)


@retried
async def add_or_ask(scope: Scope, station_id: UUID, wanted: DeviceIn) -> NewDeviceOut | Waiting:
    """Register a device; a `further` one, in addition to another of its kind, waits for a second person."""
    if not wanted.further:
        return await add_device(scope, station_id, wanted)
    async with transaction(scope):
        found = await station(scope, station_id)
        return await further_devices.ask_for_further(
            scope, station_id, name=wanted.name, kind=wanted.kind, station=found.name
        )  # fmt: skip


async def renew_pairing(scope: Scope, device_id: UUID) -> NewDeviceOut:
    """A new pairing link for a device that has not been paired yet."""
    return _in_words(await devices.renew_device_pairing(scope, device_id))


def _in_words(made: devices.NewDevice) -> NewDeviceOut:
    link = pairing_url(made.kind, made.pairing_code)
    return NewDeviceOut(
        id=made.id,
        station_id=made.station_id,
        kind=made.kind,
        token=made.token,
        url=link,
        pairing_expires_at=made.pairing_expires_at,
    )


def pairing_url(kind: str, code: str) -> str:
    """The link that pairs a browser with the device."""
    path = "display" if kind == "display" else "desk/pair"
    return f"{settings.current().base_url}/{path}/{code}"


_DEVICE = (
    "SELECT d.id, d.station_id, d.name, d.kind, d.created_at, d.revoked_at, d.paired_at, d.seen_at, "
    "p.name AS created_by, s.name AS station FROM device d "
    "JOIN station s ON s.community_id = d.community_id AND s.id = d.station_id "
    "LEFT JOIN person p ON p.community_id = d.community_id AND p.id = d.created_by WHERE d.community_id = $1 "
)


async def devices_of(scope: Scope, station_id: UUID) -> list[DeviceOut]:
    """The station's devices, newest first, including ended ones."""
    async with transaction(scope):
        await station(scope, station_id)
        scope.require_keeper(station_id)
        return await database.rows(
            DeviceOut, _DEVICE + "AND d.station_id = $2 ORDER BY d.created_at DESC, d.id",
            scope.community_id, station_id,
        )  # fmt: skip


async def usable_devices(scope: Scope) -> list[StandingDevice]:
    """Every usable device of the community, by station, so that a lost or misplaced one can be noticed."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            StandingDevice,
            _DEVICE + "AND d.revoked_at IS NULL ORDER BY s.pinyin, s.id, d.kind DESC, d.created_at, d.id",
            scope.community_id,
        )  # fmt: skip
