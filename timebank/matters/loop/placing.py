"""Correcting where a matter is: it changes the grid, and nothing of its clock or of what it has earned."""

from uuid import UUID

import msgspec

from timebank.access.roles.holders import Place as HeldPlace
from timebank.access.roles.holders import queue_to_holders
from timebank.core import database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Role, Scope
from timebank.matters.loop.acting import Act, act_on, answered, require_reason, write
from timebank.matters.loop.notices import named_in, notify_dispatchers, notify_handler, notify_reporter
from timebank.matters.opening.facts import Place, place_question
from timebank.matters.reading.rows import lock_matter
from timebank.matters.reading.shown import MatterOut
from timebank.matters.reading.standing import read_matter_known
from timebank.matters.schemas import AreaIn


class _Found(msgspec.Struct, frozen=True):
    place: Place | None


@retried
async def correct_area(scope: Scope, matter_id: UUID, wanted: AreaIn) -> MatterOut:
    """Say where an open matter really is: from now on that grid's people see it and its figures count it.

    Whoever handles it keeps it. Both grids, its handler and its reporter are notified. The place where it stands
    already changes nothing. Raises ReasonMissing, LeavesOwnGrid, PartyToMatter, MatterMovedOn, Forbidden, NotFound.
    """
    reason = require_reason(wanted.reason)
    scope.require_use("matters")
    async with transaction(scope):
        await lock_matter(scope, matter_id)
        row, known = await read_matter_known(scope, matter_id)
        place = (await database.read(_Found, place=place_question(scope, wanted.area_id))).place
        act = act_on(scope, row, known, "correct_area", towards=place.path if place else row.area_path)
        if place is None:
            raise NotFound
        if wanted.area_id != row.area_id:
            step = await _move(act, wanted.area_id, place, reason)
            await _notify(act, step, reason)
        return answered(act)


async def _move(act: Act, area_id: UUID, place: Place, reason: str) -> UUID:
    """Write the new place, its step with both, and let what was drawn for a spot check follow."""
    row, scope = act.row, act.scope
    step = await write(
        act, {"area_id": area_id}, note=reason, area_ids=(row.area_id, area_id), from_area=row.area_id,
        to_area=area_id, reason=reason,
    )  # fmt: skip
    act.after = msgspec.structs.replace(act.after, area_path=place.path, area=place.words, grid=place.grid)
    database.queue(
        database.change(
            "UPDATE spot_check SET area_id = $3 WHERE community_id = $1 AND noun = 'matter' AND noun_id = $2 "
            "AND done_at IS NULL",
            scope.community_id, row.id, area_id, rows=None,
        )
    )  # fmt: skip
    return step


async def _notify(act: Act, step: UUID, reason: str) -> None:
    """Notify its reporter, its handler, and where the grid is another one the heads of both."""
    scope, row, after = act.scope, act.row, act.after
    await notify_reporter(scope, after, "matter_corrected", step, reason=reason)
    if row.kind != "wish":  # who gives something for a wish never learns whose door it is
        await notify_handler(scope, after, "matter_corrected.handler", step)
    if not act.caller.leaves_grid:
        return
    if row.level == "grid":
        notify_dispatchers(scope, after, "grid", "matter_to_dispatch.corrected", step, reason=reason)
    queue_to_holders(
        scope, [Role.grid_head], HeldPlace(area_id=row.area_id), "matter_corrected.away",
        {**named_in(after), "reason": reason}, f"matter:{row.id}:matter_corrected.away:{step}", urgent=row.urgent,
    )  # fmt: skip
