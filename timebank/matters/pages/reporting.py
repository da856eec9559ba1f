"""A report in three steps: what, where, and a picture or words, with what is reported there already before sending."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from timebank.core.clock import Moment
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest, client_address
from timebank.http.idempotency import Idempotency
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.http.uploads import with_photo
from timebank.matters.categories.categories import CategoryOut, list_categories
from timebank.matters.opening.opening import OpenedOut, open_matter
from timebank.matters.opening.similar import similar_matters
from timebank.matters.opening.young import is_too_young, require_old_enough
from timebank.matters.pages.shelf import shelf_of
from timebank.matters.reading.choices import PlaceChoices, place_choices
from timebank.matters.schemas import Code, Nonce, OpenIn, Place, Said
from timebank.photos.keeping import keep_sent
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page, see_other


class ReportForm(msgspec.Struct, kw_only=True):
    """What the last step sends; the photo comes beside it.

    `nonce` was made with the form: a report that was sent again after a lost answer is received once. `written_at` is
    when one was written that waited on the phone.
    """

    category: Code
    area_id: UUID
    place: Place = ""
    said: Said = ""
    hides_reporter: bool = False
    may_be_contacted: bool = False
    nonce: Nonce | None = None
    written_at: Moment | None = None


FIELDS = {
    "category": _("什么事"), "area_id": _("在哪里"), "place": _("具体位置"), "said": _("说一句"),
    "hides_reporter": _("不让办的人知道我是谁"), "may_be_contacted": _("办的人可以联系我"),
    "nonce": _("这一件的记号"), "written_at": _("什么时候写的"),
}  # fmt: skip


class ReportPages(Controller):
    path = "/matters/new"
    include_in_schema = False

    @get()
    async def steps(
        self, request: AnyRequest, caller: NamedDependency[Scope], category: FromQuery[str] = "",
        area_id: FromQuery[UUID | None] = None,
    ) -> Template:  # fmt: skip
        """The step that comes next: the address holds what was chosen before."""
        return await _step(request, caller, category, area_id)

    @post()
    @shown_again(lambda request, caller: _again(request, caller))
    async def report(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Redirect:
        """Send the report, with a photo if one was chosen, and show its receipt."""
        fields, photo = await with_photo(request)
        caller.require_use("matters")
        told = parse_form(ReportForm, fields, FIELDS)
        await require_old_enough(caller)
        kept = await keep_sent(caller, fields, photo)
        wanted = OpenIn(kind="report", photo_ids=kept, **msgspec.structs.asdict(told))
        opened = await once.answer(
            caller, lambda: open_matter(caller, wanted, browser=phone_mark(request), language=language_of(request)),
            required=False,
        )  # fmt: skip
        return see_other(f"/matters/{decode_answer(opened, OpenedOut).id}?done=sent")


def phone_mark(request: AnyRequest) -> str:
    """What marks the phone that sends; it is kept as a keyed hash."""
    address, agent = client_address(request), request.headers.get("User-Agent", "")
    return f"{address} {agent}" if address and agent else ""


async def _again(request: AnyRequest, caller: Scope) -> Template:
    """The last step again, by what the refused form names."""
    fields, _photo = await with_photo(request)
    known = parse_form(_Chosen, {"area_id": fields.get("area_id", "")}, FIELDS)
    return await _step(request, caller, fields.get("category", ""), known.area_id)


class _Chosen(msgspec.Struct):
    area_id: UUID | None = None


async def _step(request: AnyRequest, caller: Scope, code: str, area_id: UUID | None) -> Template:
    language = language_of(request)
    caller.require_use("matters")
    caller.require_self()
    if await is_too_young(caller):
        return page(request, caller, "member/matter_young.html")
    categories = await list_categories(caller, kind="report", language=language)
    category = next((one for one in categories if one.code == code and not one.staff_only), None)
    if category is None:
        return page(request, caller, "member/report_what.html", categories=_ordered(categories), shelf=shelf_of(caller))
    places = await place_choices(caller)
    if area_id is None:
        return page(
            request, caller, "member/report_where.html", category=category, places=places, shelf=shelf_of(caller)
        )
    return await _last(request, caller, category, places, area_id)


def _ordered(categories: list[CategoryOut]) -> list[CategoryOut]:
    """As the community ordered them; what only staff open, whose advice a resident reads, comes last."""
    return sorted(categories, key=lambda one: one.staff_only)


async def _last(
    request: AnyRequest, caller: Scope, category: CategoryOut, places: PlaceChoices, area_id: UUID
) -> Template:
    place = places.named(area_id)
    similar = await similar_matters(caller, category.code, area_id, language_of(request))
    return page(
        request, caller, "member/report_send.html", category=category, place=place, similar=similar,
        shelf=shelf_of(caller),
    )  # fmt: skip
