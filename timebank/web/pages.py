"""Build the responses of page handlers: pages with their context, parts of pages, and redirects after forms."""

from typing import Any

import msgspec
from litestar import Response
from litestar.response import Redirect, Template

from timebank.agreements.schemas import Waiting
from timebank.core.capability import Workplace
from timebank.core.scope import Role, Scope
from timebank.http.callers import DEVICE_COOKIE, AnyRequest, csrf_token
from timebank.http.preferences import page_context
from timebank.http.refusals import Typed
from timebank.web.workplaces import reaches_further, workplaces_of


class RecordOption(msgspec.Struct, frozen=True):
    id: str
    name: str
    community_name: str


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in reader of a page, as the layouts show it. `workplaces`: where they work, if not only as residents;
    `reaches_further`: whether they may choose another community.
    """

    name: str
    community_name: str
    roles: frozenset[str]
    persons: list[RecordOption]
    workplaces: list[Workplace]
    reaches_further: bool


def reader_of(caller: Scope) -> Reader:
    here = caller.person or (caller.persons[0] if caller.persons else None)
    return Reader(
        name=here.name if here else "",
        community_name=caller.community_name,
        roles=frozenset(g.role.value for g in caller.here()),
        persons=[RecordOption(str(p.person_id), p.name, p.community_name) for p in caller.persons],
        workplaces=workplaces_of(caller),
        reaches_further=reaches_further(caller),
    )


def reading_as(caller: Scope | None) -> dict[str, Any]:
    """The template context about the reader and their permissions; for devices and visitors `me` is None."""
    if caller is None or caller.login_id is None or caller.device_id is not None:
        return {"me": None, "administers": False, "reads_all": False, "inspects": False, "uses": _uses_nothing}
    return {
        "me": reader_of(caller),
        "administers": caller.administers,
        "reads_all": caller.reads_all,
        "inspects": caller.has(Role.grid_worker),
        "uses": caller.uses,
    }


def _uses_nothing(_capability: str) -> bool:
    return False


def page(request: AnyRequest, caller: Scope | None, template: str, *, status: int = 200, **context: Any) -> Template:
    """A page in the reader's language and view."""
    known = page_context(request) | reading_as(caller) | _of_device(request, caller) | _not_refused() | context
    return Template(template, context=known, status_code=status)


def _not_refused() -> dict[str, Any]:
    """What the layouts and fields show of a refused form; `shown_again` puts it in its place."""
    return {"refusal": None, "typed": Typed()}


def _of_device(request: AnyRequest, caller: Scope | None) -> dict[str, Any]:
    """For a device, its CSRF token and the name of the keeper who is signed on.

    The token is made from the device's cookie, because its browser may still hold the cookie of an ended session.
    """
    if caller is None or caller.device_id is None:
        return {}
    keeper = caller.person.name if caller.person else None
    return {"csrf": csrf_token(request.cookies.get(DEVICE_COOKIE, "")), "keeper": keeper}


def partial(request: AnyRequest, template: str, caller: Scope | None = None, **context: Any) -> Template:
    """A part of a page that a script inserts."""
    known = page_context(request) | _of_device(request, caller) | _not_refused() | context
    return Template(template, context=known)


def see_other(path: str) -> Redirect:
    """Redirect with 303 after a form, so that a reload does not send it again."""
    return Redirect(path, status_code=303)


def decode_answer(response: Response[bytes], shape: type[Any]) -> Any:
    """Decode the JSON response of `once.answer`, new or stored, as `shape`."""
    return msgspec.json.decode(response.content, type=shape)


def waits_or(made: object, address: str) -> Redirect:
    """Redirect to `address`, or to the list of waiting changes if `made` waits for a second person."""
    return see_other(f"/admin/agreements?done={made.waiting}" if isinstance(made, Waiting) else address)
