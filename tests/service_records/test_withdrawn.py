"""Undone records and deeds are kept with status `withdrawn`; lists, caps and checks leave them out."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.imports.kinds.chengjiang import counts
from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, take_in
from tests.support.presence import nine_o_clock
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.deeds.filing.filing import file_deed, undo_filed_deeds
from timebank.deeds.schemas import DeedIn, DeedOut
from timebank.imports.reports.history import show_run
from timebank.imports.runs.undo import undo
from timebank.ledger.checking.check import check_ledger
from timebank.service_records import review
from timebank.service_records.honour import entering
from timebank.service_records.honour.undo import undo_entered_hours
from timebank.service_records.schemas import HoursIn, RecordOut, ReviewIn

RECORDS, DEED_LIST = "/api/v1/service-records", "/api/v1/deeds"


async def entered(town: Town, begin: int = 0, minutes: int = 90) -> RecordOut:
    start = nine_o_clock() + timedelta(minutes=begin)
    wanted = HoursIn(
        person_id=town.people["张桂兰"],
        started_at=start,
        ended_at=start + timedelta(minutes=minutes),
        reason="停电，纸上签到",
    )
    return await entering.enter_hours(await town.scope("赵丽"), wanted)


async def filed(town: Town, rule: str = "patrol") -> DeedOut:
    area = town.areas["凤凰社区/第一网格/3栋"]
    wanted = DeedIn(
        person_id=town.people["王建国"],
        rule_code=rule,
        area_id=area,
        occurred_on=clock.local_day(),
        note="巡查了三个单元",
        witness_id=town.people["李秀英"],
    )
    return await file_deed(await town.scope("赵丽"), wanted)


async def no_problems(town: Town) -> None:
    assert (await check_ledger(town.system())).problems == []


async def test_the_serving_role_deletes_no_record_and_no_deed(owner: asyncpg.Connection) -> None:
    for table in ("service_record", "deed", "visit", "scan", "stock", "good", "redemption", "booking", "sign_up"):
        assert not await owner.fetchval("SELECT has_table_privilege('timebank_app', $1, 'DELETE')", table), table


async def test_no_function_with_the_owners_rights_deletes_records_or_deeds(owner: asyncpg.Connection) -> None:
    written = await owner.fetch(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace "
        r"AND prosrc ~* 'delete\s+from\s+(only\s+)?(public\.)?(service_record|deed)\M'"
    )
    assert [function["proname"] for function in written] == []


async def test_a_withdrawn_record_is_in_no_list_and_the_auditor_finds_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    made = await entered(town)
    assert await undo_entered_hours(await town.scope("赵丽"), [made.id]) == 1
    for name in ("张桂兰", "赵丽", "孙伟", "陈明"):
        listed = await client.get(RECORDS, headers=await town.sign_in(name))
        assert listed.json()["items"] == [], name
    for name, status, found in (("张桂兰", 404, 0), ("陈明", 404, 0), ("孙伟", 200, 1), ("赵丽", 200, 1)):
        headers = await town.sign_in(name)
        assert (await client.get(f"{RECORDS}/{made.id}", headers=headers)).status_code == status, name
        asked = await client.get(f"{RECORDS}?status=withdrawn", headers=headers)
        assert len(asked.json()["items"]) == found, name
    page = await client.get("/admin/reviews?status=withdrawn", headers=await town.sign_in("孙伟"))
    assert "已撤回" in page.text
    with pytest.raises(NotFound):
        await review.review_record(await town.scope("钱进"), made.id, ReviewIn("approve"))
    kept = await owner.fetchrow("SELECT status, withdrawn_by, withdrawn_at FROM service_record")
    assert kept is not None
    assert (kept["status"], kept["withdrawn_by"]) == ("withdrawn", town.people["赵丽"])
    assert kept["withdrawn_at"] is not None
    assert await undo_entered_hours(await town.scope("赵丽"), [made.id]) == 0
    await no_problems(town)


async def test_withdrawn_hours_overlap_with_nothing_and_lengthen_no_day(town: Town) -> None:
    first = await entered(town, 0, 700)
    await undo_entered_hours(await town.scope("赵丽"), [first.id])
    assert (await entered(town, 30, 60)).flags == []


async def test_a_withdrawn_deed_is_in_no_list_and_takes_nobodys_place(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    made = await filed(town)
    assert await undo_filed_deeds(await town.scope("赵丽"), [made.id]) == 1
    again = await filed(town)
    for name in ("王建国", "李秀英", "陈明", "赵丽", "孙伟"):
        listed = await client.get(DEED_LIST, headers=await town.sign_in(name))
        assert [deed["id"] for deed in listed.json()["items"]] == [str(again.id)], name
    for name, status in (("王建国", 404), ("陈明", 404), ("孙伟", 200)):
        answer = await client.get(f"{DEED_LIST}/{made.id}", headers=await town.sign_in(name))
        assert answer.status_code == status, name
    asked = await client.get(f"{DEED_LIST}?status=withdrawn", headers=await town.sign_in("孙伟"))
    assert [deed["id"] for deed in asked.json()["items"]] == [str(made.id)]
    refused = await client.post(
        f"{DEED_LIST}/{made.id}/review", json={"decision": "approve"}, headers=await town.sign_in("陈明")
    )
    assert refused.status_code == 404
    await no_problems(town)


async def test_what_was_decided_or_credited_is_never_withdrawn(town: Town, owner: asyncpg.Connection) -> None:
    made = await entered(town)
    await review.review_record(await town.scope("钱进"), made.id, ReviewIn("approve"))
    assert await undo_entered_hours(await town.scope("赵丽"), [made.id]) == 0
    for table in ("service_record", "deed"):
        if table == "deed":
            await filed(town)
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(
                f"UPDATE {table} SET status = 'withdrawn', withdrawn_at = now(), entry_id = $1", clock.new_id()
            )


async def test_a_workbook_taken_back_is_taken_in_again_as_before(town: Town, owner: asyncpg.Connection) -> None:
    day = clock.local_day() - timedelta(days=2)
    served = (HOURS, [day, "新活动", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"])
    done = (DEEDS, [day, "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", ""])
    offered = "SELECT active FROM activity WHERE name = '新活动'"
    for _ in range(3):
        first, second = await take_in(town, "hours", *served), await take_in(town, "deeds", *done)
        assert await owner.fetchval(offered)
        for report, kind, rows in ((first, "hours", served), (second, "deeds", done)):
            assert (report.outcome, report.created) == ("imported", 1)
            known = await take_in(town, kind, *rows)  # type: ignore[arg-type]  # a kind of import
            assert known.outcome == "unchanged"
            assert report.run_id is not None
            await undo(town.system(), report.run_id)
        assert not await owner.fetchval(offered)
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == 3
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE status = 'withdrawn'") == 3
    await no_problems(town)


async def test_whom_a_withdrawn_record_names_stays_when_the_roster_is_taken_back(
    town: Town, owner: asyncpg.Connection
) -> None:
    people = (
        ROSTER, resident("林小满", phone="19900008001", building="9栋", room="101", head="林小满", relation="户主"),
        resident("林大山", phone="19900008002", building="9栋", room="101", head="林小满", relation="配偶"),
    )  # fmt: skip
    roster = await take_in(town, "residents", *people)
    day = clock.local_day() - timedelta(days=2)
    served = await take_in(town, "hours", HOURS, [day, "站点值守", "", "林大山", "19900008002", "09:00", "10:00"])
    assert roster.run_id is not None
    assert served.run_id is not None
    await undo(town.system(), served.run_id)
    await undo(town.system(), roster.run_id)
    left = await owner.fetch("SELECT name, household_id IS NOT NULL AS home FROM person WHERE name LIKE '林%'")
    assert [tuple(row) for row in left] == [("林大山", True)]
    assert "撤销时留下 1 位居民" in (await show_run(town.system(), roster.run_id)).notes[-1]
    again = await take_in(town, "residents", *people)
    assert (again.outcome, again.created) == ("imported", 1)
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name = '林大山'") == 1


async def test_a_trial_is_committed_nowhere(town: Town, owner: asyncpg.Connection) -> None:
    day = clock.local_day() - timedelta(days=2)
    before = await counts(owner)
    for kind, rows in (
        ("residents", (ROSTER, resident("林小满", phone="19900008001", building="9栋", room="101", head="林小满"))),
        ("hours", (HOURS, [day, "新活动", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"])),
        ("deeds", (DEEDS, [day, "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", ""])),
        ("goods", (GOODS, ["雨伞", "把", 45, 20, "慈善超市", 2])),
    ):
        tried = await take_in(town, kind, *rows, dry_run=True)  # type: ignore[arg-type]  # a kind of import
        assert (tried.outcome, tried.created, tried.run_id) == ("tried", 1, None)
        assert await counts(owner) == before, kind
