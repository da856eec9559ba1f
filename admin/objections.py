"""The panel's page of one objection, where it is decided; the list of them is a tab of the moral bank."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from admin.inbox_rows import after_deciding, beside
from timebank.core.capability import capabilities
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.objections.deciding import decide_objection
from timebank.objections.listing import ObjectionDetail, find_objection, may_decide
from timebank.objections.schemas import ObjectionDecision
from timebank.objections.subjects import subject_of
from timebank.overview.changes_listed import waiting_change_about
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

DECISION = {"upheld": _("异议是否属实"), "note": _("说明")}


class PanelObjectionPages(Controller):
    path = "/admin/objections"
    include_in_schema = False

    @get("/{objection_id:uuid}")
    async def objection(
        self, request: AnyRequest, objection_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Template:
        """One objection and its subject."""
        return await _objection(request, caller, objection_id)

    @post("/{objection_id:uuid}")
    @shown_again(lambda request, objection_id, caller: _objection(request, caller, objection_id))
    async def decide(
        self, request: AnyRequest, objection_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        """Decide about it."""
        told = parse_form(ObjectionDecision, data, DECISION)
        then = await after_deciding(
            request, caller, "objection", objection_id, "/admin/deeds?status=objected&done=decided"
        )
        decided = await decide_objection(caller, objection_id, told.upheld, told.note)
        if decided.waiting:
            return see_other(f"/admin/objections/{objection_id}")
        return see_other(then)


async def _objection(request: AnyRequest, caller: Scope, objection_id: UUID) -> Template:
    doubt = await find_objection(caller, objection_id)
    again = subject_of(doubt.subject_kind).again
    waits = None
    if again and doubt.upheld is None:
        waits = await waiting_change_about(caller, again, objection_id, language_of(request))
    return page(
        request, caller, "objections/objection.html", doubt=doubt, waits=waits,
        may_decide=await may_decide(caller, doubt), address=_address(doubt) if doubt.look else None,
        beside=await beside(request, caller, "objection", objection_id),
        decided_one=bool(request.query_params.get("done")),
    )  # fmt: skip


def _address(doubt: ObjectionDetail) -> str:
    """The address of the subject's page in the panel."""
    pages = {noun: address for one in capabilities() for noun, address in one.panel.items()}
    return f"{pages[doubt.subject_kind]}{doubt.subject_id}"
