"""The HTTP API of scans, visits and service records."""

from typing import Any, Literal
from uuid import UUID

from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank import codes
from timebank.access.callers import WITHOUT_A_KEEPER, address_of
from timebank.access.once import Once
from timebank.checkins import hours, personal, reading, reversal, review, scanning
from timebank.checkins import visits as seen
from timebank.checkins.browsers import Browser
from timebank.checkins.schemas import (
    BatchIn,
    BatchOut,
    HoursIn,
    RecordOut,
    ReversalIn,
    ReviewIn,
    ScanIn,
    TimesIn,
    VerdictOut,
    VisitOut,
    told_in,
)
from timebank.paging import Cursor, Limit, Page, listed
from timebank.preferences import language_of
from timebank.scope import Scope
from timebank.stations.schemas import CodeOut

AnyRequest = Request[Any, Any, Any]
RecordStatus = Literal["pending", "noticed", "approved", "rejected", "reversed", "withdrawn"]


class Checkins(Controller):
    path = "/checkins"
    opt = WITHOUT_A_KEEPER

    @post(status_code=200)
    async def scan(self, request: AnyRequest, data: JSONBody[ScanIn], caller: NamedDependency[Scope]) -> VerdictOut:
        """Check in or out by a code. Every verdict is a 200; repeating a nonce returns its stored verdict."""
        browser = Browser(address=address_of(request))
        return told_in(await scanning.scan(caller, data, browser=browser), language_of(request))

    @post("/batch", status_code=200)
    async def batch(self, request: AnyRequest, data: JSONBody[BatchIn], caller: NamedDependency[Scope]) -> BatchOut:
        """Send scans that a device stored offline; each row has its own transaction and outcome."""
        return await scanning.scan_batch(caller, data.rows, language_of(request), device_now=data.device_now)


class MyCode(Controller):
    path = "/me"

    @get("/code")
    async def code(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> CodeOut:
        """The personal code to show at a counter; it changes every 30 seconds."""
        return await personal.personal_code(caller, person_id)

    @get("/code.png", media_type="image/png")
    async def png(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> bytes:
        return codes.png((await personal.personal_code(caller, person_id)).url)

    @get("/code.svg", media_type="image/svg+xml")
    async def svg(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> bytes:
        return codes.svg((await personal.personal_code(caller, person_id)).url)


class Visits(Controller):
    path = "/visits"

    @get()
    async def visits(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[VisitOut]]:  # fmt: skip
        """A person's visits, by default the caller's own, newest first, each with its service record."""
        return listed(request, await seen.visits(caller, person_id, limit=limit, cursor=cursor))


class ServiceRecords(Controller):
    path = "/service-records"

    @get()
    async def records(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[RecordStatus | None] = None,
        person_id: FromQuery[UUID | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[RecordOut]]:  # fmt: skip
        found = await reading.records(caller, status=status, person_id=person_id, limit=limit, cursor=cursor)
        return listed(request, found)

    @get("/{record_id:uuid}")
    async def one(self, record_id: FromPath[UUID], caller: NamedDependency[Scope]) -> RecordOut:
        return await reading.record(caller, record_id)

    @post()
    async def enter(
        self, data: JSONBody[HoursIn], caller: NamedDependency[Scope], once: NamedDependency[Once]
    ) -> Response[bytes]:
        """Enter honour hours, with the reason why there was no scan."""
        return await once.answer(caller, lambda: hours.enter_hours(caller, data), required=False)

    @post("/{record_id:uuid}/review")
    async def decide(
        self, record_id: FromPath[UUID], data: JSONBody[ReviewIn], caller: NamedDependency[Scope],
        once: NamedDependency[Once],
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
        once: NamedDependency[Once],
    ) -> Response[bytes]:  # fmt: skip
        """Reverse what the record has credited; the person is notified of the reason."""
        return await once.answer(caller, lambda: reversal.reverse_record(caller, record_id, data.reason), status=200)
