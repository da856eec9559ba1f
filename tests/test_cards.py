"""Printed cards: one in force, known by its code, ended by the next."""

import io

import httpx
import pytest
import zxingcpp
from PIL import Image

from tests.town import Town
from timebank import codes
from timebank.codes import CardCode
from timebank.errors import Forbidden
from timebank.people.cards import CardElsewhere, CardRevoked, PersonNotServed, cards_of, holder_of, issue_missing_cards
from timebank.people.records import set_status


def read(url: str) -> CardCode:
    code = codes.read(url)
    assert isinstance(code, CardCode)
    return code


async def test_a_new_card_ends_the_old_one(town: Town, client: httpx.AsyncClient) -> None:
    keeper, address = await town.sign_in("周敏"), f"/api/v1/people/{town.people['张桂兰']}/card"
    first = await client.post(address, headers=keeper)
    assert first.status_code == 201
    counter = await town.scope("周敏")
    assert (await holder_of(counter, read(first.json()["url"]))).name == "张桂兰"
    second = (await client.post(address, headers=keeper)).json()
    assert second["epoch"] == first.json()["epoch"] + 1
    with pytest.raises(CardRevoked):
        await holder_of(counter, read(first.json()["url"]))
    assert (await holder_of(counter, read(second["url"]))).person_id == town.people["张桂兰"]
    assert (await client.delete(address, headers=keeper)).status_code == 204
    assert (await client.delete(address, headers=keeper)).status_code == 204
    with pytest.raises(CardRevoked):
        await holder_of(counter, read(second["url"]))


async def test_the_picture_of_a_card_says_its_code(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/people/{town.people['张桂兰']}/card"
    assert (await client.get(f"{address}.png", headers=await town.sign_in("赵丽"))).status_code == 404
    url = (await client.post(address, headers=await town.sign_in("赵丽"))).json()["url"]
    for name in ("赵丽", "周敏", "张桂兰"):
        picture = await client.get(f"{address}.png", headers=await town.sign_in(name))
        assert picture.headers["content-type"] == "image/png"
        [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)).convert("L"))
        assert found.text == url
    assert (await client.get(f"{address}.png", headers=await town.sign_in("张国庆"))).status_code == 404
    assert (await client.get(f"{address}.png")).status_code == 401


async def test_cards_are_given_at_counters_and_by_administrators_only(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/people/{town.people['张桂兰']}/card"
    assert (await client.post(address)).status_code == 401
    for name in ("张桂兰", "王建国", "陈明", "孙伟"):
        assert (await client.post(address, headers=await town.sign_in(name))).status_code == 403
    assert (await client.post(address, headers=await town.sign_in("何静"))).status_code == 404


async def test_a_card_of_another_community_or_of_somebody_blocked_is_refused(town: Town) -> None:
    admin = await town.scope("赵丽")
    assert await issue_missing_cards(admin) == 1
    [card] = await cards_of(admin)
    assert (card.name, card.area, card.room) == ("刘小雨", "5栋2单元", "401")
    with pytest.raises(CardElsewhere):
        await holder_of(await town.scope("何静"), read(card.url))
    await set_status(admin, town.people["刘小雨"], "blocked", "测试")
    with pytest.raises(PersonNotServed):
        await holder_of(admin, read(card.url))
    with pytest.raises(Forbidden):
        await cards_of(await town.scope("周敏"))
