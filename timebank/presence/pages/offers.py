"""What presence offers at a counter: check-in for each activity that is open to the person, or check-out."""

from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.presence.choice import offers_to
from timebank.web.offers import CounterButton, Offered, Stand

MOST = 4


async def visit_buttons(caller: Scope, stand: Stand) -> Offered:
    """Check-in or check-out by the scan that identified the person, else by hand, to be reviewed."""
    fields: dict[str, object] = {"person_id": stand.person_id, "station_id": stand.station_id}
    if stand.presence is not None:
        fields["presence"] = stand.presence
    path = "/desk/hand" if stand.presence is None else "/desk/visits"
    if stand.in_since is not None:
        since = said(_("{time} 起"), time=f"{clock.local(stand.in_since):%H:%M}")
        leaving = CounterButton(
            path=path, text=said(_("签退")), note=since, icon="clock", fields=fields | {"direction": "out"}
        )
        return Offered(buttons=[leaving])
    if stand.is_elsewhere:
        return Offered()
    offers = await offers_to(caller, stand.person_id, stand.station_id)
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
            for offer in offers[:MOST]
        ]
    )  # fmt: skip
