"""The panel's page of the three figures of matters: are we on time?"""

from datetime import date, timedelta
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from timebank.areas.places import regions_in_reach
from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.matters.figures.reading import matter_figures
from timebank.matters.figures.schemas import By, FigureRow, FigureShown, Targets
from timebank.web.pages import page

WAYS: dict[By, str] = {
    "grid": _("网格"), "category": _("类别"), "unit": _("单位"), "community": _("社区"), "street": _("街道"),
}  # fmt: skip
DAYS = 30
PAGE = 100


class PanelMatterFigurePages(Controller):
    path = "/admin/figures/matters"
    include_in_schema = False

    @get()
    async def shown(
        self, request: AnyRequest, caller: NamedDependency[Scope], by: FromQuery[str] = "",
        since: FromQuery[date | None] = None, until: FromQuery[date | None] = None,
        region_id: FromQuery[UUID | None] = None, after: FromQuery[int] = 0,
    ) -> Template:  # fmt: skip
        """The three figures with their targets, and the same by grid, category, unit, community or street.

        A page has PAGE rows, those after the first `after`; the sum is always that of all rows.
        """
        caller.require_reader()
        last = until or clock.local_day()
        first = since or last - timedelta(days=DAYS - 1)
        regions = [region for region in await regions_in_reach(caller) if region.kind in ("street", "community")]
        ways = {way: word for way, word in WAYS.items() if way not in ("community", "street") or len(regions) > 1}
        chosen: By = next((way for way in ways if way == by), next(iter(ways)))
        found = await matter_figures(caller, chosen, first, last, region_id)
        return page(
            request, caller, "matters/figures.html", found=found, by=chosen, ways=ways, first=first, last=last,
            three=_three(found.total, found.targets), regions=[(region.id, region.name) for region in regions],
            region_id=region_id, today=clock.local_day(), after=max(after, 0), most=PAGE,
        )  # fmt: skip


def _three(total: FigureRow, targets: Targets) -> list[tuple[str, FigureShown]]:
    return [
        (_("当天办结"), FigureShown.of_row(total.done0, total.mature, targets.done0)),
        (_("两天内办结"), FigureShown.of_row(total.done1, total.mature, targets.done1)),
        (_("三天内办结"), FigureShown.of_row(total.done2, total.mature, targets.done2)),
    ]
