"""What a confirmed matter earns: a deed for who reported it, hours for who helped; and taking them back."""

from typing import Literal
from uuid import UUID

import msgspec

from timebank.access.roles.paid import roles_held_on
from timebank.core import clock, database
from timebank.core.scope import HEADS, Role, Scope
from timebank.deeds.filing.awards import Awarded, award, undo
from timebank.matters.checks.signs import DOUBTFUL, REPORTS_WAIT, SAME_PAIR, flag_pair, is_mutual, orders_of_pair
from timebank.matters.loop.acting import Act
from timebank.matters.reading.rows import MatterRow
from timebank.matters.tables import MatterHelper
from timebank.policies.values import policies
from timebank.rules.schemas import Trigger
from timebank.rules.source_row import SourceRow
from timebank.service_records.honour.noting import note_service, undo_noted

Why = Literal["not_confirmed", "nobody", "own_work", "not_true", "untrue_before", "late", "imported"]
"""Why nothing is even asked for: there is nobody to earn, or they did the work themselves, or it was not true.

`imported`: it comes from an old book, which an administrator has typed."""

AS_SOURCE = "matter"
HELPED = "matter_helper"
TRUE_BUT_REFUSED = ("not_ours", "cannot")


class AwardOut(msgspec.Struct, frozen=True):
    """The points that a report earns, and by which rule."""

    points: int
    rule: str


def why_nothing(row: MatterRow) -> Why | None:
    """Why a matter earns its reporter nothing, however the rules are; None where the rules decide. Pure."""
    if row.channel == "import":
        return "imported"
    if row.kind not in ("report", "event"):
        return "nobody"
    if row.reporter_id is None:
        return "nobody"
    if row.reporter_id in (row.assignee_id, row.done_by, *row.helpers):
        return "own_work"
    if REPORTS_WAIT in row.flags:
        return "untrue_before"
    if row.status == "refused" and row.refused_because not in TRUE_BUT_REFUSED:
        return "not_true"
    return None


async def award_reporter(act: Act) -> Awarded | Why:
    """File the deed of who reported something true, or say why there is none."""
    scope, row = act.scope, act.row
    if row.kind == "pledge":
        return await _award_pledge(scope, row)
    if why := why_nothing(row):
        return why
    assert row.reporter_id is not None
    doubtful = not DOUBTFUL.isdisjoint(row.flags) or await _is_mutual(act)
    return await award(
        scope, row.reporter_id, await trigger_of(scope, row), SourceRow(AS_SOURCE, row.id), area_id=row.area_id,
        on=clock.local_day(row.received_at), note=f"{row.category} {row.number}",
        confirmed_by=None if doubtful else scope.actor_id, once=True,
    )  # fmt: skip


async def _is_mutual(act: Act) -> bool:
    """Whether who reported it and who finished it do so for each other again and again; flags what they did."""
    scope, row = act.scope, act.row
    if row.reporter_id is None or row.done_by is None or not await is_mutual(scope, row.reporter_id, row.done_by):
        return False
    await database.flush()
    await flag_pair(scope, row.reporter_id, row.done_by)
    act.after = msgspec.structs.replace(act.after, flags=_with(act.after.flags, SAME_PAIR))
    return True


def _with(flags: list[str], flag: str) -> list[str]:
    return flags if flag in flags else [*flags, flag]


async def _award_pledge(scope: Scope, row: MatterRow) -> Awarded | Why:
    """A pledge that was kept by its due date earns the person who kept it."""
    if row.assignee_id is None:
        return "nobody"
    if row.done_at is None or row.done_at > row.due_at:
        return "late"
    return await award(
        scope, row.assignee_id, "pledge_kept", SourceRow(AS_SOURCE, row.id), area_id=row.area_id,
        on=clock.local_day(row.done_at), note=f"{row.category} {row.number}", confirmed_by=scope.actor_id,
        once=True,
    )  # fmt: skip


async def trigger_of(scope: Scope, row: MatterRow) -> Trigger:
    """By which trigger a report earns: as a courier's, as a head's in the own building, or as any resident's."""
    day = clock.local_day(row.received_at)
    assert row.reporter_id is not None
    held = await roles_held_on(scope, row.reporter_id, day)
    if any(each.role == Role.mobile_worker for each in held):
        return "courier_report_confirmed"
    if any(each.role in HEADS and each.area_id in row.area_path for each in held):
        return "head_report_confirmed"
    return "report_confirmed"


async def note_helpers(scope: Scope, row: MatterRow) -> list[UUID]:
    """Write the hours of everybody who helped with an order, pending; return the records. The people are locked.

    At most the category's minutes count, from the beginning.
    """
    assert scope.actor_id is not None
    found = await database.fetch(
        "SELECT id, person_id, started_at, CASE WHEN $3::integer IS NULL THEN ended_at ELSE "
        "least(ended_at, started_at + make_interval(mins => $3)) END AS ended_at FROM matter_helper "
        "WHERE community_id = $1 AND matter_id = $2 AND left_at IS NULL AND started_at IS NOT NULL "
        "ORDER BY person_id",
        scope.community_id, row.id, row.minutes_max,
    )  # fmt: skip
    written = []
    for each in found:
        helper_id, person_id = UUID(bytes=each["id"].bytes), UUID(bytes=each["person_id"].bytes)
        noted = await note_service(
            scope, person_id, each["started_at"], each["ended_at"], SourceRow(HELPED, helper_id), row.activity_id,
            scope.actor_id, flags=await _flags_of_pair(scope, row, person_id),
        )  # fmt: skip
        if noted.record_id is not None:
            await MatterHelper.update({MatterHelper.record_id: noted.record_id}).where(
                (MatterHelper.community_id == scope.community_id) & (MatterHelper.id == helper_id)
            )
            written.append(noted.record_id)
    return written


async def _flags_of_pair(scope: Scope, row: MatterRow, helper_id: UUID) -> list[str]:
    """The flag of hours for somebody whom the helper has helped more often this month than the policy allows."""
    served = row.for_person_id or row.reporter_id
    if served is None:
        return []
    most = (await policies(scope)).pair_orders_max
    return [SAME_PAIR] if await orders_of_pair(scope, helper_id, served) > most else []


async def take_back_earned(scope: Scope, row: MatterRow, reason: str, *, untrue: bool) -> None:
    """Take back what a matter has brought. Reopened: the hours of helpers alone, as what was reported stays true.

    `untrue`: the deed of who reported it too. The people are locked.
    """
    if untrue:
        await undo(scope, SourceRow(AS_SOURCE, row.id), reason)
    found = await database.fetch(
        "SELECT id FROM matter_helper WHERE community_id = $1 AND matter_id = $2 AND record_id IS NOT NULL ORDER BY id",
        scope.community_id, row.id,
    )  # fmt: skip
    for each in found:
        await undo_noted(scope, SourceRow(HELPED, UUID(bytes=each["id"].bytes)), reason)
