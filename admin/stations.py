"""The panel's pages of stations: address, opening hours, and devices."""

from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.devices import at_stations, devices
from timebank.agreements.schemas import Waiting
from timebank.areas.places import areas_of
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.overview import closing
from timebank.stations import station_codes, stations
from timebank.stations.schemas import DeviceIn, NewDeviceOut, Rotation, StationChange, StationIn
from timebank.stations.words import KINDS
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other
from timebank.web.pictures import qr_image

STATION = {
    "name": _("名称"), "address": _("地址"), "area_id": _("网格"), "opens_at": _("开门时间"),
    "closes_at": _("关门时间"), "kind": _("哪种地方"),
}  # fmt: skip
CHANGE = STATION | {"active": _("开放")}
DEVICE = {"name": _("设备名称"), "kind": _("用途"), "replaces": _("换下哪一台")}
FURTHER = "further"
"""The form value for a device that replaces none."""
Form = URLEncodedBody[dict[str, str]]


class PanelStationPages(Controller):
    path = "/admin/stations"
    include_in_schema = False

    @get()
    async def stations(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        caller.require_reader()
        found = await all_pages(partial(stations.stations, caller, active=None))
        return page(request, caller, "stations/stations.html", stations=found, edits=caller.administers)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await _new_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _new_page(request, caller))
    async def add(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        made = await stations.add_station(caller, parse_form(StationIn, data, STATION))
        return see_other(f"/admin/stations/{made.id}?done=added")

    @get("/{station_id:uuid}")
    async def station(
        self, request: AnyRequest, station_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One station with its devices."""
        return await _station_page(request, caller, station_id, done=done)

    @post("/{station_id:uuid}")
    @shown_again(lambda request, station_id, caller: _station_page(request, caller, station_id))
    async def change(self, station_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        caller.require_reader()
        wanted = parse_form(StationChange, {"active": "false"} | data, CHANGE, empties=True, emptied="address")
        await closing.change_station(caller, station_id, wanted)
        return see_other(f"/admin/stations/{station_id}?done=changed")

    @post("/{station_id:uuid}/devices")
    @shown_again(lambda request, station_id, caller: _station_page(request, caller, station_id))
    async def add_device(
        self, request: AnyRequest, station_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Template:
        """Register a display or tablet. Its pairing link is shown once, on this page."""
        caller.require_reader()
        made = await at_stations.add_or_ask(caller, station_id, wanted_device(data))
        if isinstance(made, Waiting):
            return await _station_page(request, caller, station_id, waits=made.who)
        return await _station_page(request, caller, station_id, made=made)

    @post("/{station_id:uuid}/devices/{device_id:uuid}/pairing")
    @shown_again(lambda request, station_id, caller: _station_page(request, caller, station_id))
    async def renew_pairing(
        self, request: AnyRequest, station_id: FromPath[UUID], device_id: FromPath[UUID],
        caller: NamedDependency[Scope],
    ) -> Template:  # fmt: skip
        """Renew the pairing link of a device that is not paired yet."""
        caller.require_reader()
        made = await at_stations.renew_pairing(caller, device_id)
        return await _station_page(request, caller, station_id, made=made)

    @post("/{station_id:uuid}/devices/{device_id:uuid}/end")
    @shown_again(lambda request, station_id, caller: _station_page(request, caller, station_id))
    async def end_device(
        self, station_id: FromPath[UUID], device_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await devices.revoke(caller, device_id)
        return see_other(f"/admin/stations/{station_id}?done=ended")

    @post("/{station_id:uuid}/key")
    @shown_again(lambda request, station_id, caller: _station_page(request, caller, station_id))
    async def rotate(self, station_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Make a new key for station codes, which invalidates photographed codes."""
        await station_codes.rotate_key(caller, station_id, parse_form(Rotation, data, {"reason": _("原因")}).reason)
        return see_other(f"/admin/stations/{station_id}?done=rotated")


def wanted_device(data: dict[str, str]) -> DeviceIn:
    """The device that the form describes: a replacement of another, or a further one."""
    further = data.get("replaces") == FURTHER
    sent = {name: value for name, value in data.items() if name != "replaces" or not further}
    return msgspec.structs.replace(parse_form(DeviceIn, sent, DEVICE), further=further)


async def _grids(caller: Scope) -> list[tuple[UUID, str]]:
    return [(area.id, area.name) for area in await areas_of(caller) if area.kind == "grid"]


async def _new_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_admin()
    return page(
        request, caller, "stations/new.html", given={}, kinds=KINDS,
        grids=await _grids(caller),
    )  # fmt: skip


async def _station_page(
    request: AnyRequest, caller: Scope, station_id: UUID, *,
    done: str = "", made: NewDeviceOut | None = None, waits: list[str] | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    found = await stations.station(caller, station_id)
    context: dict[str, Any] = {
        "devices": await at_stations.devices_of(caller, station_id) if caller.administers else [],
        "image": qr_image(made.url) if made else None,
        "hanging": await closing.count_closing_effects(caller, station_id),
        "edits": caller.administers, "grids": await _grids(caller), "kinds": KINDS,
    }  # fmt: skip
    return page(
        request, caller, "stations/station.html", station=found, done=done,
        made=made, waits=waits, **context,
    )  # fmt: skip
