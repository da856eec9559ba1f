"""The manifest of rules: how many points hours and deeds earn."""

from timebank.core.capability import Agreed, Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="rules",
    tables="timebank.rules.tables",
    api=("timebank.rules.api.Rules",),
    pages=("admin.rules.RulesPanel",),
    menu=(MenuEntry(100, "/admin/rules", "scales", _("积分规则")),),
    agreed=(
        Agreed(
            "timebank.rules.catalogue.LOOSER_RULE",
            "timebank.rules.catalogue.set_agreed",
            "timebank.rules.catalogue.version_now",
        ),
        Agreed("timebank.rules.catalogue.RULE_BEFORE"),
    ),
    audit={
        "set_rule": _("设定了积分规则"),
    },
)
