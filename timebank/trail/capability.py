"""The audit trail: who did what, and when."""

from timebank.core.capability import Capability, MenuEntry, ResidentPart
from timebank.core.locale import _

CAPABILITY = Capability(
    name="trail",
    api=("timebank.trail.api.read_trail",),
    pages=("admin.trail.PanelTrailPages",),
    menu=(MenuEntry(place=140, href="/admin/audit", icon="list", word=_("操作记录")),),
    nouns={"demo": _("示范")},
    resident_parts=(
        ResidentPart(
            name="trail",
            place=100,
            word=_("变更记录"),
            template="people/parts/trail.html",
            read="timebank.trail.reading.changes_of_resident",
        ),
    ),
)
