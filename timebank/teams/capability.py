"""The manifest of teams."""

from timebank.core.capability import Capability, MenuEntry, MessageKind, PersonColumn, ResidentPart
from timebank.core.locale import _

CAPABILITY = Capability(
    name="teams",
    switch=True,
    tables="timebank.teams.tables",
    api=(
        "timebank.teams.api.Teams",
        "timebank.teams.api.Skills",
        "timebank.teams.api.OwnSkills",
        "timebank.teams.api.Helpers",
    ),
    pages=(
        "admin.teams.PanelTeamPages",
        "admin.teams.PanelSkillPages",
        "timebank.teams.pages.own.OwnTeamPages",
    ),
    menu=(MenuEntry(place=55, href="/admin/teams", icon="people", word=_("班组"), context="many"),),
    people=(
        PersonColumn("team_member", "person_id", "moves"),
        PersonColumn("person_skill", "person_id", "moves"),
        PersonColumn("free_time", "person_id", "settled"),
    ),
    in_use={"area": "SELECT area_id FROM team WHERE community_id = $1"},
    sentences={
        "team.asked": _("有人申请参加班组“{team}”，请组长看一看。"),
        "team.joined": _("您参加了班组“{team}”。想退出随时可以退出。"),
        "team.declined": _("您参加班组“{team}”的申请没有通过。有疑问请找组长或社区管理员。"),
        "team.left": _("您不再是班组“{team}”的成员。有疑问请找组长或社区管理员。"),
        "team.leads": _("社区请您担任班组“{team}”的组长：确认谁参加，给成员发消息。"),
        "team.leads_no_more": _("您不再担任班组“{team}”的组长，仍是成员。"),
        "team.message": _("班组“{team}”的组长：{text}"),
        "skill_proof_seen": _("社区看过了您“{skill}”的证件。"),
        "skill_entered": _(
            "社区按单位的名单给您登记了 {count} 项技能。别人查不到；愿意被找到的，请到“班组”里打开，不对的可以收回。"
        ),
        "skill_entered.undone": _("社区收回了按名单给您登记的 {count} 项技能。"),
    },
    messages={
        "team": MessageKind(leads="/teams"),
        "team.asked": MessageKind(leads="/teams", waits=True),
        "skill_proof_seen": MessageKind(leads="/teams"),
        "skill_entered": MessageKind(leads="/teams"),
    },
    audit={
        "found_team": _("成立了班组"),
        "change_team": _("修改了班组"),
        "ask_to_join": _("申请参加班组"),
        "confirm_member": _("确认了班组成员或组长"),
        "step_down": _("不再担任组长"),
        "leave_team": _("退出了班组，或请人退出"),
        "write_to_team": _("给班组成员发了消息"),
        "add_skill": _("新增了技能"),
        "change_skill": _("修改了技能"),
        "offer_skill": _("登记了自己的技能"),
        "withdraw_skill": _("收回了自己的技能"),
        "enter_skill": _("按名单登记了技能"),
        "withdraw_entered": _("撤回了按名单登记的技能"),
        "see_proof": _("看过了技能的证件"),
    },
    nouns={
        "team": _("班组"),
        "skill": _("技能"),
    },
    stories=("timebank.demo.neighbourhood.teams.skilled",),
    resident_parts=(
        ResidentPart(
            name="teams",
            place=64,
            word=_("班组和技能"),
            template="people/parts/teams.html",
            read="timebank.teams.residents.teams_of_resident",
        ),
    ),
)
