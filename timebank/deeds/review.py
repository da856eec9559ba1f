"""Review of a filed deed: approval publishes it on the public board; rejection notifies its filer of the reason."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import end_waiting_change, is_above, propose
from timebank.core import audit, clock, database
from timebank.core.database import Question, retried, transaction
from timebank.core.errors import Forbidden, Invalid, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.deeds.credit import issue_deed_points
from timebank.deeds.parties import may_review_deed, people_of, require_no_party
from timebank.deeds.reading import find_deed, lock_deed
from timebank.deeds.schemas import Decision, Deed, DeedOut
from timebank.deeds.tables import Deed as DeedTable
from timebank.deeds.witness import ask_witness
from timebank.people.messages import Notification, notify_many
from timebank.policies.values import policies


class DeedReviewed(TimebankError):
    code = "deed_already_reviewed"
    status = 409
    sentence = "这件善行已经有人审核过了，没有再改。"


class WitnessDenied(TimebankError):
    code = "witness_denied"
    status = 422
    sentence = "见证人{witness}说不是这样（{said}）。核实后仍要同意的，请写明理由。"


@retried
async def review_deed(
    scope: Scope, deed_id: UUID, decision: Decision, note: str, *, witness_asked: bool = False
) -> DeedOut:
    """Approve a deed and publish it on the public board, or reject it with a reason.

    The caller is a grid worker of the place or an administrator, and no party. Without a public notice period the deed
    is credited at once, unless its witness has yet to answer. Points that are not the catalogue's, or more than
    `second_person_points`, wait for a second person from above. `witness_asked` records that the caller asked a witness
    who has not answered. A deed that its witness denied is approved only with a reason. Raises PartyToDeed,
    DeedReviewed, WitnessDenied.
    """
    if not may_review_deed(scope, await find_deed(scope, deed_id)):
        raise Forbidden
    note = note.strip()
    if decision == "reject" and not note:
        raise Invalid(why=_("退回要写明原因，登记人才知道怎么改。"))
    async with transaction(scope):
        deed = await lock_deed(scope, deed_id)
        await require_no_party(scope, deed)
        if deed.status != "filed":
            raise DeedReviewed
        if decision == "reject":
            await _write(scope, deed, "rejected", note, None)
            await _notify_rejected(scope, deed, note)
        else:
            if deed.witness_answer == "denied" and not note:
                raise WitnessDenied(witness=deed.witness or "—", said=deed.witness_note or "—")
            if deed.witness_owes and (witness_asked or deed.witness_answer == "denied"):
                await _note_asked(scope, deed)
            if await needs_second(scope, deed):
                return await _ask_above(scope, deed, note)
            await _publish(scope, await lock_deed(scope, deed_id), note)
        await end_waiting_change(
            scope, DEED_POINTS, str(deed_id)
        )  # this decision replaces the proposal of an earlier approval
        await audit.record(
            scope, "review_deed", "deed", deed.id, reason=note or None, about_id=deed.person_id, decision=decision
        )
        return DeedOut.of(await lock_deed(scope, deed_id))


async def _note_asked(scope: Scope, deed: Deed) -> None:
    await DeedTable.update(
        {
            DeedTable.witness_answer: "asked", DeedTable.witness_answered_at: clock.now(),
            DeedTable.witness_asked_by: scope.actor_id,
        }
    ).where((DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id))  # fmt: skip
    await audit.record(scope, "ask_witness", "deed", deed.id, about_id=deed.person_id)


async def needs_second(scope: Scope, deed: Deed) -> bool:
    """Whether the deed's points are more than the caller may approve without a second person from above.

    Points approved for other deeds of the same person on the same day are added, so that splitting a deed does not
    avoid the limit.
    """
    if is_above(scope):
        return False
    if deed.points_reason is not None:
        return True
    return await is_more_than_one_approves(scope, deed.person_id, deed.occurred_on, deed.points, beside=deed.id)


_APPROVED = (
    "SELECT coalesce(sum(points), 0)::bigint FROM deed WHERE community_id = $1 AND person_id = $2 "
    "AND occurred_on = $3 AND id IS DISTINCT FROM $4 AND status IN ('noticed', 'objected', 'credited')"
)


def approved_question(scope: Scope, person_id: UUID, occurred_on: date) -> Question:
    """The question for the points of a person's approved deeds of a day, to be asked with others."""
    return database.value(_APPROVED, scope.community_id, person_id, occurred_on, None)


async def is_more_than_one_approves(
    scope: Scope, person_id: UUID, occurred_on: date, points: int, *, beside: UUID | None = None
) -> bool:
    """Whether the points of a day, with those of approved deeds other than `beside`, exceed `second_person_points`."""
    async with transaction(scope):
        others: int = await database.fetch_value(_APPROVED, scope.community_id, person_id, occurred_on, beside)
        return points + others > (await policies(scope)).second_person_points


async def _ask_above(scope: Scope, deed: Deed, note: str) -> DeedOut:
    waits = await propose(
        scope, DEED_POINTS, str(deed.id), {"deed_id": deed.id, "note": note},
        {"rule": deed.rule, "points": deed.points, "reason": deed.points_reason or "—", "place": deed.area},
        person_id=deed.person_id, involved=people_of(deed), before=_stand_of(deed),
    )  # fmt: skip
    out = DeedOut.of(await lock_deed(scope, deed.id))
    return msgspec.structs.replace(out, waiting=waits.waiting, who=waits.who)


async def approve_agreed(scope: Scope, change: Change) -> None:
    deed = await lock_deed(scope, UUID(change.do["deed_id"]))
    await _publish(scope, deed, change.do["note"])
    await audit.record(
        scope, "review_deed", "deed", deed.id, reason=change.do["note"] or None, about_id=deed.person_id,
        decision="approve",
    )  # fmt: skip


async def present_deed_state(scope: Scope, do: Any) -> list[object]:
    deed = await lock_deed(scope, UUID(do["deed_id"]))
    return _stand_of(deed)


def _stand_of(deed: Deed) -> list[object]:
    return [deed.status, deed.points, deed.witness_answer == "denied"]


DEED_POINTS = Kind(
    name="deed_points", sentence=_("给{person}的「{rule}」记 {points} 分（{place}）。理由：{reason}"),
)  # fmt: skip


async def _publish(scope: Scope, deed: Deed, note: str) -> None:
    days = (await policies(scope)).notice_days if deed.notice_days is None else deed.notice_days
    await _write(scope, deed, "noticed", note, days)
    if deed.witness_owes:
        await ask_witness(scope, deed)
    elif days == 0:
        await issue_deed_points(scope, deed, key=f"deed:{deed.id}:credit")


async def _write(scope: Scope, deed: Deed, status: str, note: str, notice_days: int | None) -> None:
    now = clock.now()
    notice_from, notice_until = (None, None) if notice_days is None else (now, now + timedelta(days=notice_days))
    await DeedTable.update(
        {
            DeedTable.status: status, DeedTable.reviewed_by: scope.actor_id, DeedTable.reviewed_at: now,
            DeedTable.review_note: note or None, DeedTable.notice_from: notice_from,
            DeedTable.notice_until: notice_until,
        }
    ).where((DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id))  # fmt: skip


async def _notify_rejected(scope: Scope, deed: Deed, note: str) -> None:
    """Notify the person, and the filer where that is a resident of this community."""
    says = phrase("deed_rejected", rule=deed.rule, day=deed.occurred_on, area=deed.area, reason=note)
    listeners = {deed.person_id} | ({deed.filed_by} if deed.filed_by and deed.filed_by_name else set())
    to_send = [Notification(person_id, says, f"deed:{deed.id}:rejected", deed.id) for person_id in listeners]
    await notify_many(scope, to_send)
