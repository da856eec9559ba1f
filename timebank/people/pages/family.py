"""A guardian's page of their children: the consent for each and its class minutes."""

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.classes.pages.class_time import ClassTime, class_time
from timebank.classes.reading import bookings
from timebank.classes.schemas import BookingOut
from timebank.core import clock
from timebank.core.database import transaction
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.overview.resident import whole_balances
from timebank.people.guardianship.guardians import guardianships_of, record_consent, withdraw_consent
from timebank.people.schemas import GuardianOut
from timebank.web.pages import page, see_other


class Child(msgspec.Struct):
    """One child as the page shows it."""

    guardianship: GuardianOut
    minutes: list[ClassTime]
    bookings: list[BookingOut]


class FamilyPages(Controller):
    path = "/family"
    include_in_schema = False

    @get()
    async def family(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await _page(request, caller)

    @post("/{guardianship_id:uuid}/consent")
    @shown_again(lambda request, caller: _page(request, caller))
    async def consent(
        self, guardianship_id: FromPath[UUID], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        note = record_consent if data.get("given") == "1" else withdraw_consent
        await note(caller, guardianship_id)
        return see_other("/family")


async def _page(request: AnyRequest, caller: Scope) -> Template:
    own = caller.require_self()
    async with transaction(caller):
        mine = [g for g in await guardianships_of(caller, own) if g.guardian_id == own]
        bought = (await whole_balances(caller, own, [g.child_id for g in mine if g.consented_at])).class_minutes
        every = await all_pages(partial(bookings, caller, status="held", own=True))
        held = [b for b in every if b.ends_at > clock.now()]
        has = await class_time(caller, [m for m in bought if m.available], language_of(request))
    children = [
        Child(g, [h for h in has if h.child_id == g.child_id], [b for b in held if b.child_id == g.child_id])
        for g in mine
    ]
    return page(request, caller, "member/family.html", children=children)
