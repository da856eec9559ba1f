"""Printed cards: each person has one valid card, and a new card revokes the old one."""

import io
from dataclasses import replace

import httpx
import pytest
import zxingcpp
from PIL import Image

from tests.support.counter import kept_scope
from tests.support.shop import browser
from tests.support.town import Town
from timebank.cards.cards import PersonNotServed, cards_of, issue_card, issue_missing_cards
from timebank.core import settings, vault
from timebank.core.errors import Forbidden
from timebank.people.records import set_person_status


async def scanned(client: httpx.AsyncClient, keeper: dict[str, str], url: str) -> tuple[str, str | None]:
    """Scan a card as the keeper; return the status and the reason of the verdict."""
    scan = {"code": url, "nonce": vault.token()[:32]}
    verdict = (await client.post("/api/v1/checkins", json=scan, headers=keeper)).json()
    return verdict["status"], verdict["reason"]


async def test_a_new_card_ends_the_old_one(town: Town, client: httpx.AsyncClient) -> None:
    keeper, address = await town.sign_in("周敏"), f"/api/v1/people/{town.people['张桂兰']}/card"
    first = await client.post(address, headers=keeper)
    assert first.status_code == 201
    assert await scanned(client, keeper, first.json()["url"]) == ("ok", None)
    second = (await client.post(address, headers=keeper)).json()
    assert second["epoch"] == first.json()["epoch"] + 1
    assert await scanned(client, keeper, first.json()["url"]) == ("error", "revoked")
    assert await scanned(client, keeper, second["url"]) == ("ok", None)
    assert (await client.delete(address, headers=keeper)).status_code == 204
    assert (await client.delete(address, headers=keeper)).status_code == 204
    assert await scanned(client, keeper, second["url"]) == ("error", "revoked")


async def test_the_picture_of_a_card_says_its_code(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/people/{town.people['张桂兰']}/card"
    assert (await client.get(f"{address}.png", headers=await town.sign_in("赵丽"))).status_code == 404
    url = (await client.post(address, headers=await town.sign_in("赵丽"))).json()["url"]
    for name in ("赵丽", "张桂兰"):
        picture = await client.get(f"{address}.png", headers=await town.sign_in(name))
        assert picture.headers["content-type"] == "image/png"
        [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)).convert("L"))
        assert found.text == url
    for name in ("周敏", "钱进", "孙伟", "张国庆"):  # others could scan the picture in her absence
        assert (await client.get(f"{address}.png", headers=await town.sign_in(name))).status_code == 404
    assert (await client.get(f"{address}.png")).status_code == 401


async def test_nobody_holds_the_picture_of_somebody_elses_card_before_the_counters_camera(
    town: Town, client: httpx.AsyncClient
) -> None:
    """Otherwise the keeper 周敏 could spend the points of 张国庆, who is at home and whose card 赵丽 issued."""
    await town.give_points("张国庆", 50)
    address = f"/api/v1/people/{town.people['张国庆']}/card"
    await client.post(address, headers=await town.sign_in("赵丽"))
    for name in ("周敏", "欧阳凯伟", "孙伟", "钱进"):
        seen = await client.get(f"{address}.png", headers=await town.sign_in(name))
        assert (seen.status_code, seen.headers["content-type"]) == (404, "application/problem+json"), name
    panel = await browser(client, town, "钱进")
    page = await panel.see(f"/admin/people/{town.people['张国庆']}")
    assert "第 1 张" in page
    assert "card.png" not in page


async def test_the_card_of_who_is_not_in_the_book_is_not_found(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/people/{town.people['张桂兰']}/card"
    assert (await client.delete(address, headers=await town.sign_in("何静"))).status_code == 404


async def test_cards_are_given_at_counters_and_by_administrators_only(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/people/{town.people['张桂兰']}/card"
    assert (await client.post(address)).status_code == 401
    for name in ("张桂兰", "王建国", "陈明", "孙伟"):
        assert (await client.post(address, headers=await town.sign_in(name))).status_code == 403
    assert (await client.post(address, headers=await town.sign_in("何静"))).status_code == 404


async def test_a_card_of_another_community_or_of_somebody_blocked_is_refused(
    town: Town, client: httpx.AsyncClient
) -> None:
    admin = await town.scope("赵丽")
    assert await issue_missing_cards(admin) == 1
    [card] = await cards_of(admin)
    assert (card.name, card.area, card.room) == ("刘小雨", "5栋2单元", "401")
    body = {"name": "柜台", "kind": "counter"}
    elsewhere = f"/api/v1/stations/{town.stations['龙泉驿站']}/devices"
    token = (await client.post(elsewhere, json=body, headers=await town.sign_in("何静"))).json()["token"]
    await kept_scope(town, token, "何静")
    assert await scanned(client, {"Authorization": f"Bearer {token}"}, card.url) == ("error", "wrong_station")
    await set_person_status(admin, town.people["刘小雨"], "blocked", "测试")
    assert await scanned(client, await town.sign_in("周敏"), card.url) == ("error", "blocked")
    with pytest.raises(PersonNotServed):
        await issue_card(admin, town.people["刘小雨"])
    with pytest.raises(Forbidden):
        await cards_of(await town.scope("周敏"))


@pytest.mark.parametrize("printed_at", ["http://10.0.0.8:8000", "http://old.example/shijian"])
async def test_a_card_printed_under_http_is_read_from_its_picture_under_https(
    town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, printed_at: str
) -> None:
    """The card's picture is drawn under the old base URL, and its code is scanned under the new one."""
    keeper = await town.sign_in("周敏")
    monkeypatch.setattr(settings, "_current", replace(settings.current(), base_url=printed_at))
    address = f"/api/v1/people/{town.people['张桂兰']}/card"
    assert (await client.post(address, headers=keeper)).status_code == 201
    picture = await client.get(f"{address}.png", headers=keeper)
    monkeypatch.setattr(settings, "_current", replace(settings.current(), base_url="https://shijian.example"))
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)).convert("L"))
    assert found.text.startswith(f"{printed_at}/k/")
    assert await scanned(client, keeper, found.text) == ("ok", None)
    assert await scanned(client, keeper, f"]Q1{found.text.swapcase()}") == ("ok", None)
