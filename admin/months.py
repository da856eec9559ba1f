"""The panel's pages of one month: its days, its service by activity, station and area; and the book of one day."""

from datetime import date, timedelta

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from admin.ledger import entries_in_words
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.ledger.entries import entries_of_day
from timebank.ledger.months.turnover import Turnover, turnover_by_day
from timebank.overview.months import months_back, service_by_month, shares_of_month
from timebank.web.pages import page

FIRST_YEAR = 2000
KINDS = ("activity", "station", "area")


class PanelMonthPages(Controller):
    path = "/admin/months"
    include_in_schema = False

    @get("/{month:date}")
    async def month(self, request: AnyRequest, month: FromPath[date], caller: NamedDependency[Scope]) -> Template:
        """The days of the month that has this first day, newest first, and whose service it was."""
        _known(month)
        if month.day != 1:
            raise NotFound
        after = months_back(month, -1)
        async with transaction(caller), database.gathering() as reads:
            listed = reads.start(turnover_by_day(caller, month, after))
            served = reads.start(service_by_month(caller, month))
            shared = reads.start(shares_of_month(caller, month))
        days, shares = listed.result(), shared.result()
        return page(
            request, caller, "months/month.html", month=month, days=sorted(days.items(), reverse=True),
            total=sum(days.values(), Turnover()), service=served.result().get(month),
            kinds=[(kind, [share for share in shares if share.kind == kind]) for kind in KINDS],
            before=months_back(month, 1), after=after if after <= clock.local_day() else None,
        )  # fmt: skip

    @get("/days/{day:date}")
    async def day(
        self, request: AnyRequest, day: FromPath[date], caller: NamedDependency[Scope], cursor: Cursor = None
    ) -> Template:
        """Every ledger entry of a local day, newest first, and what they come to."""
        _known(day)
        found = await entries_of_day(caller, day, limit=50, cursor=cursor)
        tomorrow = day + timedelta(days=1)
        return page(
            request, caller, "months/day.html", day=day, first=cursor is None, next=found.next,
            total=(await turnover_by_day(caller, day, tomorrow)).get(day, Turnover()),
            items=await entries_in_words(caller, list(found.items), language_of(request)),
            month=day.replace(day=1), before=day - timedelta(days=1),
            after=tomorrow if tomorrow <= clock.local_day() else None,
        )  # fmt: skip


def _known(day: date) -> None:
    """Raise NotFound for a day that no book has: before the year 2000, or still to come."""
    if day.year < FIRST_YEAR or day > clock.local_day():
        raise NotFound
