"""Refusals as HTTP responses: problem+json (RFC 9457) for programs, a page or a redirect for browsers."""

from http import HTTPStatus
from traceback import extract_tb
from typing import Any
from urllib.parse import quote

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Template

from timebank.core.database import BadValue
from timebank.core.errors import Forbidden, NotFound, TimebankError, Unauthenticated, Unavailable, Unexpected
from timebank.core.locale import _, translate
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of, page_context

log = structlog.get_logger()

PROBLEM = "application/problem+json"


class BadRequest(TimebankError):
    code = "bad_request"
    status = 400
    sentence = "请求的格式不对：{why}"


class MethodNotAllowed(TimebankError):
    code = "method_not_allowed"
    status = 405
    sentence = "这个地址不支持这种请求。"


class TooLarge(TimebankError):
    code = "too_large"
    status = 413
    sentence = "内容太大了。"


class UnsupportedMediaType(TimebankError):
    code = "unsupported_media_type"
    status = 415
    sentence = "内容的类型不对，请用接口文档中写明的类型。"


_BY_STATUS: dict[int, type[TimebankError]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 405: MethodNotAllowed, 413: TooLarge,
    415: UnsupportedMediaType,
}  # fmt: skip


def refused(request: AnyRequest, error: TimebankError, *, back: str | None = None) -> Response[Any]:
    """The response of a refusal: problem+json for a program, or for a browser a page with a link `back`."""
    log_unavailable(request, error)
    if wants_problem(request):
        return problem_response(request, error)
    if isinstance(error, Unauthenticated) and request.method == "GET":
        onwards = quote(request.scope["path"], safe="/:")
        return _see(f"/sign-in?next={onwards}")
    if isinstance(error, MethodNotAllowed) and request.method == "GET":
        # After a refused form the browser is at the form's address, where GET is not allowed. Its page is one level up.
        above = request.scope["path"].strip("/").rpartition("/")[0]
        return _see("/" + quote(above, safe="/:"))
    context = page_context(request) | {"sentence": sentence_of(error, language_of(request)), "status": error.status}
    return Template(
        "layouts/refusal.html", context=context | {"back": back}, status_code=error.status,
        headers=when_to_come_back(error),
    )  # fmt: skip


def log_unavailable(request: AnyRequest, error: TimebankError) -> None:
    """Log a refusal with a status of 500 or more, and put the request id into its sentence."""
    if error.status >= 500:
        log.error("refused", code=error.code, request_id=_request_id(request))
        error.values.setdefault("request_id", _request_id(request))


def _see(address: str) -> Response[Any]:
    return Response(None, status_code=303, headers={"Location": address})


def sentence_of(error: TimebankError, language: str) -> str:
    """The sentence of a refusal. The reason why the service is unavailable is for the operator: only the log has it."""
    return (Unavailable() if isinstance(error, Unavailable) else error).text(language)


def when_to_come_back(error: TimebankError) -> dict[str, str]:
    """The Retry-After header, in seconds, if the error has one."""
    return {"Retry-After": str(error.retry_after)} if error.retry_after else {}


def problem_response(request: AnyRequest, error: TimebankError, **more: object) -> Response[dict[str, object]]:
    headers = {"Cache-Control": "no-store"} | when_to_come_back(error)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = problem_of(error, _request_id(request), language_of(request))
    return Response(body | more, status_code=error.status, media_type=PROBLEM, headers=headers)


def problem_of(error: TimebankError, request_id: str, language: str) -> dict[str, object]:
    """The problem details of RFC 9457 for a refusal."""
    return {
        "type": f"urn:timebank:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": sentence_of(error, language),
        "request_id": request_id,
    }


def wants_problem(request: AnyRequest) -> bool:
    return request.scope["path"].startswith("/api/") or "application/json" in request.headers.get("Accept", "")


def refused_by_framework(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Convert a refusal of the framework: a body that does not match its schema, an unknown address, a wrong method."""
    if isinstance(error, ValidationException) or error.status_code == 400:
        return _invalid(request, error)
    return refused(request, _BY_STATUS.get(error.status_code, NotFound)())


def _invalid(request: AnyRequest, error: HTTPException) -> Response[Any]:
    named = error.extra if wants_problem(request) and isinstance(error.extra, list) else []
    where = [f"{item.get('key', '')}: {item.get('message', '')}" for item in named if isinstance(item, dict)]
    why = "; ".join(where)[:300] or translate(_("缺少必填内容，或内容不是要求的类型"), language_of(request))
    return refused(request, BadRequest(why=why))


def failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer an unexpected exception with 500, and log its type and code locations.

    Its message and the request's path are not logged: they may quote a name, a phone number or a code.
    """
    log.error("failed", request_id=_request_id(request), error=type(error).__name__, at=_where(error))
    return refused(request, Unexpected(request_id=_request_id(request)))


def out_of_range(request: AnyRequest, error: OverflowError) -> Response[Any]:  # noqa: ARG001  # a handler's shape
    """422 for a date or number that the schemas accept but Python or the database cannot represent."""
    return refused(request, BadValue())


def _where(error: BaseException) -> list[str]:
    """The traceback as `file:line`, innermost last, followed by those of the causes; without messages."""
    frames = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return [*frames, *(["caused by", type(cause).__name__, *_where(cause)] if (cause := error.__cause__) else [])]


def _request_id(request: AnyRequest) -> str:
    return str(request.state.get("request_id", ""))
