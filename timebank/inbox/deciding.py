"""Decide many rows together: the choice is kept for a minute, in which it can be undone, before the worker acts."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database, vault
from timebank.core.capability import resolve
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.inbox.kinds import MANY_MAX, Asked, Decidable, Decision, kind_of
from timebank.inbox.tables import MassDecision

UNDO_WITHIN = timedelta(minutes=1)
PROOF_SEAL = "mass decision proof"


class NothingChosen(TimebankError):
    code = "nothing_chosen"
    status = 422
    sentence = "没有选中可以由您决定的事。请先勾选；灰色的要由另一位来决定。"


class TooManyChosen(TimebankError):
    code = "too_many_chosen"
    status = 422
    sentence = "一次最多决定 {most} 件。请先筛选，分几次决定。"


class ReasonMissing(TimebankError):
    code = "mass_reason_missing"
    status = 422
    sentence = "退回要写明原因，每一位本人都会看到。"


class NotUndoable(TimebankError):
    code = "mass_decision_begun"
    status = 409
    sentence = "已经过了一分钟，后台已经开始办理，不能整批撤销。办错的请逐件冲正。"


class MassDecisionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about many rows; `seconds` are left to undo it."""

    id: UUID
    noun: str
    decision: Decision
    note: str
    status: str
    stopped: str | None
    chosen: int
    done: int
    refused: int
    decided_by: UUID | None
    by: str | None
    decided_at: datetime
    due_at: datetime
    ended_at: datetime | None
    mine: bool = False

    @property
    def seconds(self) -> int:
        return max(0, round((self.due_at - clock.now()).total_seconds())) if self.status == "pending" else 0

    @property
    def left(self) -> int:
        return self.chosen - self.done - self.refused


@retried
async def decide_many(
    scope: Scope, noun: str, decision: Decision, note: str, chosen: Sequence[UUID], asked: Asked, *, every: bool = False
) -> MassDecisionOut:
    """Keep the decision about these rows, or with `every` about all that match the filter, for the worker.

    Only rows that the caller may decide now are kept; whether they still may is checked again for each row when it is
    decided. Nothing is decided for a minute. Raises NothingChosen, TooManyChosen, ReasonMissing, Forbidden.
    """
    scope.require_admin()
    kind = kind_of(noun)
    if kind.decide is None or scope.login_id is None or scope.device_id is not None:
        raise Forbidden
    note = note.strip()
    if decision == "reject" and not note:
        raise ReasonMissing
    if len(chosen) > MANY_MAX:
        raise TooManyChosen(most=MANY_MAX)
    async with transaction(scope):
        found: Decidable = await resolve(kind.decidable)(scope, asked if every else Asked())
        wanted = found.many if every else [each for each in found.many if each in set(chosen)]
        if not wanted:
            raise NothingChosen
        kept = clock.new_id()
        await _keep(scope, kept, noun, decision, note, wanted, asked if every else Asked())
        await audit.record(
            scope, "decide_many", "mass_decision", kept, reason=note or None, of=noun, decision=decision,
            chosen=len(wanted),
        )  # fmt: skip
        await database.flush()
        return await find_decision(scope, kept)


async def _keep(
    scope: Scope, decision_id: UUID, noun: str, decision: Decision, note: str, wanted: Sequence[UUID], asked: Asked
) -> None:
    """Insert the decision with the proof by which the worker acts in the caller's name, and the chosen rows."""
    proof, now = secrets.token_bytes(32), clock.now()
    persons = sorted(scope.persons, key=lambda mine: mine.community_id != scope.community_id)
    await database.execute(
        "INSERT INTO mass_decision (community_id, id, noun, decision, note, asked, status, chosen, login_id, persons, "
        "decided_by, proof_hash, proof_sealed, decided_at, due_at) "
        "VALUES ($1, $2, $3, $4, $5, $6::jsonb, 'pending', $7, $8, $9, $10, $11, $12, $13, $14)",
        scope.community_id, decision_id, noun, decision, note, msgspec.json.encode(asked).decode(), len(wanted),
        scope.login_id, [mine.person_id for mine in persons], scope.actor_id, hashlib.sha256(proof).digest(),
        vault.seal(proof.hex(), PROOF_SEAL), now, now + UNDO_WITHIN,
    )  # fmt: skip
    await database.insert_many(
        "mass_decision_item", ("community_id", "decision_id", "noun_id", "place"),
        [(scope.community_id, decision_id, noun_id, place) for place, noun_id in enumerate(wanted)],
    )  # fmt: skip


@retried
async def undo(scope: Scope, decision_id: UUID) -> MassDecisionOut:
    """Undo a decision while it is pending: nothing was posted, so nothing is reversed. A repetition changes nothing.

    Only who decided may undo it. Raises NotFound, NotUndoable.
    """
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch_one(
            "SELECT status, login_id, due_at FROM mass_decision WHERE community_id = $1 AND id = $2 "
            "FOR NO KEY UPDATE",
            scope.community_id, decision_id,
        )  # fmt: skip
        if found is None or scope.login_id is None or UUID(bytes=found["login_id"].bytes) != scope.login_id:
            raise NotFound
        if found["status"] != "undone":
            if found["status"] != "pending":
                raise NotUndoable
            await end(scope, decision_id, "undone")
            await audit.record(scope, "undo_decide_many", "mass_decision", decision_id)
            await database.flush()
        return await find_decision(scope, decision_id)


async def end(scope: Scope, decision_id: UUID, status: str, stopped: str | None = None) -> None:
    """End a decision; rows that it has not decided are left as they are. Comes last: the proof ends with it."""
    await database.flush()
    await database.execute(
        "UPDATE mass_decision_item SET outcome = 'left' WHERE community_id = $1 AND decision_id = $2 "
        "AND outcome IS NULL",
        scope.community_id, decision_id,
    )  # fmt: skip
    await MassDecision.update(
        {MassDecision.status: status, MassDecision.stopped: stopped, MassDecision.ended_at: clock.now()}
    ).where((MassDecision.community_id == scope.community_id) & (MassDecision.id == decision_id))


_DECISIONS = (
    "SELECT d.id, d.noun, d.decision, d.note, d.status, d.stopped, d.chosen, d.done, d.refused, d.decided_by, "
    "p.name AS by, d.decided_at, d.due_at, d.ended_at, coalesce(d.login_id = $2, false) AS mine FROM mass_decision d "
    "LEFT JOIN person p ON p.community_id = d.community_id AND p.id = d.decided_by WHERE d.community_id = $1"
)


async def find_decision(scope: Scope, decision_id: UUID) -> MassDecisionOut:
    """One decision, for administrators and auditors. Raises NotFound."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(
            MassDecisionOut, f"{_DECISIONS} AND d.id = $3", scope.community_id, scope.login_id, decision_id
        )
    if found is None:
        raise NotFound
    return found


async def latest_decisions(scope: Scope, *, limit: int = 5) -> list[MassDecisionOut]:
    """The latest decisions about many rows, newest first, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            MassDecisionOut, f"{_DECISIONS} ORDER BY d.decided_at DESC, d.id DESC LIMIT {most(limit)}",
            scope.community_id, scope.login_id,
        )  # fmt: skip


class Refused(msgspec.Struct, frozen=True):
    """A row that was refused: its id and the code of why."""

    noun_id: UUID
    refusal: str
    place: int

    def text(self, language: str) -> str:
        return TimebankError.by_code.get(self.refusal, TimebankError)().text(language)


async def refused_items(
    scope: Scope, decision_id: UUID, *, limit: int = 200, cursor: str | None = None
) -> Page[Refused]:  # fmt: skip
    """The rows that a decision could not decide, in the order in which they were tried."""
    scope.require_reader()
    asked = Filters(scope.community_id, decision_id)
    asked.add_after("place", ">", read_cursor(cursor, tuple[int]))
    async with transaction(scope):
        found = await database.rows(
            Refused,
            "SELECT noun_id, refusal, place FROM mass_decision_item WHERE community_id = $1 AND decision_id = $2 "  # noqa: S608  # constants and conditions of the program, which hold no values
            f"AND outcome = 'refused'{asked.sql} ORDER BY place LIMIT {most(limit + 1)}",
            *asked.values,
        )  # fmt: skip
    return make_page(found, limit, lambda one: (one.place,))
