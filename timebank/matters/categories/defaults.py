"""The categories that a community begins with: 26, and one for what fits nowhere."""

from typing import NamedTuple

from timebank.core.locale import _
from timebank.matters.schemas import MatterKind, MatterLevel

_FOUND: tuple[MatterKind, ...] = ("report", "event")
_HELP: tuple[MatterKind, ...] = ("order",)


class Default(NamedTuple):
    """A category as it is written first. `workdays`: the days count as working days."""

    code: str
    name: str
    days: int
    kinds: tuple[MatterKind, ...] = _FOUND
    workdays: bool = False
    urgent: bool = False
    public: bool = True
    staff_only: bool = False
    needs_photo: bool = False
    minutes_max: int | None = None
    level: MatterLevel = "grid"
    advice: str = ""


OTHER = "other"
"""The category of what fits nowhere: the dispatcher moves it to a real one."""

DEFAULTS: tuple[Default, ...] = (
    Default("manhole", _("井盖"), 1, urgent=True, needs_photo=True),
    Default("utilities", _("供水供电供气供暖"), 1, urgent=True, advice=_("闻到煤气味请先离开并拨 119。")),
    Default("fire_lane", _("消防通道"), 1, urgent=True, needs_photo=True, advice=_("起火请先拨 119。")),
    Default("charging", _("飞线充电"), 1, needs_photo=True),
    Default("leak", _("漏水排水"), 1),
    Default("rubbish", _("垃圾堆放"), 1, needs_photo=True),
    Default("street_light", _("路灯"), 2),
    Default("facilities", _("设施损坏"), 2, needs_photo=True),
    Default("stairwell", _("楼道堆物"), 3, needs_photo=True),
    Default("parking", _("停车"), 3),
    Default("noise", _("噪音"), 3),
    Default("dogs", _("犬只"), 3),
    Default("adverts", _("小广告"), 3, needs_photo=True),
    Default("greenery", _("绿化"), 5),
    Default("building_works", _("违建"), 5, workdays=True),
    Default("property", _("物业服务"), 5, workdays=True),
    Default("neighbours", _("邻里纠纷"), 3, public=False, advice=_("有人动手请先拨 110。")),
    Default("security", _("治安线索"), 1, public=False, advice=_("正在发生的事请先拨 110。")),
    Default(
        "welfare", _("问候"), 1, kinds=("event",), urgent=True, public=False, staff_only=True,
        advice=_("急病拨 120，有人受到伤害拨 110，妇女儿童求助拨 12338，其他事拨 12345。"),
    ),
    Default("policy", _("政策咨询"), 1, kinds=("report",)),
    Default("errands", _("代办"), 3, kinds=_HELP, minutes_max=120),
    Default("repair", _("家电维修"), 5, kinds=_HELP, minutes_max=120),
    Default("meals", _("助餐送餐"), 1, kinds=_HELP, minutes_max=60),
    Default("escort", _("陪诊"), 3, kinds=_HELP, minutes_max=240),
    Default("wish", _("微心愿"), 30, kinds=("wish",), level="community"),
    Default("pledge", _("议题认领"), 30, kinds=("pledge",), level="community"),
    Default(OTHER, _("其他"), 3, kinds=("report", "event", "order")),
)  # fmt: skip
