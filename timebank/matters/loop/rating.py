"""Rating: the resident says whether it is solved, on the phone, by card or when called; the community rates a unit."""

from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act, act_on, answered, write
from timebank.matters.loop.deciding import Standing, rater, too_late_to_reopen
from timebank.matters.loop.ending import open_again
from timebank.matters.loop.notices import notify_handler
from timebank.matters.reading.rows import MatterRow, lock_matter
from timebank.matters.reading.shown import MatterOut
from timebank.matters.reading.standing import read_matter_known
from timebank.matters.schemas import RatingIn
from timebank.matters.tables import Rating
from timebank.presence.at_counter import require_presence


@retried
async def rate(scope: Scope, matter_id: UUID, wanted: RatingIn) -> MatterOut:
    """Say once of each finish whether it is solved. Not solved: it is opened again, for the same handler.

    By the resident, a guardian, a keeper who has just scanned their card, or staff who are no party and have called.
    Raises AlreadyRated, NotTheReporter, ReopenTooLate, MatterMovedOn, PresenceNeeded, PartyToMatter, NotFound.
    """
    scope.require_use("matters")
    async with transaction(scope):
        await lock_matter(scope, matter_id, gains=True)
        row, known = await read_matter_known(scope, matter_id)
        how = await _how(scope, row, known.standing(scope, row), wanted)
        act = act_on(scope, row, known, "rate", solved=wanted.solved, proven=how in ("card", "call"))
        who = rater(act.caller)
        database.queue(
            database.insert(
                Rating(
                    community_id=scope.community_id, id=clock.new_id(), matter_id=matter_id, reopening=row.reopens,
                    by_kind=who, by_id=scope.actor_id, how=how, solved=wanted.solved, stars=wanted.stars,
                    words=(wanted.words or "").strip() or None, at=clock.now(),
                )
            )
        )  # fmt: skip
        act.known = known.with_rating(row, who, solved=wanted.solved)
        if who == "community":
            return await _of_community(act)
        if not wanted.solved:
            if act.row.status == "closed" and (late := too_late_to_reopen(act.facts)):
                raise late
            await open_again(act, (wanted.words or "").strip() or "没有解决")
            return answered(act)
        changes = {} if act.row.closed_at else {"closed_at": clock.now()}
        by = {"card": "keeper", "call": "dispatcher"}.get(how, "resident")
        step = await write(act, changes, note=(wanted.words or "").strip(), by=by, stars=wanted.stars)
        await notify_handler(scope, act.row, "matter_rated", step, stars=wanted.stars)
        return answered(act)


async def _of_community(act: Act) -> MatterOut:
    """The community's word changes no status: it counts for the unit's figures."""
    await audit.record(act.scope, "rate_matter", "matter", act.row.id, unit_id=act.row.unit_id)
    return answered(act)


async def _how(scope: Scope, row: MatterRow, caller: Standing, wanted: RatingIn) -> str:
    """How the resident's word came, after it was proved."""
    served = row.served_id
    if wanted.nonce is not None and wanted.station_id is not None and served is not None:
        await require_presence(scope, [served], wanted.station_id, wanted.nonce, spends=False)
        return "card"
    if wanted.called:
        if not (caller.duty or caller.dispatches(row.level)) or caller.party or served is None:
            raise Forbidden
        return "call"
    own = scope.stands_for(row.reporter_id) or scope.stands_for(row.for_person_id)
    return "guardian" if caller.reporter and not own else "phone"
