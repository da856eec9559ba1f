"""A good's photo, which everybody of the community may see."""

from uuid import UUID

from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.photos.drawing import Upload, draw_anew
from timebank.photos.keeping import drop_photo, store_photo
from timebank.photos.seeing import content_of
from timebank.shop.goods import find_good
from timebank.shop.schemas import GoodOut
from timebank.shop.tables import Good

SIDE_MAX = 800


@retried
async def set_photo(scope: Scope, good_id: UUID, upload: Upload) -> GoodOut:
    """Set a good's photo in place of an earlier one. Raises PhotoTooLarge, NotAPhoto, NotFound."""
    scope.require_admin()
    drawn = await draw_anew(upload, SIDE_MAX)
    async with transaction(scope):
        earlier = await _photo_id(scope, good_id)
        photo_id = await store_photo(scope, drawn, SIDE_MAX, attached=True)
        await Good.update({Good.photo_id: photo_id}).where(
            (Good.community_id == scope.community_id) & (Good.id == good_id)
        )
        if earlier:
            await drop_photo(scope, earlier)
        await audit.record(scope, "set_photo", "good", good_id, bytes=len(drawn.content))
        return await find_good(scope, good_id)


async def photo_of(scope: Scope, good_id: UUID) -> bytes:
    """A good's photo as WebP. Raises NotFound where there is none."""
    async with transaction(scope):
        photo_id: UUID | None = await database.fetch_value(
            "SELECT photo_id FROM good WHERE community_id = $1 AND id = $2", scope.community_id, good_id
        )
        if photo_id is None:
            raise NotFound
        return await content_of(scope, photo_id)


async def _photo_id(scope: Scope, good_id: UUID) -> UUID | None:
    found = await database.fetch_one(
        "SELECT photo_id FROM good WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, good_id
    )
    if found is None:
        raise NotFound
    earlier: UUID | None = found["photo_id"]
    return earlier
