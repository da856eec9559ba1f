"""What a leader writes to all members of a team."""

from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import Notification, notify_many
from timebank.teams.members import leads_team
from timebank.teams.schemas import TeamMessageOut
from timebank.teams.teams import team

MESSAGES_MAX = 3
"""How many messages the leaders of one team send to all its members in a day."""


class TeamWroteEnough(TimebankError):
    code = "team_wrote_enough"
    status = 429
    sentence = "这个班组今天已经群发了 {most} 次消息，请明天再发。"


@retried
async def write_to_team(scope: Scope, team_id: UUID, text: str) -> TeamMessageOut:
    """A leader's message to all members, at most MESSAGES_MAX of a team in a day. Phone numbers stay unseen."""
    scope.require_use("teams")
    said = " ".join(text.split())
    async with transaction(scope):
        into = await team(scope, team_id)
        if not (scope.administers or await leads_team(scope, team_id)):
            raise Forbidden
        today, message = clock.local_day(), clock.new_id()
        counted = await database.fetch_value(
            "UPDATE team SET wrote = CASE WHEN wrote_on = $3 THEN wrote + 1 ELSE 1 END, wrote_on = $3 "
            "WHERE community_id = $1 AND id = $2 AND (wrote_on IS DISTINCT FROM $3 OR wrote < $4) RETURNING wrote",
            scope.community_id, team_id, today, MESSAGES_MAX,
        )  # fmt: skip
        if counted is None:
            raise TeamWroteEnough(most=MESSAGES_MAX)
        found = await database.fetch(
            "SELECT person_id FROM team_member WHERE community_id = $1 AND team_id = $2 AND joined_on IS NOT NULL "
            "AND left_on IS NULL ORDER BY person_id",
            scope.community_id, team_id,
        )  # fmt: skip
        others = [UUID(bytes=row["person_id"].bytes) for row in found]
        says = phrase("team.message", team=into.name, text=said)
        to_send = [Notification(one, says, f"team:{message}", team_id) for one in others if not scope.is_own(one)]
        await notify_many(scope, to_send)
        await audit.record(scope, "write_to_team", "team", team_id, members=len(to_send))
    return TeamMessageOut(len(to_send))
