"""What every verb of the loop does: lock the matter, decide, write its row, one step and one audit row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.matters.loop.deciding import Facts, Standing, decide, may
from timebank.matters.loop.refusals import ReasonMissing
from timebank.matters.reading.rows import MatterRow, lock_matter
from timebank.matters.reading.seeing import View, view_of
from timebank.matters.reading.shown import MatterOut, shown
from timebank.matters.reading.standing import Known, corrects_to, read_matter_known
from timebank.matters.schemas import MatterLevel, MatterStatus, Verb
from timebank.matters.tables import MatterStep

ACTED_AS = {
    "dispatch": "dispatcher", "hand_up": "dispatcher", "hand_down": "dispatcher", "refuse": "dispatcher",
    "merge": "dispatcher", "confirm": "dispatcher", "postpone": "dispatcher", "publish": "dispatcher",
    "take": "handler", "give_up": "handler", "return": "handler", "finish": "handler", "ask": "handler",
    "answer": "resident", "withdraw": "resident", "rate": "resident", "reopen": "resident",
    "receive": "keeper", "collect": "keeper", "unreceive": "keeper", "uncollect": "keeper",
    "correct_area": "dispatcher", "give_back": "keeper",
}  # fmt: skip


NO_NAMES: Mapping[str, str | None] = {}
_LISTS = frozenset({"flags", "told"})

AUDITED: dict[Verb, str] = {
    "dispatch": "dispatch_matter", "hand_up": "hand_up_matter", "hand_down": "hand_down_matter",
    "refuse": "refuse_matter", "merge": "merge_matter", "confirm": "confirm_matter", "postpone": "postpone_matter",
    "publish": "publish_matter", "take": "take_matter", "give_up": "give_up_matter", "return": "return_matter",
    "finish": "finish_matter", "ask": "ask_matter", "answer": "answer_matter", "withdraw": "withdraw_matter",
    "rate": "rate_matter", "reopen": "reopen_matter", "receive": "receive_wish", "collect": "collect_wish",
    "unreceive": "undo_wish_receipt", "uncollect": "undo_wish_collection", "correct_area": "correct_area",
    "give_back": "give_back_gift",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Act:
    """A verb on a locked matter: how it was, what the caller is to it, and the status afterwards.

    `after` is the matter with everything that the verb has written; `write` keeps it up to date.
    """

    scope: Scope
    row: MatterRow
    known: Known
    caller: Standing
    view: View
    verb: Verb
    to: MatterStatus
    after: MatterRow

    @property
    def facts(self) -> Facts:
        """What the state machine has decided by."""
        return self.known.facts(self.row)


async def begin_act(
    scope: Scope, matter_id: UUID, verb: Verb, *, gains: bool = False, locks: Collection[UUID] = (),
    about: Collection[UUID] = (),
) -> Act:  # fmt: skip
    """Lock the matter for a verb, in the open transaction, and read all that is decided by.

    `gains`: the people in it are locked before; `locks` are further ones. `about` are residents who may come to handle
    it. Raises NotFound where the caller does not see the matter, and what `decide` refuses.
    """
    scope.require_use("matters")
    await lock_matter(scope, matter_id, locks, gains=gains)
    row, known = await read_matter_known(scope, matter_id, about)
    return act_on(scope, row, known, verb)


def act_on(
    scope: Scope, row: MatterRow, known: Known, verb: Verb, *, solved: bool = True, proven: bool = False,
    towards: Sequence[UUID] | None = None,
) -> Act:  # fmt: skip
    """The verb on a matter that is locked already. Raises as `begin_act` does.

    `proven`: the caller has proved that who it is for stands there or was asked. `towards`: the path of the area to
    which it is corrected.
    """
    caller = known.standing(scope, row)
    if towards is not None:
        caller = corrects_to(scope, row, caller, towards)
    if proven:
        caller = msgspec.structs.replace(caller, proven=True)
    view = view_of(scope, row, caller) or ("handler" if proven else None)
    if view is None and verb == "take" and caller.eligible:
        view = "offered"  # it was offered to them a moment ago: they learn that somebody has taken it
    if view is None:
        raise NotFound
    to = decide(known.facts(row), verb, caller, solved=solved)
    return Act(scope=scope, row=row, known=known, caller=caller, view=view, verb=verb, to=to, after=row)


def require_reason(reason: str) -> str:
    """The reason without spaces around it. Raises ReasonMissing for an empty one."""
    if not reason.strip():
        raise ReasonMissing
    return reason.strip()


async def write(
    act: Act, changes: Mapping[str, object], *, note: str | None = None, public: bool = True, by: str | None = None,
    person_id: UUID | None = None, unit_id: UUID | None = None, team_id: UUID | None = None,
    level: MatterLevel | None = None, due_at: datetime | None = None, area_ids: tuple[UUID, UUID] | None = None,
    names: Mapping[str, str | None] = NO_NAMES, **audited: object,
) -> UUID:  # fmt: skip
    """Queue the matter's changes by column, its step and the audit row; return the step's id.

    `public`: the reporter reads the note. `names` are those of the unit, team or person who handles it afterwards.
    `area_ids`: where it was said to be, and where it is.
    """
    row, scope = act.row, act.scope
    changed = {"status": act.to, **changes}
    queue_changes(scope, row.id, changed)
    act.after = msgspec.structs.replace(act.after, **changed, **names)
    step_id = add_step(
        scope, row, act.verb, act.to, by=by or ACTED_AS[act.verb], note=note, public=public, person_id=person_id,
        unit_id=unit_id, team_id=team_id, level=level, due_at=due_at, area_ids=area_ids,
    )  # fmt: skip
    await audit.record(
        scope,
        AUDITED[act.verb],
        "matter",
        row.id,
        about_id=row.reporter_id,
        **({"status": act.to} | audited),  # type: ignore[arg-type]  # values of the change
    )
    return step_id


def queue_changes(scope: Scope, matter_id: UUID, changes: Mapping[str, object]) -> None:
    """Queue an UPDATE of a locked matter, by column; one such update in a transaction."""
    marks = ", ".join(
        f"{name} = ${number}{'::text[]' if name in _LISTS else ''}" for number, name in enumerate(changes, 3)
    )
    database.queue(
        database.change(
            f"UPDATE matter SET {marks} WHERE community_id = $1 AND id = $2",  # noqa: S608  # names of columns
            scope.community_id, matter_id, *changes.values(),
        )
    )  # fmt: skip


def add_step(
    scope: Scope, row: MatterRow, verb: str, to: MatterStatus, *, by: str, note: str | None = None,
    public: bool = True, person_id: UUID | None = None, unit_id: UUID | None = None, team_id: UUID | None = None,
    level: MatterLevel | None = None, due_at: datetime | None = None, area_ids: tuple[UUID, UUID] | None = None,
    opening: bool = False,
) -> UUID:  # fmt: skip
    """Queue a line of the timeline; return its id."""
    step_id = clock.new_id()
    database.queue(
        database.insert(
            MatterStep(
                community_id=scope.community_id, id=step_id, matter_id=row.id, at=clock.now(), by_id=scope.actor_id,
                by_kind=by, verb=verb, from_status=None if opening else row.status, to_status=to, note=note or None,
                public=public, unit_id=unit_id, team_id=team_id, person_id=person_id, level=level, due_at=due_at,
                from_area_id=area_ids[0] if area_ids else None, area_id=area_ids[1] if area_ids else None,
            )
        )
    )  # fmt: skip
    return step_id


def answered(act: Act) -> MatterOut:
    """The matter after the verb, for who did it: also where they do not see it any more."""
    caller = act.known.standing(act.scope, act.after)
    view = view_of(act.scope, act.after, caller)
    verbs = may(act.known.facts(act.after), caller) if view else []
    return shown(act.scope, act.after, caller, view or act.view, may=verbs)


def leave_helpers(act: Act, person_ids: Collection[UUID] | None = None) -> None:
    """Queue that these people help no more, or that nobody does."""
    leaving = act.after.helpers if person_ids is None else person_ids
    if not leaving:
        return
    database.queue(
        database.change(
            "UPDATE matter_helper SET left_at = $3 WHERE community_id = $1 AND matter_id = $2 AND left_at IS NULL "
            "AND person_id = ANY ($4::text[]::uuid[])",
            act.scope.community_id, act.row.id, clock.now(), database.as_texts(leaving), rows=len(leaving),
        )
    )  # fmt: skip
    act.after = msgspec.structs.replace(act.after, helpers=[one for one in act.after.helpers if one not in leaving])
