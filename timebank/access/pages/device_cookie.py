"""Recognise a paired device by its cookie, and refuse a browser that is not paired."""

from litestar.datastructures import Cookie

from timebank.access.devices import devices
from timebank.core import settings
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.http.callers import DEVICE_COOKIE, AnyRequest

LASTS = 400 * 24 * 3600


class NotPaired(TimebankError):
    code = "not_paired"
    status = 403
    sentence = "这台设备还没有配对，或配对已取消。请管理员在「驿站」里取配对链接，在这台设备上打开一次。"


async def paired(token: str, kind: str) -> Scope:
    """The scope of the device with this token. Raises NotPaired if there is none of this kind."""
    scope = await devices.find_device(token)
    if scope is None or scope.device_kind != kind:
        raise NotPaired
    return scope


async def this_device(request: AnyRequest, kind: str) -> Scope:
    """The scope of the device that this browser was paired as. Raises NotPaired."""
    return await paired(request.cookies.get(DEVICE_COOKIE, ""), kind)


def device_cookie(token: str) -> Cookie:
    """The cookie that keeps a device's token; scripts cannot read it."""
    return Cookie(
        key=DEVICE_COOKIE, value=token, path="/", max_age=LASTS, httponly=True, samesite="lax",
        secure=settings.current().secure,
    )  # fmt: skip
