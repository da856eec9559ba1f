"""The last step of a roster import: grants roles and names guardians once all of its residents are registered."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from timebank.access.roster import grant_roles
from timebank.agreements.independence import near, side_of
from timebank.areas.addresses import Address, match_addresses
from timebank.areas.places import areas_of
from timebank.core import database
from timebank.core.scope import Role, Scope
from timebank.imports.intake import Intake, Planned
from timebank.imports.kinds.roster.guardians import nominate_from_households
from timebank.imports.kinds.roster.known_residents import Resident
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.kinds.roster.role_grants import COLUMN, NewGrants, RoleClaim, decide_grants, holders_of
from timebank.imports.words.area_index import AreaIndex
from timebank.people.enrolment.enrolling import place_many
from timebank.people.schemas import Enrolment, Sex

SEX: dict[str, Sex] = {"male": "男", "female": "女"}


class ResidentPlanned(Planned, frozen=True, kw_only=True):
    """A resident of the roster. `person_id` is None for a person who is to be registered.

    `home` uses the names that the community has registered; `offices` are the roles that the row gives over the areas
    that contain it.
    """

    resident: RosterRow
    person_id: UUID | None
    home: Address
    offices: frozenset[Role]


def enrolment_of(row: RosterRow, area_id: UUID | None) -> Enrolment:
    return Enrolment(
        name=row.name, sex=SEX[row.sex] if row.sex else None, born_on=row.born_on, identity=row.identity,
        phone=row.phone, relation=row.relation, area_id=area_id, room=row.household.room or "",
        head_name=row.household.head,
    )  # fmt: skip


async def household_members_of(
    scope: Scope, residents: Sequence[Resident], homes: Mapping[UUID, UUID | None]
) -> set[UUID]:
    """Those of these people who belong to the importer's household: another administrator decides about their roles and
    children.

    `homes` maps people who are not registered yet to their households.
    """
    if scope.system:
        return set()
    close, own = await near(scope, [one.person_id for one in residents]), await side_of(scope)
    return set(close.home) | {person_id for person_id, home in homes.items() if home in own.households}


async def finish(intake: Intake, rows: Sequence[ResidentPlanned]) -> None:
    """Grant the roles that reading the file led to, and name the guardians of the children."""
    scope = intake.scope
    areas = await areas_of(scope)
    town, settled = AreaIndex(areas), match_addresses(areas, {planned.home for planned in rows}).areas
    # A place that somebody has taken away meanwhile is none.
    homes = {home: area_id if area_id in town.areas else None for home, area_id in settled.items()}
    meant = await _meant(intake, rows, homes)
    residents = [one for _, one in meant]
    own = await household_members_of(scope, residents, {})
    claims = [
        RoleClaim(planned.resident, one.person_id, planned.offices, homes[planned.home])
        for planned, one in meant
        if planned.offices
    ]
    duties = decide_grants(claims, await holders_of(scope, {claim.person_id for claim in claims}), town, own)
    await _give(intake, duties, {one.person_id for one in residents if one.is_new})
    _refuse_late(intake, rows, duties)
    for guardianship_id in await nominate_from_households(scope, residents, own, intake.id):
        intake.also_made("guardianship", guardianship_id)


async def _give(intake: Intake, duties: NewGrants, entered: set[UUID]) -> None:
    if duties.offices:
        for grant_id in await grant_roles(intake.scope, list(duties.offices), intake.id):
            intake.also_made("role_grant", grant_id)
    # A list of heads that registers nobody has still created role grants.
    intake.created += len(duties.holders - entered)


def _refuse_late(intake: Intake, rows: Sequence[ResidentPlanned], duties: NewGrants) -> None:
    """Refuse the rows of known residents whose role can no longer be granted, since they bring nothing else."""
    given = duties.by_row()
    wrong = {(row.sheet, row.row): wrong for row, wrong in duties.remarks}
    for planned in rows:
        where = planned.sheet, planned.row
        if planned.person_id is not None and where in wrong and where not in given:
            intake.refuse_late(planned, COLUMN, wrong[where])


async def _meant(
    intake: Intake, rows: Sequence[ResidentPlanned], homes: Mapping[Address, UUID | None]
) -> list[tuple[ResidentPlanned, Resident]]:
    """The resident whom each row means now: registered by this run, known before, or registered by hand meanwhile."""
    found = await database.fetch(
        "SELECT row_key, noun_id FROM import_row WHERE community_id = $1 AND run_id = $2 AND noun = 'person'",
        intake.scope.community_id, intake.id,
    )  # fmt: skip
    entered = {row["row_key"]: UUID(bytes=row["noun_id"].bytes) for row in found}
    open_rows = [row for row in rows if row.person_id is None and row.key not in entered]
    enrolments = [enrolment_of(row.resident, homes[row.home]) for row in open_rows]
    answers = (await place_many(intake.scope, enrolments)).answers if enrolments else []
    elsewhere = {
        (row.sheet, row.row): one.person_id for row, one in zip(open_rows, answers, strict=True) if not one.created
    }
    meant = []
    for row in rows:
        person_id = row.person_id or entered.get(row.key) or elsewhere.get((row.sheet, row.row))
        if person_id is not None:
            meant.append((row, Resident(row.resident, person_id, row.person_id is None and row.key in entered)))
    return meant
