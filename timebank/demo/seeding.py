"""Seed the demo: found the county, carry out its year, and set up its present state."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from functools import partial
from itertools import pairwise
from random import Random
from uuid import UUID

import asyncpg

from timebank.areas.places import add_region
from timebank.areas.workdays import Workdays, workdays_of
from timebank.classes.attendance import close_lessons
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.core.scope import Role, Scope
from timebank.deeds.credit import credit_due_deeds
from timebank.demo.accounts import set_passwords
from timebank.demo.county import COMMUNITIES, COUNTY
from timebank.demo.names import Numbers
from timebank.demo.neighbourhood.matters import set_categories
from timebank.demo.neighbourhood.teams import found_teams
from timebank.demo.neighbourhood.units import enrol_guests, found_units
from timebank.demo.place import Place
from timebank.demo.population import populate
from timebank.demo.present import Present
from timebank.demo.role_grants import appoint_everybody, name_guardians
from timebank.demo.stories import Refused, Step
from timebank.demo.year import DAYS, Year
from timebank.expiry.expiring import close_days
from timebank.matters.figures.counting import count_matters
from timebank.service_records.crediting.notice_ends import credit_due_records
from timebank.shop.cancelling import expire_redemptions

SEED = 522699
CHORES = (credit_due_deeds, credit_due_records, expire_redemptions, close_lessons)
CHORES_AT = time(23, 5)
ANALYSED_AFTER_DAYS = (10, 60, 180)
"""Days of the year after which the tables are analysed anew: they grow from nothing, faster than the server looks."""
FAULT = 500  # from this status on, the database is unavailable or too busy
COUNTY_SCOPE = Scope.of_system(UUID(int=SEED), via="demo")
"""The scope for what concerns the county as a whole; its id belongs to no community."""

Told = Callable[[int, int], None]
"""A progress callback: the total number of steps, and the number done since the last call."""


async def found_county(today: date, owner: asyncpg.Connection) -> list[Place]:
    """Found county, streets and communities with all that they have at the start of the year."""
    with clock.at(clock.at_local(today - timedelta(days=DAYS + 15), time(9))):
        county = (await add_region(COUNTY_SCOPE, "county", COUNTY, None)).id
        streets: dict[str, UUID] = {}
        places, numbers, rng = [], Numbers(), Random(SEED)
        for plan in COMMUNITIES:
            if plan.street not in streets:
                streets[plan.street] = (await add_region(COUNTY_SCOPE, "street", plan.street, county)).id
            community = await add_region(COUNTY_SCOPE, "community", plan.name, streets[plan.street])
            path = (county, streets[plan.street], community.id)
            places.append(Place(plan=plan, path=path, people=populate(plan, rng, numbers, today)))
        await asyncio.gather(*[place.found() for place in places])
        await analyse(owner)
        await asyncio.gather(*[_furnish(place, today, county, streets[place.plan.street]) for place in places])
        await found_units(places, today)
        await enrol_guests(places, today)
        await asyncio.gather(*[_found_service(place, today) for place in places])
    return places


async def _furnish(place: Place, today: date, county: UUID, street: UUID) -> None:
    await place.furnish()
    above = {Role.county_admin: county, Role.street_admin: street, Role.auditor: place.id}
    await appoint_everybody(place, Random(SEED + 1), today, above)
    await place.switch_on()
    await name_guardians(place, today)


async def _found_service(place: Place, today: date) -> None:
    await found_teams(place, today)
    await set_categories(place)


async def seed(today: date, owner: asyncpg.Connection, told: Told) -> list[str]:
    """Seed the whole county up to this moment. Returns the refused steps in words; there should be none."""
    places = await found_county(today, owner)
    await analyse(owner)
    years = plan_years(places, today, await workdays_of(places[0].system, today - timedelta(days=DAYS)))
    total = sum(len(year.steps) for year in years)
    refusals: list[list[str]] = []
    analysed = (today - timedelta(days=DAYS - days) for days in ANALYSED_AFTER_DAYS)
    for since, until in pairwise((date.min, *analysed, date.max)):
        refusals += await asyncio.gather(*[live(year, since, until, partial(told, total)) for year in years])
        await analyse(owner)
    now = clock.now()
    refusals += await asyncio.gather(*[do_in_order(Present(year, now).steps()) for year in years])
    for place in places:
        await count_matters(place.system)
        await close_days(place.system)
    await set_passwords()
    await analyse(owner)
    return [refusal for of_one in refusals for refusal in of_one]


async def analyse(owner: asyncpg.Connection) -> None:
    """Analyse all tables: without statistics the same statements are many times slower."""
    tables = await owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'"
    )
    await owner.execute(f"ANALYZE {', '.join(row['tablename'] for row in tables)}")


def plan_years(places: Sequence[Place], today: date, workdays: Workdays) -> list[Year]:
    """Plan every community's year without carrying it out."""
    years = [Year(place, Random(SEED + number), today, workdays) for number, place in enumerate(places)]
    for year in years:
        year.plan()
    return years


async def live(year: Year, since: date, until: date, done: Callable[[int], None]) -> list[str]:
    """Carry out a year's steps of some days, the last not included, and return the refused ones in words."""
    days: defaultdict[date, list[Step]] = defaultdict(list)
    for step in sorted(year.steps, key=lambda step: step.at):
        days[clock.local_day(step.at)].append(step)
    refusals: list[str] = []
    for day in sorted(day for day in {*days, *year.due} if since <= day < until):
        refusals += await do_a_day(year.place.id, days.get(day, ()))
        done(len(days.get(day, ())))
        if day in year.due:
            await do_chores(year.place, day)
    return refusals


async def do_a_day(community: UUID, steps: Sequence[Step]) -> list[str]:
    """Carry out the steps of a day, given in order of time, and return the refused ones in words.

    The community's own come first: its rates, its stock and its lessons are what people use that day. After them the
    lanes run beside each other.
    """
    lanes: defaultdict[UUID, list[Step]] = defaultdict(list)
    for step in steps:
        lanes[step.lane].append(step)
    refusals = await do_in_order(lanes.pop(community, ()))
    for refused in await asyncio.gather(*[do_in_order(lane) for lane in lanes.values()]):
        refusals += refused
    return refusals


async def do_in_order(steps: Sequence[Step]) -> list[str]:
    """Carry out steps one after the other, each at its time, and return the refused ones in words.

    Errors with a status of `FAULT` or above are raised.
    """
    refusals = []
    for step in steps:
        with clock.at(step.at):
            try:
                await step.do()
            except (TimebankError, Refused) as refusal:
                if isinstance(refusal, TimebankError) and refusal.status >= FAULT:
                    raise
                refusals.append(f"{step.at:%Y-%m-%d %H:%M} {step.do.__qualname__}: {refusal}")
    return refusals


async def do_chores(place: Place, day: date) -> None:
    """Run the worker's jobs at the end of a day."""
    with clock.at(clock.at_local(day, CHORES_AT)):
        for chore in CHORES:
            await chore(place.system)
