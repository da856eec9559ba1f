"""ASGI wrapper that gives every response a request id, security headers and one log line without personal data.

It wraps the whole service, so it also covers unknown addresses and malformed requests.
"""

import asyncio
import re
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from timebank.core import clock, settings
from timebank.core.errors import TimebankError, Unexpected
from timebank.core.locale import _
from timebank.http.problems import PROBLEM, BadRequest, problem_of

BODY_SECONDS_MAX = 20
"""Limit for the pause between two parts of a body. The whole body has no time limit: a large one may be slow."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}
STATIC_DEFAULTS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
DEFAULTS = [*STATIC_DEFAULTS, (b"cache-control", b"no-store")]
# HSTS for one year. It is sent only when the service is reached by https; browsers ignore it over http.
ONLY_HTTPS = (b"strict-transport-security", b"max-age=31536000")

log = structlog.get_logger()


class BodyCutShort(TimebankError):
    code = "body_cut_short"
    status = 408
    sentence = "内容只收到一半就停了。请检查网络，再发一次。"


def headers_of(path: str, request_id: str, given: frozenset[bytes] = frozenset()) -> list[tuple[bytes, bytes]]:
    """The headers to add to a response; a default header whose name is in `given` is left out."""
    defaults = STATIC_DEFAULTS if path.startswith("/static/") else DEFAULTS
    wanted = [*defaults, ONLY_HTTPS] if settings.current().secure else defaults
    return [*(header for header in wanted if header[0] not in given), (b"x-request-id", request_id.encode())]


def log_request(
    request_id: str, status: int, *, method: str | None = None, ms: float = 0.0, handler: object = None
) -> None:
    """Write one log line for one request, without path and query: they may hold a name, an id or a token."""
    name = getattr(handler, "handler_name", None)
    log.info("request", request_id=request_id, method=method, status=status, ms=round(ms, 1), handler=name)


def bare_problem(error: TimebankError, request_id: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The problem+json body and headers of a refusal that no handler answers, such as a malformed request."""
    body = msgspec.json.encode(problem_of(error, request_id, "zh"))
    kind = [
        (b"content-type", PROBLEM.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    return body, [*kind, *headers_of("", request_id)]


def new_request_id() -> str:
    return uuid4().hex


class Answering:
    """Wraps the ASGI `receive` and `send` of one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.request_id = _request_id(scope)
        self.status = 0
        self._has_whole_body = self._is_cut_short = False

    async def receive(self) -> Message:
        """The next part of the request. Raises BodyCutShort if it does not come in time or the client disconnects."""
        if self._has_whole_body:
            return await self._receive()  # type: ignore[return-value]  # the same messages, typed apart
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                message = await self._receive()
        except TimeoutError:
            self._is_cut_short = True
            raise BodyCutShort from None
        if message["type"] == "http.disconnect":
            raise BodyCutShort
        self._has_whole_body = not message.get("more_body", False)
        return message  # type: ignore[return-value]  # ASGI, typed apart

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = list(message["headers"])
            if self._is_cut_short:
                given.append((b"connection", b"close"))
            names = frozenset(name.lower() for name, _ in given)
            message["headers"] = [*given, *headers_of(self._scope["path"], self.request_id, names)]
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        """Answer an exception that no exception handler has answered; raise it again if the response has begun."""
        log.error("failed", request_id=self.request_id, error=type(error).__name__, at=["answering"])
        if self.status:
            raise error
        await self.refuse(Unexpected(request_id=self.request_id))

    async def refuse(self, error: TimebankError) -> None:
        body, headers = bare_problem(error, self.request_id)
        self.status = error.status
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


async def answer_request(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the app for one request and add the request id, the headers and the log line."""
    answering, began = Answering(scope, receive, send), clock.now()
    scope.setdefault("state", {})["request_id"] = answering.request_id
    try:
        if not _is_host(scope):
            await answering.refuse(BadRequest(why=_("不是完整的 HTTP 请求")))
            return
        await app(scope, answering.receive, answering.send)  # type: ignore[arg-type]  # ASGI, typed apart
    except Exception as error:  # noqa: BLE001  # whatever it is, somebody waits for an answer
        await answering.fail(error)
    finally:
        spent = (clock.now() - began).total_seconds() * 1000
        log_request(
            answering.request_id, answering.status, method=str(scope.get("method")), ms=spent,
            handler=scope.get("route_handler"),
        )  # fmt: skip


def _is_host(scope: Scope) -> bool:
    """Whether the Host header can be parsed as part of a URL; the framework raises on one that cannot."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    try:
        urlsplit(f"//{host}").port  # noqa: B018  # reading it is the check
    except ValueError:
        return False
    return True


def _request_id(scope: Scope) -> str:
    """The X-Request-ID of the proxy if it has 8 to 64 letters, digits or hyphens, else a new id."""
    given: str = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else new_request_id()
