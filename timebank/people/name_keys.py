"""Fills in what names are compared and found by, of people registered before the columns existed."""

import asyncpg

from timebank.core import names

AT_ONCE = 5000


async def fill_name_keys(connection: asyncpg.Connection) -> None:
    """Set every person's name key, then make the column NOT NULL. People with equal keys are not merged."""
    after = None
    while found := await connection.fetch(
        "SELECT community_id, id, name FROM person WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2",
        after, AT_ONCE,
    ):  # fmt: skip
        await connection.execute(
            "UPDATE person p SET name_key = k.key FROM unnest($1::uuid[], $2::uuid[], $3::text[]) "
            "AS k (community_id, id, key) WHERE p.community_id = k.community_id AND p.id = k.id",
            [row["community_id"] for row in found], [row["id"] for row in found],
            [names.key(row["name"]) for row in found],
        )  # fmt: skip
        after = found[-1]["id"]
    await connection.execute("ALTER TABLE person ALTER COLUMN name_key SET NOT NULL")


async def fill_spellings(connection: asyncpg.Connection) -> None:
    """Set everybody's pinyin in one word and initials."""
    after = None
    while found := await connection.fetch(
        "SELECT community_id, id, name FROM person WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2",
        after, AT_ONCE,
    ):  # fmt: skip
        initials = [names.initials(row["name"]) for row in found]
        await connection.execute(
            "UPDATE person p SET spelled = k.spelled, initials = k.initials, initials_other = k.other "
            "FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) "
            "AS k (community_id, id, spelled, initials, other) WHERE p.community_id = k.community_id AND p.id = k.id",
            [row["community_id"] for row in found], [row["id"] for row in found],
            [names.spelled(row["name"]) for row in found],
            [first for first, _other in initials], [other for _first, other in initials],
        )  # fmt: skip
        after = found[-1]["id"]
