"""The manifest of the inbox. Its kinds are in the manifests of the capabilities whose rows are decided."""

from timebank.core.capability import Capability, MenuEntry, MessageKind, Sweep
from timebank.core.locale import _

CAPABILITY = Capability(
    name="inbox",
    tables="timebank.inbox.tables",
    pages=("admin.inbox.PanelInboxPages",),
    menu=(MenuEntry(place=20, href="/admin/inbox", icon="check", word=_("待办")),),
    sweeps=(Sweep("carry_out_decisions", 2, "timebank.inbox.carrying_out.carry_out_decisions"),),
    sentences={
        "decided_many": _(
            "您一起决定的 {chosen} 件，办好 {done} 件，有 {refused} 件没有办成。原因和名单在“待办”的“一起决定的”里。"
        ),
        "decided_many.stopped": _(
            "您一起决定的 {chosen} 件，办了 {done} 件就停下了：您现在没有决定它们的身份。其余的没有动，请另一位来决定。"
        ),
        "inbox_waits": _("{place}有 {count} 件事等您决定：面板，待办。这是{by}请您看一看的。"),
    },
    messages={
        "decided_many": MessageKind(leads="/admin/inbox/decisions/{id}", otherwise="/"),
        "inbox_waits": MessageKind(leads="/admin/inbox", waits=True),
    },
    audit={
        "decide_many": _("一起决定了多件"),
        "undo_decide_many": _("撤销了一起决定的"),
        "remind_deciders": _("提醒了能决定的人"),
    },
    nouns={"mass_decision": _("一起决定的"), "region": _("社区")},
    panel={"mass_decision": "/admin/inbox/decisions/"},
)
