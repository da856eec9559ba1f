"""The HTTP API of scans and of the personal code. Visits and service records: `service_records.api`."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from timebank.core import codes
from timebank.core.scope import Scope
from timebank.http.callers import WITHOUT_A_KEEPER, AnyRequest, client_address
from timebank.http.preferences import language_of
from timebank.presence import batches, scanning
from timebank.presence.evidence import personal_code
from timebank.presence.evidence.browsers import Browser
from timebank.presence.schemas import BatchIn, BatchOut, ScanIn, VerdictOut, verdict_in_language
from timebank.stations.schemas import CodeOut


class Checkins(Controller):
    path = "/checkins"
    opt = WITHOUT_A_KEEPER

    @post(status_code=200)
    async def scan(self, request: AnyRequest, data: JSONBody[ScanIn], caller: NamedDependency[Scope]) -> VerdictOut:
        """Check in or out by a code. Every verdict is a 200; repeating a nonce returns its stored verdict."""
        browser = Browser(address=client_address(request))
        return verdict_in_language(await scanning.scan(caller, data, browser=browser), language_of(request))

    @post("/batch", status_code=200)
    async def batch(self, request: AnyRequest, data: JSONBody[BatchIn], caller: NamedDependency[Scope]) -> BatchOut:
        """Send scans that a device stored offline; each row has its own transaction and outcome."""
        return await batches.scan_batch(caller, data.rows, language_of(request), device_now=data.device_now)


class MyCode(Controller):
    path = "/me"

    @get("/code")
    async def code(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> CodeOut:
        """The personal code to show at a counter; it changes every 30 seconds."""
        return await personal_code.personal_code(caller, person_id)

    @get("/code.png", media_type="image/png")
    async def png(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> bytes:
        return codes.png((await personal_code.personal_code(caller, person_id)).url)

    @get("/code.svg", media_type="image/svg+xml")
    async def svg(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> bytes:
        return codes.svg((await personal_code.personal_code(caller, person_id)).url)
