"""Every address of the service: the JSON API by capability, then the pages by face."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from admin import activities as admin_activities
from admin import agreements as admin_agreements
from admin import areas as admin_areas
from admin import classes as admin_classes
from admin import confirmations as admin_confirmations
from admin import deeds as admin_deeds
from admin import goods as admin_goods
from admin import home as admin_home
from admin import import_runs as admin_import_runs
from admin import import_words as admin_import_words
from admin import imports as admin_imports
from admin import ledger as admin_ledger
from admin import merging as admin_merging
from admin import people as admin_people
from admin import person_acts as admin_person_acts
from admin import policies as admin_policies
from admin import presence as admin_presence
from admin import redemptions as admin_redemptions
from admin import reviews as admin_reviews
from admin import roles as admin_roles
from admin import rules as admin_rules
from admin import stations as admin_stations
from admin import trail as admin_trail
from timebank import health
from timebank.access import api as access
from timebank.activities import api as activities
from timebank.agreements import api as agreements
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
from timebank.trail import api as trail
from timebank.web import pairing
from timebank.web.board import notices
from timebank.web.desk import agreed as desk_agreed
from timebank.web.desk import cards as desk_cards
from timebank.web.desk import classes as desk_classes
from timebank.web.desk import counter as desk_counter
from timebank.web.desk import devices as desk_devices
from timebank.web.desk import goods as desk_goods
from timebank.web.desk import shelf as desk_shelf
from timebank.web.desk import sign_in_code as desk_sign_in_code
from timebank.web.desk import sign_on as desk_sign_on
from timebank.web.display import wall
from timebank.web.member import activities as member_activities
from timebank.web.member import classes as member_classes
from timebank.web.member import code as member_code
from timebank.web.member import deeds as member_deeds
from timebank.web.member import family, home, messages, preferences, sign_in, statement
from timebank.web.member import goods as member_goods
from timebank.web.member import redemptions as member_redemptions
from timebank.web.member import scan as member_scan
from timebank.web.member import visits as member_visits

API: Sequence[ControllerRouterHandler] = [
    access.Sessions,
    access.Me,
    access.Roles,
    agreements.Agreements,
    access.Counter,
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
    shop.Confirmations,
    classes.Courses,
    classes.Lessons,
    classes.ClassHours,
    classes.Bookings,
    imports.Imports,
    trail.read_trail,
]

PAGES: Sequence[ControllerRouterHandler] = [
    health.healthz,
    health.readyz,
    health.Metrics,
    home.HomePages,
    sign_in.SignInPages,
    sign_in.PasswordPages,
    preferences.PreferencePages,
    family.FamilyPages,
    admin_home.PanelHome,
    admin_agreements.AgreementPages,
    admin_people.PeoplePages,
    admin_merging.MergePages,
    admin_person_acts.PersonActs,
    admin_roles.RolePages,
    admin_areas.AreaPages,
    admin_policies.PolicyPages,
    admin_imports.ImportPages,
    admin_import_words.ImportWordPages,
    admin_import_runs.ImportRunPages,
    statement.StatementPages,
    messages.MessagePages,
    member_deeds.DeedPages,
    notices.BoardPages,
    admin_deeds.AdminDeeds,
    admin_deeds.AdminObjections,
    admin_ledger.AdminLedger,
    member_goods.GoodsPages,
    member_redemptions.RedemptionPages,
    member_classes.ClassPages,
    member_scan.ScanPages,
    member_code.CodePages,
    member_visits.VisitPages,
    member_activities.ActivityPages,
    wall.WallPages,
    pairing.PairingPages,
    desk_counter.DeskPages,
    desk_sign_on.SignOnPages,
    desk_sign_in_code.SignInCodePages,
    desk_agreed.AgreedPages,
    desk_goods.DeskGoods,
    desk_shelf.ShelfPages,
    desk_cards.CardPages,
    desk_devices.DevicePages,
    desk_classes.DeskClasses,
    admin_reviews.ReviewPages,
    admin_presence.PresencePages,
    admin_stations.StationsPanel,
    admin_activities.ActivitiesPanel,
    admin_rules.RulesPanel,
    admin_goods.GoodsPanel,
    admin_redemptions.RedemptionsPanel,
    admin_confirmations.ConfirmationsPanel,
    admin_classes.ClassesPanel,
    admin_classes.LessonsPanel,
    admin_trail.TrailPages,
]
