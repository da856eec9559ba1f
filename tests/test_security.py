"""What must not be possible: for whom, by what way round, and what nobody may read out of a log."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.ledger_sums import problems_of
from tests.presence import (
    count,
    nine_o_clock,
    nonce,
    points_of,
    record_id_of,
    served,
)
from tests.test_service_records import entered
from tests.town import SPRING, Town
from timebank import clock
from timebank.access import devices
from timebank.access.callers import csrf_token
from timebank.access.registration import OfficeHolder, amend, sign_in_code
from timebank.checkins import due, hours, review
from timebank.checkins.deciding import OwnRecord
from timebank.checkins.due import credit_due_records
from timebank.checkins.reading import records
from timebank.checkins.reversal import reverse_record
from timebank.checkins.schemas import HoursIn, ReviewIn
from timebank.deeds.objections import decide_objection
from timebank.errors import Forbidden
from timebank.ledger import posting
from timebank.people.schemas import Correction
from timebank.scope import Scope

APPROVE = ReviewIn("approve")


async def device(town: Town, kind: str = "counter") -> Scope:
    made = await devices.register(await town.scope("赵丽"), town.stations["暖蜂驿站"], name="平板", kind=kind)
    found = await devices.find(made.token)
    assert found is not None
    return found


# -------------------------------------------------------------------------------- nobody becomes more than they are


@pytest.mark.parametrize(
    ("by", "name", "refused"),
    [
        ("赵丽", "吴昊", True),
        ("赵丽", "钱进", True),
        ("钱进", "吴昊", True),
        ("赵丽", "周敏", False),
        ("吴昊", "钱进", False),
    ],
)
async def test_a_phone_does_not_carry_a_role_to_somebody_below_it(
    town: Town, owner: asyncpg.Connection, by: str, name: str, refused: bool
) -> None:
    """Who could set the county administrator's phone would sign in as the county administrator."""
    caller, own = await town.scope(by), town.phones[by]
    for change in (Correction(phone=own), Correction(status="blocked")):
        if refused:
            with pytest.raises(OfficeHolder):
                await amend(caller, town.people[name], change)
        else:
            await amend(caller, town.people[name], change)
    held = await count(owner, "membership", "person_id = $1 AND login_id = $2", town.people[name], town.logins[name])
    assert held == int(refused)


async def test_what_is_not_the_login_may_be_corrected_of_anybody(town: Town) -> None:
    change = Correction(name="吴昊一", phone=town.phones["吴昊"])
    assert (await amend(await town.scope("赵丽"), town.people["吴昊"], change)).name == "吴昊一"


async def test_a_tablet_gives_nobody_a_sign_in_code_and_enters_no_hours(town: Town) -> None:
    tablet, began = await device(town), nine_o_clock()
    with pytest.raises(Forbidden):
        await sign_in_code(tablet, town.people["张桂兰"])
    wanted = HoursIn(
        town.people["张桂兰"], began, began + timedelta(hours=1), "停电", station_id=town.stations["暖蜂驿站"]
    )
    with pytest.raises(Forbidden):
        await hours.enter_hours(tablet, wanted)


async def test_a_tablet_reads_no_full_names_in_the_stations_records(town: Town) -> None:
    await served(town, "张桂兰", 60)
    [shown] = (await records(await device(town))).items
    assert shown.person == "张*"


# ------------------------------------------------------------------------------------ never who entered it, however


async def test_who_enters_hours_in_another_community_does_not_approve_them(
    town: Town, owner: asyncpg.Connection
) -> None:
    """钱进 administers the street and lives in 凤凰社区: in 龙泉社区 he has no record, and is still who entered it."""
    there = (await town.scope("钱进")).within(town.communities[SPRING])
    began = nine_o_clock()
    made = await hours.enter_hours(there, HoursIn(town.people["马涛"], began, began + timedelta(hours=1), "停电"))
    assert await owner.fetchval("SELECT entered_by FROM service_record") == town.people["钱进"]
    with pytest.raises(OwnRecord):
        await review.review_record(there, made.id, APPROVE)
    assert (await review.review_record(await town.scope("何静"), made.id, APPROVE)).status == "noticed"


# ------------------------------------------------------------------------------------------------- notices falling due


async def test_an_objection_that_comes_after_the_worker_has_looked_counts(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement that takes the record sleeps between its look and its lock; meanwhile somebody objects."""
    made = await entered(town)
    await review.review_record(await town.scope("赵丽"), made.id, APPROVE)
    monkeypatch.setattr(due, "ROW", due.ROW + "AND pg_sleep(1) IS NOT NULL ")
    with clock.at(clock.now() + timedelta(days=8)):
        working = asyncio.create_task(credit_due_records(town.system()))
        while not await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid()"
        ):
            await owner.execute("SELECT pg_sleep(0.02) FROM pg_stat_clear_snapshot()")
        await owner.execute(
            "INSERT INTO objection (community_id, id, service_record_id, person_id, reason, created_at) "
            "VALUES ($1, $2, $3, $4, '没见过', $5)",
            town.community, clock.new_id(), made.id, town.people["王建国"], clock.now(),
        )  # fmt: skip
        assert await working == 0
    assert await points_of(town, "张桂兰") == 0


async def test_a_closed_account_keeps_nobody_behind_it_waiting(town: Town, owner: asyncpg.Connection) -> None:
    for name in ("张桂兰", "欧阳凯伟"):
        made = await entered(town, name)
        await review.review_record(await town.scope("赵丽"), made.id, APPROVE)
    await town.give_points("张桂兰", 1)
    await posting.close_accounts(town.system(), town.people["张桂兰"])
    with clock.at(clock.now() + timedelta(days=8)):
        assert await credit_due_records(town.system()) == 1
        assert await points_of(town, "欧阳凯伟") == 15
        await posting.close_accounts(town.system(), town.people["张桂兰"], reopen=True)
        assert await credit_due_records(town.system()) == 1
    assert await problems_of(owner) == []


# ----------------------------------------------------------------------------------------- a reversal and its person


async def test_the_person_may_object_to_a_reversal_and_gets_it_back_once(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await served(town, "张桂兰", 60)
    record_id, admin = await record_id_of(owner, town, "张桂兰"), await town.sign_in("赵丽")
    here = f"/api/v1/service-records/{record_id}"
    reversal = {"reason": "那天没有开门"}
    answer = await client.post(f"{here}/reversal", json=reversal, headers=admin | {"Idempotency-Key": nonce()})
    assert (answer.status_code, await points_of(town, "张桂兰")) == (200, 0)
    reason = {"reason": "开了门，我在"}
    assert (
        await client.post(f"{here}/objections", json=reason, headers=await town.sign_in("王建国"))
    ).status_code == 409
    made = await client.post(f"{here}/objections", json=reason, headers=await town.sign_in("张桂兰"))
    assert made.status_code == 201
    again = await client.post(f"{here}/objections", json=reason, headers=await town.sign_in("张桂兰"))
    assert again.json()["code"] == "already_objected"
    decision = {"upheld": True, "note": "查了监控，开着门"}
    decided = await client.post(f"/api/v1/objections/{made.json()['id']}/decision", json=decision, headers=admin)
    assert (decided.status_code, await points_of(town, "张桂兰")) == (200, 10)
    assert await problems_of(owner) == []
    answer = await client.post(f"{here}/reversal", json=reversal, headers=admin | {"Idempotency-Key": nonce()})
    assert (answer.status_code, await points_of(town, "张桂兰")) == (200, 0)
    assert await problems_of(owner) == []


async def test_an_objection_to_a_reversal_that_is_turned_down_changes_nothing(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await served(town, "张桂兰", 60)
    record_id = await record_id_of(owner, town, "张桂兰")
    await reverse_record(await town.scope("赵丽"), record_id, "那天没有开门")
    visit = await owner.fetchval("SELECT id FROM visit")
    token = await town.token("张桂兰")
    cookies = {"Cookie": f"timebank_session={token}"}
    form = {"_csrf": csrf_token(token), "reason": "开了门，我在"}
    assert "不同意" in (await client.get(f"/visits/{visit}", headers=cookies)).text
    answer = await client.post(f"/visits/{visit}/objection", headers=cookies, data=form)
    assert answer.status_code == 303
    assert "由另一位管理员核实" in (await client.get(f"/visits/{visit}", headers=cookies)).text
    objection = await owner.fetchval("SELECT id FROM objection")
    await decide_objection(await town.scope("赵丽"), objection, False, "登记本上没有")
    assert await points_of(town, "张桂兰") == 0
    assert "登记本上没有" in (await client.get(f"/visits/{visit}", headers=cookies)).text


# --------------------------------------------------------------------------------------------- sessions and their forms


async def test_who_was_blocked_meets_the_sign_in_page_and_no_circle(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    cookies = {"Cookie": f"timebank_session={await town.token('张桂兰')}"}
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["张桂兰"])
    sent_on = await client.get("/statement", headers=cookies)
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, "/sign-in?next=/statement")
    assert (await client.get("/sign-in", headers=cookies)).status_code == 200
    assert (await client.get(f"/board/{town.community}", headers=cookies)).status_code == 200


async def test_the_way_to_the_sign_in_page_survives_any_address(client: httpx.AsyncClient, town: Town) -> None:
    answer = await client.get("/admin/rules/%E5%96%84%0D%0Aset-cookie:x")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/admin/rules/%E5%96%84%0D%0Aset-cookie:x"
