"""Deciding about waiting changes, and listing them with the deciders."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.deciders import Bench, Party, who_in_words
from timebank.agreements.kinds import Change, Kind, Needs
from timebank.agreements.proposing import record_decision
from timebank.agreements.schemas import AgreementOut, Decision, Status
from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.locale import _, put_together, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.overview.change_kinds import carriers, kinds
from timebank.people.locks import lock_people
from timebank.people.messages import notify

FIELD_TO = _("{field}改成“{value}”")
LOOKED_AT = 200
ACKNOWLEDGED_AT_ONCE = 500


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


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    person_id: UUID | None
    person: str | None
    involved: list[UUID]
    change: str
    before: str
    needs: Needs
    depth: int
    proposed_by: UUID | None
    proposed_by_name: str | None
    proposed_by_login: UUID | None
    proposed_at: datetime
    status: Status
    decided_by: UUID | None
    decided_by_name: str | None
    decided_by_login: UUID | None
    decided_at: datetime | None
    note: str | None

    @property
    def about(self) -> Party:
        people = [*self.involved, self.person_id] if self.person_id else self.involved
        return Party(
            needs=self.needs,
            depth=self.depth,
            proposed_by=self.proposed_by,
            proposed_by_login=self.proposed_by_login,
            people=people,
            proposed_at=self.proposed_at,
        )

    @property
    def said(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.change)
        return decoded

    def text(self, language: str = "zh") -> str:
        kind = kinds()[self.kind]
        says = {name: _joined(value, language) for name, value in kind.said(self.said).items()}
        return put_together(kind.sentence_of(says), {"person": self.person or "—"} | says, language)


def _joined(value: object, language: str) -> object:
    """Join a list of words or (field, new value) pairs into one text; anything else is returned unchanged."""
    if not isinstance(value, list):
        return value
    told = [
        put_together(FIELD_TO, {"field": part[0], "value": part[1]}, language)
        if isinstance(part, tuple)
        else translate(str(part), language)
        for part in value
    ]
    return translate("、", language).join(told)


_ROWS = """
SELECT w.id, w.kind, w.person_id, p.name AS person, w.involved, w.change::text AS change,
       w.before::text AS before, w.needs, w.depth, w.proposed_by, q.name AS proposed_by_name, w.proposed_by_login,
       w.proposed_at, w.status, w.decided_by, d.name AS decided_by_name, w.decided_by_login, w.decided_at, w.note
FROM waiting_change w
LEFT JOIN person p ON p.community_id = w.community_id AND p.id = w.person_id
LEFT JOIN person q ON q.community_id = w.community_id AND q.id = w.proposed_by
LEFT JOIN person d ON d.community_id = w.community_id AND d.id = w.decided_by
WHERE w.community_id = $1
"""


async def _found(scope: Scope, agreement_id: UUID) -> _Row:
    row = await database.row(_Row, _ROWS + "AND w.id = $2", scope.community_id, agreement_id)
    if row is None:
        raise NotFound
    return row


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
        first = await _found(scope, agreement_id)
        # Lock order: people before the change's row, since carrying it out locks people too.
        await lock_people(scope, first.about.people)
        await database.execute(
            "SELECT FROM waiting_change WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id, agreement_id,
        )  # fmt: skip
        row = await _found(scope, agreement_id)
        if row.status != "waiting":
            if not _is_same(scope, row, decision):
                raise ChangeDecided
            return (await _outs(scope, [row], "zh"))[0]
        await _require_right(scope, row, decision, note)
        # The decision is written first: it is what gives an auditor the right to carry the change out.
        await record_decision(scope, row.id, OUTCOMES[decision], note or None)
        if decision == "agree":
            await _carry_out(scope, row)
        await _notify_outcome(scope, row, decision, note)
        return (await _outs(scope, [await _found(scope, agreement_id)], "zh"))[0]


OUTCOMES: dict[Decision, Status] = {"agree": "agreed", "refuse": "refused", "withdraw": "withdrawn"}


def _is_same(scope: Scope, row: _Row, decision: Decision) -> bool:
    return row.status == OUTCOMES[decision] and row.decided_by_login == scope.login_id


async def _require_right(scope: Scope, row: _Row, decision: Decision, note: str) -> None:
    if decision == "withdraw":
        if not _is_proposer(scope, row):
            raise Forbidden
        return
    if decision == "refuse" and kinds()[row.kind].in_force:
        raise InForceAlready
    if decision == "refuse" and not note:
        raise RefusalNeedsReason
    bench = await Bench.of(scope, [row.about])
    if not bench.may_decide(row.about):
        raise OthersDecide(who="、".join(who_in_words(bench.deciders(row.about))))


def _is_proposer(scope: Scope, row: _Row) -> bool:
    by_login = row.proposed_by_login is not None and row.proposed_by_login == scope.login_id
    return not kinds()[row.kind].in_force and (scope.system or by_login)


async def _carry_out(scope: Scope, row: _Row) -> None:
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


async def _notify_outcome(scope: Scope, row: _Row, decision: Decision, note: str) -> None:
    status = OUTCOMES[decision]
    await audit.record(
        scope, "decide_change", "waiting_change", row.id, reason=note or None, kind=row.kind, decision=decision
    )
    if row.proposed_by is not None and row.proposed_by_name is not None and not _is_proposer(scope, row):
        outcome = "另一个人同意了，已经办好" if decision == "agree" else "另一个人没有同意"
        text = f"{outcome}：{row.text()[:300]}" + (f" 说明：{note[:150]}" if note else "")
        await notify(scope, row.proposed_by, "change_decided", text, f"agreement:{row.id}:{status}", row.id)


async def _outs(scope: Scope, rows: Sequence[_Row], language: str) -> list[AgreementOut]:
    bench = await Bench.of(scope, [row.about for row in rows if row.status == "waiting"])
    return [_out(scope, row, bench, language) for row in rows]


def _out(scope: Scope, row: _Row, bench: Bench, language: str) -> AgreementOut:
    waits = row.status == "waiting"
    return AgreementOut(
        id=row.id, kind=row.kind, text=row.text(language), person_id=row.person_id, status=row.status,
        in_force=kinds()[row.kind].in_force, proposed_by=row.proposed_by,
        proposed_by_name=row.proposed_by_name, proposed_at=row.proposed_at,
        who=who_in_words(bench.deciders(row.about), language) if waits else [],
        may_decide=waits and bench.may_decide(row.about), may_withdraw=waits and _is_proposer(scope, row),
        decided_by=row.decided_by,
        decided_by_name=row.decided_by_name, decided_at=row.decided_at, note=row.note,
    )  # fmt: skip


async def agreements(
    scope: Scope, *, status: Status = "waiting", limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[AgreementOut]:
    """The changes of one status, newest first, with the deciders; for administrators and auditors."""
    scope.require_reader()
    before = read_cursor(cursor, tuple[datetime, UUID])
    async with transaction(scope):
        found = await database.rows(
            _Row,
            _ROWS + "AND w.status = $2 AND ($3::timestamptz IS NULL OR (w.proposed_at, w.id) < ($3, $4)) "
            "ORDER BY w.proposed_at DESC, w.id DESC LIMIT $5",
            scope.community_id, status, *(before or (None, None)), limit + 1,
        )  # fmt: skip
        kept = make_page(found, limit, lambda row: (row.proposed_at, row.id))
        return Page(await _outs(scope, kept.items, language), kept.next)


async def agreement(scope: Scope, agreement_id: UUID, *, language: str = "zh") -> AgreementOut:
    """One change, for administrators and auditors. Raises NotFound."""
    scope.require_reader()
    async with transaction(scope):
        return (await _outs(scope, [await _found(scope, agreement_id)], language))[0]


async def waiting_change_about(scope: Scope, kind: Kind, subject_id: UUID) -> AgreementOut | None:
    """The waiting change of a kind about one subject; None if there is none."""
    scope.require_reader()
    async with transaction(scope):
        row = await database.row(
            _Row, _ROWS + "AND w.kind = $2 AND w.subject = $3 AND w.status = 'waiting'",
            scope.community_id, kind.name, str(subject_id),
        )  # fmt: skip
        return (await _outs(scope, [row], "zh"))[0] if row else None


async def count_yours(scope: Scope, waiting: int) -> int:
    """How many of the waiting changes the caller may decide, counting at most the 200 oldest."""
    if not waiting:
        return 0
    async with transaction(scope):
        rows = await database.rows(
            _Row,
            _ROWS + "AND w.status = 'waiting' ORDER BY w.proposed_at, w.id LIMIT $2",
            scope.community_id,
            LOOKED_AT,
        )
        bench = await Bench.of(scope, [row.about for row in rows])
    return sum(bench.may_decide(row.about) for row in rows)


@retried
async def acknowledge(scope: Scope) -> int:
    """Mark as seen up to 500 changes that are in force already and that the caller may decide; returns how many."""
    scope.require_reader()
    seen = 0
    async with transaction(scope):
        rows = await database.rows(
            _Row,
            _ROWS + "AND w.status = 'waiting' AND w.kind = ANY ($2) ORDER BY w.id LIMIT $3 FOR NO KEY UPDATE OF w",
            scope.community_id, [kind.name for kind in kinds().values() if kind.in_force], ACKNOWLEDGED_AT_ONCE,
        )  # fmt: skip
        bench = await Bench.of(scope, [row.about for row in rows])
        for row in rows:
            if bench.may_decide(row.about):
                await record_decision(scope, row.id, "agreed", None)
                await _notify_outcome(scope, row, "agree", "")
                seen += 1
    return seen


async def waiting_rows(scope: Scope) -> list[tuple[UUID, datetime, Party, bool]]:
    """The 500 oldest waiting changes: id, time, parties, and whether it is in force already and only to be seen."""
    async with transaction(scope):
        rows = await database.rows(
            _Row,
            _ROWS + "AND w.status = 'waiting' ORDER BY w.proposed_at, w.id LIMIT $2",
            scope.community_id,
            ACKNOWLEDGED_AT_ONCE,
        )
    return [(row.id, row.proposed_at, row.about, kinds()[row.kind].in_force) for row in rows]
