"""The offices that a roster's notes give: over the building, unit or grid that somebody lives in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.access.grants import CannotHoldRole, OwnRole
from timebank.access.roster import Office
from timebank.areas.addresses import Address
from timebank.imports.map import Map
from timebank.imports.parsed import Parsed
from timebank.imports.problems import Problem, problem, refusal
from timebank.imports.residents_known import Resident
from timebank.imports.roster import RosterRow
from timebank.people.ages import is_guarded
from timebank.scope import Role

PLACE_OF = {Role.building_head: "building", Role.unit_head: "unit", Role.grid_worker: "grid"}


def address_of(row: RosterRow) -> Address:
    return Address(row.household.grid, row.household.building, row.household.unit)


@dataclass(frozen=True, slots=True)
class Duties:
    """The offices that a roster gives, and what there is to say where it gives none."""

    offices: list[Office]
    remarks: list[tuple[RosterRow, Problem]]


def duties_of(
    residents: Sequence[Resident], homes: Mapping[Address, UUID | None], places: Map, own: set[UUID]
) -> Duties:
    """What the note says of somebody holds over the building, unit or grid that they live in."""
    duties = Duties([], [])
    for one in residents:
        offices = []
        for role in map(Role, sorted(one.row.roles)):
            area_id = places.around(homes[address_of(one.row)], PLACE_OF[role])
            if is_guarded(one.row.born_on):
                duties.remarks.append((one.row, refusal(CannotHoldRole())))
            elif area_id is None:
                duties.remarks.append((one.row, problem("role_without_place")))
            else:
                offices.append(Office(one.person_id, role, area_id))
        if offices and one.person_id in own:
            duties.remarks.append((one.row, refusal(OwnRole())))
        else:
            duties.offices.extend(offices)
    return duties


def tell_duties(parsed: Parsed[RosterRow], duties: Duties) -> None:
    for row, remark in duties.remarks:
        parsed.reading(row).warn("note|post", remark)
    held = Counter(office.role for office in duties.offices)
    if held:
        parsed.notes.append(
            problem(
                "note_roles", building_heads=held[Role.building_head], unit_heads=held[Role.unit_head],
                grid_workers=held[Role.grid_worker],
            )
        )  # fmt: skip
