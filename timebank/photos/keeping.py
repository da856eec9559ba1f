"""Keeping photos: each is stored as WebP, is its uploader's until something has it, and is read by its id."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.photos.drawing import SIDE_MAX, Drawn, Upload, draw_anew
from timebank.photos.painting import read_painting
from timebank.photos.schemas import Painting, PhotoOut
from timebank.photos.tables import Photo

UNATTACHED_FOR = timedelta(hours=1)
UNATTACHED_MAX = 12  # a few times what one form takes, and too few to fill the disk with


class TooManyUnattached(TimebankError):
    code = "too_many_unattached_photos"
    status = 429
    sentence = "您刚上传的照片还有很多没有用上。请先用上，或过一小时再传。"


async def keep(scope: Scope, upload: Upload, side_max: int, painting: Painting | None = None) -> PhotoOut:
    """Store an uploaded photo, for its uploader to attach within an hour; what is painted over is never stored.

    Raises PhotoTooLarge, NotAPhoto, TooManyUnattached, and Invalid for a painting of another picture.
    """
    painted = len(painting.boxes) if painting else 0
    return await _keep_drawn(scope, await draw_anew(upload, side_max, painting), side_max, painted)


async def keep_sent(scope: Scope, fields: Mapping[str, str], upload: Upload) -> list[UUID]:
    """Store the photo of a form, painted over as its field `boxes` says; no id where no file was chosen.

    Raises what `keep` does.
    """
    painting = read_painting(fields.get("boxes", ""))
    return [(await keep(scope, upload, SIDE_MAX, painting)).id] if upload else []


@retried
async def _keep_drawn(scope: Scope, drawn: Drawn, side_max: int, painted: int) -> PhotoOut:
    async with transaction(scope):
        waiting: int = await database.fetch_value(
            "SELECT count(*) FROM photo WHERE community_id = $1 AND unattached_until > $2 "
            "AND kept_by IS NOT DISTINCT FROM $3",
            scope.community_id, clock.now(), scope.actor_id,
        )  # fmt: skip
        if waiting >= UNATTACHED_MAX:
            raise TooManyUnattached
        photo_id = await store_photo(scope, drawn, side_max, attached=False, painted=painted > 0)
        if painted:
            await audit.record(scope, "paint_photo", "photo", photo_id, boxes=painted)
    return PhotoOut(id=photo_id, width=drawn.width, height=drawn.height)


async def store_photo(scope: Scope, drawn: Drawn, side_max: int, *, attached: bool, painted: bool = False) -> UUID:
    """Store a photo drawn within `side_max` pixels, `painted` over or not.

    `attached`: something has it in the caller's transaction.
    """
    now, photo_id = clock.now(), clock.new_id()
    await Photo.insert(
        Photo(
            community_id=scope.community_id, id=photo_id, media_type="image/webp", content=drawn.content,
            created_at=now, side=side_max, kept_by=scope.actor_id,
            unattached_until=None if attached else now + UNATTACHED_FOR, painted_at=now if painted else None,
        )
    )  # fmt: skip
    return photo_id


async def drop_photo(scope: Scope, photo_id: UUID) -> None:
    """Delete a photo that nothing has any more."""
    await database.execute("DELETE FROM photo WHERE community_id = $1 AND id = $2", scope.community_id, photo_id)


async def claim_photo(scope: Scope, photo_id: UUID) -> bool:
    """Take one's own unattached photo for something that has it from now on; False where there is none of this id.

    One guarded update, so that neither a second claim nor the purge gets the photo too.
    """
    claimed = await database.execute(
        "UPDATE photo SET unattached_until = NULL "
        "WHERE community_id = $1 AND id = $2 AND unattached_until > $3 AND kept_by = ANY ($4)",
        scope.community_id, photo_id, clock.now(), own_records(scope),
    )  # fmt: skip
    return claimed == "UPDATE 1"


def own_records(scope: Scope) -> list[UUID]:
    """The caller's own records in every community: an administrator may live in another one."""
    return [person.person_id for person in scope.persons]
