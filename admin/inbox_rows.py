"""The filter of the inbox in an address, and the rows before and after one of its rows."""

from collections.abc import Mapping
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.inbox import kinds
from timebank.inbox.kinds import Asked

PAGE = 50
FIELDS = ("activity", "station", "rule", "batch", "since", "until", "flag")
ANY_DOUBT = "any"
T = TypeVar("T")


class Beside(msgspec.Struct, frozen=True):
    """The addresses of the list and of the rows before and after in it; `query` keeps the filter on the row's page."""

    list: str
    query: str
    previous: str | None = None
    next: str | None = None


def asked_in(given: Mapping[str, str]) -> Asked:
    """The filter in a query or form; what cannot be read is not asked for."""
    flag = given.get("flag", "")
    batch = as_value(UUID, given.get("batch"))
    return Asked(
        activity_id=as_value(UUID, given.get("activity")), station_id=as_value(UUID, given.get("station")),
        rule=given.get("rule") or None, batch_id=batch,
        since=as_value(date, given.get("since")), until=as_value(date, given.get("until")),
        flag=flag if flag and flag != ANY_DOUBT else None, doubtful=flag == ANY_DOUBT, single=batch is None,
    )  # fmt: skip


def as_value(shape: type[T], text: str | None) -> T | None:
    """The text as a value of this type; None without a text, and where it cannot be read as one."""
    try:
        return msgspec.convert(text, shape, strict=False) if text else None
    except msgspec.ValidationError:
        return None


def list_address(noun: str, given: Mapping[str, str], **more: str) -> str:
    """The address of the list with the filter that was given."""
    kept = {name: given[name] for name in FIELDS if given.get(name)}
    return "/admin/inbox?" + urlencode({"kind": noun} | kept | more)


def query_of(given: Mapping[str, str], cursor: str | None) -> str:
    """What the address of a row's page carries, so that the row is found again in the list that led to it."""
    kept = {name: given[name] for name in FIELDS if given.get(name)}
    return "?" + urlencode({"inbox": "1"} | kept | ({"cursor": cursor} if cursor else {}))


async def beside(request: AnyRequest, caller: Scope, noun: str, item_id: UUID) -> Beside | None:
    """The rows before and after in the list from which this row was opened; None if it was not opened from the inbox.

    They are looked for in the page of the list that the address names; its last row goes on to the next page.
    """
    given = dict(request.query_params)
    if not given.get("inbox"):
        return None
    kind, cursor = kinds.kind_of(noun), given.get("cursor")
    asked = asked_in(given) if kind.filters else Asked()
    found = await kinds.listing(caller, kind, asked, PAGE, cursor, language_of(request))
    ids, query = [item.id for item in found.items], query_of(given, cursor)
    back = Beside(list_address(noun, given, **({"cursor": cursor} if cursor else {})), query)
    if item_id not in ids:
        return back
    at = ids.index(item_id)
    following = kinds.address_of(kind, ids[at + 1]) + query if at + 1 < len(ids) else None
    if following is None and found.next:
        rest = await kinds.listing(caller, kind, asked, 1, found.next, language_of(request))
        if rest.items:
            following = kinds.address_of(kind, rest.items[0].id) + query_of(given, found.next)
    previous = kinds.address_of(kind, ids[at - 1]) + query if at else None
    return msgspec.structs.replace(back, previous=previous, next=following)


async def after_deciding(request: AnyRequest, caller: Scope, noun: str, item_id: UUID, otherwise: str) -> str:
    """Where a decision on a row's page leads: to the row after it, else to the list; `otherwise` without the inbox.

    It is read before the decision, which takes the row out of the list.
    """
    found = await beside(request, caller, noun, item_id)
    if found is None:
        return otherwise
    return f"{found.next}&done=1" if found.next else found.list
