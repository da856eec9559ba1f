"""Drawings of the demo's goods: plain shapes, clear at the size of a tile."""

import io
from collections.abc import Callable
from functools import cache
from math import cos, pi, sin

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 960, 640
FINER = 3
"""Drawn at three times the size and reduced, so that edges are smooth."""
Point = tuple[float, float]
Colour = tuple[int, int, int]

WHITE, CREAM, INK = (255, 255, 255), (250, 244, 230), (47, 62, 70)
JADE, AMBER, RED, BLUE = (15, 118, 110), (217, 119, 6), (200, 62, 60), (58, 110, 178)


class Sheet:
    """A sheet of 960 by 640 with a background and the shadow on which a good stands."""

    def __init__(self, ground: Colour, shadow: float, floor: float = 572) -> None:
        self.image = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), ground)
        darker = Image.new("RGB", self.image.size, tuple(int(part * 0.82) for part in ground))
        where = Image.new("L", (WIDTH, HEIGHT), 0)  # blurred before it is enlarged, which is many times quicker
        left, right = (WIDTH - shadow) / 2, (WIDTH + shadow) / 2
        ImageDraw.Draw(where).ellipse((left, floor - 27, right, floor + 27), fill=255)
        soft = where.filter(ImageFilter.GaussianBlur(9)).resize(self.image.size, Image.Resampling.BILINEAR)
        self.image.paste(darker, mask=soft)
        self.pen = ImageDraw.Draw(self.image)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, round_: float = 0) -> None:
        self.pen.rounded_rectangle(_scaled((left, top, right, bottom)), round_ * FINER, fill=fill)

    def oval(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        self.pen.ellipse(_scaled((left, top, right, bottom)), fill=fill)

    def shape(self, fill: Colour, *points: Point) -> None:
        self.pen.polygon([(x * FINER, y * FINER) for x, y in points], fill=fill)

    def line(self, fill: Colour, width: float, *points: Point) -> None:
        """A line with round corners and ends."""
        self.pen.line([(x * FINER, y * FINER) for x, y in points], fill=fill, width=int(width * FINER), joint="curve")
        for x, y in (points[0], points[-1]):
            self.oval(x - width / 2, y - width / 2, x + width / 2, y + width / 2, fill)

    def arc(self, box: tuple[float, float, float, float], begin: float, end: float, fill: Colour, width: float) -> None:
        self.pen.arc(_scaled(box), begin, end, fill=fill, width=int(width * FINER))

    def jpeg(self) -> bytes:
        out = io.BytesIO()
        self.image.reduce(FINER).save(out, "JPEG", quality=90)
        return out.getvalue()


def _scaled(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left * FINER, top * FINER, right * FINER, bottom * FINER


def _drop(sheet: Sheet, x: float, y: float, size: float, fill: Colour) -> None:
    sheet.oval(x - size, y - size, x + size, y + size, fill)
    sheet.shape(fill, (x - size * 0.9, y - size * 0.45), (x, y - size * 2.3), (x + size * 0.9, y - size * 0.45))


def _oil() -> Sheet:
    s = Sheet((255, 243, 214), 380)
    gold, deep = (245, 183, 49), (226, 154, 22)
    s.box(438, 70, 522, 128, RED, 12)
    s.shape(gold, (440, 128), (520, 128), (610, 230), (350, 230))
    s.box(345, 205, 615, 575, gold, 40)
    s.box(345, 470, 615, 575, deep, 40)
    s.box(345, 470, 615, 520, deep)
    s.box(560, 235, 652, 385, gold, 40)
    s.box(590, 265, 624, 355, (255, 243, 214), 16)
    s.box(345, 300, 560, 470, WHITE, 18)
    _drop(s, 452, 410, 40, gold)
    s.box(366, 232, 384, 290, (255, 222, 140), 9)
    return s


def _rice() -> Sheet:
    s = Sheet((231, 240, 229), 430)
    s.shape(CREAM, (330, 150), (630, 150), (665, 560), (640, 580), (320, 580), (295, 560))
    s.box(330, 108, 630, 162, (222, 205, 170), 16)
    s.line((186, 160, 116), 10, (345, 140), (615, 140))
    s.shape(RED, (321, 250), (639, 250), (655, 450), (305, 450))
    for x, y, lean in ((430, 380, -14), (480, 350, 0), (530, 380, 14), (455, 420, -8), (505, 420, 8)):
        s.shape(WHITE, (x + lean, y - 52), (x + 17, y - 8), (x, y + 18), (x - 17, y - 8))
    s.line((230, 220, 195), 6, (330, 500), (630, 500))
    return s


def _tissues() -> Sheet:
    s = Sheet((222, 236, 246), 500)
    s.shape(WHITE, (400, 330), (420, 170), (470, 225), (510, 130), (545, 220), (590, 190), (570, 330))
    s.shape((228, 236, 244), (470, 225), (510, 130), (520, 330), (480, 330))
    s.shape((121, 173, 220), (250, 330), (330, 270), (630, 270), (710, 330))
    s.oval(390, 282, 570, 318, (72, 124, 178))
    s.shape(WHITE, (405, 302), (420, 200), (470, 240), (510, 160), (545, 240), (575, 215), (556, 302))
    s.shape((228, 236, 244), (470, 240), (510, 160), (518, 302), (482, 302))
    s.box(250, 326, 710, 572, BLUE, 22)
    s.box(250, 326, 710, 380, BLUE)
    for x in (330, 430, 530, 630):
        s.oval(x - 26, 422, x + 26, 474, (121, 173, 220))
        s.oval(x - 10, 438, x + 10, 458, WHITE)
    return s


def _soap() -> Sheet:
    s = Sheet((252, 231, 233), 480)
    s.oval(245, 470, 715, 590, (150, 200, 194))
    s.oval(265, 462, 695, 560, (190, 226, 221))
    s.box(290, 350, 670, 520, (226, 128, 142), 80)
    s.box(290, 330, 670, 490, (244, 163, 174), 78)
    s.box(350, 372, 610, 448, (250, 196, 203), 38)
    for x, y, r in ((330, 265, 40), (420, 205, 58), (535, 250, 36), (620, 190, 46), (500, 145, 24), (690, 280, 26)):
        s.oval(x - r, y - r, x + r, y + r, (209, 232, 244))
        s.oval(x - r * 0.86, y - r * 0.86, x + r * 0.86, y + r * 0.86, (236, 246, 251))
        s.oval(x - r * 0.5, y - r * 0.55, x - r * 0.1, y - r * 0.15, WHITE)
    return s


def _detergent() -> Sheet:
    s = Sheet((220, 233, 248), 400)
    s.box(405, 78, 515, 150, (32, 78, 140), 16)
    s.box(422, 145, 498, 190, BLUE, 6)
    s.shape(BLUE, (400, 180), (530, 180), (650, 270), (650, 560), (630, 580), (330, 580), (310, 560), (310, 290))
    s.box(545, 260, 618, 400, (220, 233, 248), 32)
    s.box(335, 330, 520, 530, WHITE, 22)
    s.oval(378, 372, 478, 472, (121, 197, 226))
    s.oval(398, 388, 432, 422, WHITE)
    s.oval(448, 452, 498, 502, (121, 197, 226))
    s.box(326, 300, 340, 420, (121, 173, 220), 7)
    return s


def _toothpaste() -> Sheet:
    s = Sheet((224, 243, 238), 560, 478)
    s.shape(WHITE, (205, 262), (600, 300), (600, 450), (205, 488))
    s.box(180, 255, 220, 495, (208, 218, 224), 8)
    s.shape(JADE, (220, 330), (600, 344), (600, 406), (220, 420))
    s.shape(RED, (220, 300), (600, 322), (600, 338), (220, 322))
    s.box(595, 310, 640, 440, (208, 218, 224), 8)
    s.box(638, 330, 740, 420, JADE, 14)
    for x in (662, 684, 706):
        s.line((10, 90, 84), 5, (x, 340), (x, 410))
    s.oval(272, 348, 328, 402, WHITE)
    s.line((226, 236, 240), 8, (230, 450), (560, 428))
    return s


def _umbrella() -> Sheet:
    s = Sheet((240, 234, 248), 260)
    s.line((120, 84, 60), 16, (480, 120), (480, 520))
    s.arc((400, 470, 496, 566), 0, 180, (120, 84, 60), 16)
    s.line((120, 84, 60), 14, (480, 92), (480, 120))
    parts = (JADE, (38, 150, 140), JADE, (38, 150, 140))
    edges = (190, 335, 480, 625, 770)
    top = [(480 + 290 * cos(pi + pi * n / 60), 350 + 245 * sin(pi + pi * n / 60)) for n in range(61)]
    s.shape(JADE, *top)
    for left, right, fill in zip(edges, edges[1:], parts, strict=False):
        s.shape(fill, *_rib(left), *reversed(_rib(right)))
        s.oval(left, 318, right, 382, (240, 234, 248))
    for edge in edges[1:-1]:
        s.line((12, 96, 90), 5, *_rib(edge))
    return s


def _rib(edge: float) -> list[Point]:
    """A rib of the umbrella from its top to its edge."""
    return [(480 + (edge - 480) * sin(pi * n / 40), 350 - 245 * cos(pi * n / 40)) for n in range(21)]


def _bags() -> Sheet:
    s = Sheet((233, 238, 226), 480)
    dark, mid, light = (58, 70, 66), (82, 98, 92), (112, 130, 122)
    s.shape(mid, (560, 300), (770, 350), (770, 560), (560, 560))
    s.line(light, 5, (650, 345), (650, 550))
    s.line(light, 5, (720, 362), (720, 550))
    s.box(300, 260, 620, 560, dark, 20)
    s.oval(220, 260, 400, 560, light)
    s.oval(242, 296, 378, 524, mid)
    s.oval(272, 346, 348, 474, (233, 222, 200))
    s.oval(290, 378, 330, 442, (180, 160, 128))
    s.box(440, 260, 560, 560, JADE)
    s.shape(WHITE, (470, 385), (530, 385), (522, 450), (478, 450))
    s.line(WHITE, 8, (462, 380), (538, 380))
    return s


def _towels() -> Sheet:
    s = Sheet((253, 240, 224), 500)
    for top, fill, edge in (
        (440, (117, 174, 170), (84, 146, 142)), (320, (244, 196, 128), (222, 164, 84)), (200, (236, 140, 128), RED),
    ):  # fmt: skip
        s.box(255, top, 705, top + 130, fill, 62)
        s.box(300, top + 58, 705, top + 70, edge, 6)
        s.oval(262, top + 12, 366, top + 118, edge)
        s.oval(280, top + 30, 348, top + 100, fill)
        s.box(610, top + 8, 634, top + 56, edge)
    return s


def _flask() -> Sheet:
    s = Sheet((228, 238, 236), 300)
    s.box(385, 95, 575, 195, (208, 216, 220), 26)
    s.box(385, 165, 575, 195, (168, 180, 186))
    s.box(372, 190, 588, 575, JADE, 36)
    s.box(372, 520, 588, 575, (10, 90, 84), 30)
    s.box(372, 500, 588, 540, (10, 90, 84))
    s.box(396, 230, 416, 480, (62, 160, 150), 10)
    s.line((240, 196, 120), 9, (480, 440), (480, 330))
    for y in (350, 390, 430):
        s.line((240, 196, 120), 9, (480, y), (520, y - 36))
        s.line((240, 196, 120), 9, (480, y), (440, y - 36))
    return s


def _eggs() -> Sheet:
    s = Sheet((246, 236, 220), 560)
    for x, fill in ((270, (232, 178, 132)), (375, (240, 196, 156)), (480, (228, 170, 122)), (585, (240, 196, 156)),
                    (690, (232, 178, 132))):  # fmt: skip
        s.oval(x - 54, 250, x + 54, 430, fill)
        s.oval(x - 30, 280, x - 6, 326, (252, 226, 200))
    s.shape((158, 168, 160), (195, 380), (765, 380), (735, 560), (225, 560))
    for x in (322, 427, 532, 637):
        s.oval(x - 34, 352, x + 34, 420, (158, 168, 160))
    s.box(225, 470, 735, 484, (132, 144, 136), 6)
    return s


def _salt() -> Sheet:
    s = Sheet((224, 232, 246), 380)
    s.shape(WHITE, (340, 110), (620, 110), (630, 575), (330, 575))
    s.box(336, 96, 624, 140, (206, 216, 230), 8)
    s.box(333, 200, 627, 450, BLUE)
    s.shape(WHITE, (480, 232), (560, 312), (480, 418), (400, 312))
    s.shape((200, 218, 240), (480, 232), (560, 312), (480, 312))
    s.shape((226, 236, 248), (400, 312), (480, 312), (480, 418))
    s.line((206, 216, 230), 6, (350, 500), (610, 500))
    s.line((206, 216, 230), 6, (350, 535), (540, 535))
    return s


DRAWINGS: dict[str, Callable[[], Sheet]] = {
    "食用油 5L": _oil, "大米 5kg": _rice, "抽纸": _tissues, "香皂": _soap, "洗衣液 2kg": _detergent,
    "牙膏": _toothpaste, "雨伞": _umbrella, "垃圾袋": _bags, "毛巾": _towels, "保温杯": _flask,
    "鸡蛋": _eggs, "食盐": _salt,
}  # fmt: skip
"""The drawing of each good of the demo, by its name."""


@cache
def drawing(good: str) -> bytes:
    """The picture of a good as JPEG; drawn once for all communities."""
    return DRAWINGS[good]().jpeg()
