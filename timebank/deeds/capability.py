"""The manifest of deeds (the moral bank): filing, review and credit."""

from timebank.core.capability import Agreed, Capability, Job, MenuEntry, PersonColumn, Reversal, Source
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
    people=(
        PersonColumn("deed", "person_id", "moves"),
        PersonColumn("deed", "witness_id", "moves"),
    ),
    in_use={"area": "SELECT area_id FROM deed WHERE community_id = $1"},
    subjects=("timebank.deeds.objection_effects.DEED",),
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
            "timebank.objections.deciding.restore_agreed",
            "timebank.deeds.restoring.present_reversal_state",
        ),
    ),
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
    panel={"deed": "/admin/deeds/"},
)
