"""The offices that a roster's remarks and a list of heads name, granted over the places of their rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec

from timebank.access.roles.grants import CannotHoldRole, OwnRole
from timebank.access.roster import PlannedGrant
from timebank.core import clock, database
from timebank.core.scope import Role, Scope
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.area_map import Map
from timebank.people.identity.ages import is_guarded

PLACE_OF = {Role.building_head: "building", Role.unit_head: "unit", Role.grid_worker: "grid"}
COLUMN = "note|post"

Duty = tuple[str, UUID]
"""A role and the area that it is over."""


class Holder(msgspec.Struct, frozen=True):
    """A person who is to hold offices: what they hold over areas, and what of it somebody has ended."""

    born_on: date | None
    status: str = "active"
    held: frozenset[Duty] = frozenset()
    ended: frozenset[Duty] = frozenset()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a row says of somebody's offices, over places around this area."""

    row: RosterRow
    person_id: UUID
    roles: frozenset[Role]
    area_id: UUID | None
    by_own_word: bool = False


@dataclass(frozen=True, slots=True)
class Duties:
    """The offices that are new, each with the row that gives it, and what there is to say where a row gives none."""

    offices: dict[PlannedGrant, RosterRow] = field(default_factory=dict)
    remarks: list[tuple[RosterRow, Problem]] = field(default_factory=list)

    @property
    def holders(self) -> set[UUID]:
        return {office.person_id for office in self.offices}

    def by_row(self) -> dict[tuple[str, int], set[Role]]:
        """Which offices each row gives."""
        given: dict[tuple[str, int], set[Role]] = {}
        for office, row in self.offices.items():
            given.setdefault((row.sheet, row.row), set()).add(office.role)
        return given


def duties_of(claims: Sequence[Claim], holders: Mapping[UUID, Holder], town: Map, own: set[UUID]) -> Duties:
    """Which of the claims bring a new office, whichever row has entered the person.

    Nobody is given an office again that somebody has ended: that is granted on the resident's page. Those of `own` are
    of the importer's household: another administrator grants them; nor does anybody hold one over a building that they
    have themselves decided a word to mean.
    """
    duties = Duties()
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


def _not_by_own(claim: Claim, own: set[UUID]) -> Problem | None:
    """Why somebody else has to give a new office."""
    if claim.person_id in own:
        return refusal(OwnRole())
    return problem("own_word") if claim.by_own_word else None


def _wrong(holder: Holder | None, role: Role, area_id: UUID | None) -> Problem | None:
    """Why somebody is not given an office; nothing is wrong with one that they hold."""
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


def tell_duties(parsed: Parsed[RosterRow], duties: Duties) -> None:
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
    """These people as the book has them now."""
    wanted, today = list(person_ids), clock.local_day()
    people = await database.fetch(
        "SELECT id, born_on, status FROM person WHERE community_id = $1 AND id = ANY ($2)", scope.community_id, wanted
    )
    grants = await database.fetch(
        "SELECT person_id, role, area_id, ended_at IS NOT NULL AS ended, ends_on FROM role_grant "
        "WHERE community_id = $1 AND person_id = ANY ($2) AND area_id IS NOT NULL",
        scope.community_id, wanted,
    )  # fmt: skip
    held: dict[UUID, set[Duty]] = {}
    ended: dict[UUID, set[Duty]] = {}
    for grant in grants:
        if grant["ended"]:
            ended.setdefault(grant["person_id"], set()).add((grant["role"], grant["area_id"]))
        elif grant["ends_on"] is None or grant["ends_on"] >= today:
            held.setdefault(grant["person_id"], set()).add((grant["role"], grant["area_id"]))
    return {
        UUID(bytes=row["id"].bytes): Holder(
            row["born_on"], row["status"], frozenset(held.get(row["id"], ())), frozenset(ended.get(row["id"], ()))
        )
        for row in people
    }
