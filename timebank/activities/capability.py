"""Activities and their shifts."""

from timebank.core.capability import Capability, MenuEntry, MessageKind, PersonColumn
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
    people=(PersonColumn("sign_up", "person_id", "moves"),),
    in_use={"activity": "SELECT activity_id FROM shift WHERE community_id = $1"},
    sentences={
        "shift_cancelled": _("「{activity}」{at:moment}在{station}的那一班取消了，您不用来了。"),
        "shift_cancelled.because": _("{because}「{activity}」{at:moment}在{station}的那一班取消了，您不用来了。"),
        "activity_ended": _("「{activity}」结束了。"),
    },
    messages={
        "shift_cancelled": MessageKind(leads="/activities"),
        "activity_ended": MessageKind(leads="/activities"),
    },
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
    nouns={
        "activity": _("活动"),
        "shift": _("班次"),
    },
    panel={"activity": "/admin/activities/"},
)
