"""Files that a request brings."""

import msgspec
from litestar.datastructures import UploadFile

from timebank.http.callers import AnyRequest
from timebank.photos.drawing import UPLOAD_BYTES_MAX


class PhotoUpload(msgspec.Struct):
    """One picture: JPEG, PNG or WebP, at most 5 MiB."""

    photo: UploadFile


async def with_photo(request: AnyRequest) -> tuple[dict[str, str], bytes]:
    """The text fields of a form and the content of its file field `photo`, empty where no file was chosen.

    A browser that sends the form without its file, as text alone, is understood too.
    """
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    photo = form.get("photo")
    return fields, await photo.read(UPLOAD_BYTES_MAX + 1) if isinstance(photo, UploadFile) else b""
