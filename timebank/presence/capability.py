"""Presence: scans, and the visits that come of them."""

from timebank.core.capability import (
    Capability,
    CounterDone,
    CounterLine,
    CounterOffer,
    Job,
    MessageKind,
    PersonColumn,
    ResidentPart,
    Workplace,
)
from timebank.core.locale import _

CAPABILITY = Capability(
    name="presence",
    tables="timebank.presence.tables",
    api=(
        "timebank.presence.api.Checkins",
        "timebank.presence.api.MyCode",
    ),
    pages=(
        "timebank.presence.pages.scan.ScanPages",
        "timebank.presence.pages.code.CodePages",
        "timebank.presence.pages.leader.LeaderPages",
        "timebank.presence.pages.counter.CounterPages",
        "timebank.presence.pages.undo.CounterUndoPages",
        "timebank.presence.pages.wall.WallPages",
        "admin.presence.PanelPresencePages",
    ),
    workplaces=(Workplace(place=20, href="/desk", icon="station", word=_("柜台"), who="keepers"),),
    jobs=(
        Job("close_forgotten", 60, "timebank.presence.forgotten.close_forgotten"),
        Job("forget_claims", 600, "timebank.presence.evidence.claims.purge_claims"),
        Job("forget_addresses", 3600, "timebank.presence.evidence.browsers.purge_addresses"),
    ),
    people=(
        PersonColumn("visit", "person_id", "moves"),
        PersonColumn("scan", "person_id", "stays"),
        PersonColumn("undone_act", "person_id", "stays"),
    ),
    done=(
        CounterDone(
            name="check_in",
            word=_("签到"),
            undo="/desk/visits/{id}/undo",
            select="SELECT v.id, v.in_at, v.person_id, a.name, v.in_by_login, "
            "CASE WHEN v.status = 'open' THEN v.in_received_at END FROM visit v "
            "LEFT JOIN activity a ON a.community_id = v.community_id AND a.id = v.activity_id "
            "WHERE v.community_id = $1 AND v.station_id = $2 AND v.in_at >= $3 AND v.status <> 'void'",
        ),
        CounterDone(
            name="check_out",
            word=_("签退"),
            undo="/desk/check-outs/{id}/undo",
            select="SELECT v.id, v.out_at, v.person_id, NULL, v.out_by_login, "
            "CASE WHEN v.status = 'closed' THEN v.out_received_at END FROM visit v WHERE v.community_id = $1 "
            "AND v.station_id = $2 AND v.in_at >= $3::timestamptz - interval '1 day' AND v.out_at >= $3 "
            "AND v.status <> 'void'",
        ),
    ),
    lines=(CounterLine(10, "timebank.presence.pages.lines.people_in"),),
    offers=(CounterOffer(10, "timebank.presence.pages.offers.visit_buttons"),),
    in_use={"activity": "SELECT activity_id FROM visit WHERE community_id = $1"},
    sentences={
        "check_in_undone": _("您{at:moment}在{station}的签到撤销了，不计时长。有疑问请找{station}。"),
        "check_out_undone": _(
            "您{at:moment}在{station}的签退撤销了，{taken:clauses}，现在仍在站。离开时请再签退；有疑问请找{station}。"
        ),
        "checked_by_staff.check_in": _(
            "{station}的工作人员{at:moment}没有扫码、替您签到了。您当时不在那里的话，请告诉社区管理员。"
        ),
        "checked_by_staff.check_out": _(
            "{station}的工作人员{at:moment}没有扫码、替您签退了。您当时不在那里的话，请告诉社区管理员。"
        ),
        "check_out_forgotten": _(
            "您{in_at:moment}在{station}签到，没有签退，先按{out_at:moment}离开记下。{counts:sentences}"
            "请到驿站柜台或找社区管理员，说明您是几点离开的。"
        ),
        "waits_for_review": _("有人核实以前不计时长和积分。"),
        "not_counted": _("时间太短，不计时长。"),
    },
    messages={
        "check_in_undone": MessageKind(leads="/visits"),
        "check_out_undone": MessageKind(leads="/visits/{id}", otherwise="/visits"),
        "checked_by_staff": MessageKind(leads="/visits/{id}", otherwise="/visits"),
        "check_out_forgotten": MessageKind(leads="/visits/{id}", otherwise="/visits", waits=True),
    },
    audit={
        "check_in": _("签到了"),
        "check_out": _("签退了"),
        "close_forgotten": _("收尾了忘记的签退"),
        "identify": _("在柜台扫码认了人"),
        "undo_check_in": _("撤销了签到"),
        "undo_check_out": _("撤销了签退"),
    },
    nouns={"visit": _("到场")},
    resident_parts=(
        ResidentPart(
            name="refused_scans",
            place=25,
            word=_("没签上"),
            template="people/parts/refused_scans.html",
            read="timebank.presence.scans.refused.refused_scans_of",
        ),
    ),
)
