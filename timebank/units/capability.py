"""The manifest of units."""

from timebank.core.capability import Capability, MenuEntry, MessageKind, PersonColumn, ResidentPart
from timebank.core.locale import _

CAPABILITY = Capability(
    name="units",
    switch=True,
    tables="timebank.units.tables",
    api=(
        "timebank.units.api.Units",
        "timebank.units.api.Affiliations",
    ),
    pages=(
        "admin.units.PanelUnitPages",
        "timebank.units.pages.own.OwnUnitPages",
    ),
    menu=(MenuEntry(place=57, href="/admin/units", icon="station", word=_("单位"), context="many"),),
    people=(PersonColumn("affiliation", "person_id", "moves"),),
    sentences={
        "reported_in": _("社区登记您从{unit}报到（{since:day}起）。不对的话请找社区管理员。"),
        "reported_in.ended": _("社区结束了您从{unit}的报到。不对的话请找社区管理员。"),
    },
    messages={"reported_in": MessageKind(leads="/units")},
    audit={
        "found_unit": _("登记了单位"),
        "change_unit": _("修改了单位"),
        "link_unit": _("登记了单位和社区的关系"),
        "end_unit_link": _("结束了单位和社区的关系"),
        "report_in": _("登记了报到"),
        "leave_unit": _("结束了报到"),
        "read_reported": _("看了单位的报到名单"),
        "withdraw_reported": _("撤回了导入的报到"),
    },
    nouns={
        "county_unit": _("单位"),
        "affiliation": _("报到"),
    },
    stories=("timebank.demo.neighbourhood.units.reporting_in",),
    resident_parts=(
        ResidentPart(
            name="units",
            place=62,
            word=_("单位"),
            template="people/parts/units.html",
            read="timebank.units.affiliations.units_of_resident",
        ),
    ),
)
