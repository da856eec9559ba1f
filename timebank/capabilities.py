"""The capabilities of the service, lowest layer first: each may use those before it."""

from collections.abc import Sequence

from timebank.access.capability import CAPABILITY as ACCESS
from timebank.activities.capability import CAPABILITY as ACTIVITIES
from timebank.agreements.capability import CAPABILITY as AGREEMENTS
from timebank.areas.capability import CAPABILITY as AREAS
from timebank.capability import Capability
from timebank.checkins.capability import CAPABILITY as CHECKINS
from timebank.classes.capability import CAPABILITY as CLASSES
from timebank.deeds.capability import CAPABILITY as DEEDS
from timebank.expiry.capability import CAPABILITY as EXPIRY
from timebank.imports.capability import CAPABILITY as IMPORTS
from timebank.ledger.capability import CAPABILITY as LEDGER
from timebank.overview.capability import CAPABILITY as OVERVIEW
from timebank.people.capability import CAPABILITY as PEOPLE
from timebank.rules.capability import CAPABILITY as RULES
from timebank.shop.capability import CAPABILITY as SHOP
from timebank.stations.capability import CAPABILITY as STATIONS
from timebank.trail.capability import CAPABILITY as TRAIL

CAPABILITIES: Sequence[Capability] = (
    AGREEMENTS,
    AREAS,
    LEDGER,
    PEOPLE,
    EXPIRY,
    ACCESS,
    RULES,
    STATIONS,
    ACTIVITIES,
    CHECKINS,
    DEEDS,
    SHOP,
    CLASSES,
    IMPORTS,
    OVERVIEW,
    TRAIL,
)
