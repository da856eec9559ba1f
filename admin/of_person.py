"""A list of the panel narrowed to one person, who is found by name or number and stands in the address as an id."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from litestar.response import Redirect

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.people.directory import list_people, names_of
from timebank.people.schemas import PersonLine
from timebank.web.lists import Bar, typed_words, without_words
from timebank.web.pages import see_other

MOST = 20
SOUGHT_BY = _("姓名、拼音、手机号或身份证号")

Several = Sequence[tuple[PersonLine, str]]
"""People of one name, each with the address of the list of their things; "" where the list's form chooses one."""


async def people_named(caller: Scope, words: str) -> Sequence[PersonLine]:
    """The people whom these words find."""
    return (await list_people(caller, q=words, limit=MOST)).items


async def one_or_several(
    caller: Scope, data: Mapping[str, str], path: str, filters: Sequence[str]
) -> Redirect | Several:
    """To the list of the one whom the words of a search form find, else all whom they find, to choose from.

    Without words, to the list as it is filtered. `filters` are the fields that stand in its address, `person_id` too.
    """
    words = typed_words(data)
    if not words:
        return see_other(without_words(path, data, filters))
    people = await people_named(caller, words)
    found = [(each, without_words(path, {**data, "person_id": str(each.id)}, filters)) for each in people]
    return see_other(found[0][1]) if len(found) == 1 else found


class OfPerson(msgspec.Struct, frozen=True):
    """The person whose things a list shows: the name in words, and the address of the list of everybody's."""

    name: str
    everybody: str


async def narrowed_to(caller: Scope, person_id: UUID | None, bar: Bar) -> OfPerson | None:
    """The person whom the list of this bar is narrowed to; None for the list of everybody."""
    if person_id is None:
        return None
    name = (await names_of(caller, [person_id])).get(person_id, _("不在本社区"))
    return OfPerson(name, bar.without("person_id"))
