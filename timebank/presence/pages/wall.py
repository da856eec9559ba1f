"""The display page of a station: the current station code, recent check-ins, and how many people are there."""

from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.response import Template

from timebank.access.pages.device_cookie import this_device
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.presence.visits import today_at
from timebank.stations.station_codes import code_on_screen
from timebank.stations.stations import station
from timebank.web.pages import page
from timebank.web.pictures import qr_image


class WallVisit(msgspec.Struct):
    name: str
    at: str


class WallOut(msgspec.Struct, kw_only=True):
    """The JSON that display.js fetches at every step of the code."""

    code: str
    url: str
    png_url: str
    expires_at: str
    step_seconds: int
    server_time: str
    present: int
    recent: list[WallVisit]


class WallPages(Controller):
    path = "/display"
    include_in_schema = False

    @get()
    async def wall(self, request: AnyRequest) -> Template:
        screen = await this_device(request, "display")
        shown = await code_on_screen(screen, _station_id(screen))
        today = await today_at(screen, _station_id(screen))
        name = (await station(screen, _station_id(screen))).name
        return page(
            request, None, "display/wall.html", station_name=name, image=qr_image(shown.url),
            expires_at=shown.expires_at, present=today.present, recent=today.recent,
        )  # fmt: skip

    @get("/code.json")
    async def turned(self, request: AnyRequest) -> WallOut:
        """The current code and the latest check-ins."""
        screen = await this_device(request, "display")
        shown = await code_on_screen(screen, _station_id(screen))
        today = await today_at(screen, _station_id(screen))
        return WallOut(
            code=shown.code, url=shown.url, png_url=qr_image(shown.url), expires_at=shown.expires_at.isoformat(),
            step_seconds=shown.step_seconds,
            server_time=shown.server_time.isoformat(), present=today.present,
            recent=[WallVisit(r.name, r.at) for r in today.recent],
        )  # fmt: skip


def _station_id(screen: Scope) -> UUID:
    assert screen.device_station_id is not None
    return screen.device_station_id
