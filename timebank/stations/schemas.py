"""Request and response types of stations, their codes and their devices."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

StationName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Address = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00]*$")]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
DeviceKind = Literal["display", "counter"]
StationKind = Literal["station", "grid_post", "canteen", "gate", "hall"]
"""What a place is. At a gate there is no screen: the leader of a shift shows its code on the own phone."""


class StationIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new station. Times are local, such as 08:30; a closing time that is not later belongs to the next day."""

    name: StationName
    address: Address = ""
    area_id: UUID | None = None
    opens_at: ClockTime = "08:00"
    closes_at: ClockTime = "20:00"
    kind: StationKind = "station"


class StationChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The fields of a station to change; omitted ones stay."""

    name: StationName | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    area_id: UUID | UnsetType | None = UNSET
    opens_at: ClockTime | UnsetType = UNSET
    closes_at: ClockTime | UnsetType = UNSET
    kind: StationKind | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class StationOut(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    community_id: UUID
    name: str
    address: str
    area_id: UUID | None
    opens_at: str
    closes_at: str
    active: bool
    kind: str = "station"


class CodeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A time-based code. `url` is the link to show as QR; `code` is not accepted after `expires_at`."""

    code: str
    url: str
    step_seconds: int
    expires_at: datetime
    server_time: datetime


class DeviceIn(msgspec.Struct, forbid_unknown_fields=True):
    """A new display or counter. If the station has one of this kind already, either `replaces` names it, which ends it
    at once, or `further` is true, which waits for a second person."""

    name: StationName
    kind: DeviceKind
    replaces: UUID | None = None
    further: bool = False


class DeviceOut(msgspec.Struct, frozen=True, kw_only=True):
    """A device. `paired_at`: when a browser was paired with it; `seen_at`: its last use, exact to some minutes."""

    id: UUID
    station_id: UUID
    name: str
    kind: str
    created_at: datetime
    revoked_at: datetime | None
    paired_at: datetime | None = None
    seen_at: datetime | None = None
    created_by: str | None = None


class StandingDevice(DeviceOut, frozen=True, kw_only=True):
    """A device in use, with its station's name."""

    station: str


class NewDeviceOut(msgspec.Struct, frozen=True, kw_only=True):
    """A registered device. `token` (for a program) and `url` (pairs one browser until `pairing_expires_at`) are
    returned only once.

    Pairing gives the browser a token of its own and ends this `token`, because a device is in one place.
    """

    id: UUID
    station_id: UUID
    kind: str
    token: str
    url: str
    pairing_expires_at: datetime | None = None


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """The reason for replacing the key of a station's code."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
