"""Deciding objections: an administrator who is not involved; restored points of many wait for a second person."""

from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.agreements.kinds import Change
from timebank.agreements.proposing import end_waiting_change
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.objections.objecting import is_objected, read_objection
from timebank.objections.schemas import ObjectionOut, Raised
from timebank.objections.subjects import Parties, Subject, lock_parties, subject_of
from timebank.people.messages import notify


class PartyToDeed(TimebankError):
    code = "party_to_deed"
    status = 403
    sentence = (
        "这件事与您有关（本人、同户、登记人、见证人、提异议的人或先前同意它的人，或他们中有人的账号由您发码开通），"
        "请由另一位来决定。"
    )


class ObjectionDecided(TimebankError):
    code = "objection_already_decided"
    status = 409
    sentence = "这条异议已经有人决定了，没有再改。"


@retried
async def decide_objection(scope: Scope, objection_id: UUID, upheld: bool, note: str) -> ObjectionOut:
    """Decide an objection. If upheld, its subject is rejected; else the public notice period goes on unchanged.

    Upholding an objection to a reversal credits the points again; many points wait for a second person from above.
    Raises NotFound, PartyToDeed, ObjectionDecided.
    """
    scope.require_admin()
    async with transaction(scope):
        about = await read_objection(scope, objection_id)
        subject = subject_of(about.subject_kind)
        parties = await lock_parties(scope, about.subject_kind, about.subject_id)
        await _require_uninvolved(scope, about, parties)
        raised = await read_objection(scope, objection_id)  # under the lock, so that decisions run one after the other
        if raised.upheld is not None:
            raise ObjectionDecided
        restores = upheld and parties.stage == "reversed"
        if restores and subject.ask_above and (waits := await subject.ask_above(scope, raised, note)):
            return msgspec.structs.replace(raised.out(), waiting=waits.waiting, who=waits.who)
        if subject.again is not None:
            await end_waiting_change(scope, subject.again, str(objection_id))
        await _write_decision(scope, raised, upheld, note)
        outcome = await _carry_out(scope, subject, raised, parties, upheld, note)
        await audit.record(
            scope, "decide_objection", "objection", objection_id, about_id=parties.person_id, reason=note, upheld=upheld
        )
        await notify(
            scope, raised.person_id, "objection_decided", f"objection:{objection_id}:decided", raised.subject_id,
            outcome=phrase(outcome), note=note,
        )  # fmt: skip
        return (await read_objection(scope, objection_id)).out()


async def end_objections(scope: Scope, kind: str, subject_id: UUID, note: str) -> None:
    """Uphold every undecided objection to a subject that is taken back meanwhile, and notify those who raised them.

    Checks no permission. The caller holds the subject's lock.
    """
    ended = await database.fetch(
        "UPDATE objection SET upheld = true, decided_by = $4, decided_at = $5, decision_note = $6 "
        "WHERE community_id = $1 AND subject_kind = $2 AND subject_id = $3 AND upheld IS NULL RETURNING id, person_id",
        scope.community_id, kind, subject_id, scope.actor_id, clock.now(), note,
    )  # fmt: skip
    outcome = subject_of(kind).rejected
    for row in ended:
        objection_id, person_id = UUID(bytes=row["id"].bytes), UUID(bytes=row["person_id"].bytes)
        await audit.record(
            scope, "decide_objection", "objection", objection_id, about_id=person_id, reason=note, upheld=True
        )
        await notify(
            scope, person_id, "objection_decided", f"objection:{objection_id}:decided", subject_id,
            outcome=phrase(outcome), note=note,
        )  # fmt: skip


async def restore_agreed(scope: Scope, change: Change) -> None:
    await decide_objection(scope, UUID(change.do["objection_id"]), True, change.do["note"])


async def _require_uninvolved(scope: Scope, raised: Raised, parties: Parties) -> None:
    """Raise PartyToDeed where the caller is a party to the subject or to the objection."""
    acted = (raised.person_id, raised.entered_by, *parties.acted)
    if not await is_uninvolved(scope, *acted, concerns=parties.concerns, logins=parties.logins):
        raise PartyToDeed


async def _carry_out(scope: Scope, subject: Subject, raised: Raised, parties: Parties, upheld: bool, note: str) -> str:
    """Apply the decision to the subject; return the kind of the outcome's sentence."""
    if parties.stage == "reversed":
        if upheld:
            await subject.restore(scope, raised)
        return "outcome.restored" if upheld else "outcome.reversal_stays"
    if parties.stage == "published":
        if upheld:
            await subject.uphold(scope, raised, note)
        elif not await is_objected(scope, raised.subject_kind, raised.subject_id):
            await subject.dismiss(scope, raised)
    return subject.rejected if upheld else "outcome.notice_goes_on"


async def _write_decision(scope: Scope, raised: Raised, upheld: bool, note: str) -> None:
    """Record the decision. Upholding one objection upholds all undecided ones to the same subject."""
    await database.execute(
        "UPDATE objection SET upheld = $5, decided_by = $6, decided_at = $7, decision_note = $8 "
        "WHERE community_id = $1 AND upheld IS NULL AND (id = $2 OR $5 AND subject_kind = $3 AND subject_id = $4)",
        scope.community_id, raised.id, raised.subject_kind, raised.subject_id, upheld, scope.actor_id, clock.now(),
        note,
    )  # fmt: skip
