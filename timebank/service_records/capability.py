"""Service records: visits that are judged, honour hours, their review, credit and reversal."""

from timebank.core.capability import (
    Capability,
    Exported,
    Finder,
    InboxKind,
    Job,
    MenuEntry,
    MessageKind,
    PersonColumn,
    ResidentPart,
    Reversal,
    Source,
)
from timebank.core.locale import _

CAPABILITY = Capability(
    name="service_records",
    tables="timebank.service_records.tables",
    api=(
        "timebank.service_records.api.Visits",
        "timebank.service_records.api.ServiceRecords",
    ),
    pages=(
        "timebank.service_records.pages.visits.VisitPages",
        "admin.reviews.PanelReviewPages",
    ),
    menu=(MenuEntry(place=65, href="/admin/reviews/hours", icon="clock", word=_("补录时长"), readers="part"),),
    inbox=(
        InboxKind(
            noun="service_record",
            place=10,
            word=_("服务记录"),
            icon="check",
            listing="timebank.service_records.reviews.waiting.listing",
            decidable="timebank.service_records.reviews.waiting.decidable",
            groups="timebank.service_records.reviews.waiting.groups",
            others="timebank.service_records.reviews.waiting.others",
            decide="timebank.service_records.review.decide_records",
            filters=("activity", "station", "batch", "date", "flag"),
            flags="timebank.presence.words.FLAGS",
        ),
    ),
    jobs=(Job("credit_due_records", 60, "timebank.service_records.crediting.notice_ends.credit_due_records"),),
    invariants="timebank.service_records.invariants.RECORDS",
    people=(PersonColumn("service_record", "person_id", "moves"),),
    in_use={"activity": "SELECT activity_id FROM service_record WHERE community_id = $1 AND status <> 'withdrawn'"},
    refers_to={"activity": "SELECT activity_id FROM service_record WHERE community_id = $1"},
    hooks={
        "visit_ended": "timebank.service_records.records.record_visit",
        "visit_ended_again": "timebank.service_records.records.record_again",
        "visit_undecided": "timebank.service_records.records.require_undecided",
        "visit_outcome": "timebank.service_records.records.outcome_of",
        "visit_end_undone": "timebank.service_records.crediting.withdrawing.withdraw_record",
    },
    sources=(
        Source(
            noun="service_record",
            entries=("service", "conversion", "reversal", "repayment"),
            reversal=Reversal(("service",), "timebank.service_records.crediting.reversal.reverse_record"),
            credited="SELECT id, person_id FROM service_record WHERE community_id = $1",
        ),
    ),
    subjects=("timebank.service_records.objection_effects.RECORD",),
    statement={
        "service": _("志愿服务"),
        "conversion": _("时间换积分"),
    },
    sentences={
        "record_credited": _("您在{where}的 {minutes:minutes}已核对，积分 +{points}。"),
        "record_credited.several": _("您的 {times} 次服务（共 {minutes:minutes}）已核对，积分 +{points}。"),
        "record_credited.noticed": _("您在{where}的 {minutes:minutes}公示期满，积分 +{points}。"),
        "record_credited.noticed_several": _(
            "您补录的 {times} 次服务（共 {minutes:minutes}）公示期满，积分 +{points}。"
        ),
        "record_rejected": _("您 {at:at} 在{where}的服务没有计入。原因：{reason:sentences}"),
        "record_reversed": _(
            "您 {at:at} 在{where}的服务已冲正，{taken:clauses}。原因：{reason}"
            " 如不同意，请在「我的服务」里点开这一次提出异议，或找社区管理员。"
        ),
        "taken.nothing": _("没有积分变动"),
        "taken.points": _("退回 {points} 分"),
        "taken.owed": _("欠账 {points} 分由以后所得补还"),
        "taken.lapsed": _("{points} 分早已到期，不再另扣"),
        "record_entered": _(
            "工作人员给您补录了{since:moment}起 {minutes:minutes}的服务，审核并公示后才计入。"
            "理由：{reason}。不对的话请找社区管理员。"
        ),
        "record_entered.confirmed": _(
            "您{since:moment}起 {minutes:minutes}的服务有人确认了，审核并公示后才计入。不对的话请找社区管理员。"
        ),
        "record_entered.imported": _(
            "社区按签到表补录了您的 {times} 次服务，共 {minutes:minutes}，审核并公示后才计入。不对的话请找社区管理员。"
        ),
        "record_withdrawn": _(
            "补录给您的 {times} 次服务（共 {minutes:minutes}）撤回了，不再计入。不对的话请找社区管理员。"
        ),
        "not_counted.paid": _("带薪的值班只记考勤，不计时长。"),
        "not_counted.too_short": _("到站 {stayed:minutes}，不足 {least:minutes}，不计时长。"),
        "not_counted.attendance": _("到岗 {stayed:minutes}，不足计划 {planned:minutes}的 {percent} %，不计入。"),
        "record_objected": _("您的一条补录服务有人提出异议，社区核实以前先不计入。结果会告诉您。"),
        "record_noticed": _("对您的一条补录服务的异议核实过了，公示照常。"),
        "record_rejected.objected": _("您的一条补录服务有人提出异议，核实后不予计入。说明：{note}"),
        "outcome.record_rejected": _("这条服务不予计入"),
        "objection_entered.service_record": _(
            "工作人员替您对一条服务记录提出了异议，结果会告诉您。不是您的意思的话，请马上告诉社区管理员。"
        ),
        "volunteering": _("志愿服务"),
        "entry.service": _("{served:minutes} · {place} · {rule:word}，{per_point} 分钟 = 1 分"),
        "entry.service_anywhere": _("{served:minutes} · 志愿服务 · {rule:word}，{per_point} 分钟 = 1 分"),
        "entry.check_out_undone": _("签退撤销 · {place}"),
        "entry.service_reversed": _("冲正 · {place} · {reason}"),
        "entry.service_anywhere_reversed": _("冲正 · 志愿服务 · {reason}"),
    },
    messages={
        "record_credited": MessageKind(leads="/visits/records/{id}", otherwise="/visits", folds="points"),
        "record_rejected": MessageKind(leads="/visits/records/{id}", otherwise="/visits"),
        "record_reversed": MessageKind(leads="/visits/records/{id}", otherwise="/visits"),
        "record_entered": MessageKind(leads="/visits/records/{id}", otherwise="/visits"),
        "record_withdrawn": MessageKind(leads="/visits"),
        "record_objected": MessageKind(leads="/visits/records/{id}", otherwise="/visits"),
        "record_noticed": MessageKind(leads="/visits/records/{id}", otherwise="/visits"),
        "objection_entered.service_record": MessageKind(leads="/board"),
    },
    found_by=(Finder(place=40, word=_("服务记录"), verb="timebank.service_records.reading.records_found"),),
    audit={
        "approve_record": _("通过了服务时长"),
        "correct_end": _("更正了签退时间"),
        "credit_record": _("给服务记了时长和积分"),
        "note_service": _("确认后记服务时长"),
        "record_service": _("记了服务时长"),
        "reject_record": _("退回了服务时长"),
        "reverse_record": _("冲正了服务时长"),
        "undo_noted": _("撤销了确认所得的服务时长"),
        "withdraw_record": _("撤回了服务时长"),
    },
    nouns={"service_record": _("服务记录")},
    exported=(
        Exported(
            name="hours",
            word=_("服务时长名单"),
            rows="timebank.service_records.exported.record_rows",
            of_people=True,
            headings=("日期", "活动名称", "地点", "姓名", "签到时间", "签退时间", "时长", "备注"),
            filters=("status", "person_id"),
        ),
    ),
    panel={"service_record": "/admin/reviews/"},
    resident_parts=(
        ResidentPart(
            name="services",
            place=20,
            word=_("服务"),
            template="people/parts/services.html",
            on_paper=True,
            read="timebank.service_records.account.services.services_of",
        ),
    ),
    resident_figures=("timebank.service_records.account.services.service_figures",),
)
