"""A good's photo, re-encoded so that it is small and carries no metadata."""

import asyncio
import io
import struct
from uuid import UUID

from PIL import Image, ImageOps

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.shop.goods import find_good
from timebank.shop.schemas import GoodOut
from timebank.shop.tables import Good, Photo

SIDE_MAX = 800
UPLOAD_BYTES_MAX = 5 * 1024 * 1024
PIXELS_MAX = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
# The exceptions that Pillow raises for a file that is damaged, truncated or no picture.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


class NotAPhoto(TimebankError):
    code = "not_a_photo"
    status = 422
    sentence = "这个文件不是能用的照片。请选 JPG、PNG 或 WebP 照片，5 MB 以内。"


class PhotoTooLarge(TimebankError):
    code = "photo_too_large"
    status = 413
    sentence = "照片太大了。请选 5 MB 以内、不超过 5,000 万像素的照片。"


@retried
async def set_photo(scope: Scope, good_id: UUID, content: bytes) -> GoodOut:
    """Set a good's photo in place of an earlier one. Raises PhotoTooLarge, NotAPhoto, NotFound."""
    scope.require_admin()
    if len(content) > UPLOAD_BYTES_MAX:
        raise PhotoTooLarge
    drawn = await asyncio.to_thread(draw_anew, content)
    photo_id = clock.new_id()
    async with transaction(scope):
        earlier = await _photo_id(scope, good_id)
        await Photo.insert(
            Photo(
                community_id=scope.community_id, id=photo_id, media_type="image/webp", content=drawn,
                created_at=clock.now(),
            )
        )  # fmt: skip
        await Good.update({Good.photo_id: photo_id}).where(
            (Good.community_id == scope.community_id) & (Good.id == good_id)
        )
        if earlier:
            await database.execute("DELETE FROM photo WHERE community_id = $1 AND id = $2", scope.community_id, earlier)
        await audit.record(scope, "set_photo", "good", good_id, bytes=len(drawn))
        return await find_good(scope, good_id)


async def photo_of(scope: Scope, good_id: UUID) -> bytes:
    """A good's photo as WebP. Raises NotFound where there is none."""
    async with transaction(scope):
        content: bytes | None = await database.fetch_value(
            "SELECT p.content FROM photo p JOIN good g ON g.community_id = p.community_id AND g.photo_id = p.id "
            "WHERE g.community_id = $1 AND g.id = $2",
            scope.community_id, good_id,
        )  # fmt: skip
    if content is None:
        raise NotFound
    return content


def draw_anew(content: bytes) -> bytes:
    """Re-encode a picture as upright WebP, at most 800 pixels a side, without metadata (location, camera, names).

    The dimensions are checked before the pixels are decoded, so that a small file cannot exhaust the memory.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise PhotoTooLarge
            picture.draft("RGB", (SIDE_MAX, SIDE_MAX))
            upright = ImageOps.exif_transpose(picture)
            drawn = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except Image.DecompressionBombWarning as error:
        raise PhotoTooLarge from error
    except DAMAGED as error:
        raise NotAPhoto from error
    drawn.thumbnail((SIDE_MAX, SIDE_MAX))
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, "WEBP", quality=82, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()


async def _photo_id(scope: Scope, good_id: UUID) -> UUID | None:
    found = await database.fetch_one(
        "SELECT photo_id FROM good WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, good_id
    )
    if found is None:
        raise NotFound
    earlier: UUID | None = found["photo_id"]
    return earlier
