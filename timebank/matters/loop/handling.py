"""Handling a matter: who takes it first has it; it is given up, returned, or finished."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act, answered, begin_act, leave_helpers, require_reason, write
from timebank.matters.loop.dispatching import NOBODY, UNASSIGNED
from timebank.matters.loop.notices import notify_dispatchers, notify_reporter
from timebank.matters.loop.refusals import PhotoMissing
from timebank.matters.loop.returning import returned
from timebank.matters.opening.due import done_days
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import FinishIn, ReturnIn
from timebank.photos.attaching import attach

LENGTH_MAX = timedelta(hours=24)


def _taker(scope: Scope) -> UUID | None:
    """The own record that the caller takes and finishes as; None for a contact who lives in another community."""
    return scope.person_id if scope.stands_for(scope.person_id) else None


@retried
async def take_matter(scope: Scope, matter_id: UUID) -> MatterOut:
    """Take a matter: the first has it. An order for several is taken once it has as many as it wants.

    Raises MatterAlreadyTaken, OwnOrder, NotVetted, Forbidden, NotFound.
    """
    taker = _taker(scope)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "take", locks=[taker] if taker else [])
        changes: dict[str, object] = {"assignee_id": act.row.helpers[0] if act.row.helpers else taker}
        if act.to == "accepted":
            changes["accepted_at"] = clock.now()
        if act.row.kind in ("order", "wish") and taker is not None:
            _help(act, taker)
        first = {} if act.row.helpers else {"assignee": act.known.reader.name if taker else None}
        step = await write(
            act, changes, person_id=taker, unit_id=act.row.unit_id, team_id=act.row.team_id, names=first
        )  # fmt: skip
        kind = "matter_taken.unit" if act.row.unit_id else "matter_taken"
        await notify_reporter(scope, act.row, kind, step, unit=act.row.unit or "")
        return answered(act)


def _help(act: Act, taker: UUID) -> None:
    """Queue that the taker helps from now on."""
    database.queue(
        database.change(
            "INSERT INTO matter_helper (community_id, id, matter_id, person_id, took_at) VALUES ($1, $2, $3, $4, $5)",
            act.scope.community_id, clock.new_id(), act.row.id, taker, clock.now(),
        )
    )  # fmt: skip
    act.after = msgspec.structs.replace(act.after, helpers=[*act.after.helpers, taker])


@retried
async def give_up(scope: Scope, matter_id: UUID, reason: str) -> MatterOut:
    """Give up what one has taken: it waits again, for the same unit or team. The clock goes on.

    Raises ReasonMissing, MatterMovedOn, Forbidden, NotFound.
    """
    reason, taker = require_reason(reason), _taker(scope)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "give_up")
        leaving = [one for one in act.row.helpers if scope.stands_for(one)] or act.row.helpers
        leave_helpers(act, leaving)
        left = act.after.helpers
        first = await _name_of(scope, left[0]) if left else None
        step = await write(
            act, {"assignee_id": left[0] if left else None, "accepted_at": None}, note=reason, public=False,
            person_id=taker, names={"assignee": first},
        )  # fmt: skip
        notify_dispatchers(scope, act.row, act.row.level, "matter_given_up", step, reason=reason)
        return answered(act)


async def _name_of(scope: Scope, person_id: UUID) -> str:
    name: str = await database.fetch_value(
        "SELECT name FROM person WHERE community_id = $1 AND id = $2", scope.community_id, person_id
    )
    return name


@retried
async def return_matter(scope: Scope, matter_id: UUID, wanted: ReturnIn) -> MatterOut:
    """Send a matter back to its dispatcher, with a reason and whose it may be. At the maximum the level above decides.

    Raises ReturnNotPossible, ReasonMissing, MatterMovedOn, Forbidden, NotFound.
    """
    reason = require_reason(wanted.reason)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "return")
        after = returned(act.facts)
        leave_helpers(act)
        note = f"{reason} → {wanted.suggestion.strip()}" if wanted.suggestion.strip() else reason
        changes = {
            **UNASSIGNED, "returns": after.returns, "level": after.level, "final": after.final or act.row.final,
        }  # fmt: skip
        step = await write(
            act, changes, note=note, public=False, unit_id=act.row.unit_id, team_id=act.row.team_id,
            level=after.level, returns=after.returns, names=NOBODY,
        )  # fmt: skip
        kind = "matter_returned.final" if after.final else "matter_returned"
        notify_dispatchers(scope, act.row, after.level, kind, step, reason=note)
        return answered(act)


@retried
async def finish_matter(scope: Scope, matter_id: UUID, wanted: FinishIn) -> MatterOut:
    """Say that it is done, with what was done, and a picture where the category needs one.

    For an order the hours are those of everybody who helped, from when they had taken it at the earliest. The reporter
    is asked whether it is solved. Raises PhotoMissing, MatterMovedOn, Forbidden, NotFound, Invalid.
    """
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "finish")
        for photo_id in wanted.photo_ids:
            await attach(scope, "matter", matter_id, photo_id, "after")
        if act.row.needs_photo and not await _has_photo(act):
            raise PhotoMissing
        if act.row.kind == "order" and act.row.helpers:
            await _keep_hours(act, wanted)
        now = clock.now()
        changes = {
            "done_at": now, "done_by": scope.actor_id, "result": wanted.result.strip(),
            "done_days": done_days(act.row.received_at, now),
        }  # fmt: skip
        step = await write(act, changes, note=wanted.result.strip(), person_id=_taker(scope))
        await notify_reporter(scope, act.row, "matter_done", step)
        return answered(act)


async def _has_photo(act: Act) -> bool:
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM attachment WHERE community_id = $1 AND noun = 'matter' AND noun_id = $2 "
        "AND stage = 'after')",
        act.scope.community_id, act.row.id,
    )  # fmt: skip
    return found


async def _keep_hours(act: Act, wanted: FinishIn) -> None:
    """Keep from when to when the helpers were there."""
    began, ended = wanted.started_at, wanted.ended_at
    if began is None or ended is None:
        raise Invalid(why=_("请写从几点到几点"))
    require_hours(act.row.dispatched_at, began, ended)
    kept = await database.execute(
        "UPDATE matter_helper SET started_at = greatest($3, took_at), ended_at = $4 WHERE community_id = $1 "
        "AND matter_id = $2 AND left_at IS NULL AND took_at < $4",
        act.scope.community_id, act.row.id, began, ended,
    )  # fmt: skip
    if kept != f"UPDATE {len(act.row.helpers)}":
        raise Invalid(why=_("帮忙的时间要在接单以后"))


def require_hours(since: datetime | None, began: datetime, ended: datetime) -> None:
    """Raise Invalid for hours that end before they begin, in the future, before the dispatch, or after a whole day."""
    if not began < ended <= clock.now() or ended - began > LENGTH_MAX:
        raise Invalid(why=_("开始要早于结束，结束不能晚于现在，一次不超过 24 小时"))
    if since is not None and ended <= since:
        raise Invalid(why=_("帮忙的时间要在派单以后"))
