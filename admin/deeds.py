"""The panel's pages of the moral bank: deeds to review, published ones, objections, and the catalogue."""

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.inbox_rows import after_deciding, beside
from admin.of_person import SOUGHT_BY, Several, narrowed_to, one_or_several
from timebank.agreements.deciders import administrators_apart_from
from timebank.core.capability import origin_page
from timebank.core.errors import Forbidden
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Role, Scope
from timebank.deeds.credit import reverse_deed
from timebank.deeds.parties import may_review_deed, party_to, people_of
from timebank.deeds.reading import count_deeds, count_waiting, find_deed, list_deeds
from timebank.deeds.review import DEED_POINTS, needs_second, review_deed
from timebank.deeds.schemas import DeedStatus, ReasonIn, ReviewIn
from timebank.deeds.words import STATUS
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.objections.listing import count_undecided_objections, list_undecided_objections, objections_to
from timebank.overview.changes_listed import waiting_change_about
from timebank.photos.seeing import photos_attached
from timebank.rules.catalogue import rules
from timebank.web.forms import parse_form
from timebank.web.lists import Bar, length_of, order_asked, order_choice
from timebank.web.pages import page, see_other

# The tabs in the order of the work: filed deeds, published ones, objections, finished ones.
TABS = (
    ("filed", _("待审核")),
    ("noticed", _("公示中")),
    ("objected", _("有异议")),
    ("credited", _("已记分")),
    ("rejected", _("未通过")),
    ("reversed", _("已冲正")),
)
REVIEW = {"decision": _("决定"), "note": _("原因")}
REASON = {"reason": _("原因")}

PATH = "/admin/deeds"
FILTERS = ("status", "person_id", "order")
PAGE = 40


class PanelDeedPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def deeds(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[str] = "filed",
        person_id: FromQuery[UUID | None] = None, order: FromQuery[str] = "", cursor: Cursor = None,
        done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """The deeds of one status, or the objections; by default the filed deeds that wait for review."""
        _require_duty(caller)
        shown = _tab(status)
        if shown == "objected" and caller.reads_all:
            return await _objected_page(request, caller, cursor, done)
        return await _deeds_page(request, caller, shown, person_id, cursor, order=order, done=done)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _deeds_page(request, caller, "filed", None))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """The deeds of the person of this name or number; several of one name are shown to choose from."""
        _require_duty(caller)
        shown = _tab(data.get("status", ""))
        found = await one_or_several(caller, {**data, "status": str(shown)}, PATH, FILTERS)
        if isinstance(found, Redirect):
            return found
        return await _deeds_page(request, caller, shown, None, order=data.get("order", ""), people=found)

    @get("/catalogue")
    async def catalogue(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The catalogue of deeds with their points and caps."""
        _require_duty(caller)
        found = await all_pages(partial(rules, caller, kind="deed"))
        return page(request, caller, "deeds/catalogue.html", rules=found, tabs_of=await _tabs(caller))

    @get("/{deed_id:uuid}")
    async def deed(self, request: AnyRequest, deed_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One deed with everything that a review needs."""
        return await _deed(request, caller, deed_id)

    @post("/{deed_id:uuid}/review")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def review(
        self, request: AnyRequest, deed_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Approve the deed, which publishes it on the board, or return it with a reason."""
        _require_duty(caller)
        told = parse_form(ReviewIn, data, REVIEW)
        then = await after_deciding(request, caller, "deed", deed_id, "") if caller.reads_all else ""
        answer = await once.answer(
            caller,
            lambda: review_deed(caller, deed_id, told.decision, told.note, witness_asked=told.witness_asked),
            required=False,
        )
        return see_other(then or f"/admin/deeds?done={'waits' if answer.status_code == 202 else told.decision}")

    @post("/{deed_id:uuid}/reversal")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def reverse(
        self, deed_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Reverse the deed's points."""
        reason = parse_form(ReasonIn, data, REASON).reason
        await once.answer(caller, lambda: reverse_deed(caller, deed_id, reason))
        return see_other("/admin/deeds?status=reversed&done=reversed")


async def _deeds_page(
    request: AnyRequest, caller: Scope, shown: DeedStatus, person_id: UUID | None, cursor: str | None = None, *,
    order: str = "", done: str = "", people: Several | None = None,
) -> Template:  # fmt: skip
    found = await list_deeds(
        caller, status=shown, person_id=person_id, order=order_asked(order), limit=PAGE, cursor=cursor
    )
    parties = await party_to(caller, found.items) if shown == "filed" else set()
    kept = {"status": str(shown), "person_id": str(person_id or "")}
    bar = Bar(path=PATH, q="", placeholder=SOUGHT_BY, kept=kept, choices=[order_choice(order)], cursor=cursor)
    return page(
        request, caller, "deeds/list.html", items=[(deed, deed.id in parties) for deed in found.items], doubts=[],
        found=found, shown=shown, done=done, words=STATUS, tabs_of=await _tabs(caller), decides=caller.reads_all,
        bar=bar, people=people, of=await narrowed_to(caller, person_id, bar),
        count=await length_of(found, cursor, partial(count_deeds, caller, status=shown, person_id=person_id)),
    )  # fmt: skip


async def _objected_page(request: AnyRequest, caller: Scope, cursor: str | None, done: str) -> Template:
    """The page of open objections, for those who may decide or read them."""
    waiting = await list_undecided_objections(caller, limit=PAGE, cursor=cursor)
    return page(
        request, caller, "deeds/list.html", items=[], doubts=waiting.items, found=waiting, shown="objected",
        done=done, words=STATUS, tabs_of=await _tabs(caller), decides=True, people=None, of=None, count=None,
        bar=Bar(path=PATH, kept={"status": "objected"}, cursor=cursor),
    )  # fmt: skip


def _tab(asked: str) -> DeedStatus:
    """The tab named in the query, or the first one if there is none of that name."""
    shown: DeedStatus = msgspec.convert(asked if asked in STATUS else "filed", DeedStatus)
    return shown


async def _tabs(caller: Scope) -> list[tuple[str, str, int | None]]:
    """The tabs with their counts. Those who may decide objections also count the ones to records and reversals."""
    waiting = await count_waiting(caller)
    if caller.reads_all:
        waiting["objected"] = await count_undecided_objections(caller)
    return [(key, word, waiting.get(key)) for key, word in TABS]


def _require_duty(caller: Scope) -> None:
    """Require an administrator, auditor or grid worker; others see their own deeds on their member pages."""
    if not (caller.reads_all or caller.has(Role.grid_worker)):
        raise Forbidden


async def _deed(request: AnyRequest, caller: Scope, deed_id: UUID) -> Template:
    _require_duty(caller)
    deed = await find_deed(caller, deed_id)
    party = bool(await party_to(caller, [deed]))
    reviewed = caller.reads_all and deed.status == "filed"
    others = await administrators_apart_from(caller, people_of(deed)) if party and deed.status == "filed" else []
    return page(
        request, caller, "deeds/deed.html", deed=deed, words=STATUS,
        origin=origin_page(deed.source_kind, deed.source_id),
        photos=await photos_attached(caller, "deed", deed_id),
        party=party, others=[officer.in_words(language_of(request)) for officer in others],
        may_review=may_review_deed(caller, deed) and not party, may_reverse=caller.administers and not party,
        above=deed.status == "filed" and await needs_second(caller, deed),
        waits=await waiting_change_about(caller, DEED_POINTS, deed_id, language_of(request)) if reviewed else None,
        doubts=await objections_to(caller, "deed", deed_id) if caller.reads_all else [],
        beside=await beside(request, caller, "deed", deed_id) if caller.reads_all else None,
        decided_one=bool(request.query_params.get("done")),
    )  # fmt: skip
