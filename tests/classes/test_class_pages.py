"""The pages of classes: what a family, a keeper and an administrator see and do."""

from datetime import time, timedelta

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, give_minutes, new_family, taken
from tests.classes.test_class_refunds import another_course
from tests.support.counter import stands_here
from tests.support.shop import browser, minutes_of, points_of
from tests.support.town import Town
from timebank.classes.pages.counter import counter_offers
from timebank.core import clock
from timebank.web.offers import Stand


@pytest.mark.parametrize("path", ["/classes", "/desk/bookings", "/admin/classes"])
async def test_a_visitor_is_sent_to_sign_in(town: Town, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")


async def test_a_family_sees_its_children_and_others_see_none(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 75)
    page = await (await browser(client, town, "刘洋")).see("/classes")
    for words in ("刘小雨", "少儿书法", "1 小时 15 分"):
        assert words in page
    assert "还没有登记孩子" in await (await browser(client, town, "张桂兰")).see("/classes")
    await (await browser(client, town, "张桂兰")).see(f"/classes/{town.course}", 404)
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    assert "监护同意还没有登记" in await (await browser(client, town, "刘洋")).see("/classes")


async def test_a_guardian_buys_hours_and_books_on_the_page(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("刘洋", 50)
    phone, path, child = await browser(client, town, "刘洋"), f"/classes/{town.course}", town.people["刘小雨"]
    poor = await phone.send(f"{path}/bookings", lesson_id=town.lessons[0], child_id=child)
    assert poor.status_code == 422
    assert "课时不够" in poor.text
    sent = [await phone.send(f"{path}/hours", "one tap", child_id=child, minutes=60) for _ in range(2)]
    assert {answer.headers["location"] for answer in sent} == {f"{path}?child={child}&done=bought"}
    assert await points_of(town, "刘洋") == (30, 0)
    assert "课时已到账" in await phone.see(sent[0].headers["location"])
    seat = {"lesson_id": town.lessons[0], "child_id": child}
    sent = [await phone.send(f"{path}/bookings", "one seat", **seat) for _ in range(2)]
    assert {answer.headers["location"] for answer in sent} == {f"{path}?child={child}&done=held"}
    assert await taken(owner, town) == 1
    code: str = await owner.fetchval("SELECT code FROM pickup")
    booking_id = await owner.fetchval("SELECT id FROM booking")
    assert f"{code[:4]} {code[4:]}" in await phone.see(f"/classes/bookings/{booking_id}")
    await (await browser(client, town, "张桂兰")).see(f"/classes/bookings/{booking_id}", 404)
    back = await phone.send(f"/classes/bookings/{booking_id}/cancellation")
    assert "课时退回来了" in await phone.see(back.headers["location"])
    assert await minutes_of(owner, town, "刘小雨") == 60


async def test_too_few_points_are_said_above_the_form(town: Town, client: httpx.AsyncClient) -> None:
    phone = await browser(client, town, "刘洋")
    path = f"/classes/{town.course}"
    assert "还差 20 分" in await phone.see(path)
    refused = await phone.send(f"{path}/hours", child_id=town.people["刘小雨"], minutes=60)
    assert refused.status_code == 422
    assert "积分不够" in refused.text


async def test_a_full_lesson_offers_the_line_and_says_the_place(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    await booked(town, "刘洋", "刘小雨")
    phone, path = await browser(client, town, "王建国"), f"/classes/{town.course}"
    assert "候补" in await phone.see(path)
    sent = await phone.send(f"{path}/bookings", lesson_id=town.lessons[0], child_id=town.people["王小明"])
    page = await phone.see(sent.headers["location"])
    assert "已排上候补" in page
    assert "候补第 1 位" in page


async def test_the_keeper_marks_a_child_by_the_code(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    desk = await browser(client, town, "周敏")
    found = await client.get(f"/desk/redemptions?code={made.code}", headers=desk.headers)
    assert (found.status_code, found.headers["location"]) == (303, f"/desk/bookings?code={made.code}")
    assert "刘小雨来上课" in await desk.see(found.headers["location"])
    path = f"/desk/bookings/{made.id}"
    wrong = await desk.send(f"{path}/attendance", code="00000000")
    assert (wrong.status_code, "到课码不对" in wrong.text) == (422, True)
    assert (await desk.send(f"{path}/attendance", code=made.code)).headers["location"] == path
    assert "已记到课" in await desk.see(path)
    assert await minutes_of(owner, town, "刘小雨", "held") == 0
    assert "没有找到这个码" in await desk.see(f"/desk/bookings?code={made.code}")
    await (await browser(client, town, "刘洋")).see(f"/desk/bookings?code={made.code}", 403)


@pytest.mark.parametrize("path", ["/admin/classes", "/admin/classes/new"])
async def test_the_panel_is_for_staff(town: Town, client: httpx.AsyncClient, path: str) -> None:
    for name in ("刘洋", "周敏"):
        await (await browser(client, town, name)).see(path, 403)
    await (await browser(client, town, "赵丽")).see(path)


async def test_an_admin_offers_a_course_and_puts_lessons_on_the_calendar(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    panel, today = await browser(client, town, "赵丽"), clock.local_day()
    fields = {
        "title": "少儿围棋", "teacher": "沈老师", "age_min": 6, "age_max": 12, "starts_on": today,
        "ends_on": today + timedelta(days=30), "points_per_hour": 25, "station_id": town.stations["暖蜂驿站"],
    }  # fmt: skip
    turned = await panel.send("/admin/classes", **fields | {"age_min": 13})
    assert (turned.status_code, "最小年龄不能大于最大年龄" in turned.text) == (422, True)
    assert 'value="少儿围棋"' in turned.text
    made = await panel.send("/admin/classes", **fields)
    path = made.headers["location"].partition("?")[0]
    lesson = {"day": today + timedelta(days=3), "at": "09:30", "minutes": 90, "seats": 8}
    assert (await panel.send(f"{path}/lessons", **lesson)).status_code == 303
    twice = await panel.send(f"{path}/lessons", **lesson)
    assert (twice.status_code, "已经有一节" in twice.text) == (409, True)
    starts_at = await owner.fetchval("SELECT starts_at FROM lesson WHERE minutes = 90")
    assert clock.local(starts_at).strftime("%H:%M") == "09:30"
    page = await panel.see(path)
    assert "09:30" in page
    assert "1 小时 30 分" in page
    assert (await panel.send(path, **fields | {"teacher": "周老师"})).status_code == 303
    assert await owner.fetchval("SELECT active FROM course WHERE teacher = '周老师'") is True


async def test_an_admin_marks_by_name_and_calls_a_lesson_off(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 120)
    made = await booked(town, "刘洋", "刘小雨")
    await booked(town, "刘洋", "刘小雨", 1)
    panel = await browser(client, town, "赵丽")
    first, second = (f"/admin/classes/lessons/{lesson}" for lesson in town.lessons)
    assert "刘小雨" in await panel.see(first)
    assert (await panel.send(f"{first}/attendance", booking_id=made.id)).status_code == 303
    assert "已到课" in await panel.see(first)
    assert (await panel.send(f"{second}/cancellation", reason="")).status_code == 422
    off = await panel.send(f"{second}/cancellation", reason="老师生病")
    assert "课时全部退回" in await panel.see(off.headers["location"])
    assert await minutes_of(owner, town, "刘小雨") == 60


async def test_the_last_day_stands_beside_the_price_before_the_purchase(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("刘洋", 100)
    phone, path = await browser(client, town, "刘洋"), f"/classes/{town.course}"
    page = await phone.see(path)
    assert f"有效到 {clock.local_day().year + 1}年12月31日" in page
    assert "没用完的课时自动退回积分" in page
    await phone.send(f"{path}/hours", child_id=town.people["刘小雨"], minutes=60)
    assert f"最晚到 {clock.local_day().year + 1}年12月31日" in await phone.see(path)
    for place in ("/family", f"/statement?currency=class_minute&person_id={town.people['刘洋']}"):
        assert f"最晚到 {clock.local_day().year + 1}年12月31日" in await phone.see(place), place


async def test_a_guardian_gives_minutes_back_and_moves_them_on_the_page(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("刘洋", 40)
    other = await another_course(owner, town, 40)
    phone, path, child = await browser(client, town, "刘洋"), f"/classes/{town.course}", town.people["刘小雨"]
    await phone.send(f"{path}/hours", child_id=child, minutes=120)
    page = await phone.see(path)
    assert "现在可以退回 40 分" in page
    assert "少儿围棋（约 1 小时）" in page
    moved = await phone.send(f"{path}/move", child_id=child, to_course_id=other)
    assert "转好了" in await phone.see(moved.headers["location"])
    sent = [await phone.send(f"/classes/{other}/refund", "one tap", child_id=child) for _ in range(2)]
    assert {answer.headers["location"] for answer in sent} == {f"/classes/{other}?child={child}&done=refunded"}
    assert "退好了" in await phone.see(sent[0].headers["location"])
    assert await points_of(town, "刘洋") == (40, 0)
    empty = await phone.send(f"{path}/refund", child_id=child)
    assert (empty.status_code, "只有 0 分钟" in empty.text) == (422, True)


async def test_an_admin_sees_what_a_stop_does_and_stops(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("刘洋", 40)
    phone, path, child = await browser(client, town, "刘洋"), f"/classes/{town.course}", town.people["刘小雨"]
    await phone.send(f"{path}/hours", child_id=child, minutes=120)
    panel, here = await browser(client, town, "赵丽"), f"/admin/classes/{town.course}"
    page = await panel.see(here)
    assert "1 个孩子没用的 2 小时课时退回 40 分" in page
    assert (await panel.send(f"{here}/stop", reason="")).status_code == 422
    assert (await (await browser(client, town, "周敏")).send(f"{here}/stop", reason="停开")).status_code == 403
    stopped = await panel.send(f"{here}/stop", reason="老师调走了")
    assert "已停开" in await panel.see(stopped.headers["location"])
    assert await owner.fetchval("SELECT active FROM course") is False


async def test_an_admin_gives_minutes_back_for_a_guardian_with_a_reason(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("刘洋", 40)
    phone, path, child = await browser(client, town, "刘洋"), f"/classes/{town.course}", town.people["刘小雨"]
    await phone.send(f"{path}/hours", child_id=child, minutes=120)
    panel, here = await browser(client, town, "赵丽"), f"/admin/classes/{town.course}"
    assert "替家长退" in await panel.see(here)
    known = {"child_id": child, "person_id": town.people["刘洋"]}
    refused = await panel.send(f"{here}/refund", **known, reason="")
    assert (refused.status_code, "写明原因" in refused.text) == (422, True)
    done = await panel.send(f"{here}/refund", **known, reason="家长来社区办")
    assert "已退回积分" in await panel.see(done.headers["location"])
    assert await points_of(town, "刘洋") == (40, 0)


async def test_an_admin_moves_a_lesson_and_the_family_sees_that_it_may_cancel(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    panel, here = await browser(client, town, "赵丽"), f"/admin/classes/lessons/{town.lessons[0]}"
    day = clock.local_day() + timedelta(days=3)
    fields = {"day": day, "at": "18:00", "minutes": 90, "seats": 5, "reason": "老师有事"}
    moved = await panel.send(f"{here}/change", **fields)
    assert "已改" in await panel.see(moved.headers["location"])
    row = await owner.fetchrow("SELECT * FROM lesson WHERE id = $1", town.lessons[0])
    assert row is not None
    assert (row["seats"], row["minutes"], row["ends_at"] - row["starts_at"]) == (5, 60, timedelta(minutes=90))
    phone = await browser(client, town, "刘洋")
    assert "开课前都可以取消" in await phone.see(f"/classes/bookings/{made.id}")
    few = await panel.send(f"{here}/change", **fields | {"seats": 0})
    assert few.status_code == 422


async def test_the_counter_knows_a_lesson_over_midnight_before_and_after_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    midnight = clock.at_local(clock.local_day() + timedelta(days=3), time())

    async def shown(begins: int, seen_at: int) -> bool:
        """Whether the counter shows a lesson that begins at `begins`; both are minutes after midnight."""
        starts_at = midnight + timedelta(minutes=begins)
        await owner.execute(
            "UPDATE lesson SET starts_at = $2, ends_at = $3 WHERE id = $1",
            town.lessons[0], starts_at, starts_at + timedelta(minutes=60),
        )  # fmt: skip
        with clock.at(midnight + timedelta(minutes=seen_at)):
            keeper = await town.scope("周敏")
            presence = await stands_here(keeper, town, "刘小雨")
            stand = Stand(person_id=town.people["刘小雨"], station_id=town.stations["暖蜂驿站"], presence=presence)
            offered = await counter_offers(keeper, stand)
        return [button.path for button in offered.buttons] == [f"/desk/bookings/{made.id}/attendance"]

    assert await shown(-30, -40), "this evening"
    assert await shown(-30, 10), "it goes on after midnight"
    assert await shown(15, -10), "who comes before midnight is early, not a day too soon"
    assert not await shown(15, -50), "over an hour before, on the day before"
