"""Dispatching a matter, and handing it up and down the levels."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid, NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act, answered, begin_act, leave_helpers, require_reason, write
from timebank.matters.loop.notices import notify_dispatchers, notify_findable, notify_handlers
from timebank.matters.loop.returning import level_above, level_below
from timebank.matters.reading.rows import MatterRow
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import DispatchIn, MatterLevel, OpenTo


class _Target(msgspec.Struct, frozen=True, kw_only=True):
    unit_id: UUID | None = None
    team_id: UUID | None = None
    person_id: UUID | None = None
    open_to: OpenTo = "assigned"


@retried
async def dispatch(scope: Scope, matter_id: UUID, wanted: DispatchIn) -> MatterOut:
    """Send a matter to a unit, a team, a person or to all; with nothing named to the category's own unit or team.

    Who handled it before handles it no more. An earlier due date may be set; a later one is a postponement. With
    `people_wanted` alone an order that some have taken does with fewer. Raises NotFound, Forbidden, PartyToMatter,
    MatterMovedOn, Invalid.
    """
    async with transaction(scope):
        named = [wanted.person_id] if wanted.person_id else []
        act = await begin_act(scope, matter_id, "dispatch", about=named)
        if wanted == DispatchIn(people_wanted=wanted.people_wanted) and act.row.helpers:
            return await _want_fewer(act, wanted.people_wanted)
        target = _target(act.row, wanted)
        receiver = await _receiver(scope, act.row, target)
        due_at = _due(act.row, wanted)
        leave_helpers(act)
        changes = {
            "unit_id": target.unit_id, "team_id": target.team_id, "assignee_id": target.person_id,
            "open_to": target.open_to, "dispatched_at": clock.now(), "accepted_at": None, "due_at": due_at,
            "people_wanted": wanted.people_wanted or act.row.people_wanted,
        }  # fmt: skip
        step = await write(
            act, changes, unit_id=target.unit_id, team_id=target.team_id, person_id=target.person_id, due_at=due_at,
            level=act.row.level, to_unit=target.unit_id, to_team=target.team_id, to_person=target.person_id,
            open_to=target.open_to,
            names={"unit": receiver.unit, "team": receiver.team, "assignee": receiver.person},
        )  # fmt: skip
        if target.open_to == "all":
            await notify_findable(scope, act.after, "matter_offered", step)
        else:
            told = [target.person_id, *receiver.members]
            await notify_handlers(scope, act.after, told, "matter_yours", step, due=due_at)
        return answered(act)


async def _want_fewer(act: Act, wanted: int | None) -> MatterOut:
    """Let an order do with those who have taken it, or with fewer than it wanted: with enough of them it is taken."""
    helpers = len(act.row.helpers)
    if wanted is None or not helpers <= wanted < act.row.people_wanted:
        raise Invalid(why=_("只能改成比原来少、但不少于已经接单的人数"))
    changes: dict[str, object] = {"people_wanted": wanted}
    if helpers == wanted:
        act.to = "accepted"
        changes["accepted_at"] = clock.now()
    await write(act, changes, people_wanted=wanted)
    return answered(act)


def _target(row: MatterRow, wanted: DispatchIn) -> _Target:
    """To whom it goes. Raises Invalid for none or several."""
    named = [one for one in (wanted.unit_id, wanted.team_id, wanted.person_id) if one]
    if len(named) > 1 or (named and wanted.open_to == "all"):
        raise Invalid(why=_("只能派给一个：单位、班组、个人或大家"))
    if wanted.people_wanted is not None and wanted.people_wanted > 1 and row.kind != "order":
        raise Invalid(why=_("只有点单可以要几个人"))
    if wanted.open_to == "all":
        return _Target(open_to="all")
    if named:
        open_to: OpenTo = "team" if wanted.team_id and wanted.open_to != "assigned" else "assigned"
        return _Target(
            unit_id=wanted.unit_id, team_id=wanted.team_id, person_id=wanted.person_id, open_to=open_to
        )  # fmt: skip
    if row.default_unit_id is None and row.default_team_id is None:
        raise Invalid(why=_("请选派给哪个单位、班组或个人"))
    by_unit = row.default_unit_id is not None
    return _Target(
        unit_id=row.default_unit_id, team_id=None if by_unit else row.default_team_id,
        open_to="assigned" if by_unit else "team",
    )  # fmt: skip


def _due(row: MatterRow, wanted: DispatchIn) -> datetime:
    if wanted.due_at is None:
        return row.due_at
    if not clock.now() < wanted.due_at <= row.due_at:
        raise Invalid(why=_("派单时只能把期限提前；要延后请用延期"))
    return wanted.due_at


class _Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """The names of whom it goes to, and who of the team is notified."""

    unit: str | None = None
    team: str | None = None
    person: str | None = None
    members: list[UUID] = []


async def _receiver(scope: Scope, row: MatterRow, target: _Target) -> _Receiver:
    """Whom it goes to. Raises NotFound for a unit, team or person that cannot handle anything here."""
    if target.person_id is not None and target.person_id in (row.reporter_id, row.for_person_id):
        raise Invalid(why=_("不能派给反映人自己，或这件事为之办的人"))
    if target == _Target(open_to="all"):
        return _Receiver()
    found = await database.row(
        _Receiver,
        "SELECT (SELECT u.name FROM unit u JOIN region here ON here.id = $1 AND u.county_id = here.path[1] "
        "WHERE u.id = $2 AND u.active) AS unit, "
        "(SELECT name FROM team WHERE community_id = $1 AND id = $3 AND active) AS team, "
        "(SELECT name FROM person WHERE community_id = $1 AND id = $4 AND status = 'active') AS person, "
        "ARRAY(SELECT m.person_id::text FROM team_member m WHERE m.community_id = $1 AND m.team_id = $3 "
        "AND m.joined_on IS NOT NULL AND m.left_on IS NULL AND (m.leads OR $5) ORDER BY m.person_id) AS members",
        scope.community_id, target.unit_id, target.team_id, target.person_id, target.open_to == "team",
    )  # fmt: skip
    assert found is not None
    named = (target.unit_id, found.unit), (target.team_id, found.team), (target.person_id, found.person)
    if any(id_ is not None and name is None for id_, name in named):
        raise NotFound
    return found


@retried
async def hand_up(scope: Scope, matter_id: UUID, reason: str) -> MatterOut:
    """Hand a matter to the level above, with a reason. Raises NoHigherLevel, ReasonMissing, and as `dispatch`."""
    reason = require_reason(reason)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "hand_up")
        return await _hand(act, level_above(act.row.level), reason)


@retried
async def hand_down(scope: Scope, matter_id: UUID, reason: str = "") -> MatterOut:
    """Hand a matter to the level below, never below its category's. Raises NoLowerLevel, and as `dispatch`."""
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "hand_down")
        return await _hand(act, level_below(act.row.level), reason.strip())


async def _hand(act: Act, level: MatterLevel, reason: str) -> MatterOut:
    """The other level dispatches it; nobody handles it meanwhile, and its clock goes on."""
    leave_helpers(act)
    step = await write(
        act, {"level": level, **UNASSIGNED}, note=reason, level=level, at_level=level, names=NOBODY
    )  # fmt: skip
    notify_dispatchers(act.scope, act.after, level, "matter_to_dispatch.handed", step, reason=reason)
    return answered(act)


UNASSIGNED: dict[str, object] = {
    "unit_id": None, "team_id": None, "assignee_id": None, "open_to": "assigned", "accepted_at": None,
}  # fmt: skip
NOBODY: dict[str, str | None] = {"unit": None, "team": None, "assignee": None}
