"""Keyset pagination: a page begins after the last row of the previous one, so added rows do not shift it."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from timebank.core.errors import TimebankError

T = TypeVar("T")
LIMIT_MAX = 200
COUNT_MAX = 300
"""A list is counted no further: a page must not read a history to say how long it is."""


class BadCursor(TimebankError):
    code = "bad_cursor"
    status = 400
    sentence = "翻页的位置不对，请从第一页重新看起。"


class Page(msgspec.Struct, Generic[T]):
    """One page of a list. `next` is the cursor of the next page, null on the last page."""

    items: Sequence[T]
    next: str | None = None


class Order(msgspec.Struct, frozen=True):
    """The direction in which a list goes along its index, and the comparison with which its next page goes on."""

    direction: str
    comparison: str


NEWEST, OLDEST = Order("DESC", "<"), Order("ASC", ">")


class Count(msgspec.Struct, frozen=True):
    """How many rows a list has; `more` where they were not counted further. As text: 12, or 1,300+."""

    rows: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.rows:,}+" if self.more else f"{self.rows:,}"


def cursor_of(*values: object) -> str:
    """A cursor that holds the sort values of a page's last row."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read_cursor(cursor: str | None, shape: type[T]) -> T | None:
    """The sort values in a cursor as `shape`, such as tuple[datetime, UUID]; None without one. Raises BadCursor."""
    if not cursor:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=shape)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise BadCursor from error


def make_page(found: Sequence[T], limit: int, key: Callable[[T], tuple[object, ...]]) -> Page[T]:
    """A page of `limit` items from up to `limit` + 1 rows; the extra row only shows that there is a next page."""
    items = found[:limit]
    return Page(items, cursor_of(*key(items[-1])) if len(found) > limit and items else None)


async def all_pages(read: Callable[..., Awaitable[Page[T]]]) -> list[T]:
    """Every item of a list, read page by page; for a choice or a page that must be complete."""
    part = await read(limit=LIMIT_MAX)
    found = list(part.items)
    while part.next is not None:
        part = await read(limit=LIMIT_MAX, cursor=part.next)
        found += part.items
    return found
