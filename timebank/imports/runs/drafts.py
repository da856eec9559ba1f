"""Keep a workbook between its trial run and its import: encrypted, for an hour, for the session that uploaded it.

The findings are stored with it, encrypted too, because they show cells of its rows.
"""

import zlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.locale import translator
from timebank.core.scope import Scope
from timebank.imports.intake import Kind, plain_file_name
from timebank.imports.reports.refused_rows import TITLE, refused_rows
from timebank.imports.reports.report import Findings, Report, RowReport, format_rows
from timebank.imports.runs.batches import Progress
from timebank.imports.runs.closing import findings_of
from timebank.imports.runs.runs import try_or_import
from timebank.imports.tables import ImportDraft
from timebank.imports.words.word_meanings import completed, remember_words
from timebank.imports.words.words import WordIn

KEPT_FOR = timedelta(hours=1)
SEAL, FINDINGS_SEAL = "import draft", "import draft findings"


class DraftGone(TimebankError):
    code = "draft_gone"
    status = 404
    sentence = "这份表格已经过了一小时，不再保留。请重新选择表格。"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A workbook after its trial run, with the report in the reader's language.

    `good` counts rows without a problem, `new` those of them that no earlier import knows; both whether or not bad rows
    would refuse the whole file. `warnings` has every warning, not grouped.
    """

    id: UUID
    kind: Kind
    file_name: str
    good: int
    new: int
    report: Report
    warnings: list[RowReport]


class RefusedRows(msgspec.Struct, frozen=True):
    """An xlsx workbook and the name to save it under."""

    file_name: str
    content: bytes


async def try_out(scope: Scope, kind: Kind, name: str, content: bytes) -> UUID:
    """Make a trial run of a workbook and keep it for its import. Raises an ImportRefused for an unusable file."""
    session_id = _session(scope)
    found = await try_or_import(scope, kind, name, content, dry_run=True, skip_bad=False)
    assert isinstance(found, Findings)  # a trial run is never left to the worker
    return await _keep(scope, session_id, kind, name, content, found)


@retried
async def _keep(scope: Scope, session_id: UUID, kind: Kind, name: str, content: bytes, found: Findings) -> UUID:
    """Store a tried workbook; deletes the session's earlier one and all expired ones."""
    draft_id = clock.new_id()
    async with transaction(scope):
        await database.execute(
            "DELETE FROM import_draft WHERE community_id = $1 AND (session_id = $2 OR created_at < $3)",
            scope.community_id, session_id, clock.now() - KEPT_FOR,
        )  # fmt: skip
        await ImportDraft.insert(
            ImportDraft(
                community_id=scope.community_id, id=draft_id, session_id=session_id, kind=kind,
                file_name=plain_file_name(name), content=_seal(content), findings=_packed(found), run_id=None,
                created_at=clock.now(),
            )
        )  # fmt: skip
    return draft_id


async def draft(scope: Scope, draft_id: UUID, language: str = "zh") -> Draft:
    """A workbook that this session tried within the last hour. Raises DraftGone."""
    kept, translate = await _find(scope, draft_id), translator(language)
    found = await _findings(scope, kept)
    report, warnings = found.told(translate), format_rows(found.warnings, translate)
    return Draft(
        id=draft_id,
        kind=kept.kind,
        file_name=kept.file_name,
        good=found.accepted,
        new=found.created,
        report=report,
        warnings=warnings,
    )


async def draft_of(scope: Scope, run_id: UUID) -> UUID | None:
    """The id of the draft that this session imported by a run; None once it has expired."""
    if scope.session_id is None or not scope.administers:
        return None
    async with transaction(scope):
        found: UUID | None = await database.fetch_value(
            "SELECT id FROM import_draft WHERE community_id = $1 AND session_id = $2 AND run_id = $3 "
            "AND created_at >= $4",
            scope.community_id, _session(scope), run_id, clock.now() - KEPT_FOR,
        )  # fmt: skip
    return found


async def map_draft(scope: Scope, draft_id: UUID, words: Sequence[WordIn]) -> None:
    """Store what words of a tried workbook mean, and repeat its trial run. The draft keeps the new findings."""
    kept = await _find(scope, draft_id)
    known = (await _findings(scope, kept)).unknown
    await remember_words(scope, kept.kind, completed(words, known))
    found = await try_or_import(scope, kept.kind, kept.file_name, _unseal(kept), dry_run=True, skip_bad=False)
    assert isinstance(found, Findings)  # a trial run is never left to the worker
    await _keep_findings(scope, draft_id, found)


async def import_draft(
    scope: Scope, draft_id: UUID, *, skip_bad: bool, seconds: float | None = None
) -> Findings | Progress:
    """Import a tried workbook; the draft keeps the new findings.

    After `seconds` the rest is left to the worker, and the progress is returned.
    """
    kept = await _find(scope, draft_id)
    found = await try_or_import(
        scope, kept.kind, kept.file_name, _unseal(kept), dry_run=False, skip_bad=skip_bad, seconds=seconds
    )
    if isinstance(found, Progress):
        await _keep_findings(scope, draft_id, found.begun or await findings_of(scope, found.run_id))
    else:
        await _keep_findings(scope, draft_id, found)
    return found


@retried
async def _keep_findings(scope: Scope, draft_id: UUID, found: Findings) -> None:
    async with transaction(scope):
        await database.execute(
            "UPDATE import_draft SET findings = $3, run_id = coalesce($4, run_id) WHERE community_id = $1 AND id = $2",
            scope.community_id, draft_id, _packed(found), found.run_id,
        )  # fmt: skip


async def refused_of(scope: Scope, draft_id: UUID, language: str = "zh") -> RefusedRows:
    """The refused rows of a tried workbook as a new workbook, each with its problem, to be corrected."""
    kept, translate = await _find(scope, draft_id), translator(language)
    found = await _findings(scope, kept)
    content = await refused_rows(kept.kind, kept.file_name, _unseal(kept), found.errors, translate)
    return RefusedRows(f"{Path(kept.file_name).stem}-{translate(TITLE)}.xlsx", content)


@retried
async def purge_drafts(scope: Scope) -> None:
    """Purge drafts that are older than an hour."""
    async with transaction(scope):
        await database.execute(
            "DELETE FROM import_draft WHERE community_id = $1 AND created_at < $2",
            scope.community_id, clock.now() - KEPT_FOR,
        )  # fmt: skip


class _Kept(msgspec.Struct, frozen=True):
    kind: Kind
    file_name: str
    content: bytes
    findings: bytes


async def _find(scope: Scope, draft_id: UUID) -> _Kept:
    scope.require_admin()
    async with transaction(scope):
        found = await database.row(
            _Kept,
            "SELECT kind, file_name, content, findings FROM import_draft "
            "WHERE community_id = $1 AND id = $2 AND session_id = $3 AND created_at >= $4",
            scope.community_id, draft_id, _session(scope), clock.now() - KEPT_FOR,
        )  # fmt: skip
    if found is None:
        raise DraftGone
    return found


def _session(scope: Scope) -> UUID:
    scope.require_admin()
    if scope.session_id is None:
        raise Forbidden
    # An HMAC, not the session's id: the id proves who acts, and a draft can be read by more than its session.
    return UUID(bytes=vault.blind_index(str(scope.session_id), "draft")[:16])


async def _findings(scope: Scope, kept: _Kept) -> Findings:
    """The findings of a draft; once its import has begun, with the rows that the run has refused since."""
    found = msgspec.msgpack.decode(zlib.decompress(vault.unseal_bytes(kept.findings, FINDINGS_SEAL)), type=Findings)
    if found.run_id is None:
        return found
    run = await findings_of(scope, found.run_id)
    told = {(error.sheet, error.row, error.code, error.column) for error in found.errors}
    late = [error for error in run.errors if (error.sheet, error.row, error.code, error.column) not in told]
    said = [note for note in run.notes if note not in found.notes and not note.code.endswith("_left_out")]
    return msgspec.structs.replace(
        found, accepted=run.accepted, created=run.created, errors=[*found.errors, *late], notes=[*found.notes, *said]
    )


def _packed(found: Findings) -> bytes:
    return vault.seal_bytes(zlib.compress(msgspec.msgpack.encode(found)), FINDINGS_SEAL)


# The vault encrypts text; Latin-1 maps every byte to one character.
def _seal(content: bytes) -> bytes:
    return vault.seal(content.decode("latin-1"), SEAL)


def _unseal(kept: _Kept) -> bytes:
    return vault.unseal(kept.content, SEAL).encode("latin-1")
