"""Pair a browser as a device: open the pairing link on the display or tablet, and confirm with one button."""

from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.params import PathParameter
from litestar.response import Template

from timebank.access.devices import devices
from timebank.access.pages.device_cookie import device_cookie
from timebank.access.pages.sign_in import same_site
from timebank.core.errors import TimebankError
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.web.pages import page, see_other

Code = Annotated[str, PathParameter(max_length=200)]


class PairingOver(TimebankError):
    code = "pairing_over"
    status = 403
    sentence = (
        "这个配对链接已经用过，或过了一小时。请管理员在「驿站」里、或站长在自己手机的柜台「屏幕和平板」里取新的链接。"
    )


async def _ask(request: AnyRequest, code: str, kind: str) -> Template:
    """The page with the button. Opening the link pairs nothing, because previews and messengers open links too."""
    waits = await devices.find_unpaired(code)
    if waits is None or waits.kind != kind:
        raise PairingOver
    return page(request, None, "display/pair.html", waits=waits)


async def _pair(request: AnyRequest, code: str, kind: str, onwards: str) -> Response[Any]:
    same_site(request)
    token = await devices.pair(code, kind)
    if token is None:
        raise PairingOver
    answer = see_other(onwards)
    answer.set_cookie(device_cookie(token))
    return answer


class PairingPages(Controller):
    path = "/"
    include_in_schema = False

    @get("/display/{code:str}")
    async def ask_display(self, request: AnyRequest, code: Code) -> Template:
        return await _ask(request, code, "display")

    @post("/display/{code:str}")
    @shown_again(lambda request, code: _ask(request, code, "display"))
    async def pair_display(self, request: AnyRequest, code: Code) -> Response[Any]:
        """Pair this browser as the station's display."""
        return await _pair(request, code, "display", "/display")

    @get("/desk/pair/{code:str}")
    async def ask_counter(self, request: AnyRequest, code: Code) -> Template:
        return await _ask(request, code, "counter")

    @post("/desk/pair/{code:str}")
    @shown_again(lambda request, code: _ask(request, code, "counter"))
    async def pair_counter(self, request: AnyRequest, code: Code) -> Response[Any]:
        """Pair this browser as the station's counter."""
        return await _pair(request, code, "counter", "/desk")
