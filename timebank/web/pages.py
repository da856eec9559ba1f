"""What every page handler uses: the page with its context, and a form that is carried out once."""

from typing import Any

import msgspec
from litestar import Response
from litestar.response import Redirect, Template

from timebank.agreements.schemas import Waiting
from timebank.core.scope import Role, Scope
from timebank.http.callers import DEVICE_COOKIE, AnyRequest, csrf_token
from timebank.http.preferences import page_context
from timebank.http.refusals import Typed


class MyRecord(msgspec.Struct, frozen=True):
    id: str
    name: str
    community_name: str


class Reader(msgspec.Struct, frozen=True):
    """The signed-in reader of a page, as the layouts show it."""

    name: str
    community_name: str
    roles: frozenset[str]
    persons: list[MyRecord]


def reader_of(caller: Scope) -> Reader:
    here = caller.person or (caller.persons[0] if caller.persons else None)
    return Reader(
        here.name if here else "",
        caller.community_name,
        frozenset(g.role.value for g in caller.here()),
        [MyRecord(str(p.person_id), p.name, p.community_name) for p in caller.persons],
    )


def reading_as(caller: Scope | None) -> dict[str, Any]:
    """Who reads a page, and which duties its buttons are offered for; devices and visitors are nobody."""
    if caller is None or caller.login_id is None or caller.device_id is not None:
        return {"me": None, "administers": False, "reads_all": False, "inspects": False}
    return {
        "me": reader_of(caller),
        "administers": caller.administers,
        "reads_all": caller.reads_all,
        "inspects": caller.has(Role.grid_worker),
    }


def page(request: AnyRequest, caller: Scope | None, template: str, *, status: int = 200, **context: Any) -> Template:
    """A page for this reader in the reader's language and view."""
    known = page_context(request) | reading_as(caller) | _of_device(request, caller) | _not_refused() | context
    return Template(template, context=known, status_code=status)


def _not_refused() -> dict[str, Any]:
    """What the layouts and fields show of a refused form; `shown_again` puts it in its place."""
    return {"refusal": None, "typed": Typed()}


def _of_device(request: AnyRequest, caller: Scope | None) -> dict[str, Any]:
    """The CSRF token of a device's pages, and who is signed on to it.

    Its browser may still hold the cookie of a session that has ended.
    """
    if caller is None or caller.device_id is None:
        return {}
    keeper = caller.person.name if caller.person else None
    return {"csrf": csrf_token(request.cookies.get(DEVICE_COOKIE, "")), "keeper": keeper}


def partial(request: AnyRequest, template: str, caller: Scope | None = None, **context: Any) -> Template:
    """A piece of a page, for a script that puts it in its place."""
    known = page_context(request) | _of_device(request, caller) | _not_refused() | context
    return Template(template, context=known)


def see_other(path: str) -> Redirect:
    """Where the browser goes after a form was carried out, so that a reload repeats nothing."""
    return Redirect(path, status_code=303)


def answered(response: Response[bytes], shape: type[Any]) -> Any:
    """What `once.answer` told, first time or again, as `shape`."""
    return msgspec.json.decode(response.content, type=shape)


def waits_or(made: object, address: str) -> Redirect:
    """Where a form leads: to what it has done, or, where that waits for a second person, to what waits."""
    return see_other(f"/admin/agreements?done={made.waiting}" if isinstance(made, Waiting) else address)
