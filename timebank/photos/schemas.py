"""Request and response bodies of photos."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Stage = Literal["before", "after", "proof", "condition"]
Place = Annotated[int, Meta(ge=0, le=10_000)]
Length = Annotated[int, Meta(ge=1, le=10_000)]
Box = tuple[Place, Place, Length, Length]
BOXES_MAX = 40
Boxes = Annotated[list[Box], Meta(min_length=1, max_length=BOXES_MAX)]


class PhotoOut(msgspec.Struct, frozen=True, kw_only=True):
    """A stored photo with its size in pixels. A photo that nothing has within an hour is deleted."""

    id: UUID
    width: int
    height: int


class AttachmentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as it is attached to something; `url` is the photo, for whoever may see what it is attached to."""

    photo_id: UUID
    url: str
    stage: Stage
    added_at: datetime
    painted_at: datetime | None
    published_at: datetime | None


class PaintIn(msgspec.Struct, forbid_unknown_fields=True):
    """Rectangles to paint over, each as x, y, width and height in pixels of the photo."""

    boxes: Boxes


class Painting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rectangles to paint over a picture that is being sent, in pixels of the upright picture as it was marked.

    `size` is its width and height there: its own, or those of a smaller one of its shape on a screen.
    """

    size: tuple[Length, Length]
    boxes: Boxes


class PublicationIn(msgspec.Struct, forbid_unknown_fields=True):
    """`cleared` states that there is no face, number plate or door plate in the photo."""

    cleared: bool


class AttachIn(msgspec.Struct, forbid_unknown_fields=True):
    """A photo of one's own that nothing has yet."""

    photo_id: UUID
