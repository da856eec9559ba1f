"""The kinds of stations in words."""

from timebank.core.locale import _
from timebank.stations.schemas import StationKind

KINDS: dict[StationKind, str] = {
    "station": _("驿站"),
    "grid_post": _("网格站"),
    "canteen": _("助餐点"),
    "gate": _("校门、路口（没有屏幕）"),
    "hall": _("会场"),
}
