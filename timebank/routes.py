"""Every address of the service: the JSON API by capability, then the pages by face."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from timebank import health
from timebank.access import api as access
from timebank.activities import api as activities
from timebank.areas import api as areas
from timebank.deeds import api as deeds
from timebank.people import api as people
from timebank.rules import api as rules
from timebank.shop import api as shop
from timebank.stations import api as stations

API: Sequence[ControllerRouterHandler] = [
    access.Sessions,
    access.Me,
    access.Roles,
    people.People,
    people.Guardianships,
    people.Messages,
    areas.Areas,
    areas.Policies,
    deeds.Deeds,
    deeds.Objections,
    deeds.object_to_record,
    deeds.read_board,
    rules.Rules,
    stations.Stations,
    activities.Activities,
    activities.Shifts,
    shop.Goods,
    shop.Redemptions,
]

PAGES: Sequence[ControllerRouterHandler] = [
    health.healthz,
    health.readyz,
]
