"""create_app(): settings in, Litestar out. Every plugin and every route is named here once."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import structlog
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.plugins.prometheus import PrometheusConfig
from litestar.template.config import TemplateConfig
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

from timebank import clock, connections, installation, names, settings, vault, wording
from timebank.access.callers import provide_scope
from timebank.access.once import provide_once
from timebank.contract import openapi_config
from timebank.errors import TimebankError
from timebank.logs import configure_logs
from timebank.problems import failed, out_of_range, refused, refused_by_framework
from timebank.routes import API, PAGES
from timebank.rules.catalogue import in_words
from timebank.stations.places import open_hours
from timebank.strict import strict_body
from timebank.web.static_files import files, static_address, static_file

ROOT = Path(__file__).parent.parent
TEMPLATES = [ROOT / "timebank" / "web" / "templates", ROOT / "admin" / "templates"]

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
# Counted by the route, never by the address: that may hold an id or a token.
COUNTED = PrometheusConfig(app_name="timebank", prefix="timebank", group_path=True, exclude_unhandled_paths=True)
BODY_BYTES_MAX = 12 * 1024 * 1024
WITHOUT_DATABASE = re.compile(r"/(healthz|readyz|metrics)$|/static/").match

log = structlog.get_logger()


def create_app(*, opens_pool: bool = True) -> Litestar:
    """The whole service. `opens_pool` False leaves the database to the caller, as tests in one loop do."""
    configure_logs()
    files()  # read and compressed now, so that no request waits for it

    @asynccontextmanager
    async def pool(_: Litestar) -> AsyncIterator[None]:
        if not opens_pool:
            yield
            return
        chosen = settings.current()
        await installation.open_pool(chosen.database_url or "", chosen.pool_size)
        try:
            yield
        finally:
            await connections.close_pool()

    return Litestar(
        route_handlers=routes(),
        lifespan=[pool],
        middleware=[COUNTED.middleware, named_and_safe, only_with_a_database],
        dependencies={"caller": Provide(provide_scope), "once": Provide(provide_once)},
        exception_handlers={
            TimebankError: refused,
            HTTPException: refused_by_framework,
            OverflowError: out_of_range,
            Exception: failed,
        },
        template_config=TemplateConfig(engine=template_engine()),
        openapi_config=openapi_config(),
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )


def routes() -> Sequence[ControllerRouterHandler]:
    return [Router("/api/v1", route_handlers=API, before_request=strict_body), *PAGES, static_file]


def template_engine() -> JinjaTemplateEngine:
    engine = JinjaTemplateEngine(directory=TEMPLATES)
    engine.engine.autoescape = True
    engine.engine.filters |= {
        "when": wording.when, "until": wording.until, "day": wording.day, "minutes": wording.duration,
        "points": wording.points,
        "masked": names.masked, "earns": in_words, "open_hours": open_hours,
    }  # fmt: skip
    engine.engine.globals["local"] = clock.local
    engine.engine.globals["new_key"] = vault.token
    engine.engine.globals["static"] = static_address
    return engine


def named_and_safe(app: ASGIApp) -> ASGIApp:
    """Give every request an id, every answer its security headers, and the log one line without personal data."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["state"]["request_id"] = request_id
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name.lower() for name, _ in message["headers"]}
                defaults = STATIC_DEFAULTS if scope["path"].startswith("/static/") else DEFAULTS
                message["headers"] = [
                    *message["headers"],
                    *(header for header in defaults if header[0] not in given),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        began = clock.now()
        try:
            await app(scope, receive, send_named)
        finally:
            spent = (clock.now() - began).total_seconds() * 1000
            handler = scope.get("route_handler")
            log.info(
                "request", request_id=request_id, method=scope.get("method"), status=status, ms=round(spent, 1),
                handler=getattr(handler, "handler_name", None),
            )  # fmt: skip

    return middleware


def only_with_a_database(app: ASGIApp) -> ASGIApp:
    """Refuse what needs the database while it is away, and until it was found to be the right one."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and not WITHOUT_DATABASE(scope["path"]):
            await connections.reach()
        await app(scope, receive, send)

    return middleware


def _request_id(scope: Scope) -> str:
    """The proxy's request id where it sent a plain one, else our own."""
    given: str = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else uuid4().hex
