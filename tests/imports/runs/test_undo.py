"""Undo of an import within a day: complete, or refused once its rows have been used."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.imports.kinds.chengjiang import FILES, MOMENT, counts, found_chengjiang
from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, take_in
from tests.support.town import Town, open_session
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.imports.reports.history import runs, show_run
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import UndoTooLate, undo
from timebank.people.guardianship.guardians import record_consent
from timebank.people.records import correct
from timebank.people.schemas import Correction
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.schemas import HoursIn
from timebank.shop.shelves.stock import receive

FAMILY = (
    ROSTER,
    resident("林小满", phone="19900008001", building="9栋", room="101", head="林小满", relation="户主", note="楼栋长"),
    resident("林大山", phone="19900008002", building="9栋", room="101", head="林小满", relation="配偶"),
    resident("林小雨", born="2018-05-01", building="9栋", room="101", head="林小满", relation="女"),
)


async def take_in_family(town: Town) -> UUID:
    report = await take_in(town, "residents", *FAMILY)
    assert report.created == 3
    assert report.run_id is not None
    return report.run_id


async def person(owner: asyncpg.Connection, name: str) -> UUID:
    found = await owner.fetchval("SELECT id FROM person WHERE name = $1", name)
    return UUID(bytes=found.bytes)


async def assert_kept(scope: Scope, run_id: UUID, owner: asyncpg.Connection, *reasons: str) -> None:
    """Assert that the undo is refused for exactly these reasons and changes nothing."""
    before = await counts(owner)
    with pytest.raises(ImportUsed) as refused:
        await undo(scope, run_id)
    assert refused.value.reasons() == list(reasons)
    assert all(reason in refused.value.text() for reason in reasons)
    assert await counts(owner) == before
    assert (await show_run(scope, run_id)).undone_at is None


async def test_all_four_workbooks_are_taken_back_and_leave_only_the_record_of_it_and_whom_it_names(
    town: Town, owner: asyncpg.Connection
) -> None:
    community = await found_chengjiang(town)
    before = await counts(owner)
    made = [await community.take_in(kind) for kind in FILES]
    scope = await community.admin()
    with clock.at(MOMENT + timedelta(hours=20)):
        for report in reversed(made):
            assert report.run_id is not None
            await undo(scope, report.run_id)
        after = await counts(owner)
        left = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        # Stock moves are only added: the undo adds one that takes the stock out, and the good is no longer offered.
        assert left.pop("audit") > 0
        # Hours and deeds get the status withdrawn; people they refer to stay, with their homes.
        assert (left.pop("service_record"), left.pop("deed")) == (made[1].created, made[2].created)
        named = await owner.fetchval(
            "SELECT count(*) FROM person p WHERE p.community_id = $1 AND (EXISTS (SELECT FROM service_record r "
            "WHERE r.person_id = p.id) OR EXISTS (SELECT FROM deed d WHERE p.id IN (d.person_id, d.witness_id)))",
            community.id,
        )
        assert left.pop("person") == named
        # People who stay keep the messages about the import and its undo; deleted people have none.
        # Holders of a row's phone in another community keep the question whether the record is theirs.
        assert left.pop("message") == await owner.fetchval(
            "SELECT count(*) FROM message WHERE import_id IS NOT NULL OR kind = 'membership_asked'"
        )
        assert all(left.pop(name) > 0 for name in ("household", "area", "activity", "login", "membership"))
        # A withdrawn good can be offered again, so the waiting confirmation of its price stays.
        assert left.pop("waiting_change") == 14
        assert left == {"import_run": 4, "good": 14, "good_price": 14, "stock": 14, "stock_move": 28}
        assert (
            await owner.fetchval("SELECT count(*) FROM activity WHERE community_id = $1 AND active", community.id) == 0
        )
        assert await owner.fetchval("SELECT sum(quantity) FROM stock WHERE community_id = $1", community.id) == 0
        assert await owner.fetchval("SELECT count(*) FROM good WHERE community_id = $1 AND active", community.id) == 0
        assert all(done.undone_at for done in (await runs(scope)).items)
        again = await community.take_in("residents")
        notes = (await show_run(scope, UUID(str(made[0].run_id)))).notes
    assert (again.outcome, again.created) == ("imported", 2559 - named)
    assert f"撤销时留下 {named} 位居民" in notes[-1]


async def test_goods_taken_back_may_be_imported_again(town: Town, owner: asyncpg.Connection) -> None:
    row = ["雨伞", "把", 45, 20, "慈善超市", 2]
    for _ in range(2):
        report = await take_in(town, "goods", GOODS, row)
        assert (report.outcome, report.created) == ("imported", 1)
        assert (
            await owner.fetchval("SELECT s.quantity FROM stock s JOIN good g ON g.id = good_id WHERE name = '雨伞'")
            == 20
        )
        assert report.run_id is not None
        await undo(town.system(), report.run_id)
    [moves] = await owner.fetch(
        "SELECT count(*), sum(change) FROM stock_move m JOIN good g ON g.id = good_id WHERE name = '雨伞'"
    )
    assert tuple(moves) == (4, 0)


async def test_a_family_is_taken_back_with_its_home_and_its_phones(town: Town, owner: asyncpg.Connection) -> None:
    before = await counts(owner)
    run_id = await take_in_family(town)
    await undo(await town.scope("赵丽"), run_id)
    after = await counts(owner)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]}.keys() == {
        "audit", "import_run",
    }  # fmt: skip
    audited = await owner.fetchrow("SELECT person_id FROM audit WHERE verb = 'undo_import' AND noun_id = $1", run_id)
    assert audited is not None
    assert audited["person_id"] == town.people["赵丽"]


async def test_what_others_have_moved_into_stays(town: Town, owner: asyncpg.Connection) -> None:
    run_id = await take_in_family(town)
    await take_in(
        town, "residents", ROSTER, resident("后来人", phone="19900008009", building="9栋", room="101", head="林小满")
    )
    await undo(await town.scope("赵丽"), run_id)
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'") == 0
    assert await owner.fetchval("SELECT count(*) FROM household WHERE head_name = '林小满'") == 1
    assert await owner.fetchval("SELECT count(*) FROM area WHERE name = '9栋'") == 1


async def test_people_who_have_done_something_since_keep_the_whole_import(
    town: Town, owner: asyncpg.Connection
) -> None:
    run_id = await take_in_family(town)
    scope = await town.scope("赵丽")
    start = clock.now() - timedelta(days=1)
    wanted = HoursIn(
        person_id=await person(owner, "林大山"),
        started_at=start,
        ended_at=start + timedelta(hours=1),
        reason="忘带手机",
    )
    await enter_hours(scope, wanted)
    guardianship = await owner.fetchval("SELECT id FROM guardianship WHERE guardian_id = $1", wanted.person_id)
    await record_consent(scope, guardianship)
    await correct(scope, await person(owner, "林小满"), Correction(room="102"))
    await assert_kept(
        scope, run_id, owner, "林大山、林小雨的监护关系已由家长确认，或另有登记", "林大山已有服务记录",
        "林大山、林小满收到过通知", "林小满的资料后来改过",
    )  # fmt: skip


async def test_who_has_signed_in_or_holds_points_stays(town: Town, owner: asyncpg.Connection) -> None:
    run_id = await take_in_family(town)
    login = await owner.fetchval("SELECT login_id FROM membership WHERE person_id = $1", await person(owner, "林小满"))
    await open_session(login)
    town.people["林大山"], town.home["林大山"] = await person(owner, "林大山"), town.community
    await town.give_points("林大山", 10)
    await assert_kept(town.system(), run_id, owner, "林大山已有积分或时长账户", "林小满已经登录过")


async def test_reviewed_hours_and_deeds_keep_their_import(town: Town, owner: asyncpg.Connection) -> None:
    day = clock.local_day() - timedelta(days=2)
    served = await take_in(
        town, "hours", HOURS, [day, "新活动", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"],
        [day, "新活动", "", "李秀英", town.phones["李秀英"], "09:00", "10:00"],
    )  # fmt: skip
    filed = await take_in(town, "deeds", DEEDS, [day, "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", ""])
    assert served.run_id is not None
    assert filed.run_id is not None
    await owner.execute("UPDATE service_record SET status = 'rejected' WHERE person_id = $1", town.people["张桂兰"])
    await owner.execute("UPDATE deed SET status = 'noticed'")
    await assert_kept(town.system(), served.run_id, owner, f"张桂兰 {day} 的服务时长已经审核")
    await assert_kept(town.system(), filed.run_id, owner, f"王建国 {day} 的善行已经审核")


async def test_hours_are_taken_back_with_the_activities_they_brought(town: Town, owner: asyncpg.Connection) -> None:
    day = clock.local_day() - timedelta(days=2)
    first = await take_in(
        town, "hours", HOURS, [day, "新活动", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"],
        [day, "站点值守", "", "张桂兰", town.phones["张桂兰"], "11:00", "12:00"],
    )  # fmt: skip
    assert first.run_id is not None
    await undo(town.system(), first.run_id)
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status <> 'withdrawn'") == 0
    offered = await owner.fetch("SELECT name FROM activity WHERE active")
    assert {row["name"] for row in offered} == {"站点值守", "四点半辅导"}


async def test_goods_that_have_moved_since_keep_their_import(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in(town, "goods", GOODS, ["雨伞", "把", 45, 20, "慈善超市", 2])
    assert report.run_id is not None
    good = await owner.fetchval("SELECT id FROM good WHERE name = '雨伞'")
    await receive(town.system(), good, town.stations["暖蜂驿站"], 3)
    await assert_kept(town.system(), report.run_id, owner, "暖蜂驿站的“雨伞”已被兑换、预留或盘点过")


async def test_stock_added_to_a_known_good_goes_and_the_good_stays(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in(town, "goods", GOODS, ["抽纸", "提", 30, 7, "慈善超市", ""])
    assert report.run_id is not None
    await undo(town.system(), report.run_id)
    assert await owner.fetchval("SELECT active FROM good WHERE name = '抽纸'")
    shelf = "SELECT quantity FROM stock WHERE good_id = $1 AND station_id = $2"
    assert await owner.fetchval(shelf, town.goods["抽纸"], town.stations["慈善超市"]) == 0


async def test_after_a_day_an_import_stays(town: Town) -> None:
    run_id = await take_in_family(town)
    with clock.at(clock.now() + timedelta(hours=24, minutes=1)):
        assert (await show_run(town.system(), run_id)).undo_until is None
        with pytest.raises(UndoTooLate):
            await undo(town.system(), run_id)


async def test_an_undoing_repeated_does_nothing_more(town: Town, owner: asyncpg.Connection) -> None:
    run_id = await take_in_family(town)
    admin = await town.scope("赵丽")
    await asyncio.gather(*(undo(admin, run_id) for _ in range(3)))
    first = (await show_run(town.system(), run_id)).undone_at
    before = await counts(owner)
    await undo(town.system(), run_id)
    assert (await show_run(town.system(), run_id)).undone_at == first
    assert await counts(owner) == before


async def test_only_the_communitys_administrators_undo(town: Town) -> None:
    run_id = await take_in_family(town)
    with pytest.raises(Forbidden):
        await undo(await town.scope("陈明"), run_id)
    with pytest.raises(NotFound):
        await undo(await town.scope("何静"), run_id)


async def test_an_undoing_and_a_use_at_once_never_leave_half_of_either(town: Town, owner: asyncpg.Connection) -> None:
    scope, start = await town.scope("赵丽"), clock.now() - timedelta(days=1)
    for _ in range(4):
        run_id = await take_in_family(town)
        wanted = HoursIn(
            person_id=await person(owner, "林小满"),
            started_at=start,
            ended_at=start + timedelta(hours=1),
            reason="补录",
        )
        outcomes = await asyncio.gather(undo(scope, run_id), enter_hours(scope, wanted), return_exceptions=True)
        assert all(isinstance(o, TimebankError) for o in outcomes if isinstance(o, BaseException))
        undone = (await show_run(scope, run_id)).undone_at is not None
        people = await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'")
        records = await owner.fetchval("SELECT count(*) FROM service_record")
        assert (people, records) == ((0, 0) if undone else (3, 1))
        if not undone:
            await owner.execute("DELETE FROM service_record; DELETE FROM message")
            await undo(scope, run_id)
