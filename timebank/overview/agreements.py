"""Deciding about waiting changes, and listing them with the deciders."""

from dataclasses import replace
from uuid import UUID

import msgspec

from timebank.agreements.deciders import Bench, who_in_words
from timebank.agreements.kinds import Change
from timebank.agreements.proposing import record_decision
from timebank.agreements.schemas import AgreementOut, Decision, Status
from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.overview.change_kinds import carriers, kinds
from timebank.overview.changes_listed import (
    ACKNOWLEDGED_AT_ONCE,
    ROWS,
    ChangeRow,
    changes_out,
    find_change,
    is_proposer,
)
from timebank.people.locks import lock_people
from timebank.people.messages import notify


class ChangeDecided(TimebankError):
    code = "change_already_decided"
    status = 409
    sentence = "这项改动已经有了决定，没有再改。请刷新看结果。"


class OthersDecide(TimebankError):
    code = "others_decide"
    status = 403
    sentence = "这项改动要由另一个人决定：{who}。"


class ChangeStale(TimebankError):
    code = "change_stale"
    status = 409
    sentence = "提出之后，这件事已经改过了，不能照原来的办。请退回这一项，由提出的人看过现在的情况重新提。"


class RefusalNeedsReason(TimebankError):
    code = "refusal_needs_reason"
    status = 422
    sentence = "不同意要写明原因，提出的人会看到。"


class InForceAlready(TimebankError):
    code = "change_in_force"
    status = 409
    sentence = "这项已经在用，退回改变不了它。有问题请先到相应的页面改回去，再点「都看过了」。"


@retried
async def decide_change(scope: Scope, agreement_id: UUID, decision: Decision, note: str = "") -> AgreementOut:
    """Agree to a waiting change, which carries it out at once; refuse it with a reason; or withdraw the caller's own.

    A repetition of the decision returns the same. Raises OthersDecide with the deciders, ChangeStale if the state that
    it changes differs from when it was proposed, ChangeDecided, RefusalNeedsReason and InForceAlready.
    """
    note = note.strip()
    async with transaction(scope):
        if not (scope.reads_all or scope.system):
            raise Forbidden
        first = await find_change(scope, agreement_id)
        # Lock order: people before the change's row, since carrying it out locks people too.
        await lock_people(scope, first.about.people)
        await database.execute(
            "SELECT FROM waiting_change WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id, agreement_id,
        )  # fmt: skip
        row = await find_change(scope, agreement_id)
        if row.status != "waiting":
            if not _is_same(scope, row, decision):
                raise ChangeDecided
            return (await changes_out(scope, [row], "zh"))[0]
        await _require_right(scope, row, decision, note)
        # The decision is written first: it is what gives an auditor the right to carry the change out.
        await record_decision(scope, row.id, OUTCOMES[decision], note or None)
        if decision == "agree":
            await _carry_out(scope, row)
        await _notify_outcome(scope, row, decision, note)
        return (await changes_out(scope, [await find_change(scope, agreement_id)], "zh"))[0]


OUTCOMES: dict[Decision, Status] = {"agree": "agreed", "refuse": "refused", "withdraw": "withdrawn"}


def _is_same(scope: Scope, row: ChangeRow, decision: Decision) -> bool:
    return row.status == OUTCOMES[decision] and row.decided_by_login == scope.login_id


async def _require_right(scope: Scope, row: ChangeRow, decision: Decision, note: str) -> None:
    if decision == "withdraw":
        if not is_proposer(scope, row):
            raise Forbidden
        return
    if decision == "refuse" and kinds()[row.kind].in_force:
        raise InForceAlready
    if decision == "refuse" and not note:
        raise RefusalNeedsReason
    bench = await Bench.of(scope, [row.about])
    if not bench.may_decide(row.about):
        raise OthersDecide(who="、".join(who_in_words(bench.deciders(row.about))))


async def _carry_out(scope: Scope, row: ChangeRow) -> None:
    """Carry out a change unless its kind is in force already. Raises ChangeStale if the state has changed since."""
    if kinds()[row.kind].in_force:
        return
    carrier, change = carriers()[row.kind], Change(row.id, row.said["do"], row.proposed_by, row.person_id)
    if carrier.now is not None:
        stands = msgspec.json.decode(msgspec.json.encode(await carrier.now(scope, change.do)))
        if stands != msgspec.json.decode(row.before):
            raise ChangeStale
    # Run with the system's rights: the decider may be an auditor, who could not make the change alone.
    await carrier.do(replace(scope, system=True), change)


async def _notify_outcome(scope: Scope, row: ChangeRow, decision: Decision, note: str) -> None:
    status = OUTCOMES[decision]
    await audit.record(
        scope,
        "decide_change",
        "waiting_change",
        row.id,
        about_id=row.person_id,
        reason=note or None,
        kind=row.kind,
        decision=decision,
    )
    if row.proposed_by is not None and row.proposed_by_name is not None and not is_proposer(scope, row):
        await notify(
            scope, row.proposed_by, f"change_decided.{status}", f"agreement:{row.id}:{status}", row.id,
            change=row.phrase(), note=[phrase("note", note=note)] if note else [],
        )  # fmt: skip


@retried
async def acknowledge(scope: Scope) -> int:
    """Mark as seen up to 500 changes that are in force already and that the caller may decide; returns how many."""
    scope.require_reader()
    seen = 0
    async with transaction(scope):
        rows = await database.rows(
            ChangeRow,
            ROWS + "AND w.status = 'waiting' AND w.kind = ANY ($2) ORDER BY w.id LIMIT $3 FOR NO KEY UPDATE OF w",
            scope.community_id, [kind.name for kind in kinds().values() if kind.in_force], ACKNOWLEDGED_AT_ONCE,
        )  # fmt: skip
        bench = await Bench.of(scope, [row.about for row in rows])
        for row in rows:
            if bench.may_decide(row.about):
                await record_decision(scope, row.id, "agreed", None)
                await _notify_outcome(scope, row, "agree", "")
                seen += 1
    return seen
