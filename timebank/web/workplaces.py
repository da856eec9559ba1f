"""Where somebody works: the pages that the capabilities declare for their roles."""

from timebank.core.capability import Workplace, capabilities
from timebank.core.scope import HEADS, Role, Scope

COMMUNITIES = "/communities"


def workplaces_of(caller: Scope) -> list[Workplace]:
    """The caller's workplaces in the community, the first to land on first. A device has none: it is one."""
    if caller.device_id is not None:
        return []
    used = {one.name for one in capabilities() if not one.switch or caller.uses(one.name)}
    # A unit is served in other communities than the one its contact lives in.
    brought = (
        place for one in capabilities() for place in one.workplaces if one.name in used or place.who == "contacts"
    )
    declared = sorted(brought, key=lambda place: place.place)
    return [place for place in declared if _works_at(caller, place)]


def landing(caller: Scope) -> str:
    """The address to land on. Whoever has a task elsewhere only, or is no resident here, chooses a community first."""
    first = next(iter(workplaces_of(caller)), None)
    if first is None or (first.who == "residents" and _works_elsewhere(caller)):
        return COMMUNITIES
    return first.href


def reaches_further(caller: Scope) -> bool:
    """Whether the caller may choose among communities: one of a grant or record elsewhere, or those of a region."""
    over_region = any(grant.region_id is not None for grant in caller.grants)
    return over_region or len(caller.reach) > 1


def _works_at(caller: Scope, place: Workplace) -> bool:
    match place.who:
        case "readers":
            return caller.reads_all
        case "workers":
            return caller.has(Role.grid_worker) and not caller.reads_all
        case "grids":
            return caller.has(Role.grid_worker, Role.grid_head) and not caller.reads_all
        case "contacts":
            return any(grant.role == Role.unit_contact for grant in caller.grants)
        case "keepers":
            return bool(caller.kept_stations)
        case "residents":
            return caller.person_id is not None


def _works_elsewhere(caller: Scope) -> bool:
    return any(grant.role not in HEADS for grant in caller.grants - caller.here())
