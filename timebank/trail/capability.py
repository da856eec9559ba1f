"""The audit trail: who did what, and when."""

from timebank.core.capability import Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="trail",
    api=("timebank.trail.api.read_trail",),
    pages=("admin.trail.TrailPages",),
    menu=(MenuEntry(140, "/admin/audit", "list", _("操作记录")),),
)
