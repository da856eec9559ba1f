"""Former guardians have no rights: each request requires consent in force and a child who is under 18 today."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import give_minutes, seat
from tests.classes.test_class_refunds import another_course, asked, by_admin
from tests.support.messages import messages_of
from tests.support.shop import API, books_balance, browser, key, points_of
from tests.support.town import Town, signed_in
from timebank.classes.attendance import cancel_lesson
from timebank.classes.booking import cancel_booking
from timebank.classes.reading import bookings
from timebank.core import clock
from timebank.core.scope import ResidentRecord
from timebank.overview.resident import shown_balances
from timebank.people.guardianship.care import in_care
from timebank.people.statement_access import open_statement


async def end_care(owner: asyncpg.Connection, town: Town, how: str) -> None:
    child = town.people["刘小雨"]
    if how == "ended":
        await owner.execute("UPDATE guardianship SET ended_at = $1 WHERE child_id = $2", clock.now(), child)
    elif how == "withdrawn":
        await owner.execute("UPDATE guardianship SET consented_at = NULL WHERE child_id = $1", child)
    else:
        today = clock.local_day()
        born = date(today.year - 18, today.month, min(today.day, 28))
        await owner.execute("UPDATE person SET born_on = $1 WHERE id = $2", born, child)


async def held(town: Town, client: httpx.AsyncClient) -> dict[str, Any]:
    """Buy class time for 刘小雨 and book a seat with it, as 刘洋; return the booking."""
    await town.credit_deed("刘洋", 100)
    headers = await town.sign_in("刘洋")
    bought = await client.post(f"{API}/class-hours", json=asked(town, minutes=120), headers=headers | key())
    assert bought.status_code == 201, bought.text
    booked = await client.post(f"{API}/bookings", json=seat(town), headers=headers | key())
    assert booked.status_code == 201, booked.text
    answer: dict[str, Any] = booked.json()
    return answer


ENDS = ("ended", "withdrawn", "grown")


@pytest.mark.parametrize("how", ENDS)
async def test_a_former_guardian_sees_nothing_of_the_child(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, how: str
) -> None:
    booked = await held(town, client)
    headers, child = await town.sign_in("刘洋"), town.people["刘小雨"]
    await end_care(owner, town, how)
    for path in (
        f"/me/balances?person_id={child}", f"/me/statement?person_id={child}", f"/people/{child}",
        f"/people/{child}/guardians", f"/bookings/{booked['id']}",
    ):  # fmt: skip
        answer = await client.get(API + path, headers=headers)
        assert answer.status_code in (404, 405), (path, answer.text)
        assert "刘小雨" not in answer.text
    assert (await client.get(f"{API}/bookings", headers=headers)).json()["items"] == []
    assert (await client.get(f"{API}/me/balances", headers=headers)).json()["class_minutes"] == []
    assert (await client.get(f"{API}/me/code?person_id={child}", headers=headers)).status_code == 422
    phone = await browser(client, town, "刘洋")
    for path in ("/", "/family", "/classes", "/statement", "/me/code"):
        page = await phone.see(path)
        assert booked["code"] not in page.replace(" ", ""), path
        if not (how == "withdrawn" and path in ("/family", "/classes")):  # these pages let her consent again
            assert "刘小雨" not in page, path


@pytest.mark.parametrize("how", ENDS)
async def test_a_former_guardian_does_nothing_for_the_child(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, how: str
) -> None:
    booked = await held(town, client)
    other = await another_course(owner, town)
    headers = await town.sign_in("刘洋")
    await end_care(owner, town, how)
    before = await points_of(town, "刘洋")
    for path, body in (
        ("/class-hours", asked(town, minutes=60)), ("/class-hours/refunds", asked(town)),
        ("/class-hours/moves", asked(town, to_course_id=str(other))), ("/bookings", seat(town, lesson=1)),
    ):  # fmt: skip
        answer = await client.post(API + path, json=body, headers=headers | key())
        assert answer.status_code in (404, 422), (path, answer.text)
        assert answer.json()["code"] in ("guardian_consent_missing", "child_grown"), path
    gone = await client.delete(f"{API}/bookings/{booked['id']}", headers=headers)
    assert gone.status_code == 404
    assert await owner.fetchval("SELECT status FROM booking") == "held"
    assert await points_of(town, "刘洋") == before
    await books_balance(owner)


async def test_a_refund_goes_to_who_paid_though_no_longer_a_guardian(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await held(town, client)
    await end_care(owner, town, "ended")
    before = (await points_of(town, "刘洋"))[0]
    _minutes, points = await by_admin(town)
    assert points > 0
    assert (await points_of(town, "刘洋"))[0] == before + points


async def test_news_of_a_lesson_do_not_reach_a_former_guardian(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await held(town, client)
    before = len(await messages_of(town, "刘洋"))
    await end_care(owner, town, "ended")
    await cancel_lesson(await town.scope("周敏"), town.lessons[0], "老师生病")
    assert len(await messages_of(town, "刘洋")) == before


async def test_the_seats_and_minutes_stay_the_childs_when_it_is_grown(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    booked = await held(town, client)
    await give_minutes(town, "刘小雨", 15)
    await end_care(owner, town, "grown")
    child = town.people["刘小雨"]
    own = await signed_in(
        owner, ResidentRecord(community_id=town.community, person_id=child, name="刘小雨", community_name="凤凰社区")
    )
    [seen] = (await bookings(own)).items
    assert (seen.id, seen.code) == (UUID(booked["id"]), booked["code"])
    [minutes] = (await shown_balances(await open_statement(own))).class_minutes
    assert minutes.available > 0
    assert (await cancel_booking(own, UUID(booked["id"]))).status == "cancelled"


async def test_the_eighteenth_birthday_counts_by_the_local_day(owner: asyncpg.Connection) -> None:
    """A child born on 29 February turns 18 on 1 March in a year without that day, as in `age_on`."""
    condition = in_care("$2").replace("g.consented_at IS NOT NULL AND g.ended_at IS NULL AND ", "")
    for born, day, under in (
        (date(2008, 2, 29), date(2026, 2, 28), True), (date(2008, 2, 29), date(2026, 3, 1), False),
        (date(2010, 2, 28), date(2028, 2, 28), False), (date(2010, 3, 1), date(2028, 2, 29), True),
        (date(2008, 11, 26), date(2026, 11, 25), True), (date(2008, 11, 26), date(2026, 11, 26), False),
    ):  # fmt: skip
        found = await owner.fetchval(
            f"SELECT {condition} FROM (SELECT $1::date AS born_on) AS c", born, day
        )  # no input in the SQL
        assert found is under, (born, day)


async def test_a_nominated_guardian_sees_nothing_before_the_consent(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation) VALUES ($1, $2, $3, $4, '父亲')",
        town.community, clock.new_id(), town.people["欧阳凯伟"], town.people["刘小雨"],
    )  # fmt: skip
    await held(town, client)
    headers = await town.sign_in("欧阳凯伟")
    assert (await client.get(f"{API}/people/{town.people['刘小雨']}", headers=headers)).status_code == 404
    page = await (await browser(client, town, "欧阳凯伟")).see("/family")
    assert "刘小雨" in page
    assert "分钟" not in page[page.index("刘小雨") : page.index("刘小雨") + 200]
