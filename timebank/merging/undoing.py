"""Undoing a merge within a day: everything that came from the merged record goes back to it."""

from uuid import UUID

from timebank.agreements.independence import near
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.ledger.posting import Posting, call
from timebank.merging.merges import MergeOut, merge_of
from timebank.people.locks import lock_people
from timebank.people.messages import notify


class MergeNotUndoable(Conflict):
    code = "merge_settled"
    sentence = "这次合并已经撤回，或过了一天，不能再撤回。有差错请更正登记，或冲正那一笔。"


class MergeSpent(Conflict):
    code = "merge_spent"
    sentence = "并过来的积分、时间或课时已经用掉一部分，或抵了欠账，不能再撤回合并。请先把那次兑换或课时退回。"


class NotSecondForMerge(TimebankError):
    code = "merge_needs_another"
    status = 403
    sentence = "这次合并涉及您本人或您的家人，要由另一位管理员撤回。"


@retried
async def undo_merge(scope: Scope, kept_id: UUID, merge_id: UUID) -> MergeOut:
    """Undo a merge within a day.

    Raises MergeNotUndoable once it is undone or too late, MergeSpent if something of what was moved has been used, and
    NotSecondForMerge if one of the two is the caller, a household member or not independent of the caller.
    """
    scope.require_admin()
    async with transaction(scope):
        done = await merge_of(scope, merge_id)
        if done.kept_id != kept_id:
            raise NotFound
        if done.undone_at is not None or done.undo_until < clock.now():
            raise MergeNotUndoable
        await lock_people(scope, [done.kept_id, done.merged_id])
        close = await near(scope, [done.kept_id, done.merged_id])
        if close.home or close.same:
            raise NotSecondForMerge
        if await database.fetch_value(
            "SELECT p.merged_into IS DISTINCT FROM $3 OR j.undone_at IS NOT NULL FROM person_merge j JOIN person p "
            "ON p.community_id = j.community_id AND p.id = j.merged_id WHERE j.community_id = $1 AND j.id = $2",
            scope.community_id, merge_id, done.kept_id,
        ):  # fmt: skip
            raise MergeNotUndoable
        answer = await call(
            scope, "person_unmerge",
            Posting(kind="merge", key=f"unmerge:{merge_id}", source_kind="person_merge", source_id=merge_id),
            {"merge": merge_id}, merge_id, scope.login_id,
        )  # fmt: skip
        if answer["verdict"] in ("spent", "closed"):
            raise MergeSpent
        await audit.record(scope, "undo_merge", "person", done.kept_id, merged=str(done.merged_id), merge=str(merge_id))
        for person_id in (done.kept_id, done.merged_id):
            await notify(scope, person_id, "merge_undone", f"unmerge:{merge_id}:{person_id}", done.kept_id)
        return await merge_of(scope, merge_id)
