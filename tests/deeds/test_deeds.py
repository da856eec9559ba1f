"""The moral bank: what heads do for their neighbours, from filing to points."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.support.messages import texts
from tests.support.town import PHOENIX, Town
from timebank.core import clock
from timebank.core.errors import Forbidden, Invalid, NotFound
from timebank.deeds.credit import NotCredited, credit_due_deeds, reverse_deed
from timebank.deeds.filing.bulk import Filed, file_imported_deeds
from timebank.deeds.filing.caps import CapReached, period_of
from timebank.deeds.filing.filing import (
    DeedDay,
    NotForThisPerson,
    NotYourArea,
    PointsByAdmin,
    PointsNeedReason,
    WitnessTooClose,
    WitnessUnknown,
    file_deed,
    undo_filed_deeds,
)
from timebank.deeds.reading import find_deed
from timebank.deeds.review import DeedReviewed, review_deed
from timebank.deeds.schemas import BookDeed, DeedIn, DeedOut
from timebank.ledger.posting import Currency
from timebank.ledger.statement import balances, statement
from timebank.objections.deciding import PartyToDeed, decide_objection
from timebank.objections.objecting import object_to
from timebank.objections.subjects import NotOnNotice
from timebank.people.guardianship.guardians import NotGuardian
from timebank.policies.values import change_policy
from timebank.rules.catalogue import RuleNotFound

MORNING = datetime.fromisoformat("2026-11-18T09:00:00+08:00")  # a Wednesday
BUILDING = f"{PHOENIX}/第一网格/3栋"
UNIT = f"{PHOENIX}/第一网格/3栋/1单元"
OTHER_UNIT = f"{PHOENIX}/第一网格/3栋/2单元"
OTHER_BUILDING = f"{PHOENIX}/第一网格/5栋"


def deed_of(town: Town, person: str = "李秀英", area: str = UNIT, **other: Any) -> DeedIn:
    told: dict[str, Any] = {
        "person_id": town.people[person],
        "rule_code": "mediation",
        "area_id": town.areas[area],
        "occurred_on": date(2026, 11, 17),
        "note": "两家为漏水吵架，说和了",
    }
    return DeedIn(**told | other)


async def filed(town: Town, by: str = "李秀英", **other: Any) -> DeedOut:
    return await file_deed(await town.scope(by), deed_of(town, **other))


async def noticed(town: Town, **other: Any) -> DeedOut:
    deed = await filed(town, **other)
    return await review_deed(await town.scope("陈明"), deed.id, "approve", "")


async def points_of(town: Town, name: str) -> int:
    return (await balances(town.system(), town.people[name], [])).points.available


async def test_a_head_s_deed_hangs_on_the_board_and_is_then_credited(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town, witness_id=town.people["张桂兰"])
        assert (deed.status, deed.points, deed.rule_version) == ("filed", 10, 1)
        deed = await review_deed(await town.scope("陈明"), deed.id, "approve", "属实", witness_asked=True)
        assert (deed.status, deed.notice_until) == ("noticed", MORNING + timedelta(days=7))
    with clock.at(MORNING + timedelta(days=7, seconds=-1)):
        assert await credit_due_deeds(town.system()) == 0
    with clock.at(MORNING + timedelta(days=7)):
        assert await credit_due_deeds(town.system()) == 1
        assert await credit_due_deeds(town.system()) == 0
        assert await points_of(town, "李秀英") == 10
        (line,) = (await statement(town.system(), town.people["李秀英"], Currency.point)).items
        assert (line.reason(), line.kind) == ("3栋1单元 · 2026-11-17 · 调解邻里纠纷，每件 10 分", "deed")
        assert (await balances(town.system(), town.people["李秀英"], [])).points.expiring[0].on == date(2027, 12, 31)


async def test_two_workers_at_once_credit_each_deed_once(town: Town) -> None:
    with clock.at(MORNING):
        for person in ("李秀英", "王建国", "张桂兰"):
            deed = await filed(town, by="吴昊", person=person)
            await review_deed(await town.scope("陈明"), deed.id, "approve", "")
    with clock.at(MORNING + timedelta(days=8)):
        credited = await asyncio.gather(*(credit_due_deeds(town.system()) for _ in range(8)))
        assert sum(credited) == 3
        assert await points_of(town, "李秀英") == await points_of(town, "王建国") == 10


async def test_without_a_notice_period_an_approved_deed_is_credited_at_once(town: Town) -> None:
    await change_policy(await town.scope("赵丽"), "notice_days", 0)
    with clock.at(MORNING):
        deed = await noticed(town)
        assert deed.status == "credited"
        assert await points_of(town, "李秀英") == 10


async def test_the_deeds_of_somebody_who_left_wait_and_keep_nobody_else_waiting(
    town: Town, owner: asyncpg.Connection
) -> None:
    with clock.at(MORNING):
        await noticed(town)
        await noticed(town, by="王建国", person="王建国", area=BUILDING)
        await owner.execute("UPDATE person SET status = 'left' WHERE id = $1", town.people["李秀英"])
    with clock.at(MORNING + timedelta(days=8)):
        assert await credit_due_deeds(town.system()) == 1
        await owner.execute("UPDATE person SET status = 'active' WHERE id = $1", town.people["李秀英"])
        assert await credit_due_deeds(town.system()) == 1


# --------------------------------------------------------------------------------------------------------------- filing


async def test_a_building_head_files_for_the_building_and_its_units_and_for_no_other(town: Town) -> None:
    with clock.at(MORNING):
        for area in (BUILDING, UNIT):
            assert (await filed(town, by="王建国", person="王建国", area=area)).status == "filed"
        with pytest.raises(NotYourArea):
            await filed(town, by="王建国", person="王建国", area=OTHER_BUILDING)


async def test_a_unit_head_files_for_the_own_unit_alone(town: Town) -> None:
    with clock.at(MORNING):
        for area in (BUILDING, OTHER_UNIT, f"{PHOENIX}/第一网格"):
            with pytest.raises(NotYourArea):
                await filed(town, area=area)


async def test_a_head_files_for_oneself_or_a_head_below_and_for_nobody_else(town: Town) -> None:
    with clock.at(MORNING):
        assert (await filed(town, by="王建国", person="李秀英")).person == "李秀英"
        with pytest.raises(NotForThisPerson):
            await filed(town, by="王建国", person="张桂兰")
        with pytest.raises(NotForThisPerson):
            await filed(town, by="李秀英", person="王建国")


async def test_a_grid_worker_files_for_who_lives_in_the_grid(town: Town) -> None:
    with clock.at(MORNING):
        assert (await filed(town, by="陈明", person="张桂兰", witness_id=town.people["周敏"])).witness == "周敏"
        with pytest.raises(NotFound):
            await filed(town, by="陈明", person="马涛")


async def test_neither_a_resident_nor_an_auditor_files(town: Town) -> None:
    with clock.at(MORNING):
        for by in ("张桂兰", "孙伟", "周敏"):
            with pytest.raises(NotYourArea):
                await filed(town, by=by, person=by)


@pytest.mark.parametrize("day", [date(2026, 11, 19), date(2026, 8, 19)])
async def test_a_deed_of_tomorrow_or_of_long_ago_is_refused(town: Town, day: date) -> None:
    with clock.at(MORNING):
        with pytest.raises(DeedDay):
            await filed(town, occurred_on=day)
        assert (await filed(town, occurred_on=date(2026, 8, 20))).status == "filed"


async def test_a_book_that_is_read_in_reaches_back_further(town: Town) -> None:
    with clock.at(MORNING):
        wanted = BookDeed(**msgspec.structs.asdict(deed_of(town, occurred_on=date(2026, 2, 3))))
        [read] = await file_imported_deeds(await town.scope("赵丽"), [wanted])
        assert isinstance(read, Filed)
        assert (await find_deed(await town.scope("赵丽"), read.id)).rule_version == 1


async def test_a_witness_is_another_resident_of_another_household(town: Town) -> None:
    with clock.at(MORNING):
        with pytest.raises(WitnessTooClose):
            await filed(town, witness_id=town.people["李秀英"])
        with pytest.raises(WitnessTooClose):
            await filed(town, by="赵丽", person="张桂兰", witness_id=town.people["张国庆"])
        with pytest.raises(WitnessUnknown):
            await filed(town, witness_id=town.people["马涛"])


async def test_a_child_s_deed_needs_a_guardian_s_consent(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        assert (await filed(town, by="赵丽", person="刘小雨")).status == "filed"
        await owner.execute("UPDATE guardianship SET consented_at = NULL")
        with pytest.raises(NotGuardian):
            await filed(town, by="赵丽", person="刘小雨")


async def test_other_points_than_the_catalogue_s_need_an_admin_and_a_reason(town: Town) -> None:
    with clock.at(MORNING):
        with pytest.raises(PointsByAdmin):
            await filed(town, points=50, points_reason="特别困难")
        with pytest.raises(PointsNeedReason):
            await filed(town, by="赵丽", points=50, points_reason="  ")
        deed = await filed(town, by="赵丽", points=15, points_reason="跑了三趟")
        assert (deed.points, deed.points_reason) == (15, "跑了三趟")
        assert (await filed(town, points=10, points_reason="不需要")).points_reason is None


async def test_only_a_deed_of_the_catalogue_can_be_filed(town: Town) -> None:
    with clock.at(MORNING):
        for code in ("service", "nothing"):
            with pytest.raises(RuleNotFound):
                await filed(town, rule_code=code)


async def test_a_deed_earns_what_the_catalogue_said_on_its_day(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "INSERT INTO rule SELECT community_id, code, 2, kind, name, NULL, 12, unit, cap_period, cap_per_person, "
        "cap_per_area, active, $1, NULL FROM rule WHERE code = 'mediation' AND community_id = $2",
        MORNING - timedelta(hours=1), town.community,
    )  # fmt: skip
    with clock.at(MORNING):
        assert (await filed(town, occurred_on=date(2026, 11, 17))).points == 10
        assert (await filed(town, occurred_on=date(2026, 11, 18))).points == 12


# ---------------------------------------------------------------------------------------------------------------- caps


def test_a_period_is_the_local_day_iso_week_month_or_year() -> None:
    assert period_of(date(2026, 11, 18), "day") == (date(2026, 11, 18), date(2026, 11, 18))
    assert period_of(date(2026, 11, 22), "week") == (date(2026, 11, 16), date(2026, 11, 22))
    assert period_of(date(2027, 1, 1), "week") == (date(2026, 12, 28), date(2027, 1, 3))
    assert period_of(date(2028, 2, 29), "month") == (date(2028, 2, 1), date(2028, 2, 29))
    assert period_of(date(2026, 12, 31), "month") == (date(2026, 12, 1), date(2026, 12, 31))
    assert period_of(date(2026, 2, 3), "year") == (date(2026, 1, 1), date(2026, 12, 31))


async def test_a_person_reaches_the_cap_of_the_week_and_starts_anew_in_the_next(town: Town) -> None:
    with clock.at(MORNING):
        for day in (16, 17, 18):
            await filed(town, occurred_on=date(2026, 11, day))
        with pytest.raises(CapReached, match="每人每周最多记 3 次"):
            await filed(town, occurred_on=date(2026, 11, 16))
        assert (await filed(town, occurred_on=date(2026, 11, 15))).status == "filed"


async def test_a_place_reaches_its_cap_whoever_did_it(town: Town) -> None:
    with clock.at(MORNING):
        for person in ("李秀英", "李秀英", "李秀英", "王建国", "王建国"):
            await filed(town, by="赵丽", person=person)
        with pytest.raises(CapReached, match="每楼或单元每周最多记 5 次"):
            await filed(town, by="赵丽", person="张桂兰")


async def test_a_rejected_deed_frees_its_place(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town, rule_code="patrol")
        with pytest.raises(CapReached):
            await filed(town, rule_code="patrol")
        await review_deed(await town.scope("陈明"), deed.id, "reject", "照片不是这栋楼")
        assert (await filed(town, rule_code="patrol")).status == "filed"


async def test_twenty_filings_at_once_never_exceed_the_caps(town: Town) -> None:
    admin = await town.scope("赵丽")
    with clock.at(MORNING):
        people = ["李秀英", "王建国", "张桂兰", "欧阳凯伟"]
        answers = await asyncio.gather(
            *(file_deed(admin, deed_of(town, person=people[n % 4])) for n in range(20)), return_exceptions=True
        )
    kept = [a for a in answers if isinstance(a, DeedOut)]
    assert len(kept) == 5
    assert max(sum(d.person == name for d in kept) for name in people) <= 3
    assert all(isinstance(a, DeedOut | CapReached) for a in answers)


# -------------------------------------------------------------------------------------------------------------- review


@pytest.mark.parametrize(
    ("by", "person", "witness", "reviewer"),
    [
        ("赵丽", "李秀英", None, "赵丽"),  # who filed it
        ("李秀英", "李秀英", "陈明", "陈明"),  # the witness
        ("赵丽", "陈明", None, "陈明"),  # the person
        ("钱进", "李秀英", None, "钱进"),  # an administrator from above who filed it
    ],
)
async def test_no_party_reviews(town: Town, by: str, person: str, witness: str | None, reviewer: str) -> None:
    with clock.at(MORNING):
        deed = await filed(town, by=by, person=person, witness_id=town.people[witness] if witness else None)
        with pytest.raises(PartyToDeed):
            await review_deed(await town.scope(reviewer), deed.id, "approve", "")


async def test_no_member_of_the_household_reviews(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["李秀英"], town.people["陈明"]
    )
    with clock.at(MORNING):
        deed = await filed(town)
        with pytest.raises(PartyToDeed):
            await review_deed(await town.scope("陈明"), deed.id, "approve", "")


async def test_a_street_admin_without_a_record_here_is_still_remembered_as_the_filer(
    town: Town, owner: asyncpg.Connection
) -> None:
    """A county administrator who lives in another community files a deed and may not review it."""
    await owner.execute("UPDATE role_grant SET region_id = $1 WHERE role = 'community_admin' AND person_id = $2",
                        town.county, town.people["何静"])  # fmt: skip
    await owner.execute("UPDATE role_grant SET role = 'county_admin' WHERE person_id = $1", town.people["何静"])
    scope = await town.scope("何静", town.community)
    with clock.at(MORNING):
        deed = await file_deed(scope, deed_of(town))
        with pytest.raises(PartyToDeed):
            await review_deed(scope, deed.id, "approve", "")


async def test_a_head_sees_a_deed_of_the_own_area_but_does_not_review_it(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        for name in ("王建国", "孙伟"):
            with pytest.raises(Forbidden):
                await review_deed(await town.scope(name), deed.id, "approve", "")
        for name in ("张桂兰", "周敏", "何静"):
            with pytest.raises(NotFound):
                await review_deed(await town.scope(name), deed.id, "approve", "")


async def test_a_rejection_needs_its_reason_and_tells_it(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        with pytest.raises(Invalid, match="退回要写明原因"):
            await review_deed(await town.scope("陈明"), deed.id, "reject", " ")
        rejected = await review_deed(await town.scope("陈明"), deed.id, "reject", "日期不对")
        assert (rejected.status, rejected.review_note) == ("rejected", "日期不对")
        with pytest.raises(DeedReviewed):
            await review_deed(await town.scope("赵丽"), deed.id, "approve", "")
    [told] = await texts(owner, "person_id = $1", town.people["李秀英"])
    assert "日期不对" in told


async def test_two_reviews_at_once_leave_one_decision(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        worker, admin = await town.scope("陈明"), await town.scope("赵丽")
        answers = await asyncio.gather(
            review_deed(worker, deed.id, "approve", ""), review_deed(admin, deed.id, "reject", "不符合"),
            return_exceptions=True,
        )  # fmt: skip
    assert sum(isinstance(a, DeedReviewed) for a in answers) == 1


async def test_an_import_takes_back_only_what_nobody_has_reviewed(town: Town) -> None:
    admin = await town.scope("赵丽")
    with clock.at(MORNING):
        fresh, hanging = await filed(town), await noticed(town)
        with pytest.raises(Forbidden):
            await undo_filed_deeds(await town.scope("陈明"), [fresh.id])
        assert await undo_filed_deeds(admin, [fresh.id, hanging.id]) == 1


# ------------------------------------------------------------------------------------------------------------ reversal


async def test_a_reversed_deed_takes_its_points_back_and_says_why(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
    with clock.at(MORNING + timedelta(days=7)):
        with pytest.raises(NotCredited):
            await reverse_deed(await town.scope("赵丽"), deed.id, "重复登记")
        await credit_due_deeds(town.system())
        with pytest.raises(Forbidden):
            await reverse_deed(await town.scope("陈明"), deed.id, "重复登记")
        assert (await reverse_deed(await town.scope("赵丽"), deed.id, "重复登记")).status == "reversed"
        assert await points_of(town, "李秀英") == 0
        with pytest.raises(NotCredited):
            await reverse_deed(await town.scope("赵丽"), deed.id, "再来一次")
    [told] = await texts(owner, "kind = 'deed_reversed'")
    assert "重复登记" in told


async def test_the_person_objects_to_a_reversal_and_gets_the_points_again(town: Town) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
    with clock.at(MORNING + timedelta(days=7)):
        await credit_due_deeds(town.system())
        await reverse_deed(await town.scope("赵丽"), deed.id, "重复登记")
        with pytest.raises(NotOnNotice):
            await object_to(await town.scope("张桂兰"), "deed", deed.id, "没有重复")
        objection = await object_to(await town.scope("李秀英"), "deed", deed.id, "是两件不同的事")
        await decide_objection(await town.scope("吴昊"), objection.id, True, "确是两件事")
        assert await points_of(town, "李秀英") == 10
