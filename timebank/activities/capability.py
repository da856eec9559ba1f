"""Activities and their shifts."""

from timebank.core.capability import Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="activities",
    tables="timebank.activities.tables",
    api=(
        "timebank.activities.api.Activities",
        "timebank.activities.api.Shifts",
    ),
    pages=(
        "timebank.activities.pages.activities.ActivityPages",
        "admin.activities.PanelActivityPages",
    ),
    menu=(MenuEntry(place=50, href="/admin/activities", icon="calendar", word=_("活动")),),
    invariants="timebank.activities.invariants.SHIFTS",
    audit={
        "add_activity": _("新增了活动"),
        "add_shift": _("新增了班次"),
        "cancel_shift": _("取消了班次"),
        "change_activity": _("修改了活动"),
        "offer_activity_again": _("恢复了活动"),
        "sign_up": _("报名了班次"),
        "withdraw": _("退出了班次"),
        "withdraw_activity": _("撤回了活动"),
    },
)
