"""Every row of the database saved in a schema of its own, to be restored by one SQL script."""

import asyncpg


async def save_all(owner: asyncpg.Connection, schema: str) -> str:
    """Save every row in this schema; return the SQL script that restores them. What the server computes is left out."""
    tables = await owner.fetch(
        "SELECT t.tablename AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns "
        "FROM pg_tables t JOIN pg_attribute a ON a.attrelid = format('public.%I', t.tablename)::regclass "
        "AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
        "WHERE t.schemaname = 'public' AND t.tablename <> 'migration' GROUP BY 1"
    )
    await owner.execute(f"CREATE SCHEMA {schema}")
    script = ["SET session_replication_role = replica"]
    for table in tables:
        name, columns = table["name"], table["columns"]
        await owner.execute(f"CREATE TABLE {schema}.{name} AS SELECT {columns} FROM public.{name}")
        script += [
            f"DELETE FROM public.{name}", f"INSERT INTO public.{name} ({columns}) SELECT {columns} FROM {schema}.{name}"
        ]  # fmt: skip
    return "; ".join([*script, "SET session_replication_role = origin"])
