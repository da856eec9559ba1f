"""The counter page: scan a code, identify the person and serve them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec.structs import replace

from timebank.access.sign_in.finding import count_look_up
from timebank.core import database, scanned, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.http.callers import AT_THE_COUNTER, WITHOUT_A_KEEPER, AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.people.directory import Namesake, named_at_counter
from timebank.presence import batches, scanning
from timebank.presence.pages.at_the_counter import lines_at, person_at_counter
from timebank.presence.pages.verdicts import VerdictText, verdict_in_words
from timebank.presence.recent import recent_at
from timebank.presence.schemas import BatchIn, BatchOut, ScanIn, Verdict, verdict_in_language
from timebank.presence.words import REASONS
from timebank.stations.schemas import StationOut
from timebank.stations.stations import kept_stations
from timebank.web.forms import parse_form
from timebank.web.pages import page, partial, see_other

Form = URLEncodedBody[dict[str, str]]
Nonce = Annotated[str | None, QueryParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
SCANNED = {
    "code": _("码"), "nonce": _("扫码"), "occurred_at": _("时间"), "station_id": _("驿站"),
}  # fmt: skip
BY_HAND = {"nonce": _("扫码"), "station_id": _("驿站"), "direction": _("签到"), "activity_id": _("服务")}
FOUND = {"name": _("姓名"), "phone_last4": _("手机后四位"), "room": _("房号"), "person_id": _("居民")}
LOOK = "look"
# The link needs no signature: the code is only looked up among the open redemptions and bookings that the caller may
# read. Any host, path prefix and appended query are accepted, as for the links of `codes`.
_SHOWN = re.compile(r"(?:(?i:https?)://[^?#]+/desk/(?:redemptions|bookings)\?code=)?([0-9]{8})(?:[&#].*)?")


class Found(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    phone_last4: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4})?$")] = ""
    room: Annotated[str, msgspec.Meta(max_length=60)] = ""
    person_id: UUID | None = None  # which of several namesakes


class Hand(msgspec.Struct, frozen=True):
    person_id: UUID


class Seen(msgspec.Struct, frozen=True):
    person_id: UUID
    presence: Annotated[str, msgspec.Meta(min_length=22, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class CounterPages(Controller):
    path = "/desk"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get("/stations")
    async def stations(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await choice_page(request, caller)

    @get(opt=WITHOUT_A_KEEPER)
    async def desk(
        self, request: AnyRequest, caller: NamedDependency[Scope], station: FromQuery[UUID | None] = None,
        scan: Nonce = None, told: Nonce = None, done: FromQuery[str] = "",
    ) -> Template | Redirect:  # fmt: skip
        """The counter of one station.

        A keeper of several stations chooses one first; on a counter tablet a keeper signs on first.
        """
        if caller.is_counter and caller.login_id is None:
            return see_other("/desk/sign-on")
        kept = await stations_kept(caller)
        chosen = _chosen(kept, station)
        if chosen is None:
            return page(request, caller, "desk/choose.html", stations=kept)
        verdict = await scanning.verdict_of(caller, scan) if scan else None
        person_id = verdict.person.id if verdict and verdict.person and verdict.status == "ok" else None
        if told:
            verdict = await scanning.verdict_of(caller, told)
        return await _desk_page(
            request, caller, chosen, verdict=verdict, person_id=person_id, presence=scan, kept=kept, done=done
        )

    @post("/scan")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def scan(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template | Redirect:
        """Process one scan. A script gets the changed parts of the page, a plain form the whole page."""
        kept = await stations_kept(caller)
        chosen = named_station(kept, data.get("station_id"))
        lead = _shown_code(data.get("code", ""))
        if lead is not None:
            return see_other(lead) if not _asks_part(request) else partial(request, "desk/_lead.html", lead=lead)
        verdict, person_id = await _scanned(caller, chosen, data)
        if _asks_part(request):
            context = await _parts(request, caller, chosen, verdict, person_id, data.get("nonce"))
            return partial(request, "desk/_answer.html", caller, **context)
        return await _desk_page(
            request, caller, chosen, verdict=verdict, person_id=person_id, presence=data.get("nonce"), kept=kept
        )

    @post("/scan/batch", status_code=200, opt=WITHOUT_A_KEEPER)
    async def late(self, request: AnyRequest, caller: NamedDependency[Scope], data: JSONBody[BatchIn]) -> BatchOut:
        """Process scans that this device stored while it had no network."""
        rows = [{name: value for name, value in row.items() if name != "purpose"} for row in data.rows]
        looked = [row.get("purpose") == LOOK for row in data.rows]
        language = language_of(request)
        taken = await batches.scan_batch(
            caller, [r for r, look in zip(rows, looked, strict=True) if not look], language,
            device_now=data.device_now,
        )  # fmt: skip
        verdicts = iter(taken.results)
        missed = verdict_in_language(
            Verdict(status="error", reason="error", said=[said(REASONS["looked_offline"])]), language
        )
        return BatchOut([missed if look else next(verdicts) for look in looked])

    @post("/people")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def find(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template:
        """Find a person without phone or card by the full name, and the last digits of the phone or the room."""
        data |= {"phone_last4": scanned.digits(data.get("phone_last4", ""))}
        wanted = parse_form(Found, data, FOUND)
        await count_look_up(caller)
        return await _found_page(request, caller, data.get("station_id"), wanted)

    @post("/hand")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def by_hand(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Check in or out by hand. Such a visit is reviewed before it is credited."""
        person_id = parse_form(Hand, data, {"person_id": _("居民")}).person_id
        asked = parse_form(ScanIn, data | {"code": "hand"}, BY_HAND | {"code": _("码")})
        await scanning.scan_by_hand(caller, person_id, asked)
        return see_other(f"/desk?station={asked.station_id}&scan={asked.nonce}")

    @post("/visits")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def by_scan(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Check in or out the person whom a scan at this counter has just identified."""
        seen = parse_form(Seen, data, {"person_id": _("居民"), "presence": _("扫码")})
        asked = parse_form(ScanIn, data | {"code": "seen"}, BY_HAND | {"code": _("码")})
        await scanning.scan_seen(caller, seen.person_id, seen.presence, asked)
        return see_other(f"/desk?station={asked.station_id}&scan={seen.presence}&told={asked.nonce}")


async def counter_page(request: AnyRequest, caller: Scope, data: Mapping[str, str]) -> Template:
    """The counter on which a form stands, without the person: a scan or the whole name shows them again."""
    kept = await stations_kept(caller)
    return await _desk_page(request, caller, named_station(kept, data.get("station_id")), kept=kept)


async def choice_page(request: AnyRequest, caller: Scope) -> Template:
    return page(request, caller, "desk/choose.html", stations=await stations_kept(caller))


def _asks_part(request: AnyRequest) -> bool:
    return "X-Partial" in request.headers


async def stations_kept(caller: Scope) -> list[StationOut]:
    kept = await kept_stations(caller)
    if not kept:
        raise Forbidden
    return kept


def _chosen(kept: list[StationOut], station_id: UUID | None) -> StationOut | None:
    if station_id is None:
        return kept[0] if len(kept) == 1 else None
    return named_station(kept, str(station_id))


def named_station(kept: list[StationOut], station_id: str | None) -> StationOut:
    """The station of this id among those that the caller keeps, or their only one. Raises NotFound."""
    if not station_id and len(kept) == 1:
        return kept[0]
    found = next((station for station in kept if str(station.id) == station_id), None)
    if found is None:
        raise NotFound
    return found


def _shown_code(text: str) -> str | None:
    """The path that looks up an eight-digit code or the link that carries one; None for any other text."""
    for reading in scanned.readings(text):
        if shown := _SHOWN.fullmatch(reading):
            return f"/desk/redemptions?code={shown[1]}"
    return None


async def _scanned(caller: Scope, chosen: StationOut, data: dict[str, str]) -> tuple[Verdict, UUID | None]:
    """Identify by a scan, and return the verdict and the id of the person who is served now."""
    asked = parse_form(ScanIn, data | {"station_id": str(chosen.id)}, SCANNED)
    verdict = await scanning.scan(caller, replace(asked, purpose=LOOK))
    return verdict, verdict.person.id if verdict.person and verdict.status != "error" else None


async def _parts(
    request: AnyRequest,
    caller: Scope,
    chosen: StationOut,
    verdict: Verdict | None,
    person_id: UUID | None,
    presence: str | None,
) -> dict[str, Any]:
    """The template context of the parts of the page that a scan changes."""
    shown: VerdictText | None = None
    if verdict is not None and (verdict.direction or verdict.status != "ok"):
        shown = verdict_in_words(verdict, language_of(request))
    async with transaction(caller), database.gathering() as reads:
        lines = reads.start(lines_at(caller, chosen.id))
        recent = reads.start(recent_at(caller, chosen.id))
        served = reads.start(person_at_counter(caller, chosen, person_id, presence)) if person_id else None
    return {
        "told": shown, "station_id": chosen.id, "lines": lines.result(), "recent": recent.result(),
        "served": served.result() if served else None, "nonce": vault.token(),
        "gives_codes": caller.device_id is None,
    }  # fmt: skip


@retried
async def _found_page(request: AnyRequest, caller: Scope, station_id: str | None, wanted: Found) -> Template:
    """The counter with those whom a look-up has found, read in one transaction."""
    async with transaction(caller):
        async with database.gathering() as reads:
            kept = reads.start(stations_kept(caller))
            named = reads.start(named_at_counter(caller, wanted.name, phone_last4=wanted.phone_last4, room=wanted.room))
        chosen, found = named_station(kept.result(), station_id), named.result()
        only = next((one.id for one in found if len(found) == 1 or one.id == wanted.person_id), None)
        return await _desk_page(request, caller, chosen, found=found, wanted=wanted, person_id=only, kept=kept.result())


async def _desk_page(
    request: AnyRequest, caller: Scope, chosen: StationOut, *, verdict: Verdict | None = None,
    person_id: UUID | None = None, presence: str | None = None, found: list[Namesake] | None = None,
    wanted: Found | None = None, kept: list[StationOut], done: str = "",
) -> Template:  # fmt: skip
    context = await _parts(request, caller, chosen, verdict, person_id, presence)
    several = len(kept) > 1
    return page(
        request,
        caller,
        "desk/counter.html",
        place=chosen.name,
        found=found,
        wanted=wanted,
        several=several,
        done=done,
        on_device=caller.device_id is not None,
        **context,
    )
