"""Clearing what others must not see: a photo is painted over, taken back, or published by a person."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.capability import resolve
from timebank.core.database import RanIntoAnother, retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.photos.drawing import draw_over
from timebank.photos.keeping import drop_photo, store_photo
from timebank.photos.schemas import AttachmentOut, Box, PhotoOut
from timebank.photos.seeing import PhotoRow, content_of, find_photo, photo_row, pictured


class PhotoNotCleared(TimebankError):
    code = "photo_not_cleared"
    status = 422
    sentence = "公开以前，请看清照片并勾选“没有人脸、车牌、门牌”。有的话先涂掉。"


@retried
async def paint_over(scope: Scope, photo_id: UUID, boxes: Sequence[Box]) -> PhotoOut:
    """Paint rectangles into a photo. The result is a new photo, and the one before is deleted: no original is kept.

    Its uploader may until something has it; then whoever may add photos there, or publish them. Raises NotFound,
    Invalid, and the refusal of the noun's capability.
    """
    async with transaction(scope):
        seen = await find_photo(scope, photo_id)
        if refusal := await _painter_refusal(scope, seen):
            raise refusal
        content = await content_of(scope, photo_id)
    drawn = await draw_over(content, boxes)  # without the locks, for which others would wait
    async with transaction(scope):
        photo = await _lock(scope, seen)
        if refusal := await _painter_refusal(scope, photo):
            raise refusal
        painted = await store_photo(scope, drawn, photo.side, attached=photo.noun is not None, painted=True)
        await database.execute(
            "UPDATE attachment SET photo_id = $3, painted_at = $4 WHERE community_id = $1 AND photo_id = $2",
            scope.community_id, photo_id, painted, clock.now(),
        )  # fmt: skip
        await drop_photo(scope, photo_id)
        await audit.record(scope, "paint_photo", photo.noun or "photo", photo.noun_id or painted, boxes=len(boxes))
    return PhotoOut(id=painted, width=drawn.width, height=drawn.height)


@retried
async def remove_photo(scope: Scope, photo_id: UUID) -> None:
    """Delete a photo: its uploader until something has it, then whoever may still add photos there.

    Raises NotFound, and the refusal of the noun's capability.
    """
    seen = await find_photo(scope, photo_id)
    async with transaction(scope):
        photo = await _lock(scope, seen)
        if refusal := await _adder_refusal(scope, photo):
            raise refusal
        await database.execute(
            "DELETE FROM attachment WHERE community_id = $1 AND photo_id = $2", scope.community_id, photo_id
        )
        await drop_photo(scope, photo_id)
        await audit.record(scope, "remove_photo", photo.noun or "photo", photo.noun_id or photo_id)


@retried
async def publish_photo(scope: Scope, photo_id: UUID, *, cleared: bool) -> AttachmentOut:
    """Let everybody of the community see an attached photo. The same again changes nothing.

    A person states with `cleared` that there is no face, number plate or door plate in it, and answers for that in the
    audit. Raises PhotoNotCleared, Forbidden, NotFound, and the refusal of the noun's capability.
    """
    if scope.login_id is None:
        raise Forbidden
    seen = await find_photo(scope, photo_id)
    if seen.noun is None:
        raise NotFound
    async with transaction(scope):
        photo = await _lock(scope, seen)
        if refusal := await _clearer_refusal(scope, photo):
            raise refusal
        if not cleared:
            raise PhotoNotCleared
        if photo.published_at is not None:
            return photo.attached()
        await database.execute(
            "UPDATE attachment SET published_at = $3, published_by = $4 WHERE community_id = $1 AND photo_id = $2",
            scope.community_id, photo_id, clock.now(), scope.actor_id,
        )  # fmt: skip
        await audit.record(scope, "publish_photo", photo.noun or "photo", photo.noun_id, stage=photo.stage)
        published = await photo_row(scope, photo_id)
        assert published is not None
        return published.attached()


async def may_paint(scope: Scope, photo: PhotoRow) -> bool:
    """Whether the caller may paint over a photo, which they may see."""
    async with transaction(scope):
        return await _painter_refusal(scope, photo) is None


async def may_remove(scope: Scope, photo: PhotoRow) -> bool:
    """Whether the caller may delete a photo, which they may see."""
    async with transaction(scope):
        return await _adder_refusal(scope, photo) is None


async def may_publish(scope: Scope, photo: PhotoRow) -> bool:
    """Whether the caller may publish a photo, which they may see and which is not published yet."""
    async with transaction(scope):
        return photo.noun is not None and photo.published_at is None and await _clearer_refusal(scope, photo) is None


async def _adder_refusal(scope: Scope, photo: PhotoRow) -> TimebankError | None:
    if photo.noun is None:
        return None  # who sees an unattached photo is its uploader
    return await _refusal(pictured(photo.noun).add, scope, photo)


async def _painter_refusal(scope: Scope, photo: PhotoRow) -> TimebankError | None:
    adds = await _adder_refusal(scope, photo)
    return adds and await _clearer_refusal(scope, photo)


async def _clearer_refusal(scope: Scope, photo: PhotoRow) -> TimebankError | None:
    assert photo.noun is not None
    return await _refusal(pictured(photo.noun).clear, scope, photo)


async def _refusal(verb: str, scope: Scope, photo: PhotoRow) -> TimebankError | None:
    """The verb's refusal; NotFound for whoever sees a published photo and not what has it."""
    try:
        refusal: TimebankError | None = await resolve(verb)(scope, photo.noun_id)
    except NotFound as unseen:
        return unseen
    return refusal


async def _lock(scope: Scope, seen: PhotoRow) -> PhotoRow:
    """Lock what has the photo, then the photo, and return it as it is now. Raises NotFound where it was replaced."""
    if seen.noun is not None:
        await resolve(pictured(seen.noun).lock)(scope, seen.noun_id)
    for lock in (  # in the order of the purge
        "SELECT FROM attachment WHERE community_id = $1 AND photo_id = $2 FOR NO KEY UPDATE",
        "SELECT FROM photo WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
    ):
        await database.execute(lock, scope.community_id, seen.id)
    photo = await photo_row(scope, seen.id)
    if photo is None:
        raise NotFound
    if photo.noun_id != seen.noun_id:
        raise RanIntoAnother  # it was attached meanwhile, to something that is not locked yet
    return photo
