"""The import or undo that a community has under way (at most one): its beginning, row lock, progress and end."""

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import Community, Grant, ResidentRecord, Scope
from timebank.imports.intake import Kind
from timebank.imports.reports.reasons import Remark

HELD_FOR = timedelta(seconds=15)
ABANDONED_AFTER = timedelta(minutes=2)
"""Work that a command began counts as abandoned after this time without progress; others then need not wait for it."""
PLAN_SEAL, PROOF_SEAL = "import plan", "import proof"


class ImportRunning(TimebankError):
    code = "import_running"
    status = 409
    sentence = "社区正在处理“{file}”（已完成 {done} / {total}）。请等它结束再试；它的进度在导入页。"
    constraint = "import_work_pkey"


class PlanUnreadable(TimebankError):
    code = "import_of_before"
    status = 409
    sentence = "这次导入是升级以前开始的，新版本接不下去，已经停下。请再导入一次同一份表格，会接着做剩下的。"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """The work under way and its progress. Until `held_until` it is reserved for the process that carries it out."""

    run_id: UUID
    verb: Literal["import", "undo"]
    kind: Kind
    file_name: str
    file_hash: bytes
    skip_bad: bool
    done: int
    total: int
    created: int
    login_id: UUID | None
    proof_sealed: bytes | None
    began_at: datetime
    held_until: datetime

    @property
    def is_free(self) -> bool:
        return self.held_until <= clock.now()

    @property
    def is_abandoned(self) -> bool:
        """Whether a command began it and has stopped: neither a page nor the worker can continue it."""
        return self.login_id is None and self.held_until <= clock.now() - ABANDONED_AFTER

    def refusal(self) -> ImportRunning:
        return ImportRunning(file=self.file_name, done=self.done, total=self.total)


_WORK = (
    "SELECT w.run_id, w.verb, r.kind, r.file_name, r.file_hash, r.skip_bad, w.done, w.total, w.created, w.login_id, "
    "w.proof_sealed, w.began_at, w.held_until FROM import_work w "
    "JOIN import_run r ON r.community_id = w.community_id AND r.id = w.run_id WHERE w.community_id = $1"
)


async def under_way(scope: Scope) -> Work | None:
    """The import or undo that the community has under way, if any."""
    async with transaction(scope):
        return await database.row(Work, _WORK, scope.community_id)


async def begin(scope: Scope, run_id: UUID, verb: Literal["import", "undo"], plan: Sequence[object]) -> None:
    """Store the work in the caller's name, reserved for the caller's process.

    The database refuses work in another person's name. The proof with which a worker later acts in the caller's name is
    encrypted with the secret key, which the database does not have. Raises ImportRunning if other work is under way.
    """
    proof = None if scope.login_id is None else secrets.token_bytes(32)
    persons = sorted(scope.persons, key=lambda mine: mine.community_id != scope.community_id)
    await database.execute(
        "INSERT INTO import_work (community_id, run_id, verb, plan, done, total, created, late, login_id, persons, "
        "proof_hash, proof_sealed, began_at, held_until) "
        "VALUES ($1, $2, $3, $4, 0, $5, 0, '[]', $6, $7, $8, $9, $10, $11)",
        scope.community_id, run_id, verb, _seal(plan), len(plan), scope.login_id,
        [mine.person_id for mine in persons] if proof else [], _hash(proof) if proof else None,
        vault.seal(proof.hex(), PROOF_SEAL) if proof else None, clock.now(), clock.now() + HELD_FOR,
    )  # fmt: skip


async def plan_of(scope: Scope, run_id: UUID, shape: type[msgspec.Struct]) -> list[msgspec.Struct] | None:
    """The rows of a run as `shape`; None if the run has ended. Raises PlanUnreadable if another version stored them."""
    async with transaction(scope):
        sealed = await database.fetch_value(
            "SELECT plan FROM import_work WHERE community_id = $1 AND run_id = $2", scope.community_id, run_id
        )
    if sealed is None:
        return None
    content = zlib.decompress(vault.unseal_bytes(sealed, PLAN_SEAL))
    try:
        return msgspec.msgpack.decode(content, type=list[shape])  # type: ignore[valid-type]  # chosen by its kind
    except msgspec.DecodeError as error:
        raise PlanUnreadable from error


class Held(msgspec.Struct, frozen=True):
    """The progress of work whose row is locked until the transaction ends."""

    done: int
    total: int
    created: int
    late: list[Remark]


async def lock_work(scope: Scope, run_id: UUID) -> Held | None:
    """Lock the work's row for this transaction; None if another process has locked it or the work has ended."""
    found = await database.fetch_one(
        "SELECT done, total, created, late FROM import_work WHERE community_id = $1 AND run_id = $2 "
        "FOR NO KEY UPDATE SKIP LOCKED",
        scope.community_id, run_id,
    )  # fmt: skip
    if found is None:
        return None
    late = msgspec.json.decode(found["late"], type=list[Remark])
    return Held(found["done"], found["total"], found["created"], late)


async def record_progress(scope: Scope, run_id: UUID, *, rows: int, created: int, late: Sequence[Remark]) -> None:
    """Record the progress of a batch, in the transaction that has written its rows."""
    await database.execute(
        "UPDATE import_work SET done = done + $3, created = created + $4, late = late || $5::jsonb, held_until = $6 "
        "WHERE community_id = $1 AND run_id = $2",
        scope.community_id, run_id, rows, created, msgspec.json.encode(late).decode(), clock.now() + HELD_FOR,
    )  # fmt: skip


async def end_work(scope: Scope, run_id: UUID) -> None:
    """Delete the work. Must come last in its transaction, because the row also holds the proof of who acts."""
    await database.flush()  # what is queued needs that proof too
    await database.execute(
        "DELETE FROM import_work WHERE community_id = $1 AND run_id = $2", scope.community_id, run_id
    )


def scope_by_proof(scope: Scope, work: Work) -> Scope:
    """A scope with the proof of who started the work, but without any person or role."""
    assert work.proof_sealed is not None
    proof = bytes.fromhex(vault.unseal(work.proof_sealed, PROOF_SEAL))
    return Scope(community_id=scope.community_id, login_id=work.login_id, import_proof=_hash(proof), via="worker")


async def starter_of(scope: Scope, work: Work) -> Scope:
    """The scope of the work's starter with their present roles. Raises Forbidden if they are no administrator now."""
    proved = scope_by_proof(scope, work)
    async with transaction(proved):
        found = await database.fetch_one("SELECT * FROM import_actor($1)", clock.local_day())
    if found is None:
        raise Forbidden
    persons = msgspec.json.decode(found["persons"], type=tuple[ResidentRecord, ...])
    grants = msgspec.json.decode(found["grants"], type=frozenset[Grant])
    starter = Scope(
        community_id=scope.community_id,
        addressed=msgspec.json.decode(found["addressed"], type=Community),
        persons=persons,
        grants=grants,
        login_id=proved.login_id,
        import_proof=proved.import_proof,
        via="worker",
    )
    starter.require_admin()
    return starter


def _hash(proof: bytes) -> bytes:
    return hashlib.sha256(proof).digest()


def _seal(plan: Sequence[object]) -> bytes:
    return vault.seal_bytes(zlib.compress(msgspec.msgpack.encode(plan)), PLAN_SEAL)
