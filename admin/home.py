"""The panel's first page: open work and the community's figures."""

from datetime import date

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from timebank.areas.places import regions_in_reach
from timebank.areas.workdays import may_set_workdays, unannounced_years
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import short_month
from timebank.expiry.expiring import waiting_expiries
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.inbox.kinds import decidable, inbox_kinds
from timebank.ledger.months.turnover import Turnover, turnover_by_month
from timebank.ledger.totals import has_credited, totals
from timebank.overview.communities import communities_compared, in_all
from timebank.overview.community import read_totals
from timebank.overview.figures import figures
from timebank.overview.months import Service, months_back, service_by_month, shares_of_month
from timebank.shop.shelves.costs import shelf_value
from timebank.web.pages import page

MONTHS = 12
SHARES_SHOWN = 8

Point = tuple[str, int, int | None, str, str]


class PanelHomePages(Controller):
    path = "/admin"
    include_in_schema = False

    @get()
    async def home(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        month = clock.local_day().replace(day=1)
        async with transaction(caller), database.gathering() as reads:
            counting = [(kind, reads.start(decidable(caller, kind))) for kind in inbox_kinds(caller)]
            totalled = reads.start(read_totals(caller))
            begun = reads.start(has_credited(caller))
            expiries = reads.start(waiting_expiries(caller))
            points = reads.start(totals(caller))
            counted_before = reads.start(figures(caller))
            regions = reads.start(regions_in_reach(caller))
            moved = reads.start(turnover_by_month(caller, months_back(month, 2 * MONTHS - 1)))
            served = reads.start(service_by_month(caller, months_back(month, 2 * MONTHS - 1)))
            shared = reads.start(shares_of_month(caller, month))
            shelves = reads.start(shelf_value(caller))
            missing = reads.start(unannounced_years()) if may_set_workdays(caller) else None
        waiting = [(kind, found) for kind, task in counting if (found := task.result()).waiting]
        return page(
            request, caller, "home/overview.html", waiting=waiting, due=sum(found.mine for _kind, found in waiting),
            doubtful=sum(found.doubtful for _kind, found in waiting), totals=totalled.result(),
            expiries=len(expiries.result()), begun=begun.result(),
            points=points.result()["point"], figures=counted_before.result(),
            missing=missing.result() if missing else [], community_id=caller.community_id,
            communities=[r for r in regions.result() if r.kind == "community"],
            trends=_trends(month, moved.result(), served.result(), language_of(request)), month=month,
            shares=shared.result(), shown_shares=SHARES_SHOWN, shelves=shelves.result(),
        )  # fmt: skip

    @get("/communities")
    async def communities(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The communities that the caller reads, side by side, from what the worker has counted."""
        month = clock.local_day().replace(day=1)
        compared = await communities_compared(caller)
        return page(
            request, caller, "home/communities.html", compared=compared, total=in_all(compared), month=month,
            before=months_back(month, 1), community_id=caller.community_id,
        )  # fmt: skip


def _trends(
    month: date, moved: dict[date, Turnover], served: dict[date, Service], language: str
) -> list[tuple[str, str, list[Point]]]:
    """The trends of the last MONTHS months: title, unit and points, each beside the same month a year before."""
    return [
        (
            _("每月记入的服务"),
            _("小时"),
            _points(month, language, {m: round(each.minutes / 60) for m, each in moved.items()}),
        ),
        (_("每月参加的人"), _("人"), _points(month, language, {m: each.people for m, each in served.items()})),
        (_("每月发出的积分"), _("分"), _points(month, language, {m: each.issued for m, each in moved.items()})),
        (_("每月兑换的积分"), _("分"), _points(month, language, {m: each.redeemed for m, each in moved.items()})),
    ]


def _points(month: date, language: str, numbers: dict[date, int]) -> list[Point]:
    """The last MONTHS months, oldest first. A year before the first number there was nothing to compare with."""
    first = min(numbers, default=month)
    shown = [months_back(month, back) for back in range(MONTHS - 1, -1, -1)]
    return [
        (
            short_month(each, language), numbers.get(each, 0),
            numbers.get(months_back(each, 12), 0) if months_back(each, 12) >= first else None,
            f"/admin/months/{each.isoformat()}", _short(numbers.get(each, 0), language),
        )
        for each in shown
    ]  # fmt: skip


def _short(number: int, language: str) -> str:
    """A number that fits above a bar: 940, 1.2万, 12k."""
    if language == "en":
        return f"{number / 1000:.3g}k" if number >= 10_000 else f"{number:,}"
    return f"{number / 10_000:.3g}万" if number >= 10_000 else f"{number:,}"
