"""The reader's preferences: view, language, the own record in use, and the name on the public board."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Template

from timebank.access.pages.sign_in import same_site
from timebank.areas.reach import communities_in_reach
from timebank.core import settings
from timebank.core.locale import LANGUAGES
from timebank.core.scope import Scope
from timebank.http.callers import COMMUNITY_COOKIE, PERSON_COOKIE, AnyRequest, provide_visitor
from timebank.http.preferences import LANGUAGE_COOKIE, VIEW_COOKIE
from timebank.http.refusals import shown_again
from timebank.people.directory import open_person
from timebank.people.records import correct
from timebank.people.schemas import Correction
from timebank.web.forms import local_path
from timebank.web.pages import page, see_other

YEAR = 365 * 24 * 3600


class PreferencePages(Controller):
    path = "/preferences"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get()
    async def show(
        self, request: AnyRequest, visitor: NamedDependency[Scope | None], done: FromQuery[str | None] = None
    ) -> Template:
        return await _page(request, visitor, done)

    @post()
    @shown_again(lambda request, visitor: _page(request, visitor))
    async def choose(
        self, request: AnyRequest, visitor: NamedDependency[Scope | None], data: URLEncodedBody[dict[str, str]]
    ) -> Response[Any]:
        """Store a view, a language, an own record or a community of the caller in cookies, and go back to the page."""
        same_site(request)
        answer = see_other(local_path(data.get("next")))
        for name, value in (_chosen(visitor, data) | await _chosen_community(visitor, data)).items():
            answer.set_cookie(
                Cookie(
                    key=name, value=value, path="/", max_age=YEAR, httponly=True, samesite="lax",
                    secure=settings.current().secure,
                )
            )  # fmt: skip
        return answer

    @post("/publication")
    @shown_again(lambda request, caller: _page(request, caller))
    async def publish(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Response[Any]:
        """Set whether the reader's full name is published on the public board."""
        await correct(caller, caller.require_self(), Correction(publishes_name=data.get("publishes_name") == "1"))
        return see_other("/preferences?done=publication")


async def _page(request: AnyRequest, visitor: Scope | None, done: str | None = None) -> Template:
    own = await open_person(visitor, visitor.person_id) if visitor and visitor.person_id else None
    return page(request, visitor, "member/preferences.html", own=own, done=done)


def _chosen(visitor: Scope | None, data: dict[str, str]) -> dict[str, str]:
    """The cookies to set, by name; values that were not offered are ignored."""
    chosen: dict[str, str] = {}
    if data.get("view") in ("plain", "elder"):
        chosen[VIEW_COOKIE] = data["view"]
    if data.get("lang") in LANGUAGES:
        chosen[LANGUAGE_COOKIE] = data["lang"]
    for mine in visitor.persons if visitor else ():
        if data.get("person") == str(mine.person_id):
            chosen |= {PERSON_COOKIE: str(mine.person_id), COMMUNITY_COOKIE: str(mine.community_id)}
    return chosen


async def _chosen_community(visitor: Scope | None, data: dict[str, str]) -> dict[str, str]:
    """The cookie of the community to work in; none for a community that the caller does not reach."""
    asked = data.get("community")
    if visitor is None or not asked or asked not in {str(each) for each in await communities_in_reach(visitor)}:
        return {}
    return {COMMUNITY_COOKIE: asked}
