"""The check of the ledger finds every kind of damage and reports nothing in an undamaged ledger.

The database's superuser does the damage, because no function of the service could.
"""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from tests.deeds.test_deeds import MORNING, filed
from tests.ledger.tampers import TAMPERS
from tests.support.shop import browser
from tests.support.town import Town
from timebank.activities.schemas import ShiftIn
from timebank.activities.shifts import add_shift, sign_up
from timebank.classes.booking import book_seat
from timebank.classes.class_time.purchase import buy_class_hours
from timebank.classes.schemas import BookingIn, ClassHoursIn
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden
from timebank.deeds.credit import credit_due_deeds, reverse_deed
from timebank.deeds.review import review_deed
from timebank.expiry.expiring import close_days
from timebank.ledger import posting
from timebank.ledger.checking import stored_result as checked
from timebank.ledger.checking.check import Books, check_ledger
from timebank.ledger.checking.stored_result import (
    ABANDONED_AFTER,
    ask_for_check,
    check_and_keep,
    check_if_due,
    is_waiting,
    latest_books,
    run_ledger_check_job,
)
from timebank.ledger.posting import Posting
from timebank.ledger.totals import totals
from timebank.shop.cancelling import cancel
from timebank.shop.collection import collect
from timebank.shop.redemption import redeem
from timebank.shop.returns import return_goods
from timebank.shop.schemas import RedemptionIn


async def live_a_little(town: Town) -> None:
    """Write the ordinary entries of a community: an hour, deeds, a reversed deed, a donation, redemptions in four
    states, a class purchase with a booking, a shift with a sign-up."""
    with clock.at(MORNING):
        for person, note in (("李秀英", "说和了两家"), ("王建国", "陪老人看病")):
            deed = await filed(town, by="赵丽", person=person, note=note)
            await review_deed(await town.scope("陈明"), deed.id, "approve", "")
    with clock.at(MORNING + timedelta(days=7)):
        await credit_due_deeds(town.system())
        await _spend(town, "李秀英", 4)
        async with transaction(town.system()):
            deed_id = await database.fetch_value(
                "SELECT id FROM deed WHERE community_id = $1 AND person_id = $2", town.community, town.people["李秀英"]
            )
        await reverse_deed(await town.scope("吴昊"), deed_id, "记错了人")
        await town.credit_deed("李秀英", 1)
        await town.credit_deed("张桂兰", 500)
        await _record(town, "张桂兰", 135)
        await _redemptions(town)
    await _class_and_shift(town)
    with clock.at(max(clock.now(), MORNING + timedelta(days=7)) + timedelta(days=1)):
        await close_days(town.system())


async def _spend(town: Town, name: str, points: int) -> None:
    note = Posting(kind="donation", key=f"donation:{name}", source_kind="donation", source_id=clock.new_id())
    await posting.spend(town.system(), town.people[name], points, note, to="donated")


async def _record(town: Town, name: str, minutes: int) -> None:
    record, scope, began = clock.new_id(), town.system(), MORNING
    note = Posting(
        kind="service",
        key=f"service:{record}:credit",
        source_kind="service_record",
        source_id=record,
        memo="站点值守",
        occurred_at=None,
        rule_code="service",
        rule_version=1,
    )
    last_day = clock.local_day() + timedelta(days=400)
    earned = await posting.earn(scope, town.people[name], minutes, 6, note, expires_on=last_day)
    async with transaction(scope):
        await database.execute(
            "INSERT INTO service_record (community_id, id, kind, person_id, started_at, ended_at, minutes, status, "
            "flags, rule_code, rule_version, credited_minutes, credited_points, entry_id, created_at) "
            "VALUES ($1, $2, 'credit', $3, $4, $5, $6, 'approved', '{}', 'service', 1, $6, $7, $8, $5)",
            town.community, record, town.people[name], began, began + timedelta(minutes=minutes), minutes,
            earned.points, earned.entry_id,
        )  # fmt: skip


async def _redemptions(town: Town) -> None:
    """Four redemptions of soap: one cancelled, one returned, one collected, one still reserved."""
    resident, keeper = await town.scope("张桂兰"), await town.scope("周敏")
    wanted = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
    )
    for end in ("cancelled", "returned", "collected", "reserved"):
        made = await redeem(resident, wanted)
        if end == "cancelled":
            await cancel(resident, made.id)
        if end in ("collected", "returned"):
            await collect(keeper, made.id, str(made.code))
        if end == "returned":
            await return_goods(keeper, made.id, "包装破了")


async def _class_and_shift(town: Town) -> None:
    """Two class hours bought for a child, one of them held for a booking; and a sign-up for a shift."""
    guardian, child = await town.scope("刘洋"), town.people["刘小雨"]
    await town.credit_deed("刘洋", 40)
    await buy_class_hours(guardian, ClassHoursIn(town.people["刘洋"], child, town.course, 120))
    await book_seat(guardian, BookingIn(town.lessons[0], child))
    begins = clock.now() + timedelta(days=1)
    planned = ShiftIn(town.stations["暖蜂驿站"], begins, begins + timedelta(hours=2), 5)
    shift = await add_shift(await town.scope("赵丽"), town.activities["四点半辅导"], planned)
    await sign_up(await town.scope("张桂兰"), shift.id)


async def check(town: Town) -> Books:
    return await check_ledger(await town.scope("孙伟"))


async def test_ordinary_life_leaves_books_that_balance(town: Town) -> None:
    await live_a_little(town)
    books = await check(town)
    assert books.problems == []
    points = books.currencies["point"]
    assert (points.issued, points.outstanding, points.held) == (576, 516, 8)
    assert (points.redeemed, points.donated, points.expired, points.owed) == (48, 4, 0, 3)
    assert books.currencies["minute"].converted == 132
    assert books.currencies["class_minute"].held == 60


@pytest.mark.parametrize(("statement", "codes"), [t[1:] for t in TAMPERS], ids=[t[0] for t in TAMPERS])
async def test_damage_is_found(town: Town, owner: asyncpg.Connection, statement: str, codes: set[str]) -> None:
    await live_a_little(town)
    await owner.execute("SET session_replication_role = replica")  # switches foreign keys and triggers off
    await owner.execute(statement)
    if "DROP CONSTRAINT account_not_negative" in statement:
        books = await check(town)
        await owner.execute("UPDATE account SET balance = 0 WHERE balance < 0")
        await owner.execute("ALTER TABLE account ADD CONSTRAINT account_not_negative CHECK (balance >= 0)")
    else:
        books = await check(town)
    assert {problem.code for problem in books.problems} == codes
    assert not books.ok
    for problem in books.problems:
        assert "{" not in problem.text()


async def test_the_damage_of_one_community_is_not_told_in_another(town: Town, owner: asyncpg.Connection) -> None:
    await live_a_little(town)
    await owner.execute("UPDATE account SET balance = balance + 5 WHERE balance > 100")
    assert (await check_ledger(await town.scope("何静"))).ok
    assert not (await check(town)).ok


async def test_a_thousand_wrong_balances_are_told_a_hundred_times(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, balance) "
        "SELECT $1, gen_random_uuid(), 'person', gen_random_uuid(), 'point', 'available', 1 "
        "FROM generate_series(1, 1000)",
        town.community,
    )  # fmt: skip
    found = [p.code for p in (await check(town)).problems]
    assert found == ["currency_not_zero"] + ["balance_differs"] * 100 + ["owner_unknown"] * 100


async def test_only_administrators_and_auditors_check_the_books(town: Town, client: httpx.AsyncClient) -> None:
    for name in ("张桂兰", "陈明", "周敏", "王建国"):
        with pytest.raises(Forbidden):
            await check_ledger(await town.scope(name))
        assert (await client.get("/api/v1/ledger/check", headers=await town.sign_in(name))).status_code == 403
    assert (await client.get("/api/v1/ledger/check")).status_code == 401


UNSEEN = [
    ("a memo", "UPDATE transfer SET memo = '记错了' WHERE amount = 500"),
    ("the moment of the event", "UPDATE transfer SET occurred_at = occurred_at - interval '9 days'"),
    ("who acted", "UPDATE transfer SET actor_id = (SELECT id FROM person WHERE name = '王建国')"),
]


@pytest.mark.parametrize("statement", [u[1] for u in UNSEEN], ids=[u[0] for u in UNSEEN])
async def test_what_only_one_row_says_of_itself_is_not_compared(
    town: Town, owner: asyncpg.Connection, statement: str
) -> None:
    """No other row repeats these values, so the check has nothing to compare them with."""
    await live_a_little(town)
    await owner.execute(statement)
    assert (await check(town)).ok


async def test_the_check_over_http_tells_totals_and_problems_in_words(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await live_a_little(town)
    headers = await town.sign_in("赵丽")
    whole = (await client.get("/api/v1/ledger/check", headers=headers)).json()
    assert (whole["ok"], whole["problems"]) == (True, [])
    assert whole["currencies"]["point"]["issued"] == 576
    await owner.execute("UPDATE stock SET quantity = 3 WHERE quantity = 5")
    assert (await client.get("/api/v1/ledger/check", headers=headers)).json() == whole, "the stored result, at its time"
    await check_and_keep(town.system())
    told = (await client.get("/api/v1/ledger/check", headers=headers)).json()
    (problem,) = told["problems"]
    assert (told["ok"], told["checked_at"] > whole["checked_at"]) == (False, True)
    assert (problem["code"], problem["text"]) == ("stock_differs", "库存记着 3 件，进出合计是 5 件。")
    assert len(problem["ids"]) == 2


async def test_a_stored_problem_is_told_in_its_readers_language(town: Town, owner: asyncpg.Connection) -> None:
    await live_a_little(town)
    await owner.execute("UPDATE day_total SET given = given + 1 WHERE bucket = 'issued' AND currency = 'point'")
    kept = await check_and_keep(town.system())
    told = await latest_books(await town.scope("孙伟"))
    assert told is not None
    assert told.problems == kept.problems
    assert all(f"{p.text('en')}".isascii() for p in told.problems)


async def test_the_worker_checks_the_books_every_night_and_when_asked(town: Town, owner: asyncpg.Connection) -> None:
    noon = datetime.fromisoformat("2026-11-25T12:00:00+08:00")
    with clock.at(noon):
        assert await check_if_due(town.system()), "never checked"
        assert await check_if_due(town.system()) is None
    with clock.at(noon + timedelta(minutes=5)):
        await ask_for_check(await town.scope("赵丽"))
        assert await is_waiting(await town.scope("孙伟"))
        assert await check_if_due(town.system()), "asked for"
        assert not await is_waiting(await town.scope("孙伟"))
    with clock.at(noon + timedelta(hours=15)):
        assert await check_if_due(town.system()) is None, "three in the morning"
    with clock.at(noon + timedelta(hours=16)):
        assert await check_if_due(town.system()), "four in the morning"
    assert await owner.fetchval("SELECT count(*) FROM book_check") == 1


async def test_the_worker_says_in_its_log_that_books_do_not_balance(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE stock SET quantity = 3 WHERE quantity = 5")
    with capture_logs() as told:
        await run_ledger_check_job(town.system())
    assert [(line["event"], line["codes"]) for line in told] == [("books do not balance", ["stock_differs"])]


async def test_two_workers_check_the_books_once(town: Town) -> None:
    found = await asyncio.gather(*(check_if_due(town.system()) for _ in range(3)))
    assert [books is None for books in found].count(False) == 1


async def test_a_check_that_died_with_its_worker_is_begun_again(town: Town, owner: asyncpg.Connection) -> None:
    await check_if_due(town.system())
    await owner.execute("UPDATE book_check SET asked_at = checked_at, begun_at = checked_at")
    assert await check_if_due(town.system()) is None, "another worker is at it"
    with clock.at(clock.now() + ABANDONED_AFTER + timedelta(minutes=1)):
        assert await check_if_due(town.system())


async def test_who_asks_while_a_check_runs_is_answered_by_the_next(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(clock.now() - timedelta(minutes=10)):
        await ask_for_check(await town.scope("赵丽"))
        began = clock.now()
    await owner.execute("UPDATE book_check SET asked_at = $1", clock.now())
    with clock.at(began):
        await check_and_keep(town.system())
    assert await is_waiting(await town.scope("赵丽"))


async def test_many_transfers_are_not_checked_while_somebody_waits(
    town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_a_little(town)
    monkeypatch.setattr(checked, "SMALL", 10)
    headers = await town.sign_in("孙伟")
    refused = await client.get("/api/v1/ledger/check", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (503, "books_not_checked")
    assert refused.headers["Retry-After"] == "60"
    assert await check_if_due(town.system())
    assert (await client.get("/api/v1/ledger/check", headers=headers)).json()["ok"] is True


async def test_the_books_page_shows_the_last_check_and_asks_for_a_new_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await live_a_little(town)
    admin, auditor = await browser(client, town, "赵丽"), await browser(client, town, "孙伟")
    assert "账是平的" in await admin.see("/admin/ledger")
    await owner.execute("UPDATE stock SET quantity = 3 WHERE quantity = 5")
    assert "现在核对" not in await auditor.see("/admin/ledger")
    assert (await admin.send("/admin/ledger/check")).status_code == 303
    assert "正在等新的一次核对" in await admin.see("/admin/ledger")
    await check_if_due(town.system())
    seen = await admin.see("/admin/ledger")
    assert "库存记着 3 件，进出合计是 5 件。" in seen
    assert "现在核对" in seen


async def test_the_totals_of_pages_are_those_that_the_check_counts(town: Town) -> None:
    """The totals add closed days and the transfers since. They are compared at the start, with new transfers three
    days later, and after those days have been closed."""
    await live_a_little(town)
    assert await totals(town.system()) == (await check(town)).currencies
    with clock.at(clock.now() + timedelta(days=3)):
        await town.credit_deed("王建国", 7)
        await _spend(town, "王建国", 2)
        assert await totals(town.system()) == (await check(town)).currencies
    with clock.at(clock.now() + timedelta(days=4)):
        await close_days(town.system())
        assert await totals(town.system()) == (await check(town)).currencies
        assert (await check(town)).ok
