"""The moral bank in the panel: what waits for review, what hangs out, what is doubted, and the catalogue."""

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.agreements.deciders import administrators_apart_from
from timebank.core.errors import Forbidden
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Role, Scope
from timebank.deeds.credit import reverse_deed
from timebank.deeds.objections.listing import count_doubts, doubts, doubts_of, find_doubt, may_decide
from timebank.deeds.objections.objecting import decide_objection
from timebank.deeds.parties import party_to, people_of, reviews
from timebank.deeds.reading import count_waiting, deeds, find_deed
from timebank.deeds.restoring import DEED_AGAIN
from timebank.deeds.review import DEED_POINTS, needs_second, review_deed
from timebank.deeds.schemas import DeedStatus, ObjectionDecision, ReasonIn, ReviewIn
from timebank.deeds.words import STATUS
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Once
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.overview.agreements import waiting_for
from timebank.rules.catalogue import rules
from timebank.web.forms import filled
from timebank.web.pages import page, see_other

# The tabs in the order of the work: what waits, what hangs out, what is doubted, what is done.
TABS = (
    ("filed", _("待审核")),
    ("noticed", _("公示中")),
    ("objected", _("有异议")),
    ("credited", _("已记分")),
    ("rejected", _("未通过")),
    ("reversed", _("已冲正")),
)
REVIEW = {"decision": _("决定"), "note": _("原因")}
DECISION = {"upheld": _("异议是否属实"), "note": _("说明")}
REASON = {"reason": _("原因")}

PAGE = 40


class AdminDeeds(Controller):
    path = "/admin/deeds"
    include_in_schema = False

    @get()
    async def deeds(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[str] = "filed",
        cursor: Cursor = None, done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """Deeds by where they stand, those that wait first."""
        _require_duty(caller)
        shown = _tab(status)
        if shown == "objected" and caller.reads_all:
            return await _doubted_page(request, caller, cursor, done)
        found = await deeds(caller, status=shown, limit=PAGE, cursor=cursor)
        parties = await party_to(caller, found.items) if shown == "filed" else set()
        return page(
            request, caller, "deeds/list.html", items=[(deed, deed.id in parties) for deed in found.items],
            doubts=[], next=found.next, first=cursor is None, shown=shown, done=done, words=STATUS,
            tabs_of=await _tabs(caller), decides=caller.reads_all,
        )  # fmt: skip

    @get("/catalogue")
    async def catalogue(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """What can be filed, with its points and caps."""
        _require_duty(caller)
        found = await all_pages(partial(rules, caller, kind="deed"))
        return page(request, caller, "deeds/catalogue.html", rules=found, tabs_of=await _tabs(caller))

    @get("/{deed_id:uuid}")
    async def deed(self, request: AnyRequest, deed_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One deed with everything that decides about it."""
        return await _deed(request, caller, deed_id)

    @post("/{deed_id:uuid}/review")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def review(
        self, deed_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Once],
    ) -> Redirect:  # fmt: skip
        """Approve it for the board, or send it back with the reason."""
        _require_duty(caller)
        told = filled(ReviewIn, data, REVIEW)
        answer = await once.answer(
            caller,
            lambda: review_deed(caller, deed_id, told.decision, told.note, witness_asked=told.witness_asked),
            required=False,
        )
        return see_other(f"/admin/deeds?done={'waits' if answer.status_code == 202 else told.decision}")

    @post("/{deed_id:uuid}/reversal")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def reverse(
        self, deed_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Once],
    ) -> Redirect:  # fmt: skip
        """Take its points back."""
        reason = filled(ReasonIn, data, REASON).reason
        await once.answer(caller, lambda: reverse_deed(caller, deed_id, reason))
        return see_other("/admin/deeds?status=reversed&done=reversed")


class AdminObjections(Controller):
    path = "/admin/objections"
    include_in_schema = False

    @get("/{objection_id:uuid}")
    async def objection(
        self, request: AnyRequest, objection_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Template:
        """One doubt, and what it is about."""
        return await _objection(request, caller, objection_id)

    @post("/{objection_id:uuid}")
    @shown_again(lambda request, objection_id, caller: _objection(request, caller, objection_id))
    async def decide(
        self, objection_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        """Decide about it."""
        told = filled(ObjectionDecision, data, DECISION)
        decided = await decide_objection(caller, objection_id, told.upheld, told.note)
        if decided.waiting:
            return see_other(f"/admin/objections/{objection_id}")
        return see_other("/admin/deeds?status=objected&done=decided")


async def _doubted_page(request: AnyRequest, caller: Scope, cursor: str | None, done: str) -> Template:
    """The objections that wait for a decision, for whoever decides about them or inspects."""
    waiting = await doubts(caller, limit=PAGE, cursor=cursor)
    return page(
        request, caller, "deeds/list.html", items=[], doubts=waiting.items, next=waiting.next, first=cursor is None,
        shown="objected", done=done, words=STATUS, tabs_of=await _tabs(caller), decides=True,
    )  # fmt: skip


def _tab(asked: str) -> DeedStatus:
    """The tab that an address asks for; the first where there is no such tab."""
    shown: DeedStatus = msgspec.convert(asked if asked in STATUS else "filed", DeedStatus)
    return shown


async def _tabs(caller: Scope) -> list[tuple[str, str, int | None]]:
    """The tabs with how many wait. Whoever decides about objections counts those, to records and reversals too."""
    waiting = await count_waiting(caller)
    if caller.reads_all:
        waiting["objected"] = await count_doubts(caller)
    return [(key, word, waiting.get(key)) for key, word in TABS]


def _require_duty(caller: Scope) -> None:
    """Administrators, auditors and grid workers: the others have their own deeds on their own page."""
    if not (caller.reads_all or caller.has(Role.grid_worker)):
        raise Forbidden


async def _deed(request: AnyRequest, caller: Scope, deed_id: UUID) -> Template:
    _require_duty(caller)
    deed = await find_deed(caller, deed_id)
    party = bool(await party_to(caller, [deed]))
    others = await administrators_apart_from(caller, people_of(deed)) if party and deed.status == "filed" else []
    return page(
        request, caller, "deeds/deed.html", deed=deed, words=STATUS,
        party=party, others=[officer.in_words(language_of(request)) for officer in others],
        may_review=reviews(caller, deed) and not party, may_reverse=caller.administers and not party,
        above=deed.status == "filed" and await needs_second(caller, deed),
        waits=await waiting_for(caller, DEED_POINTS, deed_id) if caller.reads_all and deed.status == "filed" else None,
        doubts=await doubts_of(caller, deed_id) if caller.reads_all else [],
    )  # fmt: skip


async def _objection(request: AnyRequest, caller: Scope, objection_id: UUID) -> Template:
    doubt = await find_doubt(caller, objection_id)
    waits = await waiting_for(caller, DEED_AGAIN, objection_id) if doubt.upheld is None else None
    return page(
        request, caller, "deeds/objection.html", doubt=doubt,
        waits=waits, may_decide=await may_decide(caller, doubt),
    )  # fmt: skip
