"""What every verb of the loop does: lock the matter, decide, write its row, one step and one audit row."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.errors import NotFound, RanIntoAnother
from timebank.core.scope import Scope
from timebank.matters.loop.deciding import Facts, Standing, decide, may
from timebank.matters.loop.refusals import ReasonMissing
from timebank.matters.reading.rows import MatterRow, lock_matter_row, matter_row
from timebank.matters.reading.seeing import View, view_of
from timebank.matters.reading.shown import MatterOut, shown
from timebank.matters.reading.standing import facts_of_matter, standing_of
from timebank.matters.schemas import MatterLevel, MatterStatus, Verb
from timebank.matters.tables import Matter, MatterStep
from timebank.people.locks import lock_people

ACTED_AS = {
    "dispatch": "dispatcher", "hand_up": "dispatcher", "hand_down": "dispatcher", "refuse": "dispatcher",
    "merge": "dispatcher", "confirm": "dispatcher", "postpone": "dispatcher", "publish": "dispatcher",
    "take": "handler", "give_up": "handler", "return": "handler", "finish": "handler", "ask": "handler",
    "answer": "resident", "withdraw": "resident", "rate": "resident", "reopen": "resident",
    "receive": "keeper", "collect": "keeper", "unreceive": "keeper", "uncollect": "keeper",
}  # fmt: skip


AUDITED: dict[Verb, str] = {
    "dispatch": "dispatch_matter", "hand_up": "hand_up_matter", "hand_down": "hand_down_matter",
    "refuse": "refuse_matter", "merge": "merge_matter", "confirm": "confirm_matter", "postpone": "postpone_matter",
    "publish": "publish_matter", "take": "take_matter", "give_up": "give_up_matter", "return": "return_matter",
    "finish": "finish_matter", "ask": "ask_matter", "answer": "answer_matter", "withdraw": "withdraw_matter",
    "rate": "rate_matter", "reopen": "reopen_matter", "receive": "receive_wish", "collect": "collect_wish",
    "unreceive": "undo_wish_receipt", "uncollect": "undo_wish_collection",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A verb on a locked matter: how it was, what the caller is to it, and the status afterwards."""

    scope: Scope
    row: MatterRow
    facts: Facts
    caller: Standing
    view: View
    verb: Verb
    to: MatterStatus


def concerned(row: MatterRow) -> set[UUID]:
    """The residents who may gain by a matter: who spoke, whom it is for, who helps, who handles it."""
    return {one for one in (row.reporter_id, row.for_person_id, row.assignee_id, *row.helpers) if one}


async def begin_act(
    scope: Scope, matter_id: UUID, verb: Verb, *, solved: bool = True, gains: bool = False, proven: bool = False
) -> Act:
    """Lock the matter for a verb, in the open transaction. `gains`: the people in it are locked before.

    `proven`: the caller has proved that who it is for stands there or was asked. Raises NotFound where the caller does
    not see the matter, and what `decide` refuses.
    """
    scope.require_use("matters")
    before = concerned(await matter_row(scope, matter_id)) if gains else set()
    await lock_people(scope, before)
    row = await lock_matter_row(scope, matter_id)
    if gains and not concerned(row) <= before:
        raise RanIntoAnother
    return await act_on(scope, row, verb, solved=solved, proven=proven)


async def act_on(scope: Scope, row: MatterRow, verb: Verb, *, solved: bool = True, proven: bool = False) -> Act:
    """The verb on a matter that is locked already. Raises as `begin` does."""
    caller, facts = await standing_of(scope, row), await facts_of_matter(scope, row)
    if proven:
        caller = msgspec.structs.replace(caller, proven=True)
    view = view_of(scope, row, caller) or ("handler" if proven else None)
    if view is None and verb == "take" and caller.eligible:
        view = "offered"  # it was offered to them a moment ago: they learn that somebody has taken it
    if view is None:
        raise NotFound
    to = decide(facts, verb, caller, solved=solved)
    return Act(scope=scope, row=row, facts=facts, caller=caller, view=view, verb=verb, to=to)


def require_reason(reason: str) -> str:
    """The reason without spaces around it. Raises ReasonMissing for an empty one."""
    if not reason.strip():
        raise ReasonMissing
    return reason.strip()


async def write(
    act: Act, *, note: str | None = None, public: bool = True, by: str | None = None, changes: dict[Any, Any],
    person_id: UUID | None = None, unit_id: UUID | None = None, team_id: UUID | None = None,
    level: MatterLevel | None = None, due_at: datetime | None = None, **audited: object,
) -> UUID:  # fmt: skip
    """Write the matter's changes, its step and the audit row; return the step's id.

    `public`: the reporter reads the note.
    """
    row, scope = act.row, act.scope
    changes = {Matter.status: act.to, **changes}
    await Matter.update(changes).where((Matter.community_id == scope.community_id) & (Matter.id == row.id))
    step_id = await add_step(
        scope, row, act.verb, act.to, by=by or ACTED_AS[act.verb], note=note, public=public, person_id=person_id,
        unit_id=unit_id, team_id=team_id, level=level, due_at=due_at,
    )  # fmt: skip
    await audit.record(
        scope,
        AUDITED[act.verb],
        "matter",
        row.id,
        about_id=row.reporter_id,
        **({"status": act.to} | audited),  # type: ignore[arg-type]  # values of the change
    )
    await database.flush()
    return step_id


async def add_step(
    scope: Scope, row: MatterRow, verb: str, to: MatterStatus, *, by: str, note: str | None = None,
    public: bool = True, person_id: UUID | None = None, unit_id: UUID | None = None, team_id: UUID | None = None,
    level: MatterLevel | None = None, due_at: datetime | None = None, opening: bool = False,
) -> UUID:  # fmt: skip
    """Add a line to the timeline; return its id."""
    step_id = clock.new_id()
    await MatterStep.insert(
        MatterStep(
            community_id=scope.community_id, id=step_id, matter_id=row.id, at=clock.now(), by_id=scope.actor_id,
            by_kind=by, verb=verb, from_status=None if opening else row.status,
            to_status=to, note=note or None, public=public,
            unit_id=unit_id, team_id=team_id, person_id=person_id, level=level, due_at=due_at,
        )
    )  # fmt: skip
    return step_id


async def answered(act: Act) -> MatterOut:
    """The matter after the verb, for who did it: also where they do not see it any more."""
    row = await matter_row(act.scope, act.row.id)
    caller = await standing_of(act.scope, row)
    view = view_of(act.scope, row, caller)
    verbs = may(await facts_of_matter(act.scope, row), caller) if view else []
    return shown(act.scope, row, caller, view or act.view, may=verbs)


async def leave_helpers(scope: Scope, matter_id: UUID, person_ids: Collection[UUID] | None = None) -> None:
    """End the helping of these people, or of everybody."""
    asked = database.Filters(scope.community_id, matter_id, clock.now())
    if person_ids is not None:
        asked.add("person_id = ANY ({}::text[]::uuid[])", database.as_texts(person_ids))
    await database.execute(
        "UPDATE matter_helper SET left_at = $3 WHERE community_id = $1 AND matter_id = $2 "  # noqa: S608  # no input
        f"AND left_at IS NULL{asked.sql}",
        *asked.values,
    )
