"""What others see and say: following, thanking, and two sentences with painted pictures for everybody."""

from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.matters.loop.acting import answered, begin_act, write
from timebank.matters.loop.ending import count_followers
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import FollowIn, PublishIn, Verb
from timebank.photos.clearing import publish_photo


@retried
async def follow(scope: Scope, matter_id: UUID, wanted: FollowIn) -> MatterOut:
    """Say that one sees it too, or thanks for what was done; once each, and not for one's own.

    Raises MatterMovedOn, Forbidden, NotFound, Invalid.
    """
    verb: Verb = "follow" if wanted.kind == "same" else "thank"
    async with transaction(scope):
        act = await begin_act(scope, matter_id, verb)
        if act.caller.reporter and verb == "follow":
            raise Invalid(why=_("这是您自己反映的，不用再关注"))
        await database.execute(
            "INSERT INTO matter_follow AS f (community_id, id, matter_id, person_id, kind, at) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (community_id, matter_id, person_id) DO UPDATE "
            "SET kind = $5, at = $6 WHERE f.kind = 'same' AND $5 = 'thanks'",
            scope.community_id, clock.new_id(), matter_id, scope.require_self(), wanted.kind, clock.now(),
        )  # fmt: skip
        if verb == "follow":
            act.after = msgspec.structs.replace(act.after, followers=await count_followers(scope, matter_id))
        return answered(act)


@retried
async def publish(scope: Scope, matter_id: UUID, wanted: PublishIn) -> MatterOut:
    """Let everybody of the community read two sentences about it, and see those of its photos that are named.

    Raises PhotoNotCleared, Invalid, MatterMovedOn, Forbidden, NotFound.
    """
    text = wanted.public_text.strip()
    if not text:
        raise Invalid(why=_("请写一两句给大家看的话"))
    async with transaction(scope):
        act = await begin_act(scope, matter_id, "publish")
        if not act.row.is_public:
            raise Invalid(why=_("这一类的事不公开"))
        if any(name and name in text for name in (act.row.reporter, act.row.for_person)):
            raise Invalid(why=_("给大家看的话里不要写姓名"))
        await write(act, {"public_text": text, "published_at": act.row.published_at or clock.now()}, note=text)
        for photo_id in wanted.attachment_ids:
            await publish_photo(scope, photo_id, cleared=wanted.cleared)
        return answered(act)
