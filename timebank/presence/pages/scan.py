"""Check in and out with a station code: open its link, confirm, read the verdict."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import clock, codes, vault
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.http.callers import AnyRequest, client_address, provide_visitor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.ledger.statement import balances
from timebank.presence import scanning
from timebank.presence.choice import Choices, choices_for
from timebank.presence.evidence.browsers import Browser
from timebank.presence.evidence.claims import Claim, binding_hash, shown_station
from timebank.presence.pages.phone import claim_for, claim_served, cookies_of, held_claim, phone_of
from timebank.presence.pages.verdicts import verdict_in_words
from timebank.presence.scans.context import no_code, read_code
from timebank.presence.scans.facts import SAME_SCAN
from timebank.presence.schemas import ScanIn, Verdict
from timebank.presence.words import REASONS
from timebank.service_records.visits import open_visit
from timebank.stations.stations import StationRow
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Payload = Annotated[str, PathParameter(max_length=200)]
Nonce = Annotated[str, PathParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Form = URLEncodedBody[dict[str, str]]
CHOSEN = {"nonce": _("扫码"), "direction": _("签到"), "activity_id": _("服务"), "person_id": _("谁")}


class ScanPages(Controller):
    path = "/"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get("/c/{payload:str}")
    async def opened(self, request: AnyRequest, payload: Payload, visitor: NamedDependency[Scope | None]) -> Template:
        """The page that a station code opens. It checks nobody in, because previews and prefetchers open links too."""
        return await _opened_page(request, visitor, payload)

    @post("/c/{payload:str}")
    @shown_again(lambda request, caller, payload: _opened_page(request, caller, payload))
    async def confirmed(
        self, request: AnyRequest, payload: Payload, caller: NamedDependency[Scope], data: Form
    ) -> Redirect:
        """Check in or out, at the time when the code was opened."""
        phone = phone_of(request)
        asked = parse_form(ScanIn, data | {"code": f"c/{payload}"}, CHOSEN | {"code": _("码")})
        claim = held_claim(request, phone)
        await scanning.scan(caller, asked, claim=claim, browser=Browser(binding_hash(phone), client_address(request)))
        answer = see_other(f"/scans/{asked.nonce}" + (f"?claim={claim.id}" if claim else ""))
        answer.set_cookie(claim_served())
        return answer

    @get("/scans/{nonce:str}")
    async def verdict(
        self, request: AnyRequest, nonce: Nonce, caller: NamedDependency[Scope], claim: FromQuery[UUID | None] = None
    ) -> Template:
        """The verdict of the caller's own scan. Raises NotFound for a scan of another person."""
        found = await scanning.verdict_of(caller, nonce)
        if found.person is not None and found.person.id not in caller.own_ids:
            raise NotFound
        return await _verdict_page(request, caller, found, claim)

    @get("/scan")
    async def scanner(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return _scanner_page(request, caller)

    @post("/scan")
    @shown_again(lambda request, caller: _scanner_page(request, caller))
    async def typed(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template | Redirect:
        """Open a station code that was typed or read from a photo."""
        text = data.get("code", "").strip()[:600]
        if isinstance(read_code(text), codes.StationCode):
            return see_other(f"/{codes.path(text)}")
        return _scanner_page(request, caller, sentence=REASONS[no_code(text)], status=422)

    @get(["/p/{payload:str}", "/k/{payload:str}"])
    async def persons_code(self, request: AnyRequest, visitor: NamedDependency[Scope | None]) -> Template:
        """A personal code or card opened with a phone's camera: it works only at a counter and names nobody here."""
        return page(request, visitor, "member/persons_code.html", serves=bool(visitor and visitor.kept_stations))


async def _opened_page(request: AnyRequest, visitor: Scope | None, payload: str) -> Template:
    code = read_code(f"c/{payload}")
    station = await shown_station(code) if isinstance(code, codes.StationCode) else None
    if station is None or not isinstance(code, codes.StationCode):
        return _refused(request, visitor, "invalid_code")
    phone = phone_of(request)
    claim = claim_for(request, code, phone, visitor.session_id if visitor else None)
    shown = (
        _refused(request, visitor, "expired_code", at=_end_of(code))
        if claim is None
        else await _confirm(request, visitor, payload, station, claim)
    )
    for cookie in cookies_of(phone, claim):
        shown.set_cookie(cookie)
    return shown


def _scanner_page(request: AnyRequest, caller: Scope, *, sentence: str | None = None, status: int = 200) -> Template:
    return page(request, caller, "member/scan.html", sentence=sentence, status=status)


def _end_of(code: codes.StationCode) -> str:
    return f"{clock.local(codes.step_end(code.step, codes.STATION_STEP_SECONDS)):%H:%M:%S}"


def _refused(request: AnyRequest, visitor: Scope | None, reason: str, **values: object) -> Template:
    verdict = Verdict(status="error", reason=reason, said=[said(REASONS[reason], **values)])
    shown = verdict_in_words(verdict, language_of(request))
    return page(request, visitor, "member/scan_verdict.html", told=shown, verdict=verdict, answered=None)


async def _confirm(
    request: AnyRequest, visitor: Scope | None, payload: str, station: StationRow, claim: Claim
) -> Template:
    """The page after opening a code: sign in, choose person and activity, or the refusal or finished check-in."""
    context: dict[str, Any] = {"station": station, "payload": payload, "claim": claim, "nonce": vault.token()}
    if visitor is None or visitor.device_id is not None:
        return page(request, None, "member/checkin_sign_in.html", **context)
    own = [p for p in visitor.persons if p.community_id == claim.community_id]
    if not own:
        return _refused(request, visitor, "wrong_station")
    caller = visitor.within(claim.community_id)
    visit = await open_visit(caller, own[0].person_id)
    here = visit is not None and visit.station_id == station.id
    if visit is not None and here and abs(clock.now() - visit.in_at) < SAME_SCAN:
        return page(request, caller, "member/checkin_done.html", visit=visit)
    offers = Choices([], []) if visit else await choices_for(caller, own[0].person_id, station.id)
    return page(
        request, caller, "member/checkin.html", own=own, visit=visit, here=here, offers=offers,
        is_open=station.is_open(claim.scanned_at), **context,
    )  # fmt: skip


async def _verdict_page(request: AnyRequest, caller: Scope, found: Verdict, claim: UUID | None) -> Template:
    balance = None
    if found.person is not None and found.credited.points:
        there = caller.acting_as(found.person.id)
        balance = (await balances(there, found.person.id, [])).points.available
    shown = verdict_in_words(found, language_of(request), balance)
    return page(request, caller, "member/scan_verdict.html", told=shown, verdict=found, answered=claim)
