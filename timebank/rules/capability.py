"""The manifest of rules: how many points hours and deeds earn."""

from timebank.core.capability import Agreed, Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="rules",
    tables="timebank.rules.tables",
    api=("timebank.rules.api.Rules",),
    pages=("admin.rules.PanelRulePages",),
    menu=(MenuEntry(place=100, href="/admin/rules", icon="scales", word=_("积分规则")),),
    agreed=(
        Agreed(
            "timebank.rules.catalogue.LOOSER_RULE",
            "timebank.rules.catalogue.set_agreed_rule",
            "timebank.rules.catalogue.version_now",
        ),
        Agreed("timebank.rules.catalogue.RULE_BEFORE"),
    ),
    audit={
        "set_rule": _("设定了积分规则"),
    },
)
