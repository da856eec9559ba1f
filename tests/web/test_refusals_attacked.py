"""What a refused form's page must not show, and what sending it again must not do."""

import re

import asyncpg
import httpx
import pytest

from tests.support.counter import kept, tablet
from tests.support.presence import nonce
from tests.support.shop import browser, points_of
from tests.support.town import Town
from timebank.core import clock
from timebank.http.callers import csrf_token
from timebank.http.refusals import Typed

KEY = re.compile(r'name="_key" value="([^"]+)"')
SCRIPT = "\"'><script>alert(1)</script></textarea></select><img src=x onerror=alert(1)>"


async def test_typed_text_stays_text(town: Town, client: httpx.AsyncClient) -> None:
    desk = await browser(client, town, "赵丽")
    good = f"/admin/goods/{town.goods['香皂']}"
    person = f"/admin/people/{town.people['张桂兰']}"
    for path in ("/admin/goods", good, f"{good}/counts", "/admin/people", f"{person}/correction", "/admin/rules"):
        fields = dict.fromkeys(
            ("name", "unit", "points", "note", "counted", "station_id", "area_id", "reason", "sex", "kind", "room"),
            SCRIPT,
        )
        answer = await desk.send(path, **fields)
        assert answer.status_code >= 400, path
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path


async def test_a_code_that_was_scanned_is_not_written_into_the_page_of_a_tablet(
    town: Town, client: httpx.AsyncClient
) -> None:
    made = await tablet(client, town)
    answer = await made.send("/desk/sign-on/code", code="k/" + "geheim" * 101)
    assert answer.status_code == 422
    assert 'class="notice is-wrong" role="alert"' in answer.text
    assert "geheim" not in answer.text


def test_proofs_are_never_shown_whatever_their_fields_are_made_of() -> None:
    sent = {"password": "a", "again": "a", "current": "b", "otp": "123456", "code": "k/x", "name": "张桂兰"}
    typed = Typed("/form", sent)
    typed.begin("/form")
    assert [name for name in sent if typed.value(name, "")] == ["name"]


async def test_a_keeper_learns_no_name_by_a_refused_card(town: Town, client: httpx.AsyncClient) -> None:
    """The name of the person is shown with the card, whose issue the person is notified of and the audit keeps."""
    counter_tablet = await kept(client, town)
    data = {
        "_csrf": csrf_token(counter_tablet.token), "person_id": str(town.people["李秀英"]),
        "station_id": str(town.stations["暖蜂驿站"]),
    }  # fmt: skip
    answer = await client.post("/desk/cards", data=data, headers=counter_tablet.cookie)
    assert answer.status_code == 400
    assert 'class="notice is-wrong" role="alert"' in answer.text
    assert "李秀英" not in answer.text


async def test_a_form_whose_first_sending_still_runs_is_sent_again_with_the_same_key_and_counts_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, pool: str
) -> None:
    await town.give_points("张桂兰", 50)
    phone, key = await browser(client, town, "张桂兰"), nonce()
    path = f"/goods/{town.goods['香皂']}/reservation"
    wish = {"station_id": town.stations["暖蜂驿站"], "quantity": 1}
    login = await owner.fetchval("SELECT login_id FROM membership WHERE person_id = $1", town.people["张桂兰"])
    running = await asyncpg.connect(pool)
    async with running.transaction():
        await running.execute(
            "INSERT INTO idempotent_request (community_id, caller_id, key, request_hash, created_at) "
            "VALUES ($1, $2, $3, 'x', $4)",
            town.community, login, key, clock.now(),
        )  # fmt: skip
        refused = await phone.send(path, key, **wish)
        assert refused.status_code == 409
        assert KEY.findall(refused.text) == [key]
        await running.execute("DELETE FROM idempotent_request WHERE key = $1", key)
    await running.close()
    for _ in range(2):
        assert (await phone.send(path, key, **wish)).status_code == 303
    assert await owner.fetchval("SELECT count(*) FROM redemption") == 1
    other = await phone.send(path, key, **wish | {"quantity": 2})
    assert other.status_code == 422
    assert key not in KEY.findall(other.text), "a key of another request cannot be used again"
    assert (await points_of(town, "张桂兰"))[1] > 0


def test_a_button_keeps_its_key_and_the_buttons_beside_it_get_new_ones() -> None:
    typed = Typed("/lessons/1/attendance", {"_key": "sent", "booking_id": "a"}, keeps_key=True)
    for lesson, booking, key in ((1, "a", "sent"), (1, "b", "new"), (2, "a", "new")):
        typed.begin(f"/lessons/{lesson}/attendance", {"_key": "new", "booking_id": booking})
        assert (typed.hidden("_key", "new"), typed.hidden("booking_id", booking)) == (key, booking)
        typed.end()


@pytest.mark.parametrize("referer", ["http://test/\\evil.example/x", "http://test//evil.example", "//evil.example/x"])
async def test_the_way_back_stays_on_this_site(town: Town, client: httpx.AsyncClient, referer: str) -> None:
    phone = await browser(client, town, "张桂兰")
    phone.headers |= {"Referer": referer}
    answer = await phone.send(f"/goods/{clock.new_id()}/reservation", quantity=1)
    assert answer.status_code == 404
    assert "evil.example" not in answer.text
