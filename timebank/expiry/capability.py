"""The manifest of expiry: points expire at the end of a year, after an announcement."""

from timebank.core.capability import Capability, Job, MessageKind, Reversal, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="expiry",
    jobs=(
        Job("remind_of_expiry", 3600, "timebank.expiry.reminders.remind_of_expiry"),
        Job("close_days", 3600, "timebank.expiry.expiring.close_days"),
        Job("expire_points", 600, "timebank.expiry.expiring.expire_points"),
    ),
    invariants="timebank.expiry.invariants.EXPIRIES",
    sources=(
        Source(
            noun="account",
            entries=("expiry", "reversal", "repayment"),
            reversal=Reversal(("expiry",), "timebank.expiry.reversal.reverse_expiry", of="entry"),
        ),
    ),
    statement={
        "expiry": _("到期"),
    },
    sentences={
        "expiry_reversed": _("您到期的积分已撤回到期：{back}。原因：{reason}。"),
        "expiry_reversed.class_time": _("{child}到期的课时已撤回到期：{back}。原因：{reason}。"),
        "points_expiring": _("您有 {points} 积分在{day:day} 24:00 到期，请在那之前使用。{held:sentences}"),
        "also_held": _("另有 {points} 积分预留着。"),
        "points_expiring.held": _("您预留着的 {points:points}{day:day}到期。取消预留后，请留意消息里写的可用日期。"),
        "points_expiring.class_time": _("{child}有 {minutes:minutes}课时在{day:day} 24:00 到期，请在那之前约课。"),
        "points_expiring.class_time_booked": _(
            "{child}有 {minutes:minutes}课时在{day:day} 24:00 到期，请在那之前约课，"
            "另有 {booked:minutes}已约了课，照常上。"
        ),
        "entry.expiry_reversed": _("撤回到期 · {reason}"),
    },
    messages={
        "expiry_reversed": MessageKind(leads="/statement/{id}", otherwise="/statement"),
        "expiry_reversed.class_time": MessageKind(leads="/family"),
        "points_expiring": MessageKind(leads="/goods", waits=True, until="day"),
        "points_expiring.held": MessageKind(leads="/redemptions", waits=True, until="day"),
        "points_expiring.class_time": MessageKind(leads="/classes", waits=True, until="day"),
        "points_expiring.class_time_booked": MessageKind(leads="/classes", waits=True, until="day"),
    },
    audit={
        "let_expire": _("确认了积分到期"),
        "reverse_expiry": _("撤回了积分到期"),
    },
)
