"""Lays a migrated database out by community on the servers of a Citus coordinator, step by step.

Each step is a transaction of its own and is left out where it is done, so a run that was stopped is run again.
"""

from collections.abc import Callable, Sequence

import asyncpg
import msgspec

from timebank.core.errors import TimebankError, reason_of
from timebank.migrate import one_runner
from timebank.operations.distribution import ASKED_ONCE, Place, faults, tables_to_lay_out

Told = Callable[..., None]

# Foreign keys that are off while tables are laid out: with one on, a table could not be moved without all the others.
# It is no table of the service, so it has a schema of its own, which goes with the last key.
_MAKE_STORE = """
SET LOCAL citus.enable_ddl_propagation = off;
CREATE SCHEMA IF NOT EXISTS timebank_distribution;
CREATE TABLE IF NOT EXISTS timebank_distribution.foreign_key (
    relation text, name text, definition text, is_on boolean DEFAULT false, PRIMARY KEY (relation, name)
);
"""
_KEYS = """
SELECT k.conrelid::regclass::text AS relation, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
FROM pg_constraint k JOIN pg_class s ON s.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
  AND s.relname = ANY ($1::text[]) AND t.relname = ANY ($1::text[])
  AND (s.relname = ANY ($2::text[]) OR t.relname = ANY ($2::text[])) AND k.conparentid = 0
ORDER BY 1, 2
"""
_POLICIES = """
SELECT p.polrelid::regclass::text AS relation, p.polname AS name, pg_get_expr(p.polqual, p.polrelid) AS seen
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace = 'public'::regnamespace
WHERE position($1::text IN pg_get_expr(p.polqual, p.polrelid)) > 0 ORDER BY 1, 2
"""
# A citus table of another kind is a local one that Citus knows of because of a foreign key.
_LAID_OUT = """
SELECT c.relname FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid
WHERE c.relnamespace = 'public'::regnamespace AND (d.partmethod = 'h' OR d.partmethod = 'n' AND d.repmodel = 't')
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text AS name, p.proargnames[1] AS first,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_proc'::regclass
               AND d.refobjid = p.oid) AS in_policy,
       o.objid IS NOT NULL AS is_known, o.distribution_argument_index IS NOT NULL AS has_argument
FROM pg_proc p LEFT JOIN pg_dist_object o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid
WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND p.proowner = 'timebank_owner'::regrole
ORDER BY p.oid
"""


class NoCitus(TimebankError):
    code = "no_citus"
    status = 500
    sentence = (
        "这台数据库没有 Citus 扩展，不能分到几台服务器上。请先在协调服务器上装好 Citus、加入各台工作服务器，"
        "再运行 timebank distribute；只有一台服务器时不用运行。"
    )


class NotDistributable(TimebankError):
    code = "not_distributable"
    status = 500
    sentence = "有 {count} 处还不能分布，什么都没有改。请运行 timebank check distribution，看是哪几处。"


class DistributionStopped(TimebankError):
    code = "distribution_stopped"
    status = 500
    sentence = "分布停在 {name}（{why}）。它之前的都已完成；排除原因后再运行 timebank distribute，会从这里继续。"


class LaidOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has laid out: tables, and the foreign keys that are on again."""

    tables: list[str]
    foreign_keys: int


class ForeignKey(msgspec.Struct, frozen=True):
    relation: str
    name: str
    definition: str


class Step(msgspec.Struct, frozen=True):
    """A transaction of the layout: its statements with their values, and what it is about, for a refusal."""

    name: str
    statements: tuple[tuple[str, tuple[object, ...]], ...]


async def lay_out(url: str, told: Told = lambda *_: None) -> LaidOut:
    """Lay the schema out; what is laid out already stays as it is. `told` gets the number of steps, once a step.

    `url` is the operator's, on the coordinator. Raises NoCitus, NotDistributable, DistributionStopped and NotOpen.
    """
    async with one_runner(url) as connection:
        if not await has_citus(connection):
            raise NoCitus
        if blocking := [fault for fault in await faults(connection) if fault.blocks]:
            raise NotDistributable(count=len(blocking))
        await connection.execute("SET citus.multi_shard_modify_mode = 'sequential'")
        every = await tables_to_lay_out(connection)
        keys = await _keys_off(connection, every)
        left = await not_laid_out(connection, every)
        functions = await connection.fetch(_FUNCTIONS)
        anchor = next(place.name for place in every if place.where == "by_community")
        policies = [_function(row["name"]) for row in functions if row["in_policy"] and not row["is_known"]]
        tables = [_table(place, anchor) for place in sorted(left, key=lambda one: (_turn(one, anchor), one.name))]
        with_community = [_function(row["name"], row["first"], anchor) for row in functions if not row["has_argument"]]
        asked = [_policy(row) for row in await connection.fetch(_POLICIES, ASKED_ONCE)]
        parts = [
            [_roles()], asked, policies, tables, [_key_on(key) for key in keys], with_community,
            [_settings(await connection.fetchval("SELECT quote_ident(current_database())"))],
        ]  # fmt: skip
        for part in parts:
            await _carry_out(connection, part, lambda: told(sum(map(len, parts))))
    return LaidOut(tables=[place.name for place in left], foreign_keys=len(keys))


async def has_citus(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"))


async def not_laid_out(connection: asyncpg.Connection, every: Sequence[Place]) -> list[Place]:
    """The tables that are not yet where they belong, on a coordinator."""
    done = {row["relname"] for row in await connection.fetch(_LAID_OUT)}
    return [place for place in every if place.name not in done]


def _turn(place: Place, anchor: str) -> int:
    """Reference tables come first, then the table that the others are laid beside."""
    return 0 if place.where == "everywhere" else 1 if place.name == anchor else 2


async def _carry_out(connection: asyncpg.Connection, steps: Sequence[Step], done: Callable[[], None]) -> None:
    """Carry out steps of one kind; one that fails is tried again after the others, which it may need.

    A function may name another one that the other servers do not have yet.
    """
    while steps:
        failed: dict[Step, asyncpg.PostgresError] = {}
        for step in steps:
            try:
                async with connection.transaction():
                    for statement, values in step.statements:
                        await connection.execute(statement, *values)
            except asyncpg.PostgresError as error:
                failed[step] = error
            else:
                done()
        if len(failed) == len(steps):
            first = steps[0]
            raise DistributionStopped(name=first.name, why=reason_of(failed[first])) from failed[first]
        steps = list(failed)


async def _keys_off(connection: asyncpg.Connection, every: Sequence[Place]) -> list[ForeignKey]:
    """Store and drop the foreign keys of tables that are still to be laid out; also those that an earlier run has."""
    async with connection.transaction():
        await connection.execute(_MAKE_STORE)
        left = [place.name for place in await not_laid_out(connection, every)]
        for row in await connection.fetch(_KEYS, [place.name for place in every], left):
            await connection.execute(
                "INSERT INTO timebank_distribution.foreign_key (relation, name, definition) VALUES ($1, $2, $3) "
                "ON CONFLICT (relation, name) DO UPDATE SET is_on = false",
                row["relation"], row["name"], row["definition"],
            )  # fmt: skip
            await connection.execute(f'ALTER TABLE {row["relation"]} DROP CONSTRAINT "{row["name"]}"')
        stored = await connection.fetch(
            "SELECT relation, name, definition FROM timebank_distribution.foreign_key WHERE NOT is_on ORDER BY 1, 2"
        )
    return [ForeignKey(**row) for row in stored]


def _roles() -> Step:
    """The servers connect to each other as the acting role. It gets no password, so nobody else signs in by it.

    Policies ask functions that read sessions and records of logins, which are on every server.
    """
    nested = "citus.allow_nested_distributed_execution = on"
    return Step(
        "timebank_owner",
        tuple(
            (f"ALTER ROLE {role} {change}", ())
            for role in ("timebank_owner", "timebank_app")
            for change in ("LOGIN", f"SET {nested}")
        ),
    )


def _policy(row: asyncpg.Record) -> Step:
    seen = row["seen"].replace(ASKED_ONCE, "visible_communities()")
    return Step(
        f"{row['relation']}.{row['name']}", ((f'ALTER POLICY "{row["name"]}" ON {row["relation"]} USING ({seen})', ()),)
    )


def _table(place: Place, anchor: str) -> Step:
    if place.where == "everywhere":
        return Step(place.name, (("SELECT create_reference_table($1::text::regclass)", (place.name,)),))
    call = "SELECT create_distributed_table($1::text::regclass, 'community_id', colocate_with => $2)"
    return Step(place.name, ((call, (place.name, "none" if place.name == anchor else anchor)),))


def _key_on(key: ForeignKey) -> Step:
    add = f'ALTER TABLE {key.relation} ADD CONSTRAINT "{key.name}" {key.definition}'
    taken = "UPDATE timebank_distribution.foreign_key SET is_on = true WHERE relation = $1 AND name = $2"
    return Step(f"{key.relation}.{key.name}", ((add, ()), (taken, (key.relation, key.name))))


def _function(name: str, first: str | None = None, anchor: str | None = None) -> Step:
    """Make a function known on every server; with the community as first argument it can run where the rows are."""
    if first != "p_community":
        return Step(name, (("SELECT create_distributed_function($1::text::regprocedure)", (name,)),))
    call = "SELECT create_distributed_function($1::text::regprocedure, 'p_community', colocate_with => $2)"
    return Step(name, ((call, (name, anchor)),))


def _settings(database: str) -> Step:
    """What a transaction sets, its communities and its proofs, goes along to every server that it uses.

    The catalogue is some times as large as before: without new statistics every driver's look at it takes minutes.
    """
    settings = (
        "citus.propagate_set_commands = 'local'",
        "citus.allow_nested_distributed_execution = on",
        "citus.multi_shard_modify_mode = 'sequential'",
    )
    along = tuple((f"ALTER DATABASE {database} SET {setting}", ()) for setting in settings)
    more = (
        "DROP SCHEMA IF EXISTS timebank_distribution CASCADE",
        "ANALYZE pg_class, pg_type, pg_attribute, pg_constraint",
    )
    return Step("settings", (*along, *((statement, ()) for statement in more)))
