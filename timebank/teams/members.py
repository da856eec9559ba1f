"""Who belongs to a team: each asks for themselves, somebody else confirms, and everybody leaves when they like.

Nobody confirms themselves or their household, and nobody leads by their own word: an administrator who is somebody
else names a leader.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.identity.ages import is_guarded
from timebank.people.messages import Notification, notify, notify_many
from timebank.teams.joining import Did, Joining, decide_joining
from timebank.teams.schemas import MemberIn, MemberOut
from timebank.teams.tables import TeamMember
from timebank.teams.teams import team


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    leads: bool
    joined_on: date | None
    left_on: date | None


class _Person(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: str
    born_on: date | None


async def leads_team(scope: Scope, team_id: UUID) -> bool:
    """Whether an own record of the caller leads this team now. A device leads none."""
    held: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM team_member WHERE community_id = $1 AND team_id = $2 AND leads AND left_on IS NULL "
        "AND person_id = ANY ($3::text[]::uuid[]))",
        scope.community_id, team_id, database.as_texts(scope.stood_for),
    )  # fmt: skip
    return held


@retried
async def join_team(scope: Scope, team_id: UUID, asked: MemberIn) -> MemberOut:
    """Ask to join, confirm who asked, or, as an administrator, add somebody or name a leader. A repetition changes
    nothing.

    Raises CannotJoinTeam, NotAskedToJoin, OwnMembership, and Forbidden for whoever may not.
    """
    scope.require_use("teams")
    own = scope.stands_for(asked.person_id)
    async with transaction(scope):
        into, leader = await team(scope, team_id), await leads_team(scope, team_id)
        if not (own or leader or scope.administers):
            raise Forbidden
        person, held = await _locked(scope, team_id, asked.person_id)
        open_ = held if held is not None and held.left_on is None else None
        did = decide_joining(
            Joining(
                own=own, near=own or not await is_uninvolved(scope, asked.person_id, concerns=[asked.person_id]),
                admin=scope.administers, leader=leader, asked=open_ is not None and open_.joined_on is None,
                able=into.active and person.status == "active" and not is_guarded(person.born_on),
                joined=open_ is not None and open_.joined_on is not None,
                leading=open_ is not None and open_.leads, leads=asked.leads,
            )
        )  # fmt: skip
        if did == "step_down" and held is not None:
            await TeamMember.update({TeamMember.leads: False}).where(
                (TeamMember.community_id == scope.community_id) & (TeamMember.id == held.id)
            )
            await audit.record(scope, "step_down", "team", team_id, person_id=person.id)
        elif did != "keep":
            await _write(scope, team_id, person.id, held, did, leads=asked.leads)
            await _notify(scope, team_id, into.name, person.id, did, own=own, leads=asked.leads)
        return await _member(scope, team_id, person.id)


async def _locked(scope: Scope, team_id: UUID, person_id: UUID) -> tuple[_Person, _Row | None]:
    person = await database.row(
        _Person, "SELECT id, status, born_on FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, person_id,
    )  # fmt: skip
    if person is None:
        raise NotFound
    held = await database.row(
        _Row, "SELECT id, leads, joined_on, left_on FROM team_member WHERE community_id = $1 AND team_id = $2 "
        "AND person_id = $3 FOR NO KEY UPDATE",
        scope.community_id, team_id, person_id,
    )  # fmt: skip
    return person, held


async def _write(
    scope: Scope, team_id: UUID, person_id: UUID, held: _Row | None, did: Did, *, leads: bool | None
) -> None:
    """Write what came of it. Whoever left before begins anew."""
    now, joins = clock.now(), did in ("confirm", "add")
    kept = held is not None and held.left_on is None
    joined_on = (held.joined_on if held and kept else None) or (clock.local_day() if joins else None)
    changed: dict[Any, Any] = {
        "leads": joins and (bool(leads) if leads is not None else bool(held and kept and held.leads)),
        "joined_on": joined_on, "left_on": None, "confirmed_by": scope.actor_id if joins else None,
    }  # fmt: skip
    if held is None:
        await TeamMember.insert(
            TeamMember(
                community_id=scope.community_id, id=clock.new_id(), team_id=team_id, person_id=person_id, asked_at=now,
                **changed,
            )
        )  # fmt: skip
    else:
        again = changed if kept else changed | {"asked_at": now}
        await TeamMember.update(again).where(
            (TeamMember.community_id == scope.community_id) & (TeamMember.id == held.id)
        )
    if did == "ask":
        await audit.record(scope, "ask_to_join", "team", team_id, person_id=person_id)
    else:
        await audit.record(scope, "confirm_member", "team", team_id, person_id=person_id, leads=leads)


async def _notify(
    scope: Scope, team_id: UUID, name: str, person_id: UUID, did: Did, *, own: bool, leads: bool | None
) -> None:
    """Notify the leaders of who asks, and the person of what others decided."""
    key = f"team:{clock.new_id()}"
    if did == "ask":
        found = await database.fetch(
            "SELECT person_id FROM team_member WHERE community_id = $1 AND team_id = $2 AND leads AND left_on IS NULL "
            "ORDER BY person_id LIMIT 20",
            scope.community_id, team_id,
        )  # fmt: skip
        says = phrase("team.asked", team=name)
        leaders = [UUID(bytes=row["person_id"].bytes) for row in found]
        await notify_many(scope, [Notification(one, says, key, team_id) for one in leaders])
    elif not own:
        kind = "team.joined" if leads is None else "team.leads" if leads else "team.leads_no_more"
        await notify(scope, person_id, kind, key, team_id, team=name)


@retried
async def leave_team(scope: Scope, team_id: UUID, person_id: UUID) -> None:
    """Leave a team or take the asking back; for others, a leader or an administrator, never of a fellow leader.

    Who has left stays so.
    """
    scope.require_use("teams")
    own = scope.stands_for(person_id)
    async with transaction(scope):
        into, leader = await team(scope, team_id), await leads_team(scope, team_id)
        if not (own or leader or scope.administers):
            raise Forbidden
        person, held = await _locked(scope, team_id, person_id)
        if held is None:
            raise NotFound
        if held.left_on is not None:
            return
        if held.leads and not own and not scope.administers:
            raise Forbidden
        await TeamMember.update({"leads": False, "left_on": clock.local_day()}).where(
            (TeamMember.community_id == scope.community_id) & (TeamMember.id == held.id)
        )
        await audit.record(scope, "leave_team", "team", team_id, person_id=person_id)
        if not own:
            kind = "team.left" if held.joined_on else "team.declined"
            await notify(scope, person.id, kind, f"team:{clock.new_id()}", team_id, team=into.name)


_MEMBERS = """
SELECT m.person_id, p.name, m.leads, m.joined_on IS NULL AS pending, m.joined_on
FROM team_member m JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id
WHERE m.community_id = $1 AND m.team_id = $2 AND m.left_on IS NULL
"""


async def _member(scope: Scope, team_id: UUID, person_id: UUID) -> MemberOut:
    found = await database.row(MemberOut, f"{_MEMBERS} AND m.person_id = $3", scope.community_id, team_id, person_id)
    if found is None:
        raise NotFound
    return found


MEMBERS_MAX = 500


async def team_members(scope: Scope, team_id: UUID) -> list[MemberOut]:
    """Who asks to join a team, then its leaders and members; for its members, administrators and auditors.

    Who asks is shown to those who decide it.
    """
    shown = await team(scope, team_id)
    async with transaction(scope):
        decides = scope.reads_all or await leads_team(scope, team_id)
        if not (decides or shown.standing == "member"):
            raise Forbidden
        found = await database.rows(
            MemberOut,
            f"{_MEMBERS} ORDER BY m.joined_on IS NULL DESC, m.leads DESC, p.pinyin, p.id LIMIT {MEMBERS_MAX}",
            scope.community_id, team_id,
        )  # fmt: skip
    return [one for one in found if decides or not one.pending]
