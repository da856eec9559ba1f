"""Files that a request brings."""

import os

import msgspec
from litestar.datastructures import UploadFile

from timebank.http.callers import AnyRequest
from timebank.photos.drawing import Upload


class PhotoUpload(msgspec.Struct):
    """One picture: JPEG, PNG or WebP, at most 5 MiB."""

    photo: UploadFile


async def with_photo(request: AnyRequest) -> tuple[dict[str, str], Upload]:
    """The text fields of a form and its file field `photo`, without any byte where no file was chosen.

    The file is on the disk, unless it is small, until the request is answered.

    A browser that sends the form without its file, as text alone, is understood too.
    """
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    photo = form.get("photo")
    if isinstance(photo, UploadFile) and photo.file.seek(0, os.SEEK_END):
        return fields, photo.file
    return fields, b""
