"""Lists over HTTP: keyset pages with their query parameters, and the look-up of one item by its counter code."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.params import QueryParameter

from timebank.core.paging import LIMIT_MAX, Page, T

Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=500)]
CounterCode = Annotated[str | None, QueryParameter(pattern=r"^[0-9]{8}$")]


def listed(request: Request[Any, Any, Any], found: Page[T]) -> Response[Page[T]]:
    """The response for a page. Its `Link` header holds the address of the next page with the same filters."""
    if found.next is None:
        return Response(found)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    following = urlencode([*kept, ("cursor", found.next)])
    return Response(found, headers={"Link": f'<{request.scope["path"]}?{following}>; rel="next"'})


def listed_one(request: Request[Any, Any, Any], found: T | None) -> Response[Page[T]]:
    """The response for a look-up that finds at most one: a page with it, or an empty one."""
    return listed(request, Page([found] if found else []))
