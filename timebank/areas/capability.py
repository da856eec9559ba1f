"""Areas: regions, communities, and the places in each."""

from timebank.core.capability import Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="areas",
    tables="timebank.areas.tables",
    api=("timebank.areas.api.Areas",),
    pages=("admin.areas.PanelAreaPages",),
    menu=(MenuEntry(place=150, href="/admin/areas", icon="map", word=_("区域")),),
    audit={
        "add_area": _("新增了区域"),
        "found_region": _("设立了区域"),
        "rename_area": _("给区域改了名"),
        "withdraw_area": _("撤回了区域"),
    },
)
