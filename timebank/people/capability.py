"""People: records, households, guardians and messages."""

from timebank.core.capability import Agreed, Capability, Delivery, MenuEntry, PersonColumn
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
    deliveries=(
        Delivery(kind="message", verb="timebank.people.pushing.push.push_message", word=_("新消息的推送"), leaves=True),
    ),
    agreed=(
        Agreed("timebank.people.guardianship.guardians.GUARDIAN", "timebank.people.guardianship.guardians.name_agreed"),
        Agreed(
            "timebank.people.guardianship.guardians.GUARDIAN_CONSENT",
            "timebank.people.guardianship.guardians.consent_agreed",
        ),
    ),
    people=(
        PersonColumn("household_move", "person_id", "moves"),
        PersonColumn("person", "merged_into", "moves"),
        PersonColumn("guardianship", "guardian_id", "moves"),
        PersonColumn("guardianship", "child_id", "moves"),
        PersonColumn("message", "person_id", "moves"),
    ),
    in_use={"area": "SELECT area_id FROM household WHERE community_id = $1"},
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
    child_lists={"people": _("居民名单"), "household": _("同户")},
    nouns={
        "guardianship": _("监护登记"),
        "person": _("居民"),
    },
    panel={"person": "/admin/people/"},
)
