"""The worker decides what was chosen together, a chunk at a time, in the name and with the present rights of who chose.

A chunk is one transaction that locks the rows of its people alone, so nobody else waits for it. What is decided is
noted in the same transaction: a worker that was killed goes on where it stopped, and nothing is decided twice.
"""

import hashlib
import time
from collections.abc import Mapping
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.capability import resolve
from timebank.core.database import most, retried, transaction
from timebank.core.errors import Forbidden
from timebank.core.scope import Community, Grant, ResidentRecord, Scope
from timebank.inbox.deciding import PROOF_SEAL, end
from timebank.inbox.kinds import Decision, kind_of
from timebank.people.messages import notify

CHUNK = 50
AT_ONCE_SECONDS = 10.0


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A decision whose minute is over, with the sealed proof of who decided."""

    id: UUID
    noun: str
    decision: Decision
    note: str
    login_id: UUID
    decided_by: UUID | None
    persons: list[UUID]
    proof_sealed: bytes


async def carry_out_decisions() -> int:
    """Carry out what is due in every community; return the number of communities.

    Each gets AT_ONCE_SECONDS, and the rest waits for the next round, because the worker has other jobs.
    """
    async with transaction(None):
        found = await database.fetch("SELECT * FROM mass_decisions_due($1) AS community_id", clock.now())
    for row in found:
        await carry_out_in(Scope.of_system(UUID(bytes=row["community_id"].bytes)))
    return len(found)


async def carry_out_in(scope: Scope, *, seconds: float = AT_ONCE_SECONDS) -> int:
    """Carry out the due decisions of one community, oldest first; return how many rows were decided."""
    until, decided = time.monotonic() + seconds, 0
    for one in await due_decisions(scope):
        while time.monotonic() < until:
            try:
                decider = await decider_of(scope, one)
            except Forbidden:
                await _finish(scope, one, stopped=Forbidden.code)
                break
            done = await decide_chunk(decider, one.id, one.noun, one.decision, one.note)
            if done is None:  # another worker is at it
                break
            decided += done
            if done == 0:
                await _finish(scope, one, stopped=None)
                break
    return decided


async def due_decisions(scope: Scope) -> list[Due]:
    """The decisions of one community that the worker carries out now, oldest first."""
    async with transaction(scope):
        return await database.rows(
            Due,
            "SELECT id, noun, decision, note, login_id, decided_by, persons, proof_sealed FROM mass_decision "  # noqa: S608  # no input
            f"WHERE community_id = $1 AND ended_at IS NULL AND due_at <= $2 ORDER BY due_at, id LIMIT {most(50)}",
            scope.community_id, clock.now(),
        )  # fmt: skip


def _proved(scope: Scope, one: Due) -> Scope:
    """A scope with the proof of who decided, but without any person or role."""
    proof = bytes.fromhex(vault.unseal(one.proof_sealed, PROOF_SEAL))
    return Scope(
        community_id=scope.community_id, login_id=one.login_id, import_proof=hashlib.sha256(proof).digest(),
        via="worker",
    )  # fmt: skip


async def decider_of(scope: Scope, one: Due) -> Scope:
    """The scope of who decided, with their records and roles of now. Raises Forbidden if they are no administrator."""
    proved = _proved(scope, one)
    async with transaction(proved):
        found = await database.fetch_one("SELECT * FROM import_actor($1)", clock.local_day())
    if found is None:
        raise Forbidden
    decider = Scope(
        community_id=scope.community_id,
        addressed=msgspec.json.decode(found["addressed"], type=Community),
        persons=msgspec.json.decode(found["persons"], type=tuple[ResidentRecord, ...]),
        grants=msgspec.json.decode(found["grants"], type=frozenset[Grant]),
        login_id=proved.login_id,
        import_proof=proved.import_proof,
        via="worker",
    )
    decider.require_admin()
    return decider


@retried
async def decide_chunk(decider: Scope, decision_id: UUID, noun: str, decision: Decision, note: str) -> int | None:
    """Decide the next CHUNK rows; return how many were tried, None while another worker has the decision."""
    async with transaction(decider):
        held = await database.fetch_value(
            "SELECT true FROM mass_decision WHERE community_id = $1 AND id = $2 AND ended_at IS NULL "
            "FOR NO KEY UPDATE SKIP LOCKED",
            decider.community_id, decision_id,
        )  # fmt: skip
        if held is None:
            return None
        found = await database.fetch(
            "SELECT noun_id FROM mass_decision_item WHERE community_id = $1 AND decision_id = $2 AND outcome IS NULL "  # noqa: S608  # no input
            f"ORDER BY place LIMIT {most(CHUNK)}",
            decider.community_id, decision_id,
        )  # fmt: skip
        ids = [UUID(bytes=row["noun_id"].bytes) for row in found]
        refused: Mapping[UUID, str] = {}
        if ids:
            refused = await resolve(kind_of(noun).decide or "")(decider, ids, decision, note)
        await _note(decider, decision_id, ids, refused)
    return len(ids)


async def _note(scope: Scope, decision_id: UUID, ids: list[UUID], refused: Mapping[UUID, str]) -> None:
    await database.flush()
    await database.execute(
        "UPDATE mass_decision_item i SET outcome = CASE WHEN t.refusal IS NULL THEN 'done' ELSE 'refused' END, "
        "refusal = t.refusal FROM unnest($3::uuid[], $4::text[]) AS t (id, refusal) "
        "WHERE i.community_id = $1 AND i.decision_id = $2 AND i.noun_id = t.id",
        scope.community_id, decision_id, ids, [refused.get(each) for each in ids],
    )  # fmt: skip
    await database.execute(
        "UPDATE mass_decision SET status = 'running', done = done + $3, refused = refused + $4 "
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, decision_id, len(ids) - len(refused), len(refused),
    )  # fmt: skip


@retried
async def _finish(scope: Scope, one: Due, *, stopped: str | None) -> None:
    """Notify who decided of what was refused, or that it stopped, and then end the decision."""
    async with transaction(scope):
        found = await database.fetch_one(
            "SELECT chosen, done, refused FROM mass_decision WHERE community_id = $1 AND id = $2 AND ended_at IS NULL",
            scope.community_id, one.id,
        )  # fmt: skip
    if found is None:
        return
    if stopped or found["refused"]:
        await _notify(scope, one, "decided_many.stopped" if stopped else "decided_many", dict(found))
    async with transaction(scope):
        held = await database.fetch_value(
            "SELECT true FROM mass_decision WHERE community_id = $1 AND id = $2 AND ended_at IS NULL FOR NO KEY UPDATE",
            scope.community_id, one.id,
        )  # fmt: skip
        if held:
            await end(scope, one.id, "stopped" if stopped else "done", stopped)


async def _notify(scope: Scope, one: Due, kind: str, counted: dict[str, int]) -> None:
    """Notify who decided, in the community of their own record, once."""
    async with transaction(_proved(scope, one)):
        found = await database.fetch_one("SELECT * FROM import_actor($1)", clock.local_day())
    records = msgspec.json.decode(found["persons"], type=tuple[ResidentRecord, ...]) if found else ()
    if records:
        await notify(
            Scope.of_system(records[0].community_id), records[0].person_id, kind, f"decided_many:{one.id}", one.id,
            chosen=counted["chosen"], done=counted["done"], refused=counted["refused"],
        )  # fmt: skip
