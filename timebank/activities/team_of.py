"""The team of an activity: which teams there are, who leads, and who is asked to help out."""

from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope

LATELY = timedelta(days=60)
"""Where an activity has no team, those are asked who signed up for it within this time."""


class TeamChoice(msgspec.Struct, frozen=True):
    id: UUID
    name: str


async def team_choices(scope: Scope) -> list[TeamChoice]:
    """The teams that an activity may belong to; none where the community does not use teams."""
    if not scope.uses("teams"):
        return []
    async with transaction(scope):
        return await database.rows(
            TeamChoice,
            "SELECT id, name FROM team WHERE community_id = $1 AND active ORDER BY pinyin, id LIMIT 200",
            scope.community_id,
        )


def is_led_by(community: str, activity: str, person: str) -> str:
    """SQL condition: the person leads the team of the activity."""
    return (
        "EXISTS (SELECT FROM activity l "
        "JOIN team_member m ON m.community_id = l.community_id AND m.team_id = l.team_id "
        f"WHERE l.community_id = {community} AND l.id = {activity} AND m.person_id = {person} AND m.leads "
        "AND m.left_on IS NULL)"
    )


async def people_to_ask(scope: Scope, activity_id: UUID, shift_id: UUID) -> list[UUID]:
    """Whom to ask to take a seat: the activity's team, else who signed up for it lately; not who has a seat already."""
    found = await database.fetch(
        "SELECT p.id FROM activity a JOIN person p ON p.community_id = a.community_id AND p.status = 'active' "
        "WHERE a.community_id = $1 AND a.id = $2 AND p.id IN ("
        "SELECT m.person_id FROM team_member m WHERE m.community_id = $1 AND m.team_id = a.team_id "
        "AND m.joined_on IS NOT NULL AND m.left_on IS NULL "
        "UNION SELECT u.person_id FROM shift s JOIN sign_up u ON u.community_id = s.community_id AND u.shift_id = s.id "
        "WHERE s.community_id = $1 AND s.activity_id = $2 AND a.team_id IS NULL AND s.starts_at > $4) "
        "AND NOT EXISTS (SELECT FROM sign_up seat WHERE seat.community_id = $1 AND seat.shift_id = $3 "
        "AND seat.person_id = p.id AND seat.cancelled_at IS NULL) ORDER BY p.id",
        scope.community_id, activity_id, shift_id, clock.now() - LATELY,
    )  # fmt: skip
    return [UUID(bytes=row["id"].bytes) for row in found]


async def leaders_to_notify(scope: Scope, shift_id: UUID) -> list[UUID]:
    """The leaders of a shift: those who have signed up to lead it, else the leaders of its activity's team."""
    found = await database.fetch(
        "SELECT u.person_id FROM sign_up u WHERE u.community_id = $1 AND u.shift_id = $2 AND u.leads "
        "AND u.cancelled_at IS NULL AND u.offered_at IS NULL ORDER BY u.person_id",
        scope.community_id, shift_id,
    )  # fmt: skip
    found = found or await database.fetch(
        "SELECT m.person_id FROM shift s JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
        "JOIN team_member m ON m.community_id = a.community_id AND m.team_id = a.team_id "
        "WHERE s.community_id = $1 AND s.id = $2 AND m.leads AND m.left_on IS NULL ORDER BY m.person_id",
        scope.community_id, shift_id,
    )  # fmt: skip
    return [UUID(bytes=row["person_id"].bytes) for row in found]
