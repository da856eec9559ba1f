"""Courses that are stopped or over, lessons that are moved, and how families are notified."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_booking_races import families
from tests.classes.test_bookings import booked, new_family, taken, told
from tests.classes.test_class_refunds import NEXT_YEAR, another_course, books_are_clean, bought
from tests.support.messages import messages_of
from tests.support.shop import API, key, minutes_of, points_of
from tests.support.town import Town
from timebank.classes import attendance, booking, changes, seats, stopping
from timebank.classes.class_time import endings, purchase
from timebank.classes.class_time.expiry_reversal import reverse_class_expiry
from timebank.classes.class_time.refunds import OwnRefund
from timebank.classes.schemas import BookingIn, ClassHoursIn, CourseChange, LessonChange
from timebank.core import clock
from timebank.core.scope import Scope
from timebank.core.wording import dated
from timebank.ledger import posting
from timebank.ledger.refusals import AlreadyReversed, PastGrace
from timebank.operations import worker

A_DAY = timedelta(days=1)


async def texts(town: Town, name: str, kind: str) -> list[str]:
    return [m.text for m in await messages_of(town, name) if m.kind == kind]


async def day_closed(owner: asyncpg.Connection, town: Town, until: date) -> None:
    """Close every day up to this one, as the worker does once the database's clock is past it."""
    await owner.execute(
        "INSERT INTO books_closed (community_id, until, closed_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (community_id) DO UPDATE SET until = excluded.until",
        town.community, until, clock.now(),
    )  # fmt: skip


async def buys(town: Town, scope: Scope, child: str) -> None:
    """A guardian earns 20 points and buys an hour for a child."""
    assert scope.person is not None
    town.home[scope.person.name] = town.community
    await town.credit_deed(scope.person.name, 20)
    await purchase.buy_class_hours(scope, ClassHoursIn(scope.person.person_id, town.people[child], town.course, 60))


async def work(town: Town) -> tuple[int, int]:
    """Run the worker's jobs for ended courses. Returns the numbers of lessons cancelled and of children refunded."""
    return await stopping.cancel_lessons_of_stopped(town.system()), await stopping.refund_ended(town.system())


async def test_a_stopped_course_gives_everything_back_by_itself(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 60)
    await bought(town, 180)
    await booked(town, "刘洋", "刘小雨")
    await new_family(owner, town, "王建国", "王小明", 0)
    await booked(town, "王建国", "王小明")
    path, body = f"{API}/courses/{town.course}/stop", {"reason": "林老师调走了"}
    assert (await client.post(path, json=body)).status_code == 401
    for name, status in (("刘洋", 403), ("周敏", 403), ("孙伟", 403), ("何静", 404)):
        assert (await client.post(path, json=body, headers=await town.sign_in(name))).status_code == status, name
    admin = await town.sign_in("赵丽")
    shown = (await client.get(path, headers=admin)).json()
    assert shown == {"lessons": 2, "seats": 1, "children": 1, "minutes": 180, "points": 60, "waiting_minutes": 0}
    stopped = await client.post(path, json=body, headers=admin)
    assert (stopped.status_code, stopped.json()["active"]) == (200, False), stopped.text
    assert (await client.post(path, json=body, headers=admin)).content == stopped.content
    assert await work(town) == (2, 1)
    assert await work(town) == (0, 0)
    assert await points_of(town, "刘洋") == (60, 0)
    assert (await minutes_of(owner, town, "刘小雨"), await minutes_of(owner, town, "刘小雨", "held")) == (0, 0)
    assert await taken(owner, town) == 0
    assert await told(town, "王建国") == ["lesson_cancelled"]
    (back,) = await texts(town, "刘洋", "class_refunded")
    assert "60 积分" in back
    assert "林老师调走了" in back
    await books_are_clean(owner, town)


async def test_two_workers_finish_a_large_course_once(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "BATCH", 4)
    await owner.execute("UPDATE lesson SET seats = 30")
    crowd = await families(owner, town, 10)
    for scope, child in crowd:
        await buys(town, scope, child)
        await booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child]))
    await stopping.stop_course(await town.scope("赵丽"), town.course, "停开")
    rounds = [await asyncio.gather(work(town), work(town)) for _ in range(4)]
    assert sum(lessons for both in rounds for lessons, _ in both) == 2
    assert sum(children for both in rounds for _, children in both) == 10
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'class_refunded'") == 10
    assert await owner.fetchval("SELECT sum(refunded_points) FROM class_purchase") == 200
    await books_are_clean(owner, town)


async def test_stopping_while_families_book_and_come_loses_no_minute(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE lesson SET seats = 30")
    crowd, keeper = await families(owner, town, 8), await town.scope("周敏")
    for scope, child in crowd:
        await buys(town, scope, child)
    seats_of = [
        await booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child])) for scope, child in crowd[:4]
    ]
    await asyncio.gather(
        stopping.stop_course(await town.scope("赵丽"), town.course, "停开"),
        *(attendance.attend(keeper, one.id, one.code) for one in seats_of),
        *(booking.book_seat(scope, BookingIn(town.lessons[1], town.people[child])) for scope, child in crowd[4:]),
        work(town), work(town), return_exceptions=True,
    )  # fmt: skip
    while any(await work(town)):
        pass
    used = 60 * await owner.fetchval("SELECT count(*) FROM booking WHERE status = 'attended'")
    back = await owner.fetchval("SELECT coalesce(sum(refunded_minutes), 0) FROM class_purchase")
    given = await owner.fetchval("SELECT coalesce(sum(balance), 0)::int FROM account WHERE currency = 'class_minute'")
    assert used + back + given == 8 * 60 * 2, "an hour given and an hour bought for each of the eight"
    assert await owner.fetchval("SELECT count(*) FROM booking WHERE status IN ('held', 'waiting')") == 0
    await books_are_clean(owner, town)


async def test_a_course_that_is_over_gives_back_what_is_left(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    ends_on = await owner.fetchval("SELECT ends_on FROM course")
    with clock.at(clock.day_bounds(ends_on)[1]):
        assert await work(town) == (0, 0), "the database's clock has not closed the last day yet"
        await day_closed(owner, town, ends_on)
        assert await work(town) == (0, 1)
        assert await work(town) == (0, 0)
    assert (await points_of(town, "刘洋"))[0] == 40
    (back,) = await texts(town, "刘洋", "class_refunded")
    assert "课程已结课" in back
    await books_are_clean(owner, town)


async def test_a_longer_course_lets_minutes_last_longer(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40, expires_on=clock.local_day() + A_DAY)
    await bought(town, 120)
    old = await owner.fetchval("SELECT ends_on FROM course")
    new = old + timedelta(days=60)
    await changes.change_course(await town.scope("赵丽"), town.course, CourseChange(ends_on=new))
    await day_closed(owner, town, old + timedelta(days=50))
    with clock.at(clock.day_bounds(old + timedelta(days=50))[0]):
        assert await endings.expire_class_minutes(town.system()) == 0
        assert await work(town) == (0, 0)
    assert await minutes_of(owner, town, "刘小雨") == 120
    assert f"{new.month}月{new.day}日" in (await texts(town, "刘洋", "course_changed"))[0]


async def test_minutes_without_living_points_run_out_only_after_grace_and_are_told(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40, expires_on=clock.local_day() + A_DAY)
    await bought(town, 120)
    last = await owner.fetchval("SELECT ends_on FROM course")
    for days, minutes in ((30, 120), (31, 0)):
        day = last + timedelta(days=days)
        await day_closed(owner, town, day - A_DAY)
        with clock.at(clock.day_bounds(day)[0]):
            assert await work(town) == (0, 0)
            assert await endings.expire_class_minutes(town.system()) == (minutes == 0)
        assert await minutes_of(owner, town, "刘小雨") == minutes, days
    assert len(await texts(town, "刘洋", "class_expired")) == 1
    await books_are_clean(owner, town)


async def test_a_wrong_worker_clock_neither_expires_nor_refunds(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40, expires_on=clock.local_day() + A_DAY)
    await bought(town, 120)
    with clock.at(clock.now() + timedelta(days=400)):
        assert await work(town) == (0, 0)
        assert await endings.expire_class_minutes(town.system()) == 0
    assert await minutes_of(owner, town, "刘小雨") == 120


async def test_a_booked_lesson_is_not_lost_when_its_points_have_run_out(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20, expires_on=clock.local_day())
    await bought(town, 60)
    made = await booked(town, "刘洋", "刘小雨", 1)
    await day_closed(owner, town, clock.local_day() + timedelta(days=3))
    with clock.at(clock.now() + timedelta(days=4)):
        assert await endings.expire_class_minutes(town.system()) == 0
        await booking.cancel_booking(await town.scope("刘洋"), made.id)
        assert await minutes_of(owner, town, "刘小雨") == 60
        await booked(town, "刘洋", "刘小雨", 1)
    await books_are_clean(owner, town)


async def test_families_are_reminded_before_the_course_ends(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    ends_on = await owner.fetchval("SELECT ends_on FROM course")
    for days, new in ((31, 0), (30, 1), (29, 0), (7, 1), (1, 0)):
        with clock.at(clock.day_bounds(ends_on - timedelta(days=days))[0]):
            assert await endings.remind_of_class_ends(town.system()) == new, days
            assert await endings.remind_of_class_ends(town.system()) == 0
    first, second = await texts(town, "刘洋", "class_ending")
    assert "120 分钟" in first
    assert "自动退回 40 积分" in first
    with clock.at(clock.day_bounds(ends_on - timedelta(days=7))[0]):
        assert f"请在{dated(NEXT_YEAR)}结束前使用" in second


async def test_who_bought_before_last_days_were_shown_is_told_once(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    assert await endings.notify_last_days(town.system()) == 0
    await owner.execute("UPDATE class_purchase SET last_day_shown = false")
    assert await endings.notify_last_days(town.system()) == 1
    assert await endings.notify_last_days(town.system()) == 0
    assert len(await texts(town, "刘洋", "class_ending")) == 1


async def test_a_new_teacher_and_place_are_told_with_old_and_new(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await new_family(owner, town, "王建国", "王小明", 0)
    await new_family(owner, town, "李秀英", "李小花")
    await booked(town, "李秀英", "李小花")
    await booked(town, "王建国", "王小明")
    body = {"teacher": "沈老师", "station_id": str(town.stations["慈善超市"]), "reason": "林老师生病"}
    changed = await client.patch(f"{API}/courses/{town.course}", json=body, headers=await town.sign_in("赵丽"))
    assert (changed.status_code, changed.json()["station"]) == (200, "慈善超市"), changed.text
    for name in ("刘洋", "王建国", "李秀英"):
        (text,) = await texts(town, name, "course_changed")
        assert "老师从林老师改成沈老师" in text
        assert "上课地点从暖蜂驿站改成慈善超市" in text
        assert "林老师生病" in text
    assert await texts(town, "张桂兰", "course_changed") == []


async def test_a_moved_lesson_keeps_seats_and_may_be_cancelled_until_it_begins(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40)
    await bought(town, 120)
    made = await booked(town, "刘洋", "刘小雨")
    before = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    path, body = f"{API}/lessons/{town.lessons[0]}", {"starts_at": (before + timedelta(hours=2)).isoformat()}
    assert (await client.patch(path, json=body)).status_code == 401
    for name, status in (("刘洋", 403), ("孙伟", 403), ("马涛", 404)):
        assert (await client.patch(path, json=body, headers=await town.sign_in(name))).status_code == status
    moved = await client.patch(path, json=body, headers=await town.sign_in("周敏"))
    assert (moved.status_code, moved.json()["seats_free"]) == (200, 0), moved.text
    assert await owner.fetchval("SELECT ends_at - starts_at FROM lesson WHERE id = $1", town.lessons[0]) == timedelta(
        hours=1
    )
    (text,) = await texts(town, "刘洋", "lesson_moved")
    assert "16:30–17:30 改到" in text
    assert "18:30–19:30" in text
    with clock.at(before + timedelta(hours=1)):
        await booking.cancel_booking(await town.scope("刘洋"), made.id)
        assert await minutes_of(owner, town, "刘小雨") == 120
        again = await booked(town, "刘洋", "刘小雨")
        with pytest.raises(booking.TooLateToCancel):
            await booking.cancel_booking(await town.scope("刘洋"), again.id)
    await books_are_clean(owner, town)


async def test_a_child_who_has_another_lesson_then_is_told_so(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 60)
    await bought(town, 120)
    other = await another_course(owner, town)
    await booked(town, "刘洋", "刘小雨")
    when = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[1])
    await booked(town, "刘洋", "刘小雨", 1)
    await owner.execute("UPDATE lesson SET course_id = $1 WHERE id = $2", other, town.lessons[1])
    await changes.change_lesson(await town.scope("赵丽"), town.lessons[0], LessonChange(starts_at=when))
    (text,) = await texts(town, "刘洋", "lesson_moved")
    assert "《少儿围棋》时间重了" in text


async def test_what_cannot_change_of_a_lesson_is_refused_in_words(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await owner.execute("UPDATE lesson SET seats = 2")
    await booked(town, "刘洋", "刘小雨")
    admin, lesson = await town.scope("赵丽"), town.lessons[0]
    starts_at, other = [await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", one) for one in town.lessons]
    for change, code in (
        (LessonChange(minutes=90), "lesson_booked"),
        (LessonChange(starts_at=clock.now() - A_DAY), "lesson_in_past"),
        (LessonChange(starts_at=starts_at + timedelta(days=500)), "lesson_outside_term"),
        (LessonChange(ends_at=starts_at), "lesson_length"),
        (LessonChange(starts_at=other), "lesson_exists"),
    ):
        with pytest.raises(Exception) as refused:  # noqa: PT011  # each has its own code
            await changes.change_lesson(admin, lesson, change)
        assert getattr(refused.value, "code", refused.value) == code
    with clock.at(starts_at), pytest.raises(changes.LessonBegun):
        await changes.change_lesson(admin, lesson, LessonChange(seats=9))


async def test_more_seats_go_to_who_waits_and_fewer_take_none_away(town: Town, owner: asyncpg.Connection) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await new_family(owner, town, "王建国", "王小明")
    await booked(town, "刘洋", "刘小雨")
    await booked(town, "王建国", "王小明")
    admin = await town.scope("赵丽")
    more = await changes.change_lesson(admin, town.lessons[0], LessonChange(seats=2))
    assert (more.seats_free, more.waiting) == (0, 0)
    assert await told(town, "王建国") == ["booking_seated"]
    with pytest.raises(changes.SeatsTaken):
        await changes.change_lesson(admin, town.lessons[0], LessonChange(seats=1))
    assert await seats.fill_seats(town.system()) == 0


async def test_a_lesson_of_a_stopped_course_is_not_missed_while_the_worker_was_away(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await booked(town, "刘洋", "刘小雨")
    await stopping.stop_course(await town.scope("赵丽"), town.course, "停开")
    ends_at = await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(ends_at + A_DAY):
        assert await attendance.close_lessons(town.system()) == 0
        assert (await work(town))[1] == 1
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_a_course_opened_again_is_bought_again(town: Town, client: httpx.AsyncClient) -> None:
    path, admin = f"{API}/courses/{town.course}", await town.sign_in("赵丽")
    for active in (False, True):
        assert (await client.patch(path, json={"active": active}, headers=admin)).json()["active"] is active
    await town.credit_deed("刘洋", 20)
    assert isinstance(await bought(town, 60), UUID)
    assert (await client.post(f"{API}/class-hours/refunds", json={}, headers=admin | key())).status_code == 400


async def test_a_stop_pays_whoever_paid_whatever_has_become_of_them_or_the_child(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Whoever paid gets the points, also when the guardianship has ended, they are blocked or the child is an adult."""
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await owner.execute("UPDATE guardianship SET ended_at = $1", clock.now())
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["刘洋"])
    await owner.execute("UPDATE person SET born_on = '2000-01-01' WHERE id = $1", town.people["刘小雨"])
    await stopping.stop_course(await town.scope("赵丽"), town.course, "停开")
    assert await work(town) == (2, 1)
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_a_stop_leaves_the_minutes_of_a_payer_who_left_for_an_administrator(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 20)
    await bought(town, 60)
    await posting.close_accounts(town.system(), town.people["刘洋"])
    admin = await town.scope("赵丽")
    assert (await stopping.stop_preview(admin, town.course)).waiting_minutes == 60
    await stopping.stop_course(admin, town.course, "停开")
    assert await work(town) == (2, 0)
    await posting.close_accounts(town.system(), town.people["刘洋"], reopen=True)
    assert await work(town) == (0, 1), "let back in, the person gets the points"
    assert await points_of(town, "刘洋") == (20, 0)
    await books_are_clean(owner, town)


async def test_the_worker_knows_every_job_of_classes() -> None:
    jobs = [job.name for job in worker.jobs()]
    for name in ("refund_ended", "remind_of_class_ends", "tell_of_last_days", "expire_class_minutes"):
        assert name in jobs
    assert jobs.index("finish_stopped") < jobs.index("close_lessons"), "what is not given any more is not missed"


async def let_run_out(town: Town, owner: asyncpg.Connection) -> tuple[date, UUID]:
    """Let 90 minutes of 刘小雨 from two purchases expire. Returns the day after the last day and the expiry's entry."""
    await town.credit_deed("刘洋", 30, expires_on=clock.local_day() + A_DAY)
    await bought(town, 30)
    await bought(town, 60)
    day = await owner.fetchval("SELECT ends_on FROM course") + timedelta(days=31)
    await day_closed(owner, town, day - A_DAY)
    with clock.at(clock.day_bounds(day)[0]):
        assert await endings.expire_class_minutes(town.system()) == 1
    return day, await owner.fetchval("SELECT entry_id FROM transfer WHERE kind = 'expiry' AND leg = 1")


async def test_class_minutes_that_ran_out_by_a_wrong_date_come_back_and_stay(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    day, entry = await let_run_out(town, owner)
    path, form = f"/admin/ledger/{entry}/reversal", {"reason": "结课日写错了", "_key": "k"}
    await owner.execute("UPDATE course SET ends_on = ends_on + 60")
    with clock.at(clock.day_bounds(day)[0]):
        zhao = await town.sign_in("赵丽")
        for name, status in (("孙伟", 403), ("周敏", 403), ("何静", 404)):
            refused = await client.post(path, data=form, headers=await town.sign_in(name))
            assert refused.status_code == status, name
        page = await client.get(f"/admin/ledger/{entry}", headers=zhao)
        assert "撤回到期" in page.text
        assert "同一天到期的都不该到期" not in page.text
        for _ in range(2):
            assert (await client.post(path, data=form, headers=zhao)).status_code == 303
        assert (await client.post(path, data=form | {"_key": "k2"}, headers=zhao)).status_code == 422
        assert await minutes_of(owner, town, "刘小雨") == 90
        assert await owner.fetchval("SELECT sum(expired_minutes) FROM class_purchase") == 0
        assert await endings.expire_class_minutes(town.system()) == 0, "they are not over yet"
        (text,) = await texts(town, "刘洋", "class_expiry_reversed")
        assert "90 分钟课时已撤回到期" in text
        await books_are_clean(owner, town)
    await day_closed(owner, town, day + timedelta(days=60))
    with clock.at(clock.day_bounds(day + timedelta(days=60))[1]):
        assert await endings.expire_class_minutes(town.system()) == 1
        await books_are_clean(owner, town)


async def test_class_minutes_whose_grace_is_over_do_not_come_back_for_an_hour(
    town: Town, owner: asyncpg.Connection
) -> None:
    day, entry = await let_run_out(town, owner)
    with clock.at(clock.day_bounds(day)[0]), pytest.raises(PastGrace):
        await reverse_class_expiry(await town.scope("赵丽"), entry, "想帮帮他们")
    assert await minutes_of(owner, town, "刘小雨") == 0
    await books_are_clean(owner, town)


async def test_nobody_takes_back_the_expiry_of_what_they_paid_themselves(town: Town, owner: asyncpg.Connection) -> None:
    day, entry = await let_run_out(town, owner)
    await owner.execute("UPDATE course SET ends_on = ends_on + 60")
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
        "VALUES ($1, gen_random_uuid(), $2, 'community_admin', $1, '2025-01-01', now())",
        town.community, town.people["刘洋"],
    )  # fmt: skip
    with clock.at(clock.day_bounds(day)[0]), pytest.raises(OwnRefund):
        await reverse_class_expiry(await town.scope("刘洋"), entry, "自己家的")


async def test_two_administrators_take_an_expiry_of_class_minutes_back_once(
    town: Town, owner: asyncpg.Connection
) -> None:
    day, entry = await let_run_out(town, owner)
    await owner.execute("UPDATE course SET ends_on = ends_on + 60")
    with clock.at(clock.day_bounds(day)[0]):
        admins = [await town.scope(name) for name in ("赵丽", "钱进", "吴昊")]
        answers = await asyncio.gather(
            *(reverse_class_expiry(admin, entry, "结课日写错了") for admin in admins), return_exceptions=True
        )
        assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 2
        assert await minutes_of(owner, town, "刘小雨") == 90
        await books_are_clean(owner, town)
