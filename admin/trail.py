"""The panel's page of the audit trail, newest first; who acted, or whom it is about, is found by name."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from admin.of_person import Several, people_named
from timebank.core.capability import capabilities
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.people.directory import names_of
from timebank.trail.reading import trail, trail_by_reason
from timebank.trail.words import nouns, verbs
from timebank.web.lists import typed_words
from timebank.web.pages import page, see_other

PATH = "/admin/audit"
PARTS = {"about": "about_id", "by": "person_id"}
"""What a person who is looked for has to do with an act, and the part of the address that says so."""
Day = Annotated[str, QueryParameter(max_length=10)]


class PanelTrailPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def lines(
        self, request: AnyRequest, caller: NamedDependency[Scope], verb: FromQuery[str] = "", since: Day = "",
        until: Day = "", person_id: FromQuery[UUID | None] = None, about_id: FromQuery[UUID | None] = None,
        noun_id: FromQuery[UUID | None] = None, cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The audit records of the community, optionally by one person, about one person or of one thing."""
        ids = {"person_id": person_id, "about_id": about_id, "noun_id": noun_id}
        asked = {"verb": verb, "since": since, "until": until} | {name: str(id_ or "") for name, id_ in ids.items()}
        return await _trail_page(request, caller, asked, cursor)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _trail_page(request, caller, {}, None))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """The acts by or about the person of this name or number; several of one name are shown to choose from.

        With words of a reason, the acts whose reason has them: the words stand in no address, as they may name people,
        so whoever is chosen of several is a field of the same form.
        """
        caller.require_reader()
        asked, words, reason = _known(data), typed_words(data), typed_words({"q": data.get("reason", "")})
        part = PARTS.get(data.get("part", ""), "about_id")
        picked, people = data.get("chosen", ""), await people_named(caller, words) if words else []
        if _is_id(picked) or len(people) == 1:
            asked |= {part: picked if _is_id(picked) else str(people[0].id)}
        elif words:
            found = [(person, "" if reason else _address(asked | {part: str(person.id)})) for person in people]
            return await _trail_page(request, caller, asked, None, found, part, reason)
        if reason:
            return await _trail_page(request, caller, asked, data.get("cursor") or None, part=part, reason=reason)
        return see_other(_address(asked))


async def _trail_page(
    request: AnyRequest, caller: Scope, given: Mapping[str, str], cursor: str | None,
    people: Several | None = None, part: str = "about_id", reason: str = "",
) -> Template:  # fmt: skip
    asked = _known(given)
    ids: dict[str, UUID] = {name: UUID(asked[name]) for name in ("person_id", "about_id", "noun_id") if name in asked}
    read = partial(trail_by_reason, caller, reason) if reason else partial(trail, caller)
    found = await read(
        person_id=ids.get("person_id"), about_id=ids.get("about_id"), noun_id=ids.get("noun_id"),
        verb=asked.get("verb"), since=_day(asked.get("since")), until=_day(asked.get("until")),
        language=language_of(request), cursor=cursor,
    )  # fmt: skip
    names = await names_of(caller, [ids[name] for name in PARTS.values() if name in ids]) if ids else {}
    whole = {name: value for name, value in asked.items() if name != "noun_id"}
    narrowed = [
        (word, names.get(ids[name], _("不在本社区")), _address({k: v for k, v in asked.items() if k != name}))
        for word, name in ((_("谁做的"), "person_id"), (_("关于谁"), "about_id"))
        if name in ids
    ]
    return page(
        request, caller, "trail/list.html", found=found, asked=asked, verbs=verbs(), nouns=nouns(), people=people,
        part=part, reason=reason, later=cursor is not None, narrowed=narrowed,
        kept={name: asked[name] for name in ids}, of_thing="noun_id" in ids,
        whole=_address(whole), next=_address(asked | {"cursor": found.next}) if found.next else None,
        first=_address(asked) if cursor else None, first_of=lambda name, id_: _address({name: str(id_)}),
        pages={noun: address for one in capabilities() for noun, address in one.panel.items()},
    )  # fmt: skip


def _known(given: Mapping[str, str]) -> dict[str, str]:
    """What is asked for, without what is empty, unknown or no day or id."""
    asked = {name: given.get(name, "") for name in ("verb", "since", "until", "person_id", "about_id", "noun_id")}
    fits = {"verb": asked["verb"] in verbs(), "since": _day(asked["since"]), "until": _day(asked["until"])}
    return {name: value for name, value in asked.items() if value and fits.get(name, _is_id(value))}


def _address(asked: Mapping[str, str]) -> str:
    return f"{PATH}?{urlencode(asked)}" if asked else PATH


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
