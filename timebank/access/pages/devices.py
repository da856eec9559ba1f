"""A keeper's page of a station's devices: replace a broken one, ask for a further one, renew a pairing link."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Template

from timebank.access.devices import at_stations
from timebank.access.devices.devices import require_may_register
from timebank.access.devices.further_devices import kinds_waiting
from timebank.agreements.schemas import Waiting
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.stations.schemas import DeviceIn, NewDeviceOut
from timebank.stations.stations import station as station_of
from timebank.web.forms import parse_form
from timebank.web.pages import page
from timebank.web.pictures import qr_image

Form = URLEncodedBody[dict[str, str]]
DEVICE = {"name": _("设备名称"), "kind": _("用途"), "replaces": _("换下哪一台"), "further": _("另加一台")}


class CounterDevicePages(Controller):
    path = "/desk/devices"
    include_in_schema = False

    @get()
    async def devices(self, request: AnyRequest, caller: NamedDependency[Scope], station: FromQuery[UUID]) -> Template:
        """The station's devices. Keepers open the page with their own sign-in: a device cannot register devices."""
        return await _page(request, caller, station)

    @post()
    @shown_again(lambda request, caller, station: _page(request, caller, station))
    async def add(
        self, request: AnyRequest, caller: NamedDependency[Scope], station: FromQuery[UUID], data: Form
    ) -> Template:
        """Replace a device, or propose a further one. The old device is revoked at once."""
        require_may_register(caller, station)
        made = await at_stations.add_or_ask(caller, station, parse_form(DeviceIn, data, DEVICE))
        if isinstance(made, Waiting):
            return await _page(request, caller, station, waits=made.who)
        return await _page(request, caller, station, made=made)

    @post("/pairing")
    @shown_again(lambda request, caller, station: _page(request, caller, station))
    async def renew_pairing(
        self, request: AnyRequest, caller: NamedDependency[Scope], station: FromQuery[UUID], device: FromQuery[UUID]
    ) -> Template:
        """Renew the pairing link of a device that is not paired yet."""
        require_may_register(caller, station)
        made = await at_stations.renew_pairing(caller, device)
        return await _page(request, caller, station, made=made)


async def _page(
    request: AnyRequest, caller: Scope, station_id: UUID, *, made: NewDeviceOut | None = None,
    waits: list[str] | None = None,
) -> Template:  # fmt: skip
    require_may_register(caller, station_id)
    found = await station_of(caller, station_id)
    standing = [device for device in await at_stations.devices_of(caller, station_id) if device.revoked_at is None]
    return page(
        request, caller, "desk/devices.html", station=found,
        standing=standing, asked=await kinds_waiting(caller, station_id), made=made,
        waits=waits, image=qr_image(made.url) if made else None,
    )  # fmt: skip
