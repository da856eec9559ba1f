"""Ends without a finish: refused, merged into an older one, withdrawn; and opening again what was closed."""

from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act, act_on, answered, begin_act, leave_helpers, require_reason, write
from timebank.matters.loop.earning import take_back_earned
from timebank.matters.loop.notices import notify_dispatchers, notify_handler, notify_reporter
from timebank.matters.loop.refusals import MatterMovedOn
from timebank.matters.moving.leaving import destination, send_there
from timebank.matters.reading.one import seen_matter
from timebank.matters.reading.rows import MatterRow, lock_matter, matter_row
from timebank.matters.reading.shown import MatterOut
from timebank.matters.reading.standing import read_matter_known
from timebank.matters.schemas import RefuseIn
from timebank.matters.words import BECAUSE, STATUSES


@retried
async def refuse(scope: Scope, matter_id: UUID, wanted: RefuseIn) -> MatterOut:
    """Say that nothing will be done here, and why; the reporter reads it. True information may earn once confirmed.

    What is in another community is opened there. Raises MattersNotUsedThere, Invalid, ReasonMissing, MatterMovedOn,
    PartyToMatter, Forbidden, NotFound.
    """
    note = require_reason(wanted.note)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "refuse")
        there = await destination(scope, act.row, wanted)
        moved_to = there.id if there is not None else None
        changes = {"refused_because": wanted.because, "closed_at": clock.now(), "moved_to": moved_to}
        step = await write(act, changes, note=note, because=wanted.because, to_community=moved_to)
        if there is None:
            await notify_reporter(scope, act.row, "matter_refused", step, because=BECAUSE[wanted.because], reason=note)
        else:
            await send_there(scope, act.row, there, step)
            await notify_reporter(scope, act.row, "matter_moved.soon", step, community=there.name, reason=note)
        return answered(act)


@retried
async def withdraw(scope: Scope, matter_id: UUID) -> MatterOut:
    """Take back what one has reported, before it is dispatched. Raises MatterMovedOn, NotTheReporter, NotFound."""
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "withdraw")
        await write(act, {"closed_at": clock.now()})
        return answered(act)


@retried
async def merge_matters(scope: Scope, matter_id: UUID, into: UUID) -> MatterOut:
    """Merge a matter into an older one about the same: its reporter and followers follow that one.

    The one who spoke first stays the one who spoke. Raises MatterMovedOn, PartyToMatter, Forbidden, NotFound, Invalid.
    """
    scope.require_use("matters")
    async with transaction(scope):
        await seen_matter(scope, into)
        for one in sorted({matter_id, into}):
            await lock_matter(scope, one)
        older = await matter_row(scope, into)
        row, known = await read_matter_known(scope, matter_id)
        act = act_on(scope, row, known, "merge")
        _require_mergeable(row, older)
        leave_helpers(act)
        step = await write(act, {"merged_into": into, "closed_at": clock.now()}, into=into)
        await _lead_followers(scope, row, older)
        await notify_reporter(scope, row, "matter_merged", step, other=older.number, due=older.due_at)
        return answered(act)


def _require_mergeable(row: MatterRow, older: MatterRow) -> None:
    if row.id == older.id:
        raise Invalid(why=_("不能并入自己"))
    if older.status in ("refused", "merged", "withdrawn"):
        raise MatterMovedOn(now=STATUSES[older.status])
    if (older.received_at, older.id) > (row.received_at, row.id):
        raise Invalid(why=_("要并入更早的那一件，先反映的人才不吃亏"))
    if row.kind in ("order", "wish") or older.kind in ("order", "wish"):
        raise Invalid(why=_("点单和心愿不能合并"))


async def _lead_followers(scope: Scope, row: MatterRow, older: MatterRow) -> None:
    """The followers of a merged matter, and its reporter, follow the older one."""
    found = await database.fetch(
        "SELECT person_id FROM matter_follow WHERE community_id = $1 AND matter_id = $2 AND kind = 'same'",
        scope.community_id, row.id,
    )  # fmt: skip
    people = {UUID(bytes=each["person_id"].bytes) for each in found} | {row.reporter_id}
    now = clock.now()
    await database.insert_many(
        "matter_follow", ("community_id", "id", "matter_id", "person_id", "kind", "at"),
        [
            (scope.community_id, clock.new_id(), older.id, one, "same", now)
            for one in sorted({one for one in people if one} - {older.reporter_id})
        ],
        "ON CONFLICT DO NOTHING",
    )  # fmt: skip
    await count_followers(scope, older.id)


async def count_followers(scope: Scope, matter_id: UUID) -> int:
    """Count the followers of a matter whose row is locked, and return how many there are."""
    counted: int = await database.fetch_value(
        "UPDATE matter SET followers = (SELECT count(*) FROM matter_follow WHERE community_id = $1 AND matter_id = $2 "
        "AND kind = 'same') WHERE community_id = $1 AND id = $2 RETURNING followers",
        scope.community_id, matter_id,
    )  # fmt: skip
    return counted


@retried
async def reopen(scope: Scope, matter_id: UUID, reason: str) -> MatterOut:
    """Open a closed matter again within the days of the policy: the same handler is asked again.

    Raises ReopenTooLate, ReasonMissing, MatterMovedOn, NotTheReporter, NotFound.
    """
    reason = require_reason(reason)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "reopen", gains=True)
        await open_again(act, reason)
        return answered(act)


async def open_again(act: Act, reason: str) -> None:
    """What every reopening does: nothing is done any more, and what a helper's hours brought is withdrawn."""
    row, scope = act.row, act.scope
    await take_back_earned(scope, row, reason, untrue=False)
    leave_helpers(act)
    changes = {
        "reopens": row.reopens + 1, "done_at": None, "done_days": None, "closed_at": None, "accepted_at": None,
        "verified": None, "verified_at": None, "verified_by": None, "dispatched_at": clock.now(),
    }  # fmt: skip
    act.known = act.known.unrated(row)
    by = "resident" if act.caller.reporter or act.caller.proven else "dispatcher"
    step = await write(act, changes, note=reason, by=by, unit_id=row.unit_id, team_id=row.team_id)
    await notify_handler(scope, row, "matter_reopened", step, reason=reason)
    notify_dispatchers(scope, row, row.level, "matter_reopened", step, reason=reason)
