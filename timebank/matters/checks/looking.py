"""Spot checks: what was drawn is looked at once more, by a grid head or an administrator who is no party to it."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.core import audit, clock, database
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Conflict, NotFound
from timebank.core.scope import Role, Scope
from timebank.matters.loop.acting import Act, require_reason
from timebank.matters.loop.deciding import too_late_to_reopen
from timebank.matters.loop.earning import take_back_earned
from timebank.matters.loop.ending import open_again
from timebank.matters.loop.refusals import PartyToMatter
from timebank.matters.reading.listing import shown_many
from timebank.matters.reading.one import find_matter
from timebank.matters.reading.rows import MatterRow, lock_matter, matter_rows
from timebank.matters.reading.shown import MatterOut
from timebank.matters.reading.standing import Known, known_of, read_matter_known
from timebank.matters.schemas import Verified

LISTED_MAX = 50


class AlreadyLookedAt(Conflict):
    code = "already_looked_at"
    sentence = "这次抽查已经有人看过了。"


class CheckIn(msgspec.Struct, forbid_unknown_fields=True):
    """What was found on the spot; what is untrue needs a note."""

    found: Verified
    note: Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")] = ""


class CheckOut(msgspec.Struct, frozen=True, kw_only=True):
    """A matter that was drawn, and when."""

    id: UUID
    drawn_on: date
    matter: MatterOut


class _Drawn(msgspec.Struct, frozen=True):
    id: UUID
    noun_id: UUID
    drawn_on: date


async def spot_checks(scope: Scope, language: str = "zh") -> list[CheckOut]:
    """The oldest matters that were drawn and not looked at, in the caller's grids; none that the caller is a party to.

    Nobody but grid heads and administrators has any.
    """
    scope.require_use("matters")
    led = [grant.area_id for grant in scope.here() if grant.role == Role.grid_head and grant.area_id]
    if not (scope.administers or led):
        return []
    asked = Filters(scope.community_id)
    if not scope.administers:
        asked.add("a.path && {}::text[]::uuid[]", database.as_texts(led))
    async with transaction(scope):
        drawn = await database.rows(
            _Drawn,
            "SELECT k.id, k.noun_id, k.drawn_on FROM spot_check k "  # noqa: S608  # conditions without input
            "JOIN area a ON a.community_id = k.community_id AND a.id = k.area_id "
            "WHERE k.community_id = $1 AND k.noun = 'matter' AND k.done_at IS NULL"
            f"{asked.sql} ORDER BY k.drawn_on, k.id LIMIT {most(LISTED_MAX)}",
            *asked.values,
        )  # fmt: skip
        rows = await matter_rows(scope, [one.noun_id for one in drawn])
        if not rows:
            return []
        known = await known_of(scope, list(rows.values()))
        free = [row for row in rows.values() if not known.standing(scope, row).party]
        shown = {one.id: one for one in await shown_many(scope, free, language)}
    return [
        CheckOut(id=one.id, drawn_on=one.drawn_on, matter=shown[one.noun_id]) for one in drawn if one.noun_id in shown
    ]


@retried
async def find_spot_check(scope: Scope, check_id: UUID, language: str = "zh") -> CheckOut:
    """One that was drawn and not looked at, with its matter's steps and photos. Raises NotFound, PartyToMatter."""
    scope.require_use("matters")
    async with transaction(scope):
        drawn = await _drawn(scope, check_id)
        row, known = await read_matter_known(scope, drawn.noun_id)
        _require_no_party(scope, row, known)
        return CheckOut(id=drawn.id, drawn_on=drawn.drawn_on, matter=await find_matter(scope, row.id, language))


@retried
async def record_spot_check(scope: Scope, check_id: UUID, wanted: CheckIn) -> UUID:
    """Record what was found, and return the matter's id. Untrue: it is opened again, and what it earned is taken back.

    Raises NotFound, PartyToMatter, AlreadyLookedAt, ReasonMissing.
    """
    scope.require_use("matters")
    note = require_reason(wanted.note) if wanted.found == "untrue" else wanted.note.strip()
    async with transaction(scope):
        drawn = await _drawn(scope, check_id)
        await lock_matter(scope, drawn.noun_id, gains=True)
        row, known = await read_matter_known(scope, drawn.noun_id)
        _require_no_party(scope, row, known)
        kept = await database.execute(
            "UPDATE spot_check SET checker_id = $3, found = $4, note = $5, done_at = $6 "
            "WHERE community_id = $1 AND id = $2 AND done_at IS NULL",
            scope.community_id, check_id, scope.actor_id, wanted.found, note or None, clock.now(),
        )  # fmt: skip
        if kept != "UPDATE 1":
            raise AlreadyLookedAt
        await audit.record(scope, "check_matter", "matter", row.id, about_id=row.reporter_id, found=wanted.found)
        if wanted.found == "untrue":
            await _undo_finish(scope, row, known, note)
    return drawn.noun_id


async def _undo_finish(scope: Scope, row: MatterRow, known: Known, note: str) -> None:
    """Take back what it earned, as an untrue confirmation does, and open it again unless it was closed long ago."""
    await take_back_earned(scope, row, note, untrue=True)
    if row.status not in ("done", "closed") or too_late_to_reopen(known.facts(row)):
        return
    caller = known.standing(scope, row)
    act = Act(
        scope=scope, row=row, known=known, caller=caller, view="staff", verb="reopen", to="dispatched", after=row
    )  # fmt: skip
    await open_again(act, note)


async def _drawn(scope: Scope, check_id: UUID) -> _Drawn:
    found = await database.row(
        _Drawn,
        "SELECT id, noun_id, drawn_on FROM spot_check WHERE community_id = $1 AND id = $2 AND noun = 'matter'",
        scope.community_id, check_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


def _require_no_party(scope: Scope, row: MatterRow, known: Known) -> None:
    """Raise NotFound for who neither leads the grid nor administers, PartyToMatter for who is in it."""
    if not scope.leads(row.area_path):
        raise NotFound
    if known.standing(scope, row).party:
        raise PartyToMatter
