"""Attaching a photo to a row of another capability, which says who may."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.capability import resolve
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.photos.keeping import claim_photo
from timebank.photos.schemas import AttachmentOut, Stage
from timebank.photos.seeing import photo_row, pictured
from timebank.photos.tables import Attachment

AT_ONE_STAGE_MAX = 3


class TooManyPhotos(TimebankError):
    code = "too_many_photos"
    status = 422
    sentence = "最多放 {most} 张照片，已经够了。请挑最说明问题的几张。"


class _SoFar(msgspec.Struct, frozen=True):
    """The photos that are at a stage; and when the new one was painted over, if it was."""

    photos: int
    painted_at: datetime | None


@retried
async def attach(scope: Scope, noun: str, noun_id: UUID, photo_id: UUID, stage: Stage) -> AttachmentOut:
    """Attach one's own new photo to a row, as the noun's capability allows. The same again changes nothing.

    The photos of a stage are counted under the row's lock. Raises TooManyPhotos, and NotFound for a photo that is not
    the caller's or that something has already.
    """
    place = pictured(noun)
    if stage not in place.stages:
        raise Invalid(why=_("这里不放这种照片"))
    async with transaction(scope):
        await resolve(place.see)(scope, noun_id)
        await resolve(place.lock)(scope, noun_id)
        before = await photo_row(scope, photo_id)
        if before and (before.noun, before.noun_id, before.stage) == (noun, noun_id, stage):
            return before.attached()
        if refusal := await resolve(place.add)(scope, noun_id):
            raise refusal
        so_far = await database.row(
            _SoFar,
            "SELECT (SELECT count(*) FROM attachment WHERE community_id = $1 AND noun = $2 AND noun_id = $3 "
            "AND stage = $4) AS photos, "
            "(SELECT painted_at FROM photo WHERE community_id = $1 AND id = $5) AS painted_at",
            scope.community_id, noun, noun_id, stage, photo_id,
        )  # fmt: skip
        assert so_far is not None
        if so_far.photos >= AT_ONE_STAGE_MAX:
            raise TooManyPhotos(most=AT_ONE_STAGE_MAX)
        if not await claim_photo(scope, photo_id):
            raise NotFound
        await _insert(scope, noun, noun_id, photo_id, stage, so_far.painted_at)
        await audit.record(scope, "attach_photo", noun, noun_id, stage=stage)
        attached = await photo_row(scope, photo_id)
        assert attached is not None
        return attached.attached()


async def _insert(
    scope: Scope, noun: str, noun_id: UUID, photo_id: UUID, stage: Stage, painted_at: datetime | None
) -> None:
    await Attachment.insert(
        Attachment(
            community_id=scope.community_id, id=clock.new_id(), noun=noun, noun_id=noun_id, photo_id=photo_id,
            stage=stage, added_by=scope.actor_id, added_at=clock.now(), painted_at=painted_at, published_at=None,
            published_by=None,
        )
    )  # fmt: skip
