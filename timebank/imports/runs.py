"""Imports: a workbook tried or taken in, in one transaction, and what was taken in before."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from timebank import audit, clock, database
from timebank.database import retried, savepoint, transaction
from timebank.errors import Busy
from timebank.imports import deeds_in, goods_in, hours_in, residents_in, workbook
from timebank.imports.intake import Intake, Kind, plain_file_name, wait_turn
from timebank.imports.parsed import Parsed
from timebank.imports.report import Findings, Outcome, Report, findings
from timebank.imports.workbook import Workbook
from timebank.locale import translator
from timebank.scope import Scope

TAKE_IN: dict[Kind, Callable[[Intake, Workbook], Awaitable[Parsed[Any]]]] = {
    "residents": residents_in.take_in,
    "hours": hours_in.take_in,
    "deeds": deeds_in.take_in,
    "goods": goods_in.take_in,
}


COUNTED_FROM = 200


class _LeftAsItWas(Exception):
    """Everything that the attempt has written goes; what was found stays."""

    def __init__(self, found: Findings) -> None:
        super().__init__()
        self.found = found


async def import_file(
    scope: Scope, kind: Kind, name: str, content: bytes, *, dry_run: bool = False, skip_bad: bool = False,
    language: str = "zh",
) -> Report:  # fmt: skip
    """Take a community's workbook in, and tell of every row that cannot be, in words of the reader's language.

    All or nothing unless `skip_bad`; a dry run is the real run taken back, so it tells just what that would refuse.
    Rows that an earlier import knows change nothing. Raises an ImportRefused for a file that is no such table.
    """
    found = await try_or_import(scope, kind, name, content, dry_run=dry_run, skip_bad=skip_bad)
    return found.told(translator(language))


async def try_or_import(
    scope: Scope, kind: Kind, name: str, content: bytes, *, dry_run: bool, skip_bad: bool
) -> Findings:
    """What `import_file` does, told in no language yet."""
    scope.require_admin()
    book = await asyncio.to_thread(workbook.read, name, content)
    digest = hashlib.sha256(content).digest()
    found = await _attempt(scope, kind, book, digest, dry_run=dry_run, skip_bad=skip_bad)
    if found.run_id is not None and found.created >= COUNTED_FROM:
        await _count()
    return found


@retried
async def _count() -> None:
    """Let the database count its rows anew, so that it finds its way among the many that have come."""
    try:
        async with transaction(None):
            await database.execute("SELECT count_imported()")
    except Busy:
        return  # Another import is counting: its count serves as well.


@retried
async def _attempt(
    scope: Scope, kind: Kind, book: Workbook, digest: bytes, *, dry_run: bool, skip_bad: bool
) -> Findings:
    intake = Intake(scope, kind, plain_file_name(book.name))
    async with transaction(scope):
        await wait_turn(scope)
        try:
            async with savepoint():
                parsed = await TAKE_IN[kind](intake, book)
                parsed.settle()
                return await _close(intake, parsed, digest, dry_run=dry_run, skip_bad=skip_bad)
        except _LeftAsItWas as left:
            return left.found


async def _close(intake: Intake, parsed: Parsed[Any], digest: bytes, *, dry_run: bool, skip_bad: bool) -> Findings:
    """Write the run down, or take it back: a trial, one with bad rows and all-or-nothing, one with nothing new."""
    found = _outcome(intake, parsed, dry_run=dry_run, skip_bad=skip_bad)
    if found.run_id is None:
        raise _LeftAsItWas(found)
    await _write_down(intake, digest, found, skip_bad=skip_bad)
    return found


def _outcome(intake: Intake, parsed: Parsed[Any], *, dry_run: bool, skip_bad: bool) -> Findings:
    outcome: Outcome = "imported" if intake.created else "unchanged"
    if dry_run:
        outcome = "tried"
    elif parsed.problems and not skip_bad:
        outcome = "refused"
    return findings(parsed, outcome, created=intake.created, run_id=intake.id if outcome == "imported" else None)


async def _write_down(intake: Intake, digest: bytes, found: Findings, *, skip_bad: bool) -> None:
    scope = intake.scope
    await database.execute(
        "INSERT INTO import_run (community_id, id, kind, file_name, file_hash, skip_bad, rows, accepted, created, "
        "report, started_by, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)",
        scope.community_id, intake.id, intake.kind, intake.file_name, digest, skip_bad, found.rows, found.accepted,
        found.created, msgspec.json.encode(found.kept()).decode(), scope.person_id, clock.now(),
    )  # fmt: skip
    await intake.write_made()
    await audit.record(
        scope, "import", "import_run", intake.id, kind=intake.kind, rows=found.rows, accepted=found.accepted,
        created=found.created, skip_bad=skip_bad,
    )  # fmt: skip
