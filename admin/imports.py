"""The panel's imports: choose a workbook, try it, take it in, and take it back."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, MultipartBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.callers import AnyRequest
from timebank.errors import Busy, TimebankError
from timebank.imports import drafts, history, workbook
from timebank.imports.asking import WordMeaningUnknown, WordUnclear
from timebank.imports.carrying import Progress
from timebank.imports.drafts import DraftGone
from timebank.imports.intake import Kind
from timebank.imports.mapping import WordKindUnknown, choices_of
from timebank.imports.refusals import ImportRefused
from timebank.imports.runs import ANSWER_WITHIN_SECONDS
from timebank.imports.traces import ImportUsed
from timebank.imports.undo import UndoTooLate, undo
from timebank.imports.words import WordIn
from timebank.imports.work import ImportRunning
from timebank.installation import has_worker
from timebank.locale import _
from timebank.paging import Cursor
from timebank.preferences import language_of
from timebank.scope import Scope
from timebank.web.pages import page, see_other

PAGE = 20
ADD = "+"
"""The choice to add a word; no code or id begins so."""
SHOWN_MAX = 200
PAGE_SECONDS = 5.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

KINDS: dict[Kind, tuple[str, str]] = {
    "residents": (_("花名册"), _("居民、住处和身份。备注里的楼栋长、单元长、网格员会登记为身份，其他备注不导入")),
    "hours": (_("签到表"), _("纸质签到的服务时长。导入后等待审核，审核并公示后才计时长和积分")),
    "deeds": (_("道德银行台账"), _("楼栋长、单元长做的事。导入后等待审核和公示，之后才计积分")),
    "goods": (_("物品表"), _("兑换的物品、所需积分和各驿站的库存")),
}
STEPS = (_("选择表格"), _("试导入"), _("导入"))
Word = Annotated[str, QueryParameter(max_length=20)]


class Upload(msgspec.Struct):
    """A workbook, and what it is."""

    file: UploadFile
    kind: Kind = "residents"


class ImportPages(Controller):
    path = "/admin/imports"
    include_in_schema = False

    @get()
    async def list_runs(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None, kind: Word = ""
    ) -> Template:
        """A new import, and those made before."""
        return await _first_page(request, caller, cursor=cursor, kind=kind)

    @post()
    async def try_out(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: MultipartBody[Upload]
    ) -> Template | Redirect:
        """Try a workbook: nothing is written but the sealed workbook itself."""
        caller.require_admin()
        content = await data.file.read(workbook.BYTES_MAX + 1)
        try:
            draft_id = await drafts.try_out(caller, data.kind, data.file.filename, content)
        except (ImportRefused, Busy) as refusal:
            return await _first_page(request, caller, kind=data.kind, refusal=refusal)
        return see_other(f"/admin/imports/drafts/{draft_id}")

    @get("/drafts/{draft_id:uuid}")
    async def draft(self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID]) -> Template:
        """What the trial found, and the choice to go on."""
        return await _draft_page(request, caller, draft_id)

    @post("/drafts/{draft_id:uuid}")
    async def take_in(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Template | Redirect:  # fmt: skip
        """Take the tried workbook in; what takes longer than a page should is left to the worker."""
        skip_bad, seconds = data.get("skip_bad") == "1", await _seconds()
        try:
            found = await drafts.import_draft(caller, draft_id, skip_bad=skip_bad, seconds=seconds)
        except (DraftGone, ImportRefused, Busy, ImportRunning) as refusal:
            return await _first_page(request, caller, refusal=refusal)
        if isinstance(found, Progress):
            return see_other(f"/admin/imports/{found.run_id}?draft={draft_id}")
        if found.run_id is None:
            return see_other(f"/admin/imports/drafts/{draft_id}")
        done = "&done=imported" if found.outcome == "imported" else ""
        return see_other(f"/admin/imports/{found.run_id}?draft={draft_id}{done}")

    @post("/drafts/{draft_id:uuid}/words")
    async def decide_words(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Template | Redirect:  # fmt: skip
        """Remember what words of the tried workbook mean, and try it once more."""
        try:
            await drafts.map_draft(caller, draft_id, _answers(data))
        except DraftGone as refusal:
            return await _first_page(request, caller, refusal=refusal)
        except (ImportRefused, Busy, WordUnclear, WordMeaningUnknown, WordKindUnknown) as refusal:
            return await _draft_page(request, caller, draft_id, refusal=refusal)
        return see_other(f"/admin/imports/drafts/{draft_id}")

    @get("/drafts/{draft_id:uuid}/refused.xlsx", media_type=XLSX)
    async def refused(
        self, request: AnyRequest, caller: NamedDependency[Scope], draft_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The refused rows with their problems, to be mended and imported again."""
        rows = await drafts.refused_of(caller, draft_id, language_of(request))
        return Response(rows.content, media_type=XLSX, headers={"Content-Disposition": _attachment(rows.file_name)})

    @get("/{run_id:uuid}")
    async def show_run(
        self, request: AnyRequest, caller: NamedDependency[Scope], run_id: FromPath[UUID],
        draft: FromQuery[UUID | None] = None, done: Word = "",
    ) -> Template:  # fmt: skip
        """One import: what went in, what did not, and the way back."""
        return await _run_page(request, caller, run_id, draft=draft, done=done)

    @post("/{run_id:uuid}/undo")
    async def undo(
        self, request: AnyRequest, caller: NamedDependency[Scope], run_id: FromPath[UUID]
    ) -> Template | Redirect:
        """Take an import back."""
        try:
            progress = await undo(caller, run_id, seconds=await _seconds())
        except (ImportUsed, UndoTooLate, Busy, ImportRunning) as refusal:
            return await _run_page(request, caller, run_id, refusal=refusal)
        return see_other(f"/admin/imports/{run_id}" + ("" if progress else "?done=undone"))


async def _seconds() -> float:
    """How long a page may take: a worker goes on with the rest, but without one nobody would."""
    return PAGE_SECONDS if await has_worker() else ANSWER_WITHIN_SECONDS


_SHOWN: dict[str, Any] = {"kinds": KINDS, "steps_of": STEPS, "most": SHOWN_MAX}


def _answers(said: dict[str, str]) -> list[WordIn]:
    """The words that were decided: of each the form has its `value`, its `kind`, what it `means`, and `points`."""
    answers = []
    for field, means in said.items():
        name, _sep, number = field.partition("-")
        if name != "means" or not means:
            continue
        points = said.get(f"points-{number}", "").strip()
        answer = {
            "value": said.get(f"value-{number}"), "kind": said.get(f"kind-{number}"), "new": means == ADD,
            "means": None if means == ADD else means, "points": int(points) if points.isdecimal() else None,
        }  # fmt: skip
        try:
            answers.append(msgspec.convert(answer, WordIn))
        except msgspec.ValidationError as error:
            raise WordUnclear(value=said.get(f"value-{number}", "")) from error
    return answers


async def _draft_page(
    request: AnyRequest, caller: Scope, draft_id: UUID, *, refusal: TimebankError | None = None
) -> Template:
    language = language_of(request)
    try:
        found = await drafts.draft(caller, draft_id, language)
    except DraftGone as gone:
        return await _first_page(request, caller, refusal=gone)
    choices = await choices_of(caller, (word.kind for word in found.report.unknown_words))
    return page(
        request, caller, "imports/draft.html", status=refusal.status if refusal else 200, draft=found,
        report=found.report, choices=choices, add=ADD, refusal=refusal.text(language) if refusal else None, **_SHOWN,
    )  # fmt: skip


async def _first_page(
    request: AnyRequest, caller: Scope, *, cursor: str | None = None, kind: str = "",
    refusal: TimebankError | None = None,
) -> Template:  # fmt: skip
    found = await history.runs(caller, limit=PAGE, cursor=cursor)
    said = refusal.text(language_of(request)) if refusal else None
    return page(
        request, caller, "imports/imports.html", status=refusal.status if refusal else 200, found=found, cursor=cursor,
        kind=kind, refusal=said, may=caller.administers, **_SHOWN,
    )  # fmt: skip


async def _run_page(
    request: AnyRequest, caller: Scope, run_id: UUID, *, draft: UUID | None = None, done: str = "",
    refusal: TimebankError | None = None,
) -> Template:  # fmt: skip
    language = language_of(request)
    found = await history.run(caller, run_id, language)
    return page(
        request, caller, "imports/run.html", status=refusal.status if refusal else 200, run=found, draft=draft,
        done=done, refusal=refusal.text(language) if refusal and not isinstance(refusal, ImportUsed) else None,
        used=refusal.reasons(language) if isinstance(refusal, ImportUsed) else [],
        cures=refusal.cures(language) if isinstance(refusal, ImportUsed) else [],
        used_count=len(refusal.traces) if isinstance(refusal, ImportUsed) else 0, may=caller.administers, **_SHOWN,
    )  # fmt: skip


def _attachment(name: str) -> str:
    """The header that saves an answer under this name, in a browser of any age."""
    return f"attachment; filename=\"refused.xlsx\"; filename*=UTF-8''{quote(name)}"
