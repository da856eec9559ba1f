"""The manifest of check-ins: scans, visits, and the service records that result from them."""

from timebank.capability import Capability, Job, MenuEntry, Source
from timebank.locale import _

CAPABILITY = Capability(
    name="checkins",
    tables="timebank.checkins.tables",
    api=(
        "timebank.checkins.api.Checkins",
        "timebank.checkins.api.MyCode",
        "timebank.checkins.api.Visits",
        "timebank.checkins.api.ServiceRecords",
    ),
    pages=(
        "timebank.web.member.scan.ScanPages",
        "timebank.web.member.code.CodePages",
        "timebank.web.member.visits.VisitPages",
        "timebank.web.desk.counter.DeskPages",
        "timebank.web.desk.agreed.AgreedPages",
        "admin.reviews.ReviewPages",
        "admin.presence.PresencePages",
        "admin.confirmations.ConfirmationsPanel",
    ),
    menu=(
        MenuEntry(20, "/admin/reviews", "check", _("待办")),
        MenuEntry(65, "/admin/reviews/hours", "clock", _("补录时长"), readers="part"),
        MenuEntry(80, "/admin/confirmations", "people", _("柜台请您同意")),
    ),
    jobs=(
        Job("credit_due_records", 60, "timebank.checkins.due.credit_due_records"),
        Job("close_forgotten", 60, "timebank.checkins.forgotten.close_forgotten"),
        Job("forget_claims", 600, "timebank.checkins.claims.forget_claims"),
        Job("forget_addresses", 3600, "timebank.checkins.browsers.forget_addresses"),
    ),
    invariants="timebank.checkins.invariants.RECORDS",
    sources=(
        Source(
            noun="service_record",
            entries=("service", "conversion", "reversal", "repayment"),
            reversed_by="timebank.checkins.reversal.reverse_record",
            credited="SELECT id, person_id FROM service_record WHERE community_id = $1",
        ),
    ),
    statement={
        "service": _("志愿服务"),
        "conversion": _("时间换积分"),
    },
    audit={
        "agree_confirmation": _("同意了柜台的请求"),
        "approve_record": _("通过了服务时长"),
        "ask_confirmation": _("在柜台请人同意"),
        "check_in": _("签到了"),
        "check_out": _("签退了"),
        "close_forgotten": _("收尾了忘记的签退"),
        "correct_end": _("更正了签退时间"),
        "credit_record": _("给服务记了时长和积分"),
        "identify": _("在柜台扫码认了人"),
        "record_service": _("记了服务时长"),
        "refuse_confirmation": _("没有同意柜台的请求"),
        "reject_record": _("退回了服务时长"),
        "reverse_record": _("冲正了服务时长"),
        "undo_check_in": _("撤销了签到"),
        "withdraw_record": _("撤回了服务时长"),
    },
)
