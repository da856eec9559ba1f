"""The panel's import pages: upload a workbook, trial run, decide its words, import."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, MultipartBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from admin.import_shown import SHOWN, Of, Start, Word, answers, kinds_in_use, page_seconds, reasons, rows_page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.downloads import XLSX, attachment
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.imports.files import workbook
from timebank.imports.intake import Kind
from timebank.imports.reports import history
from timebank.imports.runs import drafts
from timebank.imports.runs.batches import Progress
from timebank.imports.words.word_meanings import choices_of
from timebank.web.pages import page, see_other

PAGE = 20


class Upload(msgspec.Struct):
    """The upload form: a workbook and its kind."""

    file: UploadFile
    kind: Kind = "residents"


class PanelImportPages(Controller):
    path = "/admin/imports"
    include_in_schema = False

    @get()
    async def list_runs(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None,
        kind: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Template:  # fmt: skip
        """The form of a new import, and the previous import runs."""
        return await _first_page(request, caller, cursor=cursor, kind=kind)

    @post()
    @shown_again(lambda request, caller, data: _first_page(request, caller, kind=data.kind))
    async def try_out(self, caller: NamedDependency[Scope], data: MultipartBody[Upload]) -> Redirect:
        """Start a trial run of a workbook. Only the encrypted workbook is stored; nothing is imported."""
        caller.require_admin()
        content = await data.file.read(workbook.BYTES_MAX + 1)
        draft_id = await drafts.try_out(caller, data.kind, data.file.filename, content)
        return see_other(f"/admin/imports/drafts/{draft_id}")

    @get("/drafts/{draft_id:uuid}")
    @shown_again(lambda request, caller: _first_page(request, caller))
    async def draft(self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID]) -> Template:
        """The result of the trial run, and the button to import."""
        return await _draft_page(request, caller, draft_id)

    @get("/drafts/{draft_id:uuid}/rows")
    @shown_again(lambda request, caller: _first_page(request, caller))
    async def rows(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        of: FromQuery[Of] = "errors", code: Word = "", column: Word = "", start: Start = 0,
    ) -> Template | Redirect:  # fmt: skip
        """The rows of a trial run with one and the same error or warning."""
        found = await drafts.draft(caller, draft_id, language_of(request))
        path, report = f"/admin/imports/drafts/{draft_id}", found.report
        told, remarks = (report.refusals, report.errors) if of == "errors" else (report.notices, found.warnings)
        rows = rows_page(told, remarks, report.shown, path, of, code, column, start)
        if rows is None:  # the words were decided, or the workbook was tried again
            return see_other(path)
        return page(request, caller, "imports/rows.html", back=path, file_name=found.file_name, rows=rows, of=of)

    @post("/drafts/{draft_id:uuid}")
    @shown_again(lambda request, caller: _first_page(request, caller))
    async def take_in(
        self, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Import the workbook of a trial run. The worker continues what takes longer than a page may."""
        skip_bad, seconds = data.get("skip_bad") == "1", await page_seconds()
        found = await drafts.import_draft(caller, draft_id, skip_bad=skip_bad, seconds=seconds)
        if isinstance(found, Progress):
            return see_other(f"/admin/imports/{found.run_id}")
        if found.run_id is None:
            return see_other(f"/admin/imports/drafts/{draft_id}")
        done = "?done=imported" if found.outcome == "imported" else ""
        return see_other(f"/admin/imports/{found.run_id}{done}")

    @post("/drafts/{draft_id:uuid}/words")
    @shown_again(
        lambda request, caller, draft_id: _draft_page(request, caller, draft_id),
        lambda request, caller: _first_page(request, caller),
    )
    async def decide_words(
        self, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Store what words of the workbook mean, and repeat the trial run."""
        await drafts.map_draft(caller, draft_id, answers(data))
        return see_other(f"/admin/imports/drafts/{draft_id}")

    @get("/drafts/{draft_id:uuid}/refused.xlsx", media_type=XLSX)
    async def refused(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Download the refused rows with their errors, to correct and import them again."""
        rows = await drafts.refused_of(caller, draft_id, language_of(request))
        return Response(
            rows.content, media_type=XLSX, headers={"Content-Disposition": attachment(rows.file_name, "refused.xlsx")}
        )


async def _draft_page(request: AnyRequest, caller: Scope, draft_id: UUID) -> Template:
    language, path = language_of(request), f"/admin/imports/drafts/{draft_id}"
    found = await drafts.draft(caller, draft_id, language)
    report = found.report
    choices = await choices_of(caller, (word.kind for word in report.unknown))
    return page(
        request, caller, "imports/draft.html", draft=found, report=report,
        path=path, refusals=reasons(report.refusals, report.errors, report.shown, path, "errors"),
        notices=reasons(report.notices, found.warnings, report.shown, path, "warnings"), choices=choices,
        **SHOWN,
    )  # fmt: skip


async def _first_page(
    request: AnyRequest, caller: Scope, *, cursor: str | None = None, kind: str = "",
) -> Template:  # fmt: skip
    found = await history.runs(caller, limit=PAGE, cursor=cursor)
    return page(
        request, caller, "imports/imports.html", found=found, cursor=cursor,
        kind=kind, may=caller.administers, offered=kinds_in_use(caller), **SHOWN,
    )  # fmt: skip
