"""The phone of who is on duty in a grid: what is next today, a new event in two taps, dispatch in one, spot checks."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.areas.places import areas_of
from timebank.areas.schemas import PlaceOut
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, Invalid
from timebank.core.locale import _
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.http.uploads import with_photo
from timebank.matters.categories.categories import find_category, list_categories
from timebank.matters.checks.looking import CheckIn, find_spot_check, record_spot_check, spot_checks
from timebank.matters.opening.opening import open_matter
from timebank.matters.pages.acts import use_act
from timebank.matters.pages.handled import DONE, WORDS, shown_to_handler
from timebank.matters.reading.listing import list_matters
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import Code, MattersAsked, OpenIn, Place, Said
from timebank.photos.keeping import keep_sent
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

PATH = "/worker"
SHOWN = 20
EVENT = {"category": _("类别"), "area_id": _("哪里"), "place": _("具体位置"), "said": _("看到了什么")}
CHECK = {"found": _("查到的情况"), "note": _("说明")}


class EventForm(msgspec.Struct):
    category: Code
    area_id: UUID
    place: Place = ""
    said: Said = ""


class GridPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def today(self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = "") -> Template:
        """What is next: late matters, those to dispatch, those to handle, and what was drawn to be looked at."""
        return await _today(request, caller, done)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope], area_id: FromQuery[str] = "") -> Template:
        """The form for a new event: one tap on a category sends it."""
        return await _new(request, caller, area_id)

    @post("/new")
    @shown_again(lambda request, caller: _new(request, caller))
    async def open_event(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Redirect:
        """Open an event in the caller's grid, with a photo if one was taken."""
        _require_duty(caller)
        fields, photo = await with_photo(request)
        given = parse_form(EventForm, fields, EVENT)
        said = given.said.strip() or (await find_category(caller, given.category)).name
        kept = await keep_sent(caller, fields, photo)
        wanted = OpenIn(
            kind="event", category=given.category, area_id=given.area_id, place=given.place, said=said, photo_ids=kept
        )
        opened = await open_matter(caller, wanted, channel="worker", language=language_of(request))
        return see_other(f"{PATH}/matters/{opened.id}?done=opened")

    @get("/matters/{matter_id:uuid}")
    async def matter(
        self, request: AnyRequest, matter_id: FromPath[UUID], caller: NamedDependency[Scope], act: FromQuery[str] = ""
    ) -> Template:
        """One matter with its steps, and the form of one act."""
        return await _matter(request, caller, matter_id, act)

    @post("/matters/{matter_id:uuid}/{act:str}")
    @shown_again(lambda request, caller, matter_id, act: _matter(request, caller, matter_id, act))
    async def act_on(
        self, request: AnyRequest, matter_id: FromPath[UUID], act: FromPath[str], caller: NamedDependency[Scope]
    ) -> Redirect:
        """Use one verb on the matter."""
        _require_duty(caller)
        return see_other(f"{PATH}/matters/{matter_id}?{await use_act(request, caller, matter_id, act)}")

    @get("/checks/{check_id:uuid}")
    async def check(self, request: AnyRequest, check_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One matter that was drawn to be looked at once more."""
        return await _check(request, caller, check_id)

    @post("/checks/{check_id:uuid}")
    @shown_again(lambda request, caller, check_id: _check(request, caller, check_id))
    async def record(
        self, check_id: FromPath[UUID], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """Record what was found; untrue, it is opened again."""
        _require_duty(caller)
        await record_spot_check(caller, check_id, parse_form(CheckIn, data, CHECK))
        return see_other(f"{PATH}?done=check")


def _require_duty(caller: Scope) -> None:
    """Raise Forbidden for who is neither on duty in a grid nor reads the community."""
    if not (caller.reads_all or caller.has(Role.grid_worker, Role.grid_head)):
        raise Forbidden


async def _today(request: AnyRequest, caller: Scope, done: str = "") -> Template:
    _require_duty(caller)
    language = language_of(request)

    async def listed(asked: MattersAsked) -> Sequence[MatterOut]:
        return (await list_matters(caller, asked, limit=SHOWN, language=language)).items

    async with transaction(caller), database.gathering() as reads:
        late = reads.start(listed(MattersAsked(late=True)))
        received = reads.start(listed(MattersAsked(status="received")))
        handled = reads.start(listed(MattersAsked(assignee="me", open=True)))
        done_ones = reads.start(listed(MattersAsked(status="done")))
        unverified = reads.start(listed(MattersAsked(unverified=True)))
        drawn = reads.start(spot_checks(caller, language))
        known = reads.start(list_categories(caller, language=language))
    to_dispatch = [one for one in received.result() if "dispatch" in one.may]
    to_handle = [one for one in handled.result() if one.status in ("dispatched", "accepted")]
    apart = {one.id for one in (*to_dispatch, *to_handle)}
    overdue = [one for one in late.result() if one.id not in apart and one.seen_as == "staff"]
    usual = {one.code: one.unit or one.team for one in known.result()}
    return page(
        request, caller, "handling/today.html", **WORDS, to_dispatch=to_dispatch, to_handle=to_handle, late=overdue,
        waiting=[one for one in received.result() if one.seen_as == "staff" and one.id not in apart],
        to_confirm=[one for one in (*done_ones.result(), *unverified.result()) if "confirm" in one.may],
        checks=drawn.result(), usual=usual,
        overdue=sum(one.late for one in (*to_dispatch, *to_handle, *overdue)), outcome=DONE.get(done),
    )  # fmt: skip


async def _new(request: AnyRequest, caller: Scope, area_id: str = "") -> Template:
    _require_duty(caller)
    language = language_of(request)
    async with transaction(caller), database.gathering() as reads:
        places = reads.start(areas_of(caller))
        known = reads.start(list_categories(caller, kind="event", language=language))
    options = _in_words(_own_areas(caller, places.result()))
    if not options:
        raise Invalid(why=_("您负责的网格"))
    return page(
        request, caller, "handling/new.html", **WORDS, areas=options, area_id=area_id or options[0][0],
        categories=known.result(),
    )  # fmt: skip


def _own_areas(caller: Scope, places: Sequence[PlaceOut]) -> list[PlaceOut]:
    """The areas of the caller's grids, each after its parent; all for who reads the community."""
    if caller.reads_all:
        return list(places)
    duty = (Role.grid_worker, Role.grid_head)
    reached = {grant.area_id for grant in caller.here() if grant.role in duty and grant.area_id}
    for place in places:
        if place.parent_id in reached:
            reached.add(place.id)
    return [place for place in places if place.id in reached]


def _in_words(places: Sequence[PlaceOut]) -> list[tuple[UUID, str]]:
    """Each with the words of those it lies in, down from the grid."""
    words: dict[UUID, str] = {}
    for place in places:
        above = words.get(place.parent_id) if place.parent_id else None
        words[place.id] = f"{above} {place.name}" if above else place.name
    return list(words.items())


async def _matter(request: AnyRequest, caller: Scope, matter_id: UUID, act: str) -> Template:
    _require_duty(caller)
    shown = await shown_to_handler(request, caller, matter_id, act, f"{PATH}/matters/{matter_id}")
    return page(request, caller, "handling/matter.html", **shown)


async def _check(request: AnyRequest, caller: Scope, check_id: UUID) -> Template:
    _require_duty(caller)
    return page(
        request,
        caller,
        "handling/check.html",
        **WORDS,
        check=await find_spot_check(caller, check_id, language_of(request)),
    )
