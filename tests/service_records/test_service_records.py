"""Service records: honour hours, review by an independent person, credit after the public notice period, reversal."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.messages import texts
from tests.support.presence import count, nine_o_clock, nonce, points_of, record_id_of, scanned, served, station_code
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.ledger.statement import balances
from timebank.policies.values import change_policy
from timebank.presence.forgotten import close_forgotten
from timebank.service_records import review
from timebank.service_records.crediting.notice_ends import credit_due_records
from timebank.service_records.crediting.reversal import NotCredited, reverse_record
from timebank.service_records.honour import entering
from timebank.service_records.reading import find_record
from timebank.service_records.review import EndNotCorrectable, NoteMissing, NotPending
from timebank.service_records.schemas import HoursIn, RecordOut, ReviewIn

RECORDS = "/api/v1/service-records"
APPROVE = ReviewIn("approve")


def hours_body(town: Town) -> dict[str, object]:
    begin = nine_o_clock()
    return {
        "person_id": str(town.people["张桂兰"]), "started_at": begin.isoformat(),
        "ended_at": (begin + timedelta(minutes=90)).isoformat(), "reason": "停电，纸上签到",
    }  # fmt: skip


async def entered(town: Town, name: str = "张桂兰", by: str = "陈明", minutes: int = 90) -> RecordOut:
    begin = nine_o_clock()
    wanted = HoursIn(
        person_id=town.people[name],
        started_at=begin,
        ended_at=begin + timedelta(minutes=minutes),
        reason="停电，纸上签到",
    )
    return await entering.enter_hours(await town.scope(by), wanted)


# ----------------------------------------------------------------------------------------------------------- entering


async def test_honour_hours_are_entered_by_those_who_may(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.post(RECORDS, json=hours_body(town))).status_code == 401
    station: dict[str, object] = {"station_id": str(town.stations["暖蜂驿站"])}
    for name, more, status in (
        ("李秀英", {}, 403), ("孙伟", {}, 403), ("马涛", {}, 404), ("周敏", {}, 403), ("周敏", station, 201),
        ("周敏", {"station_id": str(town.stations["慈善超市"])}, 403), ("陈明", {}, 201), ("赵丽", {}, 201),
    ):  # fmt: skip
        answer = await client.post(RECORDS, json=hours_body(town) | more, headers=await town.sign_in(name))
        assert answer.status_code == status, (name, more)
        assert status != 201 or (answer.json()["kind"], answer.json()["status"]) == ("honour", "pending")
    assert await points_of(town, "张桂兰") == 0


async def test_hours_of_another_grid_are_not_the_grid_workers(town: Town, owner: asyncpg.Connection) -> None:
    other = clock.new_id()
    await owner.execute(
        "INSERT INTO area (community_id, id, kind, name, pinyin, path, created_at) "
        "VALUES ($1, $2::uuid, 'grid', '第二网格', 'di er wang ge', ARRAY[$2::uuid], $3)",
        town.community, other, clock.now(),
    )  # fmt: skip
    await owner.execute("UPDATE household SET area_id = $1 WHERE id = $2", other, town.households["张桂兰"])
    with pytest.raises(Forbidden):
        await entered(town)


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"ended_at": "2020-01-01T00:00:00Z"}, 422, "hours_times"),
        ({"ended_at": "2999-01-01T00:00:00Z"}, 422, "hours_times"),
        ({"started_at": "2020-01-01T00:00:00Z"}, 422, "hours_times"),
        ({"person_id": str(UUID(int=5))}, 404, "not_found"),
        ({"activity_id": str(UUID(int=5))}, 422, "hours_place_unknown"),
        ({"reason": ""}, 400, "bad_request"),
        ({"reason": "长" * 501}, 400, "bad_request"),
        ({"reason": "坏\u0000"}, 400, "bad_request"),
        ({"minutes": 90}, 400, "bad_request"),
    ],
)
async def test_hours_that_cannot_be_are_refused(
    town: Town, client: httpx.AsyncClient, more: dict[str, object], status: int, code: str
) -> None:
    answer = await client.post(RECORDS, json=hours_body(town) | more, headers=await town.sign_in("赵丽"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_hours_sent_twice_with_one_key_are_entered_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers = await town.sign_in("赵丽") | {"Idempotency-Key": nonce()}
    first = await client.post(RECORDS, json=hours_body(town), headers=headers)
    again = await client.post(RECORDS, json=hours_body(town), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(owner, "service_record") == 1


async def test_a_childs_hours_need_the_guardians_consent(town: Town, owner: asyncpg.Connection) -> None:
    assert (await entered(town, "刘小雨")).status == "pending"
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    with pytest.raises(Exception, match="监护"):
        await entered(town, "刘小雨")


# ------------------------------------------------------------------------------------------------------------ reading


async def test_everybody_reads_the_records_that_concern_them(town: Town, client: httpx.AsyncClient) -> None:
    await entered(town)
    await served(town, "李秀英", 60)
    seen = {
        "张桂兰": ["张桂兰"], "李秀英": ["李秀英"], "周敏": ["李*"], "陈明": ["李*", "张桂兰"], "马涛": [],
        "王建国": [], "赵丽": ["李秀英", "张桂兰"], "孙伟": ["李秀英", "张桂兰"],
    }  # fmt: skip
    for name, people in seen.items():
        answer = await client.get(RECORDS, headers=await town.sign_in(name))
        assert sorted(r["person"] for r in answer.json()["items"]) == sorted(people), name
    pending = await client.get(f"{RECORDS}?status=pending", headers=await town.sign_in("赵丽"))
    assert [r["person"] for r in pending.json()["items"]] == ["张桂兰"]
    record_id = pending.json()["items"][0]["id"]
    assert (await client.get(f"{RECORDS}/{record_id}", headers=await town.sign_in("马涛"))).status_code == 404
    assert (await client.get(f"{RECORDS}?status=lost", headers=await town.sign_in("赵丽"))).status_code == 400


# ------------------------------------------------------------------------------------------------------------- review


async def test_approved_credit_hours_are_credited_at_once(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "周敏", 60)
    record_id = await record_id_of(owner, town, "周敏")
    done = await review.review_record(await town.scope("赵丽"), record_id, APPROVE)
    assert (done.status, done.credited_minutes, done.credited_points) == ("approved", 60, 10)
    assert await points_of(town, "周敏") == 10
    with pytest.raises(NotPending):
        await review.review_record(await town.scope("赵丽"), record_id, APPROVE)
    assert await points_of(town, "周敏") == 10


async def test_nobody_decides_about_the_own_the_households_or_the_self_entered(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["赵丽"], town.people["李秀英"]
    )
    for person, by in (("赵丽", "陈明"), ("李秀英", "陈明"), ("张桂兰", "赵丽")):
        made = await entered(town, person, by)
        refused = await client.post(
            f"{RECORDS}/{made.id}/review", json={"decision": "approve"}, headers=await town.sign_in("赵丽")
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "own_record")
        street = await client.post(
            f"{RECORDS}/{made.id}/review", json={"decision": "approve"}, headers=await town.sign_in("钱进")
        )
        assert street.status_code == 200


async def test_only_administrators_review(town: Town, client: httpx.AsyncClient) -> None:
    made = await entered(town)
    address, asked = f"{RECORDS}/{made.id}/review", {"decision": "approve"}
    assert (await client.post(address, json=asked)).status_code == 401
    for name, status in (("张桂兰", 403), ("周敏", 403), ("陈明", 403), ("孙伟", 403), ("何静", 404)):
        answer = await client.post(address, json=asked, headers=await town.sign_in(name))
        assert answer.status_code == status, name
    assert (
        await client.post(address, json={"decision": "maybe"}, headers=await town.sign_in("赵丽"))
    ).status_code == 400


async def test_a_rejection_says_why_and_the_person_is_told(town: Town, owner: asyncpg.Connection) -> None:
    made, admin = await entered(town), await town.scope("赵丽")
    with pytest.raises(NoteMissing):
        await review.review_record(admin, made.id, ReviewIn("reject", "  "))
    done = await review.review_record(admin, made.id, ReviewIn("reject", "当天没有活动"))
    assert (done.status, done.review_note) == ("rejected", "当天没有活动")
    [text] = await texts(owner, "person_id = $1 AND kind = 'record_rejected'", town.people["张桂兰"])
    assert "当天没有活动" in text


async def test_approved_honour_hours_hang_on_the_board_before_they_are_credited(
    town: Town, owner: asyncpg.Connection
) -> None:
    made, now = await entered(town), clock.now()
    noticed = await review.review_record(await town.scope("赵丽"), made.id, APPROVE)
    assert noticed.status == "noticed"
    assert noticed.notice_until is not None
    assert noticed.notice_until - now >= timedelta(days=7)
    system = town.system()
    assert await credit_due_records(system) == 0
    with clock.at(noticed.notice_until):
        assert await credit_due_records(system) == 1
        assert await credit_due_records(system) == 0
    assert await points_of(town, "张桂兰") == 15
    done = await find_record(system, made.id)
    assert (done.status, done.credited_points) == ("approved", 15)
    assert await count(owner, "message", "kind = 'record_credited'") == 1


async def test_without_a_notice_period_honour_hours_are_credited_at_once(town: Town) -> None:
    admin = await town.scope("赵丽")
    await change_policy(admin, "notice_days", 0)
    made = await entered(town)
    assert (await review.review_record(admin, made.id, APPROVE)).status == "approved"
    assert await points_of(town, "张桂兰") == 15


async def test_an_open_objection_holds_the_credit_back(town: Town, owner: asyncpg.Connection) -> None:
    made = await entered(town)
    noticed = await review.review_record(await town.scope("赵丽"), made.id, APPROVE)
    assert noticed.notice_until is not None
    await owner.execute(
        "INSERT INTO objection (community_id, id, subject_kind, subject_id, person_id, reason, created_at) "
        "VALUES ($1, $2, 'service_record', $3, $4, '那天没见到人', $5)",
        town.community, clock.new_id(), made.id, town.people["李秀英"], clock.now(),
    )  # fmt: skip
    with clock.at(noticed.notice_until):
        assert await credit_due_records(town.system()) == 0
        await owner.execute("UPDATE objection SET upheld = false")
        assert await credit_due_records(town.system()) == 1


async def test_many_workers_credit_each_due_record_once(town: Town, owner: asyncpg.Connection) -> None:
    admin = await town.scope("赵丽")
    for name in ("张桂兰", "张国庆", "王建国", "李秀英"):
        made = await entered(town, name)
        await review.review_record(admin, made.id, APPROVE)
    with clock.at(clock.now() + timedelta(days=8)):
        credited = await asyncio.gather(*(credit_due_records(town.system()) for _ in range(5)))
    assert sum(credited) == 4
    assert await points_of(town, "张桂兰") == 15
    assert await count(owner, "transfer", "kind = 'service' AND currency = 'point'") == 4


async def test_two_reviewers_at_once_decide_once(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "周敏", 60)
    record_id = await record_id_of(owner, town, "周敏")
    admins = [await town.scope("赵丽"), await town.scope("钱进")] * 3
    results = await asyncio.gather(
        *(review.review_record(a, record_id, APPROVE) for a in admins), return_exceptions=True
    )
    assert sum(isinstance(r, NotPending) for r in results) == 5
    assert await points_of(town, "周敏") == 10


async def test_the_end_of_a_forgotten_visit_is_corrected_before_it_is_approved(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock(2)
    with clock.at(begin):
        await scanned(await town.scope("张桂兰"), station_code(town))
    await close_forgotten(town.system())
    record_id, headers = await record_id_of(owner, town, "张桂兰"), await town.sign_in("赵丽")
    asked = {"ended_at": (begin + timedelta(minutes=120)).isoformat(), "reason": "站长说十一点走的"}
    backwards = asked | {"ended_at": (begin - timedelta(minutes=5)).isoformat()}
    refused = await client.patch(f"{RECORDS}/{record_id}", json=backwards, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "end_not_correctable")
    corrected = await client.patch(f"{RECORDS}/{record_id}", json=asked, headers=headers)
    assert (corrected.status_code, corrected.json()["minutes"]) == (200, 120)
    entered_it = await client.post(f"{RECORDS}/{record_id}/review", json={"decision": "approve"}, headers=headers)
    assert (entered_it.status_code, entered_it.json()["code"]) == (403, "own_record")
    other = await town.sign_in("钱进")
    done = await client.post(f"{RECORDS}/{record_id}/review", json={"decision": "approve"}, headers=other)
    assert (done.json()["credited_minutes"], done.json()["credited_points"]) == (120, 20)
    assert await owner.fetchval("SELECT status FROM visit") == "closed"
    own = await client.patch(f"{RECORDS}/{record_id}", json=asked, headers=await town.sign_in("张桂兰"))
    assert own.status_code == 403


async def test_only_a_forgotten_end_is_corrected(town: Town) -> None:
    made = await entered(town)
    with pytest.raises(EndNotCorrectable):
        await review.correct_end(await town.scope("赵丽"), made.id, nine_o_clock() + timedelta(minutes=30), "改一改")


# ----------------------------------------------------------------------------------------------------------- reversal


async def test_a_reversal_takes_the_points_back_and_says_why(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await served(town, "张桂兰", 60)
    record_id = await record_id_of(owner, town, "张桂兰")
    address, asked = f"{RECORDS}/{record_id}/reversal", {"reason": "查明是别人代扫"}
    missing = await client.post(address, json=asked, headers=await town.sign_in("赵丽"))
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    for name, status in (("张桂兰", 403), ("周敏", 403), ("赵丽", 200)):
        headers = await town.sign_in(name) | {"Idempotency-Key": nonce()}
        assert (await client.post(address, json=asked, headers=headers)).status_code == status
    assert await points_of(town, "张桂兰") == 0
    [text] = await texts(owner, "kind = 'record_reversed'")
    assert "退回 10 分" in text
    assert "查明是别人代扫" in text
    with pytest.raises(NotCredited):
        await reverse_record(await town.scope("赵丽"), record_id, "再来一次")


async def test_spent_points_become_a_debt_on_reversal(town: Town, owner: asyncpg.Connection) -> None:
    from timebank.ledger import posting
    from timebank.ledger.posting import Posting

    await served(town, "张桂兰", 60)
    system, zhang = town.system(), town.people["张桂兰"]
    await posting.spend(
        system, zhang, 8, Posting(kind="purchase", key="test:spend", source_kind="test", source_id=zhang, memo="花掉")
    )
    await reverse_record(await town.scope("赵丽"), await record_id_of(owner, town, "张桂兰"), "查明是别人代扫")
    left = await balances(system, zhang, [])
    assert (left.points.available, left.owed) == (0, 8)
    [text] = await texts(owner, "kind = 'record_reversed'")
    assert "欠账 8 分" in text
