"""The desk of a unit: its contact sees what was given to it, wherever they serve it, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from timebank.areas.reach import within_reach
from timebank.core import clock
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.matters.figures.reading import figures_served
from timebank.matters.figures.schemas import Figures, FigureShown
from timebank.matters.pages.acts import use_act
from timebank.matters.pages.handled import WORDS, shown_to_handler
from timebank.matters.reading.listing import list_served
from timebank.matters.reading.one import seen_matter
from timebank.matters.reading.served import in_first_served, places_of, units_served
from timebank.matters.schemas import MattersAsked
from timebank.photos.seeing import find_photo, read_photo
from timebank.web.pages import page, see_other

PATH = "/unit"
PAGE = 50
DAYS = 30


class UnitPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def inbox(
        self, request: AnyRequest, caller: NamedDependency[Scope], every: FromQuery[str] = "", cursor: Cursor = None
    ) -> Template:
        """What was given to the unit and is still open, by its due date; or everything, the newest first."""
        contact, language = _as_contact(caller), language_of(request)
        asked = MattersAsked() if every else MattersAsked(open=True)
        served, today = await units_served(contact), clock.local_day()
        known = None
        async with transaction(contact, communities=frozenset(places_of(served))):
            if served:
                here = in_first_served(contact, served)
                known = await figures_served(here, served, today - timedelta(days=DAYS - 1), today)
            found = await list_served(contact, served, asked, limit=PAGE, cursor=cursor, language=language)
        return page(
            request, caller, "handling/unit.html", **WORDS, found=found, every=bool(every), places=places_of(served),
            first=cursor is None, days=DAYS, figures=known, two_days=_two_days(known) if known else None,
        )  # fmt: skip

    @get("/{community_id:uuid}/{matter_id:uuid}")
    async def matter(
        self, request: AnyRequest, community_id: FromPath[UUID], matter_id: FromPath[UUID],
        caller: NamedDependency[Scope], act: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """One matter of the unit."""
        return await _matter(request, caller, community_id, matter_id, act)

    @post("/{community_id:uuid}/{matter_id:uuid}/{act:str}")
    @shown_again(lambda request, caller, community_id, matter_id, act: _matter(
        request, caller, community_id, matter_id, act
    ))  # fmt: skip
    async def act_on(
        self, request: AnyRequest, community_id: FromPath[UUID], matter_id: FromPath[UUID], act: FromPath[str],
        caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        """Use one verb on the matter. What was returned is the unit's no more, so it leads to the list."""
        there = await _of_unit(caller, community_id, matter_id)
        came_of_it = await use_act(request, there, matter_id, act)
        return see_other(PATH if act == "return" else f"{PATH}/{community_id}/{matter_id}?{came_of_it}")

    @get("/{community_id:uuid}/photos/{photo_id:uuid}", media_type="image/webp")
    async def photo(
        self, community_id: FromPath[UUID], photo_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Response[bytes]:
        """A photo of one of the unit's matters."""
        there = await within_reach(_as_contact(caller), community_id)
        photo = await find_photo(there, photo_id)
        if photo.noun != "matter" or photo.noun_id is None:
            raise NotFound
        await _of_unit(caller, community_id, photo.noun_id)
        content = await read_photo(there, photo_id)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, no-store"})


def _as_contact(caller: Scope) -> Scope:
    """The caller with no other right than those for their units. Raises Forbidden for who has none."""
    grants = frozenset(grant for grant in caller.grants if grant.role == Role.unit_contact and grant.unit_id)
    if not grants:
        raise Forbidden
    return replace(caller, grants=grants)


async def _of_unit(caller: Scope, community_id: UUID, matter_id: UUID) -> Scope:
    """The contact in the community of a matter that was given to their unit. Raises NotFound for any other."""
    there = await within_reach(_as_contact(caller), community_id)
    seen = await seen_matter(there, matter_id)
    if seen.row.unit_id not in there.unit_ids or seen.view == "public":
        raise NotFound
    return there


async def _matter(request: AnyRequest, caller: Scope, community_id: UUID, matter_id: UUID, act: str) -> Template:
    there = await _of_unit(caller, community_id, matter_id)
    shown = await shown_to_handler(request, there, matter_id, act, f"{PATH}/{community_id}/{matter_id}")
    return page(
        request, caller, "handling/unit_matter.html", **shown, photo_base=f"{PATH}/{community_id}/photos/",
        where=there.community_name,
    )  # fmt: skip


def _two_days(known: Figures) -> FigureShown:
    return FigureShown.of_row(known.total.done1, known.total.mature, known.targets.done1)
