"""Goods, their photo, and the stock at each station."""

import io

import asyncpg
import httpx
import pytest
from PIL import Image

from tests.support.pictures import bomb, picture, taken_by_phone
from tests.support.shop import API, reserve, stock_of
from tests.support.town import SPRING, Town
from timebank.photos.drawing import UPLOAD_BYTES_MAX
from timebank.shop.shelves import stock


async def test_a_resident_sees_what_points_buy_and_where(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/goods")).status_code == 401
    answer = await client.get(f"{API}/goods", headers=await town.sign_in("张桂兰"))
    assert [good["name"] for good in answer.json()["items"]] == ["抽纸", "食用油 5L", "香皂"]
    oil = answer.json()["items"][1]
    assert (oil["points"], oil["unit"], oil["monthly_limit"], oil["photo"]) == (120, "桶", 1, None)
    assert [(s["station"], s["quantity"], s["reserved"]) for s in oil["stock"]] == [("暖蜂驿站", 5, 0)]


async def test_goods_of_one_station_are_those_it_offers(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("张桂兰")
    found = await client.get(f"{API}/goods?station_id={town.stations['慈善超市']}", headers=headers)
    assert found.json()["items"] == []
    found = await client.get(f"{API}/goods?station_id={town.stations['暖蜂驿站']}&limit=2", headers=headers)
    assert len(found.json()["items"]) == 2
    rest = await client.get(found.links["next"]["url"], headers=headers)
    assert [good["name"] for good in rest.json()["items"]] == ["香皂"]


async def test_goods_of_another_community_are_not_there(town: Town, client: httpx.AsyncClient) -> None:
    stranger = await town.sign_in("马涛")
    assert (await client.get(f"{API}/goods", headers=stranger)).json()["items"] == []
    for path in (f"/goods/{town.goods['香皂']}", f"/goods/{town.goods['香皂']}/photo"):
        assert (await client.get(API + path, headers=stranger)).status_code == 404


@pytest.mark.parametrize(("name", "status"), [("张桂兰", 403), ("周敏", 403), ("孙伟", 403), ("赵丽", 201)])
async def test_only_an_admin_offers_a_good(town: Town, client: httpx.AsyncClient, name: str, status: int) -> None:
    body = {"name": "大米 5kg", "points": 90, "unit": "袋", "monthly_limit": 2}
    answer = await client.post(f"{API}/goods", json=body, headers=await town.sign_in(name))
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["stock"] == []
        again = await client.post(f"{API}/goods", json=body, headers=await town.sign_in(name))
        assert (again.status_code, again.json()["code"]) == (409, "good_name_taken")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "大米", "points": 0},
        {"name": "大米", "points": 10**12},
        {"name": "大\x00米", "points": 5},
        {"name": "米" * 61, "points": 5},
        {"name": "", "points": 5},
        {"name": "大米", "points": 5, "monthly_limit": 0},
        {"name": "大米", "points": 5, "colour": "red"},
    ],
)
async def test_a_good_out_of_bounds_is_refused(town: Town, client: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await client.post(f"{API}/goods", json=body, headers=await town.sign_in("赵丽"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_a_name_of_blanks_is_no_name(town: Town, client: httpx.AsyncClient) -> None:
    body = {"name": "  \u200b ", "points": 5}
    answer = await client.post(f"{API}/goods", json=body, headers=await town.sign_in("赵丽"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_an_ended_good_leaves_the_list_and_comes_back(town: Town, client: httpx.AsyncClient) -> None:
    admin, path = await town.sign_in("赵丽"), f"{API}/goods/{town.goods['香皂']}"
    assert (await client.patch(path, json={"active": False}, headers=await town.sign_in("周敏"))).status_code == 403
    changed = await client.patch(path, json={"active": False, "monthly_limit": None}, headers=admin)
    assert (changed.json()["active"], changed.json()["monthly_limit"]) == (False, None)
    names = [g["name"] for g in (await client.get(f"{API}/goods", headers=admin)).json()["items"]]
    assert "香皂" not in names
    names = [g["name"] for g in (await client.get(f"{API}/goods?with_ended=true", headers=admin)).json()["items"]]
    assert "香皂" in names
    refused = await reserve(client, town, "张桂兰", "香皂")
    assert (refused.status_code, refused.json()["code"]) == (422, "good_not_offered_here")


async def test_a_price_changes_for_later_reservations_only(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 100)
    first = (await reserve(client, town, "张桂兰", "香皂")).json()
    path = f"{API}/goods/{town.goods['香皂']}"
    await client.patch(path, json={"points": 20}, headers=await town.sign_in("赵丽"))
    second = (await reserve(client, town, "张桂兰", "香皂")).json()
    assert (first["points"], second["points"]) == (8, 20)


async def test_a_keeper_receives_goods_at_the_own_station_only(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    path = f"{API}/goods/{town.goods['香皂']}/receipts"
    here, there = (
        {"station_id": str(town.stations[s]), "quantity": 7, "note": "街道送来"} for s in ("暖蜂驿站", "慈善超市")
    )
    assert (await client.post(path, json=here, headers=await town.sign_in("张桂兰"))).status_code == 403
    assert (await client.post(path, json=there, headers=await town.sign_in("周敏"))).status_code == 403
    assert (await client.post(path, json=here, headers=await town.sign_in("马涛"))).status_code == 404
    keeper = await town.sign_in("周敏") | {"Idempotency-Key": "received-once"}
    first = await client.post(path, json=here, headers=keeper)
    again = await client.post(path, json=here, headers=keeper)
    assert (first.status_code, first.json()["quantity"]) == (201, 57)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert await stock_of(owner, town, "香皂") == 57


async def test_a_count_includes_what_is_reserved(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 100)
    await reserve(client, town, "张桂兰", "香皂", 3)
    path, keeper = f"{API}/goods/{town.goods['香皂']}/counts", await town.sign_in("周敏")
    body = {"station_id": str(town.stations["暖蜂驿站"]), "counted": 2}
    refused = await client.post(path, json=body, headers=keeper)
    assert (refused.status_code, refused.json()["code"]) == (422, "counted_below_reserved")
    counted = await client.post(path, json=body | {"counted": 45}, headers=keeper)
    assert (counted.status_code, counted.json()["quantity"]) == (201, 42)
    assert await stock_of(owner, town, "香皂") == 42


async def test_a_station_that_receives_a_good_begins_to_offer_it(town: Town, owner: asyncpg.Connection) -> None:
    left = await stock.receive(await town.scope("赵丽"), town.goods["香皂"], town.stations["慈善超市"], 4)
    assert left.quantity == 4
    assert await stock_of(owner, town, "香皂", "慈善超市") == 4


async def test_a_photo_is_drawn_anew_without_what_the_camera_wrote(town: Town, client: httpx.AsyncClient) -> None:
    path, admin = f"{API}/goods/{town.goods['香皂']}/photo", await town.sign_in("赵丽")
    upload = {"photo": ("soap.jpg", taken_by_phone(), "image/jpeg")}
    assert (await client.put(path, files=upload, headers=await town.sign_in("周敏"))).status_code == 403
    shown = (await client.put(path, files=upload, headers=admin)).json()["photo"]
    stored = await client.get(shown, headers=await town.sign_in("张桂兰"))
    assert (stored.headers["content-type"], stored.headers["cache-control"]) == ("image/webp", "private, max-age=86400")
    with Image.open(io.BytesIO(stored.content)) as drawn:
        assert (drawn.format, drawn.size, dict(drawn.getexif())) == ("WEBP", (600, 800), {})
    assert b"Camera" not in stored.content
    assert (await client.get(shown)).status_code == 401
    later = (await client.put(path, files={"photo": ("s.png", picture(kind="PNG"))}, headers=admin)).json()["photo"]
    assert later != shown


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"GIF89a" + bytes(200), picture()[:300], picture(kind="PNG")[:900]]
)
async def test_what_is_no_photo_is_refused(town: Town, client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.put(
        f"{API}/goods/{town.goods['香皂']}/photo", files={"photo": ("x.jpg", content)},
        headers=await town.sign_in("赵丽"),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) in {(422, "not_a_photo"), (400, "bad_request")}


async def test_a_picture_that_would_unfold_into_too_much_is_refused(town: Town, client: httpx.AsyncClient) -> None:
    assert len(bomb()) < 100_000
    path, admin = f"{API}/goods/{town.goods['香皂']}/photo", await town.sign_in("赵丽")
    answer = await client.put(path, files={"photo": ("x.png", bomb())}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) in {(413, "photo_too_large"), (422, "not_a_photo")}
    big = await client.put(path, files={"photo": ("x.jpg", bytes(UPLOAD_BYTES_MAX + 1))}, headers=admin)
    assert (big.status_code, big.json()["code"]) == (413, "photo_too_large")


async def test_an_admin_of_another_community_changes_nothing_here(town: Town, client: httpx.AsyncClient) -> None:
    path, stranger = f"{API}/goods/{town.goods['香皂']}", await town.sign_in("何静")
    assert (await client.patch(path, json={"points": 1}, headers=stranger)).status_code == 404
    here = stranger | {"X-Community-Id": str(town.community)}
    assert (await client.patch(path, json={"points": 1}, headers=here)).status_code == 404
    assert town.communities[SPRING] != town.community
