"""我的服务: the reader's visits, what each was credited, and why some were not."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.capability import origin_page
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.objections.objecting import object_to, own_objection
from timebank.objections.schemas import ObjectionIn
from timebank.rules.catalogue import versions
from timebank.rules.words import rule_in_words
from timebank.service_records import visits
from timebank.service_records.reading import find_record, own_record
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

REASON = {"reason": _("为什么")}


class VisitPages(Controller):
    path = "/visits"
    include_in_schema = False

    @get()
    async def visits(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        return page(
            request,
            caller,
            "member/visits.html",
            found=await visits.list_visits(caller, limit=30, cursor=cursor, language=language_of(request)),
        )

    @get("/{visit_id:uuid}")
    async def visit(
        self, request: AnyRequest, visit_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One visit and the rule behind its points."""
        return await _visit_page(request, caller, visit_id, done=done)

    @get("/records/{record_id:uuid}")
    async def record(
        self, request: AnyRequest, record_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Template | Redirect:
        """The visit of one of the reader's records, or the record itself where somebody entered it."""
        found = await own_record(caller, record_id, language_of(request))
        if found.visit_id is not None:
            return see_other(f"/visits/{found.visit_id}")
        return page(
            request, caller, "member/record.html", record=found, origin=origin_page(found.source_kind, found.source_id)
        )

    @post("/{visit_id:uuid}/objection")
    @shown_again(lambda request, visit_id, caller: _visit_page(request, caller, visit_id))
    async def object_to(
        self, visit_id: FromPath[UUID], caller: NamedDependency[Scope],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Object to the reversal of the reader's own service record."""
        record_id = (await visits.find_visit(caller, visit_id)).record_id
        if record_id is None:
            raise NotFound
        await object_to(caller, "service_record", record_id, parse_form(ObjectionIn, data, REASON).reason)
        return see_other(f"/visits/{visit_id}?done=objected")


async def _visit_page(request: AnyRequest, caller: Scope, visit_id: UUID, *, done: str = "") -> Template:
    found = await visits.find_visit(caller, visit_id, language_of(request))
    rule = await _rule_in_words(caller, found.record_id, language_of(request)) if found.record_id else None
    own, objection = caller.is_own(found.person_id), None
    if own and found.record_id and found.record_status == "reversed":
        objection = await own_objection(caller, "service_record", found.record_id)
    return page(
        request, caller, "member/visit.html", visit=found, rule=rule,
        is_own=own, objection=objection, done=done,
    )  # fmt: skip


async def _rule_in_words(caller: Scope, record_id: UUID, language: str) -> str | None:
    """The rule version that credited the record, in words such as 志愿服务 · 6 分钟 = 1 分."""
    found = await find_record(caller, record_id)
    if found.rule_version is None:
        return None
    rule = next(r for r in await versions(caller, found.rule_code) if r.version == found.rule_version)
    return f"{rule.name} · {rule_in_words(rule, language)}"
