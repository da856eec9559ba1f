"""Imports over HTTP."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, MultipartBody, QueryParameter
from msgspec import Meta

from timebank.core.locale import translator
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.imports.files import workbook
from timebank.imports.intake import Kind
from timebank.imports.reports import history
from timebank.imports.reports.report import Report
from timebank.imports.runs import runs
from timebank.imports.runs.batches import Progress
from timebank.imports.runs.runs import ANSWER_WITHIN_SECONDS
from timebank.imports.runs.undo import undo
from timebank.imports.schemas import RunDetail, Running, RunOut
from timebank.imports.words.word_list_file import answers_in

MAP_LENGTH_MAX = 200_000
Flag = Annotated[bool | None, QueryParameter()]
GOES_ON = {202: ResponseSpec(Running, description="It takes longer: ask for the import by its run_id.")}


class ImportForm(msgspec.Struct):
    """A workbook (xlsx, xls, et, ods or csv, at most 10 MiB) and the options of its import.

    `dry_run` and `skip_bad` may also be query parameters, which take precedence. `dry_run` makes a trial run, which
    only reports what would be refused. Bad rows are refused one by one; with `skip_bad` false, one bad row refuses
    the whole file. `map` says what words of the workbook mean that a trial run lists as `unknown`:
    [{"kind": …, "value": …, "means": code, id or name}, {"kind": …, "value": …, "new": true, "points": …, "cap": …}].
    The kind is item, activity, station or building; it defaults to the usual one of the workbook.
    """

    file: UploadFile
    dry_run: bool = False
    skip_bad: bool = True
    map: Annotated[str, Meta(max_length=MAP_LENGTH_MAX)] = ""


def _takes_in(kind: Kind, description: str) -> HTTPRouteHandler:
    """The handler that imports a file of one kind, named after it."""

    async def take_in(
        self: Controller,  # noqa: ARG001  # Litestar calls the handlers of a controller with it
        request: AnyRequest, data: MultipartBody[ImportForm], caller: NamedDependency[Scope], dry_run: Flag = None,
        skip_bad: Flag = None,
    ) -> Response[Report | Running]:  # fmt: skip
        caller.require_admin()
        found = await runs.try_or_import(
            caller, kind, data.file.filename, await data.file.read(workbook.BYTES_MAX + 1),
            dry_run=data.dry_run if dry_run is None else dry_run,
            skip_bad=data.skip_bad if skip_bad is None else skip_bad, seconds=ANSWER_WITHIN_SECONDS,
            words=answers_in(kind, data.map.encode()),
        )  # fmt: skip
        if isinstance(found, Progress):
            return _goes_on(found)
        return Response(found.told(translator(language_of(request))))

    take_in.__name__, take_in.__doc__ = kind, description
    return post(f"/{kind}", status_code=200, responses=GOES_ON)(take_in)


class Imports(Controller):
    path = "/imports"

    residents = _takes_in(
        "residents", "Import a roster: residents, their households, buildings, role grants and logins."
    )
    hours = _takes_in("hours", "Import sign-in sheets as honour hours, which wait for review.")
    deeds = _takes_in("deeds", "Import a moral-bank book: file its deeds for review and public notice.")
    goods = _takes_in("goods", "Import a list of goods: offer them and add their stock at the stations.")
    members = _takes_in("members", "Import a list of who has reported in from which unit; new people get a login.")
    matters = _takes_in("matters", "Import an old book of matters, closed or open. They count, and earn nothing.")

    @get()
    async def list_runs(
        self, request: AnyRequest, caller: NamedDependency[Scope], limit: Limit = 50, cursor: Cursor = None
    ) -> Response[Page[RunOut]]:
        """List the community's imports, newest first; trial runs are not among them."""
        return listed(request, await history.runs(caller, limit=limit, cursor=cursor))

    @get("/{run_id:uuid}")
    async def show_run(self, request: AnyRequest, run_id: FromPath[UUID], caller: NamedDependency[Scope]) -> RunDetail:
        """Show one import with its progress and its report."""
        return await history.show_run(caller, run_id, language_of(request))

    @delete("/{run_id:uuid}", status_code=200, responses=GOES_ON)
    async def undo(
        self, request: AnyRequest, run_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Response[RunDetail | Running]:
        """Undo an import, within 24 hours and only if nothing that it made has been used."""
        progress = await undo(caller, run_id, seconds=ANSWER_WITHIN_SECONDS)
        if progress is not None:
            return _goes_on(progress)
        return Response(await history.show_run(caller, run_id, language_of(request)))


def _goes_on(progress: Progress) -> Response[Any]:
    return Response(Running(run_id=progress.run_id, done=progress.done, rows=progress.rows), status_code=202)
