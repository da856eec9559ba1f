"""Policies: what may differ from one community to the next."""

from timebank.core.capability import Agreed, Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="policies",
    tables="timebank.policies.tables",
    api=("timebank.policies.api.Policies",),
    pages=("admin.policies.PolicyPages",),
    menu=(MenuEntry(170, "/admin/policies", "gear", _("社区规则")),),
    agreed=(
        Agreed(
            "timebank.policies.values.LOOSER_POLICY",
            "timebank.policies.values.set_agreed",
            "timebank.policies.values.stands_now",
        ),
        Agreed("timebank.policies.values.POLICY_BEFORE"),
    ),
    audit={
        "change_policy": _("修改了社区规则"),
    },
    nouns={"policy": _("社区规则")},
)
