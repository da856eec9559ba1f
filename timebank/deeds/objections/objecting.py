"""Objections: residents object to what is on the public board; an administrator who is no party decides."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.agreements.kinds import Change
from timebank.agreements.proposing import end_waiting_change
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import dated
from timebank.deeds.credit import issue_deed_points
from timebank.deeds.objections.objectors import notify_objector, objector_of, require_may_object
from timebank.deeds.parties import PartyToDeed, is_caller, require_no_party
from timebank.deeds.reading import lock_deed
from timebank.deeds.restoring import DEED_AGAIN, propose_restoring
from timebank.deeds.review import needs_second
from timebank.deeds.schemas import Deed, ObjectionOut
from timebank.deeds.tables import Objection
from timebank.people.messages import notify
from timebank.service_records.deciding import took_part_in_scans
from timebank.service_records.objected import lock_record, reject_after_objection, restore_reversed


class NotOnNotice(TimebankError):
    code = "not_on_notice"
    status = 409
    sentence = "它现在不在公示期，不能提出异议。有疑问请找社区管理员。"


class OwnDeed(TimebankError):
    code = "own_deed"
    status = 403
    sentence = "这是您自己的记录。要更正，请找登记人或社区管理员。"


class AlreadyObjected(TimebankError):
    code = "already_objected"
    status = 409
    sentence = "您已经对它提出过异议，社区会给出决定，不用再提。"
    constraint = "objection_once"


class ObjectionDecided(TimebankError):
    code = "objection_already_decided"
    status = 409
    sentence = "这条异议已经有人决定了，没有再改。"


class _Objection(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    deed_id: UUID | None
    service_record_id: UUID | None
    person_id: UUID
    reason: str
    created_at: datetime
    upheld: bool | None
    decided_at: datetime | None
    decision_note: str | None
    entered_by: UUID | None

    def out(self) -> ObjectionOut:
        known = msgspec.structs.asdict(self)
        return ObjectionOut(**{name: known[name] for name in ObjectionOut.__struct_fields__ if name in known})


_COLUMNS = (
    "id, deed_id, service_record_id, person_id, reason, created_at, upheld, decided_at, decision_note, entered_by"
)


@retried
async def object_to_deed(scope: Scope, deed_id: UUID, reason: str, resident_id: UUID | None = None) -> ObjectionOut:
    """Object to a deed on the public board, once per resident; its credit waits for the decision.

    The person of a reversed deed may object to the reversal. Staff may object in a resident's name. Raises NotOnNotice,
    OwnDeed, AlreadyObjected, TooManyObjections.
    """
    objector = objector_of(scope, resident_id)
    async with transaction(scope):
        await require_may_object(scope, objector)
        deed = await lock_deed(scope, deed_id)
        is_own = objector == deed.person_id
        if deed.status == "reversed" and is_own:
            return await _object(scope, objector, reason, deed_id=deed_id)
        if deed.status not in ("noticed", "objected"):
            raise NotOnNotice
        if is_own:
            raise OwnDeed
        objection = await _object(scope, objector, reason, deed_id=deed_id)
        await _set_status(scope, deed, "objected")
        text = f"「{deed.rule}」（{dated(deed.occurred_on)}）有人提出异议，社区核实以前先不记分。结果会告诉您。"
        await notify(scope, deed.person_id, "deed_objected", text, f"deed:{deed.id}:objected:{objection.id}", deed.id)
        return objection


@retried
async def object_to_record(scope: Scope, record_id: UUID, reason: str, resident_id: UUID | None = None) -> ObjectionOut:
    """Object to an honour record on the public board, once per resident; its credit waits for the decision.

    The person of a reversed record of any kind may object to the reversal. Staff may object in a resident's name.
    Raises NotOnNotice, OwnDeed, AlreadyObjected, TooManyObjections.
    """
    objector = objector_of(scope, resident_id)
    async with transaction(scope):
        await require_may_object(scope, objector)
        record = await lock_record(scope, record_id)
        is_own = objector == record.person_id
        if record.status == "reversed" and is_own:
            return await _object(scope, objector, reason, record_id=record_id)
        if record.status != "noticed":
            raise NotOnNotice
        if is_own:
            raise OwnDeed
        objection = await _object(scope, objector, reason, record_id=record_id)
        text = "您的一条补录服务有人提出异议，社区核实以前先不计入。结果会告诉您。"
        key = f"service:{record.id}:objected:{objection.id}"
        await notify(scope, record.person_id, "record_objected", text, key, record.id)
        return objection


async def _object(
    scope: Scope, objector: UUID, reason: str, *, deed_id: UUID | None = None, record_id: UUID | None = None
) -> ObjectionOut:
    entered_by = None if is_caller(scope, objector) else scope.actor_id
    objection = _Objection(
        id=clock.new_id(), deed_id=deed_id, service_record_id=record_id, person_id=objector, reason=reason,
        created_at=clock.now(), upheld=None, decided_at=None, decision_note=None, entered_by=entered_by
    )  # fmt: skip
    await Objection.insert(
        Objection(
            community_id=scope.community_id, id=objection.id, deed_id=deed_id, service_record_id=record_id,
            person_id=objector, reason=reason, created_at=objection.created_at, upheld=None, decided_by=None,
            decided_at=None, decision_note=None, entered_by=entered_by,
        )
    )  # fmt: skip
    noun, noun_id = ("deed", deed_id) if deed_id else ("service_record", record_id)
    await audit.record(scope, "object", noun, noun_id, objection=objection.id)
    if entered_by is not None:
        await notify_objector(scope, objector, objection.id, "一件善行" if deed_id else "一条服务记录")
    return objection.out()


async def own_objection(scope: Scope, record_id: UUID) -> ObjectionOut | None:
    """The caller's own objection to a service record, with its decision; None where there is none."""
    async with transaction(scope):
        found = await database.row(
            _Objection,
            f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND service_record_id = $2 AND person_id = $3",  # noqa: S608  # own columns
            scope.community_id, record_id, scope.require_self(),
        )  # fmt: skip
    return found.out() if found else None


async def list_objections(
    scope: Scope, *, undecided: bool = False, limit: int = 50, cursor: str | None = None
) -> Page[ObjectionOut]:
    """Objections in the community, oldest first, for administrators and auditors."""
    scope.require_reader()
    after = read_cursor(cursor, tuple[UUID])
    async with transaction(scope):
        found = await database.rows(
            _Objection,
            f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND (NOT $2 OR upheld IS NULL) "  # noqa: S608  # own columns
            "AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4",
            scope.community_id, undecided, after[0] if after else None, limit + 1,
        )  # fmt: skip
    return make_page([objection.out() for objection in found], limit, lambda objection: (objection.id,))


@retried
async def decide_objection(scope: Scope, objection_id: UUID, upheld: bool, note: str) -> ObjectionOut:
    """Decide an objection. If upheld, the deed or record is rejected; else its public notice period goes on unchanged.

    Upholding an objection to a reversal credits the points again; many points wait for a second person from above.
    Raises PartyToDeed, ObjectionDecided.
    """
    scope.require_admin()
    async with transaction(scope):
        objection = await _find(scope, objection_id)
        if not await is_uninvolved(scope, objection.person_id, objection.entered_by):
            raise PartyToDeed
        if upheld and (waits := await _ask_above(scope, objection, note)):
            return msgspec.structs.replace(objection.out(), waiting=waits.waiting, who=waits.who)
        await end_waiting_change(scope, DEED_AGAIN, str(objection_id))
        settle = _settle_deed if objection.deed_id else _settle_record
        outcome = await settle(scope, objection, upheld, note)
        await audit.record(scope, "decide_objection", "objection", objection_id, reason=note, upheld=upheld)
        await notify(
            scope, objection.person_id, "objection_decided", f"您的异议有了决定：{outcome}。{note[:400]}",
            f"objection:{objection_id}:decided", objection.deed_id or objection.service_record_id,
        )  # fmt: skip
        return (await _find(scope, objection_id)).out()


async def _find(scope: Scope, objection_id: UUID) -> _Objection:
    objection = await database.row(
        _Objection,
        f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND id = $2",  # noqa: S608  # own columns
        scope.community_id, objection_id,
    )  # fmt: skip
    if objection is None:
        raise NotFound
    return objection


async def _ask_above(scope: Scope, objection: _Objection, note: str) -> Waiting | None:
    """Propose to restore the points of a reversed deed where these need a second person; None where they do not."""
    if objection.deed_id is None:
        return None
    deed = await lock_deed(scope, objection.deed_id)
    if deed.status != "reversed" or not await needs_second(scope, deed):
        return None
    await _require_judge(scope, deed)
    if (await _find(scope, objection.id)).upheld is not None:
        raise ObjectionDecided
    return await propose_restoring(scope, deed, objection.id, note, (objection.person_id, objection.entered_by))


async def _require_judge(scope: Scope, deed: Deed) -> None:
    """Raise PartyToDeed for a party to the deed and, unless it is reversed, for one not independent of its approver."""
    await require_no_party(scope, deed)
    if deed.status != "reversed" and not await is_uninvolved(scope, deed.reviewed_by):
        raise PartyToDeed


async def restore_agreed(scope: Scope, change: Change) -> None:
    await decide_objection(scope, UUID(change.do["objection_id"]), True, change.do["note"])


async def _settle_deed(scope: Scope, objection: _Objection, upheld: bool, note: str) -> str:
    """Apply the decision to the deed; return the outcome in Chinese words."""
    assert objection.deed_id is not None
    deed = await lock_deed(scope, objection.deed_id)
    await _require_judge(scope, deed)
    await _write_decision(scope, objection, upheld, note)
    if deed.status == "reversed":
        if upheld:
            await issue_deed_points(scope, deed, key=f"deed:{deed.id}:restored:{objection.id}")
        return "积分已恢复" if upheld else "冲正不变"
    if upheld:
        await database.execute(
            "UPDATE deed SET review_note = $3 WHERE community_id = $1 AND id = $2", scope.community_id, deed.id, note
        )
        await _set_status(scope, deed, "rejected")
        text = f"「{deed.rule}」（{dated(deed.occurred_on)}）有人提出异议，核实后不予记分。说明：{note[:300]}"
        await notify(scope, deed.person_id, "deed_rejected", text, f"deed:{deed.id}:rejected", deed.id)
    elif (await lock_deed(scope, deed.id)).open_objections == 0:
        await _set_status(scope, deed, "filed" if deed.witness_answer == "denied" else "noticed")
        text = f"对「{deed.rule}」（{dated(deed.occurred_on)}）的异议核实过了，公示照常。"
        await notify(scope, deed.person_id, "deed_noticed", text, f"deed:{deed.id}:noticed:{objection.id}", deed.id)
    return "这件善行不予记分" if upheld else "公示照常"


async def _settle_record(scope: Scope, objection: _Objection, upheld: bool, note: str) -> str:
    """Apply the decision to the service record; return the outcome in Chinese words."""
    assert objection.service_record_id is not None
    record = await lock_record(scope, objection.service_record_id)
    approved_by = None if record.status == "reversed" else record.reviewed_by
    acted = (record.entered_by or record.person_id, record.corrected_by, approved_by)
    uninvolved = await is_uninvolved(scope, *acted, concerns=[record.person_id])
    if not uninvolved or await took_part_in_scans(scope, record.visit_id):
        raise PartyToDeed
    await _write_decision(scope, objection, upheld, note)
    if record.status == "reversed":
        if upheld:
            await restore_reversed(scope, record, objection.id)
        return "积分已恢复" if upheld else "冲正不变"
    if upheld:
        await reject_after_objection(scope, record, note)
        text = f"您的一条补录服务有人提出异议，核实后不予计入。说明：{note[:300]}"
        await notify(scope, record.person_id, "record_rejected", text, f"service:{record.id}:rejected", record.id)
    elif not await _is_doubted(scope, record.id):
        text = "对您的一条补录服务的异议核实过了，公示照常。"
        key = f"service:{record.id}:noticed:{objection.id}"
        await notify(scope, record.person_id, "record_noticed", text, key, record.id)
    return "这条服务不予计入" if upheld else "公示照常"


async def _is_doubted(scope: Scope, record_id: UUID) -> bool:
    """Whether a record has an undecided objection."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM objection WHERE community_id = $1 AND service_record_id = $2 AND upheld IS NULL)",
        scope.community_id, record_id,
    )  # fmt: skip
    return found


async def _write_decision(scope: Scope, objection: _Objection, upheld: bool, note: str) -> None:
    """Record the decision. Upholding one objection upholds all undecided ones to the same deed or record.

    The caller holds the row lock of that deed or record, so that decisions run one after the other. Raises
    ObjectionDecided.
    """
    answered = await database.execute(
        "UPDATE objection SET upheld = $5, decided_by = $6, decided_at = $7, decision_note = $8 "
        "WHERE community_id = $1 AND upheld IS NULL AND (id = $2 OR $5 AND (deed_id = $3 OR service_record_id = $4)) "
        "AND EXISTS (SELECT FROM objection mine WHERE mine.community_id = $1 AND mine.id = $2 AND mine.upheld IS NULL)",
        scope.community_id, objection.id, objection.deed_id, objection.service_record_id, upheld, scope.actor_id,
        clock.now(), note,
    )  # fmt: skip
    if answered == "UPDATE 0":
        raise ObjectionDecided


async def _set_status(scope: Scope, deed: Deed, status: str) -> None:
    await database.execute(
        "UPDATE deed SET status = $3 WHERE community_id = $1 AND id = $2", scope.community_id, deed.id, status
    )
