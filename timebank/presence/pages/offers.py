"""What presence offers at a counter: check-in for each activity that is open to the person, or check-out."""

from timebank.core import clock, database
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.presence.choice import choices_for
from timebank.service_records.visits import open_visit
from timebank.web.offers import CounterButton, Offered, Stand


async def visit_buttons(caller: Scope, stand: Stand) -> Offered:
    """Check-in or check-out by the scan that identified the person, else by hand, to be reviewed."""
    fields: dict[str, object] = {"person_id": stand.person_id, "station_id": stand.station_id}
    if stand.presence is not None:
        fields["presence"] = stand.presence
    path = "/desk/hand" if stand.presence is None else "/desk/visits"
    async with database.gathering() as reads:
        visiting = reads.start(open_visit(caller, stand.person_id))
        open_here = reads.start(choices_for(caller, stand.person_id, stand.station_id))
    visit, offered = visiting.result(), open_here.result()
    offers = [*offered.first, *offered.others]
    if visit is not None and visit.station_id != stand.station_id:
        return Offered()
    if visit is not None:
        since = said(_("{time} 起"), time=f"{clock.local(visit.in_at):%H:%M}")
        leaving = CounterButton(
            path=path, text=said(_("签退")), note=since, icon="clock", fields=fields | {"direction": "out"}
        )
        return Offered(buttons=[leaving])
    if not offers:
        return Offered(
            buttons=[CounterButton(path=path, text=said(_("签到")), icon="clock", fields=fields | {"direction": "in"})]
        )
    return Offered(
        buttons=[
            CounterButton(
                path=path, text=said(_("签到")), note=said(offer.name), icon="clock",
                fields=fields | {"direction": "in", "activity_id": offer.id},
            )
            for offer in offers
        ]
    )  # fmt: skip
