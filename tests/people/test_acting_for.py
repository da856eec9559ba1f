"""The panel's forms by which an administrator reserves a good or books a lesson for a resident."""

import asyncpg
import httpx

from tests.classes.test_bookings import give_minutes
from tests.support.shop import browser, points_of
from tests.support.town import Town
from timebank.core import clock

WHY = "本人来电话，腿脚不便"


async def test_a_good_is_reserved_from_the_residents_page(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    here = f"/admin/people/{town.people['张桂兰']}"
    admin = await browser(client, town, "赵丽")
    assert f'href="{here}/reservation"' in await admin.see(here)
    assert "香皂 · 暖蜂驿站" in await admin.see(f"{here}/reservation")
    fields = {"what": f"{town.goods['香皂']}/{town.stations['暖蜂驿站']}", "quantity": "2"}
    nothing = await admin.send(f"{here}/reservation", **fields)
    assert nothing.status_code == 422
    assert "理由" in nothing.text
    made = await admin.send(f"{here}/reservation", reason=WHY, **fields)
    assert made.headers["location"] == f"{here}?part=redemptions&done=reserved_for"
    assert WHY in await admin.see(f"{here}?part=redemptions&done=reserved_for")
    assert await points_of(town, "张桂兰") == (34, 16)
    own_page = await (await browser(client, town, "张桂兰")).see(
        f"/redemptions/{await owner.fetchval('SELECT id FROM redemption')}"
    )
    assert WHY in own_page


async def test_a_lesson_is_booked_from_the_page_of_the_guardian_and_of_the_child(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 240)
    admin = await browser(client, town, "赵丽")
    for number, name in enumerate(("刘洋", "刘小雨")):
        here = f"/admin/people/{town.people[name]}"
        begins = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[number])
        assert begins > clock.now()
        assert str(town.lessons[number]) in await admin.see(f"{here}/booking")
        made = await admin.send(
            f"{here}/booking", child_id=str(town.people["刘小雨"]), lesson_id=str(town.lessons[number]), reason=WHY
        )
        assert made.headers["location"] == f"{here}?part=classes&done=booked_for"
    seat = {"child_id": str(town.people["刘小雨"]), "lesson_id": str(town.lessons[0]), "reason": WHY}
    for stranger in ("张桂兰", "马涛"):  # of this community and of another one: the child is in the care of neither
        answer = await admin.send(f"/admin/people/{town.people[stranger]}/booking", **seat)
        assert answer.status_code == 404, stranger
    assert await owner.fetchval("SELECT count(*) FROM booking WHERE booked_because = $1", WHY) == 2


async def test_no_form_is_offered_to_who_only_reads_nor_for_oneself(town: Town, client: httpx.AsyncClient) -> None:
    for reader, about in (("孙伟", "张桂兰"), ("赵丽", "赵丽")):
        page = await (await browser(client, town, reader)).see(f"/admin/people/{town.people[about]}")
        assert "/reservation" not in page, reader
    auditor = await browser(client, town, "孙伟")
    await auditor.see(f"/admin/people/{town.people['张桂兰']}/reservation", 403)
