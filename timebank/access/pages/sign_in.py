"""Sign in with a password or a sign-in code, sign out, and change the own password."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.pages.browser_cookie import browser_cookie
from timebank.access.schemas import NewPassword, SignIn
from timebank.access.sign_in import browsers, own_password, sessions
from timebank.access.sign_in.device_kinds import kind_of_device
from timebank.core import scanned, settings
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import (
    COMMUNITY_COOKIE,
    PERSON_COOKIE,
    SESSION_COOKIE,
    AnyRequest,
    CsrfMissing,
    client_address,
    provide_visitor,
    scope_of,
    session_cookie,
)
from timebank.http.refusals import shown_again
from timebank.people.identity.phones import normal_phone
from timebank.presence.pages.phone import claim_of_the_signed_in
from timebank.web.forms import local_path, parse_form
from timebank.web.pages import page, see_other
from timebank.web.workplaces import landing

Form = URLEncodedBody[dict[str, str]]

BY_PASSWORD = {"phone": _("手机号"), "password": _("密码")}
NEW_PASSWORD = {"password": _("新密码"), "current": _("原来的密码"), "otp": _("登录码是 6 位数字")}
BY_CODE = {"phone": _("手机号"), "otp": _("登录码是 6 位数字")}


def same_site(request: AnyRequest) -> None:
    """Refuse a form sent from another site. A visitor has no session yet, so a CSRF token cannot be bound to one."""
    if request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
        raise CsrfMissing
    # Browsers from before 2020, such as WeChat's, send the origin of a form only in this header.
    origin = request.headers.get("Origin")
    ours = (request.headers.get("Host"), urlsplit(settings.current().base_url).netloc)
    if origin is not None and _host_of(origin) not in ours:
        raise CsrfMissing


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # for example an unclosed bracket
        return None


class SignInPages(Controller):
    path = "/"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get("/sign-in")
    async def ask(
        self, request: AnyRequest, visitor: NamedDependency[Scope | None], next: FromQuery[str | None] = None,  # noqa: A002  # the field's name
        by: FromQuery[str | None] = None,
    ) -> Template:  # fmt: skip
        return _sign_in_page(request, visitor, next, by)

    @post("/sign-in")
    @shown_again(lambda request, data: _sign_in_page(request, None, data.get("next"), data.get("by")))
    async def sign_in(self, request: AnyRequest, data: Form) -> Response[Any]:
        """Open a new session and end the one that this browser had."""
        same_site(request)
        onwards, by_code = local_path(data.get("next")), data.get("by") == "code"
        opened = await _opened(request, data, by_code=by_code)
        if old := request.cookies.get(SESSION_COOKIE):
            await sessions.sign_out_token(old, request.state.get("request_id", ""))
        claim = claim_of_the_signed_in(request, opened.session_id)
        asked = None if claim else await _asks_for_password(opened, by_code=by_code)
        answer = see_other(asked or await _lands_on(request, opened, onwards))
        answer.set_cookie(session_cookie(opened))
        if not opened.knows_browser:
            answer.set_cookie(await _known(request, opened.login_id))
        if claim is not None:
            answer.set_cookie(claim)
        return answer

    @post("/sign-out")
    @shown_again()
    async def sign_out(self, visitor: NamedDependency[Scope | None]) -> Redirect:
        if visitor and visitor.session_id:
            await sessions.sign_out(visitor.session_id, visitor.request_id)
        answer = see_other("/sign-in")
        for cookie in (SESSION_COOKIE, PERSON_COOKIE, COMMUNITY_COOKIE):
            answer.delete_cookie(cookie)
        return answer


async def _lands_on(request: AnyRequest, opened: sessions.SignedIn, onwards: str) -> str:
    """The page that the sign-in was for; where the caller works if it was for none."""
    caller = await scope_of(opened.token, request) if onwards == "/" else None
    return onwards if caller is None else landing(caller)


def _sign_in_page(request: AnyRequest, visitor: Scope | None, onwards: str | None, by: str | None) -> Template:
    return page(request, visitor, "member/sign_in.html", next=local_path(onwards), by_code=by == "code")


async def _asks_for_password(opened: sessions.SignedIn, *, by_code: bool) -> str | None:
    """The page that asks for a password, if the login has none after a sign-in code, or a weak one; else None.

    A visitor with a claim is not redirected there: they check in first, and the next sign-in asks again.
    """
    if by_code and await own_password.has_none(opened.login_id):
        return "/password?first=1"
    return "/password?weak=1" if opened.weak_password else None


async def _opened(request: AnyRequest, data: dict[str, str], *, by_code: bool) -> sessions.SignedIn:
    if by_code:
        data |= {"otp": scanned.digits(data.get("otp", ""))}
    given = parse_form(SignIn, data, BY_CODE if by_code else BY_PASSWORD)
    return await sessions.sign_in(
        normal_phone(given.phone), password=given.password, otp=given.otp if by_code else None,
        address=client_address(request),
        browsers=browsers.tokens_in(request.cookies.get(browsers.BROWSER_COOKIE)),
        request_id=request.state.get("request_id", ""), device=kind_of_device(request.headers.get("User-Agent", "")),
    )  # fmt: skip


async def _known(request: AnyRequest, login_id: UUID) -> Cookie:
    """The cookie that makes this browser known to the login, and keeps it known to the other logins used on it."""
    token = await browsers.remember(login_id)
    return browser_cookie([token, *browsers.tokens_in(request.cookies.get(browsers.BROWSER_COOKIE))])


class PasswordPages(Controller):
    path = "/password"
    include_in_schema = False

    @get()
    async def ask(
        self, request: AnyRequest, caller: NamedDependency[Scope], first: FromQuery[bool] = False,
        weak: FromQuery[bool] = False,
    ) -> Template:  # fmt: skip
        return await _password_page(request, caller, first=first, weak=weak)

    @post()
    @shown_again(
        lambda request, caller, data: _password_page(
            request, caller, first=data.get("first") == "1", weak=data.get("weak") == "1"
        )
    )
    async def change(self, caller: NamedDependency[Scope], data: Form) -> Response[Any]:
        data |= {"otp": scanned.digits(data.get("otp", ""))}
        given = parse_form(NewPassword, data, NEW_PASSWORD)
        if data.get("again") != given.password:
            raise Invalid(why=_("两次输入的新密码不一样"))
        await own_password.change_password(caller, given.password, given.current, given.otp)
        at_sign_in = "1" in (data.get("first"), data.get("weak"))
        answer = see_other(landing(caller) if at_sign_in else "/preferences?done=password")
        if caller.login_id is not None:
            answer.set_cookie(browser_cookie([await browsers.remember(caller.login_id)]))
        return answer


async def _password_page(request: AnyRequest, caller: Scope, *, first: bool, weak: bool) -> Template:
    return page(
        request, caller, "member/password.html", first=first, weak=weak,
        asks_current=await own_password.needs_current(caller),
        narrow=await own_password.is_narrow(caller),
    )  # fmt: skip
