"""Imports a workbook: a trial run writes nothing; a run is stored and then carried out in short batches."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.locale import translator
from timebank.core.scope import Scope
from timebank.imports.files import workbook
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Kind, Planned, Ready, plain_file_name
from timebank.imports.kinds.registry import IMPORTERS
from timebank.imports.reports.report import Findings, Outcome, Report, findings
from timebank.imports.runs import batches, work
from timebank.imports.runs.batches import Progress, ProgressCallback
from timebank.imports.runs.work import ImportRunning
from timebank.imports.tables import ImportRun
from timebank.imports.words.word_meanings import completed, remember_words, require_kind
from timebank.imports.words.words import WordIn

ANSWER_WITHIN_SECONDS = 60.0
"""After this time the caller gets the run's progress and the worker continues the run."""
WAIT_SECONDS = 40
LOOK_AGAIN_SECONDS = 0.1

AnyReady = Ready[Any, Any]


class _Overtaken(Exception):
    """Another import of the community has begun or was undone since the file was examined."""


async def import_file(
    scope: Scope, kind: Kind, name: str, content: bytes, *, dry_run: bool = False, skip_bad: bool = False,
    language: str = "zh", told: ProgressCallback | None = None, words: Sequence[WordIn] = (),
) -> Report:  # fmt: skip
    """Import a community's workbook completely and report every refused row in the reader's language.

    One bad row refuses the whole file unless `skip_bad` is set. A dry run writes nothing and reports what the run would
    refuse. Rows that an earlier import has recorded change nothing. Raises an ImportRefused for a file that is not such
    a table.
    """
    found = await try_or_import(scope, kind, name, content, dry_run=dry_run, skip_bad=skip_bad, told=told, words=words)
    assert isinstance(found, Findings)  # without a limit it ends
    return found.told(translator(language))


async def try_or_import(
    scope: Scope, kind: Kind, name: str, content: bytes, *, dry_run: bool, skip_bad: bool,
    seconds: float | None = None, told: ProgressCallback | None = None, words: Sequence[WordIn] = (),
) -> Findings | Progress:  # fmt: skip
    """Like `import_file`, but return codes and values instead of sentences; after `seconds` the worker does the rest.

    `words` are the meanings of unknown words: a run remembers them first, a dry run only assumes them. Raises
    NotUsedHere where the community does not use what the workbook is about.
    """
    scope.require_admin()
    scope.require_use(IMPORTERS[kind].capability)
    until = None if seconds is None else time.monotonic() + seconds
    book = await asyncio.to_thread(workbook.read_workbook, name, content)
    digest = hashlib.sha256(content).digest()
    words = await _in_full(scope, kind, book, words)
    if dry_run:
        return await _try(scope, kind, book, words)
    await remember_words(scope, kind, words)
    begun = await _begin(scope, kind, book, digest, skip_bad=skip_bad, until=until, told=told)
    del book  # a large one should not stay in memory while its rows are written
    if begun.run_id is None or begun.outcome != "imported":
        return begun
    return await batches.run_batches(scope, begun.run_id, until=until, told=told, found=begun)


async def _try(scope: Scope, kind: Kind, book: Workbook, words: Sequence[WordIn]) -> Findings:
    intake = Intake(scope=scope, kind=kind, file_name=plain_file_name(book.name), answers=words)
    ready = await IMPORTERS[kind].examine(intake, book)
    found = _outcome(ready, "tried")
    ready.parsed.readings.clear()  # breaks the reference cycle that would keep every cell of the workbook in memory
    return found


async def _in_full(scope: Scope, kind: Kind, book: Workbook, words: Sequence[WordIn]) -> Sequence[WordIn]:
    """The answers, completed with the points and units that the workbook gives for what is new."""
    require_kind(kind, words)
    if not any(word.new and word.points is None for word in words):
        return words
    return completed(words, (await _try(scope, kind, book, [])).unknown)


async def _begin(
    scope: Scope,
    kind: Kind,
    book: Workbook,
    digest: bytes,
    *,
    skip_bad: bool,
    until: float | None,
    told: ProgressCallback | None,
) -> Findings:
    """Examine the file and store a run once the community has no other work; the findings have the id of the run."""
    while True:
        resumed = await _wait_turn(scope, kind, digest, until, told)
        if resumed is not None:
            return resumed
        seen = await _runs_so_far(scope)
        intake = Intake(scope=scope, kind=kind, file_name=plain_file_name(book.name))
        ready = await IMPORTERS[kind].examine(intake, book)
        if ready.parsed.problems and not skip_bad:
            return _outcome(ready, "refused")
        if not ready.created:
            return _outcome(ready, "unchanged")
        found, rows = _outcome(ready, "imported", run_id=intake.id), ready.rows
        # The readings reference every cell of a large workbook: free them before the rows are serialised.
        ready.parsed.readings.clear()
        del ready
        try:
            await _write_down(intake, digest, found, rows, seen, skip_bad=skip_bad)
        except (ImportRunning, _Overtaken):
            continue
        return found


async def _wait_turn(
    scope: Scope, kind: Kind, digest: bytes, until: float | None, told: ProgressCallback | None
) -> Findings | None:
    """Wait until the community has no import or undo under way, since each must see the results of the one before.

    Work that a stopped process has left is continued here; if it is an import of this same file, its findings are
    returned. Raises ImportRunning if the other work does not end within WAIT_SECONDS.
    """
    last_moment = time.monotonic() + WAIT_SECONDS
    while (now := await work.under_way(scope)) is not None:
        found = await batches.resume_stopped(scope, now, until=until, told=told)
        if isinstance(found, Findings) and (now.verb, now.kind, now.file_hash) == ("import", kind, digest):
            return found
        if isinstance(found, Progress) or (found is None and time.monotonic() > last_moment):
            raise now.refusal()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return None


async def _runs_so_far(scope: Scope) -> tuple[int, int]:
    """The community's number of runs and of undone runs, which change whenever an import begins or is undone."""
    async with transaction(scope):
        found = await database.fetch_one(
            "SELECT count(*), count(undone_at) FROM import_run WHERE community_id = $1", scope.community_id
        )
    assert found is not None
    return found[0], found[1]


def _outcome(ready: AnyReady, outcome: Outcome, *, run_id: UUID | None = None) -> Findings:
    ready.parsed.finish()
    return findings(ready.parsed, outcome, created=ready.created, run_id=run_id)


@retried
async def _write_down(
    intake: Intake, digest: bytes, found: Findings, rows: Sequence[Planned], seen: tuple[int, int], *, skip_bad: bool
) -> None:
    """Store the run and its rows. Raises _Overtaken if another run came in between: the file must be examined again."""
    scope = intake.scope
    async with transaction(scope):
        await ImportRun.insert(
            ImportRun(
                community_id=scope.community_id, id=intake.id, kind=intake.kind, file_name=intake.file_name,
                file_hash=digest, skip_bad=skip_bad, rows=found.rows, accepted=found.accepted, created=0,
                report=msgspec.json.encode(found.kept()).decode(), started_by=scope.person_id, started_at=clock.now(),
                undone_at=None, undone_by=None, ended_at=None, stopped=None,
            )
        )  # fmt: skip
        await work.begin(scope, intake.id, "import", rows)
        # The row of import_work now prevents any other run of this community.
        count, undone = await _runs_so_far(scope)
        if (count - 1, undone) != seen:
            raise _Overtaken
