"""Overview: figures and verbs that involve several capabilities."""

from timebank.core.capability import (
    Capability,
    CounterDone,
    Exported,
    InboxKind,
    Job,
    MenuEntry,
    MessageKind,
    ResidentPart,
    Workplace,
)
from timebank.core.locale import _

CAPABILITY = Capability(
    exported=(
        Exported(
            name="entries",
            word=_("账目"),
            rows="timebank.overview.entries_exported.entry_rows",
            of_people=True,
            headings=("入账", "种类", "姓名", "积分", "时间（分钟）", "课时（分钟）", "为什么", "编号"),
            filters=("person_id", "kind", "least", "most", "since", "until"),
        ),
    ),
    name="overview",
    tables="timebank.overview.tables",
    pages=(
        "timebank.overview.pages.home.HomePages",
        "timebank.overview.pages.work.WorkPages",
        "admin.home.PanelHomePages",
        "admin.months.PanelMonthPages",
    ),
    menu=(MenuEntry(place=10, href="/admin", icon="chart", word=_("总览")),),
    workplaces=(
        Workplace(place=10, href="/admin", icon="chart", word=_("管理"), who="readers"),
        Workplace(place=90, href="/", icon="home", word=_("以居民身份"), who="residents"),
    ),
    inbox=(
        InboxKind(
            noun="waiting_change",
            place=50,
            word=_("待另一人确认"),
            icon="people",
            listing="timebank.overview.waiting.listing",
            decidable="timebank.overview.waiting.decidable",
            page="/admin/agreements",
        ),
    ),
    done=(
        CounterDone(
            name="confirm_login",
            word=_("确认了账号是本人"),
            undo="/desk/sign-in-code/confirmations/{id}/undo",
            # One act may end several pauses of a person; all of them have its moment, and one stands for them.
            select="SELECT r.id, r.ended_at, r.person_id, NULL::text, r.ended_by_login, r.ended_at "
            "FROM spending_rest r WHERE r.community_id = $1 AND r.ended_station_id = $2 AND r.ended_at >= $3 "
            "AND NOT EXISTS (SELECT FROM spending_rest o WHERE o.community_id = $1 AND o.ended_station_id = $2 "
            "AND o.ended_at = r.ended_at AND o.person_id = r.person_id AND o.id < r.id)",
        ),
    ),
    jobs=(
        Job("remind_deciders", 60, "timebank.overview.reminding.remind_deciders"),
        Job("count_figures", 600, "timebank.overview.figures.count_figures"),
        Job("count_this_month", 600, "timebank.overview.months.count_this_month"),
        Job("count_months", 6 * 3600, "timebank.overview.months.count_months"),
    ),
    sentences={
        "change_decided.agreed": _("另一个人同意了，已经办好：{change}。{note:sentences}"),
        "change_decided.refused": _("另一个人没有同意：{change}。{note:sentences}"),
        "note": _("说明：{note}"),
        "login_confirmed": _("{community}的另一位工作人员确认了这个账号是您本人的。不是您本人在用，请马上告诉社区。"),
        "login_confirmed.undone": _(
            "{community}的工作人员撤销了刚才的确认：这个账号的花费又要等一等，或请另一位工作人员确认是您本人。"
            "签到、查看照常。"
        ),
        "change_waits": _("{place}有 {count} 项改动等您决定。请在管理页面的「待另一人确认」里看。"),
        "cards_wait": _("{place}有 {count} 张新卡等您核对。请在管理页面的「到站核对」里点一下。"),
        "logins_wait": _(
            "{place}有 {count} 位工作人员的账号等您确认是本人的。请在管理页面的「待另一人确认」里点一下。"
        ),
        "logins_wait.resting": _(
            "{place}有 {count} 位居民的账号等您确认是本人的，确认以前不能花费。请在管理页面的「待另一人确认」里看。"
        ),
        "station_closed": _("{station}停用了。"),
        "station_changed": _(
            "{station}现在的开门时间是 {hours:hours}。您在那里有预留的物品或报了名的班次，请看看时间合不合适。"
        ),
        "station_changed.with_address": _(
            "{station}现在的开门时间是 {hours:hours}，地址是{address}。"
            "您在那里有预留的物品或报了名的班次，请看看时间合不合适。"
        ),
    },
    parts={"change": "timebank.overview.changes_listed.waiting_change_in_words"},
    messages={
        "change_decided": MessageKind(leads="/admin/agreements"),
        "login_confirmed": MessageKind(leads="/password"),
        "change_waits": MessageKind(leads="/admin/agreements", waits=True),
        "cards_wait": MessageKind(leads="/admin/presence", waits=True),
        "logins_wait": MessageKind(leads="/admin/agreements", waits=True),
        "station_closed": MessageKind(leads="/"),
        "station_changed": MessageKind(leads="/"),
    },
    audit={
        "confirm_login": _("确认了账号是本人"),
        "undo_confirm_login": _("撤销了账号是本人的确认"),
        "decide_change": _("决定了待确认的事"),
    },
    resident_parts=(
        ResidentPart(
            name="account",
            place=10,
            word=_("流水"),
            template="people/parts/account.html",
            on_paper=True,
            read="timebank.overview.residents.account.account_of",
        ),
        ResidentPart(
            name="family",
            place=60,
            word=_("家人与监护"),
            template="people/parts/family.html",
            read="timebank.overview.residents.family.family_of",
        ),
        ResidentPart(
            name="access",
            place=70,
            word=_("身份与登录"),
            template="people/parts/access.html",
            read="timebank.overview.residents.family.access_of",
        ),
        ResidentPart(
            name="record",
            place=80,
            word=_("登记"),
            template="people/parts/record.html",
            read="timebank.overview.residents.family.registered_of",
        ),
    ),
    resident_figures=(
        "timebank.overview.residents.account.account_figures",
        "timebank.overview.residents.family.card_figures",
    ),
)
