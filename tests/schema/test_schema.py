"""The catalogue of the migrated database: its tables equal the Table classes, and the schema's rules hold."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from piccolo.columns import Array, Column, Varchar

from timebank.core.database import transactions
from timebank.operations.piccolo_app import APP_CONFIG

# Tables of no community, to which a tenant's row may refer by primary key, without community_id.
REFERENCE_TABLES = {"region", "login", "unit"}
# Tables without community_id: regions, working days, units, logins and their sign-in, requests, installation,
# migrations.
NOT_TENANTS = {
    "region",
    "workday",
    "unit",
    "login",
    "session",
    "one_time_code",
    "throttle",
    "sign_in_failure",
    "sign_in_suspect",
    "known_browser",
    "migration",
    "installation",
}
LEDGER_TABLES = {"account", "transfer", "debt", "day_total", "books_closed", "expiry_announcement"}

TYPES = {
    "UUID": "uuid", "INTEGER": "integer", "BIGINT": "bigint", "SMALLINT": "smallint", "BOOLEAN": "boolean",
    "DATE": "date", "TIMESTAMPTZ": "timestamp with time zone", "TIME": "time without time zone", "TEXT": "text",
    "BYTEA": "bytea", "JSONB": "jsonb",
}  # fmt: skip


def type_of(column: Column) -> str:
    """PostgreSQL's name for the type of a Table class's column."""
    if isinstance(column, Array):
        return f"{type_of(column.base_column)}[]"
    if isinstance(column, Varchar):
        return f"character varying({column.length})"
    return TYPES[column.column_type]


async def test_the_migrated_database_equals_the_table_classes(owner: asyncpg.Connection) -> None:
    found = await owner.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped "
        "AND c.relname <> 'migration'"
    )
    in_database = {(row["relname"], row["attname"], row["type"], row["nullable"]) for row in found}
    in_code = {
        (table._meta.tablename, column._meta.db_column_name, type_of(column), column._meta.null)
        for table in APP_CONFIG.table_classes
        for column in table._meta.columns
    }
    assert in_code - in_database == set(), "in the Table classes only"
    assert in_database - in_code == set(), "in the migrations only"


async def tenant_tables(owner: asyncpg.Connection) -> list[str]:
    found = await owner.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'community_id' "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1"
    )
    return [row["relname"] for row in found]


async def test_every_table_is_a_communitys_or_is_known_not_to_be(owner: asyncpg.Connection) -> None:
    every = {
        row["tablename"] for row in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    assert every - set(await tenant_tables(owner)) == NOT_TENANTS


async def test_every_key_of_a_tenant_table_starts_with_its_community(owner: asyncpg.Connection) -> None:
    unique = await owner.fetch(
        "SELECT c.relname, i.indexrelid::regclass::text AS name, a.attname AS first FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indrelid "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
        "WHERE c.relname = ANY ($1) AND i.indisunique",
        await tenant_tables(owner),
    )
    assert {row["relname"] for row in unique} == set(await tenant_tables(owner)), "each has a key"
    assert [row["name"] for row in unique if row["first"] != "community_id"] == []


async def test_every_foreign_key_between_tenants_stays_in_one_community(owner: asyncpg.Connection) -> None:
    tenants = set(await tenant_tables(owner))
    keys = await owner.fetch(
        "SELECT k.conname, c.relname AS source, r.relname AS target, sa.attname AS first, ta.attname AS target_first "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid "
        "JOIN pg_attribute sa ON sa.attrelid = c.oid AND sa.attnum = k.conkey[1] "
        "JOIN pg_attribute ta ON ta.attrelid = r.oid AND ta.attnum = k.confkey[1] "
        "WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace"
    )
    assert len(keys) > len(tenants)
    wrong = [
        key["conname"]
        for key in keys
        if key["source"] in tenants
        and not (key["first"] == key["target_first"] == "community_id" or key["target"] in REFERENCE_TABLES)
    ]
    assert wrong == []


UNPROVED = {
    "audit": "only verbs write it, each beside what it did",
    "idempotent_request": "written with the verb that it answers for, and purged after a few days",
}
"""Tables whose rows may name a community that does not exist, each with the reason."""


async def test_every_row_of_a_tenant_is_of_a_community_that_exists(owner: asyncpg.Connection) -> None:
    """By a foreign key to the region, or to a row of the same community for which this is true."""
    found = await owner.fetch(
        "SELECT c.conrelid::regclass::text AS name, c.confrelid::regclass::text AS target FROM pg_constraint c "
        "JOIN pg_attribute f ON f.attrelid = c.conrelid AND f.attnum = c.conkey[1] AND f.attname = 'community_id' "
        "WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM unnest(c.conkey) k JOIN pg_attribute a "
        "ON a.attrelid = c.conrelid AND a.attnum = k WHERE NOT a.attnotnull)"
    )
    proved, before = {"region"}, 0
    while len(proved) > before:
        before = len(proved)
        proved |= {row["name"] for row in found if row["target"] in proved and row["target"] != row["name"]}
    assert set(await tenant_tables(owner)) - proved == UNPROVED.keys()


async def test_every_tenant_table_shows_the_serving_role_its_communities_alone(owner: asyncpg.Connection) -> None:
    open_ = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1) "
        "AND NOT relrowsecurity",
        await tenant_tables(owner),
    )
    assert [row["relname"] for row in open_] == []
    found = await owner.fetch("SELECT tablename, policyname, roles::text, qual, permissive, cmd FROM pg_policies")
    policies: dict[str, dict[str, asyncpg.Record]] = {}
    for row in found:
        policies.setdefault(row["tablename"], {})[row["policyname"]] = row
        assert row["roles"] == "{timebank_app}", (row["tablename"], row["policyname"])
    for table in await tenant_tables(owner):
        # Further policies may only be restrictive.
        named = {name: policy for name, policy in policies[table].items() if policy["permissive"] == "PERMISSIVE"}
        assert set(named) == {"tenant"}, table
        assert re.fullmatch(
            r"\(community_id = ANY \((\( SELECT )?visible_communities\(\)( AS visible_communities\)::uuid\[\])?\)\)",
            named["tenant"]["qual"],
        ), table
        assert named["tenant"]["cmd"] == "ALL", table


async def test_what_belongs_to_no_community_has_row_level_security_too(owner: asyncpg.Connection) -> None:
    """Every table has it, logins and regions included, except `migration`."""
    open_ = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        "AND NOT relrowsecurity"
    )
    assert [row["relname"] for row in open_] == ["migration"]


async def test_the_serving_role_does_not_bypass_row_level_security_and_owns_nothing(
    owner: asyncpg.Connection, serving: asyncpg.Connection
) -> None:
    """The owner bypasses it and nobody serves as the owner: neither the role nor the login of the service."""
    tables = await owner.fetch(
        "SELECT oid::regclass::text AS name, relowner::regrole::text AS owner FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration'"
    )
    assert {table["owner"] for table in tables} == {"timebank_owner"}
    for act in ("RESET ROLE", "SET ROLE timebank_app"):
        await serving.execute(act)
        for table in tables:
            assert await serving.fetchval("SELECT row_security_active($1::text)", table["name"]), (act, table["name"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await serving.execute("SET ROLE timebank_owner")


async def test_the_serving_role_owns_nothing_and_is_nobody_else(owner: asyncpg.Connection) -> None:
    owned = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relowner = 'timebank_app'::regrole "
        "UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'timebank_app'::regrole "
        "UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = 'timebank_app'::regrole"
    )
    assert owned == []
    role = await owner.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles "
        "WHERE rolname = 'timebank_app'"
    )
    assert role is not None
    assert not any(role.values())
    assert not await owner.fetchval("SELECT pg_has_role('timebank_app', 'timebank_owner', 'MEMBER')")
    assert not await owner.fetchval("SELECT has_schema_privilege('timebank_app', 'public', 'CREATE')")


async def test_the_serving_role_only_reads_the_ledger_and_only_adds_to_what_is_kept(owner: asyncpg.Connection) -> None:
    """Only the ledger's functions write ledger rows; rows that record scans and changes are never altered."""
    kept = {
        "audit": "UPDATE, DELETE",
        "scan": "UPDATE, DELETE",
        "stock_move": "UPDATE, DELETE",
        "rule": "UPDATE, DELETE",
        "good_price": "UPDATE, DELETE",
        **dict.fromkeys(("service_record", "deed", "visit", "good", "stock", "message"), "DELETE"),
    }
    forbidden = dict.fromkeys(LEDGER_TABLES, "INSERT, UPDATE, DELETE") | kept
    for table, privileges in forbidden.items():
        for privilege in [*privileges.split(", "), "TRUNCATE", "TRIGGER", "REFERENCES"]:
            whole = await owner.fetchval("SELECT has_table_privilege('timebank_app', $1, $2)", table, privilege)
            assert not whole, (table, privilege)
            if privilege in {"INSERT", "UPDATE"}:
                column = await owner.fetchval(
                    "SELECT has_any_column_privilege('timebank_app', $1, $2)", table, privilege
                )
                assert not column, (table, privilege)


async def test_the_schema_rests_on_checks_keys_and_privileges_alone(owner: asyncpg.Connection) -> None:
    """No trigger, deferrable or exclusion constraint, because distributed databases do not support them."""
    assert await owner.fetch("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == []
    ours = "connamespace = 'public'::regnamespace"
    assert await owner.fetch(f"SELECT conname FROM pg_constraint WHERE condeferrable AND {ours}") == []
    assert await owner.fetch(f"SELECT conname FROM pg_constraint WHERE contype = 'x' AND {ours}") == []
    extensions = await owner.fetch("SELECT extname FROM pg_extension")
    assert [row["extname"] for row in extensions] == ["plpgsql"]


async def test_no_function_is_open_to_everybody_and_each_with_the_owners_rights_is_pinned(
    owner: asyncpg.Connection,
) -> None:
    functions = await owner.fetch(
        "SELECT p.oid::regprocedure::text AS name, p.prosecdef, coalesce(p.proconfig, '{}') AS settings, "
        "EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0) "
        "AS open, "
        "pg_get_userbyid(p.proowner) AS owner FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"
    )
    assert len(functions) > 10
    assert [f["name"] for f in functions if f["open"]] == []
    assert {f["owner"] for f in functions} == {"timebank_owner"}
    pinned = {"search_path=public, pg_temp", "search_path=pg_catalog, pg_temp"}
    assert [f["name"] for f in functions if f["prosecdef"] and not pinned & set(f["settings"])] == []


@pytest.fixture
async def two_rows_each(owner: asyncpg.Connection) -> AsyncIterator[tuple[UUID, UUID]]:
    """Insert a row of community A and one of B into every tenant table, in a transaction that is rolled back.

    Checks and foreign keys are dropped in that transaction, so that any value is accepted; the policies remain.
    """
    a, b = uuid4(), uuid4()
    outer = owner.transaction()
    await outer.start()
    for constraint in await owner.fetch(
        "SELECT conrelid::regclass::text AS relation, conname FROM pg_constraint "
        "WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace ORDER BY contype DESC"
    ):
        await owner.execute(f'ALTER TABLE {constraint["relation"]} DROP CONSTRAINT "{constraint["conname"]}"')
    for table in await tenant_tables(owner):
        for community in (a, b):
            await _insert_something(owner, table, community)
    yield a, b
    await outer.rollback()


async def _insert_something(owner: asyncpg.Connection, table: str, community: UUID) -> None:
    columns = await owner.fetch(
        "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute "
        "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull",
        table,
    )
    some = {
        "uuid": "gen_random_uuid()", "integer": "1", "bigint": "1", "smallint": "1", "boolean": "true",
        "date": "'2026-01-01'", "timestamp with time zone": "'2026-01-01'", "time without time zone": "'08:00'",
        "text": "'x'", "bytea": "'x'", "jsonb": "'{}'", "character varying": "'x'", "uuid[]": "'{}'", "text[]": "'{}'",
        "bytea[]": "'{}'", "date[]": "'{}'", "bigint[]": "'{}'", "smallint[]": "'{}'",
    }  # fmt: skip
    values = {row["attname"]: some[row["type"]] for row in columns} | {"community_id": f"'{community}'"}
    await owner.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")


async def test_a_scope_of_one_community_sees_no_row_of_another(
    owner: asyncpg.Connection, two_rows_each: tuple[UUID, UUID]
) -> None:
    a, b = two_rows_each
    tables = await tenant_tables(owner)
    assert {
        await owner.fetchval(f"SELECT count(*) FROM {table} WHERE community_id = ANY ($1)", [a, b]) for table in tables
    } == {2}
    begun = transactions.begin_sql(frozenset({a})).removeprefix("BEGIN; ")
    await owner.execute(begun)
    for table in tables:
        seen = await owner.fetch(f"SELECT community_id FROM {table}")
        assert [row["community_id"] for row in seen] == [a], table


async def test_nobody_sees_anything_without_a_community(
    owner: asyncpg.Connection, two_rows_each: tuple[UUID, UUID]
) -> None:
    await owner.execute(transactions.begin_sql(frozenset()).removeprefix("BEGIN; "))
    for table in await tenant_tables(owner):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0, table


async def test_a_scope_of_one_community_writes_nothing_into_another(
    owner: asyncpg.Connection, two_rows_each: tuple[UUID, UUID]
) -> None:
    a, b = two_rows_each
    await owner.execute(transactions.begin_sql(frozenset({a})).removeprefix("BEGIN; "))
    for table in await tenant_tables(owner):
        for statement, privilege in (
            (f"INSERT INTO {table} (community_id) VALUES ('{b}')", "INSERT"),
            (f"UPDATE {table} SET community_id = '{b}'", "UPDATE"),
        ):
            if await owner.fetchval("SELECT has_table_privilege('timebank_app', $1, $2)", table, privilege):
                with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.NotNullViolationError)) as refused:
                    async with owner.transaction():
                        await owner.execute(statement)
                if privilege == "UPDATE":
                    assert "row-level security" in str(refused.value), table
        if await owner.fetchval("SELECT has_table_privilege('timebank_app', $1, 'DELETE')", table):
            async with owner.transaction():
                assert await owner.execute(f"DELETE FROM {table} WHERE community_id = '{b}'") == "DELETE 0", table


async def test_the_service_deletes_only_from_tables_that_the_serving_role_may_delete_from(
    owner: asyncpg.Connection,
) -> None:
    """A purge without the privilege would fail at night, unnoticed."""
    root, deleted = Path(__file__).parents[2], set[str]()
    for path in [*(root / "timebank").rglob("*.py"), *(root / "admin").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        deleted |= set(re.findall(r"DELETE FROM (\w+)", text))
        deleted |= {name.lower() for name in re.findall(r"\b([A-Z]\w+)\.delete\(", text)}
    assert {"photo", "import_row"} <= deleted
    refused = [
        table
        for table in sorted(deleted)
        if not await owner.fetchval("SELECT has_table_privilege('timebank_app', $1, 'DELETE')", table)
    ]
    assert refused == []
