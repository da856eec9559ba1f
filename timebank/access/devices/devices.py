"""Devices: a display or counter tablet of one station, authenticated by a token that contains its community's id."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.tables import Device
from timebank.core import audit, clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, Forbidden, NotFound
from timebank.core.scope import ResidentRecord, Scope

PREFIX = "tbd"
PAIRING_PREFIX = "tbp"
PAIRING_LASTS = timedelta(hours=1)
NOTED_EVERY = timedelta(minutes=5)


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    station_id: UUID
    kind: str
    token: str
    pairing_code: str
    pairing_expires_at: datetime


class DeviceInPlace(Conflict):
    code = "device_stands"
    sentence = "本站已经有这样的设备：{names}。请选要换下哪一台（原来的马上停用），或另加一台，由另一个人确认。"


class AlreadyPaired(Conflict):
    code = "device_paired"
    sentence = "这台设备已经配对，或已停用，不能再取配对链接。要换一台，请重新登记并选要换下的那台。"


class PairingCode(msgspec.Struct, frozen=True):
    """A pairing code and when it expires."""

    text: str
    ends_at: datetime


class Pairing(msgspec.Struct, frozen=True):
    """A device that is not paired with a browser yet."""

    id: UUID
    station_id: UUID
    kind: str
    name: str
    station: str


class _Place(msgspec.Struct, frozen=True):
    station_id: UUID
    kind: str


@retried
async def register_device(
    scope: Scope, station_id: UUID, *, name: str, kind: str, replaces: UUID | None = None
) -> NewDevice:
    """Register a display or counter of a station. The token is returned only here; its hash is stored.

    If the station has one of this kind, raises DeviceInPlace unless `replaces` names it; that one ends at once. Another
    one needs a second person (`further_devices`): a display elsewhere would show the code to people who are not there.
    The operator may add any. Raises NotFound if `replaces` is no such device, and Forbidden for a device as caller: a
    lost tablet must not register devices.
    """
    require_may_register(scope, station_id)
    token, code, device_id = new_token(PREFIX, scope.community_id), _new_code(scope), clock.new_id()
    async with transaction(scope):
        standing = await _device_in_place(scope, station_id, kind)
        if replaces is not None:
            if replaces not in standing:
                raise NotFound
            await _end(scope, replaces, replaced_by=device_id)
        elif standing and not scope.system:
            raise DeviceInPlace(names="、".join(standing.values()))
        await insert_device(scope, device_id, station_id, name, kind, token, code)
    return NewDevice(
        id=device_id,
        station_id=station_id,
        kind=kind,
        token=token,
        pairing_code=code.text,
        pairing_expires_at=code.ends_at,
    )


def require_may_register(scope: Scope, station_id: UUID) -> None:
    if scope.device_id is not None:
        raise Forbidden
    scope.require_keeper(station_id)


async def _device_in_place(scope: Scope, station_id: UUID, kind: str) -> dict[UUID, str]:
    """The station's devices of a kind in use: names by id. Locks the station's row, to serialise registrations."""
    await database.execute(
        "SELECT FROM station WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, station_id
    )
    found = await database.fetch(
        "SELECT id, name FROM device WHERE community_id = $1 AND station_id = $2 AND kind = $3 AND revoked_at IS NULL "
        "ORDER BY created_at, id",
        scope.community_id, station_id, kind,
    )  # fmt: skip
    return {UUID(bytes=row["id"].bytes): row["name"] for row in found}


async def insert_device(
    scope: Scope, device_id: UUID, station_id: UUID, name: str, kind: str, token: str, code: PairingCode,
    by: UUID | None = None,
) -> None:  # fmt: skip
    """Insert a device's row and audit it, inside the caller's transaction."""
    await Device.insert(
        Device(
            community_id=scope.community_id, id=device_id, station_id=station_id, name=name, kind=kind,
            token_hash=vault.token_hash(token), created_at=clock.now(), created_by=by or scope.person_id,
            revoked_at=None, pairing_hash=vault.token_hash(code.text), pairing_expires_at=code.ends_at, paired_at=None,
            seen_at=None,
        )
    )  # fmt: skip
    await audit.record(scope, "register_device", "device", device_id, kind=kind, station_id=station_id)


@retried
async def renew_device_pairing(scope: Scope, device_id: UUID) -> NewDevice:
    """A new token and pairing code for an unpaired device; the earlier ones end. Raises AlreadyPaired."""
    token, code = new_token(PREFIX, scope.community_id), _new_code(scope)
    async with transaction(scope):
        device = await database.row(
            _Place, "SELECT station_id, kind FROM device WHERE community_id = $1 AND id = $2",
            scope.community_id, device_id,
        )  # fmt: skip
        if device is None:
            raise NotFound
        require_may_register(scope, device.station_id)
        renewed = await database.fetch_value(
            "SELECT device_renew($1, $2, $3, $4, $5)",
            scope.community_id, device_id, vault.token_hash(token), vault.token_hash(code.text), code.ends_at,
        )  # fmt: skip
        if renewed is None:
            raise AlreadyPaired
        await audit.record(scope, "renew_pairing", "device", device_id, station_id=device.station_id)
    return NewDevice(
        id=device_id,
        station_id=device.station_id,
        kind=device.kind,
        token=token,
        pairing_code=code.text,
        pairing_expires_at=code.ends_at,
    )


def _new_code(scope: Scope) -> PairingCode:
    return PairingCode(new_token(PAIRING_PREFIX, scope.community_id), clock.now() + PAIRING_LASTS)


def new_token(prefix: str, community_id: UUID) -> str:
    return f"{prefix}_{community_id.hex}_{vault.token()}"


def _community_of(text: str, prefix: str) -> UUID | None:
    """The community in a device's token or pairing code; None if it is malformed."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != prefix or len(parts[1]) != 32:
        return None
    try:
        return UUID(hex=parts[1])
    except ValueError:
        return None


async def find_unpaired(code: str) -> Pairing | None:
    """The unpaired device of a pairing code, None if the code is not valid; reading does not use the code up."""
    community_id = _community_of(code, PAIRING_PREFIX)
    if community_id is None:
        return None
    async with transaction(Scope(community_id=community_id, via="device")):
        return await database.row(
            Pairing,
            "SELECT * FROM device_waiting($1, $2, $3)",
            community_id, vault.token_hash(code), clock.now(),
        )  # fmt: skip


@retried
async def pair(code: str, kind: str) -> str | None:
    """Pair the calling browser as the device; returns its new token, None if the code is not valid.

    If two browsers try at once, one succeeds. The token from the registration ends.
    """
    community_id = _community_of(code, PAIRING_PREFIX)
    if community_id is None:
        return None
    token, scope = new_token(PREFIX, community_id), Scope(community_id=community_id, via="device")
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
    """End a device at once, such as a lost tablet; its token is no longer valid."""
    async with transaction(scope):
        station_id = await database.fetch_value(
            "SELECT station_id FROM device WHERE community_id = $1 AND id = $2", scope.community_id, device_id
        )
        if station_id is None:
            raise NotFound
        scope.require_keeper(UUID(bytes=station_id.bytes))
        await _end(scope, device_id)


async def _end(scope: Scope, device_id: UUID, *, replaced_by: UUID | None = None) -> None:
    await Device.update({Device.revoked_at: clock.now()}).where(
        (Device.community_id == scope.community_id) & (Device.id == device_id)
    )
    await audit.record(scope, "revoke_device", "device", device_id, replaced_by_id=replaced_by)


async def find_device(token: str, *, request_id: str = "") -> Scope | None:
    """The scope of the device with this token: its community, its station and the signed-on keeper. None if not valid.

    The keeper is the actor but has only the rights of this counter; without a keeper no person acts.
    """
    community_id = _community_of(token, PREFIX)
    if community_id is None:
        return None
    proof = vault.token_hash(token)
    found = await database.ask(
        _USE if _is_due(proof) else _LOOK, community_id, proof, clock.now(), clock.local_day()
    )  # fmt: skip
    if not found:
        return None
    (device,) = found
    return Scope(
        community_id=community_id,
        persons=msgspec.json.decode(device["persons"] or "[]", type=tuple[ResidentRecord, ...]),
        login_id=_plain(device["login_id"]), session_id=_plain(device["session_id"]),
        device_id=_plain(device["device_id"]), device_station_id=_plain(device["station_id"]),
        device_kind=device["kind"], device_proof=proof, request_id=request_id, via="device",
    )  # fmt: skip


_LOOK = "SELECT * FROM access_device($1, $2, $3, $4)"
_USE = "SELECT d.*, device_used($1, $2, $3) FROM access_device($1, $2, $3, $4) AS d"

_noted: dict[bytes, datetime] = {}
"""When this process last wrote a device's time of use; not on each request, since a display polls every few seconds."""


def _is_due(proof: bytes) -> bool:
    """Whether the time of use of the device with this token is to be written again, and from now on is not."""
    now, before = clock.now(), _noted.get(proof)
    if before is not None and abs(now - before) < NOTED_EVERY:
        return False
    _noted[proof] = now
    return True


def _plain(value: UUID | None) -> UUID | None:
    """Convert the driver's UUID class to the standard library's, which scopes hold."""
    return UUID(bytes=value.bytes) if value else None
