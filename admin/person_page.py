"""The panel's page of one person, used by every handler that changes the person."""

from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar.response import Template

from timebank.access.membership_state import Standing, membership_state_of
from timebank.access.roles.grants import grants
from timebank.access.roles.words import ROLES
from timebank.access.schemas import GrantOut
from timebank.areas.places import areas_of
from timebank.cards.cards import CardInForce, card_in_force
from timebank.core import clock
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.merging.merges import MergeOut, merges_of
from timebank.people.directory import open_person
from timebank.people.guardianship.guardians import guardianships_of
from timebank.people.households import Member, members
from timebank.people.schemas import GuardianOut, PersonDetail
from timebank.web.pages import page

STATUS = {"active": _("在册"), "blocked": _("已停用"), "left": _("已迁出")}


class Opened(msgspec.Struct, kw_only=True):
    """A person with all the related data that the panel shows."""

    person: PersonDetail
    household: list[Member]
    guardianships: list[GuardianOut]
    roles: list[GrantOut]
    card: CardInForce | None
    standing: Standing
    merges: list[MergeOut]


@retried
async def opened(scope: Scope, person_id: UUID) -> Opened:
    """Read the person with household, guardianships, role grants and card."""
    async with transaction(scope):
        person = await open_person(scope, person_id)
        household = await members(scope, person.household_id) if person.household_id else []
        return Opened(
            person=person,
            household=[m for m in household if m.id != person_id],
            guardianships=await guardianships_of(scope, person_id),
            roles=await all_pages(partial(grants, scope, person_id=person_id)),
            card=await card_in_force(scope, person_id),
            standing=await membership_state_of(scope, person_id),
            merges=await merges_of(scope, person_id),
        )


async def person_page(
    request: AnyRequest, caller: Scope, person_id: UUID, refusal: TimebankError | None = None, **more: Any
) -> Template:
    """The page of a person, with the refusal of an action if there is one."""
    caller.require_reader()
    seen = await opened(caller, person_id)
    return page(
        request, caller, "people/person.html", status=refusal.status if refusal else 200, seen=seen,
        refusal=refusal.text(language_of(request)) if refusal else None, role_words=ROLES, status_words=STATUS,
        may=caller.administers, own=caller.is_own(person_id), now=clock.now(), **({"code": None, "done": None} | more),
    )  # fmt: skip


async def area_options(scope: Scope) -> list[tuple[UUID, str]]:
    """The community's areas as form options: id and name, with the building that each belongs to."""
    found = await areas_of(scope)
    names = {area.id: area.name for area in found}
    buildings = {area.id for area in found if area.kind == "building"}
    return [
        (area.id, names[area.parent_id] + area.name if area.parent_id in buildings else area.name) for area in found
    ]
