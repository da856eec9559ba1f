"""How a page is shown to its reader: language and view, kept in two plain cookies."""

from datetime import date, datetime, timedelta
from typing import Any

from timebank import clock, names
from timebank.access.callers import DEVICE_COOKIE, SESSION_COOKIE, AnyRequest, csrf_token
from timebank.locale import LANGUAGES, translator

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
        "path": request.url.path,
        "now": clock.now(),
    }


def when(moment: datetime, language: str = "zh") -> str:
    """A moment the local way: 今天 14:20, 昨天 09:01, 11月3日 14:20, 2025年11月3日 14:20."""
    local = clock.local(moment)
    return f"{day(local.date(), language)} {local:%H:%M}"


def day(date_: date, language: str = "zh") -> str:
    """A date the local way: 今天, 昨天, 明天, 11月3日, 2025年11月3日."""
    today = clock.local_day()
    near = {today: ("今天", "today"), today - timedelta(days=1): ("昨天", "yesterday")}
    near[today + timedelta(days=1)] = ("明天", "tomorrow")
    if date_ in near:
        return near[date_][language == "en"]
    if language == "en":
        return f"{date_.day} {date_:%b}" + (f" {date_.year}" if date_.year != today.year else "")
    return (f"{date_.year}年" if date_.year != today.year else "") + f"{date_.month}月{date_.day}日"


def minutes(amount: int, language: str = "zh") -> str:
    """A length of time in words: 2 小时 15 分, 15 分钟 (15 分 would be points), 2 h 15 min."""
    hours, rest = divmod(abs(amount), 60)
    hour, minute = (" h", " min") if language == "en" else (" 小时", " 分" if hours else " 分钟")
    parts = [f"{hours:,}{hour}"] * bool(hours) + [f"{rest}{minute}"] * bool(rest or not hours)
    return ("−" if amount < 0 else "") + " ".join(parts)


def points(amount: int, language: str = "zh") -> str:
    """An amount of points with its unit: 1,286 分."""
    return f"{amount:,} {'pt' if language == 'en' else '分'}".replace("-", "−")


masked = names.masked
