"""The gift for a wish as the verbs at the counter read it, locked with its matter."""

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.agreements.independence import signed_on
from timebank.core import clock, database
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act
from timebank.matters.loop.deciding import decide
from timebank.matters.reading.rows import MatterRow, lock_matter
from timebank.matters.reading.standing import Known, read_matter_known
from timebank.matters.schemas import Verb

NOUN = "matter"
"""What its pickup code is given for."""
WAITS_DAYS = 30


class WishNotHere(TimebankError):
    code = "wish_not_here"
    status = 409
    sentence = "这个心愿没有等领的物品：可能还没有送到，或已经领走。请刷新再看。"


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """A gift that was received for a wish; `code` is its pickup code while it waits."""

    id: UUID
    matter_id: UUID
    station_id: UUID
    station: str
    value: int
    received_at: datetime
    received_by: UUID | None
    waits_until: datetime
    collected_at: datetime | None
    collected_by: UUID | None
    undone_at: datetime | None
    returned_at: datetime | None
    code: str | None

    @property
    def waits(self) -> bool:
        return self.collected_at is None and self.undone_at is None and self.returned_at is None


_LATEST = (
    "SELECT w.id, w.matter_id, w.station_id, t.name AS station, w.value, w.received_at, w.received_by, w.waits_until, "
    "w.collected_at, w.collected_by, w.undone_at, w.returned_at, k.code FROM wish_gift w "
    "JOIN station t ON t.community_id = w.community_id AND t.id = w.station_id "
    "LEFT JOIN pickup k ON k.community_id = w.community_id AND k.noun = 'matter' AND k.noun_id = w.matter_id "
    "WHERE w.community_id = $1 AND w.matter_id = $2 ORDER BY w.received_at DESC, w.id DESC LIMIT 1"
)


async def latest_gift(scope: Scope, matter_id: UUID) -> Gift | None:
    """The gift that was received last for a wish. Checks no permission; a verb has locked the matter."""
    return await database.row(Gift, _LATEST, scope.community_id, matter_id)


async def kept_gift(scope: Scope, matter_id: UUID) -> Gift:
    """The same once one was received."""
    gift = await latest_gift(scope, matter_id)
    assert gift is not None
    return gift


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A locked wish and what a keeper's verb decides by."""

    row: MatterRow
    known: Known


async def lock_wish(scope: Scope, matter_id: UUID) -> Wish:
    """Lock the people in a wish, then its row. Raises NotFound, also for a matter of another kind."""
    scope.require_use("matters")
    await lock_matter(scope, matter_id, gains=True)
    row, known = await read_matter_known(signed_on(scope), matter_id)
    if row.kind != "wish":
        raise NotFound
    return Wish(row=row, known=known)


def act_at_counter(scope: Scope, wish: Wish, station_id: UUID, verb: Verb) -> Act:
    """The verb of the keeper of this station on a locked wish.

    Raises Forbidden, PartyToMatter for giver, receiver and who is near them, MatterMovedOn.
    """
    scope.require_keeper(station_id)
    row, known = wish.row, wish.known
    caller = msgspec.structs.replace(known.standing(signed_on(scope), row), keeps=True)
    to = decide(known.facts(row), verb, caller)
    return Act(scope=scope, row=row, known=known, caller=caller, view="handler", verb=verb, to=to, after=row)


def waiting_until(today: date) -> datetime:
    """Until when a gift that is received or renewed today waits: the end of the thirtieth day."""
    return clock.day_bounds(today + timedelta(days=WAITS_DAYS))[1]
