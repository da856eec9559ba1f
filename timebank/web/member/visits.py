"""我的服务: one's visits, what each brought, and why some brought nothing."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from timebank.access.callers import AnyRequest
from timebank.checkins import visits
from timebank.checkins.reading import record
from timebank.paging import Cursor
from timebank.rules.catalogue import in_words, versions
from timebank.scope import Scope
from timebank.web.pages import page


class VisitPages(Controller):
    path = "/visits"
    include_in_schema = False

    @get()
    async def visits(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        return page(request, caller, "member/visits.html", found=await visits.visits(caller, limit=30, cursor=cursor))

    @get("/{visit_id:uuid}")
    async def visit(self, request: AnyRequest, visit_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One visit, and the rule behind its points."""
        found = await visits.visit(caller, visit_id)
        rule = await _rule_in_words(caller, found.record_id) if found.record_id else None
        return page(request, caller, "member/visit.html", visit=found, rule=rule)


async def _rule_in_words(caller: Scope, record_id: UUID) -> str | None:
    """志愿服务 v2，6 分钟 = 1 分: the version that credited the record."""
    found = await record(caller, record_id)
    if found.rule_version is None:
        return None
    rule = next(r for r in await versions(caller, found.rule_code) if r.version == found.rule_version)
    return f"{rule.name} v{rule.version}，{in_words(rule)}"
