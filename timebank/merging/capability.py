"""Merging: two records of one person become one, and two again."""

from timebank.core.capability import Agreed, Capability, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="merging",
    tables="timebank.merging.tables",
    api=("timebank.merging.api.Merging",),
    pages=("admin.merging.PanelMergingPages",),
    sources=(Source(noun="person_merge", entries=("merge", "repayment")),),
    statement={
        "merge": _("两条登记合并"),
    },
    agreed=(
        Agreed(
            "timebank.merging.merging.PERSON_MERGE",
            "timebank.merging.merging.merge_agreed",
            "timebank.merging.merging.merge_state",
        ),
    ),
    audit={
        "merge_people": _("合并了同一个人的登记"),
        "undo_merge": _("撤回了登记的合并"),
    },
)
