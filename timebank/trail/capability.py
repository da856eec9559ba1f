"""The audit trail: who did what, and when."""

from timebank.core.capability import Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="trail",
    api=("timebank.trail.api.read_trail",),
    pages=("admin.trail.PanelTrailPages",),
    menu=(MenuEntry(place=140, href="/admin/audit", icon="list", word=_("操作记录")),),
)
