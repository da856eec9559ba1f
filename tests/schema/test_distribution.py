"""The schema can be laid out by community on several servers: the catalogue has nothing that could not be."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.town import Town
from timebank.core.database import transactions
from timebank.operations import distributing, distribution
from timebank.operations.distribution import EVERYWHERE, Fault

COMPARE_TRANSACTIONS = {"agreed_now", "may_add_device", "access_audit_login"}
"""Functions that recognise a row as written by the running transaction. On a server that does not hold the row they
find nothing, and so refuse; no further one may be added."""


READ_WITH_ARGUMENTS = {
    "access_password_facts", "agreed_now", "agreement_guardians", "agreement_officers", "agreement_unconfirmed",
    "class_lasts_until", "class_movable", "class_shares", "class_unused", "device_waiting",
    "imports_left", "login_moved", "login_questions", "rest_is_made_for",
}  # fmt: skip
"""Functions in SQL that read a community's table with their arguments, which Citus cannot plan; new ones are PL/pgSQL.

Those that write points, links and answers are too; these read for a page, so that their plans can be looked at.
"""


async def test_nothing_keeps_the_schema_from_being_distributed(owner: asyncpg.Connection) -> None:
    found = await distribution.faults(owner)
    assert [fault for fault in found if fault.blocks] == []
    known = {"transaction_number": COMPARE_TRANSACTIONS, "sql_arguments": READ_WITH_ARGUMENTS}
    assert {(fault.code, fault.name) for fault in found} == {(code, name) for code in known for name in known[code]}


async def test_every_table_has_its_place(owner: asyncpg.Connection) -> None:
    """A table of no community is on every server, any other on its community's; links of logins are the exception."""
    tables = {
        row["tablename"] for row in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    tenants = {
        row["name"]
        for row in await owner.fetch(
            "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE a.attname = 'community_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        )
    }
    where = {place.name: place.where for place in await distribution.tables_to_lay_out(owner)}
    assert set(where) == tables - {"migration"}
    assert {name for name in where if where[name] == "by_community"} == tenants - EVERYWHERE
    assert tenants >= EVERYWHERE


@pytest.fixture
async def planting(owner: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection in a transaction that is rolled back, to plant a fault in the schema."""
    planted = owner.transaction()
    await planted.start()
    await owner.execute("SET LOCAL ROLE timebank_owner")
    yield owner
    await planted.rollback()


NOTHING = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
PLANTED = {
    "no_key": ("CREATE TABLE planted (community_id uuid NOT NULL)", "planted"),
    "community_type": (
        "CREATE TABLE planted (community_id text NOT NULL, id uuid, PRIMARY KEY (community_id, id))", "planted",
    ),
    "key_without_community": ("CREATE UNIQUE INDEX planted ON visit (id)", "visit.planted"),
    "foreign_key_apart": (
        ("CREATE UNIQUE INDEX planted ON station (name, community_id); "
         "ALTER TABLE course ADD CONSTRAINT planted FOREIGN KEY (title, community_id) "
         "REFERENCES station (name, community_id) NOT VALID"),
        "course.planted",
    ),
    "foreign_key_out": (
        ("ALTER TABLE membership ADD CONSTRAINT planted FOREIGN KEY (community_id, person_id) "
        "REFERENCES person (community_id, id)"),
        "membership.planted",
    ),
    "foreign_key_action": (
        ("ALTER TABLE visit ADD CONSTRAINT planted FOREIGN KEY (community_id, shift_id) "
         "REFERENCES shift (community_id, id) ON DELETE SET NULL"),
        "visit.planted",
    ),
    "policy_subquery": (
        ("CREATE POLICY planted ON visit AS RESTRICTIVE FOR UPDATE TO timebank_app USING (true) "
        "WITH CHECK (station_id IN (SELECT id FROM station))"),
        "visit.planted",
    ),
    "forced": ("ALTER TABLE visit FORCE ROW LEVEL SECURITY", "visit"),
    "trigger": (
        NOTHING + "CREATE TRIGGER planted AFTER INSERT ON visit EXECUTE FUNCTION nothing()", "visit.planted",
    ),
    "deferrable": (
        "ALTER TABLE visit ADD CONSTRAINT planted UNIQUE (community_id, id, in_at) DEFERRABLE INITIALLY DEFERRED",
        "visit.planted",
    ),
    "exclusion": ("ALTER TABLE visit ADD CONSTRAINT planted EXCLUDE (id WITH =)", "visit.planted"),
    "sequence": ("ALTER TABLE visit ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY", "visit_number_seq"),
    "serving_power": ("RESET ROLE; ALTER TABLE visit OWNER TO timebank_app", "visit"),
    "serving_write": (
        ("CREATE FUNCTION planted(p_community uuid) RETURNS void LANGUAGE sql AS $$ "
         "INSERT INTO claim SELECT * FROM claim WHERE community_id = p_community $$; "
         "GRANT EXECUTE ON FUNCTION planted TO timebank_app"),
        "planted",
    ),
    "transaction_number": (
        ("CREATE FUNCTION planted(p_community uuid) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM visit v "
        "WHERE v.xmin = pg_current_xact_id()::xid $$"),
        "planted",
    ),
    "recursion": (
        ("CREATE FUNCTION planted() RETURNS bigint LANGUAGE sql AS $$ WITH RECURSIVE up AS (SELECT 1 AS n UNION "
        "SELECT n + 1 FROM up WHERE n < 9) SELECT count(*) FROM up $$"),
        "planted",
    ),
    "sql_arguments": (
        ("CREATE FUNCTION planted(p_id uuid) RETURNS bigint LANGUAGE sql AS $$ "
         "SELECT count(*) FROM visit WHERE id = p_id $$"),
        "planted",
    ),
    "advisory_lock": (
        "CREATE FUNCTION planted() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(1) $$", "planted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", PLANTED)
async def test_what_could_not_be_distributed_is_found(planting: asyncpg.Connection, code: str) -> None:
    before = await distribution.faults(planting)
    statements, name = PLANTED[code]
    await planting.execute(statements)
    new: list[Fault] = [fault for fault in await distribution.faults(planting) if fault not in before]
    assert (code, name) in {(fault.code, fault.name) for fault in new}


async def test_a_fault_is_planted_of_every_kind() -> None:
    assert set(PLANTED) == {fact.code for fact in distribution.FACTS}


async def test_what_distribute_makes_of_the_policies_has_no_subquery_and_shows_the_same_rows(
    town: Town, planting: asyncpg.Connection
) -> None:
    """One server keeps the subquery, with which its plans are better; Citus allows none."""
    asked = await planting.fetch(distributing._POLICIES, distribution.ASKED_ONCE)
    assert len(asked) > 50
    for row in asked:
        for statement, _ in distributing._policy(row).statements:
            await planting.execute(statement)
    left = "SELECT count(*) FROM pg_policy WHERE concat(polqual::text, polwithcheck::text) LIKE '%{SUBLINK%'"
    assert await planting.fetchval(left) == 0
    await planting.execute(transactions.begin_sql(frozenset({town.community})).removeprefix("BEGIN; "))
    seen = await planting.fetch("SELECT DISTINCT community_id FROM person")
    assert [row["community_id"] for row in seen] == [town.community]


async def test_a_server_without_the_extension_is_refused_and_nothing_is_changed(
    pool: str, owner: asyncpg.Connection
) -> None:
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    before = await owner.fetchval(keys)
    with pytest.raises(distributing.NoCitus):
        await distributing.lay_out(pool)
    assert await owner.fetchval(keys) == before > 100
    assert not await owner.fetchval("SELECT to_regnamespace('timebank_distribution')")
    assert not await owner.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'timebank_app'")


LOOKED_UP_BY = (
    "access_sessions", "access_record", "access_grant", "community_in_reach", "import_actor",
    "grants_in_force", "access_device", "login_keeps",
    "acting_grants", "acting_device", "is_acting",
)  # fmt: skip


async def test_who_the_caller_is_is_read_in_the_communities_of_the_login_alone(owner: asyncpg.Connection) -> None:
    """Functions that a request's first look-up calls: each statement that reads a community's table names one."""
    by_community = {
        place.name for place in await distribution.tables_to_lay_out(owner) if place.where == "by_community"
    }
    bodies = await owner.fetch(
        "SELECT proname, prosrc FROM pg_proc WHERE proname = ANY ($1)",
        list(LOOKED_UP_BY),
    )
    assert len(bodies) == len(LOOKED_UP_BY)
    for body in bodies:
        for statement in _reads(body["prosrc"]):
            named = [table for table in by_community if f" {table} " in f" {statement} "]
            assert not named or "community_id =" in statement, (body["proname"], statement)


def _reads(body: str) -> list[str]:
    """The SELECTs of a PL/pgSQL body, from each FROM to the end of its statement."""
    lines = " ".join(body.split()).split(";")
    return [line[line.index(" FROM ") :] for line in lines if " FROM " in line and "SELECT" in line]
