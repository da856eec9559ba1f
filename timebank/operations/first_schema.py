"""Compare a database with the schema of the first two migrations, if it was migrated before checksums were stored.

`migrations/first_schema.txt` holds one line for each fact of the catalogue: `table: kind name = value`. It was written
by `python -m timebank.operations.first_schema URL` from a database that 0001 and 0002 had made; a test makes the lines
again.
"""

import asyncio
import re
import sys
from pathlib import Path

import asyncpg

from timebank.core.errors import TimebankError

MADE_BY = ("0001_core", "0002_ledger")
FILE = Path(__file__).parents[2] / "migrations" / "first_schema.txt"
NAMED_MAX = 5

FACTS = """
WITH ours AS (
    SELECT c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relacl FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'migration'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
), routine AS (
    SELECT p.*, p.oid::regprocedure::text AS signature FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
), granted AS (
    SELECT o.relname AS about, 'grant on table ' || o.relname AS what, g.* FROM ours o, aclexplode(o.relacl) g
    UNION ALL
    SELECT o.relname, format('grant on column %s.%s', o.relname, a.attname), g.*
    FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid, aclexplode(a.attacl) g
    UNION ALL
    SELECT r.proname, 'grant on function ' || r.signature, g.*
    FROM routine r, aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) g
)
SELECT relname AS about, 'table ' || relname AS what,
       concat_ws(', ', pg_get_userbyid(relowner), CASE WHEN relrowsecurity THEN 'row-level security' END,
                 CASE WHEN relforcerowsecurity THEN 'forced' END, array_to_string(reloptions, ', ')) AS value
FROM ours
UNION ALL
SELECT o.relname, format('column %s.%s', o.relname, a.attname),
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid))
FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT o.relname, format('constraint %s.%s', o.relname, k.conname), pg_get_constraintdef(k.oid)
FROM ours o JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype <> 'n'
UNION ALL
SELECT o.relname, format('%s %s', CASE WHEN i.indisunique THEN 'unique index' ELSE 'index' END, i.indexrelid::regclass),
       pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
FROM ours o JOIN pg_index i ON i.indrelid = o.oid
UNION ALL
SELECT o.relname, format('policy %s.%s', o.relname, p.polname),
       concat_ws(' ', p.polcmd, p.polpermissive,
                 (SELECT string_agg(r::regrole::text, ',' ORDER BY r::regrole::text) FROM unnest(p.polroles) r),
                 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
UNION ALL
SELECT o.relname, format('trigger %s.%s', o.relname, t.tgname), pg_get_triggerdef(t.oid)
FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid AND NOT t.tgisinternal
UNION ALL
SELECT proname, 'function ' || signature,
       concat_ws(' ', pg_get_userbyid(proowner), prokind, provolatile, proparallel, proisstrict, prosecdef,
                 pg_get_function_arguments(oid), pg_get_function_result(oid), array_to_string(proconfig, ' '),
                 md5(prosrc))
FROM routine
UNION ALL
SELECT about, format('%s to %s', what, coalesce(r.rolname, 'PUBLIC')),
       string_agg(privilege_type, ' ' ORDER BY privilege_type)
FROM granted g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE g.grantee = 0 OR r.rolname = 'timebank_app' GROUP BY about, what, r.rolname
UNION ALL
SELECT 'public', 'grant on schema to ' || r.rolname, string_agg(g.privilege_type, ' ' ORDER BY g.privilege_type)
FROM pg_namespace n, aclexplode(n.nspacl) g JOIN pg_roles r ON r.oid = g.grantee
WHERE n.nspname = 'public' AND r.rolname IN ('timebank_app', 'timebank_owner') GROUP BY r.rolname
"""

# A restored dump writes the same expression with other casts and brackets.
CAST = re.compile(r"::(?:character varying|timestamp with time zone|\w+)(?:\(\d+\))?(?:\[\])?")


class SchemaDiffers(TimebankError):
    code = "schema_differs"
    status = 500
    sentence = (
        "这个数据库与 {names} 建立的不一样：{differences}。什么都没有运行。"
        "请把它改回原样，或从没有改过的备份恢复，再运行 timebank migrate。"
    )


async def compare(connection: asyncpg.Connection) -> None:
    """Raise SchemaDiffers with the differences unless the database has the schema of the first two migrations."""
    found = differences(recorded(), await facts(connection))
    if found:
        more = [f"…（共 {len(found)} 处）"] if len(found) > NAMED_MAX else []
        raise SchemaDiffers(names="、".join(MADE_BY), differences="；".join(found[:NAMED_MAX] + more))


async def facts(connection: asyncpg.Connection) -> dict[tuple[str, str], str]:
    """The facts of the catalogue: (table or function, name) to value. Needs an open transaction."""
    await connection.execute("SET LOCAL search_path = public, pg_temp")
    rows = await connection.fetch(FACTS)
    return {(row["about"], row["what"]): _plain(row["value"]) for row in rows}


def _plain(value: str) -> str:
    return " ".join(re.sub(r"[()]", "", CAST.sub("", value)).split())


def differences(wanted: dict[tuple[str, str], str], found: dict[tuple[str, str], str]) -> list[str]:
    """Sentences about missing, changed and added facts. Extra tables, functions and non-unique indexes are allowed."""
    ours = {about for about, _ in wanted}
    missing = [f"缺 {what}" for about, what in wanted if (about, what) not in found]
    changed = [f"{what} 被改过" for (about, what), value in wanted.items() if found.get((about, what), value) != value]
    added = [
        f"多了 {what}"
        for about, what in found
        if about in ours and (about, what) not in wanted and not what.startswith("index ")
    ]
    return [*sorted(missing), *sorted(changed), *sorted(added)]


def recorded() -> dict[tuple[str, str], str]:
    known = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(" = ")
        about, _, what = name.partition(": ")
        known[about, what] = value
    return known


def lines(found: dict[tuple[str, str], str]) -> str:
    """The facts in the format of the file."""
    return "".join(f"{about}: {what} = {value}\n" for (about, what), value in sorted(found.items()))


async def _write(url: str) -> None:
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        FILE.write_text(lines(await facts(connection)), encoding="utf-8")
    await connection.close()


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1]))
