"""The panel's page of one import run: its progress, its result, its rows, and the undo."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from admin.import_shown import SHOWN, Of, Start, Word, answers, page_seconds, reasons, rows_page
from timebank.core.capability import resolve
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.imports.reports import history
from timebank.imports.runs import drafts
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.imports.words.word_meanings import choices_of, remember_words
from timebank.inbox.kinds import inbox_kinds
from timebank.web.pages import page, see_other


class PanelImportRunPages(Controller):
    path = "/admin/imports/{run_id:uuid}"
    include_in_schema = False

    @get()
    async def show_run(
        self, request: AnyRequest, caller: NamedDependency[Scope], run_id: FromPath[UUID],
        done: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Template:  # fmt: skip
        """One import run: imported and refused rows, the next steps, and the undo."""
        return await _run_page(request, caller, run_id, done=done)

    @get("/rows")
    async def rows(
        self, request: AnyRequest, caller: NamedDependency[Scope], run_id: FromPath[UUID], of: FromQuery[Of] = "errors",
        code: Word = "", column: Word = "", start: Start = 0,
    ) -> Template | Redirect:  # fmt: skip
        """The rows of an import run with one and the same error or warning."""
        run, path = await history.show_run(caller, run_id, language_of(request)), f"/admin/imports/{run_id}"
        told, remarks = (run.refusals, run.errors) if of == "errors" else (run.notices, run.warnings)
        rows = rows_page(told, remarks, [], path, of, code, column, start)
        if rows is None:  # the words were decided, or the workbook was tried again
            return see_other(path)
        return page(request, caller, "imports/rows.html", back=path, file_name=run.file_name, rows=rows, of=of)

    @post("/words")
    @shown_again(lambda request, caller, run_id, refusal: _run_page(request, caller, run_id, refusal=refusal))
    async def decide_words(
        self, caller: NamedDependency[Scope], run_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Store what words of the imported workbook mean, and try the workbook again if it is still kept."""
        run = await history.show_run(caller, run_id)
        draft_id = await drafts.draft_of(caller, run_id)
        if draft_id is not None:
            await drafts.map_draft(caller, draft_id, answers(data))
            return see_other(f"/admin/imports/drafts/{draft_id}")
        await remember_words(caller, run.kind, answers(data))
        return see_other(f"/admin/imports/{run_id}?done=words")

    @post("/undo")
    @shown_again(lambda request, caller, run_id, refusal: _run_page(request, caller, run_id, refusal=refusal))
    async def undo(self, caller: NamedDependency[Scope], run_id: FromPath[UUID]) -> Redirect:
        """Undo an import."""
        progress = await undo(caller, run_id, seconds=await page_seconds())
        return see_other(f"/admin/imports/{run_id}" + ("" if progress else "?done=undone"))


async def _run_page(
    request: AnyRequest, caller: Scope, run_id: UUID, *, done: str = "", refusal: TimebankError | None = None
) -> Template:
    language, path = language_of(request), f"/admin/imports/{run_id}"
    run, draft = await history.show_run(caller, run_id, language), await drafts.draft_of(caller, run_id)
    may, used = caller.administers, refusal if isinstance(refusal, ImportUsed) else None
    choices = await choices_of(caller, (word.kind for word in run.unknown)) if may else {}
    return page(
        request, caller, "imports/run.html", run=run, draft=draft,
        done=done, path=path, may=may, choices=choices, **SHOWN,
        refusals=reasons(run.refusals, run.errors, [], path, "errors"),
        notices=reasons(run.notices, run.warnings, [], path, "warnings"),
        used=used.reasons(language) if used else [], cures=used.cures(language) if used else [],
        used_count=len(used.traces) if used else 0,
        approvers=await _approvers(caller, run_id, language) if done else [],
    )  # fmt: skip


async def _approvers(caller: Scope, run_id: UUID, language: str) -> list[str]:
    """Who may approve what the import has made, if that waits for somebody else than the caller."""
    listing = [resolve(kind.groups) for kind in inbox_kinds(caller) if kind.groups]
    groups = [group for list_groups in listing for group in await list_groups(caller, language)]
    return next((group.who for group in groups if group.batch_id == run_id and not group.mine), [])
