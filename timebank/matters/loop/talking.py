"""Questions and answers between handler and reporter, and a later due date. None of them stops the clock."""

from datetime import datetime
from uuid import UUID

from timebank.core import clock
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.matters.loop.acting import answered, begin_act, require_reason, write
from timebank.matters.loop.deciding import Facts, Standing
from timebank.matters.loop.notices import notify_handler, notify_reporter
from timebank.matters.loop.refusals import PostponedTooLong
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import PostponeIn


@retried
async def ask_reporter(scope: Scope, matter_id: UUID, text: str) -> MatterOut:
    """Ask the reporter something; the two read it. Raises ReasonMissing, MatterMovedOn, Forbidden, NotFound."""
    text = require_reason(text)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "ask")
        step = await write(act, {}, note=text, unit_id=act.row.unit_id)
        await notify_reporter(scope, act.row, "matter_question", step, text=text)
        return answered(act)


@retried
async def answer_handler(scope: Scope, matter_id: UUID, text: str) -> MatterOut:
    """Answer the handler. Raises ReasonMissing, MatterMovedOn, NotTheReporter, NotFound."""
    text = require_reason(text)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "answer")
        step = await write(act, {}, note=text)
        await notify_handler(scope, act.row, "matter_answer", step, text=text)
        return answered(act)


@retried
async def postpone(scope: Scope, matter_id: UUID, wanted: PostponeIn) -> MatterOut:
    """Grant a later due date once, at most the original length; longer or again by the level above.

    The reporter reads why. It moves the due date and none of the figures. Raises PostponedTooLong, ReasonMissing,
    MatterMovedOn, Forbidden, NotFound.
    """
    reason = require_reason(wanted.reason)
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "postpone")
        if wanted.until <= max(act.row.due_at, clock.now()):
            raise Invalid(why=_("新的期限要晚于原来的期限和现在"))
        latest = latest_postponement(act.facts, act.caller)
        if latest is not None and wanted.until > latest:
            raise PostponedTooLong(until=f"{clock.local(latest):%Y-%m-%d %H:%M}")
        changes = {
            "due_at": wanted.until, "postponed_until": wanted.until, "postpone_reason": reason, "urged": 0,
            "told": [one for one in act.row.told if one != "soon"],
        }  # fmt: skip
        step = await write(act, changes, note=reason, due_at=wanted.until, until=wanted.until)
        await notify_reporter(scope, act.row, "matter_postponed", step, until=wanted.until, reason=reason)
        return answered(act)


def latest_postponement(facts: Facts, caller: Standing) -> datetime | None:
    """The latest due date that the caller may grant; None for no limit, as for the level above."""
    if caller.is_above(facts.level):
        return None
    assert facts.first_due_at is not None and facts.received_at is not None  # noqa: PT018  # both or neither are given
    if facts.postponed:
        return facts.due_at
    return facts.first_due_at + (facts.first_due_at - facts.received_at)
