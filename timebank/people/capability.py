"""People: records, households, guardians, cards, messages, and merging two records of one person."""

from timebank.core.capability import Agreed, Capability, MenuEntry, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="people",
    tables="timebank.people.tables",
    api=(
        "timebank.people.api.People",
        "timebank.people.api.Guardianships",
        "timebank.people.api.Messages",
    ),
    pages=(
        "timebank.people.pages.family.FamilyPages",
        "admin.people.PeoplePages",
        "admin.merging.MergePages",
        "admin.person_acts.PersonActs",
        "timebank.people.pages.messages.MessagePages",
        "timebank.cards.pages.counter.CardPages",
    ),
    menu=(MenuEntry(30, "/admin/people", "people", _("居民"), context="many"),),
    sources=(Source(noun="person_merge", entries=("merge", "repayment")),),
    statement={
        "merge": _("两条登记合并"),
    },
    agreed=(
        Agreed("timebank.people.guardianship.guardians.GUARDIAN", "timebank.people.guardianship.guardians.name_agreed"),
        Agreed(
            "timebank.people.guardianship.guardians.GUARDIAN_CONSENT",
            "timebank.people.guardianship.guardians.consent_agreed",
        ),
        Agreed(
            "timebank.merging.merging.PERSON_MERGE",
            "timebank.merging.merging.merge_agreed",
            "timebank.merging.merging.stands_now",
        ),
    ),
    audit={
        "confirm_card": _("核对了服务卡"),
        "correct_person": _("更正了居民登记"),
        "end_guardianship": _("解除了监护登记"),
        "enrol": _("登记了居民"),
        "enrol_many": _("批量登记了居民"),
        "issue_card": _("发了卡"),
        "issue_missing_cards": _("批量发了卡"),
        "look_up": _("在柜台查了人"),
        "merge_people": _("合并了同一个人的登记"),
        "name_guardian": _("登记了监护人"),
        "nominate_guardians": _("批量提名了监护人"),
        "open_person": _("查看了居民"),
        "read_children": _("查看了含孩子的名单"),
        "record_consent": _("登记了监护同意"),
        "revoke_card": _("挂失了卡"),
        "set_status": _("停用或恢复了居民"),
        "undo_merge": _("撤回了登记的合并"),
        "withdraw_consent": _("撤回了监护同意"),
        "withdraw_many": _("批量撤回了居民"),
        "withdraw_nominations": _("撤回了监护提名"),
    },
)
