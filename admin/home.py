"""The panel's first page: open work and the community's figures."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from timebank.areas.places import regions_in_reach
from timebank.areas.workdays import may_set_workdays, unannounced_years
from timebank.cards.confirming import count_unconfirmed, unconfirmed_cards
from timebank.core import clock
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.expiry.expiring import waiting_expiries
from timebank.http.callers import AnyRequest
from timebank.ledger.totals import has_credited, totals
from timebank.overview.community import count_decidable, read_panel_counts
from timebank.overview.figures import figures
from timebank.web.pages import page


class PanelHomePages(Controller):
    path = "/admin"
    include_in_schema = False

    @get()
    async def home(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        async with transaction(caller):
            counted = await read_panel_counts(caller)
            mine = await count_decidable(caller, counted)
            cards = await count_unconfirmed(caller)
            own_cards = await _own_cards(caller, cards)
            begun = await has_credited(caller)
            expiries = len(await waiting_expiries(caller))
            points = (await totals(caller))["point"]
            counted_before = await figures(caller)
            regions = await regions_in_reach(caller)
            missing = await unannounced_years() if may_set_workdays(caller) else []
        return page(
            request, caller, "home/overview.html", waiting=counted, mine=mine, expiries=expiries, cards=cards,
            own_cards=own_cards, begun=begun, points=points, figures=counted_before, year=clock.local_day().year,
            missing=missing, community_id=caller.community_id,
            communities=[r for r in regions if r.kind == "community"],
        )  # fmt: skip


async def _own_cards(scope: Scope, cards: int) -> int:
    """How many of the `cards` unconfirmed cards the caller may confirm.

    Only the listed cards are checked; unlisted ones count as confirmable if at least one listed card is.
    """
    listed = [card.may_confirm for card in await unconfirmed_cards(scope)] if cards else []
    return cards - listed.count(False) if any(listed) else 0
