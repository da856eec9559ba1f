"""The two cookies of a browser that opened a station code: a random token kept 400 days, and the claim (120 s)."""

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
    """The random token of this browser, a new one if it has none."""
    kept = request.cookies.get(PHONE_COOKIE, "")
    return kept if 40 <= len(kept) <= PHONE_MAX and kept.isascii() else vault.token()


def claim_for(request: AnyRequest, code: codes.StationCode, phone: str, session_id: UUID | None) -> Claim | None:
    """The claim for opening this code: the one that the browser holds for it already, or a new one.

    A claim of another session is not reused: another person may have used this browser, or it was copied here.
    """
    held = held_claim(request, phone)
    if (
        held is not None and held.session_id == session_id and held.station_id == code.station_id
        and codes.is_fresh(code, held.scanned_at)
    ):  # fmt: skip
        return held
    return new_claim(code, phone, session_id)


def claim_of_the_signed_in(request: AnyRequest, session_id: UUID) -> Cookie | None:
    """Bind the claim that a visitor got before signing in to the new session, as a cookie; None without a claim."""
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
    """The cookies that are set when a browser opens a station code."""
    kept = [_cookie(PHONE_COOKIE, phone, PHONE_LASTS)]
    return [*kept, _cookie(CLAIM_COOKIE, claim.token(), int(LASTS.total_seconds()))] if claim else kept


def claim_served() -> Cookie:
    """The cookie that deletes a used claim."""
    return _cookie(CLAIM_COOKIE, "", 0)
