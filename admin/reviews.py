"""The panel's pages of reviews: service records with their flags, decisions, reversals, and honour hours."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from admin.inbox_rows import after_deciding, beside
from admin.of_person import SOUGHT_BY, Several, narrowed_to, one_or_several
from timebank.activities.offers import activities
from timebank.agreements.deciders import Decider, administrators_apart_from
from timebank.agreements.independence import is_uninvolved, near
from timebank.cards.confirming import count_unconfirmed
from timebank.core.capability import origin_page
from timebank.core.errors import Forbidden
from timebank.core.locale import _
from timebank.core.paging import Page, all_pages
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.people.directory import list_people, open_person
from timebank.people.schemas import PersonLine
from timebank.service_records import reading, review
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.crowds import crowds
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.reviews.deciding import scanned_by
from timebank.service_records.schemas import HoursIn, RecordOut, ReversalIn, ReviewIn, Why
from timebank.service_records.visits import find_visit
from timebank.stations.stations import stations
from timebank.web.forms import parse_form
from timebank.web.lists import Bar, length_of, order_asked, order_choice, typed_words
from timebank.web.local_times import LocalTime, moment_of
from timebank.web.pages import page, see_other

PATH = "/admin/reviews"
FILTERS = ("status", "person_id", "order")
PAGE = 50
INBOX = "/admin/inbox?kind=service_record"
STATUSES = {
    "pending": _("待审核"),
    "noticed": _("公示中"),
    "approved": _("已入账"),
    "rejected": _("已退回"),
    "reversed": _("已冲正"),
    "withdrawn": _("已撤回"),
}
REVIEW = {"decision": _("决定"), "note": _("说明")}
END = {"day": _("离开日期"), "at": _("离开时间")}
HOURS = {
    "person_id": _("居民"), "day": _("日期"), "at": _("开始时间"), "minutes": _("时长"), "reason": _("原因"),
    "activity_id": _("活动"), "station_id": _("驿站"),
}  # fmt: skip
Form = URLEncodedBody[dict[str, str]]


class HoursForm(msgspec.Struct, kw_only=True):
    """The form of honour hours: local day and start time, and the length."""

    person_id: UUID
    day: date
    at: LocalTime
    minutes: Annotated[int, Meta(ge=1, le=1440)]
    reason: Why
    activity_id: UUID | None = None
    station_id: UUID | None = None

    def hours(self) -> HoursIn:
        begin = moment_of(self.day, self.at)
        end = begin + timedelta(minutes=self.minutes)
        return HoursIn(
            person_id=self.person_id,
            started_at=begin,
            ended_at=end,
            reason=self.reason,
            activity_id=self.activity_id,
            station_id=self.station_id,
        )


class EndForm(msgspec.Struct):
    """The corrected end of a visit with a forgotten check-out."""

    day: date
    at: LocalTime


class PanelReviewPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def records(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[str] = "pending",
        person_id: FromQuery[str] = "", order: FromQuery[str] = "", cursor: Cursor = None,
    ) -> Template | Redirect:  # fmt: skip
        """The service records that were decided, by status and person. Those that wait are in the inbox."""
        caller.require_reader()
        if status not in STATUSES or status == "pending":
            return Redirect(INBOX)
        asked = {"status": status, "person_id": person_id, "order": order}
        return await _records_page(request, caller, asked, cursor)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _records_page(request, caller, {"status": "approved"}))
    async def find(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template | Redirect:
        """The records of the person of this name or number; several of one name are shown to choose from."""
        caller.require_reader()
        asked = {**data, "status": data["status"] if data.get("status") in STATUSES else "approved"}
        found = await one_or_several(caller, asked, PATH, FILTERS)
        return found if isinstance(found, Redirect) else await _records_page(request, caller, asked, people=found)

    @post()
    @shown_again(lambda request, caller: _records_page(request, caller, {"status": "approved"}))
    async def approve_several(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Redirect:
        """Approve the chosen records; those that another person must decide are skipped."""
        caller.require_admin()
        chosen = [each for each in (await request.form()).getall("record", []) if isinstance(each, str)][:PAGE]
        done = await review.approve_records(caller, [known for each in chosen if (known := _uuid(each))])
        return see_other(f"{INBOX}&approved={done}&refused={len(chosen) - done}")

    @get("/hours")
    async def hours(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None
    ) -> Template:
        """The form for honour hours: choose the person first, then enter time and reason."""
        return await _hours_page(request, caller, person_id=person_id)

    @post("/hours/search")
    @shown_again(lambda request, caller: _hours_page(request, caller))
    async def search(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template:
        """Find the person whose hours are entered."""
        return await _hours_page(request, caller, typed_words(data))

    @post("/hours")
    @shown_again(lambda request, caller, data: _hours_page(request, caller, person_id=_uuid(data.get("person_id"))))
    async def enter(self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form) -> Redirect:
        """Enter honour hours, which another person approves."""
        wanted = parse_form(HoursForm, data, HOURS).hours()
        await once.answer(caller, lambda: enter_hours(caller, wanted))
        return see_other("/admin/reviews/hours?done=entered" if not caller.reads_all else INBOX)

    @get("/{record_id:uuid}")
    async def record(self, request: AnyRequest, record_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One service record with everything that a decision needs."""
        return await _record_page(request, caller, record_id)

    @post("/{record_id:uuid}")
    @shown_again(lambda request, record_id, caller: _record_page(request, caller, record_id))
    async def decide(
        self, request: AnyRequest, record_id: FromPath[UUID], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency], data: Form,
    ) -> Redirect:  # fmt: skip
        """Approve, with a corrected end after a forgotten check-out, or reject with a reason."""
        decided = parse_form(ReviewIn, data, REVIEW)
        if decided.decision == "approve" and data.get("at", "").strip():
            end = parse_form(EndForm, data, END)
            decided = msgspec.structs.replace(decided, ended_at=moment_of(end.day, end.at))
        then = await after_deciding(request, caller, "service_record", record_id, f"/admin/reviews/{record_id}")
        await once.answer(caller, lambda: review.review_record(caller, record_id, decided), required=False)
        return see_other(then)

    @post("/{record_id:uuid}/reversal")
    @shown_again(lambda request, record_id, caller: _record_page(request, caller, record_id))
    async def reverse(
        self, record_id: FromPath[UUID], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency], data: Form,
    ) -> Redirect:  # fmt: skip
        """Reverse what a record credited."""
        reason = parse_form(ReversalIn, data, {"reason": _("原因")}).reason
        await once.answer(caller, lambda: reverse_record(caller, record_id, reason))
        return see_other(f"/admin/reviews/{record_id}")


async def _records_page(
    request: AnyRequest, caller: Scope, asked: Mapping[str, str], cursor: str | None = None,
    people: Several | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    status, person, order = asked["status"], _uuid(asked.get("person_id")), asked.get("order", "")
    kept = {"status": status, "person_id": str(person or "")}
    choices = [order_choice(order)]
    bar = Bar(path=PATH, q="", placeholder=SOUGHT_BY, kept=kept, choices=choices, cursor=cursor)
    found = await reading.list_records(
        caller, status=status, person_id=person, order=order_asked(order), limit=PAGE, cursor=cursor,
        language=language_of(request),
    )  # fmt: skip
    count = partial(reading.count_records, caller, status=status, person_id=person)
    return page(
        request, caller, "reviews/records.html", found=found, tab=status, statuses=STATUSES, bar=bar, people=people,
        count=await length_of(found, cursor, count),
        of=await narrowed_to(caller, person, bar), cards=await count_unconfirmed(caller),
    )  # fmt: skip


async def not_decidable_by(caller: Scope, records: Sequence[RecordOut]) -> set[UUID]:
    """The ids of the records that the caller may not decide.

    They belong to the caller or their household, were entered by one of these, or come from a visit that the caller
    scanned.
    """
    close = await near(caller, [person for record in records for person in (record.person_id, record.entered_by)])
    scanned = await scanned_by(caller, [r.visit_id for r in records])
    return {
        r.id
        for r in records
        if r.visit_id in scanned or not close.is_uninvolved([r.entered_by or r.person_id], [r.person_id])
    }


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


async def _record_page(request: AnyRequest, caller: Scope, record_id: UUID) -> Template:
    caller.require_reader()
    found: RecordOut = await reading.find_record(caller, record_id, language_of(request))
    seen = await find_visit(caller, found.visit_id) if found.visit_id else None
    crowd = bool(found.visit_id and await crowds(caller, found.visit_id))
    may_decide = caller.administers and not await not_decidable_by(caller, [found])
    corrected_here = not await is_uninvolved(caller, found.corrected_by)
    others = await _others(caller, found) if not may_decide or corrected_here else []
    return page(
        request, caller, "reviews/record.html", record=found, visit=seen,
        origin=origin_page(found.source_kind, found.source_id),
        crowd=crowd,
        statuses=STATUSES,
        may_decide=may_decide, corrected_here=corrected_here,
        others=[officer.in_words(language_of(request)) for officer in others],
        beside=await beside(request, caller, "service_record", record_id),
        decided_one=bool(request.query_params.get("done")),
    )  # fmt: skip


async def _others(caller: Scope, record: RecordOut) -> list[Decider]:
    """The administrators who may decide a record that the caller may not: none who entered, corrected or served it."""
    scanned = await scanned_by(caller, [record.visit_id])
    involved = [record.person_id, record.entered_by, record.corrected_by, caller.person_id if scanned else None]
    return await administrators_apart_from(caller, involved)


async def _hours_page(request: AnyRequest, caller: Scope, q: str = "", *, person_id: UUID | None = None) -> Template:
    if not (caller.administers or caller.has(Role.grid_worker)):
        raise Forbidden
    page_of = await list_people(caller, q=q, limit=20) if q else Page[PersonLine]([])
    found = list(page_of.items)
    chosen = await open_person(caller, person_id) if person_id else None
    context: dict[str, Any] = {
        "stations": await all_pages(partial(stations, caller)), "more": page_of.next is not None,
        "activities": await all_pages(partial(activities, caller)),
        "entered": request.query_params.get("done") == "entered",
    }  # fmt: skip
    return page(
        request, caller, "reviews/hours.html", q=q, found=found,
        chosen=chosen, **context,
    )  # fmt: skip
