"""Carry on an import or its undo in batches: in the process that began it, or in the worker if that one stopped."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError, Unavailable
from timebank.core.scope import Scope
from timebank.imports.intake import Intake
from timebank.imports.kinds.registry import IMPORTERS
from timebank.imports.reports.reasons import Remark
from timebank.imports.reports.report import Findings
from timebank.imports.runs import undo_steps, work
from timebank.imports.runs.closing import LateRefusal, close_import, findings_of, refuse_import, stop_work
from timebank.imports.runs.ending import analyze_tables, notify_end, notify_in_home_community
from timebank.imports.runs.work import Held, PlanUnreadable, Work
from timebank.imports.steps import Steps

AGAIN_SECONDS = 0.1
FAILURES_MAX = 5
COUNTED_FROM = 200

ProgressCallback = Callable[[int, int], object]
"""A progress callback: takes the total number of rows to write and the number just written."""


class Progress(msgspec.Struct, frozen=True):
    """How far an import is in rows of its workbook, known and refused ones included, or an undo in records.

    `begun` holds all findings of a run that has just begun; the database keeps only a part of them.
    """

    run_id: UUID
    done: int
    rows: int
    verb: Literal["import", "undo"] = "import"
    begun: Findings | None = None


def steps_of(at: Work) -> Steps:
    """The steps of this work: the size of a batch, what a batch does, and what follows the last one."""
    return IMPORTERS[at.kind].steps if at.verb == "import" else undo_steps.STEPS[at.kind]


async def actor_for(scope: Scope, at: Work) -> Scope | None:
    """The scope in which this process may carry on the work: that of its starter; a command's own for a command's work.

    None where it may not. Stops the work if its starter has lost the right to import.
    """
    if at.login_id is None:
        return scope if scope.system and scope.via != "worker" else None
    if at.login_id == scope.login_id:
        return scope
    try:
        return await work.starter_of(scope, at)
    except TimebankError as error:
        if not isinstance(error, Unavailable):
            await stop_work(scope, at, error.code)
        return None


async def resume_stopped(
    scope: Scope, at: Work, *, until: float | None = None, told: ProgressCallback | None = None
) -> Findings | Progress | None:  # fmt: skip
    """Carry on work that a stopped process has left, so that something else may begin.

    None while another process holds the work, or when an error or its age has stopped it.
    """
    actor = await actor_for(scope, at) if at.is_free else None
    if actor is not None:
        try:
            return await run_batches(actor, at.run_id, until=until, told=told)
        except Unavailable:
            raise
        except TimebankError:
            return None  # `run_batches` has stopped the work because of it.
    if at.is_abandoned:
        await stop_work(scope, at, "abandoned")
    return None


@dataclass(slots=True)
class _Count:
    """The number of rows written, and the number at the last ANALYZE."""

    written: int = 0
    counted: int = 0

    async def add(self, rows: int) -> None:
        """Run ANALYZE whenever the number of rows has doubled: with stale statistics each search reads all rows."""
        self.written += rows
        if self.written - self.counted >= max(COUNTED_FROM, self.counted):
            await analyze_tables()
            self.counted = self.written


async def run_batches(
    scope: Scope, run_id: UUID, *, until: float | None = None, told: ProgressCallback | None = None,
    found: Findings | None = None,
) -> Findings | Progress:  # fmt: skip
    """Do what is left of a run's work; after `until` (monotonic seconds) leave the rest to the worker.

    `found` holds all findings of a run that has just begun; the database keeps only a part of them. Raises the error
    that stops the work.
    """
    begun = await _still(scope, run_id)
    if begun is None:
        return found or await findings_of(scope, run_id)
    steps = steps_of(begun)
    failures, rows, count = 0, await _plan(scope, begun, steps), _Count()
    while rows is not None and (at := await _still(scope, run_id)) is not None:
        if until is not None and time.monotonic() > until:
            await _let_go(scope, at)
            return msgspec.structs.replace(await progress_of(scope, at), begun=found)
        try:
            done = await _step(scope, at, steps, rows)
        except LateRefusal as refusal:
            await refuse_import(scope, at, refusal.late)
            return await _ended(scope, run_id, found)
        except Unavailable:
            failures += 1
            if failures > FAILURES_MAX:
                raise
            done = None
        except Exception as error:
            await stop_work(scope, at, error.code if isinstance(error, TimebankError) else "unexpected")
            raise
        if done is None:
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        await count.add(done)
        if told is not None:
            told(at.total, done)
    await notify_in_home_community(scope, begun)
    return await _ended(scope, run_id, found)


async def _plan(scope: Scope, at: Work, steps: Steps) -> list[Any] | None:
    try:
        return await work.plan_of(scope, at.run_id, steps.row)
    except PlanUnreadable as error:
        await stop_work(scope, at, error.code)
        raise


async def _ended(scope: Scope, run_id: UUID, found: Findings | None) -> Findings:
    kept = await findings_of(scope, run_id)
    if kept.created >= COUNTED_FROM:
        await analyze_tables()
    if found is None:
        return kept
    before = found.kept()
    late, notes = kept.errors[len(before.errors) :], kept.notes[len(before.notes) :]
    return msgspec.structs.replace(
        found, outcome=kept.outcome, run_id=kept.run_id, accepted=kept.accepted, created=kept.created,
        errors=[*found.errors, *late], notes=[*found.notes, *notes],
    )  # fmt: skip


async def _still(scope: Scope, run_id: UUID) -> Work | None:
    at = await work.under_way(scope)
    return at if at is not None and at.run_id == run_id else None


async def progress_of(scope: Scope, at: Work) -> Progress:
    """How far work is: an import in rows of the workbook, an undo in records."""
    if at.verb == "undo":
        return Progress(at.run_id, at.done, at.total, "undo")
    rows = (await findings_of(scope, at.run_id)).rows
    return Progress(at.run_id, rows - at.total + at.done, rows)


@retried
async def _step(scope: Scope, at: Work, steps: Steps, rows: Sequence[Any]) -> int | None:
    """Do the next batch, or after the last one the final steps, in one transaction.

    Returns the number of rows done; None while another process holds the work's row.
    """
    async with transaction(scope):
        held = await work.lock_work(scope, at.run_id)
        if held is None:
            return None
        if at.verb == "undo" and held.done == 0:  # Something that the run made may have been used since the last check.
            await undo_steps.require_unused(scope, at.run_id, rows)
        intake = Intake(
            scope=scope, kind=at.kind, file_name=at.file_name, id=at.run_id, is_whole=len(rows) <= steps.batch
        )
        batch = rows[held.done : held.done + steps.batch]
        if batch:
            await steps.take(intake, batch)
            _require_all(at, held, intake)
            await intake.write_made()
            await work.record_progress(scope, at.run_id, rows=len(batch), created=intake.created, late=intake.late)
        # The final steps may take longer than a batch, so they do not keep the rows of a batch locked, unless one batch
        # is the whole run.
        if not batch or intake.is_whole:
            await steps.finish(intake, rows)
            _require_all(at, held, intake)
            await intake.write_made()
            await _close(scope, at, held.created + intake.created, [*held.late, *intake.late], intake)
    return len(batch)


def _require_all(at: Work, held: Held, intake: Intake) -> None:
    """Raise LateRefusal if a row of the first batch is bad and one bad row refuses the whole run.

    After a bad row in a later batch the run continues, and its report says that it is incomplete.
    """
    if intake.late and not at.skip_bad and held.done == 0:
        raise LateRefusal(intake.late)


async def _close(scope: Scope, at: Work, created: int, late: Sequence[Remark], intake: Intake) -> None:
    """Store the outcome, notify the starter unless they see it at once, and end the work."""
    if at.verb == "undo":
        await undo_steps.end_undo(scope, at.run_id, intake)
    else:
        await close_import(scope, at, created, late)
    await notify_end(scope, at)
    await work.end_work(scope, at.run_id)


@retried
async def _let_go(scope: Scope, at: Work) -> None:
    """Release the work, so that any process may carry it on at once."""
    async with transaction(scope):
        await database.execute(
            "UPDATE import_work SET held_until = $3 WHERE community_id = $1 AND run_id = $2",
            scope.community_id, at.run_id, clock.now(),
        )  # fmt: skip
