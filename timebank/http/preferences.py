"""A visitor's language and view (plain or elder), stored in two cookies."""

from typing import Any

from timebank.core import clock, settings
from timebank.core.locale import LANGUAGES, translator
from timebank.http.callers import DEVICE_COOKIE, SESSION_COOKIE, AnyRequest, csrf_token

LANGUAGE_COOKIE = "timebank_language"
VIEW_COOKIE = "timebank_view"


def language_of(request: AnyRequest) -> str:
    """The language of the cookie or the `lang` parameter, else the browser's first if supported, else Chinese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE) or request.query_params.get("lang", "")
    if chosen in LANGUAGES:
        return str(chosen)
    wanted = request.headers.get("Accept-Language", "")[:2].lower()
    return wanted if wanted in LANGUAGES else "zh"


def page_context(request: AnyRequest) -> dict[str, Any]:
    """The template variables of every page: language, view, CSRF token, path and time. `me` is None until set."""
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
