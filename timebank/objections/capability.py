"""The manifest of objections: what residents object to is in the `subjects` of other manifests."""

from timebank.core.capability import Capability, InboxKind, Job, MessageKind, PersonColumn
from timebank.core.locale import _

CAPABILITY = Capability(
    name="objections",
    tables="timebank.objections.tables",
    api=("timebank.objections.api.Objections",),
    pages=("admin.objections.PanelObjectionPages",),
    inbox=(
        InboxKind(
            noun="objection",
            place=40,
            word=_("异议"),
            icon="warning",
            listing="timebank.objections.waiting.listing",
            decidable="timebank.objections.waiting.decidable",
        ),
    ),
    jobs=(Job("remind_of_objections", 3600, "timebank.objections.reminding.remind_of_objections"),),
    people=(PersonColumn("objection", "person_id", "moves"),),
    sentences={
        "objection_decided": _("您的异议有了决定：{outcome}。{note}"),
        "outcome.restored": _("积分已恢复"),
        "outcome.reversal_stays": _("冲正不变"),
        "outcome.notice_goes_on": _("公示照常"),
        "objection_waits": _("有一条异议在等您决定，请在 {by:day} 以前核实并决定：面板，道德积分，有异议。"),
        "objection_waits.overdue": _(
            "有一条异议过了决定的期限（{by:day}），被它拖着的积分还没有记。请今天在面板里决定，或请街道来决定。"
        ),
        "objection_waits.overdue_below": _(
            "{place}有一条异议过了决定的期限（{by:day}），社区还没有决定，被它拖着的积分没有记。"
            "您可以决定：面板，道德积分，有异议。"
        ),
    },
    messages={
        "objection_decided": MessageKind(leads="/board"),
        "objection_waits": MessageKind(leads="/admin/deeds?status=objected", waits=True),
    },
    audit={
        "decide_objection": _("决定了异议"),
        "object": _("提出了异议"),
    },
    nouns={"objection": _("异议")},
    panel={"objection": "/admin/objections/"},
)
