"""Access: logins, sessions, roles and devices."""

from timebank.core.capability import Agreed, Capability, MenuEntry, MessageKind, PersonColumn, ResidentPart, Sweep
from timebank.core.locale import _

CAPABILITY = Capability(
    name="access",
    tables="timebank.access.tables",
    api=(
        "timebank.access.api.Sessions",
        "timebank.access.api.Me",
        "timebank.access.api.Roles",
        "timebank.access.api.Counter",
    ),
    pages=(
        "timebank.access.pages.sign_in.SignInPages",
        "timebank.access.pages.sign_in.PasswordPages",
        "timebank.access.pages.own_sign_ins.OwnSignInPages",
        "admin.roles.PanelRolePages",
        "admin.sign_ins.PanelSignInPages",
        "timebank.access.pages.pairing.PairingPages",
        "timebank.access.pages.sign_on.CounterSignOnPages",
        "timebank.access.pages.sign_in_code.CounterSignInCodePages",
        "timebank.access.pages.devices.CounterDevicePages",
    ),
    menu=(MenuEntry(place=160, href="/admin/roles", icon="person", word=_("身份"), context="many"),),
    sweeps=(
        Sweep("throttle", 3600, "timebank.access.sign_in.attempt_limits.purge_attempts"),
        Sweep("sign_in_delays", 3600, "timebank.access.sign_in.sign_in_delays.purge_delays"),
        Sweep("idempotent_requests", 3600, "timebank.access.stored_answers.purge_answers"),
        Sweep("sessions", 3600, "timebank.access.sign_in.sessions.purge_sessions"),
    ),
    agreed=(
        Agreed(
            "timebank.access.roles.grants.ADMIN_GRANT",
            "timebank.access.roles.grants.give_agreed",
            "timebank.access.roles.grants.is_held",
        ),
        Agreed("timebank.access.roles.grants.END_AUDITOR", "timebank.access.roles.grants.end_agreed"),
        Agreed("timebank.access.roles.grants.OFFICE_BEFORE"),
        Agreed(
            "timebank.access.registration.CORRECTION",
            "timebank.access.registration.amend_agreed",
            "timebank.people.waiting_corrections.correction_state",
        ),
        Agreed(
            "timebank.access.registration.FAMILY_CORRECTION",
            "timebank.access.registration.amend_agreed",
            "timebank.people.waiting_corrections.correction_state",
        ),
        Agreed(
            "timebank.access.devices.further_devices.FURTHER_DEVICE",
            "timebank.access.devices.further_devices.register_agreed",
        ),
    ),
    people=(
        PersonColumn("membership", "person_id", "settled"),
        PersonColumn("role_grant", "person_id", "moves"),
        PersonColumn("spending_rest", "person_id", "stays"),
        PersonColumn("membership_question", "person_id", "stays"),
        PersonColumn("one_time_code", "person_id", "stays"),
        PersonColumn("counter_sign_on", "person_id", "stays"),
    ),
    in_use={"area": "SELECT area_id FROM role_grant WHERE community_id = $1"},
    sentences={
        "membership_asked": _(
            "有社区用您的手机号登记了一位居民，想并到您的账号。请在首页看一看：是您的就同意，不是的不同意。"
        ),
        "membership_asked.agreed": _("一条居民登记并到了您的账号。不是您本人同意的，请马上告诉社区。"),
        "sign_in_code.given": _(
            "{community}的工作人员{giver}刚为您的手机号发了一个登录码。"
            "不是您要的，请马上告诉社区；有密码的，请登录后改密码。"
        ),
        "sign_in_code.given_unnamed": _(
            "{community}的工作人员刚为您的手机号发了一个登录码。不是您要的，请马上告诉社区；有密码的，请登录后改密码。"
        ),
        "sign_in_code.used": _("有人用{where}发的登录码登录了您的账号（{at:moment}）。不是您本人，请马上告诉社区。"),
        "phone_changed": _(
            "{community}的登记换了手机号或不再用这个账号登录（{at:moment}）。不是您要换的，请马上告诉社区。"
        ),
        "phone_changed.rests": _(
            "{community}的登记换了手机号或不再用这个账号登录（{at:moment}）。"
            "不是您要换的，请马上告诉社区；72 小时内新手机号不能花费积分。"
        ),
        "role_granted": _("您有了「{role}」的身份（{place}），从{since:day}起。"),
        "role_granted.paid": _(
            "您有了「{role}」的身份（{place}），从{since:day}起。这是带薪的职务：职务里做的事不另记积分。"
        ),
        "role_granted.imported": _("社区按花名册给您登记了{roles}的身份，从{since:day}起。不对的话请找社区管理员。"),
        "sign_ins_ended": _(
            "{community}的工作人员让您的账号在 {count} 台设备上退出了登录。原因：{reason}。"
            "积分和密码都没有变，再登录就可以用。不是您要的，请马上告诉社区。"
        ),
        "sign_ins_ended.by_holder": _(
            "您的账号在 {count} 台设备上退出了登录，是用这个账号在另一台设备上办的。"
            "不是您办的，请马上换密码，并告诉社区。"
        ),
        "held_role": _("「{role}」（{place}）"),
        "role_ended": _("您的「{role}」身份结束了。{why:sentences}"),
        "role_ended.import_undone": _("您的{roles}身份取消了：登记它的花名册已撤销。不对的话请找社区管理员。"),
    },
    parts={"role": "timebank.access.roles.words.role_in_words"},
    refers_to={
        "person": "SELECT person_id FROM membership WHERE community_id = $1 "
        "UNION ALL SELECT person_id FROM membership_question WHERE community_id = $1"
    },
    messages={
        "membership_asked": MessageKind(leads="/", waits=True),
        "membership_asked.agreed": MessageKind(leads="/"),
        "sign_in_code": MessageKind(leads="/password"),
        "phone_changed": MessageKind(leads="/password"),
        "role_granted": MessageKind(leads="/"),
        "role_ended": MessageKind(leads="/"),
        "sign_ins_ended": MessageKind(leads="/password"),
    },
    audit={
        "agree_membership": _("同意了并到自己的账号"),
        "decline_membership": _("没有同意并到自己的账号"),
        "end_role": _("取消了身份"),
        "end_sign_ins": _("让人退出了登录"),
        "ensure_logins": _("开通了登录"),
        "fail_sign_in": _("多次输错密码或登录码"),
        "give_one_time_code": _("发了登录码"),
        "grant_role": _("设定了身份"),
        "pair_device": _("配对了设备"),
        "register_device": _("登记了设备"),
        "renew_pairing": _("取了新的配对链接"),
        "revoke_device": _("停用了设备"),
        "set_password": _("设了新密码"),
        "sign_in": _("登录了"),
        "sign_off": _("从柜台下岗"),
        "sign_on": _("在柜台上岗"),
        "sign_out": _("退出了登录"),
        "withdraw_logins": _("撤回了登录"),
        "withdraw_roles": _("撤回了身份"),
    },
    nouns={
        "counter": _("柜台"),
        "device": _("设备"),
        "login": _("登录账号"),
        "role_grant": _("身份"),
    },
    resident_parts=(
        ResidentPart(
            name="sign_ins",
            place=75,
            word=_("登录设备"),
            template="people/parts/sign_ins.html",
            read="timebank.access.sign_in.sign_ins.sign_ins_of",
        ),
    ),
)
