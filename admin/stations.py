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
from timebank.access.devices.devices import AlreadyPaired, DeviceInPlace
from timebank.agreements.proposing import AlreadyWaiting
from timebank.agreements.schemas import Waiting
from timebank.areas.places import areas_of
from timebank.core.errors import Invalid, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.overview import closing
from timebank.overview.closing import StationHasLessons
from timebank.stations import places, screens
from timebank.stations.places import StationAreaUnknown, StationNameTaken
from timebank.stations.schemas import DeviceIn, NewDeviceOut, Rotation, StationChange, StationIn
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other
from timebank.web.pictures import qr_image

STATION = {
    "name": _("名称"), "address": _("地址"), "area_id": _("网格"), "opens_at": _("开门时间"),
    "closes_at": _("关门时间"),
}  # fmt: skip
# `address` is read separately, because a blank one empties it instead of leaving it unchanged.
CHANGE = {name: label for name, label in STATION.items() if name != "address"} | {"active": _("开放")}
DEVICE = {"name": _("设备名称"), "kind": _("用途"), "replaces": _("换下哪一台")}
FURTHER = "further"
"""The form value for a device that replaces none."""
REFUSALS = (
    Invalid,
    NotFound,
    DeviceInPlace,
    AlreadyPaired,
    AlreadyWaiting,
    StationNameTaken,
    StationAreaUnknown,
    StationHasLessons,
)
Form = URLEncodedBody[dict[str, str]]


class PanelStationPages(Controller):
    path = "/admin/stations"
    include_in_schema = False

    @get()
    async def stations(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        caller.require_reader()
        found = await all_pages(partial(places.stations, caller, active=None))
        return page(request, caller, "stations/stations.html", stations=found, edits=caller.administers)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        caller.require_admin()
        return await _new_page(request, caller, {})

    @post()
    async def add(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template | Redirect:
        try:
            made = await places.add_station(caller, parse_form(StationIn, data, STATION))
        except REFUSALS as refusal:
            return await _new_page(request, caller, data, refusal)
        return see_other(f"/admin/stations/{made.id}?done=added")

    @get("/{station_id:uuid}")
    async def station(
        self, request: AnyRequest, station_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One station with its devices."""
        return await _station_page(request, caller, station_id, done=done)

    @post("/{station_id:uuid}")
    async def change(
        self, request: AnyRequest, station_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Template | Redirect:
        try:
            wanted = parse_form(StationChange, {"active": "false"} | data, CHANGE, empties=True)
            written = parse_form(StationChange, data, {"address": _("地址")}).address
            wanted = msgspec.structs.replace(wanted, address=written or "")
            await closing.change_station(caller, station_id, wanted)
        except REFUSALS as refusal:
            return await _station_page(request, caller, station_id, refusal)
        return see_other(f"/admin/stations/{station_id}?done=changed")

    @post("/{station_id:uuid}/devices")
    async def add_device(
        self, request: AnyRequest, station_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Template:
        """Register a display or tablet. Its pairing link is shown once, on this page."""
        caller.require_reader()
        try:
            made = await at_stations.add_or_ask(caller, station_id, wanted_device(data))
        except REFUSALS as refusal:
            return await _station_page(request, caller, station_id, refusal)
        if isinstance(made, Waiting):
            return await _station_page(request, caller, station_id, waits=made.who)
        return await _station_page(request, caller, station_id, made=made)

    @post("/{station_id:uuid}/devices/{device_id:uuid}/pairing")
    async def renew_pairing(
        self, request: AnyRequest, station_id: FromPath[UUID], device_id: FromPath[UUID],
        caller: NamedDependency[Scope],
    ) -> Template:  # fmt: skip
        """Renew the pairing link of a device that is not paired yet."""
        try:
            made = await at_stations.renew_pairing(caller, device_id)
        except REFUSALS as refusal:
            return await _station_page(request, caller, station_id, refusal)
        return await _station_page(request, caller, station_id, made=made)

    @post("/{station_id:uuid}/devices/{device_id:uuid}/end")
    async def end_device(
        self, station_id: FromPath[UUID], device_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await devices.revoke(caller, device_id)
        return see_other(f"/admin/stations/{station_id}?done=ended")

    @post("/{station_id:uuid}/key")
    async def rotate(
        self, request: AnyRequest, station_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Template | Redirect:
        """Make a new key for station codes, which invalidates photographed codes."""
        try:
            await screens.rotate_key(caller, station_id, parse_form(Rotation, data, {"reason": _("原因")}).reason)
        except REFUSALS as refusal:
            return await _station_page(request, caller, station_id, refusal)
        return see_other(f"/admin/stations/{station_id}?done=rotated")


def wanted_device(data: dict[str, str]) -> DeviceIn:
    """The device that the form describes: a replacement of another, or a further one."""
    further = data.get("replaces") == FURTHER
    sent = {name: value for name, value in data.items() if name != "replaces" or not further}
    return msgspec.structs.replace(parse_form(DeviceIn, sent, DEVICE), further=further)


async def _grids(caller: Scope) -> list[tuple[UUID, str]]:
    return [(area.id, area.name) for area in await areas_of(caller) if area.kind == "grid"]


async def _new_page(
    request: AnyRequest, caller: Scope, given: dict[str, str], refusal: TimebankError | None = None
) -> Template:
    return page(
        request, caller, "stations/new.html", status=refusal.status if refusal else 200, given=given,
        grids=await _grids(caller), error=refusal.text(language_of(request)) if refusal else None,
    )  # fmt: skip


async def _station_page(
    request: AnyRequest, caller: Scope, station_id: UUID, refusal: TimebankError | None = None, *,
    done: str = "", made: NewDeviceOut | None = None, waits: list[str] | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    found = await places.station(caller, station_id)
    context: dict[str, Any] = {
        "devices": await at_stations.devices_of(caller, station_id) if caller.administers else [],
        "image": qr_image(made.url) if made else None,
        "hanging": await closing.count_closing_effects(caller, station_id),
        "edits": caller.administers, "grids": await _grids(caller),
        "error": refusal.text(language_of(request)) if refusal else None,
    }  # fmt: skip
    return page(
        request, caller, "stations/station.html", status=refusal.status if refusal else 200, station=found, done=done,
        made=made, waits=waits, **context,
    )  # fmt: skip
