"""Presence: scans, and the visits that come of them."""

from timebank.core.capability import Capability, Job
from timebank.core.locale import _

CAPABILITY = Capability(
    name="presence",
    tables="timebank.presence.tables",
    api=(
        "timebank.presence.api.Checkins",
        "timebank.presence.api.MyCode",
    ),
    pages=(
        "timebank.presence.pages.scan.ScanPages",
        "timebank.presence.pages.code.CodePages",
        "timebank.presence.pages.counter.CounterPages",
        "timebank.presence.pages.wall.WallPages",
        "admin.presence.PanelPresencePages",
    ),
    jobs=(
        Job("close_forgotten", 60, "timebank.presence.forgotten.close_forgotten"),
        Job("forget_claims", 600, "timebank.presence.evidence.claims.purge_claims"),
        Job("forget_addresses", 3600, "timebank.presence.evidence.browsers.purge_addresses"),
    ),
    audit={
        "check_in": _("签到了"),
        "check_out": _("签退了"),
        "close_forgotten": _("收尾了忘记的签退"),
        "identify": _("在柜台扫码认了人"),
        "undo_check_in": _("撤销了签到"),
    },
)
