"""Two cookies of a phone that has scanned: a random one that stays, and the claim that lasts two minutes."""

from dataclasses import replace
from uuid import UUID

from litestar.datastructures import Cookie

from timebank.core import clock, codes, settings, vault
from timebank.http.callers import AnyRequest
from timebank.presence.evidence.claims import LASTS, Claim, new_claim, read_claim

PHONE_COOKIE = "timebank_phone"
CLAIM_COOKIE = "timebank_claim"
PHONE_LASTS = 400 * 24 * 3600
PHONE_MAX = 64


def phone_of(request: AnyRequest) -> str:
    """What tells this browser from others; made anew where there is none."""
    kept = request.cookies.get(PHONE_COOKIE, "")
    return kept if 40 <= len(kept) <= PHONE_MAX and kept.isascii() else vault.token()


def claim_for(request: AnyRequest, code: codes.StationCode, phone: str, session_id: UUID | None) -> Claim | None:
    """The claim that this phone has got by opening this code: the one it holds already, or a new one.

    One of another session is not held: it was carried here, or somebody else had the phone in hand.
    """
    held = held_claim(request, phone)
    if (
        held is not None and held.session_id == session_id and held.station_id == code.station_id
        and codes.is_fresh(code, held.scanned_at)
    ):  # fmt: skip
        return held
    return new_claim(code, phone, session_id)


def claim_of_the_signed_in(request: AnyRequest, session_id: UUID) -> Cookie | None:
    """The cookie of the claim with which a visitor signs in, now of this session; None where there is none."""
    held = held_claim(request, request.cookies.get(PHONE_COOKIE, ""))
    if held is None or held.session_id is not None:
        return None
    left = int((held.expires_at - clock.now()).total_seconds())
    return _cookie(CLAIM_COOKIE, replace(held, session_id=session_id).token(), left)


def held_claim(request: AnyRequest, phone: str) -> Claim | None:
    return read_claim(request.cookies.get(CLAIM_COOKIE, ""), phone)


def _cookie(key: str, value: str, lasts: int) -> Cookie:
    return Cookie(
        key=key, value=value, path="/", max_age=lasts, httponly=True, samesite="lax", secure=settings.current().secure
    )


def cookies_of(phone: str, claim: Claim | None) -> list[Cookie]:
    """What the phone is given when it opens a station's code."""
    kept = [_cookie(PHONE_COOKIE, phone, PHONE_LASTS)]
    return [*kept, _cookie(CLAIM_COOKIE, claim.token(), int(LASTS.total_seconds()))] if claim else kept


def claim_served() -> Cookie:
    """Takes the claim from the phone: it has served."""
    return _cookie(CLAIM_COOKIE, "", 0)
