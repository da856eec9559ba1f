"""Lists of a page that are searched by words: the words stand in the form that was sent, never in an address.

What a person is found by is personal, and an address is kept by browsers, proxies and their logs. A search is therefore
a POST that is answered with the page; its further pages are buttons of the same form. Without words the list has its
own address, which holds kinds and ids alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from timebank.core import names
from timebank.core.locale import _
from timebank.core.paging import NEWEST, OLDEST, Count, Order, Page

T = TypeVar("T")

Option = tuple[object, str]


class Choice(msgspec.Struct, frozen=True):
    """A filter with a few values, each with its words."""

    label: str
    name: str
    options: Sequence[Option]
    value: str = ""
    blank: str = _("全部")
    """The word for no choice."""


class Bar(msgspec.Struct, kw_only=True, frozen=True):
    """What a list is asked for: the words typed, the values chosen, and the place in it."""

    path: str
    q: str | None = None
    placeholder: str = ""
    choices: Sequence[Choice] = ()
    kept: Mapping[str, str] = {}
    cursor: str | None = None

    @property
    def is_asked(self) -> bool:
        """Whether anything but the whole list is asked for."""
        return bool(self.q or any(choice.value for choice in self.choices))

    @property
    def chosen(self) -> dict[str, str]:
        """The values chosen, by the name of their field."""
        given = {**self.kept, **{choice.name: choice.value for choice in self.choices}}
        return {name: value for name, value in given.items() if value}

    def without(self, name: str) -> str:
        """The address of the list without this one value."""
        query = urlencode({given: value for given, value in self.chosen.items() if given != name})
        return f"{self.path}?{query}" if query else self.path

    def address(self, cursor: str | None = None) -> str:
        """The address of the list with these values; the words typed are not in it."""
        query = urlencode(self.chosen | ({"cursor": cursor} if cursor else {}))
        return f"{self.path}?{query}" if query else self.path


async def length_of(found: Page[T], cursor: str | None, count: Callable[[], Awaitable[Count]]) -> Count | None:
    """How many items a list has, said under its first page; counted only where these are not all."""
    if cursor:
        return None
    return await count() if found.next else Count(len(found.items))


def order_choice(value: str) -> Choice:
    """The choice of the order of a list that is newest first by itself."""
    return Choice(_("顺序"), "order", [("oldest", _("最早的在前"))], value, _("最近的在前"))


def order_asked(value: str) -> Order:
    """The order that a field asks for."""
    return OLDEST if value == "oldest" else NEWEST


WORDS_MAX = 60


def typed_words(fields: Mapping[str, str]) -> str:
    """The words typed into the search field of a form."""
    return names.clean(fields.get("q", "")[:WORDS_MAX])


def without_words(path: str, fields: Mapping[str, str], names: Sequence[str]) -> str:
    """The address that shows a list with the values of these fields, which are kinds and ids."""
    query = urlencode({name: fields[name][:200] for name in names if fields.get(name)})
    return f"{path}?{query}" if query else path
