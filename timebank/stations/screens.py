"""A station's time-based code, and its devices: displays and counter tablets."""

from datetime import datetime
from uuid import UUID

from timebank.access.devices import devices, further_devices
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, codes, database, settings
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.stations.places import station, station_row
from timebank.stations.readings import record_reading
from timebank.stations.schemas import CodeOut, DeviceIn, DeviceOut, NewDeviceOut, StandingDevice


def acceptance_ends(moment: datetime, seconds: int) -> datetime:
    """The end of acceptance of the code of a moment's time step: the end of the following step."""
    return codes.step_end(codes.step_of(moment, seconds) + 1, seconds)


async def code_on_screen(scope: Scope, station_id: UUID) -> CodeOut:
    """The station's present code. Raises Forbidden unless the caller is one of its devices or serves at it.

    Reading it other than on a display is recorded, and visits by a code that was read so are flagged for review.
    """
    found = await station_row(scope, station_id)
    if found is None:
        raise NotFound
    if not (scope.keeps(station_id) or scope.device_station_id == station_id):
        raise Forbidden
    now = clock.now()
    if not scope.system and scope.device_kind != "display":
        await record_reading(scope, station_id, now)
    payload = codes.station_code(scope.community_id, station_id, found.code_epoch, now)
    seconds = codes.STATION_STEP_SECONDS
    return CodeOut(
        code=f"c/{payload}",
        url=codes.url("c", payload),
        step_seconds=seconds,
        expires_at=acceptance_ends(now, seconds),
        server_time=now,
    )


@retried
async def rotate_key(scope: Scope, station_id: UUID, reason: str) -> None:
    """Replace the key of the station's code; every code shown before becomes invalid at once."""
    scope.require_admin()
    async with transaction(scope):
        await station(scope, station_id)
        await database.execute(
            "UPDATE station SET code_epoch = code_epoch + 1 WHERE community_id = $1 AND id = $2",
            scope.community_id, station_id,
        )  # fmt: skip
        await audit.record(scope, "rotate_key", "station", station_id, reason=reason)


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
