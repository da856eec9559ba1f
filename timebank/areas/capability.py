"""Areas: regions, communities, places, and the policies of each."""

from timebank.core.capability import Agreed, Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="areas",
    tables="timebank.areas.tables",
    api=(
        "timebank.areas.api.Areas",
        "timebank.areas.api.Policies",
    ),
    pages=(
        "admin.areas.AreaPages",
        "admin.policies.PolicyPages",
    ),
    menu=(
        MenuEntry(150, "/admin/areas", "map", _("区域")),
        MenuEntry(170, "/admin/policies", "gear", _("社区规则")),
    ),
    agreed=(
        Agreed(
            "timebank.policies.values.LOOSER_POLICY",
            "timebank.policies.values.set_agreed",
            "timebank.policies.values.stands_now",
        ),
        Agreed("timebank.policies.values.POLICY_BEFORE"),
    ),
    audit={
        "add_area": _("新增了区域"),
        "change_policy": _("修改了社区规则"),
        "found_region": _("设立了区域"),
        "rename_area": _("给区域改了名"),
        "withdraw_area": _("撤回了区域"),
    },
)
