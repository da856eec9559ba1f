"""Overview: figures and verbs that involve several capabilities."""

from timebank.core.capability import Capability, Job, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="overview",
    tables="timebank.overview.tables",
    pages=(
        "timebank.overview.pages.home.HomePages",
        "admin.home.PanelHomePages",
    ),
    menu=(MenuEntry(place=10, href="/admin", icon="chart", word=_("总览")),),
    jobs=(
        Job("remind_deciders", 60, "timebank.overview.reminding.remind_deciders"),
        Job("count_figures", 600, "timebank.overview.figures.count_figures"),
    ),
    audit={
        "confirm_login": _("确认了账号是本人"),
        "decide_change": _("决定了待确认的事"),
    },
)
