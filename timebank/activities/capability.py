"""Activities and their shifts."""

from timebank.core.capability import Capability, Job, MenuEntry, MessageKind, PersonColumn
from timebank.core.locale import _

CAPABILITY = Capability(
    name="activities",
    tables="timebank.activities.tables",
    api=(
        "timebank.activities.api.Activities",
        "timebank.activities.api.Shifts",
        "timebank.activities.api.ShiftPatterns",
    ),
    pages=(
        "timebank.activities.pages.activities.ActivityPages",
        "admin.activities.PanelActivityPages",
        "admin.patterns.PanelPatternPages",
    ),
    menu=(MenuEntry(place=50, href="/admin/activities", icon="calendar", word=_("活动")),),
    jobs=(
        Job("write_shifts", 3600, "timebank.activities.patterns.writing.write_shifts"),
        Job("warn_thin_shifts", 3600, "timebank.activities.patterns.thin.warn_thin_shifts"),
    ),
    hooks={"shift_led_at": "timebank.activities.leaders.shift_led_at"},
    invariants="timebank.activities.invariants.SHIFTS",
    people=(PersonColumn("sign_up", "person_id", "moves"), PersonColumn("standing", "person_id", "moves")),
    in_use={
        "activity": "SELECT activity_id FROM shift WHERE community_id = $1 "
        "UNION ALL SELECT activity_id FROM shift_pattern WHERE community_id = $1"
    },
    sentences={
        "shift_cancelled": _("「{activity}」{at:moment}在{station}的那一班取消了，您不用来了。"),
        "shift_cancelled.because": _("{because}「{activity}」{at:moment}在{station}的那一班取消了，您不用来了。"),
        "activity_ended": _("「{activity}」结束了。"),
        "pattern_ended": _("「{activity}」这个时间的班不再排了。"),
        "shift_day_off": _("那一天放假或停班。"),
        "shift_leader": _(
            "「{activity}」{at:moment}在{station}的那一班请您带队。没有屏幕的地方，您的手机上有签到码，请让大家扫。"
        ),
        "shift_leader.ended": _("「{activity}」{at:moment}在{station}的那一班不用您带队了，您的名额还在。"),
        "shift_thin": _(
            "「{activity}」{at:moment}在{station}的那一班只有 {coming} 人来，至少要 {least} 人。请再找找人。"
        ),
        "seat_offered": _(
            "「{activity}」{at:moment}在{station}的那一班有人来不了，想找人替。您能来的话，请点开接下，先接先得。"
        ),
        "seat_taken_over": _("{who}接了您「{activity}」{at:moment}的那一班。您不用来了。"),
    },
    messages={
        "shift_cancelled": MessageKind(leads="/activities"),
        "activity_ended": MessageKind(leads="/activities"),
        "pattern_ended": MessageKind(leads="/activities"),
        "shift_leader": MessageKind(leads="/activities"),
        "shift_thin": MessageKind(leads="/activities"),
        "seat_offered": MessageKind(leads="/activities", waits=True, until="at"),
        "seat_taken_over": MessageKind(leads="/activities"),
    },
    audit={
        "add_activity": _("新增了活动"),
        "add_break": _("给固定班次加了停班的日子"),
        "add_pattern": _("新增了固定班次"),
        "add_shift": _("新增了班次"),
        "cancel_shift": _("取消了班次"),
        "change_activity": _("修改了活动"),
        "end_pattern": _("结束了固定班次"),
        "keep_seat": _("不找人替了，自己来"),
        "name_shift_leader": _("定了带队的人"),
        "offer_activity_again": _("恢复了活动"),
        "offer_seat": _("找人替班"),
        "sign_up": _("报名了班次"),
        "stand": _("报了固定班"),
        "stop_standing": _("退了固定班"),
        "take_over": _("接了别人的班"),
        "withdraw": _("退出了班次"),
        "withdraw_activity": _("撤回了活动"),
        "write_shifts": _("按固定班次排了班"),
    },
    nouns={
        "activity": _("活动"),
        "shift": _("班次"),
        "shift_pattern": _("固定班次"),
    },
    panel={"activity": "/admin/activities/"},
)
