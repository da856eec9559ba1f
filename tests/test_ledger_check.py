"""The check of the books finds every kind of damage, and nothing where there is none.

Damage is done as the database's superuser: no verb of ours could do it.
"""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.test_deeds import MORNING, filed
from tests.town import Town
from timebank import clock, database
from timebank.database import transaction
from timebank.deeds.credit import credit_due_deeds, reverse_deed
from timebank.deeds.review import review_deed
from timebank.errors import Forbidden
from timebank.ledger import posting
from timebank.ledger.check import Books, check_ledger
from timebank.ledger.posting import Currency, Posting


async def live_a_little(town: Town) -> None:
    """A community's ordinary life: hours, deeds, goods reserved, taken, cancelled and returned, a class, reversals."""
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
        await town.give_points("李秀英", 1)
        await town.give_points("张桂兰", 500)
        await _record(town, "张桂兰", 135)
        for status in ("reserved", "collected", "cancelled", "returned"):
            await _redemption(town, status)
        await _booking(town)
    await posting.close_day(town.system(), clock.local_day(MORNING + timedelta(days=7)))


async def _spend(town: Town, name: str, points: int) -> None:
    note = Posting("donation", f"donation:{name}", "donation", clock.new_id())
    await posting.spend(town.system(), town.people[name], points, note, to="donated")


async def _record(town: Town, name: str, minutes: int) -> None:
    record, scope, began = clock.new_id(), town.system(), MORNING
    note = Posting("service", f"service:{record}:credit", "service_record", record, "站点值守", None, "service", 1)
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


async def _redemption(town: Town, status: str) -> None:
    """A bar of soap, as far as it came."""
    scope, redemption, person, now = town.system(), clock.new_id(), town.people["张桂兰"], clock.now()

    def note(kind: str) -> Posting:
        return Posting(kind, f"redemption:{redemption}:{kind}", "redemption", redemption, "香皂")

    held = await posting.hold(scope, person, 8, note("hold"))
    settled = None
    if status in ("collected", "returned"):
        settled = (await posting.settle(scope, held.entry_id, note("settle"))).entry_id
    if status == "cancelled":
        await posting.void(scope, held.entry_id, note("void"))
    if status == "returned" and settled:
        await posting.reverse(scope, settled, note("reversal"))
    async with transaction(scope):
        await database.execute(
            "INSERT INTO redemption (community_id, id, person_id, household_id, good_id, station_id, quantity, points, "
            "status, entry_id, settled_entry_id, reserved_at, expires_at, ended_at, returned_at) "
            "VALUES ($1, $2, $3, $3, $4, $5, 1, 8, $6, $7, $8, $9, $9, $10, $11)",
            town.community, redemption, person, town.goods["香皂"], town.stations["暖蜂驿站"], status, held.entry_id,
            settled, now, None if status == "reserved" else now, now if status == "returned" else None,
        )  # fmt: skip


async def _booking(town: Town) -> None:
    """Two class hours bought for a child, one of them held for a seat."""
    scope, booking, child, now = town.system(), clock.new_id(), town.people["刘小雨"], clock.now()
    guardian, purchase = town.people["刘洋"], clock.new_id()
    await town.give_points("刘洋", 40)
    paid = await posting.spend(scope, guardian, 40, Posting("purchase", "p:points", "class_purchase", purchase))
    bought = Posting("purchase", "p:minutes", "class_purchase", purchase)
    await posting.issue(scope, child, Currency.class_minute, 120, bought, subject_id=town.course)
    note = Posting("hold", f"booking:{booking}:hold", "booking", booking)
    held = await posting.hold(scope, child, 60, note, currency=Currency.class_minute, subject_id=town.course)
    async with transaction(scope):
        await database.execute(
            "INSERT INTO class_purchase (community_id, id, guardian_id, child_id, course_id, minutes, points, "
            "entry_id, created_at) VALUES ($1, $2, $3, $4, $5, 120, 40, $6, $7)",
            town.community, purchase, guardian, child, town.course, paid.entry_id, now,
        )  # fmt: skip
        await database.execute(
            "INSERT INTO booking (community_id, id, lesson_id, child_id, guardian_id, status, entry_id, created_at) "
            "VALUES ($1, $2, $3, $4, $5, 'held', $6, $7)",
            town.community, booking, town.lessons[0], child, guardian, held.entry_id, now,
        )  # fmt: skip


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


DAMAGE: list[tuple[str, str, set[str]]] = [
    (
        "a balance raised by hand",
        "UPDATE account SET balance = balance + 5 WHERE bucket = 'available' AND currency = 'point' AND balance > 100",
        {"balance_differs", "currency_not_zero"},
    ),
    (
        "points moved between two balances by hand",
        ("UPDATE account SET balance = balance + CASE WHEN balance > 100 THEN -2 ELSE 2 END "
        "WHERE bucket = 'available' AND currency = 'point' AND balance >= 10"),
        {"balance_differs"},
    ),
    (
        "a negative balance",
        ("ALTER TABLE account DROP CONSTRAINT account_not_negative; UPDATE account SET balance = -1 "
        "WHERE bucket = 'available' AND currency = 'point' AND balance > 100"),
        {"account_negative", "balance_differs", "currency_not_zero"},
    ),
    (
        "a transfer that was deleted",
        "DELETE FROM transfer WHERE kind = 'donation'",
        {"balance_differs", "currency_not_zero", "day_total_differs"},
    ),
    (
        "an amount that was changed",
        "UPDATE transfer SET amount = 400 WHERE amount = 500",
        {"balance_differs", "currency_not_zero", "day_total_differs"},
    ),
    (
        "a transfer into another currency",
        "UPDATE transfer SET currency = 'minute' WHERE amount = 500",
        {"transfer_astray"},
    ),
    (
        "a held balance without its hold",
        "UPDATE transfer SET closes = NULL WHERE kind = 'void'",
        {"held_differs", "hold_without_cause", "redemption_end_differs"},
    ),
    ("a debt written off by hand", "UPDATE debt SET repaid = repaid + 1", {"debt_differs"}),
    ("a debt made smaller by hand", "UPDATE debt SET amount = amount - 1", {"reversal_differs"}),
    (
        "a day's total changed by hand",
        "UPDATE day_total SET given = given + 1 WHERE bucket = 'issued' AND currency = 'point'",
        {"day_total_differs"},
    ),
    (
        "a reservation that vanished",
        "DELETE FROM redemption WHERE status = 'reserved'",
        {"hold_without_cause"},
    ),
    (
        "a reservation said to be collected",
        ("UPDATE redemption SET status = 'collected', ended_at = reserved_at, settled_entry_id = entry_id "
        "WHERE status = 'reserved'"),
        {"hold_without_cause", "redemption_end_differs"},
    ),
    (
        "a reservation of other points than are held",
        "UPDATE redemption SET points = 9 WHERE status = 'reserved'",
        {"redemption_without_hold"},
    ),
    (
        "a reservation given to somebody else",
        "UPDATE redemption SET person_id = (SELECT id FROM person WHERE name = '张国庆') WHERE status = 'reserved'",
        {"redemption_without_hold"},
    ),
    (
        "a collection said to be returned",
        "UPDATE redemption SET status = 'returned', returned_at = ended_at WHERE status = 'collected'",
        {"return_without_points"},
    ),
    (
        "a return said to be kept",
        "UPDATE redemption SET status = 'collected', returned_at = NULL WHERE status = 'returned'",
        {"return_without_points"},
    ),
    ("a purchase that vanished", "DELETE FROM class_purchase", {"purchase_differs"}),
    ("a purchase of more minutes than were paid", "UPDATE class_purchase SET minutes = 180", {"purchase_differs"}),
    ("a seat that vanished", "DELETE FROM booking", {"hold_without_cause"}),
    (
        "a seat without its hold",
        "UPDATE booking SET entry_id = gen_random_uuid()",
        {"booking_without_hold", "hold_without_cause"},
    ),
    ("a record's minutes changed", "UPDATE service_record SET credited_minutes = 600", {"record_without_credit"}),
    ("a record's points changed", "UPDATE service_record SET credited_points = 1", {"record_without_credit"}),
    (
        "a record rejected behind the ledger's back",
        "UPDATE service_record SET status = 'rejected'",
        {"credit_without_record"},
    ),
    (
        "a record reversed behind the ledger's back",
        "UPDATE service_record SET status = 'reversed'",
        {"credit_without_record", "record_without_credit"},
    ),
    (
        "a record approved without a credit",
        "UPDATE service_record SET entry_id = NULL",
        {"credit_without_record", "record_without_credit"},
    ),
    ("a deed's points changed", "UPDATE deed SET points = 99 WHERE status = 'credited'", {"deed_without_credit"}),
    (
        "a deed credited by hand",
        "UPDATE deed SET status = 'credited' WHERE status = 'reversed'",
        {"deed_without_credit"},
    ),
    (
        "a deed rejected behind the ledger's back",
        "UPDATE deed SET status = 'rejected' WHERE status = 'credited'",
        {"credit_without_deed"},
    ),
    (
        "a deed credited to somebody else",
        "UPDATE deed SET person_id = (SELECT id FROM person WHERE name = '张国庆') WHERE status = 'credited'",
        {"deed_without_credit"},
    ),
    ("goods that walked away", "UPDATE stock SET quantity = quantity - 1 WHERE quantity = 5", {"stock_differs"}),
    ("a move of stock that was deleted", "DELETE FROM stock_move WHERE change = 5", {"stock_differs"}),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "codes"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
async def test_damage_is_found(town: Town, owner: asyncpg.Connection, statement: str, codes: set[str]) -> None:
    await live_a_little(town)
    await owner.execute("SET session_replication_role = replica")  # foreign keys stand aside for the vandal
    await owner.execute(statement)
    if "DROP CONSTRAINT" in statement:
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
    assert [p.code for p in (await check(town)).problems] == ["currency_not_zero"] + ["balance_differs"] * 100


async def test_only_administrators_and_auditors_check_the_books(town: Town, client: httpx.AsyncClient) -> None:
    for name in ("张桂兰", "陈明", "周敏", "王建国"):
        with pytest.raises(Forbidden):
            await check_ledger(await town.scope(name))
        assert (await client.get("/api/v1/ledger/check", headers=await town.sign_in(name))).status_code == 403
    assert (await client.get("/api/v1/ledger/check")).status_code == 401


async def test_the_check_over_http_tells_totals_and_problems_in_words(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await live_a_little(town)
    headers = await town.sign_in("赵丽")
    whole = (await client.get("/api/v1/ledger/check", headers=headers)).json()
    assert (whole["ok"], whole["problems"]) == (True, [])
    assert whole["currencies"]["point"]["issued"] == 576
    await owner.execute("UPDATE stock SET quantity = 3 WHERE quantity = 5")
    (problem,) = (await client.get("/api/v1/ledger/check", headers=headers)).json()["problems"]
    assert (problem["code"], problem["text"]) == ("stock_differs", "库存记着 3 件，进出合计是 5 件。")
    assert len(problem["ids"]) == 2
