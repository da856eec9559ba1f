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
    memos={
        "deed": _("{area} · {day} · {rule} v{version}，{unit:word} {points} 分"),
        "deed_at_other_points": _("{area} · {day} · {rule} v{version}，核定 {points} 分：{reason}"),
        "deed_reversed": _("冲正：{rule}。{reason}"),
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
