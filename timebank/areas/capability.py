"""Areas: regions, communities, the places in each, and the working days of a county."""

from timebank.core.capability import Capability, MenuEntry, Sweep
from timebank.core.locale import _

CAPABILITY = Capability(
    name="areas",
    tables="timebank.areas.tables",
    api=("timebank.areas.api.Areas",),
    pages=("admin.areas.PanelAreaPages", "admin.workdays.PanelWorkdayPages"),
    menu=(
        MenuEntry(place=150, href="/admin/areas", icon="map", word=_("区域")),
        MenuEntry(place=165, href="/admin/workdays", icon="calendar", word=_("工作日")),
    ),
    sweeps=(Sweep("fill_workdays", 86_400, "timebank.areas.workday_filling.fill_workdays"),),
    audit={
        "add_area": _("新增了区域"),
        "clear_workday": _("取消了本县定的工作日"),
        "found_region": _("设立了区域"),
        "rename_area": _("给区域改了名"),
        "set_workday": _("定了本县的工作日"),
        "withdraw_area": _("撤回了区域"),
    },
    nouns={
        "area": _("区域"),
        "building": _("楼栋"),
        "community": _("社区"),
        "county": _("县"),
        "grid": _("网格"),
        "street": _("街道"),
        "unit": _("单元"),
        "workday": _("工作日"),
    },
)
