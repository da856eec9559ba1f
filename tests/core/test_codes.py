"""Codes: only signed ones are accepted, station and personal codes expire, a personal one is shown to its person."""

from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from tests.support.town import Town
from timebank.core import clock, codes, settings
from timebank.core.codes import CardCode, InvalidCode, PersonCode, StationCode

MY_CODE = "/api/v1/me/code"


async def test_my_code_is_mine_and_names_its_end(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get(MY_CODE)).status_code == 401
    shown = (await client.get(MY_CODE, headers=await town.sign_in("张桂兰"))).json()
    code = codes.read(shown["code"])
    assert isinstance(code, PersonCode)
    assert (code.person_id, code.community_id) == (town.people["张桂兰"], town.community)
    assert codes.read(shown["url"]) == code
    ends = datetime.fromisoformat(shown["expires_at"])
    assert codes.is_genuine(code, 1)
    assert codes.is_fresh(code, ends - timedelta(milliseconds=1))
    assert not codes.is_fresh(code, ends)


async def test_a_guardian_shows_the_childs_code_and_others_do_not(town: Town, client: httpx.AsyncClient) -> None:
    address = f"{MY_CODE}?person_id={town.people['刘小雨']}"
    for name, status in (("刘洋", 200), ("张桂兰", 422), ("马涛", 422), ("周敏", 422)):
        assert (await client.get(address, headers=await town.sign_in(name))).status_code == status, name


async def test_my_code_comes_as_a_picture(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("张桂兰")
    png = await client.get(f"{MY_CODE}.png", headers=headers)
    svg = await client.get(f"{MY_CODE}.svg", headers=headers)
    assert (png.content[:4], svg.headers["content-type"].split(";")[0]) == (b"\x89PNG", "image/svg+xml")
    assert png.headers["cache-control"] == "no-store"


async def test_every_kind_of_code_is_read_as_a_link_and_as_bare_payload(town: Town) -> None:
    community, subject, now = town.community, town.people["张桂兰"], clock.now()
    made = {
        "c": (codes.station_code(community, subject, 1, now), StationCode),
        "p": (codes.person_code(community, subject, 1, now), PersonCode),
        "k": (codes.card_code(community, subject, 1), CardCode),
    }
    for kind, (payload, shape) in made.items():
        assert isinstance(codes.read(f"{kind}/{payload}"), shape)
        assert codes.read(codes.url(kind, payload)) == codes.read(f"{kind}/{payload}")
        assert settings.current().base_url in codes.url(kind, payload)
        for other in set(made) - {kind}:
            if shape is not CardCode and other != "k":
                continue
            with pytest.raises(InvalidCode):
                codes.read(f"{other}/{payload}")


async def test_a_stations_code_does_not_pass_for_a_persons(town: Town) -> None:
    payload = codes.station_code(town.community, town.people["张桂兰"], 1, clock.now())
    disguised = codes.read(f"p/{payload}")
    assert isinstance(disguised, PersonCode)
    assert not codes.is_genuine(disguised, 1)


async def test_one_changed_character_is_enough_to_be_refused(town: Town) -> None:
    payload = codes.card_code(town.community, town.people["张桂兰"], 1)
    for at in range(0, len(payload) - 1, 7):
        changed = payload[:at] + ("A" if payload[at] != "A" else "B") + payload[at + 1 :]
        with pytest.raises(InvalidCode):
            codes.read(f"k/{changed}")


@pytest.mark.parametrize("now_at", ["https://test", "https://shijian.example", "https://shijian.example:8443"])
async def test_a_card_is_read_after_the_address_has_changed(
    town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, now_at: str
) -> None:
    """The card's URL has the first address, the service the second: only the signature counts."""
    admin = await town.sign_in("赵丽")
    made = await client.post(f"/api/v1/people/{town.people['张桂兰']}/card", headers=admin)
    assert made.json()["url"].startswith("http://test/k/")
    monkeypatch.setattr(settings, "_current", replace(settings.current(), base_url=now_at))
    body = {"code": made.json()["url"], "nonce": "c" * 32, "direction": "in"}
    answer = (await client.post("/api/v1/checkins", json=body, headers=await town.sign_in("周敏"))).json()
    assert (answer["status"], answer["person"]["name"]) == ("ok", "张桂兰")


async def test_screens_and_phones_opened_under_the_old_address_still_show_our_codes(town: Town) -> None:
    community, subject, now = town.community, town.people["张桂兰"], clock.now()
    for kind, payload in (
        ("c", codes.station_code(community, subject, 1, now)),
        ("p", codes.person_code(community, subject, 1, now)),
    ):
        assert codes.read(f"http://old.example:8000/{kind}/{payload}") == codes.read(f"{kind}/{payload}")


async def test_a_card_signed_by_another_key_is_refused_under_any_address(town: Town) -> None:
    payload = codes.card_code(town.community, town.people["张桂兰"], 1)
    forged = ("B" if payload[-2] != "B" else "C").join((payload[:-2], payload[-1:]))
    for host in ("http://test", "https://old.example"):
        with pytest.raises(InvalidCode):
            codes.read(f"{host}/k/{forged}")
