"""What the database refuses to a thief of the service's database address: the second person, sign-in, the counter."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.security.thief import refused, steal
from tests.support.counter import has_password, kept, tablet
from tests.support.presence import personal_code
from tests.support.town import SPRING, Town, operating
from timebank.access.devices import devices
from timebank.access.roles.grants import grant
from timebank.access.schemas import GrantIn
from timebank.access.sign_in.sessions import sign_in
from timebank.access.sign_in_codes import sign_in_code
from timebank.agreements.schemas import Waiting
from timebank.core import clock, vault
from timebank.core.scope import Role
from timebank.overview.agreements import decide_change
from timebank.policies.values import change_policy
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn

# ------------------------------------------------------------------------------------------------------- two people

PROPOSE = (
    "INSERT INTO waiting_change (community_id, id, kind, subject, person_id, change, before, needs, depth, "
    "proposed_by, proposed_by_login, proposed_at, status) "
    "VALUES ($1, $2, 'admin_grant', $3, $4, $5::jsonb, 'false', 'above', 3, $6, $7, now(), 'waiting')"
)
DECIDE = (
    "UPDATE waiting_change SET status = $2, decided_by = $3, decided_by_login = $4, decided_at = now() WHERE id = $1"
)
APPOINT = (
    "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
    "VALUES ($1, $2, $3, $4, $5, current_date, now())"
)


async def proposed(town: Town, name: str = "张国庆") -> UUID:
    """赵丽 proposes this person as a second community administrator. Returns the id of the waiting change."""
    asked = GrantIn(person_id=town.people[name], role=Role.community_admin, region_id=town.community)
    waits = await grant(await town.scope("赵丽"), asked)
    assert isinstance(waits, Waiting)
    return waits.waiting


async def test_a_change_is_proposed_in_the_own_name_by_who_serves_there_and_stays_as_it_was(
    town: Town, serving: asyncpg.Connection
) -> None:
    change, puppet = '{"do": {}, "says": {}}', town.people["张国庆"]
    for by, name in ((None, "赵丽"), ("王建国", "赵丽"), ("王建国", "王建国"), ("何静", "何静"), ("周敏", "赵丽")):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        for proposer, login in ((town.people[name], town.logins[name]), (None, None)):
            row = (town.community, clock.new_id(), uuid4().hex, puppet, change, proposer, login)
            await refused(serving, PROPOSE, *row)
    waiting = await proposed(town)
    await steal(serving, town.community, session=(await town.scope("赵丽")).session_id)
    for column in ("change = '{}'", "proposed_by_login = NULL", "depth = 9", "person_id = NULL", "involved = '{}'"):
        await refused(serving, f"UPDATE waiting_change SET {column} WHERE id = $1", waiting)
    await refused(serving, "DELETE FROM waiting_change WHERE id = $1", waiting)


@pytest.mark.parametrize("by", [None, "王建国", "周敏", "赵丽", "何静", "张国庆"])
async def test_nobody_agrees_but_a_second_person_from_above(
    town: Town, serving: asyncpg.Connection, by: str | None
) -> None:
    waiting = await proposed(town)
    session = (await town.scope(by)).session_id if by else None
    await steal(serving, *town.communities.values(), session=session)
    for name in {by or "赵丽", "钱进"}:
        for status in ("agreed", "refused"):
            await refused(serving, DECIDE, waiting, status, town.people[name], town.logins[name])
            await refused(serving, DECIDE, waiting, status, None, None)
    street = await town.scope("钱进")
    await steal(serving, town.community, session=street.session_id)
    await serving.execute(DECIDE, waiting, "agreed", town.people["钱进"], town.logins["钱进"])


async def test_whoever_opened_the_proposers_login_is_no_second_person(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "UPDATE login SET opened_by_login = $2, opened_at = now() WHERE id = $1",
        town.logins["赵丽"],
        town.logins["钱进"],
    )
    waiting = await proposed(town)
    await steal(serving, town.community, session=(await town.scope("钱进")).session_id)
    await refused(serving, DECIDE, waiting, "agreed", town.people["钱进"], town.logins["钱进"])
    await refused(
        serving, "SELECT login_confirmed($1, $2, $3, now())", town.community, town.people["赵丽"], town.logins["钱进"]
    )
    for by in ("王建国", "赵丽"):
        await steal(serving, town.community, session=(await town.scope(by)).session_id)
        for name in (by, "何静"):
            ask = "SELECT login_confirmed($1, $2, $3, now())"
            await refused(serving, ask, town.community, town.people["赵丽"], town.logins[name])
    await steal(serving, town.community, session=(await town.scope("周敏")).session_id)
    confirm = "SELECT login_confirmed($1, $2, $3, now())"
    assert await serving.fetchval(confirm, town.community, town.people["赵丽"], town.logins["周敏"]) == 1


async def test_an_auditor_does_by_agreeing_what_was_proposed_and_nothing_else(
    town: Town, serving: asyncpg.Connection
) -> None:
    waiting, auditor = await proposed(town), await town.scope("孙伟")
    appoint = (town.community, clock.new_id(), town.people["张国庆"], "community_admin", town.community)
    await steal(serving, town.community, session=auditor.session_id)
    await refused(serving, APPOINT, *appoint)
    for person, role in (("张国庆", "auditor"), ("李秀英", "community_admin")):
        async with serving.transaction():
            await serving.execute(DECIDE, waiting, "agreed", auditor.person_id, auditor.login_id)
            await serving.execute("SAVEPOINT tried")
            await refused(serving, APPOINT, town.community, clock.new_id(), town.people[person], role, town.community)
            await serving.execute("ROLLBACK TO tried")
            policy = "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'notice_days', 0, now())"
            await refused(serving, policy, town.community)
            await serving.execute("ROLLBACK TO tried")
            await serving.execute(
                "UPDATE waiting_change SET status = 'withdrawn', decided_by = NULL, decided_by_login = NULL "
                "WHERE id = $1",
                waiting,
            )
        waiting = await proposed(town)
    async with serving.transaction():
        await serving.execute(DECIDE, waiting, "agreed", auditor.person_id, auditor.login_id)
        await serving.execute(APPOINT, *appoint)
    again = (town.community, clock.new_id(), *appoint[2:])
    await refused(serving, APPOINT, *again)


async def test_the_second_person_is_who_acts_in_what_is_carried_out(town: Town, owner: asyncpg.Connection) -> None:
    """The role grant names the proposer as granted_by; the audit names who agreed."""
    waiting, street = await proposed(town), await town.scope("钱进")
    assert (await decide_change(street, waiting, "agree")).status == "agreed"
    given = await owner.fetchrow(
        "SELECT id, granted_by FROM role_grant WHERE person_id = $1 AND role = 'community_admin'", town.people["张国庆"]
    )
    assert given is not None
    assert given["granted_by"] == town.people["赵丽"]
    acted = await owner.fetchrow("SELECT person_id, login_id FROM audit WHERE noun_id = $1", given["id"])
    assert acted is not None
    assert (acted["person_id"], acted["login_id"]) in {
        (None, town.logins["钱进"]), (town.people["钱进"], town.logins["钱进"])
    }  # fmt: skip


async def test_what_is_done_alone_is_listed_by_who_administers(town: Town, serving: asyncpg.Connection) -> None:
    listed = (
        "SELECT agreement_done_alone($1, $2, 'policy_before', 'notice_days', NULL, '{}', 'above', 3, $3, $4, now())"
    )
    for by, name in ((None, "赵丽"), ("周敏", "周敏"), ("何静", "何静"), ("赵丽", "钱进")):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, listed, town.community, clock.new_id(), town.people[name], town.logins[name])
        await refused(serving, listed, town.community, clock.new_id(), None, None)
    assert await change_policy(await town.scope("赵丽"), "notice_days", 3) is None


async def test_the_operator_is_the_second_person_by_the_operators_address(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 10)
    await owner.execute(
        "UPDATE role_grant SET ended_at = now() WHERE role IN ('street_admin', 'county_admin', 'auditor')"
    )
    waiting = await proposed(town)
    async with operating():
        assert (await decide_change(town.system(), waiting, "agree")).status == "agreed"


# ------------------------------------------------------------------------------------------------------ sign-in


async def test_the_counts_of_failures_and_the_known_browsers_are_their_functions_alone(
    serving: asyncpg.Connection, town: Town
) -> None:
    await steal(serving, town.community)
    for table in ("sign_in_failure", "sign_in_suspect", "known_browser"):
        await refused(serving, f"SELECT * FROM {table}")
        await refused(serving, f"DELETE FROM {table}")
    await refused(serving, "SELECT login_was_opened($1, $2, now())", town.logins["赵丽"], uuid4())


async def test_a_sign_in_code_names_who_gave_it(town: Town, serving: asyncpg.Connection) -> None:
    """A code without a recorded giver would let a keeper sign in as somebody else and count as two people."""
    give = "SELECT code_give($1, $2, '\\x01', $4, 'scan', $3, now(), now() + interval '1 hour')"
    await steal(serving, town.community, session=(await town.scope("周敏")).session_id)
    for giver in (None, town.logins["赵丽"]):
        await refused(serving, give, clock.new_id(), town.logins["张桂兰"], giver, town.community)
    await serving.execute(give, clock.new_id(), town.logins["张桂兰"], town.logins["周敏"], town.community)
    await steal(serving, town.community, session=(await town.scope("赵丽")).session_id)
    for peer in ("孙伟", "钱进", "赵丽"):
        await refused(serving, give, clock.new_id(), town.logins[peer], town.logins["赵丽"], town.community)


async def test_the_audit_tells_of_a_login_only_what_the_login_has_done(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    write = "SELECT access_audit_login($1, $2, 'x', now(), '{}')"
    await steal(serving, town.community, session=(await town.scope("王建国")).session_id)
    for verb in ("sign_in", "sign_out", "set_password"):
        for name in ("赵丽", "王建国"):
            await refused(serving, write, town.logins[name], verb)
    await serving.execute(write, town.logins["赵丽"], "fail_sign_in")
    [row] = await owner.fetch("SELECT person_id, login_id FROM audit WHERE verb = 'fail_sign_in'")
    assert (row["person_id"], row["login_id"]) == (None, None)
    code = (await sign_in_code(await town.scope("周敏"), town.people["张桂兰"], "scan")).code
    await sign_in(town.phones["张桂兰"], otp=code)
    assert await owner.fetchval("SELECT login_id FROM audit WHERE verb = 'sign_in'") == town.logins["张桂兰"]


# ----------------------------------------------------------------------------------------------------- at the counter

SIGN_ON = (
    "INSERT INTO counter_sign_on (community_id, id, device_id, person_id, login_id, session_id, signed_on_at, "
    "expires_at) VALUES ($1, $2, $3, $4, $5, $6, now(), now() + interval '12 hours')"
)


async def test_nobody_reads_a_devices_token_or_the_session_behind_a_sign_on(
    town: Town, client: httpx.AsyncClient, serving: asyncpg.Connection
) -> None:
    made = await kept(client, town)
    await steal(serving, *town.communities.values())
    for secret in ("device.token_hash", "device.pairing_hash", "counter_sign_on.session_id"):
        table, column = secret.split(".")
        await refused(serving, f"SELECT {column} FROM {table}")
        await refused(serving, f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL")
    await refused(serving, "UPDATE device SET token_hash = '\\x01' WHERE id = $1", made.id)
    await refused(serving, "UPDATE counter_sign_on SET signed_off_at = NULL")
    await refused(serving, "SELECT counter_sign_off($1, $2, now())", town.community, made.id)


async def test_a_keeper_signs_on_by_the_own_session_at_a_tablet_that_shows_its_token(
    town: Town, client: httpx.AsyncClient, serving: asyncpg.Connection
) -> None:
    made = await tablet(client, town)
    shown, keeper, other = vault.token_hash(made.token).hex(), await town.scope("周敏"), await town.scope("王建国")
    row = (town.community, clock.new_id(), made.id)
    own = (keeper.person_id, keeper.login_id, keeper.session_id)
    for session, device, who in (
        (None, shown, own),
        (keeper.session_id, "", own),
        (keeper.session_id, uuid4().hex, own),
        (other.session_id, shown, own),
        (other.session_id, shown, (other.person_id, other.login_id, other.session_id)),
        (keeper.session_id, shown, (town.people["赵丽"], keeper.login_id, keeper.session_id)),
    ):
        await steal(serving, town.community, session=session, device=device)
        await refused(serving, SIGN_ON, *row, *who)
    await steal(serving, town.community, session=keeper.session_id, device=shown)
    await serving.execute(SIGN_ON, *row, *own)


async def test_a_pairing_code_makes_one_device_and_a_thief_makes_none(town: Town, serving: asyncpg.Connection) -> None:
    made = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="平板", kind="counter"
    )
    pair = "SELECT device_pair($1, $2, 'counter', '\\x01', now())"
    await steal(serving, *town.communities.values(), session=(await town.scope("赵丽")).session_id)
    assert await serving.fetchval(pair, town.community, b"guessed") is None
    assert await devices.pair(made.pairing_code, "counter")
    assert await serving.fetchval(pair, town.community, vault.token_hash(made.pairing_code)) is None


WRITE = (
    "INSERT INTO audit (community_id, id, at, person_id, login_id, via, request_id, verb, noun, change, device_id) "
    "VALUES ($1, $2, now(), $3, $4, 'device', 'x', 'check_in', 'visit', '{}', $5)"
)


async def test_a_tablet_writes_in_the_name_of_who_signed_on_to_it_and_of_nobody_else(
    town: Town, client: httpx.AsyncClient, serving: asyncpg.Connection
) -> None:
    made = await kept(client, town)
    await made.ask("DELETE", "/counter/sign-on", 204)
    keeper = (town.people["周敏"], town.logins["周敏"], made.id)
    await steal(serving, town.community)
    await refused(serving, WRITE, town.community, clock.new_id(), *keeper)
    await steal(serving, town.community, device=vault.token_hash(made.token).hex())
    await serving.execute(WRITE, town.community, clock.new_id(), *keeper)
    await refused(serving, WRITE, town.community, clock.new_id(), town.people["赵丽"], town.logins["赵丽"], made.id)
    await devices.revoke(await town.scope("赵丽"), made.id)
    await refused(serving, WRITE, town.community, clock.new_id(), *keeper)


async def test_what_waited_on_a_tablet_is_the_keepers_of_then_also_after_the_next_has_signed_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    made = await kept(client, town)
    at = clock.now() + timedelta(minutes=1)
    with clock.at(at):
        code = personal_code(town, "张桂兰")
    with clock.at(at + timedelta(minutes=1)):
        await has_password(town, "赵丽")
        await made.sign_on(town, "赵丽")
        asked = ScanIn(code=code, nonce=uuid4().hex, offline=True, occurred_at=at)
        verdict = await scan(await made.scope(), asked)
    assert verdict.status == "ok", verdict
    acted = await owner.fetchrow("SELECT person_id, login_id, device_id FROM audit WHERE verb = 'check_in'")
    assert acted is not None
    assert tuple(acted) == (town.people["周敏"], town.logins["周敏"], made.id)


async def test_a_second_member_of_staff_agrees_at_the_counter(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    ask = (
        "INSERT INTO counter_confirmation (community_id, id, kind, person_id, station_id, good_id, quantity, asked_by, "
        "asked_by_login, asked_at, status) VALUES ($1, $2, 'spend', $3, $4, $5, 1, $6, $7, now(), 'waiting')"
    )
    agree = (
        "UPDATE counter_confirmation SET status = 'agreed', decided_by = $2, decided_by_login = $3, decided_at = now() "
        "WHERE id = $1"
    )
    asked = clock.new_id()
    row = (town.community, asked, town.people["张桂兰"], town.stations["暖蜂驿站"], town.goods["香皂"])
    for by, name in ((None, "周敏"), ("王建国", "周敏"), ("王建国", "王建国"), ("何静", "何静")):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, ask, *row, town.people[name], town.logins[name])
        await refused(serving, ask, *row, None, None)
    await steal(serving, town.community, session=(await town.scope("周敏")).session_id)
    await serving.execute(ask, *row, town.people["周敏"], town.logins["周敏"])
    for name in ("周敏", "赵丽"):
        await refused(serving, agree, asked, town.people[name], town.logins[name])
    await refused(serving, agree, asked, None, None)
    await refused(serving, "UPDATE counter_confirmation SET quantity = 9 WHERE id = $1", asked)
    await steal(serving, town.community, session=(await town.scope("王建国")).session_id)
    await refused(serving, agree, asked, town.people["王建国"], town.logins["王建国"])
    await steal(serving, town.community, session=(await town.scope("赵丽")).session_id)
    await serving.execute(agree, asked, town.people["赵丽"], town.logins["赵丽"])


async def test_a_station_gets_no_second_screen_from_its_keeper_alone(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    """A second screen at home would show the code to people who are not at the station; a second person must agree."""
    add = (
        "INSERT INTO device (community_id, id, station_id, name, kind, token_hash, created_at) "
        "VALUES ($1, $2, $3, '屏', 'display', $4, now())"
    )
    station = town.stations["暖蜂驿站"]
    await steal(serving, town.community, session=(await town.scope("周敏")).session_id)
    first = clock.new_id()
    await serving.execute(add, town.community, first, station, uuid4().bytes)
    await refused(serving, add, town.community, clock.new_id(), station, uuid4().bytes)
    renew = "SELECT device_renew($1, $2, '\\x01', '\\x02', now() + interval '1 hour')"
    await steal(serving, town.community, session=(await town.scope("王建国")).session_id)
    assert await serving.fetchval(renew, town.community, first) is None
    await serving.execute("SELECT device_used($1, '\\x00', now())", town.community)
    assert await owner.fetchval("SELECT seen_at FROM device WHERE id = $1", first) is None
    await steal(serving, town.community, session=(await town.scope("周敏")).session_id)
    assert await serving.fetchval(renew, town.community, first) == first
    await serving.execute("UPDATE device SET revoked_at = now() WHERE id = $1", first)
    await serving.execute(add, town.community, clock.new_id(), station, uuid4().bytes)
    revived = await serving.execute("UPDATE device SET revoked_at = NULL WHERE id = $1", first)
    assert revived == "UPDATE 0", "what has ended stays ended"


async def test_neither_whom_the_proposer_has_appointed_nor_a_guardian_agrees(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    waiting, mine = await proposed(town), (town.people["钱进"], town.logins["钱进"])
    chosen = "UPDATE role_grant SET granted_by = $2, granted_at = now() + $3::interval WHERE person_id = $1"
    await owner.execute(chosen, town.people["钱进"], town.people["赵丽"], timedelta(minutes=1))
    await steal(serving, town.community, session=(await town.scope("钱进")).session_id)
    await refused(serving, DECIDE, waiting, "agreed", *mine)
    await owner.execute(chosen, town.people["钱进"], town.people["赵丽"], -timedelta(days=1))
    guardian = (
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at) "
        "VALUES ($1, $2, $3, $4, '监护', now())"
    )
    child = (town.community, clock.new_id(), town.people["钱进"], town.people["张国庆"])
    await owner.execute(guardian, *child)
    await refused(serving, DECIDE, waiting, "agreed", *mine)
    await owner.execute("DELETE FROM guardianship WHERE id = $1", child[1])
    await serving.execute(DECIDE, waiting, "agreed", *mine)


async def test_who_read_a_stations_code_is_not_forgotten_while_it_is_good(
    town: Town, serving: asyncpg.Connection
) -> None:
    read = "INSERT INTO code_reading (community_id, station_id, step, reader_id, read_at) VALUES ($1, $2, 1, $3, now())"
    keeper = await town.scope("周敏")
    await steal(serving, town.community, session=keeper.session_id)
    await refused(serving, read, town.community, town.stations["暖蜂驿站"], town.logins["赵丽"])
    await serving.execute(read, town.community, town.stations["暖蜂驿站"], keeper.login_id)
    assert await serving.execute("DELETE FROM code_reading") == "DELETE 0"


async def test_the_price_of_a_good_and_who_moved_are_not_made_up(town: Town, serving: asyncpg.Connection) -> None:
    price = "INSERT INTO good_price (community_id, good_id, points, since) VALUES ($1, $2, 1, now())"
    moved = (
        "INSERT INTO household_move (community_id, id, person_id, from_household, moved_at, moved_by) "
        "VALUES ($1, $2, $3, $4, now(), $5)"
    )
    for by in (None, "王建国", "周敏", "何静"):
        session = (await town.scope(by)).session_id if by else None
        await steal(serving, *town.communities.values(), session=session)
        await refused(serving, price, town.community, town.goods["香皂"])
        await refused(
            serving, moved, town.community, clock.new_id(), town.people["张桂兰"], town.households["陈明"],
            town.people["赵丽"],
        )  # fmt: skip
    await steal(serving, *town.communities.values(), session=(await town.scope("赵丽")).session_id)
    await refused(serving, price, town.communities[SPRING], town.goods["香皂"])
