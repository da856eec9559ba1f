"""The OpenAPI document at /api/v1/schema/openapi.json, with the problem+json refusals added to every operation."""

from typing import Any

from litestar import Request, Router
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from timebank import __version__
from timebank.http.callers import provide_scope
from timebank.http.health import AnyConnection, is_inside
from timebank.http.problems import PROBLEM

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: programs decide by it. docs/errors.md lists every one."},
        "detail": {"type": "string", "description": "A sentence for the reader, in the language that was asked for."},
        "request_id": {"type": "string"},
    },
}
REFUSAL = {
    "description": "Refused: a problem of RFC 9457.",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class WithRefusals(JsonRenderPlugin):
    """Replaces each operation's 400 response by 4XX and 5XX responses of type problem+json."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        openapi_schema["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
        for operations in openapi_schema["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("400", None)
                operation["responses"] |= {"4XX": REFUSAL, "5XX": REFUSAL}
        return super().render(request, openapi_schema)


async def known_readers(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Guard: only signed-in callers and clients of the private network may read the document.

    It would help an attacker to find the operations.
    """
    if not is_inside(connection):
        await provide_scope(Request(connection.scope))


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="timebank",
        version=__version__,
        openapi_router=Router("/api/v1/schema", route_handlers=[], guards=[known_readers], include_in_schema=False),
        render_plugins=[WithRefusals()],
        security=[{"bearer": []}],
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
    )
