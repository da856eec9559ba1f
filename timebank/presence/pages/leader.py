"""The leader's page of a shift: its code on the own phone, as large as it gets, while the shift runs."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from timebank.activities.leaders import LedShift, ShiftCodeClosed, led_shift, led_shifts
from timebank.core import clock
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.presence.pages.code import TurningOut
from timebank.stations.schemas import CodeOut
from timebank.stations.station_codes import code_on_screen
from timebank.web.pages import page
from timebank.web.pictures import qr_image


class LeaderPages(Controller):
    path = "/activities/shifts/{shift_id:uuid}/code"
    include_in_schema = False

    @get()
    async def code(self, request: AnyRequest, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """The code of the shift's place; outside its hours, when it will be shown."""
        led = await led_shift(caller, shift_id)
        shown = await _shown(caller, led)
        return page(
            request, caller, "member/leader.html", led=led, shown=shown, image=qr_image(shown.url) if shown else "",
            source=f"/activities/shifts/{shift_id}/code/now.json",
        )  # fmt: skip

    @get("/now.json")
    async def turned(self, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> TurningOut:
        """The current code. Raises ShiftCodeClosed."""
        shown = await _shown(caller, await led_shift(caller, shift_id))
        if shown is None:
            raise ShiftCodeClosed
        return TurningOut(
            qr_image(shown.url), shown.expires_at.isoformat(), shown.step_seconds, shown.server_time.isoformat()
        )


async def _shown(caller: Scope, led: LedShift) -> CodeOut | None:
    now = [each.id for each in await led_shifts(caller, clock.now(), led.station_id)]
    return await code_on_screen(caller, led.station_id) if led.id in now else None
