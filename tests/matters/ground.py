"""Matters as rows, to count and to list them: what the verbs would have written, without its messages and photos."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from timebank.core import clock, names

CATEGORIES = ("manhole", "light", "noise")
OPEN = ("received", "dispatched", "accepted")


class Given(msgspec.Struct, kw_only=True):
    """One matter of a ground; `done_on` is the local day of its last finish."""

    area_id: UUID
    received_on: date
    status: str = "received"
    done_on: date | None = None
    category: str = "manhole"
    kind: str = "report"
    reporter_id: UUID | None = None
    solved: bool | None = None
    reopens: int = 0
    returns: int = 0
    unit_id: UUID | None = None
    id: UUID = msgspec.field(default_factory=clock.new_id)

    @property
    def received_at(self) -> datetime:
        return clock.day_bounds(self.received_on)[0] + timedelta(hours=8)

    @property
    def done_days(self) -> int | None:
        return None if self.done_on is None else (self.done_on - self.received_on).days


async def add_categories(owner: asyncpg.Connection, community_id: UUID) -> None:
    await owner.executemany(
        "INSERT INTO matter_category (community_id, code, name, pinyin, kinds, due_days, due_counts, level, public, "
        "created_at) VALUES ($1, $2, $2, $2, '{report,event,order,wish,pledge}', 1, 'day', 'grid', true, now())",
        [(community_id, code) for code in CATEGORIES],
    )


async def add_grids(owner: asyncpg.Connection, community_id: UUID, number: int) -> list[UUID]:
    """Add grids; return their ids in order."""
    grids = [clock.new_id() for _ in range(number)]
    await owner.executemany(
        "INSERT INTO area (community_id, id, kind, name, pinyin, path, created_at) "
        "VALUES ($1, $2, 'grid', $3, $4, $5, now())",
        [
            (community_id, id_, f"网格 {n}", names.pinyin(f"网格 {n}"), [id_])
            for n, id_ in enumerate(grids, 1)
        ],
    )  # fmt: skip
    return grids


async def add_matters(owner: asyncpg.Connection, community_id: UUID, given: Sequence[Given]) -> None:
    """Insert the matters, each with a step and what its resident answered."""
    rows = []
    for n, one in enumerate(given):
        done = (
            None if one.done_on is None else max(clock.day_bounds(one.done_on)[0], one.received_at) + timedelta(hours=1)
        )
        ended = one.status in ("closed", "refused", "merged", "withdrawn")
        rows.append((
            community_id, one.id, f"{n:08}", one.kind, one.category, one.area_id, one.reporter_id, one.status,
            one.received_at, done, (done or one.received_at) if ended else None, one.received_at + timedelta(days=1),
            one.done_days, one.reopens, one.returns, one.unit_id,
            "cannot" if one.status == "refused" else None,
        ))  # fmt: skip
    await owner.executemany(
        "INSERT INTO matter (community_id, id, number, kind, category_code, area_id, reporter_id, channel, status, "
        "level, received_at, done_at, closed_at, due_at, first_due_at, done_days, reopens, returns, unit_id, "
        "refused_because, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'member', $8, 'grid', $9, $10, $11, $12, "
        "$12, $13, $14, $15, $16, $17, $9)",
        rows,
    )
    await owner.executemany(
        "INSERT INTO rating (community_id, id, matter_id, reopening, by_kind, how, solved, stars, at) "
        "VALUES ($1, $2, $3, $4, 'resident', 'phone', $5, 4, now())",
        [(community_id, clock.new_id(), one.id, one.reopens, one.solved) for one in given if one.solved is not None],
    )
    await add_steps(owner, community_id, given)


async def add_steps(owner: asyncpg.Connection, community_id: UUID, given: Sequence[Given]) -> None:
    """A step of each, as every verb writes one."""
    await owner.executemany(
        "INSERT INTO matter_step (community_id, id, matter_id, at, by_kind, verb, to_status, public) "
        "VALUES ($1, $2, $3, $4, 'system', 'report', 'received', true)",
        [(community_id, clock.new_id(), one.id, one.received_at) for one in given],
    )
