"""The witness of a deed: the request for an answer, and the answer, without which the deed is not credited."""

from uuid import UUID

from timebank.agreements.independence import is_caller, is_independent, side_of, sides_of
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import Scope
from timebank.deeds.reading import find_deed, lock_deed
from timebank.deeds.schemas import Deed, DeedOut
from timebank.people.messages import notify


class NotAsked(TimebankError):
    code = "witness_not_asked"
    status = 409
    sentence = "这件善行已经有了结果，不用再作证。有疑问请找社区管理员。"


class WitnessThroughFiler(TimebankError):
    code = "witness_through_filer"
    status = 403
    sentence = "您的账号是登记人发码开通的，还没有别人确认过。请审核人当面问您，由审核人记下。"


async def ask_witness(scope: Scope, deed: Deed | DeedOut) -> None:
    """Notify the witness of a deed, once, that their answer is wanted."""
    if deed.witness_id is not None:
        await notify(
            scope, deed.witness_id, "witness_asked", f"deed:{deed.id}:witness", deed.id,
            person=deed.person, rule=deed.rule, day=deed.occurred_on, area=deed.area,
        )  # fmt: skip


@retried
async def answer_as_witness(scope: Scope, deed_id: UUID, confirms: bool, note: str = "") -> DeedOut:
    """Answer as the witness whether a deed was as it was filed. Repeating an answer changes nothing.

    A denial returns a deed from the public board to review. Raises Forbidden, NotAsked, WitnessThroughFiler.
    """
    await find_deed(scope, deed_id)
    async with transaction(scope):
        deed = await lock_deed(scope, deed_id)
        if not is_caller(scope, deed.witness_id):
            raise Forbidden
        answer = "confirmed" if confirms else "denied"
        if deed.witness_answer == answer:
            return DeedOut.of(deed)
        if deed.status not in ("filed", "noticed", "objected"):
            raise NotAsked
        await _require_own_hand(scope, deed)
        await database.execute(
            "UPDATE deed SET witness_answer = $3, witness_note = $4, witness_answered_at = $5, "
            "status = CASE WHEN $6 AND status = 'noticed' THEN 'filed' ELSE status END "
            "WHERE community_id = $1 AND id = $2",
            scope.community_id, deed.id, answer, note.strip() or None, clock.now(), not confirms,
        )  # fmt: skip
        await audit.record(
            scope, "answer_as_witness", "deed", deed.id, reason=note.strip() or None, about_id=deed.person_id,
            confirms=confirms,
        )  # fmt: skip
        if not confirms:
            await _notify_denied(scope, deed)
        return DeedOut.of(await lock_deed(scope, deed_id))


async def _require_own_hand(scope: Scope, deed: Deed) -> None:
    """Raise WitnessThroughFiler unless the caller is independent of the filer and of the deed's person.

    Otherwise one of these could have answered through an account that they opened.
    """
    own = await side_of(scope)
    sides = await sides_of(scope, [deed.person_id, deed.filed_by])
    if not all(is_independent(own, side) for side in sides.values()):
        raise WitnessThroughFiler


async def _notify_denied(scope: Scope, deed: Deed) -> None:
    await notify(
        scope, deed.person_id, "witness_denied", f"deed:{deed.id}:witness:denied", deed.id,
        rule=deed.rule, day=deed.occurred_on,
    )  # fmt: skip
