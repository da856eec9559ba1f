"""The units of the county, who serves as their contact, and the people who report in from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, time, timedelta
from random import Random
from typing import TYPE_CHECKING

from timebank.core import clock
from timebank.core.scope import Role
from timebank.demo.county import COMMUNITIES
from timebank.demo.place import Place
from timebank.demo.population import Resident
from timebank.demo.role_grants import neighbours
from timebank.demo.stories import Once, Step, Story
from timebank.people.enrolment.enrolling import enrol_many
from timebank.people.identity.ages import age_on
from timebank.people.schemas import Enrolment
from timebank.units.affiliations import report_in
from timebank.units.links import link_unit
from timebank.units.schemas import AffiliationIn, LinkKind, UnitIn, UnitKind
from timebank.units.units import found_unit

if TYPE_CHECKING:
    from timebank.demo.year import Year

CITY, HOUSING, CIVIL = "城市管理局", "住房和城乡建设局", "民政局"
POWER, WATER = "清江供电公司", "清江水务公司"
PROPERTY, OTHER_PROPERTY = "清江物业", "安居物业"
SCHOOL, MIDDLE_SCHOOL, FOOD, HOSPITAL, TAXES = "实验小学", "清江二中", "宏发食品", "县人民医院", "县税务局"
UNITS: dict[str, UnitKind] = {
    CITY: "department", HOUSING: "department", CIVIL: "department", POWER: "utility", WATER: "utility",
    PROPERTY: "property", OTHER_PROPERTY: "property", SCHOOL: "school", MIDDLE_SCHOOL: "school", FOOD: "firm",
    HOSPITAL: "institution", TAXES: "department",
}  # fmt: skip
LINKS: dict[str, dict[str, LinkKind]] = {
    "凤凰社区": {
        CITY: "handler", POWER: "handler", WATER: "handler", PROPERTY: "handler", SCHOOL: "co_builder",
        TAXES: "co_builder", FOOD: "sponsor",
    },
    "龙泉社区": {CITY: "handler", POWER: "handler", PROPERTY: "handler", MIDDLE_SCHOOL: "co_builder"},
    "青溪社区": {CITY: "handler", WATER: "handler", OTHER_PROPERTY: "handler", HOSPITAL: "stationed"},
}  # fmt: skip
CONTACTS = (PROPERTY, POWER, WATER, CITY, OTHER_PROPERTY, FOOD)
"""The units with a contact; the first one's is a sign-in of the demo."""
REPORTED: dict[str, tuple[str, ...]] = {
    "凤凰社区": (SCHOOL, SCHOOL, SCHOOL, TAXES, TAXES, TAXES, CITY, CITY, CIVIL, POWER, POWER, HOSPITAL, HOSPITAL),
    "龙泉社区": (SCHOOL, SCHOOL, TAXES, TAXES, HOSPITAL, MIDDLE_SCHOOL, MIDDLE_SCHOOL, CITY),
    "青溪社区": (HOSPITAL, HOSPITAL, HOSPITAL, MIDDLE_SCHOOL, CIVIL, CIVIL, WATER, WATER, HOUSING, HOUSING),
}  # fmt: skip
"""From which units people of a community report in: 31 of the county."""
IN_TWO = 5
"""The first ones of the second community also report in to the first one, where they work."""
REPORTS_WITHIN_DAYS = 300
FIRST_CONTACT = "郑红梅"
REPORTING, RETIRED_FROM = 3, 58


async def found_units(places: Sequence[Place], today: date) -> None:
    """Found the county's units, link them to the communities, and appoint their contacts, who serve the county."""
    home = places[0]
    county_admin = home.scope(home.holder(Role.county_admin))
    ids = {n: (await found_unit(county_admin, UnitIn(home.path[0], n, kind))).id for n, kind in UNITS.items()}
    for place in places:
        place.units = ids
        for name, link in LINKS[place.plan.name].items():
            await link_unit(place.admin, ids[name], link)
    for name, person in zip(CONTACTS, [home.named(FIRST_CONTACT), *without_roles(home, today)], strict=False):
        await home.appoint(person, Role.unit_contact, region_id=home.path[0], unit_id=ids[name])
        for place in places:
            place.contacts[name] = (home, person)


def without_roles(place: Place, today: date, seed: int = 2) -> list[Resident]:
    """Adults with a phone whom the demo does not name and who hold no role, always in the same order."""
    return [person for person in neighbours(place, Random(seed), today) if not place.holds_any_role(person)]


def _reporting(place: Place, today: date) -> list[Resident]:
    able = [p for p in without_roles(place, today, REPORTING) if age_on(p.born_on, today) <= RETIRED_FROM]
    return able[: len(REPORTED[place.plan.name])]


async def enrol_guests(places: Sequence[Place], today: date) -> None:
    """Enrol those who report in to two communities in the second one, without a household there."""
    here, home = places[0], places[1]
    found = _reporting(home, today)[:IN_TWO]
    wanted = [Enrolment(name=p.name, identity=p.identity, phone=p.phone) for p in found]
    for person, entered in zip(found, await enrol_many(here.system, wanted), strict=True):
        here.guests.append(
            Resident(
                name=person.name, sex=person.sex, born_on=person.born_on, door=person.door, relation=person.relation,
                phone=person.phone, identity=person.identity, id=entered.person_id,
            )
        )  # fmt: skip
    await here.join_logins(here.guests)


def reporting_in(year: Year) -> Iterator[Story]:
    """Those who report in over the year on their own phones, with the guests from another community."""
    place, rng = year.place, Random(REPORTING)
    people = list(zip(_reporting(place, year.today), REPORTED[place.plan.name], strict=True))
    people += zip(place.guests, REPORTED[COMMUNITIES[1].name], strict=False)
    for person, unit in people:
        day = year.first + timedelta(days=rng.randrange(REPORTS_WITHIN_DAYS))
        wanted = AffiliationIn(person.id, place.units[unit])
        yield Once(Step(clock.at_local(day, time(19, rng.randrange(60))), person.id, _report(place, person, wanted)))


def _report(place: Place, person: Resident, wanted: AffiliationIn) -> Callable[[], Awaitable[object]]:
    return lambda: report_in(place.scope(person), wanted)
