"""People: records, households, guardians and messages."""

from timebank.core.capability import (
    Agreed,
    Capability,
    Delivery,
    Exported,
    Finder,
    MenuEntry,
    MessageKind,
    PersonColumn,
    ResidentPart,
)
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
    sentences={
        "for_child": _("给{child}的消息：{message}"),
        "reason": _("原因：{reason}。"),
        "community": _("社区"),
        "person_corrected": _("社区更正了您的登记：{fields}。不对的话请找社区管理员。"),
        "field.name": _("姓名"),
        "field.sex": _("性别"),
        "field.born_on": _("出生日期"),
        "field.relation": _("与户主的关系"),
        "field.identity": _("证件号"),
        "field.phone": _("手机号"),
        "field.address": _("住址"),
        "field.head_name": _("户主"),
        "field.publishes_name": _("公示是否用全名"),
        "status_changed.active": _("您在本社区的登记已恢复。{why:sentences}有疑问请找社区管理员。"),
        "status_changed.blocked": _("您在本社区的登记已停用。{why:sentences}有疑问请找社区管理员。"),
        "status_changed.left": _("您在本社区的登记记为迁出。{why:sentences}有疑问请找社区管理员。"),
        "guardianship.named": _("社区登记您为{child}的监护人（{relation}）。不对的话请找社区管理员。"),
        "guardianship.consented": _("社区登记了您的监护同意（{child}）。不对的话请找社区管理员。"),
        "guardianship.consent_withdrawn": _("社区撤回了您的监护同意（{child}）。不对的话请找社区管理员。"),
        "guardianship.ended": _("您对{child}的监护登记已解除，不再代办孩子的事。不对的话请找社区管理员。"),
        "guardianship.nominated": _(
            "社区按花名册登记您为{children}的监护人，还没有经您同意。请登录后在「家庭」里确认同意，或到社区登记；"
            "没有同意，孩子不能积分和上课。不对的话请找社区管理员。"
        ),
        "guardianship.nomination_undone": _(
            "登记您为{children}监护人的花名册已撤销，这项登记取消了。不对的话请找社区管理员。"
        ),
    },
    messages={
        "for_child": MessageKind(leads="/family"),
        "person_corrected": MessageKind(leads="/preferences"),
        "status_changed": MessageKind(leads="/statement"),
        "guardianship": MessageKind(leads="/family"),
        "guardianship.nominated": MessageKind(leads="/family", waits=True),
    },
    found_by=(Finder(place=10, word=_("居民"), context="many", verb="timebank.people.finding.found.people_found"),),
    audit={
        "read_messages": _("看了居民的消息"),
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
    exported=(
        Exported(
            name="people",
            word=_("居民名单"),
            rows="timebank.people.finding.exported.people_rows",
            of_people=True,
            headings=("姓名", "性别", "出生日期", "网格", "楼栋", "单元", "房号", "户主", "与户主关系", "联系电话"),
            filters=("area_id", "status"),
        ),
    ),
    panel={"person": "/admin/people/"},
    resident_parts=(
        ResidentPart(
            name="messages",
            place=90,
            word=_("消息"),
            template="people/parts/messages.html",
            read="timebank.people.messages.messages_of_resident",
        ),
    ),
)
