"""Points expire only if announced, for days that are closed by the worker's clock and by the database's.

The rest waits for an administrator.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.conftest import DatabaseClock
from tests.support.ledger_sums import problems_of
from tests.support.messages import texts
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.expiry.expiring import (
    ClockDisagrees,
    ExpiryChanged,
    WaitingExpiry,
    close_days,
    expire_points,
    let_expire,
    waiting_expiries,
)
from timebank.expiry.reminders import remind_of_expiry
from timebank.expiry.reversal import OwnExpiry, reverse_expiries_of_day, reverse_expiry
from timebank.ledger import posting
from timebank.ledger.checking.check import check_ledger
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import AlreadyReversed, NotReversible, PastGrace
from timebank.ledger.statement import balances
from timebank.operations import worker
from timebank.people.records import set_person_status

LAST_DAY = date(2026, 12, 31)
NOON = datetime(2026, 12, 25, 4, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 1, 4, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)


@dataclass
class Days:
    """Runs the worker at chosen moments of its own clock and of the database's clock."""

    town: Town
    database: DatabaseClock

    async def work(self, moment: datetime, *, database: datetime | None = None, workers: int = 1) -> None:
        """Remind, close and expire at `moment` of the worker's clock; `database` is the database's, if another."""
        await self.database.show(database or moment)
        with clock.at(moment):
            await asyncio.gather(*(self._work() for _ in range(workers)))

    async def _work(self) -> None:
        await remind_of_expiry(self.town.system())
        await close_days(self.town.system())
        await expire_points(self.town.system())

    async def waiting(self, moment: datetime) -> list[WaitingExpiry]:
        with clock.at(moment):
            return await waiting_expiries(await self.town.scope("孙伟"))


@pytest.fixture
async def days(town: Town, database_clock: DatabaseClock) -> Days:
    return Days(town, database_clock)


@pytest.fixture
async def given(days: Days) -> Days:
    """A week before the year's end two people have points that expire this year, and the worker has run on two days."""
    with clock.at(NOON - timedelta(days=1)):
        await days.town.credit_deed("张桂兰", 1_000_000, expires_on=LAST_DAY)
        await days.town.credit_deed("李秀英", 30, expires_on=LAST_DAY)
        await days.town.credit_deed("李秀英", 5, expires_on=date(2027, 12, 31))
    await days.work(NOON - timedelta(days=1))
    await days.work(NOON)
    return days


async def points_left(owner: asyncpg.Connection) -> int:
    left: int = await owner.fetchval("SELECT sum(balance)::bigint FROM account WHERE currency = 'point'")
    return left


ALL = 1_000_035


async def test_what_was_announced_expires_by_itself_however_much_it_is(given: Days, owner: asyncpg.Connection) -> None:
    await given.work(NEW_YEAR - timedelta(days=1))
    assert await points_left(owner) == ALL
    await given.work(NEW_YEAR)
    assert await points_left(owner) == 5
    assert await given.waiting(NEW_YEAR) == []
    assert await problems_of(owner) == []


async def test_two_workers_at_once_let_it_expire_once(given: Days, owner: asyncpg.Connection) -> None:
    await given.work(NEW_YEAR, workers=4)
    assert await points_left(owner) == 5
    assert await owner.fetchval("SELECT count(*) FROM transfer WHERE kind = 'expiry'") == 2
    assert await owner.fetchval("SELECT sum(amount) FROM expiry_announcement WHERE day = $1", LAST_DAY) == 0
    assert await problems_of(owner) == []


@pytest.mark.parametrize("ahead", [timedelta(days=7), timedelta(days=40), YEARS])
async def test_a_worker_whose_clock_is_ahead_expires_announces_and_closes_nothing(
    given: Days, owner: asyncpg.Connection, ahead: timedelta
) -> None:
    told = await owner.fetchval("SELECT count(*) FROM message")
    await given.work(NOON + ahead, database=NOON, workers=2)
    assert await points_left(owner) == ALL
    assert await owner.fetchval("SELECT max(until) FROM books_closed") == clock.local_day(NOON - timedelta(days=1))
    assert await owner.fetchval("SELECT count(*) FROM message") == told or ahead < YEARS
    await given.work(NEW_YEAR)
    assert await points_left(owner) == 5, "with the right clock again all goes on"


async def test_a_worker_whose_clock_is_behind_does_no_harm(given: Days, owner: asyncpg.Connection) -> None:
    await given.work(NOON - YEARS, database=NOON)
    await given.work(NEW_YEAR - YEARS, database=NEW_YEAR)
    assert await points_left(owner) == ALL
    assert await owner.fetchval("SELECT max(until) FROM books_closed") == clock.local_day(NOON - timedelta(days=1))
    await given.work(NEW_YEAR)
    assert await points_left(owner) == 5


async def test_when_both_clocks_are_years_ahead_everything_waits_for_a_person(
    given: Days, owner: asyncpg.Connection
) -> None:
    await given.work(NOON + YEARS, workers=2)
    await given.work(NOON + YEARS + timedelta(days=1))
    assert await points_left(owner) == ALL
    waiting = await given.waiting(NOON + YEARS)
    assert [(w.day, w.amount, w.people, w.skipped) for w in waiting] == [
        (LAST_DAY, 1_000_030, 2, True),
        (date(2027, 12, 31), 5, 1, True),
    ]
    await given.work(NEW_YEAR)
    assert await points_left(owner) == 5
    assert await given.waiting(NEW_YEAR) == []


async def test_a_confirmed_wrong_date_goes_back_with_the_clocks_and_takes_nothing_unannounced(
    given: Days, owner: asyncpg.Connection
) -> None:
    """While the server is five years ahead, an administrator lets one day expire. The other days still wait, the right
    clock closes days as before, and the check reports what expired early."""
    await given.database.show(NOON + YEARS)
    with clock.at(NOON + YEARS):
        await let_expire(await given.town.scope("赵丽"), LAST_DAY, Currency.point, 1_000_030)
    assert await points_left(owner) == 5
    await given.work(NOON + timedelta(days=1))
    assert await owner.fetchval("SELECT max(until) FROM books_closed") == clock.local_day(NOON)
    await given.database.show(NOON + timedelta(days=1))
    found = await check_ledger(await given.town.scope("孙伟"))
    assert [p.code for p in found.problems] == ["expired_early", "expired_early"]


async def test_a_worker_that_was_off_for_a_fortnight_over_the_years_end_waits_for_one_confirmation(
    given: Days, owner: asyncpg.Connection
) -> None:
    back = NOON + timedelta(days=14)
    await given.work(back, workers=2)
    assert await points_left(owner) == ALL
    (due,) = await given.waiting(back)
    assert (due.day, due.amount, due.people, due.skipped) == (LAST_DAY, 1_000_030, 2, True)
    with clock.at(back):
        assert (await balances(given.town.system(), given.town.people["李秀英"], [])).points.available == 5
        assert await let_expire(await given.town.scope("赵丽"), LAST_DAY, Currency.point, due.amount) == 2
    assert await points_left(owner) == 5
    await given.work(back + timedelta(days=1))
    assert await owner.fetchval("SELECT max(until) FROM books_closed") == clock.local_day(back)


async def test_a_worker_that_was_off_a_fortnight_when_nothing_ran_out_goes_on_by_itself(
    given: Days, owner: asyncpg.Connection
) -> None:
    await given.work(NEW_YEAR)
    await given.work(NEW_YEAR + timedelta(days=60))
    assert await owner.fetchval("SELECT max(until) FROM books_closed") == clock.local_day(NEW_YEAR + timedelta(days=59))


async def test_an_installation_just_migrated_goes_on_from_its_last_counted_day(
    days: Days, owner: asyncpg.Connection
) -> None:
    """No announcement is stored: points that are still valid are announced again, and those already past their last day
    wait."""
    with clock.at(NOON - timedelta(days=2)):
        await days.town.credit_deed("张桂兰", 40, expires_on=LAST_DAY)
        await days.town.credit_deed("李秀英", 7, expires_on=clock.local_day())
    await owner.execute(
        "INSERT INTO message (community_id, id, person_id, kind, text, key, created_at, due_at, urgent) "
        "VALUES ($1, gen_random_uuid(), $2, 'points_expiring', '旧消息', 'points-expire:2026-12-31:30', $3, $3, false)",
        days.town.community, days.town.people["张桂兰"], NOON - timedelta(days=20),
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO books_closed VALUES ($1, $2, $3)",
        days.town.community, clock.local_day(NOON - timedelta(days=3)), NOON - timedelta(days=2),
    )  # fmt: skip
    await days.work(NOON)
    assert await points_left(owner) == 47
    assert [(w.amount, w.skipped) for w in await days.waiting(NOON)] == [(7, False)]
    await days.work(NEW_YEAR)
    assert await points_left(owner) == 7


@pytest.mark.parametrize("shift", [YEARS, -YEARS])
@pytest.mark.parametrize("is_marked", [False, True])
async def test_a_wrong_clock_in_the_first_days_of_an_installation_does_no_harm(
    days: Days, owner: asyncpg.Connection, shift: timedelta, is_marked: bool
) -> None:
    """The installation is new and has closed no day; or it was just migrated and has a last closed day, but no
    announcement."""
    with clock.at(NOON - timedelta(days=2)):
        await days.town.credit_deed("张桂兰", 40, expires_on=LAST_DAY)
    if is_marked:
        marked = clock.local_day(NOON - timedelta(days=3))
        await owner.execute("INSERT INTO books_closed VALUES ($1, $2, $3)", days.town.community, marked, NOON)
    await days.work(NOON + shift, database=NOON, workers=2)
    assert await points_left(owner) == 40
    assert (await owner.fetchval("SELECT max(until) FROM books_closed") or LAST_DAY) <= LAST_DAY
    assert await owner.fetchval("SELECT count(*) FROM message") == 0
    await days.work(NOON)
    assert await owner.fetchval("SELECT until FROM books_closed") == clock.local_day(NOON - timedelta(days=1))
    await days.work(NEW_YEAR, workers=2)
    assert await points_left(owner) == 0
    assert await days.waiting(NEW_YEAR) == []


async def test_a_fresh_installation_closes_its_days_without_a_person(days: Days, owner: asyncpg.Connection) -> None:
    await days.work(NOON)
    assert await owner.fetchval("SELECT until FROM books_closed") == clock.local_day(NOON - timedelta(days=1))
    assert await days.waiting(NOON) == []


async def test_without_a_marker_what_has_run_out_waits_for_a_person(days: Days, owner: asyncpg.Connection) -> None:
    with clock.at(NOON):
        await days.town.credit_deed("张桂兰", 40, expires_on=LAST_DAY)
    await days.work(NEW_YEAR)
    assert await points_left(owner) == 40
    assert [(w.amount, w.skipped) for w in await days.waiting(NEW_YEAR)] == [(40, True)]


async def test_what_became_more_in_the_last_week_is_told_again_and_expires_by_itself(
    given: Days, owner: asyncpg.Connection
) -> None:
    with clock.at(NOON + timedelta(days=2)):
        await given.town.credit_deed("李秀英", 12, expires_on=LAST_DAY)
    await given.work(NOON + timedelta(days=3), workers=2)
    assert await texts(owner, "person_id = $1 AND kind = 'points_expiring'", given.town.people["李秀英"]) == [
        "您有 30 积分在12月31日 24:00 到期，请在那之前使用。",
        "您有 42 积分在12月31日 24:00 到期，请在那之前使用。",
    ]
    await given.work(NEW_YEAR)
    assert await points_left(owner) == 5


async def test_more_than_was_announced_waits_and_the_announced_part_expires(
    given: Days, owner: asyncpg.Connection
) -> None:
    with clock.at(NEW_YEAR - timedelta(hours=15)):
        await given.town.credit_deed("李秀英", 12, expires_on=LAST_DAY)
    await given.database.show(NEW_YEAR)
    with clock.at(NEW_YEAR):
        await close_days(given.town.system())
        await expire_points(given.town.system())
    assert await points_left(owner) == 5 + 12
    assert await given.waiting(NEW_YEAR) == [WaitingExpiry(LAST_DAY, "point", 12, 1, False)]


@pytest.mark.parametrize(("status", "messages"), [("blocked", 1), ("left", 0)])
async def test_points_of_who_is_blocked_or_has_left_run_out_with_the_others_and_wait_for_nobody(
    days: Days, owner: asyncpg.Connection, status: Literal["blocked", "left"], messages: int
) -> None:
    """A blocked person is notified and reads it later; for one who has left nobody is notified. Once they are active
    again, an administrator can reverse their expiry."""
    admin, li = await days.town.scope("赵丽"), days.town.people["李秀英"]
    with clock.at(NOON):
        await days.town.credit_deed("李秀英", 12, expires_on=LAST_DAY)
        await set_person_status(admin, li, status, "查账")
    await days.work(NOON)
    await days.work(NOON + timedelta(hours=1))
    told = "SELECT count(*) FROM message WHERE kind = 'points_expiring' AND person_id = $1"
    assert await owner.fetchval(told, li) == messages
    await days.work(NEW_YEAR)
    assert (await points_left(owner), await days.waiting(NEW_YEAR)) == (0, [])
    with clock.at(NEW_YEAR):
        admin = await days.town.scope("赵丽")
        await set_person_status(admin, li, "active", None)
        await reverse_expiry(admin, await expired_entry(owner, days.town, "李秀英"), "停用期间没法用")
        assert (await balances(days.town.system(), li, [])).points.available == 12


async def test_goods_that_come_back_in_the_last_hours_were_announced_with_the_rest(
    given: Days, owner: asyncpg.Connection
) -> None:
    scope, li = given.town.system(), given.town.people["李秀英"]
    with clock.at(NOON):
        held = await posting.hold(scope, li, 30, Posting(kind="hold", key="h", source_kind="test", source_id=li))
    await given.work(NOON + timedelta(hours=1))
    with clock.at(clock.day_bounds(LAST_DAY)[1] - timedelta(seconds=1)):
        await posting.void(scope, held.entry_id, Posting(kind="void", key="v", source_kind="test", source_id=li))
    await given.work(NEW_YEAR)
    assert await points_left(owner) == 5


async def test_points_in_their_days_of_grace_are_reminded_of_once_and_expire(
    given: Days, owner: asyncpg.Connection
) -> None:
    scope, li = given.town.system(), given.town.people["李秀英"]
    with clock.at(NOON):
        held = await posting.hold(scope, li, 30, Posting(kind="hold", key="h", source_kind="test", source_id=li))
    for day in range(1, 41):
        moment = NOON + timedelta(days=day)
        if day == 12:
            with clock.at(moment):
                await posting.void(
                    scope, held.entry_id, Posting(kind="void", key="v", source_kind="test", source_id=li)
                )
        await given.work(moment)
    told = await owner.fetch(
        "SELECT key FROM message WHERE person_id = $1 AND kind = 'points_expiring' AND key LIKE '%2027-01-30%'",
        li,
    )
    assert [row["key"] for row in told] == ["points-expire:2027-01-30:7"]
    assert await points_left(owner) == 5
    assert await problems_of(owner) == []


async def test_an_administrator_lets_expire_what_waits_just_as_it_was_seen(
    days: Days, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    with clock.at(NOON):
        await days.town.credit_deed("李秀英", 12, expires_on=LAST_DAY)
    await days.database.show(NEW_YEAR)
    form = {"day": "2026-12-31", "currency": "point", "amount": "12", "_key": "k"}
    with clock.at(NEW_YEAR):
        admin, auditor = await days.town.sign_in("赵丽"), await days.town.sign_in("孙伟")
        books = (await client.get("/admin/ledger", headers=admin)).text
        assert "等您确认的到期" in books
        assert "日期一下子往前跳了七天以上" in books
        assert "今天是 2027-01-01" in books
        assert "到期等您确认" in (await client.get("/admin", headers=admin)).text
        assert 'action="/admin/ledger/expiry"' not in (await client.get("/admin/ledger", headers=auditor)).text
        assert (await client.post("/admin/ledger/expiry", data=form, headers=auditor)).status_code == 403
        other = await client.post("/admin/ledger/expiry", data=form | {"amount": "11"}, headers=admin)
        assert (other.status_code, await points_left(owner)) == (409, 12)
        for _ in range(2):
            done = await client.post("/admin/ledger/expiry", data=form, headers=admin)
            assert (done.status_code, done.headers["location"]) == (303, "/admin/ledger?done=expired")
        assert "等您确认的到期" not in (await client.get("/admin/ledger", headers=admin)).text
    assert await points_left(owner) == 0
    assert await owner.fetchval("SELECT count(*) FROM transfer WHERE kind = 'expiry'") == 1
    assert await owner.fetchval("SELECT change->>'amount' FROM audit WHERE verb = 'let_expire'") == "12"


async def test_a_confirmation_is_refused_while_the_databases_clock_says_otherwise(days: Days) -> None:
    with clock.at(NOON):
        await days.town.credit_deed("李秀英", 12, expires_on=LAST_DAY)
    await days.database.show(NOON)
    with clock.at(NEW_YEAR):
        admin = await days.town.scope("赵丽")
        with pytest.raises(ClockDisagrees):
            await let_expire(admin, LAST_DAY, Currency.point, 12)
        with pytest.raises(ExpiryChanged):
            await let_expire(admin, LAST_DAY, Currency.point, 13)
        with pytest.raises(Forbidden):
            await let_expire(await days.town.scope("周敏"), LAST_DAY, Currency.point, 12)


@pytest.mark.parametrize("skipped", [False, True])
async def test_of_two_administrators_who_let_the_same_expire_at_once_one_does(
    days: Days, owner: asyncpg.Connection, skipped: bool
) -> None:
    """Of three administrators two get ExpiryChanged, the audit has one row, and nothing deadlocks with the worker."""
    with clock.at(NOON):
        for name, points in (("李秀英", 12), ("张桂兰", 7), ("王建国", 5)):
            await days.town.credit_deed(name, points, expires_on=LAST_DAY)
    if not skipped:
        await owner.execute(
            "INSERT INTO books_closed VALUES ($1, $2, $3)", days.town.community, LAST_DAY - timedelta(days=1), NOON
        )
    await days.work(NEW_YEAR)
    (due,) = await days.waiting(NEW_YEAR)
    assert (due.amount, due.skipped) == (24, skipped)
    before = await owner.fetchval(DEADLOCKS)
    with clock.at(NEW_YEAR):
        admins = [await days.town.scope(name) for name in ("赵丽", "钱进", "吴昊")]
        answers = await asyncio.gather(
            *(let_expire(admin, LAST_DAY, Currency.point, 24) for admin in admins),
            *(expire_points(days.town.system()) for _ in range(3)),
            return_exceptions=True,
        )
    assert sorted(type(answer).__name__ for answer in answers[:3]) == ["ExpiryChanged", "ExpiryChanged", "int"]
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'let_expire'") == 1
    assert await owner.fetchval("SELECT sum(amount) FROM transfer WHERE kind = 'expiry'") == 24
    assert await owner.fetchval("SELECT sum(amount) FROM expiry_announcement") == 0
    assert await owner.fetchval(DEADLOCKS) == before
    assert await problems_of(owner) == []


DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def expired_entry(owner: asyncpg.Connection, town: Town, name: str) -> UUID:
    entry: UUID = await owner.fetchval(
        "SELECT t.entry_id FROM transfer t JOIN account a ON a.id = t.debit_account "
        "WHERE t.kind = 'expiry' AND a.owner_id = $1",
        town.people[name],
    )
    return entry


async def test_an_expiry_is_taken_back_into_the_days_of_grace_and_the_person_is_told(
    given: Days, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await given.work(NEW_YEAR)
    entry, li = await expired_entry(owner, given.town, "李秀英"), given.town.people["李秀英"]
    with clock.at(NEW_YEAR):
        admin = await given.town.sign_in("赵丽")
        page = await client.get(f"/admin/ledger/{entry}", headers=admin)
        assert "撤回到期" in page.text
        form = {"reason": "通知没有送到", "_key": "k"}
        done = await client.post(f"/admin/ledger/{entry}/reversal", data=form, headers=admin)
        assert done.status_code == 303
        assert "撤回到期" not in (await client.get(f"/admin/ledger/{entry}", headers=admin)).text
        state = (await balances(given.town.system(), li, [])).points
        assert next((e.on, e.amount, e.grace_of) for e in state.expiring) == (date(2027, 1, 30), 30, LAST_DAY)
        with pytest.raises(AlreadyReversed):
            await reverse_expiry(await given.town.scope("钱进"), entry, "再来一次")
        [text] = await texts(owner, "kind = 'expiry_reversed' AND person_id = $1", li)
    assert text == (
        "您到期的积分已撤回到期：30 分已退回：原来的有效期已过，宽限到 1月30日，请在那天结束前使用。"
        "原因：通知没有送到。"
    )
    assert (await check_ledger(await given.town.scope("孙伟"))).problems == []


async def test_points_that_a_wrong_date_expired_early_go_back_to_where_they_were(
    given: Days, owner: asyncpg.Connection
) -> None:
    await given.work(NEW_YEAR)
    entry = await expired_entry(owner, given.town, "李秀英")
    with clock.at(NOON):
        reversal = await reverse_expiry(await given.town.scope("赵丽"), entry, "服务器日期错了")
        state = (await balances(given.town.system(), given.town.people["李秀英"], [])).points
    assert (reversal.returned.usable, reversal.returned.graced) == (30, 0)
    assert next((e.on, e.amount, e.grace_of) for e in state.expiring) == (LAST_DAY, 30, None)


async def test_nobody_takes_back_an_expiry_of_their_own_household_or_past_the_grace(
    days: Days, owner: asyncpg.Connection
) -> None:
    with clock.at(NOON):
        await days.town.credit_deed("赵丽", 9, expires_on=LAST_DAY)
        given = await posting.issue(
            days.town.system(), days.town.people["赵丽"], Currency.point, 1,
            Posting(kind="deed", key="d", source_kind="test", source_id=days.town.community),
        )  # fmt: skip
    await days.work(NOON)
    await days.work(NEW_YEAR)
    entry = await expired_entry(owner, days.town, "赵丽")
    with clock.at(NEW_YEAR), pytest.raises(OwnExpiry):
        await reverse_expiry(await days.town.scope("赵丽"), entry, "我自己的")
    with clock.at(NEW_YEAR + timedelta(days=40)):
        with pytest.raises(PastGrace):
            await reverse_expiry(await days.town.scope("钱进"), entry, "太晚了")
        with pytest.raises(NotReversible):
            await reverse_expiry(await days.town.scope("钱进"), given.entry_id, "不是到期")
        with pytest.raises(Forbidden):
            await reverse_expiry(await days.town.scope("孙伟"), entry, "只看不改")


async def test_a_day_that_expired_by_mistake_is_taken_back_in_one_step(
    days: Days, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    """All expiries of that day are reversed once, and none of another day. The administrator's own points are left to
    another administrator."""
    names = ("张桂兰", "李秀英", "王建国", "赵丽")
    with clock.at(NOON):
        for name in names:
            await days.town.credit_deed(name, 9, expires_on=LAST_DAY)
        await days.town.credit_deed("李秀英", 4, expires_on=LAST_DAY + timedelta(days=1))
    await days.work(NOON)
    await days.work(NEW_YEAR)
    await days.work(NEW_YEAR + timedelta(days=1))
    assert await points_left(owner) == 0
    entry = await owner.fetchval(
        "SELECT t.entry_id FROM transfer t JOIN account a ON a.id = t.debit_account WHERE t.kind = 'expiry' "
        "AND a.owner_id = $1 AND a.expires_on = $2",
        days.town.people["李秀英"], LAST_DAY,
    )  # fmt: skip
    path, form = f"/admin/ledger/{entry}/day-reversal", {"reason": "通知没有发出去", "_key": "k"}
    with clock.at(NEW_YEAR + timedelta(days=1)):
        zhao, qian = await days.town.sign_in("赵丽"), await days.town.sign_in("钱进")
        for name, status in (("孙伟", 403), ("周敏", 403), ("何静", 404)):
            refused = await client.post(path, data=form, headers=await days.town.sign_in(name))
            assert refused.status_code == status, name
        assert "同一天到期的都不该到期" in (await client.get(f"/admin/ledger/{entry}", headers=zhao)).text
        for _ in range(2):
            assert (await client.post(path, data=form, headers=zhao)).status_code == 303
        assert await points_left(owner) == 27, "hers waits, and the other day's points stay where they are"
        assert (await client.post(path, data=form | {"_key": "k2"}, headers=zhao)).status_code == 403
        assert (await client.post(path, data=form | {"_key": "k3"}, headers=qian)).status_code == 303
        assert (await client.post(path, data=form | {"_key": "k4"}, headers=qian)).status_code == 409
    assert await points_left(owner) == 36
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'expiry_reversed'") == 4
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'reverse_expiry'") == 4
    with clock.at(NEW_YEAR + timedelta(days=1)):
        assert (await check_ledger(await days.town.scope("孙伟"))).problems == []


async def test_a_day_taken_back_by_two_administrators_at_once_comes_back_once(
    days: Days, owner: asyncpg.Connection
) -> None:
    with clock.at(NOON):
        for name in ("张桂兰", "李秀英", "王建国"):
            await days.town.credit_deed(name, 9, expires_on=LAST_DAY)
    await days.work(NOON)
    await days.work(NEW_YEAR)
    entry = await expired_entry(owner, days.town, "李秀英")
    with clock.at(NEW_YEAR):
        admins = [await days.town.scope(name) for name in ("赵丽", "钱进", "吴昊")]
        answers = await asyncio.gather(
            *(reverse_expiries_of_day(admin, entry, "通知没有发出去") for admin in admins), return_exceptions=True
        )
    assert sorted(type(a).__name__ for a in answers) == ["AlreadyReversed", "AlreadyReversed", "DayReversed"]
    assert await points_left(owner) == 27
    assert await problems_of(owner) == []


async def test_guardians_are_told_before_class_minutes_run_out(days: Days, owner: asyncpg.Connection) -> None:
    child = days.town.people["刘小雨"]
    with clock.at(NOON):
        await posting.issue(
            days.town.system(), child, Currency.class_minute, 60,
            Posting(kind="purchase", key="p", source_kind="class_purchase", source_id=child),
            expires_on=LAST_DAY, subject_id=days.town.course,
        )  # fmt: skip
    await days.work(NOON, workers=2)
    assert await texts(owner, "kind = 'points_expiring'") == [
        "刘小雨有 1 小时课时在12月31日 24:00 到期，请在那之前约课。"
    ]
    assert await owner.fetchval("SELECT person_id FROM message") == days.town.people["刘洋"]
    await days.work(NEW_YEAR)
    assert await owner.fetchval("SELECT sum(balance) FROM account WHERE currency = 'class_minute'") == 0


async def test_the_worker_does_all_of_it_in_its_round(given: Days, owner: asyncpg.Connection) -> None:
    await given.database.show(NEW_YEAR)
    with clock.at(NEW_YEAR):
        await worker.run_all()
    assert await points_left(owner) == 5


async def test_the_migration_closes_the_last_day_that_the_old_worker_counted(
    pool: str, town: Town, owner: asyncpg.Connection
) -> None:
    """Every community that had counted days goes on from the newest day counted in any of them. A day in the future,
    which a wrong clock had counted, is ignored."""
    name = f"{urlsplit(pool).path[1:]}_before"
    await owner.execute(f'CREATE DATABASE "{name}"')
    old = await asyncpg.connect(urlunsplit(urlsplit(pool)._replace(path=f"/{name}")))
    try:
        for file in ("0001_core.sql", "0002_ledger.sql"):
            await _run(old, file)
        communities = [uuid4(), uuid4(), uuid4()]
        for n, community in enumerate(communities):
            await old.execute(
                "INSERT INTO region VALUES ($1, NULL, 'community', $2, 'x', $3, now())", community, str(n), [community]
            )
        yesterday = clock.local_day() - timedelta(days=2)
        for community, day in (
            (communities[0], yesterday - timedelta(days=300)),
            (communities[1], yesterday),
            (communities[1], clock.local_day() + timedelta(days=900)),
        ):
            await old.execute("INSERT INTO day_total VALUES ($1, $2, 'point', 'issued', 1, 0, 1)", community, day)
        await _run(old, "0003_ledger.sql")
        found = await old.fetch("SELECT community_id, until FROM books_closed")
        assert {row["community_id"]: row["until"] for row in found} == dict.fromkeys(communities[:2], yesterday)
    finally:
        await old.close()
        await owner.execute(f'DROP DATABASE "{name}"')


async def test_what_old_reminders_told_expires_by_itself_after_the_upgrade(
    pool: str, town: Town, owner: asyncpg.Connection
) -> None:
    """The upgrade turns reminders that the old worker sent into announcements, each of the amount that the reminder
    named, but of no more than the balance."""
    name = f"{urlsplit(pool).path[1:]}_told"
    await owner.execute(f'CREATE DATABASE "{name}"')
    old = await asyncpg.connect(urlunsplit(urlsplit(pool)._replace(path=f"/{name}")))
    try:
        for file in ("0001_core.sql", "0002_ledger.sql"):
            await _run(old, file)
        community, people = uuid4(), [uuid4() for _ in range(4)]
        await old.execute(
            "INSERT INTO region VALUES ($1, NULL, 'community', 'c', 'x', $2, now())", community, [community]
        )
        await old.execute("SET session_replication_role = replica")
        for person, has, said, told_at in (
            (people[0], 30, 30, NOON), (people[1], 50, 40, NOON), (people[2], 20, 90, NOON),
            (people[3], 10, 10, NOON - YEARS),
        ):  # fmt: skip
            await old.execute(
                "INSERT INTO account VALUES ($1, gen_random_uuid(), 'person', $2, 'point', 'available', NULL, $3, $4)",
                community, person, LAST_DAY, has,
            )  # fmt: skip
            await old.execute(
                "INSERT INTO message (community_id, id, person_id, kind, text, key, created_at) "
                "VALUES ($1, gen_random_uuid(), $2, 'points_expiring', $3, 'points-expire:2026-12-31:7', $4)",
                community, person, f"您有 {said} 积分12月31日到期，请在当天结束前使用。", told_at,
            )  # fmt: skip
        await old.execute("SET session_replication_role = origin")
        for file in sorted(path.name for path in MIGRATIONS.glob("*.sql") if path.name >= "0003"):
            await _run(old, file)
        found = await old.fetch("SELECT owner_id, amount FROM expiry_announcement WHERE day = $1", LAST_DAY)
        assert {row["owner_id"]: row["amount"] for row in found} == dict(zip(people[:3], (30, 40, 20), strict=True))
    finally:
        await old.close()
        await owner.execute(f'DROP DATABASE "{name}"')


MIGRATIONS = Path(__file__).parents[2] / "migrations"


async def _run(connection: asyncpg.Connection, file: str) -> None:
    async with connection.transaction():
        await connection.execute((MIGRATIONS / file).read_text(encoding="utf-8"))
        await connection.execute("RESET ROLE")
