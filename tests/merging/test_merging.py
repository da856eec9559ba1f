"""Merging two records of one person: nothing is lost, no login gains points alone, and the merge can be undone."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, new_family
from tests.classes.test_class_refunds import bought
from tests.security.thief import refused, steal
from tests.support.messages import messages_of
from tests.support.presence import card, nonce
from tests.support.shop import API, books_balance, browser, key, minutes_of, points_of, reserve
from tests.support.town import PHOENIX, Town
from timebank.agreements.schemas import Waiting
from timebank.classes.class_time.refunds import refund
from timebank.classes.schemas import RefundIn
from timebank.core import clock, names
from timebank.deeds.credit import credit_due_deeds
from timebank.ledger.checking.check import check_ledger
from timebank.merging.duplicates import possible_duplicates, side_by_side
from timebank.merging.facts import CannotMerge
from timebank.merging.merges import MergeOut, merges_of
from timebank.merging.merging import MergeIn, merge
from timebank.merging.undoing import MergeNotUndoable, MergeSpent, undo_merge
from timebank.overview.agreements import decide_change
from timebank.people.directory import open_person
from timebank.people.enrolment.enrolling import PersonKnown, enrol
from timebank.people.records import RecordMerged, correct, set_person_status
from timebank.people.schemas import Correction, Enrolment
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn

TWIN = "张桂兰甲"


async def twin(town: Town, owner: asyncpg.Connection, name: str = "张桂兰", points: int = 30) -> UUID:
    """Enter a second record with a resident's name, without a phone, and credit it with points; return its id."""
    admin = await town.scope("赵丽")
    area = town.areas[f"{PHOENIX}/第一网格/5栋/1单元"]
    made = await enrol(admin, Enrolment(name=name, area_id=area, room="909"))
    town.people[TWIN], town.home[TWIN] = made, town.community
    if points:
        await town.credit_deed(TWIN, points)
    return made


async def merged(town: Town, kept: str = "张桂兰", other: str = TWIN) -> MergeOut:
    """Merge two records as the administrator 赵丽; if this waits, agree to it as 钱进. Return the merge."""
    done = await merge(await town.scope("赵丽"), town.people[kept], MergeIn(town.people[other], "同一个人"))
    if isinstance(done, MergeOut):
        return done
    above = replace(await town.scope("钱进"), community_id=town.community)
    await decide_change(above, done.waiting, "agree")
    return (await merges_of(above, town.people[kept]))[0]


async def one_name(town: Town, owner: asyncpg.Connection) -> None:
    """Give 李秀英's record the name key of 张桂兰 and no date of birth or sex, so that it can be merged with hers."""
    await owner.execute(
        "UPDATE person SET born_on = NULL, sex = NULL, name_key = $2 WHERE id = $1",
        town.people["李秀英"], names.key("张桂兰"),
    )  # fmt: skip


async def clean(town: Town, owner: asyncpg.Connection) -> None:
    books = await check_ledger(town.system())
    assert [problem.text() for problem in books.problems] == []
    await books_balance(owner)


async def test_points_deeds_and_messages_of_two_records_become_one_by_transfers(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 20)
    gone = await twin(town, owner)
    before = await owner.fetch("SELECT * FROM transfer ORDER BY id")
    await merged(town)
    assert await points_of(town, "张桂兰") == (50, 0)
    assert await points_of(town, TWIN) == (0, 0)
    after = {row["id"]: row for row in await owner.fetch("SELECT * FROM transfer")}
    assert (await open_person(await town.scope("赵丽"), gone)).merged_into == town.people["张桂兰"]
    assert all(after[row["id"]] == row for row in before), "no transfer is rewritten"
    assert not await owner.fetchval("SELECT count(*) FROM deed WHERE person_id = $1", gone)
    left = await owner.fetchrow("SELECT status, merged_into FROM person WHERE id = $1", gone)
    assert left is not None
    assert (left["status"], left["merged_into"]) == ("left", town.people["张桂兰"])
    await clean(town, owner)


async def test_a_reservation_of_the_merged_record_is_collected_by_the_kept_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("李秀英", 100)
    await twin(town, owner)
    assert (await reserve(client, town, "李秀英", "抽纸")).status_code == 201
    held = (await points_of(town, "李秀英"))[1]
    await one_name(town, owner)
    done = await merged(town, TWIN, "李秀英")
    assert (await points_of(town, TWIN)) == (130 - held, held)
    await clean(town, owner)
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert (await points_of(town, "李秀英"), await points_of(town, TWIN)) == ((100 - held, held), (30, 0))
    await clean(town, owner)
    code = await owner.fetchval(
        "SELECT p.code FROM redemption r JOIN pickup p ON p.noun_id = r.id WHERE r.person_id = $1",
        town.people["李秀英"],
    )
    assert code is not None


async def test_a_merge_is_undone_within_a_day_and_not_after_it_or_twice(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("张桂兰", 20)
    gone = await twin(town, owner)
    card_before = await card(town, owner, TWIN)
    done, admin = await merged(town), await town.scope("赵丽")
    undone = await undo_merge(admin, done.kept_id, done.id)
    assert undone.undone_at is not None
    assert (await points_of(town, "张桂兰"), await points_of(town, TWIN)) == ((20, 0), (30, 0))
    assert await owner.fetchval("SELECT status FROM person WHERE id = $1", gone) == "active"
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE person_id = $1", gone) == 1
    assert await owner.fetchval("SELECT revoked_at FROM card WHERE person_id = $1", gone) is None
    assert card_before
    await clean(town, owner)
    with pytest.raises(MergeNotUndoable):
        await undo_merge(admin, done.kept_id, done.id)
    again = await merged(town)
    await owner.execute("UPDATE person_merge SET merged_at = merged_at - interval '25 hours' WHERE id = $1", again.id)
    with pytest.raises(MergeNotUndoable):
        await undo_merge(admin, again.kept_id, again.id)


async def test_what_has_been_spent_since_cannot_be_led_back(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await twin(town, owner, points=100)
    done = await merged(town)
    await owner.execute("UPDATE spending_rest SET ended_at = since")
    assert (await reserve(client, town, "张桂兰", "抽纸")).status_code == 201
    with pytest.raises(MergeSpent):
        await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert await owner.fetchval("SELECT merged_into FROM person WHERE id = $1", done.merged_id) == done.kept_id
    await clean(town, owner)


async def test_no_login_spends_the_others_points_before_it_has_rested_and_it_is_told(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await twin(town, owner, points=100)
    await merged(town)
    refused = await reserve(client, town, "张桂兰", "抽纸")
    assert (refused.status_code, refused.json()["code"]) == (403, "spending_rests")
    told = await messages_of(town, "张桂兰")
    assert "person_merged" in [message.kind for message in told]


async def test_the_login_of_the_merged_record_loses_it_and_is_told(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("李秀英", 60)
    await one_name(town, owner)
    await merged(town, "张桂兰", "李秀英")
    logins = await owner.fetch("SELECT login_id FROM membership WHERE person_id = $1", town.people["张桂兰"])
    assert [row["login_id"] for row in logins] == [town.logins["张桂兰"]]
    told = await owner.fetchval("SELECT from_login FROM spending_rest WHERE cause = 'merge'")
    assert told == town.logins["李秀英"], "who signs in with the phone of before is told for thirty days"


async def test_the_kept_record_is_told_of_the_merge_and_the_login_that_loses_the_other_of_its_loss(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Both messages have one key, and the merge leads the merged record's messages to the kept one."""
    await one_name(town, owner)
    await merged(town, "张桂兰", "李秀英")
    told = {
        row["person_id"]: row["sentence"]
        for row in await owner.fetch("SELECT person_id, sentence FROM message WHERE key LIKE 'merge:%'")
    }
    assert told == {town.people["张桂兰"]: "person_merged", town.people["李秀英"]: "phone_changed.merged"}


async def test_a_merge_of_ones_own_or_ones_household_waits_for_a_second_person(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await twin(town, owner, "赵丽")
    headers = await town.sign_in("赵丽")
    asked = {"merged_id": str(town.people[TWIN]), "reason": "同一个人"}
    waits = await client.post(f"{API}/people/{town.people['赵丽']}/merge", json=asked, headers=headers)
    assert waits.status_code == 202, waits.text
    assert await points_of(town, TWIN) == (30, 0)
    decided = await client.post(
        f"{API}/agreements/{waits.json()['waiting']}/decision", json={"decision": "agree"},
        headers=await town.sign_in("钱进"),
    )  # fmt: skip
    assert decided.status_code in (200, 204), decided.text
    assert await points_of(town, "赵丽") == (30, 0)
    await clean(town, owner)


async def test_two_people_and_records_of_two_communities_are_never_merged(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    admin = await town.scope("赵丽")
    with pytest.raises(CannotMerge):
        await merge(admin, town.people["张桂兰"], MergeIn(town.people["张桂兰"], "同一个人"))
    with pytest.raises(CannotMerge):
        await merge(admin, town.people["张桂兰"], MergeIn(town.people["李秀英"], "出生日期不同"))
    asked = {"merged_id": str(town.people["何静"]), "reason": "不在这里"}
    path = f"{API}/people/{town.people['张桂兰']}/merge"
    assert (await client.post(path, json=asked, headers=await town.sign_in("赵丽"))).status_code == 404
    assert (await client.post(path, json=asked, headers=await town.sign_in("周敏"))).status_code == 403
    assert (await client.post(path, json=asked)).status_code == 401


async def test_a_credit_of_the_merged_record_that_is_reversed_is_taken_from_the_kept_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await twin(town, owner)
    await merged(town)
    deed = await owner.fetchval("SELECT id FROM deed WHERE person_id = $1", town.people["张桂兰"])
    back = await client.post(
        f"{API}/deeds/{deed}/reversal", json={"reason": "重复"}, headers=await town.sign_in("钱进") | key()
    )
    assert back.status_code == 200, back.text
    assert await points_of(town, "张桂兰") == (0, 0)
    await clean(town, owner)


async def test_alike_names_are_listed_and_stay_apart(town: Town, owner: asyncpg.Connection) -> None:
    admin = await town.scope("赵丽")
    one = await enrol(admin, Enrolment(name="买买提•艾力", phone="19900007001"))
    other = await enrol(admin, Enrolment(name="买买提/艾力", phone="19900007002"))
    found = [pair for pair in await possible_duplicates(admin) if {pair.one_id, pair.other_id} == {one, other}]
    assert len(found) == 1
    shown = await side_by_side(admin, one, other)
    assert [holding.id for holding in shown] == [one, other]


async def test_who_is_entered_again_with_the_phone_of_a_merged_record_is_the_kept_one(
    town: Town, owner: asyncpg.Connection
) -> None:
    admin = await town.scope("赵丽")
    gone = await enrol(admin, Enrolment(name="买买提/艾力", phone="19900007002"))
    kept = await enrol(admin, Enrolment(name="买买提•艾力", phone="19900007001"))
    assert isinstance(await merge(admin, kept, MergeIn(gone, "同一个人")), MergeOut)
    with pytest.raises(PersonKnown):
        await enrol(admin, Enrolment(name="买买提·艾力", phone="19900007002"))


async def outcome_of(*both: Coroutine[object, object, object]) -> list[object]:
    """Run the calls concurrently; return their results or exceptions."""
    return await asyncio.gather(*both, return_exceptions=True)


@pytest.mark.parametrize("turn", range(4))
async def test_a_merge_while_the_person_checks_in_and_out_loses_nothing(
    town: Town, owner: asyncpg.Connection, turn: int
) -> None:
    await twin(town, owner)
    code, counter = await card(town, owner, TWIN), await town.scope("周敏")
    done, seen = await outcome_of(merged(town), scan(counter, ScanIn(code=code, nonce=nonce())))
    assert isinstance(done, MergeOut), done
    assert not isinstance(seen, BaseException), seen
    visits = await owner.fetch("SELECT person_id FROM visit")
    assert {row["person_id"] for row in visits} <= {town.people["张桂兰"]}, (
        "a visit that was opened goes on with the kept"
    )
    await clean(town, owner)


@pytest.mark.parametrize("turn", range(4))
async def test_a_merge_while_the_person_reserves_loses_nothing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, turn: int
) -> None:
    await town.credit_deed("李秀英", 40)
    await one_name(town, owner)
    await town.sign_in("李秀英")
    done, answer = await outcome_of(merged(town, "张桂兰", "李秀英"), reserve(client, town, "李秀英", "抽纸"))
    assert isinstance(done, MergeOut), done
    assert isinstance(answer, httpx.Response), answer
    assert answer.status_code in (201, 401, 403, 404, 409, 422), answer.text
    reserved = answer.status_code == 201
    assert await points_of(town, "张桂兰") == ((10, 30) if reserved else (40, 0))
    await clean(town, owner)


@pytest.mark.parametrize("turn", range(4))
async def test_a_merge_while_a_deed_is_credited_loses_nothing(town: Town, owner: asyncpg.Connection, turn: int) -> None:
    await twin(town, owner, points=0)
    await owner.execute(
        "INSERT INTO deed (community_id, id, person_id, area_id, rule_code, rule_version, points, occurred_on, note, "
        "status, notice_from, notice_until, created_at) VALUES ($1, $2, $3, $4, 'mediation', 1, 10, $5, '调解', "
        "'noticed', $6, $6, $6)",
        town.community, clock.new_id(), town.people[TWIN], town.areas[f"{PHOENIX}/第一网格/5栋/1单元"],
        clock.local_day() - timedelta(days=9), clock.now() - timedelta(hours=1),
    )  # fmt: skip
    done, credited = await outcome_of(merged(town), credit_due_deeds(town.system()))
    assert isinstance(done, MergeOut), done
    await credit_due_deeds(town.system())
    assert await points_of(town, "张桂兰") == (10, 0)
    assert not isinstance(credited, BaseException), credited
    await clean(town, owner)


async def test_the_panel_lists_compares_merges_and_undoes(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 20)
    gone = await twin(town, owner, "张 桂兰", points=0)  # a record without earnings needs no second person
    await owner.execute("UPDATE person SET household_id = $2 WHERE id = $1", gone, town.households["张桂兰"])
    desk, kept = await browser(client, town, "赵丽"), town.people["张桂兰"]
    assert str(gone) in await desk.see("/admin/people/duplicates")
    assert f"/admin/people/{kept}/merge" in await desk.see(f"/admin/people/{kept}?part=record")
    assert str(gone) in (await desk.send(f"/admin/people/{kept}/merge/search", q="张桂兰")).text
    both = await desk.see(f"/admin/people/{kept}/merge?merged_id={gone}")
    assert "20" in both
    sent = await desk.send(f"/admin/people/{kept}/merge", merged_id=gone, reason="同一个人")
    assert sent.headers["location"] == f"/admin/people/{kept}?done=merged"
    led = await desk.client.get(f"/admin/people/{gone}", headers=desk.headers)
    assert led.headers["location"] == f"/admin/people/{kept}?done=led"
    merge_id = await owner.fetchval("SELECT id FROM person_merge")
    back = await desk.send(f"/admin/people/{kept}/merges/{merge_id}/undo")
    assert back.headers["location"] == f"/admin/people/{kept}?done=unmerged"
    await clean(town, owner)


async def test_what_somebody_has_earned_comes_to_another_phone_only_as_a_second_person_agrees(
    town: Town, owner: asyncpg.Connection
) -> None:
    """An administrator enters 李秀英 again with a friend's phone, or none, and merges her record into the new one."""
    admin = await town.scope("赵丽")
    await town.credit_deed("李秀英", 100)
    await owner.execute("UPDATE person SET born_on = NULL, sex = NULL WHERE id = $1", town.people["李秀英"])
    area = town.areas[f"{PHOENIX}/第一网格/5栋/1单元"]
    for phone in ("19900007003", None):
        friend = await enrol(admin, Enrolment(name="李秀英", phone=phone, area_id=area, room="910"))
        asked = await merge(admin, friend, MergeIn(town.people["李秀英"], "同一个人"))
        assert isinstance(asked, Waiting)
        assert await points_of(town, "李秀英") == (100, 0)
    nothing = await enrol(admin, Enrolment(name="李秀英", area_id=area, room="911"))
    cleaned = await merge(admin, town.people["李秀英"], MergeIn(nothing, "录入了两次"))
    assert isinstance(cleaned, MergeOut), "a record that has nothing is cleared away by one"


async def test_records_of_two_names_wait_for_a_second_person(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await twin(town, owner, "王五")
    asked = {"merged_id": str(town.people[TWIN]), "reason": "改过名"}
    path, headers = f"{API}/people/{town.people['张桂兰']}/merge", await town.sign_in("赵丽")
    waits = await client.post(path, json=asked, headers=headers)
    assert waits.status_code == 202, waits.text
    assert (await client.post(path, json=asked, headers=headers)).json()["waiting"] == waits.json()["waiting"]
    decision = f"{API}/agreements/{waits.json()['waiting']}/decision"
    own = await client.post(decision, json={"decision": "agree"}, headers=headers)
    assert (own.status_code, own.json()["code"]) == (403, "others_decide")
    assert await points_of(town, "张桂兰") == (0, 0)


async def test_a_stolen_serving_login_merges_nobody(
    town: Town, owner: asyncpg.Connection, serving: asyncpg.Connection
) -> None:
    gone = await twin(town, owner)
    await steal(serving, town.community)
    await refused(serving, "UPDATE person_merge SET undone_at = NULL")
    await refused(serving, "DELETE FROM person_merge_row")
    await refused(
        serving, "SELECT person_merge($1, ROW(gen_random_uuid(), 'k', '', 'merge', now(), now(), NULL, 'person_merge', "
        "gen_random_uuid(), NULL, NULL, '', NULL, NULL)::ledger_entry, $2, $3, 'x', NULL, '0')",
        town.community, town.people["张桂兰"], gone,
    )  # fmt: skip
    assert await points_of(town, TWIN) == (30, 0)


async def test_a_child_that_was_entered_twice_keeps_its_class_time_and_its_seat(
    town: Town, owner: asyncpg.Connection
) -> None:
    await new_family(owner, town, "刘洋", "刘小宇", minutes=0)
    await town.credit_deed("刘洋", 100)
    await bought(town, minutes=120)
    seat = await booked(town, "刘洋", "刘小雨")
    await owner.execute(
        "UPDATE person SET born_on = NULL, sex = NULL, name_key = $2 WHERE id = $1",
        town.people["刘小雨"], names.key("刘小宇"),
    )  # fmt: skip
    done = await merged(town, "刘小宇", "刘小雨")
    assert (await minutes_of(owner, town, "刘小宇"), await minutes_of(owner, town, "刘小宇", "held")) == (60, 60)
    assert await owner.fetchval("SELECT child_id FROM booking WHERE id = $1", seat.id) == town.people["刘小宇"]
    await clean(town, owner)
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert (await minutes_of(owner, town, "刘小雨"), await minutes_of(owner, town, "刘小雨", "held")) == (60, 60)
    await clean(town, owner)


async def test_what_a_merged_guardian_paid_comes_back_to_the_kept_record(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 100)
    await bought(town, minutes=60)
    paid = 100 - (await points_of(town, "刘洋"))[0]
    await twin(town, owner, "刘洋")
    await merged(town, TWIN, "刘洋")
    await owner.execute("UPDATE spending_rest SET ended_at = since")
    wanted = RefundIn(person_id=town.people[TWIN], child_id=town.people["刘小雨"], course_id=town.course, minutes=60)
    assert (await refund(await town.scope("刘洋"), wanted)).points == paid
    assert await points_of(town, TWIN) == (130, 0)
    await clean(town, owner)


async def test_a_merged_record_is_neither_corrected_nor_let_back_in(town: Town, owner: asyncpg.Connection) -> None:
    gone, admin = await twin(town, owner), await town.scope("赵丽")
    await merged(town)
    with pytest.raises(RecordMerged):
        await set_person_status(admin, gone, "active", "回来了")
    with pytest.raises(RecordMerged):
        await correct(admin, gone, Correction(name="别人", reason="改"))


async def test_a_role_that_has_run_out_neither_forbids_a_merge_nor_counts(
    town: Town, owner: asyncpg.Connection
) -> None:
    other = await twin(town, owner)
    grant = (
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, ends_on, granted_at) "
        "VALUES ($1, $2, $3, 'community_admin', $1, $4, $5, now())"
    )
    today = clock.local_day()
    made = clock.new_id()
    await owner.execute(grant, town.community, made, other, today - timedelta(days=9), today)
    with pytest.raises(CannotMerge):
        await side_by_side(await town.scope("赵丽"), town.people["张桂兰"], other)
    await owner.execute("UPDATE role_grant SET ends_on = $2 WHERE id = $1", made, today - timedelta(days=1))
    held = await side_by_side(await town.scope("赵丽"), town.people["张桂兰"], other)
    assert [each.roles for each in held] == [0, 0]
    assert (await merged(town)).merged_id == other
