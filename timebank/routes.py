"""Every address of the service: the JSON API by capability, then the pages by face."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from timebank import health
from timebank.access import api as access
from timebank.activities import api as activities
from timebank.areas import api as areas
from timebank.checkins import api as checkins
from timebank.classes import api as classes
from timebank.deeds import api as deeds
from timebank.imports import api as imports
from timebank.ledger import api as ledger
from timebank.people import api as people
from timebank.rules import api as rules
from timebank.shop import api as shop
from timebank.stations import api as stations
from timebank.web.member import family, home, preferences, sign_in

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
    ledger.own_balances,
    ledger.own_statement,
    ledger.give,
    ledger.check,
    rules.Rules,
    stations.Stations,
    activities.Activities,
    activities.Shifts,
    checkins.Checkins,
    checkins.MyCode,
    checkins.Visits,
    checkins.ServiceRecords,
    shop.Goods,
    shop.Redemptions,
    classes.Courses,
    classes.Lessons,
    classes.buy_class_hours,
    classes.Bookings,
    imports.Imports,
]

PAGES: Sequence[ControllerRouterHandler] = [
    health.healthz,
    health.readyz,
    home.HomePages,
    sign_in.SignInPages,
    sign_in.PasswordPages,
    preferences.PreferencePages,
    family.FamilyPages,
]
