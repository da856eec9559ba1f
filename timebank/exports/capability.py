"""The manifest of exports: lists of the panel saved as workbooks, and the search field over all of them."""

from timebank.core.capability import Agreed, Capability, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="exports",
    tables="timebank.exports.tables",
    pages=("admin.exports.PanelExportPages", "admin.finding.PanelFindingPages"),
    menu=(MenuEntry(place=115, href="/admin/exports", icon="download", word=_("导出名单")),),
    agreed=(Agreed("timebank.exports.consent.EXPORT", "timebank.exports.consent.consent_given"),),
    audit={"export_list": _("导出了名单")},
    nouns={"export": _("导出的表格")},
)
