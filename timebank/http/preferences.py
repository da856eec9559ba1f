"""How a page is shown to its reader: language and view, kept in two plain cookies."""

from typing import Any

from timebank.core import clock, settings
from timebank.core.locale import LANGUAGES, translator
from timebank.http.callers import DEVICE_COOKIE, SESSION_COOKIE, AnyRequest, csrf_token

LANGUAGE_COOKIE = "timebank_language"
VIEW_COOKIE = "timebank_view"


def language_of(request: AnyRequest) -> str:
    """The language chosen on the page, else the browser's if we have it, else Chinese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE) or request.query_params.get("lang", "")
    if chosen in LANGUAGES:
        return str(chosen)
    wanted = request.headers.get("Accept-Language", "")[:2].lower()
    return wanted if wanted in LANGUAGES else "zh"


def page_context(request: AnyRequest) -> dict[str, Any]:
    """What every page is given: the reader's language and view, the CSRF token, and who is signed in."""
    language = language_of(request)
    token = request.cookies.get(SESSION_COOKIE) or request.cookies.get(DEVICE_COOKIE)
    return {
        "_": translator(language),
        "lang": language,
        "view": "elder" if request.cookies.get(VIEW_COOKIE) == "elder" else "plain",
        "csrf": csrf_token(token) if token else "",
        "me": None,
        "path": request.scope["path"],
        "now": clock.now(),
        "time_zone": settings.current().time_zone.key,
    }
