"""Unused class minutes are refunded in points or moved to another course, at the price that was paid for them."""

import asyncio
import re
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.classes.test_bookings import booked, told
from tests.classes.test_classes import buy, order
from tests.support.ledger_sums import problems_of
from tests.support.messages import messages_of
from tests.support.shop import API, key, minutes_of, points_of
from tests.support.town import Town
from timebank.classes import booking
from timebank.classes.class_time import entries, minute_moves, purchase, refunds
from timebank.classes.class_time.purchase import Parcel, last_day
from timebank.classes.courses import CourseOver
from timebank.classes.schemas import BookingIn, ClassHoursIn, MoveIn, RefundIn
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.ledger import posting
from timebank.ledger.checking.check import check_ledger
from timebank.ledger.posting import Posting
from timebank.ledger.refusals import PurchaseNotReversible
from timebank.overview.resident import read_first_page
from timebank.people.guardianship.guardians import NotGuardian

THIS_YEAR, NEXT_YEAR = date(clock.local_day().year, 12, 31), date(clock.local_day().year + 1, 12, 31)


def asked(town: Town, **more: object) -> dict[str, object]:
    return {
        "person_id": str(town.people["刘洋"]), "child_id": str(town.people["刘小雨"]), "course_id": str(town.course),
    } | more  # fmt: skip


async def bought(town: Town, minutes: int, name: str = "刘洋", child: str = "刘小雨") -> UUID:
    wanted = ClassHoursIn(town.people[name], town.people[child], town.course, minutes)
    return (await purchase.buy_class_hours(await town.scope(name), wanted)).id


async def give_back(town: Town, minutes: int | None = None, name: str = "刘洋") -> tuple[int, int]:
    wanted = RefundIn(
        person_id=town.people[name], child_id=town.people["刘小雨"], course_id=town.course, minutes=minutes
    )
    done = await refunds.refund(await town.scope(name), wanted)
    return done.minutes, done.points


async def another_course(owner: asyncpg.Connection, town: Town, points_per_hour: int = 20, **more: object) -> UUID:
    course = clock.new_id()
    await owner.execute(
        "INSERT INTO course SELECT community_id, $1, '少儿围棋', 'wq', age_min, age_max, starts_on, ends_on, $2, "
        "'沈老师', station_id, active, created_at FROM course WHERE id = $3",
        course, points_per_hour, town.course,
    )  # fmt: skip
    for name, value in more.items():
        await owner.execute(f"UPDATE course SET {name} = $1 WHERE id = $2", value, course)
    return course


async def books_are_clean(owner: asyncpg.Connection, town: Town) -> None:
    assert await problems_of(owner) == []
    books = await check_ledger(await town.scope("孙伟"))
    made_up = await owner.fetch("SELECT id, source_id FROM transfer WHERE source_kind = 'test'")  # by `give_minutes`
    known = {each for row in made_up for each in (row["id"], row["source_id"])}
    assert [p.text() for p in books.problems if not known.intersection(p.ids)] == []


async def second_guardian(owner: asyncpg.Connection, town: Town, name: str = "王建国") -> None:
    await owner.execute(
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at) "
        "VALUES ($1, $2, $3, $4, '外公', $5)",
        town.community, clock.new_id(), town.people[name], town.people["刘小雨"], clock.now(),
    )  # fmt: skip


async def test_points_and_minutes_of_a_purchase_are_one_entry(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 15, expires_on=THIS_YEAR)
    await town.credit_deed("刘洋", 15, expires_on=NEXT_YEAR)
    purchase_id = await bought(town, 60)
    legs = await owner.fetch("SELECT DISTINCT entry_id FROM transfer WHERE source_id = $1", purchase_id)
    assert len(legs) == 1
    assert legs[0]["entry_id"] == await owner.fetchval("SELECT entry_id FROM class_purchase")
    paid = await owner.fetch("SELECT points, returned FROM class_payment ORDER BY points")
    assert [(row["points"], row["returned"]) for row in paid] == [(5, 0), (15, 0)]
    await books_are_clean(owner, town)


async def test_a_guardian_gets_unused_minutes_back_as_points(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 100)
    await buy(client, town, order(town, 120))
    path, headers = f"{API}/class-hours/refunds", await town.sign_in("刘洋")
    assert (await client.post(path, json=asked(town))).status_code == 401
    missing = await client.post(path, json=asked(town), headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    for name, status in (("张桂兰", 404), ("周敏", 403), ("孙伟", 403), ("马涛", 404)):
        refused = await client.post(path, json=asked(town), headers=await town.sign_in(name) | key())
        assert refused.status_code == status, name
    headers |= key()
    done = await client.post(path, json=asked(town), headers=headers)
    again = await client.post(path, json=asked(town), headers=headers)
    assert done.status_code == 201, done.text
    answer = done.json()
    assert (answer["minutes"], answer["points"], answer["available"]) == (120, 40, 0)
    back = {"person_id": str(town.people["刘洋"]), "points": 40, "expires_on": NEXT_YEAR.isoformat()}
    assert answer["returned"] == [back]
    assert (again.content, again.headers["idempotent-replayed"]) == (done.content, "true")
    assert await points_of(town, "刘洋") == (100, 0)
    assert await minutes_of(owner, town, "刘小雨") == 0
    assert await told(town, "刘洋") == ["class_refunded"]
    nothing = await client.post(path, json=asked(town), headers=headers | key())
    assert (nothing.status_code, nothing.json()["code"]) == (422, "not_enough_unused")
    await books_are_clean(owner, town)


async def test_booked_minutes_are_not_refunded(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 100)
    await bought(town, 120)
    await booked(town, "刘洋", "刘小雨")
    with pytest.raises(entries.NotEnoughUnused) as refused:
        await give_back(town, 90)
    assert "60 分钟" in refused.value.text()
    assert await give_back(town) == (60, 20)
    assert await minutes_of(owner, town, "刘小雨", "held") == 60
    await books_are_clean(owner, town)


async def test_points_go_back_to_who_paid_newest_purchase_first(town: Town, owner: asyncpg.Connection) -> None:
    await second_guardian(owner, town)
    await town.credit_deed("刘洋", 20)
    await town.credit_deed("王建国", 20)
    await bought(town, 60)
    await bought(town, 60, "王建国")
    assert await give_back(town, 60) == (60, 20)
    assert (await points_of(town, "王建国"), await points_of(town, "刘洋")) == ((20, 0), (0, 0))
    texts = [m.text for m in await messages_of(town, "王建国")]
    assert any("已回到您的账户" in text for text in texts)
    assert await give_back(town) == (60, 20)
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_the_points_that_last_longest_come_back_first(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 15, expires_on=THIS_YEAR)
    await town.credit_deed("刘洋", 5, expires_on=NEXT_YEAR)
    await bought(town, 60)
    assert await give_back(town, 30) == (30, 10)
    found = await owner.fetch("SELECT expires_on, balance FROM account WHERE balance > 0 AND currency = 'point'")
    assert {row["expires_on"]: row["balance"] for row in found} == {NEXT_YEAR: 5, THIS_YEAR: 5}
    await books_are_clean(owner, town)


async def test_points_past_their_last_day_come_back_with_grace_and_not_after_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    last = clock.local_day() + timedelta(days=3)
    await town.credit_deed("刘洋", 40, expires_on=last)
    await bought(town, 120)
    with clock.at(clock.now() + timedelta(days=10)):
        assert await give_back(town, 60) == (60, 20)
        grace = await owner.fetchrow("SELECT expires_on, grace_of, balance FROM account WHERE grace_of IS NOT NULL")
        assert tuple(grace or ()) == (last + timedelta(days=30), last, 20)
    with clock.at(clock.now() + timedelta(days=40)):
        (has,) = await refunds.list_unused_minutes(town.system(), child_id=town.people["刘小雨"])
        assert (has.unused, has.minutes, has.points, has.waiting) == (60, 0, 0, 60)
        with pytest.raises(entries.NotEnoughUnused):
            await give_back(town)
    assert await minutes_of(owner, town, "刘小雨") == 60, "they can still be used, and moved"
    await books_are_clean(owner, town)


async def test_a_refund_repays_an_open_debt_first(town: Town, owner: asyncpg.Connection) -> None:
    scope = town.system()
    note = Posting(kind="deed", key="given", source_kind="deed", source_id=clock.new_id())
    given_points = await posting.issue(
        scope, town.people["刘洋"], posting.Currency.point, 20, note, expires_on=NEXT_YEAR
    )
    await bought(town, 60)
    undone = await posting.reverse(
        scope, given_points.entry_id, Posting(kind="reversal", key="r", source_kind="deed", source_id=note.source_id)
    )
    assert undone.owed == 20
    assert await give_back(town, 45) == (45, 15)
    assert await points_of(town, "刘洋") == (0, 0)
    assert await owner.fetchval("SELECT amount - repaid FROM debt") == 5
    assert await problems_of(owner) == []


async def test_consent_and_age_count_on_the_day_of_the_refund(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    child = town.people["刘小雨"]
    born = await owner.fetchval("SELECT born_on FROM person WHERE id = $1", child)
    await owner.execute("UPDATE person SET born_on = $1 WHERE id = $2", date(2000, 1, 1), child)
    with pytest.raises(refunds.ChildGrown):
        await give_back(town)
    await owner.execute("UPDATE person SET born_on = $1 WHERE id = $2", born, child)
    await owner.execute("UPDATE guardianship SET ended_at = $1", clock.now())
    with pytest.raises(NotGuardian):
        await give_back(town)
    assert await by_admin(town) == (60, 20), "an administrator still gives them back to who paid"
    assert await points_of(town, "刘洋") == (20, 0)


async def by_admin(
    town: Town, admin: str = "赵丽", reason: str | None = "家长来社区办", **more: UUID
) -> tuple[int, int]:
    wanted = RefundIn(
        person_id=town.people["刘洋"],
        child_id=town.people["刘小雨"],
        course_id=town.course,
        minutes=None,
        reason=reason,
        **more,
    )
    done = await refunds.refund(await town.scope(admin), wanted)
    return done.minutes, done.points


async def test_an_administrator_needs_a_reason_and_no_family(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    with pytest.raises(refunds.RefundReason):
        await by_admin(town, reason=None)
    home = town.households["赵丽"]
    await owner.execute("UPDATE person SET household_id = $1 WHERE id = $2", home, town.people["刘洋"])
    with pytest.raises(refunds.OwnRefund):
        await by_admin(town)
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["刘洋"], town.people["刘洋"]
    )
    assert await by_admin(town) == (60, 20)
    (text,) = [m.text for m in await messages_of(town, "刘洋")]
    assert "家长来社区办" in text


async def test_the_points_of_a_guardian_who_left_wait_for_an_administrator(
    town: Town, owner: asyncpg.Connection
) -> None:
    await second_guardian(owner, town)
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await posting.close_accounts(town.system(), town.people["刘洋"])
    with pytest.raises(entries.NotEnoughUnused):
        await give_back(town, name="王建国")
    with pytest.raises(entries.NotEnoughUnused):
        await by_admin(town)
    assert await by_admin(town, pay_to=town.people["王建国"]) == (60, 20)
    assert await points_of(town, "王建国") == (20, 0)
    await books_are_clean(owner, town)


async def test_minutes_move_to_another_course_at_what_they_had_cost(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    dearer = await another_course(owner, town, 40)
    body, headers = asked(town, to_course_id=str(dearer), minutes=60), await town.sign_in("刘洋") | key()
    moved = await client.post(f"{API}/class-hours/moves", json=body, headers=headers)
    assert moved.status_code == 201, moved.text
    told_ = moved.json()
    assert (told_["minutes"], told_["points"], told_["arrived"], told_["available"]) == (60, 20, 30, 30)
    again = await client.post(f"{API}/class-hours/moves", json=body, headers=headers)
    assert (again.content, again.headers["idempotent-replayed"]) == (moved.content, "true")
    await books_are_clean(owner, town)
    wanted = RefundIn(person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=dearer)
    assert (await refunds.refund(await town.scope("刘洋"), wanted)).points == 20, "who paid gets it back from there too"
    assert await give_back(town) == (60, 20)
    assert await points_of(town, "刘洋") == (40, 0)
    await books_are_clean(owner, town)


async def test_a_move_needs_a_course_that_runs_and_fits(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    scope, other = await town.scope("刘洋"), await another_course(owner, town)
    wanted = MoveIn(
        person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, to_course_id=other
    )
    for active, age_min, refusal in ((False, 6, CourseOver), (True, 13, purchase.ChildAge)):
        await owner.execute("UPDATE course SET active = $1, age_min = $2 WHERE id = $3", active, age_min, other)
        with pytest.raises(refusal):
            await minute_moves.move_class_hours(scope, wanted)
    same = MoveIn(
        person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, to_course_id=town.course
    )
    with pytest.raises(minute_moves.SameCourse):
        await minute_moves.move_class_hours(scope, same)
    assert await minutes_of(owner, town, "刘小雨") == 60


async def test_minutes_bought_with_points_that_have_run_out_can_still_move(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    other = await another_course(owner, town)
    with clock.at(clock.now() + timedelta(days=60)):
        wanted = MoveIn(
            person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, to_course_id=other
        )
        assert (await minute_moves.move_class_hours(await town.scope("刘洋"), wanted)).arrived == 60
    await books_are_clean(owner, town)


async def test_a_purchase_is_not_reversed_but_leads_to_the_refund(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    entry = await owner.fetchval("SELECT entry_id FROM class_purchase")
    with pytest.raises(PurchaseNotReversible) as refused:
        await posting.reverse(
            town.system(), entry, Posting(kind="reversal", key="r", source_kind="test", source_id=clock.new_id())
        )
    assert "退回积分" in refused.value.text()
    assert await give_back(town) == (60, 20)


@pytest.mark.parametrize("pieces", [[15, 15, 15, 30], [75], [7, 8, 60], [1] * 10 + [65], [30, 45]])
async def test_many_small_refunds_give_no_more_than_one_large_one(
    town: Town, owner: asyncpg.Connection, pieces: list[int]
) -> None:
    await owner.execute("UPDATE course SET points_per_hour = 25")
    await town.credit_deed("刘洋", 32)
    await bought(town, 75)
    back, so_far = 0, 0
    for piece in pieces:
        so_far += piece
        try:
            back += (await give_back(town, piece))[1]
        except entries.WorthTooLittle:
            so_far -= piece
        assert back == 32 * so_far // 75
    assert await points_of(town, "刘洋") == (back, 0)
    await books_are_clean(owner, town)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 50)), max_size=5), st.integers(1, 200), st.integers(0, 6))
def test_minutes_last_until_the_later_of_the_points_last_day_and_the_courses_end(
    owned: list[tuple[int, int]], points: int, end: int
) -> None:
    start = date(2026, 1, 1)
    parcels = [Parcel(start + timedelta(days=day), amount) for day, amount in owned]
    spent, used = points, [start + timedelta(days=end)]
    for day, amount in sorted(owned):
        if spent > 0:
            used.append(start + timedelta(days=day))
        spent -= amount
    assert last_day(parcels, points, start + timedelta(days=end)) == max(used)


async def test_the_last_day_is_told_before_and_after_the_purchase(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day() + timedelta(days=5))
    await town.credit_deed("刘洋", 20, expires_on=NEXT_YEAR)
    headers, query = await town.sign_in("刘洋"), {k: str(v) for k, v in order(town, 60).items()}
    first = await client.get(f"{API}/class-hours/quote", params=query, headers=headers)
    assert first.status_code == 200, first.text
    ends_on = (clock.local_day() + timedelta(days=90)).isoformat()
    assert first.json() == {"minutes": 60, "points": 20, "available": 40, "lasts_until": ends_on}
    both = await client.get(f"{API}/class-hours/quote", params=query | {"minutes": "90"}, headers=headers)
    assert both.json()["lasts_until"] == NEXT_YEAR.isoformat()
    made = await buy(client, town, order(town, 90))
    assert made.json()["lasts_until"] == NEXT_YEAR.isoformat()
    (has,) = (await client.get(f"{API}/class-hours", params={"child_id": query["child_id"]}, headers=headers)).json()
    assert (has["unused"], has["points"], has["lasts_until"]) == (90, 30, NEXT_YEAR.isoformat())
    (shown,) = (await client.get(f"{API}/me/balances", headers=headers)).json()["class_minutes"]
    assert shown["lasts_until"] == NEXT_YEAR.isoformat()


def outcome(answer: object) -> str:
    return answer.code if isinstance(answer, TimebankError) else "done"


async def test_the_same_minutes_are_refunded_once_however_often_and_by_whom(
    town: Town, owner: asyncpg.Connection
) -> None:
    await second_guardian(owner, town)
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)

    async def ask(scope: Scope, name: str) -> object:
        wanted = RefundIn(person_id=town.people[name], child_id=town.people["刘小雨"], course_id=town.course)
        return await refunds.refund(scope, wanted)

    both = [(await town.scope(name), name) for name in ("刘洋", "王建国")] * 5
    answers = await asyncio.gather(*(ask(*one) for one in both), return_exceptions=True)
    assert sorted(map(outcome, answers)) == ["done"] + ["not_enough_unused"] * 9
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_a_minute_is_booked_or_refunded_and_never_both(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    scope, seat = await town.scope("刘洋"), BookingIn(town.lessons[0], town.people["刘小雨"])
    wanted = RefundIn(person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course)
    for _ in range(5):
        await bought(town, 60)
        made, back = await asyncio.gather(
            booking.book_seat(scope, seat), refunds.refund(scope, wanted),
            return_exceptions=True,
        )  # fmt: skip
        assert {outcome(made), outcome(back)} in (
            {"done", "not_enough_unused"}, {"done", "insufficient_class_minutes"},
        )  # fmt: skip
        await books_are_clean(owner, town)
        if outcome(made) == "done":
            assert not isinstance(made, BaseException)
            await booking.cancel_booking(scope, made.id)
            await give_back(town)
    assert await points_of(town, "刘洋") == (20, 0)


async def test_a_purchase_by_another_guardian_meanwhile_is_not_passed_over(
    town: Town, owner: asyncpg.Connection
) -> None:
    await second_guardian(owner, town)
    await town.credit_deed("刘洋", 60)
    await town.credit_deed("王建国", 60)
    await bought(town, 60)
    first, second = await town.scope("刘洋"), await town.scope("王建国")
    wanted = RefundIn(person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, minutes=60)
    more = ClassHoursIn(town.people["王建国"], town.people["刘小雨"], town.course, 60)
    await asyncio.gather(refunds.refund(first, wanted), purchase.buy_class_hours(second, more))
    assert await minutes_of(owner, town, "刘小雨") == 60
    assert (await points_of(town, "刘洋"))[0] + (await points_of(town, "王建国"))[0] == 100
    await books_are_clean(owner, town)


async def test_each_person_sees_the_own_part_of_a_purchase(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    headers = await town.sign_in("刘洋")
    for person, currency, amount in (("刘洋", "point", -20), ("刘小雨", "class_minute", 60)):
        query = {"person_id": str(town.people[person]), "currency": currency}
        line = (await client.get(f"{API}/me/statement", params=query, headers=headers)).json()["items"][0]
        assert (line["kind"], line["amount"]) == ("purchase", amount)


async def test_the_serving_role_writes_no_payment(town: Town) -> None:
    for statement in ("UPDATE class_payment SET returned = 0", "UPDATE class_purchase SET refunded_points = 0"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(town.system()):
                await database.execute(statement)


async def test_a_purchase_of_before_keeps_its_two_entries_and_can_be_refunded(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, purchase_id, guardian, child = town.system(), clock.new_id(), town.people["刘洋"], town.people["刘小雨"]
    await town.credit_deed("刘洋", 15, expires_on=THIS_YEAR)
    await town.credit_deed("刘洋", 25, expires_on=NEXT_YEAR)
    note = Posting(kind="purchase", key="old:points", source_kind="class_purchase", source_id=purchase_id)
    paid = await posting.spend(scope, guardian, 40, note)
    note = Posting(kind="purchase", key="old:minutes", source_kind="class_purchase", source_id=purchase_id)
    minute = posting.Currency.class_minute
    await posting.issue(scope, child, minute, 120, note, subject_id=town.course)
    await owner.execute(
        "INSERT INTO class_purchase (community_id, id, guardian_id, child_id, course_id, minutes, points, entry_id, "
        "created_at) VALUES ($1, $2, $3, $4, $5, 120, 40, $6, $7)",
        town.community, purchase_id, guardian, child, town.course, paid.entry_id, clock.now(),
    )  # fmt: skip
    migration = (Path(__file__).parents[2] / "migrations" / "0005_classes.sql").read_text(encoding="utf-8")
    (fill,) = re.findall(r"^INSERT INTO class_payment.*?;", migration, re.MULTILINE | re.DOTALL)
    await owner.execute(fill)
    await books_are_clean(owner, town)
    assert await give_back(town, 90) == (90, 30)
    found = await owner.fetch("SELECT expires_on, balance FROM account WHERE balance > 0 AND currency = 'point'")
    assert {row["expires_on"]: row["balance"] for row in found} == {NEXT_YEAR: 25, THIS_YEAR: 5}
    await books_are_clean(owner, town)


async def test_points_that_come_back_are_not_counted_as_earned_this_month(town: Town) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    before = await read_first_page(await town.scope("刘洋"), town.people["刘洋"], "zh")
    await give_back(town)
    after = await read_first_page(await town.scope("刘洋"), town.people["刘洋"], "zh")
    assert before.points_this_month == after.points_this_month == 20


@pytest.mark.parametrize(
    ("tampered", "code"),
    [
        ("UPDATE class_purchase SET refunded_minutes = 0 WHERE moved_from IS NULL", "class_refund_differs"),
        ("UPDATE class_purchase SET moved_minutes = 30 WHERE moved_from IS NULL", "class_move_differs"),
        ("UPDATE class_purchase SET minutes = 61 WHERE moved_from IS NOT NULL", "class_move_differs"),
        ("UPDATE class_purchase SET expired_minutes = 5", "class_expiry_differs"),
        ("UPDATE class_payment SET returned = 0", "class_payment_differs"),
    ],
)
async def test_the_check_finds_purchases_that_do_not_agree_with_the_books(
    town: Town, owner: asyncpg.Connection, tampered: str, code: str
) -> None:
    await town.credit_deed("刘洋", 60)
    await bought(town, 180)
    other = await another_course(owner, town)
    await give_back(town, 60)
    wanted = MoveIn(
        person_id=town.people["刘洋"],
        child_id=town.people["刘小雨"],
        course_id=town.course,
        to_course_id=other,
        minutes=60,
    )
    await minute_moves.move_class_hours(await town.scope("刘洋"), wanted)
    await books_are_clean(owner, town)
    await owner.execute(tampered)
    found = {problem.code for problem in (await check_ledger(await town.scope("孙伟"))).problems}
    assert code in found
