"""Photos of deeds over HTTP and on the pages: anonymous, wrong owner, invalid, good, repeated."""

import io
import re
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.deeds.test_deeds import MORNING, filed
from tests.deeds.test_deeds_api import body_of
from tests.support.pictures import bomb, kept_by, photos_in, picture, taken_by_phone
from tests.support.shop import API, browser
from tests.support.town import Town
from timebank.core import clock
from timebank.http.callers import csrf_token

PHOTOS = f"{API}/photos"
KEY = {"Idempotency-Key": "photo-1"}


def upload(content: bytes) -> dict[str, Any]:
    return {"photo": ("照片.jpg", content, "image/jpeg")}


async def uploaded(client: httpx.AsyncClient, headers: dict[str, str], content: bytes = b"") -> str:
    answer = await client.post(PHOTOS, files=upload(content or picture((64, 48))), headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def proved(client: httpx.AsyncClient, town: Town, headers: dict[str, str]) -> tuple[str, str]:
    """A deed of the head with these headers, and the photo that proves it."""
    deed, photo = (await filed(town)).id, await uploaded(client, headers)
    answer = await client.post(f"{API}/deeds/{deed}/photos", json={"photo_id": photo}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(deed), photo


async def test_uploading_over_http(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.post(PHOTOS, files=upload(picture()))).status_code == 401
    head = await town.sign_in("李秀英")
    answer = await client.post(PHOTOS, files=upload(taken_by_phone((3000, 2000))), headers=head)
    assert answer.status_code == 201
    assert (answer.json()["width"], answer.json()["height"]) == (1067, 1600)
    again = await client.post(PHOTOS, files=upload(taken_by_phone((3000, 2000))), headers=head)
    assert again.json()["id"] != answer.json()["id"]
    photo = await client.get(f"{PHOTOS}/{answer.json()['id']}", headers=head)
    assert (photo.headers["content-type"], photo.headers["cache-control"]) == ("image/webp", "private, no-store")
    with Image.open(io.BytesIO(photo.content)) as stored:
        assert (stored.format, dict(stored.getexif())) == ("WEBP", {})


async def test_an_upload_that_is_no_photo_is_refused_in_words(town: Town, client: httpx.AsyncClient) -> None:
    head = await town.sign_in("李秀英")
    for content, status, code in (
        (b"no picture", 422, "not_a_photo"), (bomb(), 413, "photo_too_large"),
        (bytes(5 * 1024 * 1024 + 1), 413, "photo_too_large"),
    ):  # fmt: skip
        answer = await client.post(PHOTOS, files=upload(content), headers=head)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await client.post(PHOTOS, headers=head)).status_code == 400
    assert await photos_in(town.system()) == set()


async def test_attaching_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head, deed = await town.sign_in("李秀英"), (await filed(town)).id
    path = f"{API}/deeds/{deed}/photos"
    first = {"photo_id": await uploaded(client, head)}
    assert (await client.post(path, json=first)).status_code == 401
    for name, status in (("马涛", 404), ("张国庆", 404), ("陈明", 403)):
        assert (await client.post(path, json=first, headers=await town.sign_in(name))).status_code == status
    for wrong in ({}, {"photo_id": "1"}, first | {"stage": "proof"}):
        assert (await client.post(path, json=wrong, headers=head)).status_code == 400
    assert (await client.post(path, json={"photo_id": str(clock.new_id())}, headers=head)).status_code == 404
    made = await client.post(path, json=first, headers=head | KEY)
    assert (made.status_code, made.json()["stage"], made.json()["photo_id"]) == (201, "proof", first["photo_id"])
    again = await client.post(path, json=first, headers=head | KEY)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (made.json(), "true")
    assert (await client.post(path, json=first, headers=head)).json() == made.json(), "without a key as well"
    for _ in range(2):
        await client.post(path, json={"photo_id": await uploaded(client, head)}, headers=head)
    fourth = await client.post(path, json={"photo_id": await uploaded(client, head)}, headers=head)
    assert (fourth.status_code, fourth.json()["code"]) == (422, "too_many_photos")
    listed = await client.get(path, headers=await town.sign_in("陈明"))
    assert (len(listed.json()), listed.json()[0]["photo_id"]) == (3, first["photo_id"])
    for name in ("马涛", "张国庆"):
        assert (await client.get(path, headers=await town.sign_in(name))).status_code == 404
    assert (await client.get(path)).status_code == 401


async def test_filing_with_photos_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head = await town.sign_in("李秀英")
    photos = [await uploaded(client, head) for _ in range(4)]
    many = await client.post(f"{API}/deeds", json=body_of(town, photo_ids=photos), headers=head)
    assert (many.status_code, many.json()["code"]) == (422, "too_many_photos")
    made = await client.post(f"{API}/deeds", json=body_of(town, photo_ids=photos[:3]), headers=head | KEY)
    assert made.status_code == 201
    again = await client.post(f"{API}/deeds", json=body_of(town, photo_ids=photos[:3]), headers=head | KEY)
    assert again.json() == made.json()
    listed = await client.get(f"{API}/deeds/{made.json()['id']}/photos", headers=head)
    assert [each["photo_id"] for each in listed.json()] == photos[:3]
    assert (await client.get(listed.json()[0]["url"], headers=head)).status_code == 200


@pytest.mark.parametrize("name", ["马涛", "何静", "张国庆", "周敏"])
async def test_a_photo_is_not_there_for_whoever_may_not_see_the_deed(
    town: Town, client: httpx.AsyncClient, name: str
) -> None:
    _, photo = await proved(client, town, await town.sign_in("李秀英"))
    headers = await town.sign_in(name)
    here = headers | {"X-Community-Id": str(town.community)}
    for sent in (headers, here):
        assert (await client.get(f"{PHOTOS}/{photo}", headers=sent)).status_code == 404
        boxes = {"boxes": [[0, 0, 9, 9]]}
        assert (await client.put(f"{PHOTOS}/{photo}/paint", json=boxes, headers=sent)).status_code == 404
        asked = await client.post(f"{PHOTOS}/{photo}/publication", json={"cleared": True}, headers=sent)
        assert asked.status_code == 404
    assert (await client.get(f"{PHOTOS}/{photo}")).status_code == 401


async def test_painting_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head = await town.sign_in("李秀英")
    deed, photo = await proved(client, town, head)
    path, boxes = f"{PHOTOS}/{photo}/paint", {"boxes": [[10, 10, 20, 20]]}
    assert (await client.put(path, json=boxes)).status_code == 401
    assert (await client.put(path, json=boxes, headers=await town.sign_in("孙伟"))).status_code == 403
    for wrong in ([], [[1, 2, 3]], [[0, 0, 0, 5]], [[-1, 0, 5, 5]], [[0, 0, 5, 5]] * 41, None):
        assert (await client.put(path, json={"boxes": wrong}, headers=head)).status_code == 400
    outside = await client.put(path, json={"boxes": [[5000, 0, 5, 5]]}, headers=head)
    assert (outside.status_code, outside.json()["code"]) == (422, "invalid")
    painted = await client.put(path, json=boxes, headers=head | KEY)
    assert (painted.status_code, painted.json()["width"]) == (200, 64)
    again = await client.put(path, json=boxes, headers=head | KEY)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (painted.json(), "true")
    assert (await client.put(path, json=boxes, headers=head)).status_code == 404, "the photo before is gone"
    assert (await client.get(f"{PHOTOS}/{photo}", headers=head)).status_code == 404
    (listed,) = (await client.get(f"{API}/deeds/{deed}/photos", headers=head)).json()
    assert listed["photo_id"] == painted.json()["id"]


async def test_taking_a_photo_back_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head = await town.sign_in("李秀英")
    deed, photo = await proved(client, town, head)
    path = f"{PHOTOS}/{photo}"
    assert (await client.delete(path)).status_code == 401
    for name, status in (("马涛", 404), ("张国庆", 404), ("陈明", 403), ("孙伟", 403)):
        assert (await client.delete(path, headers=await town.sign_in(name))).status_code == status
    assert (await client.delete(f"{PHOTOS}/1", headers=head)).status_code == 404
    assert (await client.delete(path, headers=head)).status_code == 204
    assert (await client.delete(path, headers=head)).status_code == 404
    assert (await client.get(f"{API}/deeds/{deed}/photos", headers=head)).json() == []


async def test_publishing_over_http(town: Town, client: httpx.AsyncClient) -> None:
    _, photo = await proved(client, town, await town.sign_in("李秀英"))
    path, worker, neighbour = f"{PHOTOS}/{photo}/publication", await town.sign_in("陈明"), await town.sign_in("张国庆")
    assert (await client.post(path, json={"cleared": True})).status_code == 401
    head = await client.post(path, json={"cleared": True}, headers=await town.sign_in("李秀英"))
    assert head.status_code == 403
    assert (await client.post(path, json={}, headers=worker)).status_code == 400
    refused = await client.post(path, json={"cleared": False}, headers=worker)
    assert (refused.status_code, refused.json()["code"]) == (422, "photo_not_cleared")
    assert (await client.get(f"{PHOTOS}/{photo}", headers=neighbour)).status_code == 404
    published = await client.post(path, json={"cleared": True}, headers=worker)
    assert (published.status_code, bool(published.json()["published_at"])) == (200, True)
    again = await client.post(path, json={"cleared": True}, headers=worker)
    assert again.json() == published.json()
    assert (await client.get(f"{PHOTOS}/{photo}", headers=neighbour)).status_code == 200
    assert (await client.get(f"{PHOTOS}/{photo}", headers=await town.sign_in("马涛"))).status_code == 404


async def test_a_head_files_with_a_photo_paints_it_and_the_reviewer_publishes_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    phone = await browser(client, town, "李秀英")
    fields = {name: value for name, value in body_of(town).items() if value} | {"_key": "form-1"}
    sent = fields | {"_csrf": csrf_token(phone.token)}
    for _ in range(2):  # the answer to the first got lost
        answer = await client.post("/deeds/new", data=sent, files=upload(picture((90, 60))), headers=phone.headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/deeds?done=filed")
    listed = await phone.see("/deeds")
    (deed,) = set(re.findall(r'href="(/deeds/[0-9a-f-]{36})"', listed))
    (photo,) = set(re.findall(r'href="(/photos/[0-9a-f-]{36})"', await phone.see(deed)))
    shown = await phone.see(photo)
    assert "涂好了" in shown
    assert "公开这张照片" not in shown
    untouched = await phone.send(f"{photo}/paint", boxes="")
    assert untouched.headers["location"] == deed
    for wrong in ("x", "[[1,2,3]]", "[]", '[["a",1,2,3]]', "[[900,900,5,5]]", "[" * 5000):
        assert (await phone.send(f"{photo}/paint", boxes=wrong)).status_code == 422
    painted = await phone.send(f"{photo}/paint", boxes="[[0,0,40,40]]")
    address = painted.headers["location"].removesuffix("?done=painted")
    assert address != photo
    assert "已涂掉，原来的照片没有留下。" in await phone.see(painted.headers["location"])

    panel = await browser(client, town, "陈明")
    assert f'href="{address}"' in await panel.see(f"/admin{deed}")
    assert "公开这张照片" in await panel.see(address)
    refused = await panel.send(f"{address}/publication")
    assert refused.status_code == 422
    assert "没有人脸、车牌、门牌" in refused.text
    for _ in range(2):
        assert (await panel.send(f"{address}/publication", cleared="true")).status_code == 303
    assert "公开这张照片" not in await panel.see(address)
    neighbour = await browser(client, town, "张国庆")
    assert "涂好了" not in await neighbour.see(address)
    await panel.send(f"/admin{deed}/review", decision="approve", note="", _key="review-1")
    board = await neighbour.see(f"/board/{town.community}/deed/{deed.rpartition('/')[2]}")
    assert f'href="{address}"' in board


async def test_photos_are_added_on_the_deeds_page_until_there_are_three(town: Town, client: httpx.AsyncClient) -> None:
    phone, deed = await browser(client, town, "李秀英"), (await filed(town)).id
    path, known = f"/deeds/{deed}/photos", {"_csrf": csrf_token(phone.token)}

    async def add(content: bytes, number: int) -> httpx.Response:
        return await client.post(
            path, data=known | {"_key": f"add-{number}"}, files=upload(content), headers=phone.headers
        )

    assert (await add(b"no picture", 0)).status_code == 422
    answers = [await add(picture((64, 48)), number) for number in (1, 1, 2, 3)]
    assert {answer.status_code for answer in answers} == {303}
    photos = [answer.headers["location"] for answer in answers]
    assert {photo.rpartition("/")[0] for photo in photos} == {"/photos"}
    shown = await phone.see(f"/deeds/{deed}")
    assert len(set(re.findall(r'href="(/photos/[0-9a-f-]{36})"', shown))) == 3
    assert f'action="{path}"' not in shown, "there is no form for a fourth"
    fourth = await add(picture((64, 48)), 4)
    assert (fourth.status_code, "最多放 3 张照片" in fourth.text) == (422, True)
    assert "删掉这张照片" in await phone.see(photos[-1])
    gone = await phone.send(f"{photos[-1]}/removal")
    assert (gone.status_code, gone.headers["location"]) == (303, f"/deeds/{deed}")
    assert (await phone.send(f"{photos[-1]}/removal")).status_code == 404
    assert (await add(picture((64, 48)), 5)).status_code == 303
    stranger = await browser(client, town, "马涛")
    sent = {"_csrf": csrf_token(stranger.token)}
    answer = await client.post(path, data=sent, files=upload(picture((64, 48))), headers=stranger.headers)
    assert answer.status_code == 404


async def test_a_photo_that_nothing_has_any_more_is_gone_from_its_page(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        photo = await kept_by(town, "李秀英")
    phone = await browser(client, town, "李秀英")
    assert (await phone.send(f"/photos/{clock.new_id()}/paint", boxes="[[0,0,5,5]]")).status_code == 404
    assert "涂好了" in await phone.see(f"/photos/{photo}")
