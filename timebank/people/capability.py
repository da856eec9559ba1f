"""People: records, households, guardians and messages."""

from timebank.core.capability import Agreed, Capability, MenuEntry
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
        "admin.people.PanelPeoplePages",
        "admin.person_acts.PanelPersonPages",
        "timebank.people.pages.messages.MessagePages",
    ),
    menu=(MenuEntry(place=30, href="/admin/people", icon="people", word=_("居民"), context="many"),),
    agreed=(
        Agreed("timebank.people.guardianship.guardians.GUARDIAN", "timebank.people.guardianship.guardians.name_agreed"),
        Agreed(
            "timebank.people.guardianship.guardians.GUARDIAN_CONSENT",
            "timebank.people.guardianship.guardians.consent_agreed",
        ),
    ),
    audit={
        "correct_person": _("更正了居民登记"),
        "end_guardianship": _("解除了监护登记"),
        "enrol": _("登记了居民"),
        "enrol_many": _("批量登记了居民"),
        "look_up": _("在柜台查了人"),
        "name_guardian": _("登记了监护人"),
        "nominate_guardians": _("批量提名了监护人"),
        "open_person": _("查看了居民"),
        "read_children": _("查看了含孩子的名单"),
        "record_consent": _("登记了监护同意"),
        "set_status": _("停用或恢复了居民"),
        "withdraw_consent": _("撤回了监护同意"),
        "withdraw_many": _("批量撤回了居民"),
        "withdraw_nominations": _("撤回了监护提名"),
    },
)
