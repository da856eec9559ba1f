"""Who sees a photo: its uploader until something has it, then whoever sees that; a published one the community."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.capability import Pictured, capabilities, resolve
from timebank.core.database import Filters, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.photos.keeping import own_records
from timebank.photos.schemas import AttachmentOut, Stage


class PhotoRow(msgspec.Struct, frozen=True, kw_only=True):
    """A photo without its pixels, and what has it; what only a good shows has neither noun nor end."""

    id: UUID
    side: int
    kept_by: UUID | None
    unattached_until: datetime | None
    noun: str | None
    noun_id: UUID | None
    stage: Stage | None
    added_at: datetime | None
    painted_at: datetime | None
    published_at: datetime | None

    def attached(self) -> AttachmentOut:
        """The photo as it is attached."""
        assert self.stage is not None
        assert self.added_at is not None
        return AttachmentOut(
            photo_id=self.id, url=f"/api/v1/photos/{self.id}", stage=self.stage, added_at=self.added_at,
            painted_at=self.painted_at, published_at=self.published_at,
        )  # fmt: skip


_PHOTOS = (
    "SELECT p.id, p.side, p.kept_by, p.unattached_until, a.noun, a.noun_id, a.stage, a.added_at, a.painted_at, "
    "a.published_at FROM photo p LEFT JOIN attachment a ON a.community_id = p.community_id AND a.photo_id = p.id "
    "WHERE p.community_id = $1"
)


def pictured(noun: str) -> Pictured:
    """What the noun's capability declares about its photos. Raises NotFound for a noun that takes none."""
    found = [each for one in capabilities() for each in one.pictured if each.noun == noun]
    if not found:
        raise NotFound
    return found[0]


def page_of(photo: PhotoRow) -> str:
    """The address of the page of what has the photo; of the photo's own page while nothing has it."""
    return f"{pictured(photo.noun).page}{photo.noun_id}" if photo.noun else f"/photos/{photo.id}"


async def photo_row(scope: Scope, photo_id: UUID) -> PhotoRow | None:
    """A photo of the community, whoever asks."""
    return await database.row(PhotoRow, _PHOTOS + " AND p.id = $2", scope.community_id, photo_id)


async def find_photo(scope: Scope, photo_id: UUID) -> PhotoRow:
    """A photo that the caller may see. Raises NotFound."""
    async with transaction(scope):
        photo = await photo_row(scope, photo_id)
        if photo is None:
            raise NotFound
        if photo.noun is not None and photo.published_at is None:
            await resolve(pictured(photo.noun).see)(scope, photo.noun_id)
        if photo.noun is None and (photo.unattached_until is None or photo.kept_by not in own_records(scope)):
            raise NotFound
    return photo


async def content_of(scope: Scope, photo_id: UUID) -> bytes:
    """A photo as WebP. Checks no permission. Raises NotFound."""
    async with transaction(scope):
        content: bytes | None = await database.fetch_value(
            "SELECT content FROM photo WHERE community_id = $1 AND id = $2", scope.community_id, photo_id
        )
    if content is None:
        raise NotFound
    return content


async def read_photo(scope: Scope, photo_id: UUID) -> bytes:
    """A photo as WebP, for whoever may see it. Raises NotFound."""
    async with transaction(scope):
        await find_photo(scope, photo_id)
        return await content_of(scope, photo_id)


async def photos_attached(scope: Scope, noun: str, noun_id: UUID, *, published: bool = False) -> list[AttachmentOut]:
    """The photos of a row that the caller may see, oldest first; `published`: only those that everybody may see."""
    asked = Filters(scope.community_id)
    asked.add("a.noun = {} AND a.noun_id = {}", noun, noun_id)
    if published:
        asked.add("a.published_at IS NOT NULL")
    async with transaction(scope):
        if not published:
            await resolve(pictured(noun).see)(scope, noun_id)
        found = await database.rows(PhotoRow, f"{_PHOTOS}{asked.sql} ORDER BY a.added_at, a.id", *asked.values)
    return [photo.attached() for photo in found]
