"""Reviewing a filed deed: approved, it hangs on the public board; rejected, its filer is told why."""

from datetime import timedelta
from uuid import UUID

from timebank import audit, clock, database
from timebank.areas.policies import policies
from timebank.database import retried, transaction
from timebank.deeds.credit import credit
from timebank.deeds.parties import require_no_party, reviews
from timebank.deeds.reading import find_deed, lock_deed
from timebank.deeds.schemas import Decision, Deed, DeedOut
from timebank.errors import Forbidden, Invalid, TimebankError
from timebank.locale import _
from timebank.people.messages import tell
from timebank.scope import Scope
from timebank.wording import dated


class DeedReviewed(TimebankError):
    code = "deed_already_reviewed"
    status = 409
    sentence = "这件善行已经有人审核过了，没有再改。"


@retried
async def review_deed(scope: Scope, deed_id: UUID, decision: Decision, note: str) -> DeedOut:
    """Approve a deed for the public board, or reject it with the reason.

    By the grid worker of the place or an administrator, never by a party. Without a notice period it is credited now.
    """
    if not reviews(scope, await find_deed(scope, deed_id)):
        raise Forbidden
    note = note.strip()
    if decision == "reject" and not note:
        raise Invalid(why=_("退回要写明原因，登记人才知道怎么改。"))
    async with transaction(scope):
        deed = await lock_deed(scope, deed_id)
        require_no_party(scope, deed)
        if deed.status != "filed":
            raise DeedReviewed
        if decision == "reject":
            await _write(scope, deed, "rejected", note, None)
            await _tell_rejected(scope, deed, note)
        else:
            await _hang_out(scope, deed, note)
        await audit.record(scope, "review_deed", "deed", deed.id, reason=note or None, decision=decision)
        return DeedOut.of(await lock_deed(scope, deed_id))


async def _hang_out(scope: Scope, deed: Deed, note: str) -> None:
    days = (await policies(scope)).notice_days
    await _write(scope, deed, "noticed", note, days)
    if days == 0:
        await credit(scope, deed, key=f"deed:{deed.id}:credit")


async def _write(scope: Scope, deed: Deed, status: str, note: str, notice_days: int | None) -> None:
    now = clock.now()
    notice = (None, None) if notice_days is None else (now, now + timedelta(days=notice_days))
    await database.execute(
        "UPDATE deed SET status = $3, reviewed_by = $4, reviewed_at = $5, review_note = $6, notice_from = $7, "
        "notice_until = $8 WHERE community_id = $1 AND id = $2",
        scope.community_id, deed.id, status, scope.actor_id, now, note or None, *notice,
    )  # fmt: skip


async def _tell_rejected(scope: Scope, deed: Deed, note: str) -> None:
    """Tell the person, and whoever filed it for them where that is a resident here."""
    what = f"「{deed.rule}」（{dated(deed.occurred_on)}，{deed.area}）"
    text = f"{what}没有通过审核。原因：{note[:300]} 改好后可以重新登记。"
    listeners = {deed.person_id} | ({deed.filed_by} if deed.filed_by and deed.filed_by_name else set())
    for person_id in listeners:
        await tell(scope, person_id, "deed_rejected", text, f"deed:{deed.id}:rejected", deed.id)
