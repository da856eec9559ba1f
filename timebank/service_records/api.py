"""Visits with what became of them, and service records, over HTTP."""

from typing import Literal
from uuid import UUID

from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.objections import objecting
from timebank.objections.schemas import ObjectionIn
from timebank.service_records import reading, review, visits
from timebank.service_records.crediting import reversal
from timebank.service_records.honour import entering
from timebank.service_records.schemas import HoursIn, RecordOut, ReversalIn, ReviewIn, TimesIn, VisitOut

RecordStatus = Literal["pending", "noticed", "approved", "rejected", "reversed", "withdrawn"]


class Visits(Controller):
    path = "/visits"

    @get()
    async def visits(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[VisitOut]]:  # fmt: skip
        """A person's visits, by default the caller's own, newest first, each with its service record."""
        language = language_of(request)
        found = await visits.list_visits(caller, person_id, limit=limit, cursor=cursor, language=language)
        return listed(request, found)


class ServiceRecords(Controller):
    path = "/service-records"

    @get()
    async def records(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[RecordStatus | None] = None,
        person_id: FromQuery[UUID | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[RecordOut]]:  # fmt: skip
        found = await reading.list_records(
            caller, status=status, person_id=person_id, limit=limit, cursor=cursor, language=language_of(request)
        )
        return listed(request, found)

    @get("/{record_id:uuid}")
    async def one(self, request: AnyRequest, record_id: FromPath[UUID], caller: NamedDependency[Scope]) -> RecordOut:
        return await reading.find_record(caller, record_id, language_of(request))

    @post()
    async def enter(
        self, data: JSONBody[HoursIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Enter honour hours, with the reason why there was no scan."""
        return await once.answer(caller, lambda: entering.enter_hours(caller, data), required=False)

    @post("/{record_id:uuid}/review")
    async def decide(
        self, record_id: FromPath[UUID], data: JSONBody[ReviewIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Approve or reject a pending record; a rejection needs a note."""
        return await once.answer(
            caller, lambda: review.review_record(caller, record_id, data), status=200, required=False
        )

    @patch("/{record_id:uuid}")
    async def correct(
        self, record_id: FromPath[UUID], data: JSONBody[TimesIn], caller: NamedDependency[Scope]
    ) -> RecordOut:
        """Correct the end of a forgotten check-out before it is approved."""
        return await review.correct_end(caller, record_id, data.ended_at, data.reason)

    @post("/{record_id:uuid}/reversal")
    async def reverse(
        self, record_id: FromPath[UUID], data: JSONBody[ReversalIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Reverse what the record has credited; the person is notified of the reason."""
        return await once.answer(caller, lambda: reversal.reverse_record(caller, record_id, data.reason), status=200)

    @post("/{record_id:uuid}/objections")
    async def object_to(
        self, record_id: FromPath[UUID], data: JSONBody[ObjectionIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Object to an honour record on the public board, once per resident; staff may object in a resident's name."""
        return await once.answer(
            caller, lambda: objecting.object_to(caller, "service_record", record_id, data.reason, data.person_id),
            required=False,
        )  # fmt: skip
