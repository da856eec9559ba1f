"""The panel's first page: what waits, and how the community stands."""

from datetime import date

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from timebank import clock, database
from timebank.access.callers import AnyRequest
from timebank.areas.places import regions_in_reach
from timebank.database import transaction
from timebank.ledger.check import totals
from timebank.scope import Scope
from timebank.web.pages import page

LOW_STOCK = 3


class Waiting(msgspec.Struct):
    """How many of each thing wait for somebody, and how the community stands. This month at most is counted."""

    records: int
    doubtful: int
    deeds: int
    objections: int
    low_goods: int
    people: int
    present: int
    reserved: int
    minutes_this_month: int
    people_this_month: int
    expiring: int


_WAITING = """
SELECT
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending') AS records,
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending' AND flags <> '{}') AS doubtful,
  (SELECT count(*) FROM deed WHERE community_id = $1 AND status = 'filed') AS deeds,
  (SELECT count(*) FROM objection WHERE community_id = $1 AND upheld IS NULL) AS objections,
  (SELECT count(*) FROM stock s JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id
   WHERE s.community_id = $1 AND g.active AND s.quantity <= $5) AS low_goods,
  (SELECT count(*) FROM person WHERE community_id = $1 AND status = 'active') AS people,
  (SELECT count(*) FROM visit WHERE community_id = $1 AND status = 'open') AS present,
  (SELECT count(*) FROM redemption WHERE community_id = $1 AND status = 'reserved') AS reserved,
  (SELECT coalesce(sum(credited_minutes), 0)::bigint FROM service_record WHERE community_id = $1
   AND status = 'approved' AND created_at >= $2) AS minutes_this_month,
  (SELECT count(DISTINCT person_id) FROM service_record WHERE community_id = $1
   AND status = 'approved' AND created_at >= $2) AS people_this_month,
  (SELECT coalesce(sum(balance), 0)::bigint FROM account WHERE community_id = $1 AND currency = 'point'
   AND bucket = 'available' AND owner_kind = 'person' AND expires_on BETWEEN $3 AND $4) AS expiring
"""


class PanelHome(Controller):
    path = "/admin"
    include_in_schema = False

    @get()
    async def home(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        caller.require_reader()
        today = clock.local_day()
        month, _end = clock.day_bounds(today.replace(day=1))
        async with transaction(caller):
            waiting = await database.row(
                Waiting, _WAITING, caller.community_id, month, today, date(today.year, 12, 31), LOW_STOCK
            )
            points = (await totals(caller))["point"]
            regions = await regions_in_reach(caller)
        return page(
            request, caller, "home/overview.html", waiting=waiting, points=points, year=today.year,
            communities=[r for r in regions if r.kind == "community"], community_id=caller.community_id,
        )  # fmt: skip
