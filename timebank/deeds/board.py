"""The public board: deeds and honour records in their public notice period. Names are masked without consent."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.areas.addresses import area_in_words
from timebank.core import database
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import Invalid, NotFound
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.deeds.schemas import BoardItem, BoardRow

# Sorted by the end of the public notice period: what can be objected to for the shortest time comes first.
_ON_NOTICE = f"""
SELECT 'deed' AS kind, d.id, d.person_id, p.name, p.publishes_name, r.name AS what,
       {area_in_words("a")} AS where,
       d.occurred_on, NULL::timestamptz AS started_at, d.points, NULL::integer AS minutes, d.notice_until,
       (SELECT count(*) FROM objection o WHERE o.community_id = d.community_id AND o.subject_kind = 'deed'
        AND o.subject_id = d.id AND o.upheld IS NULL) AS open_objections
FROM deed d
JOIN person p ON p.community_id = d.community_id AND p.id = d.person_id
JOIN area a ON a.community_id = d.community_id AND a.id = d.area_id
JOIN rule r ON r.community_id = d.community_id AND r.code = d.rule_code AND r.version = d.rule_version
WHERE d.community_id = $1 AND d.status IN ('noticed', 'objected')
UNION ALL
SELECT 'service_record', s.id, s.person_id, p.name, p.publishes_name, coalesce(v.name, '志愿服务'),
       coalesce(t.name, ''), NULL, s.started_at, NULL, s.minutes, s.notice_until,
       (SELECT count(*) FROM objection o WHERE o.community_id = s.community_id AND o.subject_kind = 'service_record'
        AND o.subject_id = s.id
        AND o.upheld IS NULL)
FROM service_record s
JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id
LEFT JOIN activity v ON v.community_id = s.community_id AND v.id = s.activity_id
LEFT JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id
WHERE s.community_id = $1 AND s.status = 'noticed'
"""  # noqa: S608


class BoardPlace(msgspec.Struct, frozen=True):
    """A community that has a public board."""

    id: UUID
    name: str


async def board_places() -> list[BoardPlace]:
    """Every community, by name: each has a public board."""
    async with transaction(None):
        return await database.rows(
            BoardPlace, "SELECT id, name FROM region WHERE kind = 'community' ORDER BY pinyin, id"
        )


async def only_board() -> UUID:
    """The only community, for a caller without a session who names none. Raises Invalid where there are several."""
    places = await board_places()
    if len(places) != 1:
        raise Invalid(why=_("请用 community_id 指明哪个社区的公示栏。"))
    return places[0].id


async def _board_place(community_id: UUID) -> BoardPlace:
    place = await database.row(
        BoardPlace, "SELECT id, name FROM region WHERE id = $1 AND kind = 'community'", community_id
    )
    if place is None:
        raise NotFound
    return place


async def board_rows(
    community_id: UUID, *, limit: int = 50, cursor: str | None = None
) -> tuple[BoardPlace, Page[BoardRow]]:
    """A community and the items on its public board with full names. The caller shows only their `public` form."""
    asked = Filters(community_id)
    asked.add_after("notice_until, id", ">", read_cursor(cursor, tuple[datetime, UUID]))
    async with transaction(Scope(community_id=community_id, via="board")):
        place = await _board_place(community_id)
        found = await database.rows(
            BoardRow,
            f"SELECT * FROM ({_ON_NOTICE}) AS hanging WHERE true{asked.sql} "  # noqa: S608  # no input
            f"ORDER BY notice_until, id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    return place, make_page(found, limit, lambda item: (item.notice_until, item.id))


async def board_row(community_id: UUID, kind: str, item_id: UUID) -> tuple[BoardPlace, BoardRow]:
    """A community and one item on its public board, with the full name. Raises NotFound."""
    async with transaction(Scope(community_id=community_id, via="board")):
        place = await _board_place(community_id)
        found = await database.row(
            BoardRow,
            f"SELECT * FROM ({_ON_NOTICE}) AS hanging WHERE kind = $2 AND id = $3",  # noqa: S608  # no input
            community_id, kind, item_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return place, found


async def list_board_items(community_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Page[BoardItem]:
    """The items on a community's public board, as anybody may read them."""
    _, found = await board_rows(community_id, limit=limit, cursor=cursor)
    return Page([item.public() for item in found.items], found.next)
