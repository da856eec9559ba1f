"""The panel's page of one person: a header with the account, and tabs from the manifests."""

from typing import Any
from uuid import UUID

from litestar.response import Template

from timebank.access.roles.words import ROLES
from timebank.areas.places import areas_of
from timebank.core import clock
from timebank.core.capability import Reading, capabilities
from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.overview.residents.header import open_resident, part_named, resident_acts, resident_parts
from timebank.web.pages import page

STATUS = {"active": _("在册"), "blocked": _("已停用"), "left": _("已迁出")}


async def person_page(
    request: AnyRequest, caller: Scope, person_id: UUID, refusal: TimebankError | None = None, *,
    part: str = "", cursor: str | None = None, **more: Any,
) -> Template:  # fmt: skip
    """The page of a person at one of its tabs, with the refusal of an action if there is one."""
    caller.require_reader()
    chosen, language = part_named(caller, part), language_of(request)
    seen = await open_resident(caller, person_id, [chosen], Reading(cursor, language))
    return page(
        request, caller, "people/person.html", status=refusal.status if refusal else 200, seen=seen,
        found=seen.found[chosen.name], refusal=refusal.text(language) if refusal else None, role_words=ROLES,
        status_words=STATUS, may=caller.administers, own=caller.is_own(person_id), now=clock.now(),
        parts=resident_parts(caller), part=chosen, resident_acts=resident_acts(caller),
        first=cursor is None, pages={noun: address for one in capabilities() for noun, address in one.panel.items()},
        **({"code": None, "done": None} | more),
    )  # fmt: skip


async def person_on_paper(request: AnyRequest, caller: Scope, person_id: UUID) -> Template:
    """The account of a person on one sheet: the header and the newest rows of the tabs that are printed."""
    caller.require_reader()
    parts = [part for part in resident_parts(caller) if part.on_paper]
    seen = await open_resident(caller, person_id, parts, Reading(None, language_of(request)))
    return page(request, caller, "people/paper.html", seen=seen, parts=parts, rows_max=6, now=clock.now())


async def area_options(scope: Scope) -> list[tuple[UUID, str]]:
    """The community's areas as form options: id and name, with the building that each belongs to."""
    found = await areas_of(scope)
    names = {area.id: area.name for area in found}
    buildings = {area.id for area in found if area.kind == "building"}
    return [
        (area.id, names[area.parent_id] + area.name if area.parent_id in buildings else area.name) for area in found
    ]
