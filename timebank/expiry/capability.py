"""The manifest of expiry: points expire at the end of a year, after an announcement."""

from timebank.core.capability import Capability, Job, Reversal, Source
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
    memos={
        "expiry_reversed": _("撤回到期 · {reason}"),
    },
    audit={
        "let_expire": _("确认了积分到期"),
        "reverse_expiry": _("撤回了积分到期"),
    },
)
