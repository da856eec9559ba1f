"""The trail: who did what."""

from timebank.core.capability import Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="trail",
    api=("timebank.trail.api.read_trail",),
    pages=("admin.trail.TrailPages",),
    menu=(MenuEntry(140, "/admin/audit", "list", _("操作记录")),),
    nouns={"demo": _("示范")},
)
