"""The HTTP interface of stations, their codes and their devices."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.access.devices import at_stations, devices
from timebank.agreements.schemas import Waiting
from timebank.core import codes
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import ON_A_SCREEN
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.overview import closing
from timebank.stations import station_codes, stations
from timebank.stations.schemas import (
    CodeOut,
    DeviceIn,
    DeviceOut,
    NewDeviceOut,
    Rotation,
    StationChange,
    StationIn,
    StationOut,
)


class Stations(Controller):
    path = "/stations"

    @get(opt=ON_A_SCREEN)
    async def stations(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], active: FromQuery[bool | None] = True,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[StationOut]]:  # fmt: skip
        """The community's stations, sorted by name; `active=false` lists the closed ones."""
        return listed(request, await stations.stations(caller, active=active, limit=limit, cursor=cursor))

    @post()
    async def add(self, data: JSONBody[StationIn], caller: NamedDependency[Scope]) -> StationOut:
        return await stations.add_station(caller, data)

    @get("/{station_id:uuid}", opt=ON_A_SCREEN)
    async def one(self, station_id: FromPath[UUID], caller: NamedDependency[Scope]) -> StationOut:
        return await stations.station(caller, station_id)

    @patch("/{station_id:uuid}")
    async def change(
        self, station_id: FromPath[UUID], data: JSONBody[StationChange], caller: NamedDependency[Scope]
    ) -> StationOut:
        return await closing.change_station(caller, station_id, data)

    @get("/{station_id:uuid}/code", opt=ON_A_SCREEN)
    async def code(self, station_id: FromPath[UUID], caller: NamedDependency[Scope]) -> CodeOut:
        """The station's present code; only for its devices, its keepers and administrators."""
        return await station_codes.code_on_screen(caller, station_id)

    @get("/{station_id:uuid}/code.png", media_type="image/png", opt=ON_A_SCREEN)
    async def code_png(self, station_id: FromPath[UUID], caller: NamedDependency[Scope]) -> bytes:
        return codes.png((await station_codes.code_on_screen(caller, station_id)).url)

    @get("/{station_id:uuid}/code.svg", media_type="image/svg+xml", opt=ON_A_SCREEN)
    async def code_svg(self, station_id: FromPath[UUID], caller: NamedDependency[Scope]) -> bytes:
        return codes.svg((await station_codes.code_on_screen(caller, station_id)).url)

    @post("/{station_id:uuid}/key", status_code=204)
    async def rotate_key(
        self, station_id: FromPath[UUID], data: JSONBody[Rotation], caller: NamedDependency[Scope]
    ) -> None:
        """Replace the key of the station's code; every code shown before becomes invalid."""
        await station_codes.rotate_key(caller, station_id, data.reason)

    @get("/{station_id:uuid}/devices")
    async def devices(self, station_id: FromPath[UUID], caller: NamedDependency[Scope]) -> list[DeviceOut]:
        return await at_stations.devices_of(caller, station_id)

    @post("/{station_id:uuid}/devices", responses=WAITS)
    async def add_device(
        self, station_id: FromPath[UUID], data: JSONBody[DeviceIn], caller: NamedDependency[Scope]
    ) -> Response[NewDeviceOut | Waiting]:
        """Add a display or counter tablet. Its token is returned only here. A further device of the same kind waits
        for a second person, unless it replaces the other one."""
        return done_or_waiting(await at_stations.add_or_ask(caller, station_id, data))

    @post("/devices/{device_id:uuid}/pairing")
    async def renew_pairing(self, device_id: FromPath[UUID], caller: NamedDependency[Scope]) -> NewDeviceOut:
        """A new pairing link for a device that has not been paired yet."""
        return await at_stations.renew_pairing(caller, device_id)

    @delete("/devices/{device_id:uuid}")
    async def end_device(self, device_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        await devices.revoke(caller, device_id)
