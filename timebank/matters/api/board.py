"""The public board of matters as JSON, without sign-in."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import QueryParameter

from timebank.deeds.board import only_board
from timebank.http.callers import AnyRequest, provide_visitor
from timebank.matters.figures.board import BoardFigures, BoardOrder, BoardWish, MatterBoard, matter_board

Community = Annotated[UUID | None, QueryParameter(name="community_id")]


class BoardMatters(msgspec.Struct, frozen=True, kw_only=True):
    """What a community has published of its matters, and the wishes that wait for somebody."""

    place: str
    orders: Sequence[BoardOrder]
    wishes: Sequence[BoardWish]


async def _board(request: AnyRequest, community: UUID | None) -> MatterBoard:
    if community is None:
        caller = await provide_visitor(request)
        community = caller.community_id if caller else await only_board()
    return await matter_board(community)


@get("/board/matters")
async def read_board_matters(request: AnyRequest, community: Community = None) -> BoardMatters:
    """Published orders and reports and open wishes, without names. Without community_id of the caller's community."""
    found = await _board(request, community)
    return BoardMatters(place=found.place, orders=found.orders, wishes=found.wishes)


@get("/board/figures")
async def read_board_figures(request: AnyRequest, community: Community = None) -> BoardFigures:
    """The three figures of the matters received this month, with their targets, and what residents said of them."""
    return (await _board(request, community)).figures
