"""The public board of matters as JSON, without sign-in."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import QueryParameter

from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.http.callers import AnyRequest, provide_visitor
from timebank.matters.figures.board import BoardFigures, BoardOrder, BoardWish, matter_board

Community = Annotated[UUID | None, QueryParameter(name="community_id")]


class BoardMatters(msgspec.Struct, frozen=True, kw_only=True):
    """What a community has published of its matters, and the wishes that wait for somebody."""

    place: str
    orders: Sequence[BoardOrder]
    wishes: Sequence[BoardWish]


async def _asked(request: AnyRequest, community: UUID | None) -> UUID:
    """The community that is asked for, else the caller's. Raises Invalid for an anonymous caller who names none."""
    if community is not None:
        return community
    caller = await provide_visitor(request)
    if caller is None:
        raise Invalid(why=_("请用 community_id 指明哪个社区的公示栏。"))
    return caller.community_id


@get("/board/matters")
async def read_board_matters(request: AnyRequest, community: Community = None) -> BoardMatters:
    """Published orders and reports and open wishes, without names. Without community_id of the caller's community."""
    found = await matter_board(await _asked(request, community))
    return BoardMatters(place=found.place, orders=found.orders, wishes=found.wishes)


@get("/board/figures")
async def read_board_figures(request: AnyRequest, community: Community = None) -> BoardFigures:
    """The three figures of the matters received this month, with their targets, and what residents said of them."""
    return (await matter_board(await _asked(request, community))).figures
