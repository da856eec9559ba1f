"""Devices: a screen or counter tablet of one station, known by a token that names its community."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import audit, clock, database, vault
from timebank.access.tables import Device
from timebank.database import retried, transaction
from timebank.errors import Forbidden
from timebank.scope import Mine, Scope

PREFIX = "tbd"
PAIRING_PREFIX = "tbp"
PAIRING_LASTS = timedelta(hours=1)


class NewDevice(msgspec.Struct, frozen=True):
    id: UUID
    station_id: UUID
    kind: str
    token: str
    pairing_code: str
    pairing_expires_at: datetime


class Pairing(msgspec.Struct, frozen=True):
    """A device that waits for its browser."""

    id: UUID
    station_id: UUID
    kind: str
    name: str
    station: str


@retried
async def register(scope: Scope, station_id: UUID, *, name: str, kind: str) -> NewDevice:
    """Give a station's display or counter its token. The token is told once; only its hash is stored.

    A device makes no devices: a lost tablet must not be able to.
    """
    if scope.device_id is not None:
        raise Forbidden
    scope.require_keeper(station_id)
    token, device_id = _new_token(PREFIX, scope.community_id), clock.new_id()
    code, ends_at = _new_token(PAIRING_PREFIX, scope.community_id), clock.now() + PAIRING_LASTS
    async with transaction(scope):
        await Device.insert(
            Device(
                community_id=scope.community_id, id=device_id, station_id=station_id, name=name, kind=kind,
                token_hash=vault.token_hash(token), created_at=clock.now(), created_by=scope.person_id, revoked_at=None,
                pairing_hash=vault.token_hash(code), pairing_expires_at=ends_at, paired_at=None,
            )
        )  # fmt: skip
        await audit.record(scope, "register_device", "device", device_id, kind=kind, station_id=station_id)
    return NewDevice(device_id, station_id, kind, token, code, ends_at)


def _new_token(prefix: str, community_id: UUID) -> str:
    return f"{prefix}_{community_id.hex}_{vault.token()}"


def _community_of(text: str, prefix: str) -> UUID | None:
    """The community that a device's token or a pairing code names."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != prefix or len(parts[1]) != 32:
        return None
    try:
        return UUID(hex=parts[1])
    except ValueError:
        return None


async def waiting(code: str) -> Pairing | None:
    """The device that this pairing code is for, while it waits: looking uses nothing up."""
    community_id = _community_of(code, PAIRING_PREFIX)
    if community_id is None:
        return None
    async with transaction(Scope(community_id, via="device")):
        return await database.row(
            Pairing,
            "SELECT * FROM device_waiting($1, $2, $3)",
            community_id, vault.token_hash(code), clock.now(),
        )  # fmt: skip


@retried
async def pair(code: str, kind: str) -> str | None:
    """Make whoever has this code the device, and give it a token of its own; None where the code serves no more.

    Of two browsers at once one gets it. The token that was told at the registration ends.
    """
    community_id = _community_of(code, PAIRING_PREFIX)
    if community_id is None:
        return None
    token, scope = _new_token(PREFIX, community_id), Scope(community_id, via="device")
    async with transaction(scope):
        device_id = await database.fetch_value(
            "SELECT device_pair($1, $2, $3, $4, $5)",
            community_id, vault.token_hash(code), kind, vault.token_hash(token), clock.now(),
        )  # fmt: skip
        if device_id is None:
            return None
        await audit.record(scope, "pair_device", "device", UUID(bytes=device_id.bytes))
    return token


@retried
async def revoke(scope: Scope, device_id: UUID) -> None:
    """End a device's token at once, for a lost or replaced tablet."""
    async with transaction(scope):
        station_id = await database.fetch_value(
            "SELECT station_id FROM device WHERE community_id = $1 AND id = $2", scope.community_id, device_id
        )
        if station_id is not None:
            scope.require_keeper(UUID(bytes=station_id.bytes))
            await Device.update({Device.revoked_at: clock.now()}).where(
                (Device.community_id == scope.community_id) & (Device.id == device_id)
            )
            await audit.record(scope, "revoke_device", "device", device_id)


async def find(token: str, *, request_id: str = "") -> Scope | None:
    """The scope of the device that holds this token: its community, its station, and the keeper who is signed on to it.

    The keeper is the actor, with no more than the reach of this counter; without one the device is nobody.
    """
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX or len(parts[1]) != 32:
        return None
    try:
        community_id = UUID(hex=parts[1])
    except ValueError:
        return None
    found = await database.ask(
        "SELECT * FROM access_device($1, $2, $3, $4)", community_id, vault.token_hash(token), clock.now(),
        clock.local_day(),
    )  # fmt: skip
    if not found:
        return None
    (device,) = found
    return Scope(
        community_id, msgspec.json.decode(device["persons"] or "[]", type=tuple[Mine, ...]),
        login_id=_plain(device["login_id"]), session_id=_plain(device["session_id"]),
        device_id=_plain(device["device_id"]), device_station_id=_plain(device["station_id"]),
        device_kind=device["kind"], device_proof=vault.token_hash(token), request_id=request_id, via="device",
    )  # fmt: skip


def _plain(value: UUID | None) -> UUID | None:
    """The driver's id as one of the standard library, as every other scope carries it."""
    return UUID(bytes=value.bytes) if value else None
