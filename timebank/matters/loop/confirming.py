"""Confirming that a matter is true, by somebody who is no party: what earns follows from it alone."""

from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.filing.awards import Awarded
from timebank.matters.loop.acting import Act, answered, begin_act, require_reason, write
from timebank.matters.loop.earning import AwardOut, award_reporter, note_helpers, take_back_earned
from timebank.matters.loop.notices import notify_reporter
from timebank.matters.loop.refusals import ServedNotAsked
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import ConfirmIn


class ConfirmedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The matter, what its reporter earns, or why nothing; `records`: the helpers' hours, to be reviewed."""

    matter: MatterOut
    award: AwardOut | None = None
    why: str | None = None
    records: list[UUID] = []


@retried
async def confirm_matter(scope: Scope, matter_id: UUID, wanted: ConfirmIn) -> ConfirmedOut:
    """Confirm that a matter is true, or that it is not; a done one is closed by it. The same again changes nothing.

    An order needs the word of who was served first. Raises PartyToMatter, ServedNotAsked, ReasonMissing,
    MatterMovedOn, Forbidden, NotFound.
    """
    note = require_reason(wanted.note) if wanted.verified == "untrue" else wanted.note.strip()
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "confirm", gains=True)
        if act.row.verified == wanted.verified and act.row.status != "done":
            return ConfirmedOut(matter=answered(act), why="twice")
        if wanted.verified == "true" and act.row.kind in ("order", "wish"):
            _require_word(act)
        changes: dict[str, object] = {
            "verified": wanted.verified, "verified_at": clock.now(), "verified_by": scope.actor_id,
        }  # fmt: skip
        if act.row.status == "received":
            return await _before_dispatch(act, wanted, changes, note)
        if act.row.closed_at is None:
            changes["closed_at"] = clock.now()
        step = await write(act, changes, note=note, public=bool(note), verified=wanted.verified)
        if wanted.verified == "untrue":
            await take_back_earned(scope, act.row, note, untrue=True)
            await notify_reporter(scope, act.row, "matter_untrue", step, reason=note)
            return ConfirmedOut(matter=answered(act), why="untrue")
        return await _earned(act)


async def _before_dispatch(act: Act, wanted: ConfirmIn, changes: dict[str, object], note: str) -> ConfirmedOut:
    """Of somebody whose reports were untrue before: it is true, and goes on as any other. It earns nothing."""
    if wanted.verified == "untrue":
        raise Invalid(why=_("核实后不属实的，请直接选“不予受理”"))
    await write(act, changes, note=note, public=bool(note), verified=wanted.verified)
    return ConfirmedOut(matter=answered(act), why="untrue_before")


def _require_word(act: Act) -> None:
    """Raise ServedNotAsked unless who was served has said that this finish solved it."""
    if not act.known.solved(act.row):
        raise ServedNotAsked


async def _earned(act: Act) -> ConfirmedOut:
    scope, row = act.scope, act.row
    if row.kind in ("order", "wish"):
        records = await note_helpers(scope, row) if row.kind == "order" else []
        return ConfirmedOut(matter=answered(act), records=records)
    outcome = await award_reporter(act)
    award = await _award_out(scope, outcome.deed_id) if isinstance(outcome, Awarded) else None
    why = outcome.why if isinstance(outcome, Awarded) else outcome
    return ConfirmedOut(matter=answered(act), award=award, why=why)


async def _award_out(scope: Scope, deed_id: UUID | None) -> AwardOut | None:
    if deed_id is None:
        return None
    return await database.row(
        AwardOut,
        "SELECT d.points, r.name AS rule FROM deed d JOIN rule r ON r.community_id = d.community_id "
        "AND r.code = d.rule_code AND r.version = d.rule_version WHERE d.community_id = $1 AND d.id = $2",
        scope.community_id, deed_id,
    )  # fmt: skip
