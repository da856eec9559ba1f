"""The panel's page of exports, and the download of a list as it is filtered."""

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.agreements.schemas import Waiting
from timebank.core.scope import Scope
from timebank.exports.consent import exported
from timebank.exports.exporting import export
from timebank.http.callers import AnyRequest
from timebank.http.downloads import XLSX, attachment
from timebank.http.refusals import shown_again
from timebank.web.pages import page, waits_or


class PanelExportPages(Controller):
    path = "/admin/exports"
    include_in_schema = False

    @get()
    async def exports(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The lists that can be saved as workbooks."""
        return _exports_page(request, caller)

    @post("/{listed:str}", status_code=200)
    @shown_again(lambda request, caller: _exports_page(request, caller))
    async def download(
        self, caller: NamedDependency[Scope], listed: FromPath[str], data: URLEncodedBody[dict[str, str]]
    ) -> Response[bytes] | Redirect:
        """The workbook of a list with the filters that the form holds; or where the question for consent stands."""
        saved = await export(caller, listed, data)
        if isinstance(saved, Waiting):
            return waits_or(saved, "/admin/exports")
        named = attachment(f"{saved.word}.xlsx", f"{listed}.xlsx")
        return Response(saved.content, media_type=XLSX, headers={"Content-Disposition": named})


def _exports_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_reader()
    lists = [one for one in exported().values() if caller.administers or not one.of_people]
    return page(request, caller, "exports/exports.html", lists=lists)
