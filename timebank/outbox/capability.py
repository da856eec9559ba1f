"""The manifest of the outbox: what verbs leave for the worker to deliver."""

from timebank.core.capability import Capability, Job, MenuEntry
from timebank.core.locale import _

CAPABILITY = Capability(
    name="outbox",
    tables="timebank.outbox.tables",
    pages=("admin.outbox.PanelOutboxPages",),
    menu=(MenuEntry(place=145, href="/admin/outbox", icon="upload", word=_("未送达")),),
    jobs=(
        Job("deliver_due", 15, "timebank.outbox.delivering.deliver_due"),
        Job("purge_delivered", 3600, "timebank.outbox.delivering.purge_delivered"),
    ),
    audit={
        "deliver_again": _("让后台再送一次"),
        "give_up_delivery": _("不再送出"),
    },
    nouns={"outbox": _("要送出的一条")},
)
