"""What everybody may read of a community's matters: this month's three figures, published orders, and open wishes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.areas.addresses import grid_in_words
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.matters.figures.reading import SETTLED_AFTER
from timebank.matters.figures.schemas import FigureShown
from timebank.policies.values import policies

SHOWN_MAX = 20


class BoardFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of the matters received this month; the three are of those whose third day is over."""

    received: int
    answered: int
    solved: int
    done0: FigureShown
    done1: FigureShown
    done2: FigureShown


class BoardOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and may be read by everybody, without names; `photo_ids` are its published pictures."""

    id: UUID
    category: str
    grid: str
    public_text: str
    published_at: datetime
    done: bool
    photo_ids: list[UUID]


class BoardWish(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that waits for somebody."""

    id: UUID
    grid: str
    public_text: str
    value_max: int


class MatterBoard(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a public board that is about matters."""

    place: str
    figures: BoardFigures
    orders: Sequence[BoardOrder]
    wishes: Sequence[BoardWish]


class _Sums(msgspec.Struct, frozen=True, kw_only=True):
    received: int
    mature: int
    done0: int
    done1: int
    done2: int
    answered: int
    solved: int


_SUMS = (
    "SELECT coalesce(sum(t.received), 0)::integer AS received, "
    "coalesce(sum(t.counted) FILTER (WHERE t.day <= $4), 0)::integer AS mature, "
    "coalesce(sum(t.done0) FILTER (WHERE t.day <= $4), 0)::integer AS done0, "
    "coalesce(sum(t.done1) FILTER (WHERE t.day <= $4), 0)::integer AS done1, "
    "coalesce(sum(t.done2) FILTER (WHERE t.day <= $4), 0)::integer AS done2, "
    "coalesce(sum(t.answered), 0)::integer AS answered, coalesce(sum(t.solved), 0)::integer AS solved "
    "FROM matter_tally t WHERE t.community_id = $1 AND t.subject_kind = 'all' AND t.day BETWEEN $2 AND $3"
)
_GRID = f"coalesce({grid_in_words('a')}, '') AS grid"
_PUBLISHED = (
    "FROM matter m JOIN area a ON a.community_id = m.community_id AND a.id = m.area_id "
    "JOIN matter_category c ON c.community_id = m.community_id AND c.code = m.category_code AND c.public "
    "AND NOT c.staff_only WHERE m.community_id = $1 AND m.published_at IS NOT NULL"
)


async def matter_board(community_id: UUID) -> MatterBoard:
    """What a community publishes of its matters. Raises NotFound where it has not switched them on."""
    board = Scope(community_id=community_id, via="board")
    async with transaction(board):
        rules = await policies(board)
        place = await database.fetch_value("SELECT name FROM region WHERE id = $1 AND kind = 'community'", community_id)
        if place is None or not rules.uses_matters:
            raise NotFound
        today = clock.local_day()
        sums = await database.row(_Sums, _SUMS, community_id, today.replace(day=1), today, today - SETTLED_AFTER)
        orders = await database.rows(
            BoardOrder,
            f"SELECT m.id, c.name AS category, {_GRID}, m.public_text, m.published_at, "  # noqa: S608  # no input
            "m.status IN ('done', 'closed') AS done, ARRAY(SELECT p.photo_id FROM attachment p "
            "WHERE p.community_id = m.community_id AND p.noun = 'matter' AND p.noun_id = m.id "
            f"AND p.published_at IS NOT NULL ORDER BY p.added_at, p.id) AS photo_ids {_PUBLISHED} "
            "AND m.kind <> 'wish' AND m.status NOT IN ('refused', 'withdrawn', 'merged') "
            f"ORDER BY m.published_at DESC, m.id LIMIT {SHOWN_MAX}",
            community_id,
        )
        wishes = await database.rows(
            BoardWish,
            f"SELECT m.id, {_GRID}, m.public_text, m.value_max {_PUBLISHED} AND m.kind = 'wish' "
            f"AND m.status = 'dispatched' AND m.open_to = 'all' ORDER BY m.due_at, m.id LIMIT {SHOWN_MAX}",
            community_id,
        )
    assert sums is not None
    three = [
        FigureShown.of_row(done, sums.mature, target)
        for done, target in (
            (sums.done0, rules.figure_same_day), (sums.done1, rules.figure_two_days),
            (sums.done2, rules.figure_three_days),
        )
    ]  # fmt: skip
    figures = BoardFigures(
        received=sums.received, answered=sums.answered, solved=sums.solved, done0=three[0], done1=three[1],
        done2=three[2],
    )  # fmt: skip
    return MatterBoard(place=place, figures=figures, orders=orders, wishes=wishes)
