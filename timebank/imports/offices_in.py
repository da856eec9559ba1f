"""The offices that a roster's remarks and a list of heads name, granted over the places of their rows."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from timebank import database
from timebank.access.grants import CannotHoldRole, OwnRole
from timebank.access.roster import Office, grant_offices, own_offices
from timebank.areas.places import areas_of
from timebank.imports.intake import Intake
from timebank.imports.map import Map
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem, refusal
from timebank.imports.residents_known import Resident
from timebank.imports.roster import RosterRow
from timebank.people.ages import is_guarded
from timebank.scope import Role, Scope

PLACE_OF = {Role.building_head: "building", Role.unit_head: "unit", Role.grid_worker: "grid"}


class _Holder(msgspec.Struct, frozen=True):
    """A person as the book has them now, with the offices over areas that somebody has ended."""

    id: UUID
    born_on: date | None
    status: str
    ended: list[tuple[str, UUID]]


async def give_offices(
    intake: Intake, parsed: Parsed[RosterRow], residents: Sequence[tuple[Resident, UUID | None]]
) -> None:
    """Grant what the rows say of offices, each over the place of its row, whichever row has entered the person.

    Who was in the book before is granted what a list of heads names, not what a remark mentions, and never an office
    that somebody has ended: that is granted again on the resident's page.
    """
    entered = {one.person_id for one, _ in residents if one.is_new}
    naming = [(one, home) for one, home in residents if one.row.roles]
    holders = await _holders(intake.scope, [one.person_id for one, _ in naming])
    places = Map(await areas_of(intake.scope))
    offices = []
    for one, home in naming:
        holder, reading = holders.get(one.person_id), parsed.reading(one.row)
        if holder is None or holder.status != "active":
            continue
        for role in map(Role, sorted(one.row.roles if one.person_id in entered else one.row.named)):
            area_id = places.around(home, PLACE_OF[role])
            if is_guarded(holder.born_on):
                reading.warn("note|post", refusal(CannotHoldRole()))
            elif area_id is None:
                reading.warn("note|post", problem("role_without_place"))
            elif (role.value, area_id) in holder.ended:
                reading.warn("note|post", problem("role_ended_before"))
            else:
                offices.append(Office(one.person_id, role, area_id))
    granted = await _grant(intake, parsed, [one for one, _ in naming], list(dict.fromkeys(offices)))
    # A list of heads that enters nobody has made something all the same.
    intake.created += len(await _holders_of(intake.scope, granted) - entered)


async def _holders_of(scope: Scope, grant_ids: Sequence[UUID]) -> set[UUID]:
    found = await database.fetch(
        "SELECT person_id FROM role_grant WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, list(grant_ids),
    )  # fmt: skip
    return {UUID(bytes=row["person_id"].bytes) for row in found}


async def _holders(scope: Scope, person_ids: Sequence[UUID]) -> dict[UUID, _Holder]:
    found = await database.fetch(
        "SELECT p.id, p.born_on, p.status, coalesce(array_agg(g.role) FILTER (WHERE g.id IS NOT NULL), '{}') AS roles, "
        "coalesce(array_agg(g.area_id) FILTER (WHERE g.id IS NOT NULL), '{}') AS areas FROM person p "
        "LEFT JOIN role_grant g ON g.community_id = $1 AND g.person_id = p.id AND g.area_id IS NOT NULL "
        "AND g.ended_at IS NOT NULL WHERE p.community_id = $1 AND p.id = ANY ($2) GROUP BY p.id, p.born_on, p.status",
        scope.community_id, list(person_ids),
    )  # fmt: skip
    return {
        row["id"]: _Holder(row["id"], row["born_on"], row["status"], list(zip(row["roles"], row["areas"], strict=True)))
        for row in found
    }


async def _grant(
    intake: Intake, parsed: Parsed[RosterRow], residents: Sequence[Resident], offices: Sequence[Office]
) -> list[UUID]:
    offices = await _of_others(intake, parsed, residents, offices)
    granted = await grant_offices(intake.scope, offices, intake.id) if offices else []
    for grant_id in granted:
        intake.also_made("role_grant", grant_id)
    if granted:
        held = Counter(office.role for office in offices)
        told = problem(
            "note_roles", building_heads=held[Role.building_head], unit_heads=held[Role.unit_head],
            grid_workers=held[Role.grid_worker],
        )  # fmt: skip
        parsed.notes.append(told)
    return granted


async def _of_others(
    intake: Intake, parsed: Parsed[RosterRow], residents: Sequence[Resident], offices: Sequence[Office]
) -> list[Office]:
    """The offices without those of the importer's own household, which another administrator grants."""
    own = await own_offices(intake.scope, offices)
    rows = {one.person_id: one.row for one in residents}
    for person_id in {office.person_id for office in own}:
        parsed.reading(rows[person_id]).warn("note|post", refusal(OwnRole()))
    return [office for office in offices if office not in own]
