"""Signing in with a password or the counter's code, signing out, and the own password."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank import scanned, settings
from timebank.access import own_password, sessions
from timebank.access.callers import (
    COMMUNITY_COOKIE,
    PERSON_COOKIE,
    SESSION_COOKIE,
    AnyRequest,
    CsrfMissing,
    provide_scope_or_none,
    session_cookie,
)
from timebank.access.own_password import WrongPassword
from timebank.access.passwords import WeakPassword
from timebank.access.schemas import NewPassword, SignIn
from timebank.access.sessions import WrongSignIn
from timebank.access.throttle import TooManyAttempts
from timebank.errors import Invalid
from timebank.locale import _
from timebank.people.phones import BadPhone, normal_phone
from timebank.preferences import language_of
from timebank.scope import Scope
from timebank.web.forms import filled, local_path
from timebank.web.member.phone import claim_of_the_signed_in
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]

CORRECTABLE = (WrongSignIn, TooManyAttempts, BadPhone, Invalid, WeakPassword, WrongPassword)
BY_PASSWORD = {"phone": _("手机号"), "password": _("密码")}
BY_CODE = {"phone": _("手机号"), "otp": _("登录码是 6 位数字")}


def same_site(request: AnyRequest) -> None:
    """Refuse a form that another site has sent: a visitor has no session yet that its token could be bound to."""
    if request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
        raise CsrfMissing
    # Browsers of before 2020, WeChat's among them, say where a form stands only in this header.
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc not in (
        request.headers.get("Host"), urlsplit(settings.current().base_url).netloc,
    ):  # fmt: skip
        raise CsrfMissing


class SignInPages(Controller):
    path = "/"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_scope_or_none)}  # noqa: RUF012  # Litestar reads it from the class

    @get("/sign-in")
    async def ask(
        self, request: AnyRequest, visitor: NamedDependency[Scope | None], next: FromQuery[str | None] = None,  # noqa: A002  # the field's name
        by: FromQuery[str | None] = None,
    ) -> Template:  # fmt: skip
        return page(request, visitor, "member/sign_in.html", next=local_path(next), by_code=by == "code", phone="")

    @post("/sign-in")
    async def sign_in(self, request: AnyRequest, data: Form) -> Response[Any]:
        """A new session at each sign-in; the one that this browser had before ends."""
        same_site(request)
        onwards, by_code = local_path(data.get("next")), data.get("by") == "code"
        try:
            opened = await _opened(request, data, by_code=by_code)
        except CORRECTABLE as refusal:
            return page(
                request, None, "member/sign_in.html", status=refusal.status, next=onwards, by_code=by_code,
                phone=data.get("phone", "")[:20], refusal=refusal.text(language_of(request)),
            )  # fmt: skip
        if old := request.cookies.get(SESSION_COOKIE):
            await sessions.sign_out_token(old)
        claim = claim_of_the_signed_in(request, opened.session_id)
        # Who has just scanned a station's code checks in first; the next sign-in asks for a password.
        first = by_code and claim is None and await own_password.has_none(opened.login_id)
        answer = see_other("/password?first=1" if first else onwards)
        answer.set_cookie(session_cookie(opened))
        if claim is not None:
            answer.set_cookie(claim)
        return answer

    @post("/sign-out")
    async def sign_out(self, visitor: NamedDependency[Scope | None]) -> Redirect:
        if visitor and visitor.session_id:
            await sessions.sign_out(visitor.session_id)
        answer = see_other("/sign-in")
        for cookie in (SESSION_COOKIE, PERSON_COOKIE, COMMUNITY_COOKIE):
            answer.delete_cookie(cookie)
        return answer


async def _opened(request: AnyRequest, data: dict[str, str], *, by_code: bool) -> sessions.SignedIn:
    if by_code:
        data |= {"otp": scanned.digits(data.get("otp", ""))}
    given = filled(SignIn, data, BY_CODE if by_code else BY_PASSWORD)
    address = request.client.host if request.client else ""
    return await sessions.sign_in(
        normal_phone(given.phone), password=given.password, otp=given.otp if by_code else None, address=address
    )


class PasswordPages(Controller):
    path = "/password"
    include_in_schema = False

    @get()
    async def ask(
        self, request: AnyRequest, caller: NamedDependency[Scope], first: FromQuery[bool] = False
    ) -> Template:
        return await _password_page(request, caller, first=first)

    @post()
    async def change(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Response[Any]:
        try:
            given = filled(NewPassword, data, {"password": _("新密码"), "current": _("原来的密码")})
            if data.get("again") != given.password:
                raise Invalid(why=_("两次输入的新密码不一样"))
            await own_password.change_password(caller, given.password, given.current)
        except CORRECTABLE as refusal:
            first = data.get("first") == "1"
            return await _password_page(request, caller, first=first, refusal=refusal.text(language_of(request)))
        return see_other("/" if data.get("first") == "1" else "/preferences?done=password")


async def _password_page(request: AnyRequest, caller: Scope, *, first: bool, refusal: str | None = None) -> Template:
    return page(
        request, caller, "member/password.html", status=422 if refusal else 200, first=first, refusal=refusal,
        asks_current=await own_password.needs_current(caller),
    )  # fmt: skip
