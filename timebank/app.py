"""create_app() builds the Litestar application: its plugins, and the routes that the capabilities declare."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.plugins.prometheus import PrometheusConfig
from litestar.template.config import TemplateConfig
from litestar.types import (
    ASGIApp,
    ControllerRouterHandler,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Receive,
    Scope,
    Send,
)

from timebank.core import settings
from timebank.core.capability import Capability, capabilities, resolve
from timebank.core.database import connections
from timebank.core.errors import TimebankError
from timebank.http import health
from timebank.http.answering import answer_request
from timebank.http.callers import provide_scope, provide_scope_where_used
from timebank.http.idempotency import provide_idempotency
from timebank.http.openapi import openapi_config
from timebank.http.problems import failed, out_of_range, refused, refused_by_framework
from timebank.http.strict import readable_body, strict_body
from timebank.operations import installation
from timebank.operations.logs import configure_logs
from timebank.web.preferences import PreferencePages
from timebank.web.rendering import template_engine
from timebank.web.static_files import files, static_file

# Metrics are grouped by route, never by path: a path may hold an id or a token.
COUNTED = PrometheusConfig(app_name="timebank", prefix="timebank", group_path=True, exclude_unhandled_paths=True)
BODY_BYTES_MAX = 12 * 1024 * 1024
WITHOUT_DATABASE = re.compile(r"/(healthz|readyz|metrics)$|/static/").match


class Service(Litestar):
    """Litestar wrapped in `answer_request`, because Litestar's middleware is not called for an unknown address."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """Without those for Pydantic, which nothing here uses: it is loaded with them and takes 8 MB a process."""
        return [*plugins, MsgspecDIPlugin()]

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        if scope["type"] == ScopeType.HTTP:
            await answer_request(super().__call__, scope, receive, send)  # type: ignore[arg-type]  # of the same request
        else:
            await super().__call__(scope, receive, send)


def create_app(*, opens_pool: bool = True) -> Litestar:
    """The whole service. With `opens_pool` False the caller opens the pool, as tests that share an event loop do."""
    configure_logs()
    files()  # reads and compresses the static files now, so that no request waits for it

    @asynccontextmanager
    async def pool(_: Litestar) -> AsyncIterator[None]:
        if not opens_pool:
            yield
            return
        chosen = settings.current()
        await installation.open_checked_pool(chosen.database_url or "", chosen.pool_size)
        try:
            yield
        finally:
            await connections.close_pool()

    return Service(
        route_handlers=routes(),
        lifespan=[pool],
        middleware=[COUNTED.middleware, only_with_a_database],
        before_request=readable_body,
        dependencies={"caller": Provide(provide_scope), "once": Provide(provide_idempotency)},
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


OF_NO_CAPABILITY: Sequence[ControllerRouterHandler] = (
    health.healthz, health.readyz, health.Metrics, PreferencePages, static_file,
)  # fmt: skip


def routes() -> Sequence[ControllerRouterHandler]:
    """The JSON API below /api/v1, the pages of the capabilities, and the handlers that belong to no capability."""
    manifests = capabilities()
    api = [handler for one in manifests for handler in _where_used(one, one.api)]
    pages = [handler for one in manifests for handler in _where_used(one, one.pages)]
    return [Router("/api/v1", route_handlers=api, before_request=strict_body), *pages, *OF_NO_CAPABILITY]


def _where_used(one: Capability, paths: Sequence[str]) -> Sequence[ControllerRouterHandler]:
    """The handlers of a capability; where communities switch it on, they answer `not_used_here` in the others."""
    handlers = [resolve(path) for path in paths]
    if not one.switch or not handlers:
        return handlers
    caller = Provide(provide_scope_where_used(one.name))
    return [Router("", route_handlers=handlers, dependencies={"caller": caller})]


def only_with_a_database(app: ASGIApp) -> ASGIApp:
    """Middleware: refuse requests while the database does not answer or has not passed its checks (`reach`)."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and not WITHOUT_DATABASE(scope["path"]):
            await connections.require_reachable()
        await app(scope, receive, send)

    return middleware
