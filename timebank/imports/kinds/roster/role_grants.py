"""Decides which role grants follow from a roster's remarks and lists of heads, each over the area of its row."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec

from timebank.access.roles.grants import CannotHoldRole, OwnRole
from timebank.access.roles.in_force import is_not_over
from timebank.access.roster import PlannedGrant
from timebank.core import clock, database
from timebank.core.scope import Role, Scope
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.area_index import AreaIndex
from timebank.people.identity.ages import is_guarded

PLACE_OF = {Role.building_head: "building", Role.unit_head: "unit", Role.grid_worker: "grid"}
COLUMN = "note|post"

Duty = tuple[str, UUID]
"""A role and the area that it covers."""


class Holder(msgspec.Struct, frozen=True):
    """A person who may get role grants, with those they have over areas: in force, and ended by a person."""

    born_on: date | None
    status: str = "active"
    held: frozenset[Duty] = frozenset()
    ended: frozenset[Duty] = frozenset()


@dataclass(frozen=True, slots=True)
class RoleClaim:
    """The roles that a row gives a person, each over the building, unit or grid that contains `area_id`.

    `by_own_word` marks an area found through a word that the person or their family decided.
    """

    row: RosterRow
    person_id: UUID
    roles: frozenset[Role]
    area_id: UUID | None
    by_own_word: bool = False


@dataclass(frozen=True, slots=True)
class NewGrants:
    """The new role grants, each with the row that gives it, and the remarks on rows whose role is not granted."""

    offices: dict[PlannedGrant, RosterRow] = field(default_factory=dict)
    remarks: list[tuple[RosterRow, Problem]] = field(default_factory=list)

    @property
    def holders(self) -> set[UUID]:
        return {office.person_id for office in self.offices}

    def by_row(self) -> dict[tuple[str, int], set[Role]]:
        """The roles that each row gives, by its sheet and number."""
        given: dict[tuple[str, int], set[Role]] = {}
        for office, row in self.offices.items():
            given.setdefault((row.sheet, row.row), set()).add(office.role)
        return given


def decide_grants(
    claims: Sequence[RoleClaim], holders: Mapping[UUID, Holder], town: AreaIndex, own: set[UUID]
) -> NewGrants:
    """Decide which claims lead to a new role grant. Pure.

    A grant that was ended is not renewed; that is done on the resident's page. `own` are the importer's household
    members: another administrator has to grant their roles. A role is also not granted over a building that was found
    through the holder's own word.
    """
    duties = NewGrants()
    for claim in claims:
        odd: dict[str, Problem] = {}
        for role in sorted(claim.roles):
            area_id = town.around(claim.area_id, PLACE_OF[role])
            holder = holders.get(claim.person_id)
            is_held = holder is not None and (role, area_id) in holder.held
            wrong = _wrong(holder, role, area_id) or (None if is_held else _not_by_own(claim, own))
            if wrong is not None:
                odd.setdefault(wrong.code, wrong)
            elif area_id is not None and not is_held:
                duties.offices.setdefault(PlannedGrant(claim.person_id, role, area_id), claim.row)
        duties.remarks.extend((claim.row, wrong) for wrong in odd.values())
    return duties


def _not_by_own(claim: RoleClaim, own: set[UUID]) -> Problem | None:
    """Why another administrator has to grant a new role; None if the importer may."""
    if claim.person_id in own:
        return refusal(OwnRole())
    return problem("own_word") if claim.by_own_word else None


def _wrong(holder: Holder | None, role: Role, area_id: UUID | None) -> Problem | None:
    """Why a role cannot be granted; None if it can, or if the person holds it already."""
    if holder is None or holder.status != "active":
        return problem("person_not_active")
    if is_guarded(holder.born_on):
        return refusal(CannotHoldRole())
    if area_id is None:
        return problem("role_without_place")
    if (role.value, area_id) in holder.held:
        return None
    if (role.value, area_id) in holder.ended:
        return problem("role_ended_before")
    return None


def report_grants(parsed: Parsed[RosterRow], duties: NewGrants) -> None:
    for row, wrong in duties.remarks:
        parsed.reading(row).warn(COLUMN, wrong)
    held = Counter(office.role for office in duties.offices)
    if held:
        told = problem(
            "note_roles", building_heads=held[Role.building_head], unit_heads=held[Role.unit_head],
            grid_workers=held[Role.grid_worker],
        )  # fmt: skip
        parsed.notes.append(told)


async def holders_of(scope: Scope, person_ids: Iterable[UUID]) -> dict[UUID, Holder]:
    """These people's status and role grants over areas, read now."""
    wanted = list(person_ids)
    people = await database.fetch(
        "SELECT id, born_on, status FROM person WHERE community_id = $1 AND id = ANY ($2)", scope.community_id, wanted
    )
    grants = await database.fetch(
        f"SELECT g.person_id, g.role, g.area_id, g.ended_at IS NOT NULL AS ended, {is_not_over('$3')} AS held "  # noqa: S608  # no input
        "FROM role_grant g WHERE g.community_id = $1 AND g.person_id = ANY ($2) AND g.area_id IS NOT NULL",
        scope.community_id, wanted, clock.local_day(),
    )  # fmt: skip
    held: dict[UUID, set[Duty]] = {}
    ended: dict[UUID, set[Duty]] = {}
    for grant in grants:
        if grant["ended"]:
            ended.setdefault(grant["person_id"], set()).add((grant["role"], grant["area_id"]))
        elif grant["held"]:
            held.setdefault(grant["person_id"], set()).add((grant["role"], grant["area_id"]))
    return {
        UUID(bytes=row["id"].bytes): Holder(
            row["born_on"], row["status"], frozenset(held.get(row["id"], ())), frozenset(ended.get(row["id"], ()))
        )
        for row in people
    }
