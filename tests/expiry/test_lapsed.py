"""Points that have expired are not lost a second time when their credit is reversed."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_class_refunds import bought
from tests.conftest import DatabaseClock
from tests.expiry.test_expiry import LAST_DAY, NEW_YEAR, NOON, Days, expired_entry
from tests.ledger.test_ledger_check import check
from tests.support.messages import texts
from tests.support.town import Town
from timebank.classes.class_time.refunds import refund
from timebank.classes.schemas import RefundIn
from timebank.core import clock
from timebank.deeds.credit import reverse_deed
from timebank.expiry.expiring import close_days, expire_points
from timebank.expiry.reversal import reverse_expiries_of_day, reverse_expiry
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import AlreadyReversed, ExpiryTakenBack
from timebank.ledger.statement import balances

LI = "李秀英"


async def has(town: Town) -> tuple[int, int]:
    state = await balances(town.system(), town.people[LI], [])
    return state.points.available, state.owed


async def spend(town: Town, points: int) -> None:
    note = Posting(kind="donation", key=f"d:{clock.new_id()}", source_kind="donation", source_id=clock.new_id())
    await posting.spend(town.system(), town.people[LI], points, note, to="donated")


async def newest_message(owner: asyncpg.Connection, town: Town) -> str:
    return (await texts(owner, "person_id = $1", town.people[LI]))[-1]


async def is_expired(days: Days, *points: int, spent: int = 0) -> list[UUID]:
    """Credit a deed for each number of points, spend `spent` of them, let the rest expire. Returns the deeds' ids."""
    with clock.at(NOON):
        deeds = [await days.town.credit_deed(LI, each, expires_on=LAST_DAY) for each in points]
        if spent:
            await spend(days.town, spent)
    await days.work(NOON)
    await days.work(NEW_YEAR)
    return deeds


@pytest.fixture
async def days(town: Town, database_clock: DatabaseClock) -> Days:
    return Days(town, database_clock)


async def test_a_deed_reversed_after_its_points_have_expired_leaves_no_debt(
    days: Days, owner: asyncpg.Connection
) -> None:
    (deed,) = await is_expired(days, 10)
    with clock.at(NEW_YEAR):
        await reverse_deed(await days.town.scope("吴昊"), deed, "重复登记")
        assert await has(days.town) == (0, 0)
        assert "其中 10 分早已到期，不再另扣" in await newest_message(owner, days.town)
        assert (await check(days.town)).problems == []


async def test_what_has_been_spent_of_expired_points_is_still_owed(days: Days, owner: asyncpg.Connection) -> None:
    (deed,) = await is_expired(days, 10, spent=4)
    with clock.at(NEW_YEAR):
        await reverse_deed(await days.town.scope("吴昊"), deed, "重复登记")
        assert await has(days.town) == (0, 4)
        text = await newest_message(owner, days.town)
        assert "其中 4 分已经花掉" in text
        assert "其中 6 分早已到期" in text
        assert (await check(days.town)).problems == []


async def test_points_of_another_year_are_left_alone_while_the_deeds_own_have_expired(days: Days) -> None:
    (deed,) = await is_expired(days, 10)
    with clock.at(NEW_YEAR):
        await days.town.credit_deed(LI, 30, expires_on=date(2028, 12, 31))
        await reverse_deed(await days.town.scope("吴昊"), deed, "重复登记")
        assert await has(days.town) == (30, 0)


async def test_expired_points_of_another_year_pay_for_nothing_that_was_got_by_fraud(days: Days) -> None:
    """Points that expired under another credit do not reduce the debt of a forged deed whose points were spent."""
    await is_expired(days, 50)
    with clock.at(NEW_YEAR):
        forged = await days.town.credit_deed(LI, 50, expires_on=date(2028, 12, 31))
        await spend(days.town, 50)
        await reverse_deed(await days.town.scope("吴昊"), forged, "没有这件事")
        assert await has(days.town) == (0, 50)
        assert (await check(days.town)).problems == []


async def test_what_a_reversal_took_of_an_expiry_does_not_come_back_with_it(
    days: Days, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    deed, _ = await is_expired(days, 10, 15)
    entry = await expired_entry(owner, days.town, LI)
    with clock.at(NEW_YEAR):
        zhao = await days.town.scope("吴昊")
        await reverse_deed(zhao, deed, "重复登记")
        back = await reverse_expiry(zhao, entry, "通知没有发出去")
        assert back.returned.usable == 15
        assert await has(days.town) == (15, 0)
        with pytest.raises(AlreadyReversed):
            await reverse_expiry(zhao, entry, "再来一次")
        assert (await check(days.town)).problems == []


async def test_an_expiry_that_a_reversal_has_taken_whole_is_not_offered_and_not_reversed(
    days: Days, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    (deed,) = await is_expired(days, 10)
    entry = await expired_entry(owner, days.town, LI)
    with clock.at(NEW_YEAR):
        wu = await days.town.scope("吴昊")
        await reverse_deed(wu, deed, "重复登记")
        with pytest.raises(ExpiryTakenBack):
            await reverse_expiry(wu, entry, "通知没有发出去")
        with pytest.raises(AlreadyReversed):
            await reverse_expiries_of_day(wu, entry, "通知没有发出去")
        page = await client.get(f"/admin/ledger/{entry}", headers=await days.town.sign_in("吴昊"))
        assert page.status_code == 200
        assert "不该到期？" not in page.text
        assert await has(days.town) == (0, 0)


async def test_points_that_came_back_from_an_expiry_are_taken_like_any_others(
    days: Days, owner: asyncpg.Connection
) -> None:
    deed, _ = await is_expired(days, 10, 5)
    entry = await expired_entry(owner, days.town, LI)
    with clock.at(NEW_YEAR):
        wu = await days.town.scope("吴昊")
        await reverse_expiry(wu, entry, "通知没有发出去")
        assert await has(days.town) == (15, 0)
        await reverse_deed(wu, deed, "重复登记")
        assert await has(days.town) == (5, 0)
        assert (await check(days.town)).problems == []


async def test_points_that_expired_in_their_days_of_grace_are_not_lost_twice_either(
    days: Days, owner: asyncpg.Connection
) -> None:
    (deed,) = await is_expired(days, 10)
    entry = await expired_entry(owner, days.town, LI)
    with clock.at(NEW_YEAR):
        await reverse_expiry(await days.town.scope("吴昊"), entry, "通知没有发出去")
    for day in (LAST_DAY + timedelta(days=25), LAST_DAY + timedelta(days=31)):
        await days.work(datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
    with clock.at(datetime(2027, 2, 3, 4, tzinfo=UTC)):
        assert await owner.fetchval("SELECT sum(amount) FROM transfer WHERE kind = 'expiry'") == 20
        await reverse_deed(await days.town.scope("吴昊"), deed, "重复登记")
        assert await has(days.town) == (0, 0)
        assert (await check(days.town)).problems == []


async def test_an_expiry_and_its_deed_reversed_at_once_give_and_take_the_same_points_once(
    days: Days, owner: asyncpg.Connection
) -> None:
    (deed,) = await is_expired(days, 10)
    entry = await expired_entry(owner, days.town, LI)
    with clock.at(NEW_YEAR):
        wu, qian = await days.town.scope("吴昊"), await days.town.scope("钱进")
        answers = await asyncio.gather(
            reverse_deed(wu, deed, "重复登记"), reverse_expiry(qian, entry, "通知没有发出去"), return_exceptions=True
        )
        assert [a for a in answers if isinstance(a, BaseException) and not isinstance(a, ExpiryTakenBack)] == []
        assert await has(days.town) == (0, 0)
        assert (await check(days.town)).problems == []


async def test_an_hour_reversed_after_its_points_have_expired_takes_none_of_later_ones(days: Days) -> None:
    scope, li = days.town.system(), days.town.people[LI]
    with clock.at(NOON):
        note = Posting(kind="service", key="s", source_kind="test", source_id=UUID(int=1))
        earned = await posting.earn(scope, li, 60, 6, note, expires_on=LAST_DAY)
    await days.work(NOON)
    await days.work(NEW_YEAR)
    with clock.at(NEW_YEAR):
        note = Posting(kind="deed", key="later", source_kind="test", source_id=UUID(int=2))
        await posting.issue(scope, li, Currency.point, 7, note, expires_on=date(2028, 12, 31))
        back = await posting.reverse(
            scope, earned.entry_id, Posting(kind="reversal", key="r", source_kind="test", source_id=UUID(int=1))
        )
        assert (back.taken, back.owed, back.lapsed) == (0, 0, 10)
        state = await balances(scope, li, [])
        assert (state.points.available, state.minutes, state.owed) == (7, 0, 0)


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE transfer SET draws_on = NULL WHERE draws_on IS NOT NULL",
        "UPDATE transfer SET draws_on = gen_random_uuid() WHERE draws_on IS NOT NULL",
        (
            "UPDATE transfer SET draws_on = (SELECT x.id FROM transfer x JOIN account a ON a.id = x.debit_account "
            "WHERE x.kind = 'expiry' AND a.owner_id <> (SELECT person_id FROM deed WHERE status = 'reversed')) "
            "WHERE draws_on IS NOT NULL"
        ),
        "UPDATE transfer SET amount = 3 WHERE kind = 'expiry'",
    ],
)
async def test_the_check_finds_a_reversal_that_took_what_had_not_expired(
    days: Days, owner: asyncpg.Connection, tamper: str
) -> None:
    with clock.at(NOON):
        await days.town.credit_deed("王建国", 10, expires_on=LAST_DAY)
    (deed,) = await is_expired(days, 10)
    with clock.at(NEW_YEAR):
        await reverse_deed(await days.town.scope("吴昊"), deed, "重复登记")
        assert (await check(days.town)).problems == []
        await owner.execute(tamper)
        assert "expiry_drawn_astray" in {problem.code for problem in (await check(days.town)).problems}


@pytest.mark.parametrize("turn", range(3))
async def test_a_deed_reversed_while_the_worker_lets_its_points_expire_is_lost_once(
    days: Days, owner: asyncpg.Connection, turn: int
) -> None:
    with clock.at(NOON):
        deed = await days.town.credit_deed(LI, 10, expires_on=LAST_DAY)
        await days.town.credit_deed(LI, 3, expires_on=LAST_DAY)
    await days.work(NOON)
    await days.database.show(NEW_YEAR)
    with clock.at(NEW_YEAR):
        wu = await days.town.scope("吴昊")
        await close_days(days.town.system())
        await asyncio.gather(reverse_deed(wu, deed, "重复登记"), *(expire_points(days.town.system()) for _ in range(3)))
        await expire_points(days.town.system())
        assert await has(days.town) == (0, 0)
        assert (await check(days.town)).problems == []
    gone = await owner.fetchval(
        "SELECT sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END) FROM transfer t "
        "JOIN account a ON a.id IN (t.credit_account, t.debit_account) WHERE a.bucket = 'expired'"
    )
    assert gone == 3


async def test_a_deed_whose_points_paid_a_refunded_class_takes_what_came_back_or_has_lapsed(
    days: Days, owner: asyncpg.Connection
) -> None:
    """A class is bought in December and partly refunded in the days of grace; the refunded points expire after them;
    then the deed is reversed."""
    town = days.town
    with clock.at(NOON):
        await owner.execute("UPDATE course SET starts_on = '2026-01-01', ends_on = '2027-12-31'")
        deed = await town.credit_deed("刘洋", 40, expires_on=LAST_DAY)
        await bought(town, 120)
    await days.work(NOON)
    await days.work(NEW_YEAR)
    with clock.at(NEW_YEAR):
        wanted = RefundIn(
            person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, minutes=90
        )
        assert (await refund(await town.scope("刘洋"), wanted)).points == 30
    after = LAST_DAY + timedelta(days=31)
    later = datetime(after.year, after.month, after.day, 4, tzinfo=UTC)
    await days.work(later)
    with clock.at(later):
        await reverse_deed(await town.scope("吴昊"), deed, "重复登记")
        state = await balances(town.system(), town.people["刘洋"], [])
        assert (state.points.available, state.owed) == (0, 10), "30 had lapsed, the half hour is still there"
        assert (await check(town)).problems == []
