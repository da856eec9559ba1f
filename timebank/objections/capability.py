"""The manifest of objections: what residents object to is in the `subjects` of other manifests."""

from timebank.core.capability import Capability, Job, PersonColumn
from timebank.core.locale import _

CAPABILITY = Capability(
    name="objections",
    tables="timebank.objections.tables",
    api=("timebank.objections.api.Objections",),
    pages=("admin.objections.PanelObjectionPages",),
    jobs=(Job("remind_of_objections", 3600, "timebank.objections.reminding.remind_of_objections"),),
    people=(PersonColumn("objection", "person_id", "moves"),),
    audit={
        "decide_objection": _("决定了异议"),
        "object": _("提出了异议"),
    },
    nouns={"objection": _("异议")},
    panel={"objection": "/admin/objections/"},
)
