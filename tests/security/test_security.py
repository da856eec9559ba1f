"""What must not be possible, for whom and by which detour, and what the log must not contain."""

import asyncio
import json
from datetime import timedelta

import asyncpg
import httpx
import pytest
import structlog
import structlog.testing

from tests.service_records.test_service_records import entered
from tests.support.counter import kept_scope, stands_here
from tests.support.ledger_sums import problems_of
from tests.support.presence import count, later, nine_o_clock, nonce, personal_code, points_of, record_id_of, served
from tests.support.town import SPRING, Town
from timebank.access.devices import devices
from timebank.access.registration import RoleHolder, amend
from timebank.access.sign_in.finding import LOOK_UPS_MAX, find_at_counter
from timebank.access.sign_in_codes import sign_in_code
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.http.callers import csrf_token
from timebank.ledger import posting
from timebank.objections.deciding import decide_objection
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.schemas import Correction, PersonDetail
from timebank.presence.scanning import scan, scan_by_hand, verdict_of
from timebank.presence.schemas import ScanIn
from timebank.service_records import review
from timebank.service_records.crediting import notice_ends as due
from timebank.service_records.crediting.notice_ends import credit_due_records
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.honour import entering
from timebank.service_records.reading import list_records
from timebank.service_records.reviews import deciding
from timebank.service_records.reviews.deciding import OwnRecord
from timebank.service_records.schemas import HoursIn, ReviewIn
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn

APPROVE = ReviewIn("approve")


async def device(town: Town) -> Scope:
    """The scope of a counter with its keeper signed on."""
    made = await devices.register_device(
        await town.scope("赵丽"), town.stations["暖蜂驿站"], name="平板", kind="counter"
    )
    return await kept_scope(town, made.token)


# -------------------------------------------------------------------------------------------------- nobody gains rights


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
    """An administrator who could set the county administrator's phone could sign in as the county administrator."""
    caller, own = await town.scope(by), town.phones[by]
    for change in (Correction(phone=own), Correction(status="blocked")):
        if refused:
            with pytest.raises(RoleHolder):
                await amend(caller, town.people[name], change)
        else:
            await amend(caller, town.people[name], change)
    held = await count(owner, "membership", "person_id = $1 AND login_id = $2", town.people[name], town.logins[name])
    assert held == int(refused)


async def test_what_is_not_the_login_may_be_corrected_of_anybody(town: Town) -> None:
    change = Correction(name="吴昊一", phone=town.phones["吴昊"])
    amended = await amend(await town.scope("赵丽"), town.people["吴昊"], change)
    assert isinstance(amended, PersonDetail)
    assert amended.name == "吴昊一"


async def test_a_tablet_gives_nobody_a_sign_in_code_and_enters_no_hours(town: Town) -> None:
    tablet, began = await device(town), nine_o_clock()
    with pytest.raises(Forbidden):
        await sign_in_code(tablet, town.people["张桂兰"])
    wanted = HoursIn(
        person_id=town.people["张桂兰"],
        started_at=began,
        ended_at=began + timedelta(hours=1),
        reason="停电",
        station_id=town.stations["暖蜂驿站"],
    )
    with pytest.raises(Forbidden):
        await entering.enter_hours(tablet, wanted)


async def test_a_tablet_reads_no_full_names_in_the_stations_records(town: Town) -> None:
    await served(town, "张桂兰", 60)
    [shown] = (await list_records(await device(town))).items
    assert shown.person == "张*"


# ------------------------------------------------------------------------- whoever entered a record does not approve it


async def test_who_enters_hours_in_another_community_does_not_approve_them(
    town: Town, owner: asyncpg.Connection
) -> None:
    """钱进 administers the street and is a resident of 凤凰社区. For hours that he enters in 龙泉社区, where he has no
    record, he is still the one who entered them."""
    there = await town.scope("钱进", town.communities[SPRING])
    began = nine_o_clock()
    made = await entering.enter_hours(
        there,
        HoursIn(person_id=town.people["马涛"], started_at=began, ended_at=began + timedelta(hours=1), reason="停电"),
    )
    assert await owner.fetchval("SELECT entered_by FROM service_record") == town.people["钱进"]
    with pytest.raises(OwnRecord):
        await review.review_record(there, made.id, APPROVE)
    assert (await review.review_record(await town.scope("何静"), made.id, APPROVE)).status == "noticed"


async def test_who_checked_somebody_in_by_hand_does_not_approve_it(town: Town, owner: asyncpg.Connection) -> None:
    admin, station, began = await town.scope("赵丽"), town.stations["暖蜂驿站"], nine_o_clock()
    for minutes, by in ((0, admin), (60, await town.scope("周敏"))):
        with later(began, minutes):
            await scan_by_hand(by, town.people["张桂兰"], ScanIn(code="hand", nonce=nonce(), station_id=station))
    record_id = await record_id_of(owner, town, "张桂兰")
    with pytest.raises(OwnRecord):
        await review.review_record(admin, record_id, APPROVE)
    assert (await review.review_record(await town.scope("钱进"), record_id, APPROVE)).status == "approved"


# ---------------------------------------------------------------------------------------------- what a counter may read


async def test_a_verdict_is_for_its_person_and_its_station(town: Town) -> None:
    asked = ScanIn(code=personal_code(town, "张桂兰"), nonce=nonce(), station_id=town.stations["暖蜂驿站"])
    await scan(await town.scope("周敏"), asked)
    for name in ("周敏", "张桂兰", "赵丽"):
        assert (await verdict_of(await town.scope(name), asked.nonce)).status == "ok"
    for name in ("张国庆", "陈明", "何静"):
        with pytest.raises(NotFound):
            await verdict_of(await town.scope(name), asked.nonce)


async def test_names_at_the_counter_are_not_tried_out(town: Town, client: httpx.AsyncClient) -> None:
    """Look-ups by name and last four digits of the phone are limited, so that nobody guesses the digits; the page and
    the API share the limit."""
    scope = await town.scope("周敏")
    for _ in range(LOOK_UPS_MAX):
        await find_at_counter(scope, "张桂兰", phone_last4="9999")
    params = {"name": "张桂兰", "phone_last4": town.phones["张桂兰"][-4:]}
    answer = await client.get("/api/v1/people", params=params, headers=await town.sign_in("周敏"))
    assert answer.status_code == 429
    token = await town.token("周敏")
    form = params | {"_csrf": csrf_token(token)}
    answer = await client.post("/desk/people", headers={"Cookie": f"timebank_session={token}"}, data=form)
    assert answer.status_code == 429


async def test_a_child_spends_only_with_a_guardians_consent(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("刘小雨", 20)
    presence = await stands_here(await town.scope("周敏"), town, "刘小雨")
    wanted = RedemptionIn(
        person_id=town.people["刘小雨"],
        good_id=town.goods["香皂"],
        station_id=town.stations["暖蜂驿站"],
        quantity=1,
        collect_now=True,
        presence=presence,
    )
    assert (await redeem(await town.scope("周敏"), wanted)).status == "collected"
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    with pytest.raises(NotGuardian):
        await redeem(await town.scope("周敏"), wanted)


# ------------------------------------------------------------------------------------------------ ends of public notice


async def test_an_objection_that_comes_after_the_worker_has_looked_counts(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's statement sleeps between reading the record and locking it; an objection is inserted meanwhile."""
    made = await entered(town)
    await review.review_record(await town.scope("赵丽"), made.id, APPROVE)
    monkeypatch.setattr(due, "ROW", deciding.ROW + "AND pg_sleep(1) IS NOT NULL ")
    with clock.at(clock.now() + timedelta(days=8)):
        working = asyncio.create_task(credit_due_records(town.system()))
        while not await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid()"
        ):
            await owner.execute("SELECT pg_sleep(0.02) FROM pg_stat_clear_snapshot()")
        await owner.execute(
            "INSERT INTO objection (community_id, id, subject_kind, subject_id, person_id, reason, created_at) "
            "VALUES ($1, $2, 'service_record', $3, $4, '没见过', $5)",
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


# --------------------------------------------------------------------------------------------- objections to a reversal


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


# --------------------------------------------------------------------------------------------------- sessions and forms


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


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Origin", "http://test", 401), ("Origin", "https://evil.example", 403), ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403), ("Sec-Fetch-Site", "same-origin", 401),
    ],
)  # fmt: skip
async def test_no_other_site_signs_a_visitor_in(
    town: Town, client: httpx.AsyncClient, header: str, value: str, status: int
) -> None:
    form = {"phone": town.phones["张桂兰"], "password": "not this one"}
    assert (await client.post("/sign-in", data=form, headers={header: value})).status_code == status


# ------------------------------------------------------------------------------------------------ strict request bodies


@pytest.mark.parametrize(
    "points",
    ["1", "1e0", True, 1.0, [1], None],
)
async def test_a_body_is_taken_at_its_word(town: Town, client: httpx.AsyncClient, points: object) -> None:
    await town.give_points("张桂兰", 10)
    headers = await town.sign_in("张桂兰") | {"Idempotency-Key": nonce()}
    body = {"person_id": str(town.people["张桂兰"]), "points": points}
    answer = await client.post("/api/v1/donations", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "points" in answer.json()["detail"]
    assert (await client.post("/api/v1/donations", json=body)).status_code == 401
    assert (await client.post("/api/v1/donations", json=body | {"points": 1}, headers=headers)).status_code == 201


# --------------------------------------------------------------------------------------------- what the log may contain


async def test_the_log_names_nobody(town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that succeed, one that is refused, and one that fails with a person's name in the error's text."""
    name, phone, token = "张桂兰", town.phones["张桂兰"], await town.token("张桂兰")
    keeper, code = await town.sign_in("周敏"), personal_code(town, "张桂兰")
    for module in ("answering", "problems"):  # a logger that was used before keeps its output
        monkeypatch.setattr(f"timebank.http.{module}.log", structlog.get_logger())

    async def fail(*_: object, **__: object) -> None:
        raise ValueError(f"{name} {phone} {token}")

    monkeypatch.setattr("timebank.service_records.reading.list_records", fail)
    with structlog.testing.capture_logs() as lines:
        await client.post("/sign-in", data={"phone": phone, "password": "a secret of hers"})
        await client.get("/api/v1/people", params={"name": name, "phone_last4": phone[-4:]}, headers=keeper)
        given = await client.post(f"/api/v1/people/{town.people[name]}/sign-in-code", headers=keeper)
        scanned = await client.post("/api/v1/checkins", json={"code": code, "nonce": nonce()}, headers=keeper)
        records = f"/api/v1/service-records?person_id={town.people[name]}&cursor={token}"
        answer = await client.get(records, headers=keeper)
    assert (scanned.json()["status"], answer.status_code) == ("ok", 500)
    assert name not in answer.text
    failed = [line for line in lines if line["event"] == "failed"]
    assert failed[0]["error"] == "ValueError"
    assert any("test_security.py" in place for place in failed[0]["at"])
    told = json.dumps(lines, ensure_ascii=False, default=repr)
    secrets_ = (name, phone, token, code, code.rsplit("/", 1)[-1], given.json()["code"], keeper["Authorization"][7:])
    assert [secret for secret in (*secrets_, "a secret of hers", str(town.people[name])) if secret in told] == []
    assert [line["event"] for line in lines].count("request") == 5
