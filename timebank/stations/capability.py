"""The manifest of stations: the places where people check in, and their devices."""

from timebank.core.capability import Capability, Job, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="stations",
    tables="timebank.stations.tables",
    api=("timebank.stations.api.Stations",),
    pages=("admin.stations.PanelStationPages",),
    menu=(MenuEntry(place=40, href="/admin/stations", icon="station", word=_("驿站"), context="many"),),
    jobs=(Job("forget_readings", 3600, "timebank.stations.code_readings.purge_readings"),),
    in_use={"area": "SELECT area_id FROM station WHERE community_id = $1"},
    audit={
        "add_station": _("新增了驿站"),
        "change_station": _("修改了驿站"),
        "read_code": _("查看了签到码"),
        "rotate_key": _("更换了签到码密钥"),
    },
    nouns={"station": _("驿站")},
    panel={"station": "/admin/stations/"},
)
