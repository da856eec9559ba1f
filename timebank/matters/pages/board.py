"""The public board of matters: are we on time, what was done, and which wishes wait for somebody."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template

from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest, provide_visitor
from timebank.matters.figures.board import matter_board
from timebank.web.pages import page


class BoardMatterPages(Controller):
    path = "/board"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get("/{community_id:uuid}/matters")
    async def board(
        self, request: AnyRequest, community_id: FromPath[UUID], visitor: NamedDependency[Scope | None]
    ) -> Template:
        """Readable without signing in; pictures are for those who live there."""
        found = await matter_board(community_id)
        lives_here = visitor is not None and any(one.community_id == community_id for one in visitor.persons)
        return page(
            request, visitor, "board/matters.html", place=found.place, community_id=community_id, board=found,
            lives_here=lives_here,
        )  # fmt: skip
