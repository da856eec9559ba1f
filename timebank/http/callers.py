"""Builds a request's Scope from its bearer token or cookie and the addressed community, and checks the CSRF token."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.datastructures import Cookie

from timebank.access.devices import devices
from timebank.access.devices.sign_on import SignOnNeeded
from timebank.access.sign_in import sessions
from timebank.core import clock, settings, vault
from timebank.core.errors import Forbidden, NotFound, TimebankError, Unauthenticated
from timebank.core.scope import Scope

SESSION_COOKIE = "timebank_session"
DEVICE_COOKIE = "timebank_device"
COMMUNITY_COOKIE = "timebank_community"
PERSON_COOKIE = "timebank_person"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

AnyRequest = Request[Any, Any, Any]


class CsrfMissing(TimebankError):
    code = "csrf_missing"
    status = 403
    sentence = "这个页面放得太久了。请刷新后再试一次。"


def csrf_token(token: str) -> str:
    """The CSRF token of a session or device token: a keyed hash, so that it is not valid for any other session."""
    return hmac.digest(vault.key_for("csrf"), token.encode(), "sha256").hex()


def session_cookie(opened: sessions.SignedIn) -> Cookie:
    """The session cookie: not readable by scripts, and not sent with forms of other sites."""
    lasts = int((opened.expires_at - clock.now()).total_seconds())
    return Cookie(
        key=SESSION_COOKIE, value=opened.token, path="/", max_age=lasts, httponly=True, samesite="lax",
        secure=settings.current().secure,
    )  # fmt: skip


AT_THE_COUNTER = {"counter": "keeper"}
"""`opt` of a route that a counter tablet may call while a keeper is signed on to it."""
WITHOUT_A_KEEPER = {"counter": "nobody"}
"""`opt` of a route that a counter tablet may call without a keeper: to sign on, or to send scans made offline."""
ON_A_SCREEN = {"counter": "keeper", "display": True}
"""`opt` of a route that a display may call as well."""


def client_address(request: AnyRequest) -> str:
    """The network address of a request; empty if unknown."""
    return request.client.host if request.client else ""


async def provide_scope(request: AnyRequest) -> Scope:
    """The caller, a person or a device. Raises Unauthenticated where there is none.

    A device may call only the routes marked for it in `opt`, since anybody at the station can touch it: no resident's
    own pages, password or points, not even the signed-on keeper's. Otherwise raises Forbidden or SignOnNeeded.
    """
    scope = await provide_scope_or_none(request)
    if scope is None:
        raise Unauthenticated
    if scope.device_id is not None:
        _require_open_to_device(scope, request.route_handler.opt)
    return scope


def provide_scope_where_used(capability: str) -> Callable[[AnyRequest], Awaitable[Scope]]:
    """`provide_scope` for the addresses of a capability that communities switch on. Raises NotUsedHere elsewhere.

    A caller with a grant over a street or county, or for a unit, may be in any community; what they then ask of one is
    checked by the verb.
    """

    async def provide(request: AnyRequest) -> Scope:
        scope = await provide_scope(request)
        if not any(grant.region_id or grant.unit_id for grant in scope.grants):
            scope.require_use(capability)
        return scope

    return provide


def _require_open_to_device(scope: Scope, opt: Mapping[str, Any]) -> None:
    if not scope.is_counter:
        if not opt.get("display"):
            raise Forbidden
        return
    needs = opt.get("counter")
    if needs is None:
        raise Forbidden
    if needs == "keeper" and scope.login_id is None:
        raise SignOnNeeded


async def provide_scope_or_none(request: AnyRequest) -> Scope | None:
    """The caller, or None for a visitor. Raises CsrfMissing for an unsafe request by cookie without its CSRF token.

    Raises NotFound for an addressed community that the caller does not reach; a chosen one is ignored then.
    """
    bearer = request.headers.get("Authorization", "")
    if bearer:
        token = bearer[7:].strip() if bearer[:7].lower() == "bearer " else ""
        return await scope_of(token, request)
    for cookie in (SESSION_COOKIE, DEVICE_COOKIE):
        token = request.cookies.get(cookie, "")
        scope = await scope_of(token, request) if token else None
        if scope is not None:
            await _check_csrf(request, token)
            return scope
    return None


async def provide_visitor(request: AnyRequest) -> Scope | None:
    """The caller of a page that needs no sign-in, None for a visitor; a device comes without its signed-on keeper."""
    scope = await provide_scope_or_none(request)
    return scope.as_nobody() if scope is not None and scope.device_id is not None else scope


async def scope_of(token: str, request: AnyRequest) -> Scope | None:
    """Whom a session's or device's token stands for in this request; None for a token that is not valid."""
    if token.startswith(devices.PREFIX + "_"):
        scope = await devices.find_device(token, request_id=request.state.get("request_id", ""))
    else:
        chosen = request.query_params.get("community_id") or request.headers.get("X-Community-Id")
        community_id = _community(chosen or request.cookies.get(COMMUNITY_COOKIE, ""))
        caller = await sessions.find_session(token, community_id) if token else None
        scope = None if caller is None else _of_caller(caller, request)
        if scope is not None and chosen and scope.addressed is None:
            raise NotFound
    return scope


def _of_caller(caller: sessions.Caller, request: AnyRequest) -> Scope | None:
    """The scope of a session, in the addressed community or at home.

    None where the login has no active record, as for somebody who was blocked; it has no grant either then.
    """
    chosen_person = request.cookies.get(PERSON_COOKIE, "")
    # The record chosen on a page comes first: a login may have several, as when a family shares a phone.
    persons = tuple(sorted(caller.persons, key=lambda p: str(p.person_id) != chosen_person))
    if not persons:
        return None
    return Scope(
        community_id=caller.addressed.id if caller.addressed else persons[0].community_id,
        addressed=caller.addressed, persons=persons, grants=caller.grants, login_id=caller.login_id,
        session_id=caller.session_id,
        request_id=request.state.get("request_id", ""),
    )  # fmt: skip


def _community(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _check_csrf(request: AnyRequest, token: str) -> None:
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get("X-CSRF-Token", "")
    if not given and request.content_type[0] in FORMS:
        value = (await request.form()).get("_csrf", "")
        given = value if isinstance(value, str) else ""
    if not hmac.compare_digest(given.encode(), csrf_token(token).encode()):
        raise CsrfMissing
