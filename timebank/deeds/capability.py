"""The manifest of deeds (the moral bank): filing, review, credit and objections."""

from timebank.core.capability import Agreed, Capability, Job, MenuEntry, PersonColumn, Reversal, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="deeds",
    tables="timebank.deeds.tables",
    api=(
        "timebank.deeds.api.Deeds",
        "timebank.deeds.api.Objections",
        "timebank.deeds.api.object_to_record",
        "timebank.deeds.api.read_board",
    ),
    pages=(
        "timebank.deeds.pages.deeds.DeedPages",
        "timebank.deeds.pages.board.BoardPages",
        "admin.deeds.PanelDeedPages",
        "admin.deeds.PanelObjectionPages",
    ),
    menu=(MenuEntry(place=60, href="/admin/deeds", icon="heart", word=_("道德积分"), readers="both"),),
    jobs=(
        Job("credit_due_deeds", 60, "timebank.deeds.credit.credit_due_deeds"),
        Job("remind_of_objections", 3600, "timebank.deeds.objections.reminding.remind_of_objections"),
    ),
    invariants="timebank.deeds.invariants.DEEDS",
    sources=(
        Source(
            noun="deed",
            entries=("deed", "reversal", "repayment"),
            reversal=Reversal(("deed",), "timebank.deeds.credit.reverse_deed"),
            credited="SELECT id, person_id FROM deed WHERE community_id = $1",
        ),
    ),
    people=(
        PersonColumn("deed", "person_id", "moves"),
        PersonColumn("deed", "witness_id", "moves"),
        PersonColumn("objection", "person_id", "moves"),
    ),
    in_use={"area": "SELECT area_id FROM deed WHERE community_id = $1"},
    hooks={"is_record_objected": "timebank.deeds.objections.objecting.is_record_objected"},
    statement={
        "deed": _("善行"),
    },
    agreed=(
        Agreed(
            "timebank.deeds.review.DEED_POINTS",
            "timebank.deeds.review.approve_agreed",
            "timebank.deeds.review.present_deed_state",
        ),
        Agreed(
            "timebank.deeds.restoring.DEED_AGAIN",
            "timebank.deeds.objections.decisions.restore_agreed",
            "timebank.deeds.restoring.present_reversal_state",
        ),
    ),
    sentences={
        "deed_filed": _(
            "有人给您登记了善行「{rule}」（{day:day}，{area}），{points} 分，审核并公示后才记分。"
            "不对的话请找社区管理员。"
        ),
        "deed_filed.imported": _(
            "社区按台账登记了您的 {count} 件善行，共 {points} 分，审核并公示后才记分。不对的话请找社区管理员。"
        ),
        "deed_witness": _("社区按台账登记的善行里有 {count} 件写了您是证明人。您没有见证的话，请告诉社区管理员。"),
        "deed_withdrawn": _("登记给您的 {count} 件善行（共 {points} 分）撤回了，不再记分。不对的话请找社区管理员。"),
        "deed_withdrawn.witness": _("写您是证明人的 {count} 件善行撤回了。"),
        "deed_credited": _("「{rule}」公示期满，已记 {points} 分，有效到 {until:day}。"),
        "deed_credited.several": _("您的 {count} 件善行公示期满，已记 {points} 分，有效到 {until:day}。"),
        "deed_rejected": _("「{rule}」（{day:day}，{area}）没有通过审核。原因：{reason} 改好后可以重新登记。"),
        "deed_rejected.objected": _("「{rule}」（{day:day}）有人提出异议，核实后不予记分。说明：{note}"),
        "deed_noticed": _("对「{rule}」（{day:day}）的异议核实过了，公示照常。"),
        "deed_objected": _("「{rule}」（{day:day}）有人提出异议，社区核实以前先不记分。结果会告诉您。"),
        "deed_reversed": _(
            "「{rule}」（{day:day}）的 {points} 分已冲正。原因：{reason} {more:sentences}"
            "如不同意，请在「善行」里点开这件事提出异议。"
        ),
        "deed_owed": _("其中 {points} 分已经花掉，记作欠账，由以后所得补还。"),
        "deed_lapsed": _("其中 {points} 分早已到期，不再另扣。"),
        "witness_asked": _(
            "{person}登记了一件善行，请您作证：「{rule}」（{day:day}，{area}）。请在「善行」里点开，说是不是这样。"
        ),
        "witness_denied": _("「{rule}」（{day:day}）的见证人说不是这样，要重新审核。结果会告诉您。"),
        "record_objected": _("您的一条补录服务有人提出异议，社区核实以前先不计入。结果会告诉您。"),
        "record_noticed": _("对您的一条补录服务的异议核实过了，公示照常。"),
        "record_rejected.objected": _("您的一条补录服务有人提出异议，核实后不予计入。说明：{note}"),
        "objection_decided": _("您的异议有了决定：{outcome}。{note}"),
        "outcome.restored": _("积分已恢复"),
        "outcome.reversal_stays": _("冲正不变"),
        "outcome.deed_rejected": _("这件善行不予记分"),
        "outcome.record_rejected": _("这条服务不予计入"),
        "outcome.notice_goes_on": _("公示照常"),
        "objection_entered.deed": _(
            "工作人员替您对一件善行提出了异议，结果会告诉您。不是您的意思的话，请马上告诉社区管理员。"
        ),
        "objection_entered.service_record": _(
            "工作人员替您对一条服务记录提出了异议，结果会告诉您。不是您的意思的话，请马上告诉社区管理员。"
        ),
        "objection_waits": _("有一条异议在等您决定，请在 {by:day} 以前核实并决定：面板，道德积分，有异议。"),
        "objection_waits.overdue": _(
            "有一条异议过了决定的期限（{by:day}），被它拖着的积分还没有记。请今天在面板里决定，或请街道来决定。"
        ),
        "objection_waits.overdue_below": _(
            "{place}有一条异议过了决定的期限（{by:day}），社区还没有决定，被它拖着的积分没有记。"
            "您可以决定：面板，道德积分，有异议。"
        ),
        "entry.deed": _("{area} · {day} · {rule} v{version}，{unit:word} {points} 分"),
        "entry.deed_at_other_points": _("{area} · {day} · {rule} v{version}，核定 {points} 分：{reason}"),
        "entry.deed_reversed": _("冲正：{rule}。{reason}"),
    },
    audit={
        "answer_as_witness": _("作了证"),
        "ask_witness": _("问了见证人"),
        "credit_deed": _("给善行记了分"),
        "decide_objection": _("决定了异议"),
        "file_deed": _("登记了善行"),
        "object": _("提出了异议"),
        "reverse_deed": _("冲正了善行"),
        "review_deed": _("审核了善行"),
        "withdraw_deed": _("撤回了善行"),
    },
    nouns={
        "deed": _("善行"),
        "objection": _("异议"),
    },
    panel={"deed": "/admin/deeds/", "objection": "/admin/objections/"},
)
