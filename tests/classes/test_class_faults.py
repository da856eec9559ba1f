"""Class minutes under misuse and at unusual moments: none is refunded twice, kept for ever or lost."""

import asyncio
import re
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, new_family, told
from tests.classes.test_class_endings import A_DAY, day_closed, texts, work
from tests.classes.test_class_refunds import (
    NEXT_YEAR,
    another_course,
    asked,
    books_are_clean,
    bought,
    give_back,
    second_guardian,
)
from tests.support.shop import API, key, minutes_of, points_of
from tests.support.town import Town
from timebank.classes import attendance, stopping
from timebank.classes.class_time import endings, entries
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Busy, Unexpected
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.operations import worker
from timebank.people.records import set_person_status

WHY = phrase("entry.class_expired", course="少儿书法")


async def post(client: httpx.AsyncClient, town: Town, name: str, path: str, body: dict[str, object]) -> httpx.Response:
    return await client.post(f"{API}{path}", json=body, headers=await town.sign_in(name) | key())


async def moved(client: httpx.AsyncClient, town: Town, left: UUID, entered: UUID) -> httpx.Response:
    """The guardian moves all unused minutes from one course to another."""
    body = asked(town, course_id=str(left), to_course_id=str(entered))
    return await post(client, town, "刘洋", "/class-hours/moves", body)


async def paper_cutting(owner: asyncpg.Connection, town: Town, ends_on: date) -> UUID:
    """Add a third course. The second gets another title first, since `another_course` always uses the same one."""
    await owner.execute("UPDATE course SET title = '围棋' WHERE title = '少儿围棋'")
    return await another_course(owner, town, ends_on=ends_on)


async def ends(owner: asyncpg.Connection, course: UUID) -> date:
    day: date = await owner.fetchval("SELECT ends_on FROM course WHERE id = $1", course)
    return day


async def old_purchase(owner: asyncpg.Connection, town: Town, minutes: int, points: int) -> tuple[UUID, UUID, UUID]:
    """A purchase as the first version posted it: two entries and no class_payment row. Returns the purchase's id, the
    entry of the points and the entry of the minutes."""
    scope, purchase_id, guardian, child = town.system(), clock.new_id(), town.people["刘洋"], town.people["刘小雨"]
    note = Posting(
        kind="purchase", key=f"class_purchase:{purchase_id}:points", source_kind="class_purchase", source_id=purchase_id
    )
    paid = await posting.spend(scope, guardian, points, note)
    note = Posting(
        kind="purchase",
        key=f"class_purchase:{purchase_id}:minutes",
        source_kind="class_purchase",
        source_id=purchase_id,
    )
    given = await posting.issue(
        scope, child, posting.Currency.class_minute, minutes, note, subject_id=town.course
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO class_purchase (community_id, id, guardian_id, child_id, course_id, minutes, points, entry_id, "
        "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        town.community, purchase_id, guardian, child, town.course, minutes, points, paid.entry_id, clock.now(),
    )  # fmt: skip
    return purchase_id, paid.entry_id, given.entry_id


async def reversed_before(owner: asyncpg.Connection, town: Town, entry_id: UUID) -> None:
    """Write a reversal of a purchase's entry, which the ledger of the first version did not refuse."""
    legs = await owner.fetch("SELECT * FROM transfer WHERE entry_id = $1 AND kind = 'purchase'", entry_id)
    reversal = clock.new_id()
    for number, leg in enumerate(legs, 1):
        await owner.execute(
            "INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, "
            "credit_account, amount, occurred_at, posted_at, source_kind, source_id, reverses, memo) "
            "VALUES ($1, $2, $3, $4, $5, $6, 'reversal', $7, $8, $9, $10, $11, $11, 'class_purchase', $12, $13, '')",
            town.community, clock.new_id(), reversal, number, f"reversal:{entry_id}:{number}", leg["request_hash"],
            leg["currency"], leg["credit_account"], leg["debit_account"], leg["amount"], clock.now(), leg["source_id"],
            leg["id"],
        )  # fmt: skip
        for account, sign in ((leg["credit_account"], -1), (leg["debit_account"], 1)):
            await owner.execute(
                "UPDATE account SET balance = balance + $2 WHERE id = $1 AND balance IS NOT NULL",
                account, sign * leg["amount"],
            )  # fmt: skip


async def filled(owner: asyncpg.Connection) -> None:
    """Run the statements of the migrations that record who paid earlier purchases and what of them was reversed."""
    for name in ("0005_classes", "0012_classes"):
        migration = (Path(__file__).parents[2] / "migrations" / f"{name}.sql").read_text(encoding="utf-8")
        for fill in re.findall(r"^(?:INSERT INTO class_payment|WITH undone).*?;", migration, re.MULTILINE | re.DOTALL):
            await owner.execute(fill)


async def test_a_purchase_reversed_before_the_upgrade_is_not_paid_back_again(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 60)
    _, paid, given = await old_purchase(owner, town, 120, 40)
    await reversed_before(owner, town, paid)
    await reversed_before(owner, town, given)
    _, paid, _ = await old_purchase(owner, town, 60, 20)
    await reversed_before(owner, town, paid)
    await filled(owner)
    await books_are_clean(owner, town)
    assert await points_of(town, "刘洋") == (60, 0)
    assert await minutes_of(owner, town, "刘小雨") == 60, "only the points of the second had been reversed"
    refused = await post(client, town, "刘洋", "/class-hours/refunds", asked(town))
    assert (refused.status_code, refused.json()["code"]) == (422, "not_enough_unused")
    other = await another_course(owner, town)
    assert (await moved(client, town, town.course, other)).json()["code"] == "not_enough_unused"
    await stopping.stop_course(await town.scope("赵丽"), town.course, "停开")
    assert await work(town) == (2, 0)
    assert await points_of(town, "刘洋") == (60, 0)
    await books_are_clean(owner, town)


async def test_a_purchase_beside_a_reversed_one_is_paid_back_whole(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 60)
    await old_purchase(owner, town, 60, 20)
    _, paid, given = await old_purchase(owner, town, 120, 40)
    await reversed_before(owner, town, paid)
    await reversed_before(owner, town, given)
    await filled(owner)
    assert await give_back(town) == (60, 20)
    assert await points_of(town, "刘洋") == (60, 0)
    await books_are_clean(owner, town)


@pytest.mark.parametrize("minutes", [0, -60])
async def test_no_minutes_are_no_refund_and_no_move(town: Town, owner: asyncpg.Connection, minutes: int) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    other, scope = await another_course(owner, town), town.system()
    for verb in (
        lambda: entries.post_refund(scope, town.people["刘小雨"], town.course, minutes, WHY),
        lambda: entries.post_move(scope, town.people["刘小雨"], town.course, other, minutes, WHY),
    ):
        with pytest.raises(Unexpected):
            await verb()
    assert await minutes_of(owner, town, "刘小雨") == 120
    await books_are_clean(owner, town)


@pytest.mark.parametrize("minutes", [0, -60])
async def test_a_request_for_no_minutes_is_refused(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, minutes: int
) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    other = await another_course(owner, town)
    for path, more in (("refunds", {}), ("moves", {"to_course_id": str(other)})):
        refused = await post(client, town, "刘洋", f"/class-hours/{path}", asked(town, minutes=minutes, **more))
        assert refused.status_code in (400, 422), refused.text
    assert await minutes_of(owner, town, "刘小雨") == 120


async def test_minutes_without_living_points_do_not_live_for_ever_by_moving_to_and_fro(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    end = await ends(owner, town.course)
    second = await another_course(owner, town, ends_on=end + timedelta(days=60))
    with clock.at(clock.day_bounds(end - A_DAY)[0]):
        once = await moved(client, town, town.course, second)
        assert (once.status_code, once.json()["arrived"]) == (201, 60), once.text
        back = await moved(client, town, second, town.course)
        assert back.status_code == 201, "to a course that ends no later they may go"
        again = await moved(client, town, town.course, second)
        assert (again.status_code, again.json()["code"]) == (422, "minutes_outlived"), again.text
        third = await paper_cutting(owner, town, end)
        assert (await moved(client, town, town.course, third)).status_code == 201
    await books_are_clean(owner, town)


async def test_minutes_past_their_last_day_do_not_move_before_the_worker_has_come(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    end = await ends(owner, town.course)
    second = await another_course(owner, town, ends_on=end + timedelta(days=300))
    with clock.at(clock.day_bounds(end)[0]):
        shown = (await client.get(f"{API}/courses/{second}", headers=await town.sign_in("刘洋"))).json()
        assert shown["active"]
    with clock.at(clock.day_bounds(end + timedelta(days=35))[0]):
        refused = await moved(client, town, town.course, second)
        assert (refused.status_code, refused.json()["code"]) == (422, "minutes_outlived"), refused.text
        assert await minutes_of(owner, town, "刘小雨") == 60
        await day_closed(owner, town, end + timedelta(days=34))
        await worker.run_all()
        assert await minutes_of(owner, town, "刘小雨") == 0


async def test_minutes_whose_points_still_come_back_move_as_often_as_a_family_likes(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20, expires_on=NEXT_YEAR)
    await bought(town, 60)
    second = await another_course(owner, town, ends_on=await ends(owner, town.course) + timedelta(days=60))
    for left, entered in ((town.course, second), (second, town.course)) * 3:
        assert (await moved(client, town, left, entered)).status_code == 201
    assert (await give_back(town)) == (60, 20)
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_a_family_may_move_once_more_from_a_course_that_was_stopped(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    end = await ends(owner, town.course)
    second = await another_course(owner, town, ends_on=end + timedelta(days=60))
    third = await paper_cutting(owner, town, end + timedelta(days=90))
    with clock.at(clock.day_bounds(end - A_DAY)[0]):
        assert (await moved(client, town, town.course, second)).status_code == 201
        assert (await moved(client, town, second, third)).json()["code"] == "minutes_outlived"
        await stopping.stop_course(await town.scope("赵丽"), second, "老师生病")
        assert await work(town) == (0, 0), "their points have run out: nothing comes back"
        assert (await moved(client, town, second, third)).status_code == 201
    await books_are_clean(owner, town)


async def test_points_come_back_to_an_account_that_can_still_be_used(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A refund puts points back where they stay usable longest, which is not always the account with the latest day."""
    today = clock.local_day()
    await town.credit_deed("刘洋", 20, expires_on=today + timedelta(days=1))
    await bought(town, 60)
    with clock.at(clock.now() + timedelta(days=2)):
        assert await give_back(town) == (60, 20)  # into grace, until day 31
        await town.credit_deed("刘洋", 20, expires_on=today + timedelta(days=20))
        await bought(town, 120)
    with clock.at(clock.now() + timedelta(days=40)):
        shown = (
            await client.get(
                f"{API}/class-hours", params={"child_id": str(town.people["刘小雨"])},
                headers=await town.sign_in("刘洋"),
            )
        ).json()[0]  # fmt: skip
        assert (shown["points"], shown["points_until"]) == (20, (today + timedelta(days=50)).isoformat())
        done = await post(client, town, "刘洋", "/class-hours/refunds", asked(town))
        assert done.status_code == 201, done.text
        returned = done.json()["returned"][0]
        assert (returned["points"], returned["expires_on"]) == (20, (today + timedelta(days=50)).isoformat())
        usable = await owner.fetchval(
            "SELECT sum(balance)::int FROM account WHERE owner_id = $1 AND currency = 'point' AND expires_on >= $2",
            town.people["刘洋"], clock.local_day(),
        )  # fmt: skip
        assert usable == 20
    await books_are_clean(owner, town)


async def test_a_move_carries_the_points_that_can_still_come_back_first(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    today = clock.local_day()
    await town.credit_deed("刘洋", 20, expires_on=today + timedelta(days=1))
    await bought(town, 60)
    with clock.at(clock.now() + timedelta(days=2)):
        assert await give_back(town) == (60, 20)
        await town.credit_deed("刘洋", 20, expires_on=today + timedelta(days=20))
        await bought(town, 120)
    second = await another_course(owner, town)
    with clock.at(clock.now() + timedelta(days=40)):
        body = asked(town, to_course_id=str(second), minutes=60)
        assert (await post(client, town, "刘洋", "/class-hours/moves", body)).status_code == 201
        done = await post(client, town, "刘洋", "/class-hours/refunds", asked(town, course_id=str(second)))
        assert (done.status_code, done.json().get("points")) == (201, 20), done.text


async def test_two_workers_let_minutes_run_out_once(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40, expires_on=clock.local_day() + A_DAY)
    await bought(town, 120)
    day = await ends(owner, town.course) + timedelta(days=31)
    await day_closed(owner, town, day - A_DAY)
    with clock.at(clock.day_bounds(day)[0]):
        every = await asyncio.gather(
            *(entries.post_expiry(town.system(), town.people["刘小雨"], town.course, WHY) for _ in range(8))
        )
    assert sorted(every) == [0] * 7 + [120]
    await books_are_clean(owner, town)


async def test_an_expiry_whose_answer_was_lost_answers_the_same_again(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40, expires_on=clock.local_day() + A_DAY)
    await bought(town, 120)
    day = await ends(owner, town.course) + timedelta(days=31)
    await day_closed(owner, town, day - A_DAY)
    event = clock.new_id()
    note = Posting(kind="expiry", key=f"class_expiry:{event}", source_kind="class_purchase", source_id=event)
    with clock.at(clock.day_bounds(day)[0]):
        first, again = [
            await posting.call(
                town.system(), "class_expire", note, {}, town.people["刘小雨"], town.course, clock.local_day(), 30
            )
            for _ in range(2)
        ]
    assert (first["verdict"], first["minutes"]) == ("posted", 120)
    assert (again["verdict"], again["minutes"], again["entry_id"]) == ("replayed", 120, first["entry_id"])
    await books_are_clean(owner, town)


async def test_two_guardians_refund_while_the_child_is_coming_in(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await second_guardian(owner, town)
    await town.credit_deed("刘洋", 40)
    await town.credit_deed("王建国", 20)
    await bought(town, 120)
    await bought(town, 60, "王建国")
    seat = await booked(town, "刘洋", "刘小雨")
    mother, grandfather = await town.sign_in("刘洋"), await town.sign_in("王建国")
    keeper = await town.sign_in("周敏")

    async def refund(headers: dict[str, str], name: str) -> httpx.Response:
        body = asked(town, person_id=str(town.people[name]))
        return await client.post(f"{API}/class-hours/refunds", json=body, headers=headers | key())

    answers = await asyncio.gather(
        *(refund(mother, "刘洋") for _ in range(3)), *(refund(grandfather, "王建国") for _ in range(3)),
        client.post(f"{API}/bookings/{seat.id}/attendance", json={"code": seat.code}, headers=keeper | key()),
    )  # fmt: skip
    assert sorted(a.status_code for a in answers) == [200, 201, *[422] * 5], [a.text for a in answers]
    assert await points_of(town, "刘洋") == (20, 0), "the hour that was used is her oldest"
    assert await points_of(town, "王建国") == (20, 0)
    assert (await minutes_of(owner, town, "刘小雨"), await minutes_of(owner, town, "刘小雨", "held")) == (0, 0)
    await books_are_clean(owner, town)


async def test_booking_while_the_course_is_being_stopped_keeps_no_seat_in_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    guardian, admin = await town.sign_in("刘洋"), await town.sign_in("赵丽")
    body = {"lesson_id": str(town.lessons[1]), "child_id": str(town.people["刘小雨"])}
    made, stopped, *_ = await asyncio.gather(
        client.post(f"{API}/bookings", json=body, headers=guardian | key()),
        client.post(f"{API}/courses/{town.course}/stop", json={"reason": "老师调走"}, headers=admin),
        worker.run_all(), worker.run_all(),
    )  # fmt: skip
    assert made.status_code in (201, 422), made.text
    assert stopped.status_code == 200
    await worker.run_all()
    await worker.run_all()
    assert await owner.fetchval("SELECT count(*) FROM booking WHERE status IN ('held', 'waiting')") == 0
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_a_course_opened_again_meanwhile_is_neither_called_off_nor_refunded(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    await booked(town, "刘洋", "刘小雨", 1)
    admin = await town.sign_in("赵丽")
    call_off, refund = attendance.cancel_lesson_of_stopped, stopping._refund  # between finding what is due and doing it
    opened: list[int] = []

    async def open_again() -> None:
        answer = await client.patch(f"{API}/courses/{town.course}", json={"active": True}, headers=admin)
        opened.append(answer.status_code)

    async def late_call_off(*given: object) -> bool:
        await open_again()
        return await call_off(*given)  # type: ignore[arg-type]  # passed on

    async def late_refund(*given: object) -> bool:
        await open_again()
        return await refund(*given)  # type: ignore[arg-type]  # passed on

    await client.post(f"{API}/courses/{town.course}/stop", json={"reason": "老师调走"}, headers=admin)
    monkeypatch.setattr(stopping, "cancel_lesson_of_stopped", late_call_off)
    assert await stopping.cancel_lessons_of_stopped(town.system()) == 0
    monkeypatch.setattr(stopping, "cancel_lesson_of_stopped", call_off)
    await client.post(f"{API}/courses/{town.course}/stop", json={"reason": "老师调走"}, headers=admin)
    await stopping.cancel_lessons_of_stopped(town.system())
    monkeypatch.setattr(stopping, "_refund", late_refund)
    assert await stopping.refund_ended(town.system()) == 0
    assert opened[0] == 200
    assert await minutes_of(owner, town, "刘小雨") == 120
    assert await points_of(town, "刘洋") == (0, 0)
    await books_are_clean(owner, town)


async def test_a_course_is_not_cut_short_under_its_lessons(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    admin, today = await town.sign_in("赵丽"), clock.local_day()
    path = f"{API}/courses/{town.course}"
    for day, code in ((today - A_DAY, "course_end_past"), (today + timedelta(days=8), "course_end_too_early")):
        refused = await client.patch(path, json={"ends_on": day.isoformat()}, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    shorter = await client.patch(path, json={"ends_on": (today + timedelta(days=9)).isoformat()}, headers=admin)
    assert shorter.status_code == 200, shorter.text
    called_off = await client.post(
        f"{API}/lessons/{town.lessons[1]}/cancellation", json={"reason": "场地检修"}, headers=admin
    )
    assert called_off.status_code == 200
    shorter = await client.patch(path, json={"ends_on": (today + timedelta(days=2)).isoformat()}, headers=admin)
    assert shorter.status_code == 200, shorter.text


async def test_no_lesson_is_put_into_a_course_that_was_stopped(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await stopping.stop_course(await town.scope("赵丽"), town.course, "停开")
    starts_at = clock.now() + timedelta(days=5)
    refused = await client.post(
        f"{API}/courses/{town.course}/lessons", json={"starts_at": starts_at.isoformat(), "seats": 3, "minutes": 60},
        headers=await town.sign_in("周敏"),
    )  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (422, "course_over"), refused.text


async def test_who_waits_is_not_seated_at_another_price_than_was_shown(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await new_family(owner, town, "王建国", "王小明", 60)
    await new_family(owner, town, "陈明", "陈小宝", 120)
    first = await booked(town, "王建国", "王小明", 1)
    await booked(town, "陈明", "陈小宝", 1)
    admin, guardian = await town.sign_in("赵丽"), await town.sign_in("王建国")
    path = f"{API}/lessons/{town.lessons[1]}"
    assert (await client.patch(path, json={"minutes": 120}, headers=admin)).json()["code"] == "lesson_booked"
    await owner.execute("UPDATE account SET closed_at = now() WHERE owner_id = $1", town.people["陈小宝"])  # not seated
    assert (await client.delete(f"{API}/bookings/{first.id}", headers=guardian)).status_code == 200
    refused = await client.patch(path, json={"minutes": 120}, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "lesson_booked"), refused.text


async def test_a_course_that_stops_before_attendance_was_marked_takes_the_lesson_that_was_given(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    seat = await booked(town, "刘洋", "刘小雨")
    starts_at = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(starts_at + timedelta(minutes=30)):
        await stopping.stop_course(await town.scope("赵丽"), town.course, "停开")
        await worker.run_all()
        assert await points_of(town, "刘洋") == (20, 0), "what is neither used nor booked comes back"
        assert await minutes_of(owner, town, "刘小雨", "held") == 60
        came = await post(client, town, "周敏", f"/bookings/{seat.id}/attendance", {"code": seat.code})
        assert came.status_code == 200, came.text
    with clock.at(starts_at + timedelta(hours=2)):
        await worker.run_all()
    assert await points_of(town, "刘洋") == (20, 0)
    assert await minutes_of(owner, town, "刘小雨", "held") == 0
    await books_are_clean(owner, town)


async def test_a_lesson_on_the_last_day_is_not_lost(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    seat = await booked(town, "刘洋", "刘小雨")
    starts_at = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    last = clock.local_day(starts_at)
    await owner.execute("UPDATE lesson SET cancelled_at = now() WHERE id = $1", town.lessons[1])
    await owner.execute("UPDATE course SET ends_on = $2 WHERE id = $1", town.course, last)
    with clock.at(starts_at + timedelta(minutes=10)):
        await day_closed(owner, town, last - A_DAY)
        await worker.run_all()
        came = await attendance.attend(await town.scope("周敏"), seat.id, seat.code)
    assert came.status == "attended"
    assert await minutes_of(owner, town, "刘小雨", "held") == 0


async def test_a_price_that_changes_later_changes_no_refund(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 60)
    admin = await town.sign_in("赵丽")
    for price in (1, 200):
        path, body = f"{API}/courses/{town.course}", {"points_per_hour": price}
        assert (await client.patch(path, json=body, headers=admin)).status_code == 200
    assert await give_back(town, 15) == (15, 5)
    await owner.execute("UPDATE course SET points_per_hour = 7 WHERE id = $1", town.course)
    assert await give_back(town) == (45, 15)
    assert await points_of(town, "刘洋") == (40, 0)
    await books_are_clean(owner, town)


async def test_a_child_that_moves_away_leaves_its_minutes_to_who_paid(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await set_person_status(await town.scope("赵丽"), town.people["刘小雨"], "left", "搬走了")
    done = await post(client, town, "刘洋", "/class-hours/refunds", asked(town))
    assert (done.status_code, done.json().get("points")) == (201, 20), done.text
    assert await points_of(town, "刘洋") == (20, 0)


async def test_a_refund_finds_a_debt_and_leaves_the_rest(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Class hours are bought, the deed that paid for them is reversed, the hours are refunded: the points repay the
    debt before any become available."""
    deed = await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    admin = await town.sign_in("赵丽")
    back = await client.post(f"{API}/deeds/{deed}/reversal", json={"reason": "查明是重复申报"}, headers=admin | key())
    assert back.status_code == 200, back.text
    assert await owner.fetchval("SELECT amount FROM debt") == 40
    done = await post(client, town, "刘洋", "/class-hours/refunds", asked(town, minutes=60))
    assert (done.status_code, done.json()["points"]) == (201, 20)
    assert await points_of(town, "刘洋") == (0, 0)
    assert await owner.fetchval("SELECT amount - repaid FROM debt") == 20
    await town.credit_deed("刘洋", 30)
    done = await post(client, town, "刘洋", "/class-hours/refunds", asked(town))
    assert done.status_code == 201
    assert await points_of(town, "刘洋") == (30, 0)
    (first, second) = reversed(await texts(town, "刘洋", "class_refunded"))
    assert "20 积分" in first
    assert "欠账" in first
    assert "欠账" not in second


async def test_the_serving_role_buys_no_hours_below_their_price(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    for minutes, points in ((6000, 1), (60, 0), (60, -20), (0, 0), (-60, -20)):
        with pytest.raises((Unexpected, Busy)):
            async with transaction(town.system()):
                await database.execute(
                    "SELECT class_buy($1, ROW($2::uuid, $3, '\\x01', 'purchase', now(), now(), NULL, 'class_purchase', "
                    "$4::uuid, NULL, NULL, '', NULL, NULL)::ledger_entry, $5, $6, $7, $8, $9, $10)",
                    town.community, clock.new_id(), f"cheap:{clock.new_id()}", clock.new_id(), town.people["刘洋"],
                    town.people["刘小雨"], town.course, minutes, points, clock.local_day(),
                )  # fmt: skip
    assert await points_of(town, "刘洋") == (20, 0)
    assert await told(town, "刘洋") == []


async def test_a_family_whose_points_have_run_out_is_told_once_that_the_course_was_stopped(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    second = await another_course(owner, town)
    with clock.at(clock.now() + timedelta(days=60)):
        await stopping.stop_course(await town.scope("赵丽"), town.course, "老师生病")
        await asyncio.gather(worker.run_all(), worker.run_all())
        await worker.run_all()
        (news,) = await texts(town, "刘洋", "course_stopped")
        assert "60 分钟" in news
        assert "老师生病" in news
        entered = await moved(client, town, town.course, second)
        assert entered.status_code == 201, entered.text
        assert entered.json()["lasts_until"] == (await ends(owner, second)).isoformat()
    assert await told(town, "刘洋") == ["class_moved", "course_stopped"]
    await books_are_clean(owner, town)


async def test_a_family_is_reminded_once_though_who_paid_is_guardian_no_more(
    town: Town, owner: asyncpg.Connection
) -> None:
    await second_guardian(owner, town)
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await owner.execute("UPDATE guardianship SET ended_at = now() WHERE guardian_id = $1", town.people["刘洋"])
    with clock.at(clock.day_bounds(await ends(owner, town.course) - timedelta(days=7))[0]):
        assert [await endings.remind_of_class_ends(town.system()) for _ in range(2)] == [1, 0]
    assert await told(town, "王建国") == ["class_ending"]
