"""The pages of the public board: everybody may read it, and a signed-in resident may object."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.agreements.independence import is_caller
from timebank.areas.reach import within_reach
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.board import board_places, board_row, board_rows
from timebank.http.callers import AnyRequest, provide_visitor
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.objections.objecting import object_to
from timebank.objections.objectors import may_object_for, resident_of
from timebank.objections.schemas import ObjectionIn
from timebank.photos.seeing import photos_attached
from timebank.policies.values import policies
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

REASON = {"reason": _("为什么")}


class BoardPages(Controller):
    path = "/board"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get()
    async def boards(self, request: AnyRequest, visitor: NamedDependency[Scope | None]) -> Template | Redirect:
        """Redirect to the board of the reader's community; otherwise offer the communities to choose from."""
        places = await board_places()
        if visitor is not None or len(places) == 1:
            return see_other(f"/board/{visitor.community_id if visitor else places[0].id}")
        return page(request, None, "board/places.html", places=places)

    @get("/{community_id:uuid}")
    async def board(
        self, request: AnyRequest, community_id: FromPath[UUID], visitor: NamedDependency[Scope | None],
        cursor: Cursor = None, done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """The items that are published now."""
        place, found = await board_rows(community_id, limit=40, cursor=cursor)
        lives_here = visitor is not None and any(p.community_id == community_id for p in visitor.persons)
        items = [
            (row.public(), visitor is not None and lives_here and not is_caller(visitor, row.person_id))
            for row in found.items
        ]
        return page(
            request, visitor, "board/board.html", place=place.name, community_id=community_id, items=items,
            next=found.next, first=cursor is None, done=done, lives_here=lives_here,
            matters=(await policies(Scope(community_id=community_id, via="board"))).uses_matters,
        )  # fmt: skip

    @get("/{community_id:uuid}/{kind:str}/{item_id:uuid}")
    async def objection_form(
        self, request: AnyRequest, community_id: FromPath[UUID], kind: FromPath[str], item_id: FromPath[UUID],
        caller: NamedDependency[Scope],
    ) -> Template:  # fmt: skip
        """One published item and the form for an objection."""
        return await _item_page(request, community_id, kind, item_id, caller)

    @post("/{community_id:uuid}/{kind:str}/{item_id:uuid}")
    @shown_again(
        lambda request, community_id, kind, item_id, caller: _item_page(request, community_id, kind, item_id, caller)
    )
    async def object_to(
        self, community_id: FromPath[UUID], kind: FromPath[str], item_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]], caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        """File an objection; each resident may object to an item once."""
        scope = await within_reach(caller, community_id)
        resident = (await resident_of(scope, data["resident"])).id if data.get("resident", "").strip() else None
        told = parse_form(ObjectionIn, {"reason": data.get("reason", "")}, REASON)
        await object_to(scope, kind, item_id, told.reason, resident)
        return see_other(f"/board/{community_id}?done=objected")


async def _item_page(request: AnyRequest, community_id: UUID, kind: str, item_id: UUID, caller: Scope) -> Template:
    scope = await within_reach(caller, community_id)
    place, row = await board_row(scope.community_id, kind, item_id)
    photos = await photos_attached(scope, kind, item_id, published=True)
    return page(
        request, scope, "board/objection.html", place=place.name,
        community_id=scope.community_id, item=row.public(), for_residents=may_object_for(scope),
        photos=photos,
    )  # fmt: skip
