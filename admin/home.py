"""The panel's first page: open work and the community's figures."""

from collections.abc import Sequence

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from timebank.areas.places import regions_in_reach
from timebank.areas.workdays import may_set_workdays, unannounced_years
from timebank.cards.confirming import UnconfirmedCard, count_unconfirmed, unconfirmed_cards
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.expiry.expiring import waiting_expiries
from timebank.http.callers import AnyRequest
from timebank.ledger.totals import has_credited, totals
from timebank.overview.community import read_work
from timebank.overview.figures import figures
from timebank.web.pages import page


class PanelHomePages(Controller):
    path = "/admin"
    include_in_schema = False

    @get()
    async def home(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        async with transaction(caller), database.gathering() as reads:
            work = reads.start(read_work(caller))
            counted_cards = reads.start(count_unconfirmed(caller))
            listed_cards = reads.start(unconfirmed_cards(caller))
            begun = reads.start(has_credited(caller))
            expiries = reads.start(waiting_expiries(caller))
            points = reads.start(totals(caller))
            counted_before = reads.start(figures(caller))
            regions = reads.start(regions_in_reach(caller))
            missing = reads.start(unannounced_years()) if may_set_workdays(caller) else None
        (waiting, mine), cards = work.result(), counted_cards.result()
        return page(
            request, caller, "home/overview.html", waiting=waiting, mine=mine, expiries=len(expiries.result()),
            cards=cards, own_cards=_own_cards(cards, listed_cards.result()), begun=begun.result(),
            points=points.result()["point"], figures=counted_before.result(), year=clock.local_day().year,
            missing=missing.result() if missing else [], community_id=caller.community_id,
            communities=[r for r in regions.result() if r.kind == "community"],
        )  # fmt: skip


def _own_cards(cards: int, shown: Sequence[UnconfirmedCard]) -> int:
    """How many of the `cards` unconfirmed cards the caller may confirm.

    Only the listed cards are checked; unlisted ones count as confirmable if at least one listed card is.
    """
    listed = [card.may_confirm for card in shown]
    return cards - listed.count(False) if any(listed) else 0
