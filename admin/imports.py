"""The panel's imports: choose a workbook, try it, decide its words, and take it in."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, MultipartBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from admin.import_shown import SHOWN, Of, Start, Word, answers, page_seconds, reasons, rows_page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.imports.files import workbook
from timebank.imports.intake import Kind
from timebank.imports.reports import history
from timebank.imports.runs import drafts
from timebank.imports.runs.batches import Progress
from timebank.imports.words.mapping import choices_of
from timebank.web.pages import page, see_other

PAGE = 20
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Upload(msgspec.Struct):
    """A workbook, and what it is."""

    file: UploadFile
    kind: Kind = "residents"


class ImportPages(Controller):
    path = "/admin/imports"
    include_in_schema = False

    @get()
    async def list_runs(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None,
        kind: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Template:  # fmt: skip
        """A new import, and those made before."""
        return await _first_page(request, caller, cursor=cursor, kind=kind)

    @post()
    @shown_again(lambda request, caller, data: _first_page(request, caller, kind=data.kind))
    async def try_out(self, caller: NamedDependency[Scope], data: MultipartBody[Upload]) -> Redirect:
        """Try a workbook: nothing is written but the sealed workbook itself."""
        caller.require_admin()
        content = await data.file.read(workbook.BYTES_MAX + 1)
        draft_id = await drafts.try_out(caller, data.kind, data.file.filename, content)
        return see_other(f"/admin/imports/drafts/{draft_id}")

    @get("/drafts/{draft_id:uuid}")
    @shown_again(lambda request, caller: _first_page(request, caller))
    async def draft(self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID]) -> Template:
        """What the trial found, and the choice to go on."""
        return await _draft_page(request, caller, draft_id)

    @get("/drafts/{draft_id:uuid}/rows")
    @shown_again(lambda request, caller: _first_page(request, caller))
    async def rows(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        of: FromQuery[Of] = "errors", code: Word = "", column: Word = "", start: Start = 0,
    ) -> Template | Redirect:  # fmt: skip
        """The rows of a tried workbook of which one thing is said, each with its cells."""
        found = await drafts.draft(caller, draft_id, language_of(request))
        path, report = f"/admin/imports/drafts/{draft_id}", found.report
        told, remarks = (report.refusals, report.errors) if of == "errors" else (report.notices, found.warnings)
        rows = rows_page(told, remarks, report.shown, path, of, code, column, start)
        if rows is None:  # the words were decided, or the book was tried anew
            return see_other(path)
        return page(request, caller, "imports/rows.html", back=path, file_name=found.file_name, rows=rows, of=of)

    @post("/drafts/{draft_id:uuid}")
    @shown_again(lambda request, caller: _first_page(request, caller))
    async def take_in(
        self, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Take the tried workbook in; what takes longer than a page should is left to the worker."""
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
        """Remember what words of the tried workbook mean, and try it once more."""
        await drafts.map_draft(caller, draft_id, answers(data))
        return see_other(f"/admin/imports/drafts/{draft_id}")

    @get("/drafts/{draft_id:uuid}/refused.xlsx", media_type=XLSX)
    async def refused(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The refused rows with their problems, to be mended and imported again."""
        rows = await drafts.refused_of(caller, draft_id, language_of(request))
        return Response(rows.content, media_type=XLSX, headers={"Content-Disposition": _attachment(rows.file_name)})


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
        kind=kind, may=caller.administers, **SHOWN,
    )  # fmt: skip


def _attachment(name: str) -> str:
    """The header that saves an answer under this name, in a browser of any age."""
    return f"attachment; filename=\"refused.xlsx\"; filename*=UTF-8''{quote(name)}"
