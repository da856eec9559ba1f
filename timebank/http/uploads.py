"""Files that a request brings."""

import msgspec
from litestar.datastructures import UploadFile


class PhotoUpload(msgspec.Struct):
    """One picture: JPEG, PNG or WebP, at most 5 MiB."""

    photo: UploadFile
