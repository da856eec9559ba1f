"""Reads from the catalogue what would keep the schema from being laid out by community on several servers (Citus).

The facts are the same on one PostgreSQL and on a coordinator. `distributing` lays the schema out.
"""

from typing import Literal

import asyncpg
import msgspec

EVERYWHERE = frozenset({"membership", "membership_question"})
"""Tables that name a community and are kept whole on every server all the same, like those without `community_id`.

A request reads them before any community is known.
"""

LOCAL = frozenset({"migration"})
"""Tables that stay on the coordinator alone."""

ASKED_ONCE = "( SELECT visible_communities() AS visible_communities)::uuid[]"
"""The subquery of a tenant's policy, as the catalogue writes it: asked once for each statement.

One server plans with it better than without; `distributing` takes it out, because Citus allows none.
"""

Where = Literal["everywhere", "by_community"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A table, and where its rows belong: on every server, or on the one of their community."""

    name: str
    where: Where


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be distributed, and of what.

    `blocks`: the schema cannot be laid out with it. Otherwise it can, and what it is about would not work there.
    """

    code: str
    name: str
    detail: str
    blocks: bool


class Fact(msgspec.Struct, frozen=True):
    """A kind of fault: its code, its sentence, and the SELECT of the names that have it."""

    code: str
    detail: str
    select: str
    blocks: bool = True


_PLACE = """
place AS (
    SELECT c.oid, c.relname AS name, c.relforcerowsecurity AS forced, coalesce(a.attnum, 0) AS community,
           a.atttypid, a.attnotnull,
           CASE WHEN a.attnum IS NULL OR c.relname = ANY ($1::text[]) THEN 'everywhere' ELSE 'by_community' END AS place
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'community_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relname = ANY ($2::text[])
), key AS (
    SELECT k.*, s.name || '.' || k.conname AS name, s.place AS source_place, t.place AS target_place,
           s.community AS source_community, t.community AS target_community
    FROM pg_constraint k JOIN place s ON s.oid = k.conrelid JOIN place t ON t.oid = k.confrelid WHERE k.contype = 'f'
), own AS (
    SELECT k.*, p.name || '.' || k.conname AS name FROM pg_constraint k JOIN place p ON p.oid = k.conrelid
), routine AS (
    SELECT p.proname AS name, p.prosecdef, pg_get_functiondef(p.oid) AS text, p.prosrc AS body,
           p.pronargs AS arguments, l.lanname AS language,
           has_function_privilege('timebank_app', p.oid, 'EXECUTE') AS serves
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
)
"""

FACTS = (
    Fact(
        "no_key",
        "这张表没有主键。",
        "SELECT p.name FROM place p "
        "WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = p.oid AND i.indisprimary)",
    ),
    Fact(
        "community_type",
        "community_id 要是 uuid，并且不能为空。",
        "SELECT p.name FROM place p "
        "WHERE p.place = 'by_community' AND NOT (p.atttypid = 'uuid'::regtype AND p.attnotnull)",
    ),
    Fact(
        "key_without_community",
        "这个唯一键不以 community_id 开头。",
        "SELECT p.name || '.' || i.indexrelid::regclass::text AS name "
        "FROM pg_index i JOIN place p ON p.oid = i.indrelid "
        "WHERE i.indisunique AND p.place = 'by_community' AND i.indkey[0] <> p.community",
    ),
    Fact(
        "foreign_key_apart",
        "这个外键的两端可能在不同的社区。",
        "SELECT k.name FROM key k WHERE k.source_place = 'by_community' AND k.target_place = 'by_community' "
        "AND NOT (k.conkey[1] = k.source_community AND k.confkey[1] = k.target_community)",
    ),
    Fact(
        "foreign_key_out",
        "这个外键从每台服务器都有的表指向某一个社区的表。",
        "SELECT k.name FROM key k WHERE k.source_place = 'everywhere' AND k.target_place = 'by_community'",
    ),
    Fact(
        "foreign_key_action",
        "这个外键会把 community_id 改成空或默认值。",
        "SELECT k.name FROM key k WHERE k.source_place = 'by_community' "
        "AND (k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd'))",
    ),
    Fact(
        "policy_subquery",
        "这条行级策略里有子查询。",
        "SELECT p.name || '.' || y.polname AS name FROM pg_policy y JOIN place p ON p.oid = y.polrelid "
        r"WHERE concat(replace(pg_get_expr(y.polqual, y.polrelid), $3, ''), pg_get_expr(y.polwithcheck, y.polrelid)) "
        r"~ '\mSELECT\M'",
    ),
    Fact(
        "forced",
        "行级安全也约束这张表的主人（FORCE），整批写入会被拒绝。",
        "SELECT p.name FROM place p WHERE p.forced",
    ),
    Fact(
        "trigger",
        "这张表上有触发器。",
        "SELECT p.name || '.' || t.tgname AS name FROM pg_trigger t JOIN place p ON p.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal",
    ),
    Fact("deferrable", "这个约束可以推迟到提交时。", "SELECT o.name FROM own o WHERE o.condeferrable"),
    Fact("exclusion", "这是排他约束。", "SELECT o.name FROM own o WHERE o.contype = 'x'"),
    Fact(
        "sequence",
        "编号由数据库的序列给出。",
        "SELECT c.relname AS name FROM pg_class c JOIN pg_depend d ON d.objid = c.oid "
        "JOIN place p ON p.oid = d.refobjid WHERE c.relkind = 'S' AND d.deptype IN ('a', 'i')",
    ),
    Fact(
        "serving_power",
        "提供服务的角色拥有它，或不受行级安全约束。",
        "SELECT r.rolname AS name FROM pg_roles r WHERE r.rolname = 'timebank_app' AND (r.rolsuper OR r.rolbypassrls) "
        "UNION ALL SELECT c.relname FROM pg_class c WHERE c.relowner = 'timebank_app'::regrole",
    ),
    Fact(
        "serving_write",
        "这个函数以提供服务的角色写表：请改成主人的函数（SECURITY DEFINER），并自己检查社区。",
        r"SELECT r.name FROM routine r WHERE r.serves AND NOT r.prosecdef "
        r"AND r.text ~* '\m(INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|MERGE\s+INTO)\M'",
    ),
    Fact(
        "transaction_number",
        "这个函数比较事务编号，行在另一台服务器上时对不上。",
        r"SELECT r.name FROM routine r WHERE r.text ~* '\m(xmin|xmax|ctid|txid_current|pg_current_xact_id)\M'",
        blocks=False,
    ),
    Fact(
        "recursion",
        "这个函数用了递归查询，只能读一台服务器。",
        r"SELECT r.name FROM routine r WHERE r.text ~* '\mWITH\s+RECURSIVE\M'",
        blocks=False,
    ),
    Fact(
        "sql_arguments",
        "这个 SQL 函数带着参数读社区的表，在那里排不出查询计划：请改成 PL/pgSQL。",
        "SELECT r.name FROM routine r WHERE r.language = 'sql' AND r.arguments > 0 "
        "AND EXISTS (SELECT FROM place p WHERE p.place = 'by_community' "
        r"AND r.body ~* ('\m(FROM|JOIN|INTO|UPDATE)\s+' || p.name || '\M'))",
        blocks=False,
    ),
    Fact(
        "advisory_lock",
        "这个函数用了建议锁，只在一台服务器上有效。",
        r"SELECT r.name FROM routine r WHERE r.text ~* '\mpg_(try_)?advisory_'",
        blocks=False,
    ),
)


async def tables_to_lay_out(connection: asyncpg.Connection) -> list[Place]:
    """Every table of the service but those that stay on the coordinator, by name."""
    found = await connection.fetch(
        f"WITH {_PLACE} SELECT name, place AS where FROM place ORDER BY name",  # noqa: S608  # a constant
        sorted(EVERYWHERE), sorted(LOCAL),
    )  # fmt: skip
    return [Place(**row) for row in found]


async def faults(connection: asyncpg.Connection) -> list[Fault]:
    """What could not be distributed: what blocks the layout first."""
    found = []
    for fact in FACTS:
        named = await connection.fetch(
            f"WITH {_PLACE} SELECT DISTINCT name FROM ({fact.select}) AS found WHERE $3::text <> '' ORDER BY name",  # noqa: S608  # from above
            sorted(EVERYWHERE), sorted(LOCAL), ASKED_ONCE,
        )  # fmt: skip
        found += [Fault(code=fact.code, name=row["name"], detail=fact.detail, blocks=fact.blocks) for row in named]
    return found
