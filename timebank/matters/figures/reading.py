"""Read the figures of matters by grid, community, street, unit or category. They are sums of what the worker counted.

A figure is of the matters received in a period that were not refused, merged or withdrawn and whose third local day is
over. Beside it stand how many are open now and how many of them are late, which is read from the open ones alone, and
how many residents answered whether theirs is solved: who is silent has not answered, and is never taken as satisfied.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec

from timebank.areas.reach import communities_read
from timebank.core import clock, database
from timebank.core.database import Filters, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Role, Scope
from timebank.matters.figures.counting import MEASURES, monday_of
from timebank.matters.figures.schemas import By, FigurePeriod, FigureRow, Figures, Targets
from timebank.matters.reading.served import Served, add_served, places_of, units_served
from timebank.policies.values import policies_of

DAYS_MAX = 366
SETTLED_AFTER = timedelta(days=3)
"""A matter of day 1 counts from day 4 on: until then its third day is not over."""


class _Counted(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    received: int
    mature: int
    done0: int
    done1: int
    done2: int
    reopened: int
    returned: int
    asked: int
    answered: int
    solved: int


class _Open(msgspec.Struct, frozen=True):
    subject: str
    open: int
    open_late: int


_SUMS = """
coalesce(sum(t.received), 0)::integer AS received,
coalesce(sum(t.counted) FILTER (WHERE t.day <= $4), 0)::integer AS mature,
coalesce(sum(t.done0) FILTER (WHERE t.day <= $4), 0)::integer AS done0,
coalesce(sum(t.done1) FILTER (WHERE t.day <= $4), 0)::integer AS done1,
coalesce(sum(t.done2) FILTER (WHERE t.day <= $4), 0)::integer AS done2,
coalesce(sum(t.reopened), 0)::integer AS reopened, coalesce(sum(t.returned), 0)::integer AS returned,
coalesce(sum(t.asked), 0)::integer AS asked, coalesce(sum(t.answered), 0)::integer AS answered,
coalesce(sum(t.solved), 0)::integer AS solved
"""


class _Way(msgspec.Struct, frozen=True, kw_only=True):
    """By what the figures are split: the kind and subject of the stored counts, and the subject of an open matter.

    What is open is first counted by community and `key`, so that the words beside it are read once for each of these.
    """

    stored: str
    subject: str = "t.subject"
    beside: str = ""
    key: str
    of: str = "o.key"
    open_beside: str = ""


_WAYS: dict[By, _Way] = {
    "grid": _Way(
        stored="grid", key="m.area_id", of="a.path[1]::text",
        open_beside="JOIN area a ON a.community_id = o.community_id AND a.id = o.key",
    ),
    "unit": _Way(stored="unit", key="m.unit_id", of="o.key::text"),
    "category": _Way(stored="category", key="m.category_code"),
    "community": _Way(stored="all", subject="t.community_id::text", key="m.community_id", of="o.key::text"),
    "street": _Way(
        stored="all", subject="r.parent_id::text", beside="JOIN region r ON r.id = t.community_id",
        key="m.community_id", of="r.parent_id::text", open_beside="JOIN region r ON r.id = o.key",
    ),
}  # fmt: skip


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Of which communities the caller reads the figures, and of which grids or units there; None: of all."""

    communities: frozenset[UUID]
    grids: frozenset[UUID] | None = None
    served: Sequence[Served] | None = None

    @property
    def whole(self) -> bool:
        return self.grids is None and self.served is None

    def add(self, asked: Filters, subject: str, community: str) -> None:
        """Add that a row is of a grid or unit whose figures the caller reads; the row's columns are given."""
        if self.grids is not None:
            asked.add(f"{subject} = ANY ({{}}::text[])", database.as_texts(self.grids))
        if self.served is not None:
            add_served(asked, self.served, subject, community, kind="text")


async def matter_figures(scope: Scope, by: By, first: date, last: date, region_id: UUID | None = None) -> Figures:
    """The figures of the matters received from `first` to `last`, with the sum of all rows and the targets.

    Administrators and auditors read all of the communities that they read, or those below `region_id`; grid heads and
    grid workers their grids, contacts their units where they serve them. Raises Forbidden for anybody else,
    FigurePeriod.
    """
    if not first <= last <= first + timedelta(days=DAYS_MAX):
        raise FigurePeriod
    return await _figures(scope, by, await _seen(scope, by, region_id), first, last)


async def figures_served(scope: Scope, served: Sequence[Served], first: date, last: date) -> Figures:
    """The figures of these units, which the caller handles for, with the targets of the scope's community."""
    return await _figures(scope, "unit", _seen_by_contact(served), first, last)


async def _figures(scope: Scope, by: By, seen: _Seen, first: date, last: date) -> Figures:
    mature_to = min(last, clock.local_day() - SETTLED_AFTER)
    visible = seen.communities | {scope.community_id}
    partly = by == "unit" and seen.whole  # not every matter is given to a unit
    ways: tuple[By, ...] = (by, "community") if partly else (by,)
    async with transaction(scope, communities=visible):
        async with database.gathering() as reads:
            chosen = reads.start(policies_of(scope.community_id))
            counting = [reads.start(_counted(way, seen, first, last, mature_to)) for way in ways]
            opening = [reads.start(_open(way, seen)) for way in ways]
        counted, opened = [task.result() for task in counting], [_by_subject(task.result()) for task in opening]
        named = await _names(by, seen.communities, {*(one.subject for one in counted[0]), *opened[0]})
    stands, rows = chosen.result(), _joined(counted[0], opened[0], named)
    return Figures(
        targets=Targets(done0=stands.figure_same_day, done1=stands.figure_two_days, done2=stands.figure_three_days),
        rows=rows, total=_sum(_joined(counted[1], opened[1], {}) if partly else rows),
    )  # fmt: skip


async def _seen(scope: Scope, by: By, region_id: UUID | None) -> _Seen:
    if scope.reads_all:
        return _Seen(communities=await _communities(scope, region_id))
    if by == "unit" and scope.unit_ids:
        return _seen_by_contact(await units_served(scope))
    grids = {g.area_id for g in scope.here() if g.role in (Role.grid_head, Role.grid_worker) and g.area_id}
    if by == "grid" and grids:
        return _Seen(communities=frozenset({scope.community_id}), grids=frozenset(grids))
    raise Forbidden


def _seen_by_contact(served: Sequence[Served]) -> _Seen:
    return _Seen(communities=frozenset(places_of(served)), served=served)


async def _communities(scope: Scope, region_id: UUID | None) -> frozenset[UUID]:
    """The communities that the caller reads, of those below the region. Raises NotFound where there is none."""
    read = await communities_read(scope)
    if region_id is None:
        return read
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id FROM region WHERE kind = 'community' AND path @> ARRAY[$1::uuid] "
            "AND id = ANY ($2::text[]::uuid[])",
            region_id, database.as_texts(read),
        )  # fmt: skip
    if not found:
        raise NotFound
    return frozenset(UUID(bytes=row["id"].bytes) for row in found)


_SUMMED = f"community_id, subject_kind, subject, {', '.join(MEASURES)}"
_PERIOD = f"""(
    SELECT day, {_SUMMED} FROM matter_tally WHERE day >= $2 AND day < $6
    UNION ALL SELECT week, {_SUMMED} FROM matter_tally_week WHERE week >= $6 AND week < $7
    UNION ALL SELECT day, {_SUMMED} FROM matter_tally WHERE day >= $7 AND day <= $3
)"""  # noqa: S608  # constants of the program


async def _counted(by: By, seen: _Seen, first: date, last: date, mature_to: date) -> list[_Counted]:
    way = _WAYS[by]
    weeks = _whole_weeks(first, min(last, mature_to))
    asked = Filters(database.as_texts(seen.communities), first, last, mature_to, way.stored, *weeks)
    seen.add(asked, way.subject, "t.community_id")
    return await database.rows(
        _Counted,
        f"SELECT {way.subject} AS subject, {_SUMS} FROM {_PERIOD} t {way.beside} "  # noqa: S608  # no input
        f"WHERE t.community_id = ANY ($1::text[]::uuid[]) AND t.subject_kind = $5{asked.sql} GROUP BY 1",
        *asked.values,
    )


def _whole_weeks(first: date, last: date) -> tuple[date, date]:
    """The Mondays of the first week that lies within the period and after the last one; twice `first` if none does."""
    begin, end = monday_of(first + timedelta(days=6)), monday_of(last + timedelta(days=1))
    return (begin, end) if begin < end else (first, first)


_OPEN_NOW = "m.status IN ('received', 'dispatched', 'accepted') AND m.kind <> 'wish'"


async def _open(by: By, seen: _Seen) -> list[_Open]:
    """How many are open now, and how many of these are late: read from the open ones alone."""
    way, asked = _WAYS[by], Filters(database.as_texts(seen.communities), clock.now())
    seen.add(asked, way.of, "o.community_id")
    return await database.rows(
        _Open,
        f"SELECT {way.of} AS subject, sum(o.open)::integer AS open, "  # noqa: S608  # no input
        f"sum(o.open_late)::integer AS open_late FROM (SELECT m.community_id, {way.key} AS key, count(*) AS open, "
        "count(*) FILTER (WHERE m.due_at < $2) AS open_late FROM matter m "
        f"WHERE m.community_id = ANY ($1::text[]::uuid[]) AND {_OPEN_NOW} GROUP BY m.community_id, {way.key}) o "
        f"{way.open_beside} WHERE o.key IS NOT NULL{asked.sql} GROUP BY 1",
        *asked.values,
    )


def _by_subject(found: Sequence[_Open]) -> dict[str, _Open]:
    return {one.subject: one for one in found}


_NAMES = {
    "grid": "SELECT id::text, name FROM area WHERE community_id = ANY ($1::text[]::uuid[]) "
    "AND id = ANY ($2::text[]::uuid[])",
    "unit": "SELECT id::text, name FROM unit WHERE id = ANY ($2::text[]::uuid[]) AND $1::text[] IS NOT NULL",
    "category": "SELECT DISTINCT ON (code) code AS id, name FROM matter_category "
    "WHERE community_id = ANY ($1::text[]::uuid[]) AND code = ANY ($2::text[]) ORDER BY code, community_id",
    "community": "SELECT id::text, name FROM region WHERE id = ANY ($2::text[]::uuid[]) AND $1::text[] IS NOT NULL",
    "street": "SELECT id::text, name FROM region WHERE id = ANY ($2::text[]::uuid[]) AND $1::text[] IS NOT NULL",
}


async def _names(by: By, communities: Collection[UUID], subjects: Collection[str]) -> dict[str, str]:
    found = await database.fetch(_NAMES[by], database.as_texts(communities), sorted(subjects))
    return {row["id"]: row["name"] for row in found}


def _joined(counted: Sequence[_Counted], opened: Mapping[str, _Open], named: Mapping[str, str]) -> list[FigureRow]:
    """One row for each subject that has something in the period or something open, the most received first."""
    stored = {one.subject: msgspec.structs.asdict(one) for one in counted}
    rows = [
        FigureRow(
            **(stored.get(subject) or {"subject": subject}),
            name=named.get(subject, ""),
            open=opened[subject].open if subject in opened else 0,
            open_late=opened[subject].open_late if subject in opened else 0,
        )
        for subject in {*stored, *opened}
    ]
    return sorted(rows, key=lambda row: (-row.received, row.name, row.subject))


def _sum(rows: Sequence[FigureRow]) -> FigureRow:
    figures = [field for field in FigureRow.__struct_fields__ if field not in ("subject", "name")]
    return FigureRow(subject="", name="", **{field: sum(getattr(row, field) for row in rows) for field in figures})
