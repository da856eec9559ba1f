"""Codes that were printed, shown or saved under an old address of the service still work after the address changes."""

import re
from pathlib import Path

import asyncpg
import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.presence.test_presence_pages import csrf_of, path_of, signed_in
from tests.support.presence import nonce
from tests.support.town import Town
from timebank.cards.cards import issue_card
from timebank.core import clock, codes
from timebank.core.codes import CardCode, InvalidCode, PersonCode, StationCode

OLD_ADDRESSES = (
    "http://test", "https://test", "HTTPS://old.example", "http://192.168.1.20:8000", "https://old.example/timebank"
)  # fmt: skip


@pytest.mark.parametrize("address", OLD_ADDRESSES)
async def test_the_signature_decides_whose_code_it_is_and_not_the_host(town: Town, address: str) -> None:
    community, subject, now = town.community, town.people["李秀英"], clock.now()
    made = {
        f"k/{codes.card_code(community, subject, 1)}": CardCode,
        f"p/{codes.person_code(community, subject, 1, now)}": PersonCode,
        f"c/{codes.station_code(community, subject, 1, now)}": StationCode,
    }
    for path, shape in made.items():
        for tail in ("", "?from=singlemessage", "#top"):
            read = codes.read(f" {address}/{path}{tail}\n")
            assert isinstance(read, shape)
            assert read == codes.read(path)


async def test_a_card_under_the_right_host_without_the_right_signature_is_refused(town: Town) -> None:
    payload = codes.card_code(town.community, town.people["李秀英"], 1)
    forged = payload[:-4] + ("AAAA" if payload[-4:] != "AAAA" else "BBBB")
    for link in (f"http://test/k/{forged}", f"https://other.example/k/{forged}", "https://other.example/"):
        with pytest.raises(InvalidCode):
            codes.read(link)


async def test_a_card_printed_before_the_move_to_https_is_read_at_the_counter(
    town: Town, client: httpx.AsyncClient
) -> None:
    card = await issue_card(await town.scope("周敏"), town.people["李秀英"])
    printed = card.url.replace("http://test", "https://shijian.example")
    body = {"code": printed, "nonce": nonce(), "station_id": str(town.stations["暖蜂驿站"])}
    verdict = (await client.post("/api/v1/checkins", json=body, headers=await town.sign_in("周敏"))).json()
    assert (verdict["status"], verdict["direction"]) == ("ok", "in"), verdict


async def test_a_screen_that_still_shows_the_old_address_checks_in(town: Town, owner: asyncpg.Connection) -> None:
    phone = await signed_in(town, "张桂兰")
    payload = codes.station_code(town.community, town.stations["暖蜂驿站"], 1, clock.now())
    shown = f"https://shijian.example/c/{payload}"
    token = csrf_of(await phone.get("/scan"))
    led = await phone.post("/scan", data={"_csrf": token, "code": f"{shown}?from=timeline"})
    assert (led.status_code, led.headers["location"]) == (303, path_of(f"http://test/c/{payload}"))


async def test_a_saved_collection_code_of_the_old_address_is_found_at_the_counter(town: Town) -> None:
    desk = await signed_in(town, "周敏")
    headers = {"X-CSRF-Token": csrf_of(await desk.get("/desk")), "X-Partial": "verdict"}
    saved = "https://shijian.example/desk/redemptions?code=12345678"
    answer = await desk.post("/desk/scan", data={"code": saved, "nonce": nonce()}, headers=headers)
    assert 'href="/desk/redemptions?code=12345678"' in answer.text


PERSONAL = {"q", "name", "phone", "phone_last4", "identity", "room", "person", "search", "words"}


def test_no_page_is_asked_for_a_person_in_its_address(app: Litestar) -> None:
    """What a person is found by is sent in a form's body; an address holds ids, kinds, days and places in a list."""
    wrong = [
        f"{route.path_format}?{name}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path_format.startswith("/api/")
        for handler in route.route_handlers
        for name in handler.parsed_fn_signature.parameters
        if name in PERSONAL and "GET" in handler.http_methods and f"{{{name}" not in route.path
    ]
    assert wrong == []


def test_a_form_that_is_sent_by_its_address_has_no_field_for_words() -> None:
    """GET forms have choices and days alone, but for the counter's field for the code of a parcel."""
    pages = [*Path("admin").rglob("*.html"), *Path("timebank").rglob("*.html")]
    assert len(pages) > 100
    found = {
        form
        for page in pages
        for form in re.findall(r"<form[^>]*>.*?</form>", page.read_text(encoding="utf-8"), re.DOTALL)
        if "post" not in form.partition(">")[0]
    }
    typed = re.compile(r'<textarea|<input(?![^>]*type="(?:hidden|date)")(?![^>]*name="code")')
    assert typed.search('<input name="q">')
    assert [form for form in found if typed.search(form)] == []
