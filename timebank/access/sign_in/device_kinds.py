"""The kind of device that somebody signs in on: enough to recognise an own one, and all that is kept of the browser."""

from typing import Literal

from timebank.core.locale import _

DeviceKind = Literal["iphone", "android", "harmony", "tablet", "windows", "mac", "computer", "counter", "other"]

KINDS: dict[str, str] = {
    "iphone": _("苹果手机"), "android": _("安卓手机"), "harmony": _("鸿蒙手机"), "tablet": _("平板"),
    "windows": _("Windows 电脑"), "mac": _("苹果电脑"), "computer": _("电脑"), "counter": _("驿站的柜台平板"),
    "other": _("别的设备或程序"),
}  # fmt: skip


def kind_of_device(user_agent: str) -> DeviceKind:
    """The kind of device that a browser says it runs on; an iPad that asks for desktop pages says it is a Mac."""
    said = user_agent.lower()
    if "ipad" in said or "tablet" in said:
        return "tablet"
    if "iphone" in said:
        return "iphone"
    if "openharmony" in said or "harmonyos" in said:
        return "harmony" if "phone" in said or "mobile" in said else "tablet"
    if "android" in said:
        return "android" if "mobile" in said else "tablet"
    if "windows" in said:
        return "windows"
    if "macintosh" in said:
        return "mac"
    return "computer" if "x11" in said or "linux" in said else "other"
