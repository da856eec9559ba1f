"""Imports: a workbook looked at, which writes nothing, or written down as a run that goes on in short batches."""

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
from timebank.imports.runs import batches as carrying
from timebank.imports.runs import work
from timebank.imports.runs.batches import Progress, ProgressCallback
from timebank.imports.runs.work import ImportRunning
from timebank.imports.words.mapping import completed, remember_words, require_kind
from timebank.imports.words.words import WordIn

ANSWER_WITHIN_SECONDS = 60.0
"""After so long a caller is told how far the run is, and the worker goes on."""
WAIT_SECONDS = 40
LOOK_AGAIN_SECONDS = 0.1

AnyReady = Ready[Any, Any]


class _Overtaken(Exception):
    """Another import has begun, or was undone, since the file was looked at."""


async def import_file(
    scope: Scope, kind: Kind, name: str, content: bytes, *, dry_run: bool = False, skip_bad: bool = False,
    language: str = "zh", told: ProgressCallback | None = None, words: Sequence[WordIn] = (),
) -> Report:  # fmt: skip
    """Take a community's workbook in to its end, and tell of every row that cannot be, in the reader's words.

    All or nothing unless `skip_bad`; a dry run reads alone, and tells just what the run would refuse. Rows that an
    earlier import knows change nothing. Raises an ImportRefused for a file that is no such table.
    """
    found = await try_or_import(scope, kind, name, content, dry_run=dry_run, skip_bad=skip_bad, told=told, words=words)
    assert isinstance(found, Findings)  # without a limit it ends
    return found.told(translator(language))


async def try_or_import(
    scope: Scope, kind: Kind, name: str, content: bytes, *, dry_run: bool, skip_bad: bool,
    seconds: float | None = None, told: ProgressCallback | None = None, words: Sequence[WordIn] = (),
) -> Findings | Progress:  # fmt: skip
    """What `import_file` does, not worded yet; after `seconds` the rest is left to the worker.

    `words` are what words of the book mean: a run remembers them first, a dry run only supposes it.
    """
    scope.require_admin()
    until = None if seconds is None else time.monotonic() + seconds
    book = await asyncio.to_thread(workbook.read, name, content)
    digest = hashlib.sha256(content).digest()
    words = await _in_full(scope, kind, book, words)
    if dry_run:
        return await _try(scope, kind, book, words)
    await remember_words(scope, kind, words)
    begun = await _begin(scope, kind, book, digest, skip_bad=skip_bad, until=until, told=told)
    del book  # a large one should not stay in memory while its rows are written
    if begun.run_id is None or begun.outcome != "imported":
        return begun
    return await carrying.run_batches(scope, begun.run_id, until=until, told=told, found=begun)


async def _try(scope: Scope, kind: Kind, book: Workbook, words: Sequence[WordIn]) -> Findings:
    intake = Intake(scope=scope, kind=kind, file_name=plain_file_name(book.name), answers=words)
    ready = await IMPORTERS[kind].examine(intake, book)
    found = _outcome(ready, "tried")
    ready.parsed.readings.clear()  # they and what was parsed hold each other, and with it every cell of the book
    return found


async def _in_full(scope: Scope, kind: Kind, book: Workbook, words: Sequence[WordIn]) -> Sequence[WordIn]:
    """The answers, with what the book itself says of what is new."""
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
    """Begin a run as soon as the community has nothing else under way; what was found, with the run where one began."""
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
        # Every cell of a large book hangs on these lines: gone before its rows are packed.
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
    """Let imports and undoings of one community follow one another: each must see what the one before has made.

    What a stopped process has left is carried on here. Was it this very file, its findings are the answer.
    """
    last_moment = time.monotonic() + WAIT_SECONDS
    while (now := await work.under_way(scope)) is not None:
        found = await carrying.resume_stopped(scope, now, until=until, told=told)
        if isinstance(found, Findings) and (now.verb, now.kind, now.file_hash) == ("import", kind, digest):
            return found
        if isinstance(found, Progress) or (found is None and time.monotonic() > last_moment):
            raise now.refusal()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return None


async def _runs_so_far(scope: Scope) -> tuple[int, int]:
    """What changes whenever an import of the community begins or is undone."""
    async with transaction(scope):
        found = await database.fetch_one(
            "SELECT count(*), count(undone_at) FROM import_run WHERE community_id = $1", scope.community_id
        )
    assert found is not None
    return found[0], found[1]


def _outcome(ready: AnyReady, outcome: Outcome, *, run_id: UUID | None = None) -> Findings:
    ready.parsed.settle()
    return findings(ready.parsed, outcome, created=ready.created, run_id=run_id)


@retried
async def _write_down(
    intake: Intake, digest: bytes, found: Findings, rows: Sequence[Planned], seen: tuple[int, int], *, skip_bad: bool
) -> None:
    """Write the run and its rows down. Raises _Overtaken when another has come in between: look at the file anew."""
    scope = intake.scope
    async with transaction(scope):
        await database.execute(
            "INSERT INTO import_run (community_id, id, kind, file_name, file_hash, skip_bad, rows, accepted, created, "
            "report, started_by, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9::jsonb, $10, $11)",
            scope.community_id, intake.id, intake.kind, intake.file_name, digest, skip_bad, found.rows, found.accepted,
            msgspec.json.encode(found.kept()).decode(), scope.person_id, clock.now(),
        )  # fmt: skip
        await work.begin(scope, intake.id, "import", rows)
        # From here on nothing else of this community can begin.
        count, undone = await _runs_so_far(scope)
        if (count - 1, undone) != seen:
            raise _Overtaken
