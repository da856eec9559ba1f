"""A grown community: a few hundred thousand rows of consistent history, written by a few SQL statements.

Five years of hours, deeds, redemptions and lessons of two thousand residents; one of them, 张桂兰, has five thousand
ledger entries. Few rows wait for a decision, as in reality. The ledger balances.
"""

from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from tests.support.town import PHOENIX, Town

RECORDS, DEEDS, REDEMPTIONS, BOOKINGS, RESIDENTS, CHILDREN = 50_000, 20_000, 20_000, 5_000, 2_000, 50
YEARS = 5

# Autovacuum may not analyse the tables during a test.
_UNCOUNTED = (
    "SELECT 'ALTER TABLE ' || c.oid::regclass || ' SET (autovacuum_enabled = false)' AS statement FROM pg_class c "
    "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
)


async def grow(owner: asyncpg.Connection, town: Town, now: datetime, **sizes: int) -> None:
    """Insert the history of the town's first community, up to an hour before `now`; do not analyse the tables.

    `sizes` are numbers of rows, by the name of their constant in small letters.
    """
    for row in await owner.fetch(_UNCOUNTED):
        await owner.execute(row["statement"])
    values = {
        "community": town.community, "now": (now - timedelta(hours=1)).isoformat(),
        "epoch": int((now - timedelta(hours=1)).timestamp()), "heavy": town.people["张桂兰"],
        "guardian": town.people["刘洋"], "station": town.stations["暖蜂驿站"], "good": town.goods["香皂"],
        "area": town.areas[f"{PHOENIX}/第一网格/3栋/1单元"], "course": town.course, "zone": "Asia/Shanghai",
        "activity": town.activities["站点值守"], "records": RECORDS, "deeds": DEEDS, "redemptions": REDEMPTIONS,
        "bookings": BOOKINGS, "residents": RESIDENTS, "children": CHILDREN, "years": YEARS,
    } | sizes  # fmt: skip
    filled = (Path(__file__).parent / "ground.sql").read_text(encoding="utf-8")
    async with owner.transaction():
        await owner.execute(filled.format_map({name: str(value) for name, value in values.items()}))
