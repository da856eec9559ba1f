"""Access: logins, sessions, roles and devices."""

from timebank.core.capability import Agreed, Capability, MenuEntry, PersonColumn, Sweep
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
        "admin.roles.PanelRolePages",
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
    refers_to={
        "person": "SELECT person_id FROM membership WHERE community_id = $1 "
        "UNION ALL SELECT person_id FROM membership_question WHERE community_id = $1"
    },
    audit={
        "agree_membership": _("同意了并到自己的账号"),
        "decline_membership": _("没有同意并到自己的账号"),
        "end_role": _("取消了身份"),
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
)
