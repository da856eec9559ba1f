"""Refused forms shown again in place: the page that the form stands on, the reason above it, and what was typed.

`shown_again` wraps every page handler that takes a form. Any TimebankError of the handler, and a number or day
that no calendar holds, is answered by the page that the handler names, with the error's own status and Retry-After.
Four things go on to the exception handlers of `create_app` instead:

* Unauthenticated, SignOnNeeded and CsrfMissing, since the page belongs to somebody else or is too old: these lead to
  signing in, to signing on, or say that the page must be opened again;
* what dependencies and the framework refuse before the handler runs;
* any refusal of a program that asks for JSON, which gets problem+json;
* any exception that is no TimebankError: a fault of ours stays a fault.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, isawaitable, signature
from typing import Any, TypeVar
from urllib.parse import urlsplit

from litestar import Response
from litestar.response import Template

from timebank.access.devices.sign_on import SignOnNeeded
from timebank.core.database import BadValue
from timebank.core.errors import TimebankError, Unauthenticated
from timebank.http.callers import AnyRequest, CsrfMissing
from timebank.http.idempotency import KeyReused
from timebank.http.preferences import language_of
from timebank.http.problems import log_unavailable, refused, sentence_of, wants_problem, when_to_come_back

R = TypeVar("R")
Show = Callable[..., Template | Awaitable[Template]]
NOT_IN_PLACE = (Unauthenticated, SignOnNeeded, CsrfMissing)
# Proofs of who somebody is, and what is scanned from a card or a phone, are not written into a page.
NOT_SHOWN = frozenset({"password", "again", "current", "otp", "code"})


class Typed:
    """What a refused form had sent, for the fields of the form with the same address.

    The macros of parts/fields.html say where a form begins and ends: two forms of one page may have a field in common.
    """

    def __init__(self, address: str = "", fields: Mapping[str, str] | None = None, *, keeps_key: bool = False) -> None:
        self._address = address
        self._fields = fields or {}
        self._keeps_key = keeps_key
        self._is_inside = False

    def begin(self, address: str, fields: Mapping[str, object] | None = None) -> str:
        """A form with this address and these hidden fields begins."""
        self._is_inside = bool(self._address) and urlsplit(address).path == self._address
        for name, value in (fields or {}).items():
            self.tell_apart(name, value)
        return ""

    def tell_apart(self, name: str, value: object) -> str:
        """A hidden field: if another value was sent, it is another form of this address, such as approve and reject."""
        if not name.startswith("_") and name != "nonce" and self._fields.get(name, str(value)) != str(value):
            self._is_inside = False
        return ""

    def end(self) -> str:
        """The form has ended."""
        self._is_inside = False
        return ""

    def value(self, name: str, otherwise: object = "") -> object:
        """What was typed into a field of this form, else what the page shows there."""
        return self._fields.get(name, otherwise) if self._is_inside and name not in NOT_SHOWN else otherwise

    def hidden(self, name: str, value: object) -> object:
        """The value of a hidden field: the idempotency key that was sent, if it may still count, else `value`."""
        return self._fields.get(name, value) if self._is_inside and self._keeps_key and name == "_key" else value

    def is_checked(self, name: str, value: str, otherwise: object) -> object:
        """Whether a box of this form was ticked; a browser does not send one that was not."""
        return self._fields.get(name) == value if self._is_inside else otherwise


def shown_again(*shows: Show) -> Callable[[Callable[..., Awaitable[R]]], Callable[..., Awaitable[R | Response[Any]]]]:
    """Decorator: answer a refusal of the handler with the page of the first of `shows` that does not refuse as well.

    A show is called with those arguments of the handler that it names, and with `request` and `refusal` if it names
    them; it returns the page. If every show refuses, because the record is gone or the caller may not see it, the
    refusal gets a page of its own with a link back to the form. If the last show raised a 404, the answer is that 404,
    as for opening the page, unless the handler's own refusal is a 403 or 404.
    """

    def around(handler: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R | Response[Any]]]:
        asked = signature(handler)
        takes_request = "request" in asked.parameters
        for show in shows:
            unknown = signature(show).parameters.keys() - asked.parameters.keys() - {"request", "refusal"}
            if unknown:
                raise TypeError(f"{handler.__qualname__} has no argument {', '.join(sorted(unknown))} to show again")

        @wraps(handler)
        async def answer(self: object, **given: Any) -> R | Response[Any]:
            request: AnyRequest = given["request"] if takes_request else given.pop("request")
            try:
                return await handler(self, **given)
            except NOT_IN_PLACE:
                raise
            except (TimebankError, OverflowError) as error:
                refusal = error if isinstance(error, TimebankError) else BadValue()
                return await _in_place(shows, given | {"request": request, "refusal": refusal})

        answer.__shows_again__ = True  # type: ignore[attr-defined]  # a test looks for it on every handler
        return answer if takes_request else _with_request(answer, asked)

    return around


def _with_request(answer: Callable[..., Awaitable[R]], asked: Signature) -> Callable[..., Awaitable[R]]:
    """Let the framework hand over the request too, where the handler itself has no use for it."""
    request = Parameter("request", Parameter.KEYWORD_ONLY, annotation=AnyRequest)
    answer.__signature__ = asked.replace(parameters=[*asked.parameters.values(), request])  # type: ignore[attr-defined]
    answer.__annotations__ = {**answer.__annotations__, "request": AnyRequest}
    return answer


async def _in_place(shows: tuple[Show, ...], given: Mapping[str, Any]) -> Response[Any]:
    request: AnyRequest = given["request"]
    refusal: TimebankError = given["refusal"]
    unseen: TimebankError | None = None
    for show in shows:
        try:
            made = show(**{name: given[name] for name in signature(show).parameters})
            page = await made if isawaitable(made) else made
        except NOT_IN_PLACE:
            raise
        except TimebankError as error:
            unseen = error
            continue
        if wants_problem(request):
            raise refusal
        log_unavailable(request, refusal)
        page.context["refusal"] = sentence_of(refusal, language_of(request))
        page.context["typed"] = await _typed(request, refusal)
        page.status_code = refusal.status
        page.headers |= when_to_come_back(refusal)
        return page
    if unseen is not None and unseen.status == 404 and refusal.status not in (403, 404):
        refusal = unseen
    return refused(request, refusal, back=_form_address(request))


async def _typed(request: AnyRequest, refusal: TimebankError) -> Typed:
    """What was typed, with its key unless this key cannot be used again.

    The change may have been made although its answer got lost, or may be going on: with the same key it is made once.
    """
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    return Typed(request.scope["path"], fields, keeps_key=not isinstance(refusal, KeyReused))


def _form_address(request: AnyRequest) -> str:
    """The address of the page that the form was on, from the Referer header if it is ours.

    Otherwise the address that the form was sent to: opened in a browser, it shows its page or redirects one level up.
    """
    own = str(request.scope["path"])
    try:
        came = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return own
    is_ours = (
        came.netloc == request.headers.get("Host")
        and came.path.startswith("/")
        and not came.path.startswith(("//", "/\\"))
    )
    if not is_ours or came.path == own:
        return own
    return f"{came.path}?{came.query}" if came.query else came.path
