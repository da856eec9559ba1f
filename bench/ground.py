"""The data that the verbs are measured on: two communities of the same size, with residents, goods and a history.

The service answers for the first; pgbench works on the second, in the same tables, so that its bare statements touch no
row that the books are checked by.
"""

import secrets
from collections import deque
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg

from timebank.core import clock, names, vault

STATIONS, GOODS, STOCK_EACH, POINTS_EACH = 8, 200, 1_000_000, 100_000
READERS, RECORDS, DEEDS = 1_000, 40, 20
SESSION_LASTS = "interval '30 days'"


@dataclass(frozen=True, slots=True)
class Resident:
    """A resident with a session; `station_id` is where they serve."""

    id: UUID
    token: str
    station_id: UUID


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The residents of the community that the service answers for, and how many rows there are of what.

    `inside` have an open visit that a check-out credits, `outside` have none, `readers` have a history. `stock` lists
    station and good. `beside` is pgbench's community, whose residents have the numbers from `first` on, and `issued`
    its accounts that issue minutes and points.
    """

    community: UUID
    beside: UUID
    first: int
    issued: dict[str, UUID]
    persons: int
    readers: list[Resident]
    everybody: list[Resident]
    inside: deque[Resident]
    outside: deque[Resident]
    stock: list[tuple[UUID, UUID]]
    rows: dict[str, int]


async def lay_ground(url: str, persons: int, *, inside: bool) -> Ground:
    """Insert the data and analyse the tables. With `inside` everybody of the first community has an open visit."""
    connection = await asyncpg.connect(url)
    communities = [await insert_community(connection, name) for name in ("凤凰社区", "龙泉社区")]
    readers = min(READERS, persons)
    values = {
        "goods": GOODS, "quantity": STOCK_EACH, "readers": readers, "given": POINTS_EACH, "records": RECORDS,
        "deeds": DEEDS, "until": date(clock.local_day().year + 1, 12, 31),
    }  # fmt: skip
    async with connection.transaction():
        await _places(connection, communities, persons)
        script = Path(__file__).with_name("ground.sql").read_text(encoding="utf-8")
        await connection.execute(script.format_map(values))
        residents = await _sessions(connection, communities[0])
        if inside:
            await connection.execute(OPEN_VISITS, communities[0])
    await connection.execute("VACUUM ANALYZE")
    ground = Ground(
        community=communities[0], beside=communities[1], first=persons + 1, persons=persons,
        readers=residents[:readers], everybody=residents,
        inside=deque(residents if inside else ()), outside=deque(() if inside else residents),
        stock=[
            (row["station_id"], row["good_id"])
            for row in await connection.fetch(
                "SELECT station_id, good_id FROM bench_stock WHERE community_id = $1 ORDER BY n", communities[0]
            )
        ],
        issued={row[0]: row[1] for row in await connection.fetch(_ISSUED, communities[1])},
        rows={row[0]: row[1] for row in await connection.fetch(_COUNTED)},
    )  # fmt: skip
    await connection.close()
    return ground


# Visits that began 45 to 64 minutes ago and are still open, of everybody of a community; nobody may have one yet.
OPEN_VISITS = """
INSERT INTO visit (community_id, id, person_id, station_id, activity_id, in_at, status, in_by, opens_at, closes_at)
SELECT w.community_id, uuid_v7(t.at), w.id, w.station_id, p.activity_id, t.at, 'open', 'station_code', '00:00', '23:59'
FROM bench_person w JOIN bench_place p USING (community_id)
CROSS JOIN LATERAL (SELECT now() - (45 + w.n % 20) * interval '1 minute' AS at) AS t
WHERE w.community_id = $1
"""

CLOSED_VISITS = """
UPDATE visit SET status = 'closed', out_at = now(), out_by = 'station_code' WHERE community_id = $1 AND status = 'open'
"""

_ISSUED = "SELECT currency, id FROM account WHERE community_id = $1 AND bucket = 'issued'"

_COUNTED = """
SELECT 'residents', count(*) FROM person UNION ALL SELECT 'visits', count(*) FROM visit
UNION ALL SELECT 'transfers', count(*) FROM transfer UNION ALL SELECT 'goods', count(*) FROM good
"""


async def insert_community(connection: asyncpg.Connection, name: str = "凤凰社区") -> UUID:
    """Insert a community of the first county and street, which are inserted too where there are none."""
    path: list[UUID] = []
    for kind, called in (("county", "清江县"), ("street", "城关街道"), ("community", name)):
        parent = path[-1] if path else None
        found = await connection.fetchval("SELECT id FROM region WHERE kind = $1 AND name = $2", kind, called)
        path = [*path, found or clock.new_id()]
        if found is None:
            await connection.execute(
                "INSERT INTO region (id, parent_id, kind, name, pinyin, path, created_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                path[-1], parent, kind, called, names.pinyin(called), path, clock.now(),
            )  # fmt: skip
    return path[-1]


async def _places(connection: asyncpg.Connection, communities: list[UUID], persons: int) -> None:
    """Insert what ground.sql reads: a row for each community, with the ids of its grid, activity and stations."""
    await connection.execute(
        "CREATE TABLE bench_place (community_id uuid PRIMARY KEY, first integer, persons integer, grid_id uuid, "
        "activity_id uuid, stations uuid[], laid_at timestamptz)"
    )
    await connection.copy_records_to_table(
        "bench_place",
        records=[
            (community, n * persons + 1, persons, clock.new_id(), clock.new_id(),
             [clock.new_id() for _ in range(STATIONS)], clock.now())
            for n, community in enumerate(communities)
        ],
    )  # fmt: skip


async def _sessions(connection: asyncpg.Connection, community: UUID) -> list[Resident]:
    """Insert a login and a session for everybody of a community; return the residents in order."""
    now = clock.now()
    found = await connection.fetch(
        "SELECT n, id, login_id, station_id FROM bench_person WHERE community_id = $1 ORDER BY n", community
    )
    tokens = [secrets.token_urlsafe(32) for _ in found]
    await connection.copy_records_to_table(
        "login", columns=["id", "phone_index", "phone_sealed", "created_at"],
        records=[
            (row["login_id"], vault.blind_index(phone := f"199{row['n']:08}", "phone"), vault.seal(phone, "phone"), now)
            for row in found
        ],
    )  # fmt: skip
    await connection.execute("CREATE TEMP TABLE opened (login_id uuid, token_hash bytea) ON COMMIT DROP")
    await connection.copy_records_to_table(
        "opened", records=[(row["login_id"], vault.token_hash(token)) for row, token in zip(found, tokens, strict=True)]
    )
    await connection.execute(
        "INSERT INTO session (id, token_hash, login_id, by_code, created_at, expires_at) "
        f"SELECT uuidv7(), token_hash, login_id, false, now(), now() + {SESSION_LASTS} FROM opened"
    )
    return [
        Resident(UUID(bytes=row["id"].bytes), token, UUID(bytes=row["station_id"].bytes))
        for row, token in zip(found, tokens, strict=True)
    ]
