"""The role grants of the demo: to the people named in `county`, and to others for the remaining roles."""

from datetime import date
from random import Random
from uuid import UUID

from timebank.core.scope import Role
from timebank.demo.county import GRIDS, UNITS
from timebank.demo.place import Place
from timebank.demo.population import KNOWN, Resident
from timebank.people.guardianship.guardians import name_guardian
from timebank.people.identity.ages import age_on
from timebank.people.schemas import GuardianIn

UNIT_HEADS = 6
WITHOUT_CONSENT = 6
"""One in so many children has a guardian who has not consented yet."""


def neighbours(place: Place, rng: Random, today: date) -> list[Resident]:
    """Adults with a phone whom the demo does not name, in random order."""
    named = {known.name for known in KNOWN[place.plan.name]}
    able = [p for p in place.people if p.phone and p.name not in named and 35 <= age_on(p.born_on, today) <= 72]
    rng.shuffle(able)
    return able


async def appoint_everybody(place: Place, rng: Random, today: date, above: dict[Role, UUID]) -> None:
    """Grant every role of a community. `above`: the region of each role that is granted over a region."""
    known = {k.role: place.named(k.name) for k in KNOWN[place.plan.name] if k.role}
    free = neighbours(place, rng, today)
    first_admin = known.get("community_admin") or place.named(KNOWN[place.plan.name][0].name)
    await place.appoint(first_admin, Role.community_admin, region_id=place.id)
    for role in (Role.street_admin, Role.county_admin, Role.auditor):
        if role.value in known:
            await place.appoint(known[role.value], role, region_id=above.get(role, place.id))
    for number, (station, station_id) in enumerate(place.stations.items()):
        keeper = known.get("station_keeper") if number == 0 else None
        place.keepers[station] = keeper or free.pop()
        await place.appoint(place.keepers[station], Role.station_keeper, station_id=station_id)
    for number, grid in enumerate(GRIDS):
        worker = known.get("grid_worker") if number == 0 else None
        await place.appoint(worker or free.pop(), Role.grid_worker, area_id=place.areas[grid,])
    await _appoint_heads(place, rng, known, free)
    for number, grid in enumerate(GRIDS):
        head = known.get("grid_head") if number == 0 else None
        await place.appoint(head or free.pop(), Role.grid_head, area_id=place.areas[grid,])
    for role in (Role.mediator, Role.mobile_worker):
        if role.value in known:
            await place.appoint(known[role.value], role, region_id=place.id)


async def _appoint_heads(place: Place, rng: Random, known: dict[str, Resident], free: list[Resident]) -> None:
    own: dict[tuple[str, ...], Resident] = {
        p.door.area[: 2 if role == "building_head" else 3]: p
        for role, p in known.items()
        if role in ("building_head", "unit_head")
    }
    buildings = [area for area in place.areas if len(area) == 2]
    for area in buildings:
        head = own.pop(area, None) or _living_in(area, free)
        await place.appoint(head, Role.building_head, area_id=place.areas[area])
    units = [area for area in place.areas if len(area) == 3 and area[2] in UNITS]
    chosen = [*own, *(unit for unit in rng.sample(units, UNIT_HEADS) if unit not in own)]
    for unit in chosen:
        await place.appoint(own.get(unit) or _living_in(unit, free), Role.unit_head, area_id=place.areas[unit])


def _living_in(area: tuple[str, ...], free: list[Resident]) -> Resident:
    """Somebody who lives in this building or unit, else the next in the list."""
    there = next((p for p in free if p.door.area[: len(area)] == area), free[-1])
    free.remove(there)
    return there


async def name_guardians(place: Place, today: date) -> None:
    """Record each child's guardian, for most with consent."""
    children = [p for p in place.people if age_on(p.born_on, today) < 14]
    for number, child in enumerate(children):
        guardian = child.door.members[0]
        consented = number % WITHOUT_CONSENT != WITHOUT_CONSENT - 1 or guardian.phone is None
        wanted = GuardianIn(guardian_id=guardian.id, relation=_relation(guardian), consented=consented)
        await name_guardian(place.system, child.id, wanted)
        if consented and guardian.phone:
            place.wards.setdefault(guardian, []).append(child)


def _relation(guardian: Resident) -> str:
    return "母亲" if guardian.sex == "女" else "父亲"
