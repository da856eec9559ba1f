"""The keeper's pages of matters: what somebody at the counter reports, orders or wishes, and how they liked it."""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.matters.loop import rating
from timebank.matters.opening.opening import OpenedOut, open_matter
from timebank.matters.pages.mine import RATED, RatedForm
from timebank.matters.pages.ordering import ORDER, OrderForm, form_choices, wish_of
from timebank.matters.pages.reporting import FIELDS, ReportForm
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import OpenIn, RatingIn
from timebank.presence.counter import find_counter_person
from timebank.presence.pages.counter import counter_page
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page, see_other

Form = URLEncodedBody[dict[str, str]]
Kind = Literal["report", "order", "wish"]
Scanned = Annotated[str | None, QueryParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class AtCounter(msgspec.Struct, frozen=True):
    """Who stands where, by which scan."""

    person_id: UUID
    station_id: UUID
    presence: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")] = ""

    @property
    def back(self) -> str:
        """The counter with this person, where they were scanned."""
        return "/desk?" + urlencode({"station": self.station_id} | ({"scan": self.presence} if self.presence else {}))


class KindForm(msgspec.Struct, frozen=True):
    kind: Kind


STANDS = {"person_id": _("居民"), "station_id": _("驿站"), "presence": _("扫码")}
KIND = {"kind": _("什么事")}


class CounterMatterPages(Controller):
    path = "/desk/matters"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get("/new")
    async def form(
        self, request: AnyRequest, caller: NamedDependency[Scope], kind: FromQuery[Kind], person_id: FromQuery[UUID],
        station: FromQuery[UUID], scan: Scanned = None,
    ) -> Template:  # fmt: skip
        """The form to write down what the person at the counter says."""
        return await _form(request, caller, kind, AtCounter(person_id, station, scan or ""))

    @post("/new")
    @shown_again(
        lambda request, caller, data: _form_again(request, caller, data),
        lambda request, caller, data: counter_page(request, caller, data),
    )
    async def open(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form
    ) -> Redirect:
        """Send it in the name of the person at the counter, and show the number that they are given."""
        caller.require_use("matters")
        stands = parse_form(AtCounter, data, STANDS)
        caller.require_keeper(stands.station_id)
        wanted = await _wanted(caller, data, stands.person_id)
        opened = decode_answer(
            await once.answer(
                caller, lambda: open_matter(caller, wanted, language=language_of(request)), required=False
            ),
            OpenedOut,
        )
        return see_other(f"/desk/matters/{opened.id}?" + stands.back.partition("?")[2])

    @get("/{matter_id:uuid}")
    async def receipt(
        self, request: AnyRequest, caller: NamedDependency[Scope], matter_id: FromPath[UUID],
        station: FromQuery[UUID], scan: Scanned = None,
    ) -> Template:  # fmt: skip
        """The number and the due date of what has just been written down."""
        caller.require_keeper(station)
        matter = await find_matter(caller, matter_id, language_of(request))
        back = AtCounter(matter_id, station, scan or "").back
        return page(request, caller, "desk/matter.html", matter=matter, back=back)

    @post("/{matter_id:uuid}/rating")
    @shown_again(lambda request, caller, data: counter_page(request, caller, data))
    async def rate(self, caller: NamedDependency[Scope], matter_id: FromPath[UUID], data: Form) -> Redirect:
        """What the person who has just been scanned says: solved or not."""
        caller.require_use("matters")
        stands, said = parse_form(AtCounter, data, STANDS), parse_form(RatedForm, data, RATED)
        caller.require_keeper(stands.station_id)
        word = RatingIn(
            solved=said.solved, stars=said.stars, words=said.words, station_id=stands.station_id, nonce=stands.presence
        )
        await rating.rate(caller, matter_id, word)
        return see_other(stands.back)


async def _wanted(caller: Scope, data: Mapping[str, str], person_id: UUID) -> OpenIn:
    """What the form says, in the name of this person."""
    kind = parse_form(KindForm, data, KIND).kind
    if kind == "order":
        return parse_form(OrderForm, data, ORDER).wanted(for_person_id=person_id)
    if kind == "wish":
        return await wish_of(caller, data, for_person_id=person_id)
    told = msgspec.structs.asdict(parse_form(ReportForm, data, FIELDS))
    return OpenIn(kind="report", for_person_id=person_id, **told)


async def _form_again(request: AnyRequest, caller: Scope, data: Mapping[str, str]) -> Template:
    return await _form(request, caller, parse_form(KindForm, data, KIND).kind, parse_form(AtCounter, data, STANDS))


async def _form(request: AnyRequest, caller: Scope, kind: Kind, stands: AtCounter) -> Template:
    caller.require_use("matters")
    caller.require_keeper(stands.station_id)
    person = await find_counter_person(caller, stands.person_id)
    choices = await form_choices(request, caller, kind, stands.person_id)
    return page(request, caller, "desk/matter_form.html", kind=kind, person=person, stands=stands, **choices)
