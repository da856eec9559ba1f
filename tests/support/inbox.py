"""Many hours that wait for a review, as an import of a sign-in sheet leaves them."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from tests.support.presence import nine_o_clock
from tests.support.town import PHOENIX, Town
from timebank.core import clock

UNIT = f"{PHOENIX}/第一网格/3栋/1单元"
SERVED = ("张桂兰", "王建国", "李秀英", "陈明", "周敏", "欧阳凯伟")


async def imported_deeds(town: Town, owner: asyncpg.Connection, number: int, *, by: str = "赵丽") -> UUID:
    """Insert so many filed deeds with their import, filed by this person; return the import's id."""
    run, now, community = clock.new_id(), clock.now(), town.community
    await owner.execute(
        "INSERT INTO import_run (community_id, id, kind, file_name, file_hash, skip_bad, rows, accepted, created, "
        "report, started_by, started_at, ended_at) "
        "VALUES ($1, $2, 'deeds', 'deeds.xlsx', '\\x02', false, $3, $3, $3, '{}', $4, $5, $5)",
        community, run, number, town.people[by], now,
    )  # fmt: skip
    made = [(clock.new_id(), town.people[SERVED[n % len(SERVED)]], n // len(SERVED)) for n in range(number)]
    await owner.executemany(
        "INSERT INTO deed (community_id, id, person_id, area_id, rule_code, rule_version, points, occurred_on, note, "
        "filed_by, status, created_at) VALUES ($1, $2, $3, $4, 'mediation', 1, 10, $5, '两家说和了', $6, 'filed', $7)",
        [
            (community, id_, person, town.areas[UNIT], clock.local_day() - timedelta(days=2 + n),
             town.people[by], now)
            for id_, person, n in made
        ],
    )  # fmt: skip
    await owner.executemany(
        "INSERT INTO import_row (community_id, kind, row_key, run_id, noun, noun_id) VALUES ($1, 'deeds', $2, $3, "
        "'deed', $4)",
        [(community, id_.bytes, run, id_) for id_, _, _ in made],
    )  # fmt: skip
    return run


async def imported_hours(
    town: Town, owner: asyncpg.Connection, number: int, *, by: str = "赵丽", file_name: str = "hours.xlsx"
) -> UUID:
    """Insert so many pending records of one hour with their import, entered by this person; return the import's id."""
    run, now, community = clock.new_id(), clock.now(), town.community
    await owner.execute(
        "INSERT INTO import_run (community_id, id, kind, file_name, file_hash, skip_bad, rows, accepted, created, "
        "report, started_by, started_at, ended_at) "
        "VALUES ($1, $2, 'hours', $3, '\\x01', false, $4, $4, $4, '{}', $5, $6, $6)",
        community, run, file_name, number, town.people[by], now,
    )  # fmt: skip
    made = []
    for n in range(number):
        name, day = SERVED[n % len(SERVED)], n // len(SERVED)
        begin = nine_o_clock(days_ago=2 + day // 4) + timedelta(hours=2 * (day % 4))
        made.append((clock.new_id(), town.people[name], begin))
    await owner.executemany(
        "INSERT INTO service_record (community_id, id, kind, person_id, started_at, ended_at, minutes, status, flags, "
        "reason, entered_by, rule_code, created_at) VALUES ($1, $2, 'honour', $3, $4, $5, 60, 'pending', '{}', "
        "'纸质签到表补录', $6, 'service', $7)",
        [
            (community, id_, person, begin, begin + timedelta(hours=1), town.people[by], now)
            for id_, person, begin in made
        ],
    )  # fmt: skip
    await owner.executemany(
        "INSERT INTO import_row (community_id, kind, row_key, run_id, noun, noun_id) "
        "VALUES ($1, 'hours', $2, $3, 'service_record', $4)",
        [(community, id_.bytes, run, id_) for id_, _, _ in made],
    )  # fmt: skip
    return run


async def credits_at_once(town: Town, owner: asyncpg.Connection) -> None:
    """Set the community's notice period to none, so that approved hours are credited at once."""
    await owner.execute(
        "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'notice_days', 0, $2)",
        town.community, clock.now(),
    )  # fmt: skip


async def statuses(town: Town, owner: asyncpg.Connection) -> dict[str, int]:
    """How many records the community has of each status."""
    found = await owner.fetch(
        "SELECT status, count(*) AS n FROM service_record WHERE community_id = $1 GROUP BY status", town.community
    )
    return {row["status"]: row["n"] for row in found}


async def is_due(owner: asyncpg.Connection) -> None:
    """Let the minute of every pending decision be over."""
    await owner.execute("UPDATE mass_decision SET due_at = due_at - interval '2 minutes' WHERE ended_at IS NULL")
