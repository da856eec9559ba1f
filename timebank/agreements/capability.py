"""The manifest of agreements: changes that wait for a second person."""

from timebank.core.capability import Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="agreements",
    tables="timebank.agreements.tables",
    api=("timebank.agreements.api.Agreements",),
    pages=("admin.agreements.PanelAgreementPages",),
    menu=(MenuEntry(place=130, href="/admin/agreements", icon="people", word=_("待另一人确认")),),
    audit={
        "propose": _("提请另一人确认"),
    },
)
