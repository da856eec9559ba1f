"""Every column that refers to a person is declared with what a merge does to it, and the database does the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg
import pytest

from tests.support.town import Town
from timebank.core.capability import Capability, PersonColumn, capabilities
from timebank.operations.piccolo_app import APP_CONFIG

NAMES = {"person_id", "guardian_id", "child_id", "witness_id"}
"""Names of columns that refer to a person also where no foreign key is declared, as in tables of past events."""
OF_NO_CAPABILITY = {("audit", "person_id")}
"""Columns that no capability declares, since audit rows are never changed."""

FOREIGN_KEYS = """
SELECT k.conrelid::regclass::text AS of, a.attname AS field FROM pg_constraint k
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname <> 'community_id'
WHERE k.contype = 'f' AND k.confrelid = 'person'::regclass
"""


@dataclass(frozen=True)
class Schema:
    """From the database: columns that refer to a person, those that a merge moves, and tables that a merge writes."""

    referring: set[tuple[str, str]]
    moved: set[tuple[str, str]]
    written: set[str]


async def schema_of(owner: asyncpg.Connection) -> Schema:
    keys = {(row["of"], row["field"]) for row in await owner.fetch(FOREIGN_KEYS)}
    columns = await owner.fetch(
        "SELECT table_name AS of, column_name AS field FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'uuid' AND column_name = ANY ($1)",
        list(NAMES),
    )
    named = {(row["of"], row["field"]) for row in columns} - OF_NO_CAPABILITY
    moved = {(row["noun"], row["field"]) for row in await owner.fetch("SELECT noun, field FROM person_links()")}
    merge: str = await owner.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'person_merge'")
    return Schema(keys | named, moved, set(re.findall(r"(?:UPDATE|DELETE FROM) (\w+)", merge)))


def declared(manifests: Sequence[Capability]) -> dict[tuple[str, str], str]:
    return {(each.table, each.column): each.merge for one in manifests for each in one.people}


def differences(manifests: Sequence[Capability], schema: Schema) -> list[str]:
    """Return, in words, each column about which the manifests and the database differ."""
    said = declared(manifests)
    there = schema.referring | schema.moved
    wrong = [f"{table}.{column} is not declared" for table, column in there - said.keys()]
    wrong += [f"{table}.{column} refers to no person" for table, column in said.keys() - there]
    for (table, column), merge in said.items():
        does = "moves" if (table, column) in schema.moved else "settled" if table in schema.written else "stays"
        if merge != does:
            wrong.append(f"{table}.{column}: the merge does not do as the manifest says: {merge}, {does}")
    return sorted(wrong)


async def test_the_merge_and_the_manifests_name_the_same_columns(town: Town, owner: asyncpg.Connection) -> None:
    assert differences(capabilities(), await schema_of(owner)) == []


async def test_a_capability_that_forgets_a_column_of_its_people_is_found(town: Town, owner: asyncpg.Connection) -> None:
    schema = await schema_of(owner)
    for one in capabilities():
        for column in one.people:
            left = tuple(each for each in one.people if each != column)
            others = [replace(each, people=left) if each is one else each for each in capabilities()]
            assert f"{column.table}.{column.column} is not declared" in differences(others, schema)
            other: PersonColumn = replace(column, merge="stays" if column.merge == "moves" else "moves")
            changed = [replace(each, people=(*left, other)) if each is one else each for each in capabilities()]
            assert len(differences(changed, schema)) == 1


@pytest.mark.parametrize(
    "column", ["person_id uuid NOT NULL", "borrower uuid, FOREIGN KEY (community_id, borrower) REFERENCES person"]
)
async def test_a_table_of_a_new_capability_that_refers_to_people_is_found(
    town: Town, owner: asyncpg.Connection, column: str
) -> None:
    async with owner.transaction():
        await owner.execute(f"CREATE TABLE ladder_loan (community_id uuid, id uuid, {column})")
        try:
            found = differences(capabilities(), await schema_of(owner))
        finally:
            await owner.execute("DROP TABLE ladder_loan")
    assert found == [f"ladder_loan.{column.split(maxsplit=1)[0]} is not declared"]


def test_a_capability_declares_columns_of_its_own_tables() -> None:
    tables = {table.__module__: set[str]() for table in APP_CONFIG.table_classes}
    for table in APP_CONFIG.table_classes:
        tables[table.__module__].add(table._meta.tablename)
    assert [
        each for one in capabilities() for each in one.people if each.table not in tables.get(one.tables or "", ())
    ] == []
