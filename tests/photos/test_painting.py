"""What is painted over before a picture is sent is in nothing that is stored; what cannot be painted is refused."""

import io
import json
from typing import Any

import asyncpg
import httpx
import pytest
from PIL import ExifTags, Image

from tests.deeds.test_deeds import filed
from tests.gallery import ROOT
from tests.support.pictures import photos_in, picture
from tests.support.shop import API
from tests.support.town import Town
from timebank.core.errors import Invalid
from timebank.photos.attaching import attach
from timebank.photos.drawing import SIDE_MAX, draw_anew
from timebank.photos.keeping import keep
from timebank.photos.painting import read_painting, scaled
from timebank.photos.schemas import BOXES_MAX, Box, Painting
from timebank.photos.seeing import read_photo

TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How a camera that is held in each way turns what is upright."""
PAINT = {"size": [64, 48], "boxes": [[10, 10, 20, 10]]}


def seen(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as photo:
        return photo.convert("RGB")


def brightest(part: Image.Image) -> int:
    """The highest value of any pixel's red, green or blue."""
    return max(part.tobytes())


def night(size: tuple[int, int], plate: Box, way: int, kind: str) -> bytes:
    """A black night with one white plate, taken by a camera that is held in this way."""
    upright = Image.new("RGB", size, "black")
    x, y, width, height = plate
    upright.paste("white", (x, y, x + width, y + height))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = way
    out = io.BytesIO()
    (upright.transpose(TURNED[way]) if way in TURNED else upright).save(out, kind, exif=exif, quality=98)
    return out.getvalue()


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "size", "plate"),
    [
        ("PNG", (1700, 90), (333, 31, 222, 40)), ("PNG", (3200, 60), (400, 20, 200, 20)),
        ("PNG", (160, 2750), (47, 1001, 41, 333)), ("PNG", (90, 41), (51, 0, 39, 41)),
        ("JPEG", (4000, 128), (1216, 32, 592, 48)), ("JPEG", (128, 96), (0, 0, 32, 16)),
    ],
)  # fmt: skip
async def test_nothing_of_a_painted_plate_is_left_however_the_phone_was_held(
    kind: str, size: tuple[int, int], plate: Box, way: int
) -> None:
    """Up to its edge, where a smaller picture mixes neighbours. A JPEG's plate stands on blocks of 16 points."""
    content = night(size, plate, way, kind)
    assert brightest(seen((await draw_anew(content, SIDE_MAX)).content)) > 200, "there is a plate to be painted over"
    drawn = seen((await draw_anew(content, SIDE_MAX, Painting(size=size, boxes=[plate]))).content)
    assert brightest(drawn) < 5
    assert max(drawn.size) == min(max(size), SIDE_MAX)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
async def test_what_is_painted_over_in_a_transparent_picture_is_black_and_not_transparent(mode: str) -> None:
    clear = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    out = io.BytesIO()
    clear.convert(mode).save(out, "PNG", **({"transparency": 0} if mode == "P" else {}))
    drawn = await draw_anew(out.getvalue(), SIDE_MAX, Painting(size=(60, 40), boxes=[(10, 10, 30, 20)]))
    with Image.open(io.BytesIO(drawn.content)) as photo:
        painted = photo.convert("RGBA").crop((12, 12, 38, 28))
        assert photo.convert("RGBA").getpixel((2, 2))[3] == 0  # type: ignore[index]  # four channels
    assert brightest(painted.convert("RGB")) < 40
    assert min(painted.getchannel("A").tobytes()) == 255


async def test_only_what_was_painted_is_black() -> None:
    content = picture((3200, 2400), colour="#FF0000")
    drawn = seen((await draw_anew(content, SIDE_MAX, Painting(size=(800, 600), boxes=[(200, 150, 200, 150)]))).content)
    red = drawn.getchannel("R")
    assert brightest(red.crop((400, 300, 800, 600))) < 40
    for around in ((0, 0, 1600, 290), (0, 610, 1600, 1200), (0, 0, 390, 1200), (810, 0, 1600, 1200)):
        assert min(red.crop(around).tobytes()) > 200


@pytest.mark.parametrize(
    ("marked_in", "box", "size", "spread", "painted"),
    [
        ((1600, 1200), (10, 20, 30, 40), (1600, 1200), 0, (10, 20, 30, 40)),
        ((1600, 1200), (10, 20, 30, 40), (1600, 1200), 1, (9, 19, 32, 42)),
        ((4000, 3000), (1001, 502, 3, 3), (1600, 1200), 0, (400, 200, 2, 2)),
        ((4000, 3000), (0, 0, 1, 1), (1600, 1200), 1, (0, 0, 2, 2)),
        ((300, 225), (299, 224, 1, 1), (1600, 1200), 0, (1594, 1194, 6, 6)),
        ((300, 225), (100, 100, 9000, 9000), (1600, 1200), 0, (533, 533, 48_001, 48_001)),
        ((9000, 2), (0, 0, 9000, 1), (1600, 1), 0, (0, 0, 1600, 1)),
    ],
)  # fmt: skip
def test_rectangles_are_scaled_outward(
    marked_in: tuple[int, int], box: Box, size: tuple[int, int], spread: int, painted: Box
) -> None:
    assert scaled(Painting(size=marked_in, boxes=[box]), size, spread=spread) == [painted]


@pytest.mark.parametrize(
    ("marked_in", "box"),
    [
        ((480, 640), (0, 0, 10, 10)), ((640, 240), (0, 0, 10, 10)), ((640, 480), (640, 0, 10, 10)),
        ((320, 240), (0, 240, 10, 10)),
    ],
)  # fmt: skip
async def test_a_painting_of_another_picture_is_refused_and_nothing_is_kept(
    town: Town, marked_in: tuple[int, int], box: Box
) -> None:
    """Lying on its side, of another shape, or beginning outside."""
    with pytest.raises(Invalid):
        await keep(await town.scope("李秀英"), picture((640, 480)), SIDE_MAX, Painting(size=marked_in, boxes=[box]))
    assert await photos_in(town.system()) == set()


def test_an_empty_field_paints_nothing() -> None:
    assert (read_painting(""), read_painting(" ")) == (None, None)


async def test_a_photo_painted_before_it_is_sent_counts_as_painted(town: Town, owner: asyncpg.Connection) -> None:
    head, deed = await town.scope("李秀英"), await filed(town)
    painting = Painting(size=(64, 48), boxes=[(1, 1, 9, 9), (20, 1, 9, 9)])
    painted = await keep(head, picture((64, 48)), SIDE_MAX, painting)
    plain = await keep(head, picture((64, 48)), SIDE_MAX)
    told = await owner.fetchrow("SELECT noun, noun_id, change, person_id FROM audit WHERE verb = 'paint_photo'")
    assert told is not None
    assert tuple(told.values()) == ("photo", painted.id, '{"boxes": 2}', head.person_id)
    assert (await attach(head, "deed", deed.id, painted.id, "proof")).painted_at is not None
    assert (await attach(head, "deed", deed.id, plain.id, "proof")).painted_at is None


async def test_a_picture_is_sent_with_its_boxes_over_http(town: Town, client: httpx.AsyncClient) -> None:
    head = await town.sign_in("李秀英")
    sent = {"photo": ("照片.jpg", picture((64, 48), "PNG", "#FF0000"), "image/png")}
    answer = await client.post(f"{API}/photos", data={"boxes": json.dumps(PAINT)}, files=sent, headers=head)
    assert answer.status_code == 201, answer.text
    photo = seen(await read_photo(await town.scope("李秀英"), answer.json()["id"]))
    assert brightest(photo.crop((11, 11, 29, 19))) < 40
    assert brightest(photo.crop((40, 30, 60, 40))) > 200
    assert (await client.post(f"{API}/photos", data={"boxes": ""}, files=sent, headers=head)).status_code == 201


@pytest.mark.parametrize(
    "marked",
    [
        "x", "null", "[]", "{}", "[" * 5000, "[[10,10,20,10]]", '{"size":[64,48],"boxes":[]}',
        '{"size":[0,48],"boxes":[[1,1,1,1]]}', '{"size":[64,48],"boxes":[[1,1,0,1]]}',
        '{"size":[64,48],"boxes":[[-1,1,1,1]]}', '{"size":[64,48],"boxes":[[1,1,1]]}',
        '{"size":[64,48],"boxes":[[1.5,1,1,1]]}', '{"size":[64,48],"boxes":[[1,1,1,1e99]]}',
        '{"size":[64,48],"boxes":[[1,1,1,1]],"blur":true}', '{"size":[64,48],"boxes":[[64,1,1,1]]}',
        '{"size":[48,64],"boxes":[[1,1,1,1]]}',
        json.dumps({"size": [64, 48], "boxes": [[1, 1, 2, 2]] * (BOXES_MAX + 1)}),
    ],
)  # fmt: skip
async def test_boxes_that_cannot_be_painted_are_refused_in_words_and_no_picture_is_kept(
    town: Town, client: httpx.AsyncClient, marked: str
) -> None:
    head = await town.sign_in("李秀英")
    sent = {"photo": ("照片.jpg", picture((64, 48)), "image/jpeg")}
    answer = await client.post(f"{API}/photos", data={"boxes": marked}, files=sent, headers=head)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "涂盖的框" in answer.json()["detail"]
    assert await photos_in(town.system()) == set()


async def test_boxes_that_are_no_one_text_are_refused_by_every_form(town: Town, client: httpx.AsyncClient) -> None:
    """Sent as a file or twice, they would be easy to overlook."""
    head, deed = await town.sign_in("李秀英"), (await filed(town)).id
    photo: tuple[str, Any] = ("photo", ("照片.jpg", picture((64, 48)), "image/jpeg"))
    marked = json.dumps(PAINT)
    as_file = [photo, ("boxes", ("boxes.json", marked, "application/json"))]
    twice = [photo, ("boxes", (None, marked, "text/plain")), ("boxes", (None, marked, "text/plain"))]
    for path, refused in ((f"{API}/photos", 400), ("/deeds/new", 422), (f"/deeds/{deed}/photos", 400)):
        for sent in (as_file, twice):
            answer = await client.post(path, files=sent, headers=head)
            assert answer.status_code == refused, (path, answer.text)
            assert refused == 400 or "涂盖的框" in answer.text
    assert await photos_in(town.system()) == set()


def test_every_form_that_sends_a_photo_lets_it_be_painted_over_first() -> None:
    """A field for pictures stands in one macro, which brings the boxes; goods of the shop are shown to everybody."""
    own = {
        path.name
        for folder in (ROOT / "timebank", ROOT / "admin")
        for path in folder.glob("**/templates/**/*.html")
        if "image/jpeg" in path.read_text("utf-8")
    }
    assert own == {"photo_parts.html", "good.html"}
