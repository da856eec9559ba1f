"""What the database refuses to an attacker who has stolen the service's database address."""

import asyncio
import re
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from tests.conftest import as_login
from tests.security.thief import refused, steal
from tests.support.town import SPRING, Town, set_password
from timebank.access.sign_in import sessions
from timebank.access.sign_in.logins import _code_hash, give_one_time_code, use_one_time_code
from timebank.access.sign_in.own_password import change_password
from timebank.access.sign_in.passwords import hash_password, proof_of
from timebank.core import clock, vault
from timebank.core.scope import Role, Scope
from timebank.ledger.donations import donate
from timebank.ledger.schemas import DonationIn
from timebank.operations import serving_login

PASSWORD = "桂兰的密码-2026"

# -------------------------------------------------------------------------------------------------------- the login


async def test_the_service_runs_as_a_login_that_owns_nothing_and_may_become_nobody_else(
    town: Town, serving: asyncpg.Connection
) -> None:
    role = await serving.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
        "WHERE rolname = session_user"
    )
    assert role is not None
    assert not any(role.values())
    groups = await serving.fetch(
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid "
        "JOIN pg_roles s ON s.oid = m.member WHERE s.rolname = session_user"
    )
    assert [row["rolname"] for row in groups] == ["timebank_app"]
    assert not await serving_login.is_operator(serving)
    await refused(serving, "SET ROLE timebank_owner")
    await refused(serving, "CREATE TABLE public.mine (id integer)")
    await refused(
        serving, "CREATE OR REPLACE FUNCTION public.ledger_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT now() $$"
    )


async def test_a_login_is_made_from_its_address_and_gets_its_new_password(pool: str) -> None:
    """The tests' server accepts any password on its socket, so only the form of the stored verifier is checked."""
    name = f"web_{uuid4().hex[:8]}"
    address = as_login(pool, name).replace(f"{name}@", f"{name}:first-one@")
    for password in ("first-one", "second-one"):
        await serving_login.prepare(pool, address.replace("first-one", password))
    owner = await asyncpg.connect(pool)
    kept = await owner.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", name)
    assert re.fullmatch(r"SCRAM-SHA-256\$4096:[^$:]+\$[^$:]+:[^$:]+", kept)
    assert await owner.fetchval("SELECT pg_has_role($1, 'timebank_app', 'USAGE')", name)
    await owner.execute(f'DROP ROLE "{name}"')
    await owner.close()


# ---------------------------------------------------------------------------------------------------------- sign-in


async def test_nobody_reads_what_signs_people_in(town: Town, serving: asyncpg.Connection) -> None:
    await steal(serving, *town.communities.values())
    for table in ("login", "session", "one_time_code"):
        await refused(serving, f"SELECT * FROM {table}")
        await refused(serving, f"SELECT count(*) FROM {table}")
        await refused(serving, f"DELETE FROM {table}")
    await refused(serving, "UPDATE login SET password_hash = 'x'")
    await refused(serving, "UPDATE session SET expires_at = now() + interval '1 year', ended_at = NULL")
    await refused(serving, "UPDATE one_time_code SET used_at = NULL")


OPEN = (
    "INSERT INTO session (id, token_hash, login_id, by_code, created_at, expires_at) "
    "VALUES ($1, $2, $3, $4, now(), now() + interval '1 day')"
)


async def test_a_session_is_opened_by_a_password_or_a_code_alone(town: Town, serving: asyncpg.Connection) -> None:
    login = town.logins["张桂兰"]
    await set_password(login, town.phones["张桂兰"], PASSWORD)
    salt = await serving.fetchval("SELECT salt FROM login_of($1)", vault.blind_index(town.phones["张桂兰"], "phone"))
    tried = ("", salt, await proof_of("不是这个密码", salt), await hash_password(PASSWORD), "x")
    for proof in tried:
        for by_code in (False, True):
            await steal(serving, town.community, proof=proof)
            await refused(serving, OPEN, clock.new_id(), uuid4().bytes, login, by_code)
    await steal(serving, town.community, proof=await proof_of(PASSWORD, salt))
    await refused(serving, OPEN, clock.new_id(), uuid4().bytes, town.logins["赵丽"], False)
    await serving.execute(OPEN, clock.new_id(), uuid4().bytes, login, False)


GIVE = "SELECT code_give($1, $2, $3, $4, $5, $6, now(), now() + interval '1 hour')"


async def test_a_session_that_a_code_opens_is_no_wider_than_the_code(town: Town, serving: asyncpg.Connection) -> None:
    login, phone = town.logins["张桂兰"], town.phones["张桂兰"]
    code = await give_one_time_code(await town.scope("赵丽"), town.people["张桂兰"], phone, "office")
    await use_one_time_code(login, code)
    await steal(serving, town.community, proof=_code_hash(login, code).hex())
    await refused(serving, OPEN, clock.new_id(), uuid4().bytes, login, True)
    opened = OPEN.replace("expires_at)", "expires_at, opens, by_scan)").replace("'1 day')", "'1 day', $5, $6)")
    here, there = town.communities.values()
    for opens, by_scan in (([here, there], False), (None, False), ([here], True)):
        await refused(serving, opened, clock.new_id(), uuid4().bytes, login, True, opens, by_scan)
    await serving.execute(opened, clock.new_id(), uuid4().bytes, login, True, [here], False)


async def test_a_thief_lets_no_login_stand_for_somebody_and_confirms_nobody(
    town: Town, serving: asyncpg.Connection
) -> None:
    thief = await town.scope("王建国")
    await steal(serving, *town.communities.values(), session=thief.session_id)
    index, sealed = vault.blind_index(town.phones["钱进"], "phone"), b"sealed"
    enter = "SELECT login_enter($1, $2, $3, $4, $5, $6, $7, now())"
    fake = (town.community, [town.people["钱进"]], [clock.new_id()], [index], [sealed])
    await refused(serving, enter, *fake, town.logins["赵丽"], False)
    await refused(serving, enter, *fake, thief.login_id, True)
    await refused(serving, "SELECT login_rests_end($1, '{}', $2, now())", town.community, thief.login_id)
    await refused(serving, "SELECT login_rests_end($1, '{}', $2, now())", town.community, town.logins["周敏"])
    await refused(serving, "DELETE FROM spending_rest")


async def test_a_code_opens_one_login_once_it_was_used_and_a_thief_gives_none(
    town: Town, serving: asyncpg.Connection
) -> None:
    login, phone = town.logins["张桂兰"], town.phones["张桂兰"]
    give = (
        "INSERT INTO one_time_code (id, login_id, code_hash, created_at, expires_at) "
        "VALUES ($1, $2, $3, now(), now() + interval '1 hour')"
    )
    thief = await town.scope("王建国")
    for session in (None, thief.session_id):
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, give, clock.new_id(), login, b"mine")
        await refused(serving, GIVE, clock.new_id(), login, b"mine", town.community, "scan", thief.login_id)
    keeper = await town.scope("周敏")
    await steal(serving, *town.communities.values(), session=keeper.session_id)
    await refused(serving, GIVE, clock.new_id(), town.logins["赵丽"], b"mine", town.community, "scan", keeper.login_id)
    await refused(serving, GIVE, clock.new_id(), login, b"mine", town.community, "office", keeper.login_id)
    await refused(serving, GIVE, clock.new_id(), login, b"mine", town.community, "scan", town.logins["赵丽"])
    code = await give_one_time_code(keeper, town.people["张桂兰"], phone, "scan")
    opened = await sessions.sign_in(phone, otp=code)
    assert opened.login_id == login
    await steal(serving, town.community, proof=_code_hash(login, code).hex())
    await refused(serving, OPEN, clock.new_id(), uuid4().bytes, login, True)


async def test_a_password_is_set_by_its_login_alone(town: Town, serving: asyncpg.Connection) -> None:
    login = town.logins["赵丽"]
    await set_password(login, town.phones["赵丽"], PASSWORD)
    thief = await town.scope("王建国")
    for session in (None, thief.session_id, (await town.scope("赵丽")).session_id):
        await steal(serving, town.community, session=session)
        await refused(serving, "SELECT login_set_password($1, 'x', NULL)", login)
        await refused(serving, "SELECT login_set_password($1, 'x', 'x')", login)
    await change_password(await town.scope("赵丽"), "赵丽的新密码-2027", PASSWORD)
    assert (await sessions.sign_in(town.phones["赵丽"], password="赵丽的新密码-2027")).login_id == login


async def test_an_ended_session_proves_nothing(town: Town, serving: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    assert scope.session_id
    await steal(serving, town.community, session=scope.session_id)
    assert await serving.fetchval("SELECT may_administer($1)", town.community)
    await sessions.sign_out(scope.session_id)
    assert not await serving.fetchval("SELECT may_administer($1)", town.community)


# ------------------------------------------------------------------------------------------ memberships and role grants


LINK = "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, now())"
APPOINT = (
    "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
    "VALUES ($1, $2, $3, $4, $5, current_date, now())"
)


@pytest.mark.parametrize("by", [None, "王建国", "周敏", "孙伟", "何静"])
async def test_nobody_lets_a_login_of_theirs_stand_for_somebody_with_an_office(
    town: Town, serving: asyncpg.Connection, by: str | None
) -> None:
    session = (await town.scope(by)).session_id if by else None
    await steal(serving, *town.communities.values(), session=session)
    await refused(serving, LINK, town.community, town.logins[by or "张国庆"], town.people["钱进"])
    if by != "周敏":  # A keeper may give a login to a resident without a role grant.
        await refused(serving, LINK, town.community, town.logins["钱进"], town.people["张国庆"])


@pytest.mark.parametrize("by", [None, "王建国", "周敏", "孙伟", "何静"])
async def test_nobody_appoints_without_administering_the_place(
    town: Town, serving: asyncpg.Connection, by: str | None
) -> None:
    session = (await town.scope(by)).session_id if by else None
    await steal(serving, *town.communities.values(), session=session)
    for region in (town.community, town.street, town.county):
        await refused(
            serving, APPOINT, town.community, clock.new_id(), town.people["张国庆"], "community_admin", region
        )


async def test_an_administrator_appoints_below_and_never_beside_nor_above_nor_themself(
    town: Town, serving: asyncpg.Connection
) -> None:
    """A community administrator appoints keepers; its administrators and auditors are appointed from above."""
    admin = Role.community_admin.value
    await steal(serving, town.community, session=(await town.scope("赵丽")).session_id)
    await refused(serving, APPOINT, town.community, clock.new_id(), town.people["张国庆"], "county_admin", town.county)
    await refused(serving, APPOINT, town.community, clock.new_id(), town.people["张国庆"], admin, town.community)
    await refused(serving, APPOINT, town.community, clock.new_id(), town.people["赵丽"], "auditor", town.community)
    keeper = (
        "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'station_keeper', $4, current_date, now())"
    )
    station = town.stations["暖蜂驿站"]
    await refused(serving, keeper, town.community, clock.new_id(), town.people["赵丽"], station)
    await serving.execute(keeper, town.community, clock.new_id(), town.people["张国庆"], station)
    await steal(serving, town.community, session=(await town.scope("钱进")).session_id)
    await refused(serving, APPOINT, town.community, clock.new_id(), town.people["钱进"], admin, town.community)
    await serving.execute(APPOINT, town.community, clock.new_id(), town.people["张国庆"], admin, town.community)


async def test_an_ended_role_is_not_revived_by_who_held_it(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE person_id = $1", town.people["赵丽"])
    await steal(serving, town.community, session=(await town.scope("赵丽")).session_id)
    await refused(serving, "UPDATE role_grant SET ended_at = NULL WHERE person_id = $1", town.people["赵丽"])


async def test_nobody_puts_up_a_device_at_a_station_of_others(town: Town, serving: asyncpg.Connection) -> None:
    add = (
        "INSERT INTO device (community_id, id, station_id, name, kind, token_hash, created_at) "
        "VALUES ($1, $2, $3, '平板', 'counter', $4, now())"
    )
    for by, station in ((None, "暖蜂驿站"), ("王建国", "暖蜂驿站"), ("周敏", "慈善超市"), ("何静", "暖蜂驿站")):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, add, town.community, clock.new_id(), town.stations[station], uuid4().bytes)


async def test_a_device_that_has_ended_does_not_end_once_more_for_another_one_to_take_its_place(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    add = (
        "INSERT INTO device (community_id, id, station_id, name, kind, token_hash, created_at) "
        "VALUES ($1, $2, $3, '平板', 'counter', $4, now())"
    )
    place = (town.community, town.stations["暖蜂驿站"])
    for ended in (None, clock.now()):
        await owner.execute(
            "INSERT INTO device (community_id, id, station_id, name, kind, token_hash, created_at, revoked_at) "
            "VALUES ($1, $2, $3, '平板', 'counter', $4, now(), $5)",
            place[0], clock.new_id(), place[1], uuid4().bytes, ended,
        )  # fmt: skip
    await steal(serving, town.community, session=(await town.scope("周敏")).session_id)
    async with serving.transaction():
        told = await serving.execute("UPDATE device SET revoked_at = now() WHERE revoked_at IS NOT NULL")
        assert told == "UPDATE 0"
        assert await serving.execute("UPDATE device SET revoked_at = NULL WHERE revoked_at IS NOT NULL") == "UPDATE 0"
        await refused(serving, add, place[0], clock.new_id(), place[1], uuid4().bytes)


# --------------------------------------------------------------------------------- regions, settings and stored answers


async def test_no_community_is_renamed_or_founded_by_who_does_not_administer_above_it(
    town: Town, serving: asyncpg.Connection
) -> None:
    found = (
        "INSERT INTO region (id, parent_id, kind, name, pinyin, path, created_at) "
        "VALUES ($1, $2, $3, '冒名', 'x', '{}', now())"
    )
    for by in (None, "王建国", "赵丽"):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, "UPDATE region SET name = '改名' WHERE id = $1", town.communities[SPRING])
        await refused(serving, "DELETE FROM region WHERE id = $1", town.communities[SPRING])
        await refused(serving, found, clock.new_id(), town.street, "community")
        await refused(serving, found, clock.new_id(), None, "county")


async def test_settings_and_rules_are_their_administrators(town: Town, serving: asyncpg.Connection) -> None:
    policy = "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'notice_days', 0, now())"
    rule = (
        "INSERT INTO rule (community_id, code, version, kind, name, points, unit, cap_period, active, valid_from) "
        "VALUES ($1, 'gift', 1, 'deed', '白送', 9999, '每次', 'week', true, now())"
    )
    for by in (None, "王建国", "周敏", "赵丽"):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, policy, town.communities[SPRING])
        await refused(serving, rule, town.communities[SPRING])


# --------------------------------------------------------------------------------------------- acting in another's name


# $1 community, $2 an id, $3 the key, $4 the actor, $5 the person whose points they are.
ISSUE = (
    "SELECT * FROM ledger_issue($1, ROW($2::uuid, $3, '\\x01', 'deed', now(), now(), $4::uuid, 'deed', $2::uuid, NULL, "
    "NULL, '冒名', NULL, NULL)::ledger_entry, 'person', $5, 'point', NULL, NULL, 100)"
)
EARN = (
    "SELECT * FROM ledger_earn($1, ROW($2::uuid, $3, '\\x01', 'service', now(), now(), $4::uuid, 'service_record', "
    "$2::uuid, NULL, NULL, '冒名', NULL, NULL)::ledger_entry, $5, 60, 6, NULL)"
)


@pytest.mark.parametrize("post", [ISSUE, EARN], ids=["issue", "earn"])
async def test_points_are_posted_in_ones_own_name_or_in_nobodys(
    town: Town, serving: asyncpg.Connection, post: str
) -> None:
    thief = await town.scope("王建国")
    for session in (None, thief.session_id):
        await steal(serving, *town.communities.values(), session=session)
        for victim in ("赵丽", "张桂兰"):
            key = f"deed:{uuid4()}"
            said = await refused(
                serving, post, town.community, clock.new_id(), key, town.people[victim], town.people["王建国"]
            )
            assert said == "somebody else posts this transfer"
    await serving.execute(post, town.community, clock.new_id(), "own", thief.person_id, town.people["张桂兰"])


async def test_every_function_of_the_books_serves_communities_in_scope_alone(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    functions = await owner.fetch(
        "SELECT proname, proargtypes::oid[]::regtype[]::text[] AS types FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND prosecdef AND proname ~ '^(ledger|class|person)_' "
        "AND proargnames[1] = 'p_community' AND has_function_privilege('timebank_app', oid, 'EXECUTE')"
    )
    assert {"ledger_issue", "ledger_earn", "ledger_spend", "class_buy", "person_merge"} <= {
        f["proname"] for f in functions
    }
    await steal(serving, town.communities[SPRING])
    for function in functions:
        others = "".join(f", NULL::{kind}" for kind in function["types"][1:])
        said = await refused(serving, f"SELECT {function['proname']}($1{others})", town.community)
        assert said == "this community is not in scope", function["proname"]


async def test_the_audit_is_written_in_ones_own_name_and_never_altered(town: Town, serving: asyncpg.Connection) -> None:
    write = (
        "INSERT INTO audit (community_id, id, at, person_id, login_id, via, request_id, verb, noun, change) "
        "VALUES ($1, $2, now(), $3, $4, 'api', 'x', 'grant_role', 'role_grant', '{}')"
    )
    thief = await town.scope("王建国")
    for session in (None, thief.session_id):
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, write, town.community, clock.new_id(), town.people["赵丽"], None)
        await refused(serving, write, town.community, clock.new_id(), None, town.logins["赵丽"])
    await serving.execute(write, town.community, clock.new_id(), thief.person_id, thief.login_id)
    await refused(serving, "UPDATE audit SET person_id = NULL")
    await refused(serving, "DELETE FROM audit")


async def test_a_stored_answer_is_read_by_its_caller_alone(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO idempotent_request (community_id, caller_id, key, request_hash, status, body, created_at) "
        "VALUES ($1, $2, 'k', 'x', 201, 'name and code', now())",
        town.community, town.logins["张桂兰"],
    )  # fmt: skip
    await steal(serving, *town.communities.values(), session=(await town.scope("王建国")).session_id)
    assert await serving.fetch("SELECT * FROM idempotent_request") == []
    await steal(serving, *town.communities.values(), session=(await town.scope("张桂兰")).session_id)
    assert len(await serving.fetch("SELECT * FROM idempotent_request")) == 1
    await refused(serving, "DELETE FROM idempotent_request")


# ------------------------------------------------------------------------------------------------------- all privileges


async def test_each_privilege_that_could_make_somebody_more_is_known(owner: asyncpg.Connection) -> None:
    """The serving role's privileges on tables that decide who may sign in, act or appoint; an added one fails here."""
    tables = [
        "login", "session", "one_time_code", "throttle", "idempotent_request", "installation", "region", "membership",
        "role_grant", "device", "policy", "rule", "audit", "transfer", "account", "sign_in_failure", "sign_in_suspect",
        "known_browser", "waiting_change", "household_move", "counter_sign_on", "counter_confirmation", "code_reading",
        "good_price", "membership_question", "spending_rest", "import_run", "import_work", "import_word", "workday",
        "mass_decision", "mass_decision_item",
    ]  # fmt: skip
    found = await owner.fetch(
        "SELECT c.relname, p.privilege, has_table_privilege('timebank_app', c.oid, p.privilege) AS whole, "
        "ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 "
        "AND p.privilege <> 'DELETE' AND has_column_privilege('timebank_app', c.oid, a.attnum, "
        "replace(p.privilege, 'DELETE', 'SELECT')) ORDER BY a.attnum) AS columns "
        "FROM pg_class c, LATERAL unnest($2::text[]) AS p (privilege) WHERE c.relname = ANY ($1) ORDER BY 1, 2",
        tables, ["SELECT", "INSERT", "UPDATE", "DELETE"],
    )  # fmt: skip
    kept: dict[str, str] = {}
    for row in found:
        if row["whole"] or row["columns"]:
            told = row["privilege"] if row["whole"] else f"{row['privilege']}({','.join(row['columns'])})"
            kept[row["relname"]] = f"{kept.get(row['relname'], '')} {told}".strip()
    assert kept == {
        "account": "SELECT", "audit": "INSERT SELECT",
        "code_reading": "DELETE INSERT SELECT",
        "counter_confirmation": "INSERT SELECT UPDATE(redemption_id,status,decided_by,decided_by_login,decided_at)",
        "counter_sign_on":
            "INSERT SELECT(community_id,id,device_id,person_id,login_id,signed_on_at,expires_at,signed_off_at)",
        "device":
            "INSERT SELECT(community_id,id,station_id,name,kind,created_at,created_by,revoked_at,pairing_expires_at,"
            "paired_at,seen_at) UPDATE(revoked_at)",
        "good_price": "INSERT SELECT", "household_move": "INSERT SELECT",
        "idempotent_request": "INSERT SELECT UPDATE", "installation": "INSERT SELECT UPDATE(worker_seen_at)",
        "import_run": "INSERT SELECT UPDATE(accepted,created,report,undone_at,undone_by,ended_at,stopped)",
        "import_word": "DELETE INSERT SELECT UPDATE(word,target,added,decided_by,decided_at)",
        "import_work":
            "DELETE INSERT(community_id,run_id,verb,plan,done,total,created,late,login_id,persons,proof_hash,"
            "proof_sealed,began_at,held_until) SELECT(community_id,run_id,verb,plan,done,total,created,late,login_id,"
            "persons,proof_sealed,began_at,held_until) UPDATE(done,created,late,held_until)",
        "mass_decision":
            "INSERT(community_id,id,noun,decision,note,asked,status,chosen,login_id,persons,decided_by,proof_hash,"
            "proof_sealed,decided_at,due_at) SELECT(community_id,id,noun,decision,note,asked,status,stopped,chosen,"
            "done,refused,login_id,persons,decided_by,proof_sealed,decided_at,due_at,ended_at) "
            "UPDATE(status,stopped,done,refused,ended_at)",
        "mass_decision_item": "INSERT SELECT UPDATE(outcome,refusal)",
        "membership": "DELETE SELECT", "membership_question": "DELETE SELECT",
        "policy": "INSERT SELECT UPDATE", "region": "INSERT SELECT",
        "role_grant": "DELETE INSERT SELECT UPDATE", "rule": "INSERT SELECT", "session": "INSERT",
        "spending_rest": "SELECT", "throttle": "DELETE INSERT SELECT UPDATE", "transfer": "SELECT",
        "waiting_change": "INSERT SELECT UPDATE(status,decided_by,decided_by_login,decided_at,note)",
        "workday": "DELETE INSERT SELECT UPDATE(works,name,set_by,set_at)",
    }  # fmt: skip


def test_the_document_names_each_function_that_refuses() -> None:
    root = Path(__file__).parents[2]
    told = (root / "docs" / "privileges.md").read_text(encoding="utf-8")
    sql = (root / "migrations" / "0034_privileges.sql").read_text(encoding="utf-8")
    asked = set(
        re.findall(r"FUNCTION (may_\w+|is_signing_in|is_acting|is_caller|login_confirmed|access_audit_login)\(", sql)
    )
    assert len(asked) > 15
    assert {name for name in asked if name not in told} == set()


async def test_gifts_at_the_same_time_name_each_giver(town: Town, owner: asyncpg.Connection) -> None:
    scopes: list[Scope] = []
    for name in ("张桂兰", "王建国", "陈明"):
        await town.credit_deed(name, 20)
        scopes.append(await town.scope(name))
    await asyncio.gather(
        *(
            donate(scope, DonationIn(scope.require_self(), 5, ""), key=uuid4().hex, request_hash=uuid4().bytes * 2)
            for scope in scopes
        )
    )
    actors = await owner.fetch("SELECT actor_id FROM transfer WHERE kind = 'donation'")
    assert {row["actor_id"] for row in actors} == {scope.person_id for scope in scopes}
