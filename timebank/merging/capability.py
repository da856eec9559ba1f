"""Merging: two records of one person become one, and two again."""

from timebank.core.capability import Agreed, Capability, MessageKind, PersonColumn, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="merging",
    tables="timebank.merging.tables",
    api=("timebank.merging.api.Merging",),
    pages=("admin.merging.PanelMergingPages",),
    sources=(
        Source(
            noun="person_merge",
            entries=("merge", "repayment"),
            held_anew="SELECT row_id FROM person_merge_row WHERE community_id = $1 AND noun = 'hold'",
        ),
    ),
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
    people=(
        PersonColumn("person_merge", "kept_id", "stays"),
        PersonColumn("person_merge", "merged_id", "stays"),
    ),
    sentences={
        "person_merged": _(
            "您在本社区的两条登记合并成了一条，积分、时间和预约都并到了一起；72 小时内不能花费。"
            "不对的话请马上告诉社区。"
        ),
        "merge_undone": _("您在本社区的登记合并已撤回，又分成了两条。不对的话请找社区管理员。"),
        "phone_changed.merged": _("您在一个社区的登记并到了同一个人的另一条登记。不是您本人的，请马上告诉社区。"),
    },
    messages={
        "person_merged": MessageKind(leads="/statement"),
        "merge_undone": MessageKind(leads="/statement"),
        "phone_changed.merged": MessageKind(leads="/"),
    },
    audit={
        "merge_people": _("合并了同一个人的登记"),
        "undo_merge": _("撤回了登记的合并"),
    },
)
