"""Undoes a whole import within 24 hours, if none of its records has been used."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import reading, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.imports.intake import Made
from timebank.imports.runs import batches, undo_steps, work
from timebank.imports.runs.batches import Progress, ProgressCallback
from timebank.imports.runs.work import ImportRunning

UNDO_WITHIN = timedelta(hours=24)
WAIT_SECONDS = 40
LOOK_AGAIN_SECONDS = 0.1


class UndoTooLate(TimebankError):
    code = "undo_too_late"
    status = 409
    sentence = "导入后 24 小时内才能整批撤销，这次已经过了时间。请逐条更正。"


class _Run(msgspec.Struct, frozen=True):
    started_at: datetime
    undone_at: datetime | None


async def undo(
    scope: Scope, run_id: UUID, *, seconds: float | None = None, told: ProgressCallback | None = None
) -> Progress | None:
    """Undo everything that a run has made; return None when that is done, also if it was done before.

    After `seconds` the worker does the rest, and the progress is returned. Raises UndoTooLate after UNDO_WITHIN,
    ImportUsed with the traces if one of its records has been used, and ImportRunning if other work does not end soon.
    """
    scope.require_admin()
    until = None if seconds is None else time.monotonic() + seconds
    last_moment = time.monotonic() + WAIT_SECONDS
    while not await _is_undone(scope, run_id):
        now = await work.under_way(scope)
        if now is None:
            await _begin(scope, run_id)
        elif now.run_id == run_id and now.verb == "undo":
            found = await batches.run_batches(scope, run_id, until=until, told=told)
            if isinstance(found, Progress):
                return found
        else:
            way = await batches.resume_stopped(scope, now, until=until)
            if isinstance(way, Progress) or (way is None and time.monotonic() > last_moment):
                raise now.refusal()
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return None


async def _is_undone(scope: Scope, run_id: UUID) -> bool:
    async with transaction(scope):
        return (await _run(scope, run_id)).undone_at is not None


async def _run(scope: Scope, run_id: UUID) -> _Run:
    run = await database.row(
        _Run, "SELECT started_at, undone_at FROM import_run WHERE community_id = $1 AND id = $2",
        scope.community_id, run_id,
    )  # fmt: skip
    if run is None:
        raise NotFound
    return run


async def _begin(scope: Scope, run_id: UUID) -> None:
    """Check that the undo is allowed and store it; return without doing so if other work has begun meanwhile."""
    async with reading(scope):
        run = await _run(scope, run_id)
        if clock.now() - run.started_at > UNDO_WITHIN:
            raise UndoTooLate
        made = await undo_steps.records_of(scope, run_id)
        await undo_steps.require_unused(scope, run_id, made)
    try:
        await _write_down(scope, run_id, made)
    except ImportRunning:
        return


@retried
async def _write_down(scope: Scope, run_id: UUID, made: Sequence[Made]) -> None:
    async with transaction(scope):
        await work.begin(scope, run_id, "undo", made)
