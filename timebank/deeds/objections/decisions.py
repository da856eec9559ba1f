"""Deciding objections: an administrator who is not involved; restored points of many wait for a second person."""

from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.agreements.kinds import Change
from timebank.agreements.proposing import end_waiting_change
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.deeds.credit import issue_deed_points
from timebank.deeds.objections.objecting import LockedObjection, ObjectionDecided, lock_objection, set_objected_status
from timebank.deeds.parties import PartyToDeed, require_no_party
from timebank.deeds.reading import lock_deed
from timebank.deeds.restoring import DEED_AGAIN, propose_restoring
from timebank.deeds.review import needs_second
from timebank.deeds.schemas import Deed, ObjectionOut
from timebank.deeds.tables import Deed as DeedTable
from timebank.people.messages import notify
from timebank.service_records.deciding import took_part_in_scans
from timebank.service_records.objection_effects import lock_record, reject_after_objection, restore_reversed


@retried
async def decide_objection(scope: Scope, objection_id: UUID, upheld: bool, note: str) -> ObjectionOut:
    """Decide an objection. If upheld, the deed or record is rejected; else its public notice period goes on unchanged.

    Upholding an objection to a reversal credits the points again; many points wait for a second person from above.
    Raises PartyToDeed, ObjectionDecided.
    """
    scope.require_admin()
    async with transaction(scope):
        objection = await lock_objection(scope, objection_id)
        if not await is_uninvolved(scope, objection.person_id, objection.entered_by):
            raise PartyToDeed
        if upheld and (waits := await _ask_above(scope, objection, note)):
            return msgspec.structs.replace(objection.out(), waiting=waits.waiting, who=waits.who)
        await end_waiting_change(scope, DEED_AGAIN, str(objection_id))
        settle = _decide_deed if objection.deed_id else _decide_record
        outcome = await settle(scope, objection, upheld, note)
        await audit.record(scope, "decide_objection", "objection", objection_id, reason=note, upheld=upheld)
        await notify(
            scope, objection.person_id, "objection_decided", f"objection:{objection_id}:decided",
            objection.deed_id or objection.service_record_id, outcome=phrase(outcome), note=note,
        )  # fmt: skip
        return (await lock_objection(scope, objection_id)).out()


async def _ask_above(scope: Scope, objection: LockedObjection, note: str) -> Waiting | None:
    """Propose to restore the points of a reversed deed where these need a second person; None where they do not."""
    if objection.deed_id is None:
        return None
    deed = await lock_deed(scope, objection.deed_id)
    if deed.status != "reversed" or not await needs_second(scope, deed):
        return None
    await _require_judge(scope, deed)
    if (await lock_objection(scope, objection.id)).upheld is not None:
        raise ObjectionDecided
    return await propose_restoring(scope, deed, objection.id, note, (objection.person_id, objection.entered_by))


async def _require_judge(scope: Scope, deed: Deed) -> None:
    """Raise PartyToDeed for a party to the deed and, unless it is reversed, for one not independent of its approver."""
    await require_no_party(scope, deed)
    if deed.status != "reversed" and not await is_uninvolved(scope, deed.reviewed_by):
        raise PartyToDeed


async def restore_agreed(scope: Scope, change: Change) -> None:
    await decide_objection(scope, UUID(change.do["objection_id"]), True, change.do["note"])


async def _decide_deed(scope: Scope, objection: LockedObjection, upheld: bool, note: str) -> str:
    """Apply the decision to the deed; return the kind of its sentence."""
    assert objection.deed_id is not None
    deed = await lock_deed(scope, objection.deed_id)
    await _require_judge(scope, deed)
    await _write_decision(scope, objection, upheld, note)
    if deed.status == "reversed":
        if upheld:
            await issue_deed_points(scope, deed, key=f"deed:{deed.id}:restored:{objection.id}")
        return "outcome.restored" if upheld else "outcome.reversal_stays"
    if upheld:
        await DeedTable.update({DeedTable.review_note: note}).where(
            (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id)
        )
        await set_objected_status(scope, deed, "rejected")
        await notify(
            scope, deed.person_id, "deed_rejected.objected", f"deed:{deed.id}:rejected", deed.id,
            rule=deed.rule, day=deed.occurred_on, note=note,
        )  # fmt: skip
    elif (await lock_deed(scope, deed.id)).open_objections == 0:
        await set_objected_status(scope, deed, "filed" if deed.witness_answer == "denied" else "noticed")
        await notify(
            scope, deed.person_id, "deed_noticed", f"deed:{deed.id}:noticed:{objection.id}", deed.id,
            rule=deed.rule, day=deed.occurred_on,
        )  # fmt: skip
    return "outcome.deed_rejected" if upheld else "outcome.notice_goes_on"


async def _decide_record(scope: Scope, objection: LockedObjection, upheld: bool, note: str) -> str:
    """Apply the decision to the service record; return the kind of its sentence."""
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
        return "outcome.restored" if upheld else "outcome.reversal_stays"
    if upheld:
        await reject_after_objection(scope, record, note)
        key = f"service:{record.id}:rejected"
        await notify(scope, record.person_id, "record_rejected.objected", key, record.id, note=note)
    elif not await _has_open_objection(scope, record.id):
        key = f"service:{record.id}:noticed:{objection.id}"
        await notify(scope, record.person_id, "record_noticed", key, record.id)
    return "outcome.record_rejected" if upheld else "outcome.notice_goes_on"


async def _has_open_objection(scope: Scope, record_id: UUID) -> bool:
    """Whether a record has an undecided objection."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM objection WHERE community_id = $1 AND service_record_id = $2 AND upheld IS NULL)",
        scope.community_id, record_id,
    )  # fmt: skip
    return found


async def _write_decision(scope: Scope, objection: LockedObjection, upheld: bool, note: str) -> None:
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
