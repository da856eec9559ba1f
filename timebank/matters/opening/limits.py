"""How much one person may report in a day, so that nobody floods those who dispatch."""

from datetime import datetime, timedelta

from timebank.core import clock, database
from timebank.core.database import Question
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope

MATTERS_A_DAY = 10
PHOTOS_A_DAY = 30


class TooManyMatters(TimebankError):
    code = "too_many_matters"
    status = 429
    sentence = "您今天已经反映了 {most} 件，请在 {until} 以后再提交。急事请直接打电话。"


class TooManyMatterPhotos(TimebankError):
    code = "too_many_matter_photos"
    status = 429
    sentence = "您今天已经交了 {most} 张照片，请在 {until} 以后再交。"


def _written(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"


def _until(refusal: TimebankError, end: datetime) -> TimebankError:
    """The refusal with the seconds after which it is possible again."""
    refusal.retry_after = int((end - clock.now()).total_seconds()) + 1
    return refusal


def opened_question(scope: Scope) -> Question:
    """The question for how many matters the own records of the caller's login have opened today.

    One that waited on a phone counts on the day on which it arrives.
    """
    begin, _end = clock.day_bounds(clock.local_day())
    return database.value(
        "SELECT count(*) FROM matter WHERE community_id = $1 AND reporter_id = ANY ($2::text[]::uuid[]) "
        "AND received_at >= $3 AND created_at >= $4 AND entered_by IS NULL AND channel <> 'import'",
        scope.community_id, database.as_texts(scope.stood_for), begin - timedelta(days=2), begin,
    )  # fmt: skip


def require_room_today(opened: int) -> None:
    """Raise TooManyMatters once one login has opened ten today."""
    _begin, end = clock.day_bounds(clock.local_day())
    if opened >= MATTERS_A_DAY:
        raise _until(TooManyMatters(most=MATTERS_A_DAY, until=_written(end)), end)


async def photos_refusal(scope: Scope) -> TimebankError | None:
    """Why the caller adds no further photo to matters today, or None."""
    begin, end = clock.day_bounds(clock.local_day())
    added: int = await database.fetch_value(
        "SELECT count(*) FROM attachment WHERE community_id = $1 AND noun = 'matter' AND added_by = $2 "
        "AND added_at >= $3",
        scope.community_id, scope.actor_id, begin,
    )  # fmt: skip
    return _until(TooManyMatterPhotos(most=PHOTOS_A_DAY, until=_written(end)), end) if added >= PHOTOS_A_DAY else None
