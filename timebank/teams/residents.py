"""What the page of a resident in the panel shows of teams: theirs, what they can do, and when they are free."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.capability import Reading
from timebank.core.database import transaction
from timebank.core.locale import translate
from timebank.core.scope import Scope
from timebank.teams.free_times import free_times
from timebank.teams.schemas import OfferOut
from timebank.teams.skills import offers_of
from timebank.teams.words import PART_WORDS, WEEKDAY_WORDS


class TeamOfResident(msgspec.Struct, frozen=True, kw_only=True):
    """A team that somebody has joined, or has asked to join."""

    team_id: UUID
    name: str
    leads: bool
    joined_on: date | None
    left_on: date | None


class TeamsOfResident(msgspec.Struct, frozen=True, kw_only=True):
    """What is known; `free` is in words."""

    teams: list[TeamOfResident]
    skills: list[OfferOut]
    free: list[str]


async def teams_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> TeamsOfResident:
    """The teams, skills and free times of a resident, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        teams = await database.rows(
            TeamOfResident,
            "SELECT m.team_id, t.name, m.leads, m.joined_on, m.left_on FROM team_member m "
            "JOIN team t ON t.community_id = m.community_id AND t.id = m.team_id "
            "WHERE m.community_id = $1 AND m.person_id = $2 "
            "ORDER BY m.left_on DESC NULLS FIRST, t.name, t.id LIMIT 100",
            scope.community_id, person_id,
        )  # fmt: skip
        skills = await offers_of(scope, person_id)
        free = await free_times(scope, person_id)
    words = [
        translate(WEEKDAY_WORDS[each.weekday - 1], reading.language)
        + translate(PART_WORDS[each.part], reading.language)
        for each in free
    ]
    return TeamsOfResident(teams=teams, skills=skills, free=words)
