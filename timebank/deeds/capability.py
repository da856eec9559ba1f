"""The manifest of deeds (the moral bank): filing, review and credit."""

from timebank.core.capability import (
    Agreed,
    Capability,
    Exported,
    InboxKind,
    Job,
    MenuEntry,
    MessageKind,
    PersonColumn,
    Pictured,
    ResidentPart,
    Reversal,
    Source,
    Workplace,
)
from timebank.core.locale import _

CAPABILITY = Capability(
    name="deeds",
    tables="timebank.deeds.tables",
    api=(
        "timebank.deeds.api.Deeds",
        "timebank.deeds.api.read_board",
    ),
    pages=(
        "timebank.deeds.pages.deeds.DeedPages",
        "timebank.deeds.pages.board.BoardPages",
        "admin.deeds.PanelDeedPages",
    ),
    menu=(MenuEntry(place=60, href="/admin/deeds", icon="heart", word=_("道德积分"), readers="both"),),
    inbox=(
        InboxKind(
            noun="deed",
            place=20,
            word=_("善行"),
            icon="heart",
            listing="timebank.deeds.filing.waiting.listing",
            decidable="timebank.deeds.filing.waiting.decidable",
            groups="timebank.deeds.filing.waiting.groups",
            decide="timebank.deeds.filing.waiting.decide_deeds",
            filters=("rule", "batch", "date", "flag"),
            flags="timebank.deeds.filing.waiting.FLAGS",
        ),
    ),
    workplaces=(Workplace(place=30, href="/admin/deeds", icon="heart", word=_("审核善行"), who="workers"),),
    jobs=(Job("credit_due_deeds", 60, "timebank.deeds.credit.credit_due_deeds"),),
    invariants="timebank.deeds.invariants.DEEDS",
    sources=(
        Source(
            noun="deed",
            entries=("deed", "reversal", "repayment"),
            reversal=Reversal(("deed",), "timebank.deeds.credit.reverse_deed"),
            credited="SELECT id, person_id FROM deed WHERE community_id = $1",
        ),
    ),
    pictured=(
        Pictured(
            noun="deed",
            stages=("proof",),
            page="/deeds/",
            see="timebank.deeds.reading.find_deed",
            lock="timebank.deeds.reading.lock_deed",
            add="timebank.deeds.photos.adding_refusal",
            clear="timebank.deeds.photos.publishing_refusal",
            closed="timebank.deeds.photos.CLOSED",
        ),
    ),
    people=(
        PersonColumn("deed", "person_id", "moves"),
        PersonColumn("deed", "witness_id", "moves"),
    ),
    in_use={"area": "SELECT area_id FROM deed WHERE community_id = $1"},
    subjects=("timebank.deeds.objections.effects.DEED",),
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
            "timebank.deeds.objections.restoring.DEED_AGAIN",
            "timebank.objections.deciding.restore_agreed",
            "timebank.deeds.objections.restoring.present_reversal_state",
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
        "deed_filed.awarded": _(
            "您做的事有人确认了，记作善行「{rule}」（{day:day}），{points} 分，公示期满没有异议就记分。"
        ),
        "deed_filed.awarded_to_review": _(
            "您做的事有人确认了，登记作善行「{rule}」（{day:day}），{points} 分，审核并公示后才记分。"
        ),
        "deed_witness": _("社区按台账登记的善行里有 {count} 件写了您是证明人。您没有见证的话，请告诉社区管理员。"),
        "deed_withdrawn": _("登记给您的 {count} 件善行（共 {points} 分）撤回了，不再记分。不对的话请找社区管理员。"),
        "deed_withdrawn.witness": _("写您是证明人的 {count} 件善行撤回了。"),
        "deed_credited": _("「{rule}」公示期满，已记 {points} 分，有效到 {until:day}。"),
        "deed_credited.several": _("您的 {count} 件善行公示期满，已记 {points} 分，有效到 {until:day}。"),
        "deed_rejected": _("「{rule}」（{day:day}，{area}）没有通过审核。原因：{reason} 改好后可以重新登记。"),
        "deed_rejected.objected": _("「{rule}」（{day:day}）有人提出异议，核实后不予记分。说明：{note}"),
        "deed_rejected.undone": _("「{rule}」（{day:day}）不再记分，因为它所依据的事撤销了。原因：{reason}"),
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
        "outcome.deed_rejected": _("这件善行不予记分"),
        "objection_entered.deed": _(
            "工作人员替您对一件善行提出了异议，结果会告诉您。不是您的意思的话，请马上告诉社区管理员。"
        ),
        "entry.deed": _("{area} · {day} · {rule}，{unit:word} {points} 分"),
        "entry.deed_at_other_points": _("{area} · {day} · {rule}，核定 {points} 分：{reason}"),
        "entry.deed_reversed": _("冲正：{rule}。{reason}"),
    },
    messages={
        "deed_filed": MessageKind(leads="/deeds/{id}", otherwise="/deeds"),
        "deed_witness": MessageKind(leads="/deeds"),
        "deed_withdrawn": MessageKind(leads="/deeds"),
        "deed_credited": MessageKind(leads="/deeds/{id}", otherwise="/deeds", folds="points"),
        "deed_rejected": MessageKind(leads="/deeds/{id}", otherwise="/deeds"),
        "deed_noticed": MessageKind(leads="/deeds/{id}", otherwise="/deeds"),
        "deed_objected": MessageKind(leads="/deeds/{id}", otherwise="/deeds"),
        "deed_reversed": MessageKind(leads="/deeds/{id}", otherwise="/deeds"),
        "witness_asked": MessageKind(leads="/deeds/{id}", otherwise="/deeds", waits=True),
        "witness_denied": MessageKind(leads="/deeds/{id}", otherwise="/deeds"),
        "objection_entered.deed": MessageKind(leads="/board"),
    },
    audit={
        "answer_as_witness": _("作了证"),
        "award_deed": _("确认后登记善行"),
        "ask_witness": _("问了见证人"),
        "credit_deed": _("给善行记了分"),
        "file_deed": _("登记了善行"),
        "reverse_deed": _("冲正了善行"),
        "review_deed": _("审核了善行"),
        "undo_award": _("撤销了确认所得的善行"),
        "withdraw_deed": _("撤回了善行"),
    },
    nouns={
        "deed": _("善行"),
    },
    exported=(
        Exported(
            name="deeds",
            word=_("善行名单"),
            rows="timebank.deeds.exported.deed_rows",
            of_people=True,
            headings=("日期", "姓名", "楼栋", "事项", "积分", "见证人", "说明", "状态"),
            filters=("status", "person_id"),
        ),
    ),
    panel={"deed": "/admin/deeds/"},
    resident_parts=(
        ResidentPart(
            name="deeds",
            place=50,
            word=_("善行"),
            template="people/parts/deeds.html",
            on_paper=True,
            read="timebank.deeds.reading.deeds_of_resident",
        ),
    ),
)
