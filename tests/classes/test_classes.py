"""Courses, lessons, and class hours that a guardian buys for a child."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.shop import API, books_balance, key, minutes_of, points_of
from tests.support.town import Town
from timebank.classes.class_time.purchase import price
from timebank.core import clock
from timebank.people.identity.ages import age_on


def a_course(town: Town, **more: object) -> dict[str, object]:
    today = clock.local_day()
    return {
        "title": "少儿围棋", "age_min": 6, "age_max": 12, "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=60)).isoformat(), "points_per_hour": 25, "teacher": "沈老师",
        "station_id": str(town.stations["暖蜂驿站"]),
    } | more  # fmt: skip


def order(town: Town, minutes: int = 60, **more: object) -> dict[str, object]:
    return {
        "person_id": str(town.people["刘洋"]),
        "child_id": str(town.people["刘小雨"]),
        "course_id": str(town.course),
        "minutes": minutes,
    } | more


async def buy(client: httpx.AsyncClient, town: Town, body: dict[str, object], name: str = "刘洋") -> httpx.Response:
    return await client.post(f"{API}/class-hours", json=body, headers=await town.sign_in(name) | key())


async def test_families_see_the_courses_of_their_own_community(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/courses")).status_code == 401
    (seen,) = (await client.get(f"{API}/courses", headers=await town.sign_in("刘洋"))).json()["items"]
    assert (seen["title"], seen["points_per_hour"], seen["station"]) == ("少儿书法", 20, "暖蜂驿站")
    assert (await client.get(f"{API}/courses", headers=await town.sign_in("马涛"))).json()["items"] == []
    elsewhere = await client.get(f"{API}/courses/{town.course}/lessons", headers=await town.sign_in("马涛"))
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    ("name", "status"), [("刘洋", 403), ("周敏", 403), ("孙伟", 403), ("何静", 404), ("赵丽", 201)]
)
async def test_only_an_admin_offers_a_course(town: Town, client: httpx.AsyncClient, name: str, status: int) -> None:
    answer = await client.post(f"{API}/courses", json=a_course(town), headers=await town.sign_in(name))
    assert answer.status_code == status
    if status == 201:
        again = await client.post(f"{API}/courses", json=a_course(town), headers=await town.sign_in(name))
        assert (again.status_code, again.json()["code"]) == (409, "course_exists")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"age_min": 13}, "course_ages"),
        ({"ends_on": "2020-01-01"}, "course_term"),
        ({"points_per_hour": 0}, "bad_request"),
        ({"title": "围\x00棋"}, "bad_request"),
        ({"title": "\u200b \u200b"}, "invalid"),
        ({"starts_on": "soon"}, "bad_request"),
        ({"station_id": "00000000-0000-0000-0000-000000000000"}, "not_found"),
    ],
)
async def test_a_course_that_cannot_be_is_refused_in_words(
    town: Town, client: httpx.AsyncClient, more: dict[str, object], code: str
) -> None:
    answer = await client.post(f"{API}/courses", json=a_course(town, **more), headers=await town.sign_in("赵丽"))
    assert answer.json()["code"] == code


async def test_a_lesson_is_put_on_the_calendar_by_the_station_or_the_admin(
    town: Town, client: httpx.AsyncClient
) -> None:
    path, when = f"{API}/courses/{town.course}/lessons", clock.now() + timedelta(days=5)
    body = {"starts_at": when.isoformat(), "minutes": 90, "seats": 12}
    for name, status in (("刘洋", 403), ("孙伟", 403), ("何静", 404)):
        assert (await client.post(path, json=body, headers=await town.sign_in(name))).status_code == status
    keeper = await town.sign_in("周敏")
    made = await client.post(path, json=body, headers=keeper)
    assert (made.status_code, made.json()["seats_free"], made.json()["minutes"]) == (201, 12, 90)
    again = await client.post(path, json=body, headers=keeper)
    assert (again.status_code, again.json()["code"]) == (409, "lesson_exists")
    listed = (await client.get(f"{path}?limit=2", headers=await town.sign_in("刘洋"))).json()
    assert [UUID(lesson["id"]) for lesson in listed["items"]] == [town.lessons[0], UUID(made.json()["id"])]
    assert listed["next"]


@pytest.mark.parametrize(
    ("days", "more", "code"),
    [
        (500, {"minutes": 60}, "lesson_outside_term"),
        (5, {}, "lesson_length"),
        (5, {"minutes": 0}, "bad_request"),
        (5, {"minutes": 60, "seats": 0}, "bad_request"),
        (5, {"ends_at": "2026-01-01T00:00:00Z"}, "lesson_length"),
        (5, {"ends_at": "2026-01-01T00:00:00"}, "bad_request"),
    ],
)
async def test_a_lesson_that_cannot_be_is_refused_in_words(
    town: Town, client: httpx.AsyncClient, days: int, more: dict[str, object], code: str
) -> None:
    body = {"starts_at": (clock.now() + timedelta(days=days)).isoformat(), "seats": 3} | more
    path, admin = f"{API}/courses/{town.course}/lessons", await town.sign_in("赵丽")
    assert (await client.post(path, json=body, headers=admin)).json()["code"] == code


async def test_an_ended_course_leaves_the_list(town: Town, client: httpx.AsyncClient) -> None:
    path, admin = f"{API}/courses/{town.course}", await town.sign_in("赵丽")
    assert (await client.patch(path, json={"active": False}, headers=await town.sign_in("周敏"))).status_code == 403
    assert (await client.patch(path, json={"active": False}, headers=admin)).json()["active"] is False
    assert (await client.get(f"{API}/courses", headers=admin)).json()["items"] == []
    assert len((await client.get(f"{API}/courses?with_ended=true", headers=admin)).json()["items"]) == 1
    await town.give_points("刘洋", 100)
    refused = await buy(client, town, order(town))
    assert (refused.status_code, refused.json()["code"]) == (422, "course_over")


@pytest.mark.parametrize(("minutes", "per_hour", "points"), [(60, 20, 20), (45, 20, 15), (15, 25, 7), (90, 25, 38)])
def test_a_started_point_is_counted_whole(minutes: int, per_hour: int, points: int) -> None:
    assert price(minutes, per_hour) == points


def test_a_child_is_a_year_older_on_the_birthday() -> None:
    assert [age_on(date(2016, 9, 1), date(2026, 8, 31)), age_on(date(2016, 9, 1), date(2026, 9, 1))] == [9, 10]
    assert age_on(date(2016, 2, 29), date(2026, 2, 28)) == 9


async def test_points_of_a_guardian_become_minutes_of_a_child(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("刘洋", 100)
    headers = await town.sign_in("刘洋") | key()
    first = await client.post(f"{API}/class-hours", json=order(town, 75), headers=headers)
    again = await client.post(f"{API}/class-hours", json=order(town, 75), headers=headers)
    assert first.status_code == 201
    bought = first.json()
    assert (bought["points"], bought["minutes"], bought["available"]) == (25, 75, 75)
    assert (again.status_code, again.content, again.headers["idempotent-replayed"]) == (201, first.content, "true")
    assert (await buy(client, town, order(town))).json()["available"] == 135
    assert await points_of(town, "刘洋") == (55, 0)
    assert await minutes_of(owner, town, "刘小雨") == 135
    await books_balance(owner)


async def test_buying_needs_a_key_and_whole_quarters(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("刘洋")
    missing = await client.post(f"{API}/class-hours", json=order(town), headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    for minutes in (0, 20, -15, 10**20):
        assert (await buy(client, town, order(town, minutes))).status_code == 400


async def test_only_a_guardian_with_consent_on_record_buys(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    assert (await client.post(f"{API}/class-hours", json=order(town))).status_code == 401
    for name in ("刘洋", "张桂兰"):
        await town.give_points(name, 100)
    stranger = order(town, person_id=str(town.people["张桂兰"]))
    refused = await buy(client, town, stranger, "张桂兰")
    assert (refused.status_code, refused.json()["code"]) == (422, "guardian_consent_missing")
    for name, status in (("张桂兰", 404), ("周敏", 403), ("赵丽", 403), ("马涛", 404)):
        assert (await buy(client, town, order(town), name)).status_code == status, name
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    refused = await buy(client, town, order(town))
    assert (refused.status_code, refused.json()["code"]) == (422, "guardian_consent_missing")
    assert await points_of(town, "刘洋") == (100, 0)


async def test_a_child_too_young_or_without_a_birthday_is_refused(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("刘洋", 100)
    for born in (clock.local_day() - timedelta(days=5 * 365), None):
        await owner.execute("UPDATE person SET born_on = $1 WHERE id = $2", born, town.people["刘小雨"])
        refused = await buy(client, town, order(town))
        assert (refused.status_code, refused.json()["code"]) == (422, "child_age")
        assert "6 到 14 岁" in refused.json()["detail"]


async def test_too_few_points_buy_nothing(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    await town.give_points("刘洋", 19)
    refused = await buy(client, town, order(town))
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_points")
    assert await minutes_of(owner, town, "刘小雨") == 0
    assert await owner.fetchval("SELECT count(*) FROM class_purchase") == 0
