"""Rectangles that are painted over a picture, after it was kept or before it is sent; what they cover is gone.

A kept photo's rectangles are in its own pixels. A picture that is being sent is not drawn yet: its sender marked it in
any size, such as that of a phone's screen, and sends that size along. It is the size of the picture as a browser shows
it, upright as its camera noted. The server compares the shape and scales; so a rectangle that was marked on a picture
lying on its side is refused instead of covering the wrong place.
"""

from collections.abc import Sequence

import msgspec

from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.photos.schemas import Box, Boxes, Painting


def read_boxes(marked: str) -> list[Box]:
    """The rectangles of a kept photo, as a page's script wrote them into a form. Raises Invalid."""
    try:
        return msgspec.json.decode(marked, type=Boxes)
    except msgspec.MsgspecError as error:
        raise Invalid(why=_("涂盖的框")) from error


def read_painting(marked: str) -> Painting | None:
    """What is to be painted over a picture that is being sent; None for nothing. Raises Invalid.

    What cannot be read is refused and not taken for nothing: the picture would be kept with what nobody must see.
    """
    if not marked.strip():
        return None
    try:
        return msgspec.json.decode(marked, type=Painting)
    except msgspec.MsgspecError as error:
        raise Invalid(why=_("涂盖的框")) from error


def scaled(painting: Painting, size: tuple[int, int], *, spread: int) -> list[Box]:
    """The rectangles in the pixels of the picture as it was drawn, in this size.

    They are rounded outward, and grow by `spread` pixels on each side: in a picture that was made smaller each pixel
    holds something of its neighbours. Raises Invalid where the painting is of a picture of another shape.
    """
    if not _alike(painting.size, size):
        raise Invalid(why=_("涂盖的框和照片对不上，可以先不涂，送出以后再涂"))
    require_inside(painting.boxes, painting.size)
    (wide, high), (width, height) = painting.size, size
    boxes: list[Box] = []
    for x, y, across, down in painting.boxes:
        left, top = max(x * width // wide - spread, 0), max(y * height // high - spread, 0)
        right, bottom = -(-(x + across) * width // wide) + spread, -(-(y + down) * height // high) + spread
        boxes.append((left, top, right - left, bottom - top))
    return boxes


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are of one shape, each rounded to whole pixels."""
    (wide, high), (width, height) = one, other
    return abs(wide * height - high * width) <= max(*one, *other)


def require_inside(boxes: Sequence[Box], size: tuple[int, int]) -> None:
    """Raise Invalid for a rectangle that begins outside a picture of this size."""
    if any(x >= size[0] or y >= size[1] for x, y, _width, _height in boxes):
        raise Invalid(why=_("涂盖的框在照片外面"))
