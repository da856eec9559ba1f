"""Files that a request brings."""

import os

import msgspec
from litestar.datastructures import UploadFile

from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.http.callers import AnyRequest
from timebank.photos.drawing import Upload


class PhotoUpload(msgspec.Struct):
    """One picture: JPEG, PNG or WebP, at most 5 MiB."""

    photo: UploadFile


class PaintedUpload(PhotoUpload):
    """One picture, and what is painted over before it is stored: JSON, `{"size": [w, h], "boxes": [[x, y, w, h]]}`.

    The boxes are in pixels of the upright picture of that size, which may be its own or a smaller one of its shape.
    """

    boxes: str = ""


async def with_photo(request: AnyRequest) -> tuple[dict[str, str], Upload]:
    """The text fields of a form and its file field `photo`, without any byte where no file was chosen.

    The file is on the disk, unless it is small, until the request is answered.

    A browser that sends the form without its file, as text alone, is understood too. Raises Invalid where what is to be
    painted over the photo was not sent as one text: it must not be left out.
    """
    form = await request.form()
    marks = form.getall("boxes", [])
    if len(marks) > 1 or not all(isinstance(each, str) for each in marks):
        raise Invalid(why=_("涂盖的框"))
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    photo = form.get("photo")
    if isinstance(photo, UploadFile) and photo.file.seek(0, os.SEEK_END):
        return fields, photo.file
    return fields, b""
