"""Every address of the service: the JSON API by capability, then the pages by face."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from timebank import health
from timebank.access import api as access
from timebank.areas import api as areas
from timebank.rules import api as rules

API: Sequence[ControllerRouterHandler] = [
    access.Sessions,
    access.Me,
    areas.Areas,
    areas.Policies,
    rules.Rules,
]

PAGES: Sequence[ControllerRouterHandler] = [
    health.healthz,
    health.readyz,
]
