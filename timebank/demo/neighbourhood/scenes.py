"""Drawings that stand for the photos of matters: what was found, and the same place afterwards."""

import io
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 800, 600
Colour = tuple[int, int, int]
WALL, FLOOR, DARK, PAPER, GREEN, METAL = (
    (222, 216, 204), (168, 160, 148), (70, 74, 78), (206, 176, 128), (96, 142, 88), (126, 132, 138),
)  # fmt: skip
PLATE = (520, 452, 150, 42)
"""Where the number plate of the electric bike is, as x, y, width and height."""

Pen = ImageDraw.ImageDraw


def _room(pen: Pen) -> None:
    pen.rectangle((0, 0, WIDTH, 420), WALL)
    pen.rectangle((0, 420, WIDTH, HEIGHT), FLOOR)
    for step in range(5):
        pen.rectangle((40 + step * 34, 400 - step * 44, 260, 420 - step * 44), (188, 182, 172))


def _bike(pen: Pen) -> None:
    for x in (470, 690):
        pen.ellipse((x - 62, 440, x + 62, 564), outline=DARK, width=14)
    pen.line((470, 502, 560, 380, 690, 502), fill=(46, 92, 140), width=18)
    pen.line((560, 380, 540, 320, 500, 316), fill=DARK, width=12)
    x, y, width, height = PLATE
    pen.rectangle((x, y, x + width, y + height), (250, 250, 250), DARK, 4)
    pen.text((x + 16, y + 8), "QJ 05 218", fill=(20, 90, 60), font_size=24)


def _boxes(pen: Pen) -> None:
    for left, top in ((300, 360), (300, 250), (400, 380), (90, 470)):
        pen.rectangle((left, top, left + 120, top + 110), PAPER, (150, 120, 80), 5)
        pen.line((left + 60, top, left + 60, top + 110), fill=(150, 120, 80), width=6)


def _yard(pen: Pen) -> None:
    pen.rectangle((0, 0, WIDTH, 300), (188, 206, 220))
    pen.rectangle((0, 300, WIDTH, HEIGHT), (150, 152, 150))
    for x in range(60, WIDTH, 190):
        pen.rectangle((x - 8, 200, x + 8, 300), (110, 84, 60))
        pen.ellipse((x - 60, 90, x + 60, 220), GREEN)


def _heap(pen: Pen) -> None:
    for number in range(14):
        left, top = 250 + number * 41 % 300, 380 + number * 67 % 120
        pen.rectangle((left, top, left + 90, top + 50), ((150, 120, 96), METAL, PAPER)[number % 3], DARK, 3)


def _cover(pen: Pen, *, whole: bool) -> None:
    pen.ellipse((270, 370, 530, 530), (40, 40, 42))
    shift = 0 if whole else 70
    pen.ellipse((270 + shift, 370 - shift // 3, 530 + shift, 530 - shift // 3), METAL, DARK, 8)
    for line in range(3):
        y = 415 + line * 35 - shift // 3
        pen.line((320 + shift, y, 480 + shift, y), fill=DARK, width=6)


def _seat(pen: Pen, *, whole: bool) -> None:
    pen.line((280, 520, 280, 410), fill=DARK, width=16)
    pen.line((540, 520, 540, 410), fill=DARK, width=16)
    pen.line((250, 410, 570, 410 if whole else 500), fill=(150, 104, 62), width=26)
    pen.line((250, 340, 570, 340), fill=(150, 104, 62), width=22)


def _door(pen: Pen, *, clean: bool) -> None:
    pen.rectangle((250, 60, 550, 540), (98, 116, 124), DARK, 8)
    pen.ellipse((500, 300, 526, 326), (220, 200, 120))
    for number in range(0 if clean else 9):
        left, top = 280 + number * 83 % 200, 90 + number * 59 % 380
        pen.rectangle((left, top, left + 66, top + 44), ((250, 240, 140), (250, 200, 190), (255, 255, 255))[number % 3])


SCENES: dict[str, tuple[Callable[[Pen], None], ...]] = {
    "stairwell": (_room, _boxes, _bike), "stairwell.after": (_room, _bike),
    "rubbish": (_yard, _heap), "rubbish.after": (_yard,),
    "manhole": (_yard, lambda pen: _cover(pen, whole=False)),
    "manhole.after": (_yard, lambda pen: _cover(pen, whole=True)),
    "facilities": (_yard, lambda pen: _seat(pen, whole=False)),
    "facilities.after": (_yard, lambda pen: _seat(pen, whole=True)),
    "adverts": (_room, lambda pen: _door(pen, clean=False)),
    "adverts.after": (_room, lambda pen: _door(pen, clean=True)),
    "charging": (_room, _bike),
}  # fmt: skip


@cache
def scene(name: str) -> bytes:
    """A scene as JPEG; that of a category, or `CATEGORY.after`."""
    image = Image.new("RGB", (WIDTH, HEIGHT), WALL)
    for draw in SCENES[name]:
        draw(ImageDraw.Draw(image))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()
