"""Policies: what may differ from one community to the next."""

from timebank.core.capability import Agreed, Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="policies",
    tables="timebank.policies.tables",
    api=("timebank.policies.api.Policies",),
    pages=("admin.policies.PanelPolicyPages",),
    menu=(MenuEntry(place=170, href="/admin/policies", icon="gear", word=_("社区规则")),),
    agreed=(
        Agreed(
            "timebank.policies.values.LOOSER_POLICY",
            "timebank.policies.values.set_agreed_policy",
            "timebank.policies.values.present_policy_value",
        ),
        Agreed("timebank.policies.values.POLICY_BEFORE"),
    ),
    audit={
        "change_policy": _("修改了社区规则"),
    },
)
