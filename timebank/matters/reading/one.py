"""One matter with its steps and photos, by its id or by the number of its receipt."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.areas.addresses import grid_in_words
from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.matters.loop.deciding import Standing, may
from timebank.matters.reading.rows import MatterRow
from timebank.matters.reading.seeing import View, is_logged, sees_place, sees_text, view_of
from timebank.matters.reading.shown import MatterOut, PickupOut, StepRow, shown
from timebank.matters.reading.standing import read_matter_known
from timebank.matters.schemas import Verb
from timebank.photos.schemas import AttachmentOut
from timebank.photos.seeing import photos_attached


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A matter that the caller sees: what they are to it, how they see it, and what they may do now."""

    row: MatterRow
    caller: Standing
    view: View
    may: list[Verb]


async def seen_matter(scope: Scope, matter_id: UUID) -> Seen:
    """A matter that the caller may see, and how. Raises NotFound."""
    scope.require_use("matters")
    row, known = await read_matter_known(scope, matter_id)
    caller = known.standing(scope, row)
    view = view_of(scope, row, caller)
    if view is None:
        raise NotFound
    return Seen(row=row, caller=caller, view=view, may=may(known.facts(row), caller))


@retried
async def find_matter(scope: Scope, matter_id: UUID, language: str = "zh") -> MatterOut:
    """A matter with its timeline and photos, as far as the caller may see it. Raises NotFound.

    A look at a hidden name, or from above the community, is noted in the audit.
    """
    async with transaction(scope):
        seen = await seen_matter(scope, matter_id)
        row, caller, view = seen.row, seen.caller, seen.view
        found = shown(scope, row, caller, view, may=seen.may, opened=True, language=language)
        if is_logged(scope, row, caller):
            await audit.record(scope, "read_matter", "matter", row.id, about_id=row.reporter_id)
        inside = view in ("staff", "own", "handler") and sees_text(view, row, caller)
        steps = await timeline_of(scope, row.id) if inside else ()
        photos = await photos_of(scope, row, inside=inside)
        pickup = await _pickup_of(row) if row.kind == "wish" and row.status == "done" and caller.reporter else None
    told = [step.out(view, language, places=sees_place(view, row)) for step in steps]
    return msgspec.structs.replace(found, steps=told, photos=photos, pickup=pickup)


async def _pickup_of(row: MatterRow) -> PickupOut | None:
    """The code of the gift that waits for a wish, while it is found by it. Checks no permission."""
    return await database.row(
        PickupOut,
        "SELECT k.code, t.name AS station, k.expires_at AS until FROM pickup k "
        "JOIN station t ON t.community_id = k.community_id AND t.id = k.station_id "
        "WHERE k.community_id = $1 AND k.noun = 'matter' AND k.noun_id = $2",
        row.community_id, row.id,
    )  # fmt: skip


async def photos_of(scope: Scope, row: MatterRow, *, inside: bool) -> list[AttachmentOut]:
    """Its photos: all for those inside, the published ones for everybody else."""
    return await photos_attached(scope, "matter", row.id, published=not inside)


def _grid_of(area_id: str) -> str:
    """SQL of the name of the grid in which a step's area lies."""
    where = f"WHERE a.community_id = s.community_id AND a.id = {area_id}"
    return f"(SELECT {grid_in_words('a')} FROM area a {where})"  # noqa: S608  # columns of a step


async def timeline_of(scope: Scope, matter_id: UUID) -> Sequence[StepRow]:
    """The steps of a matter, oldest first. Checks no permission."""
    async with transaction(scope):
        return await database.rows(
            StepRow,
            "SELECT s.at, s.verb, s.by_kind, s.from_status, s.to_status, s.note, s.public, u.name AS unit, "  # noqa: S608  # no input
            f"t.name AS team, s.level, s.due_at, {_grid_of('s.from_area_id')} AS from_grid, "
            f"{_grid_of('s.area_id')} AS grid FROM matter_step s LEFT JOIN unit u ON u.id = s.unit_id "
            "LEFT JOIN team t ON t.community_id = s.community_id AND t.id = s.team_id "
            "WHERE s.community_id = $1 AND s.matter_id = $2 ORDER BY s.at, s.id",
            scope.community_id, matter_id,
        )  # fmt: skip


async def find_by_number(scope: Scope, number: str, language: str = "zh") -> MatterOut:
    """The matter of this number, as it is said on the phone. Raises NotFound."""
    scope.require_use("matters")
    async with transaction(scope):
        matter_id = await database.fetch_value(
            "SELECT id FROM matter WHERE community_id = $1 AND number = $2",
            scope.community_id, "".join(number.split()),
        )  # fmt: skip
    if matter_id is None:
        raise NotFound
    return await find_matter(scope, UUID(bytes=matter_id.bytes), language)
