"""The manifest of areas: regions, the places inside a community, and the policies of a community."""

from timebank.capability import Agreed, Capability, MenuEntry
from timebank.locale import _

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
            "timebank.areas.policies.LOOSER_POLICY",
            "timebank.areas.policies.set_agreed",
            "timebank.areas.policies.stands_now",
        ),
        Agreed("timebank.areas.policies.POLICY_BEFORE"),
    ),
    audit={
        "add_area": _("新增了区域"),
        "change_policy": _("修改了社区规则"),
        "found_region": _("设立了区域"),
        "rename_area": _("给区域改了名"),
        "withdraw_area": _("撤回了区域"),
    },
)
