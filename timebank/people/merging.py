"""Two records of one person become one: what each has is led to the one that is kept; within a day it can be undone."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank import audit, clock, database
from timebank.agreements.independence import near
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.database import retried, transaction
from timebank.errors import Conflict, NotFound, TimebankError
from timebank.ledger.posting import Posting, call
from timebank.ledger.resting import RESTS_FOR
from timebank.locale import _
from timebank.people.locks import lock_people
from timebank.people.messages import tell
from timebank.people.schemas import NO_NUL
from timebank.scope import Scope

UNDONE_WITHIN = timedelta(days=1)


class CannotMerge(Conflict):
    code = "cannot_merge"
    sentence = "这两条登记不能合并：{why}。"


class MergeSettled(Conflict):
    code = "merge_settled"
    sentence = "这次合并已经撤回，或过了一天，不能再撤回。有差错请更正登记，或冲正那一笔。"


class MergeSpent(Conflict):
    code = "merge_spent"
    sentence = "并过来的积分、时间或课时已经用掉一部分，不能再撤回合并。请先把那次兑换或课时退回。"


class NotSecondForMerge(TimebankError):
    code = "merge_needs_another"
    status = 403
    sentence = "这次合并涉及您本人或您的家人，要由另一位管理员撤回。"


class MergeIn(msgspec.Struct, forbid_unknown_fields=True):
    """Merge another record of the same person into this one; it ends as left and leads here."""

    merged_id: UUID
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=NO_NUL)]


class MergeOut(msgspec.Struct, frozen=True):
    """A merge. Until `undo_until` it can be undone."""

    id: UUID
    kept_id: UUID
    merged_id: UUID
    merged_name: str
    reason: str
    merged_at: datetime
    undone_at: datetime | None
    undo_until: datetime


class Facts(msgspec.Struct, frozen=True):
    """Two records, the first reason why they are not merged, and whether their names have one key."""

    names: list[str]
    alike: bool
    stands: str
    why: str | None


WHY = {
    "same": _("它们是同一条"), "merged": _("其中一条已经并过了"), "left": _("要留下的那一条不在册"),
    "identity": _("证件号不同，是两个人；证件号录错了的，先更正"), "born": _("出生日期不同；录错了的，先更正"),
    "sex": _("性别不同；录错了的，先更正"), "family": _("一条是另一条的监护人"),
    "inside": _("两条都在签到中，请先签退一条"), "booked": _("两条约了同一节课，请先取消一个"),
    "witness": _("一条为另一条的善行作证，请先退回那件善行"),
    "office": _("要并掉的一条是管理员或审计员，请先结束那个身份"),
    "owes": _("要并掉的一条有欠账：请反过来，把另一条并到有欠账的这一条"),
}  # fmt: skip

_FACTS = """
SELECT ARRAY[k.name, m.name] AS names, k.name_key = m.name_key AS alike,
    concat_ws('|', k.name_key, m.name_key, k.household_id, m.household_id, k.status, m.status, k.phone_index,
              m.phone_index) AS stands,
    CASE WHEN k.id = m.id THEN 'same' WHEN num_nonnulls(k.merged_into, m.merged_into) > 0 THEN 'merged'
        WHEN k.status <> 'active' THEN 'left' WHEN k.identity_index <> m.identity_index THEN 'identity'
        WHEN k.born_on <> m.born_on THEN 'born' WHEN k.sex <> m.sex THEN 'sex'
        WHEN EXISTS (SELECT FROM guardianship g WHERE g.community_id = $1
            AND (g.guardian_id, g.child_id) IN ((k.id, m.id), (m.id, k.id))) THEN 'family'
        WHEN (SELECT count(*) FROM visit v WHERE v.community_id = $1 AND v.person_id IN (k.id, m.id)
            AND v.status = 'open') > 1 THEN 'inside'
        WHEN EXISTS (SELECT FROM booking b WHERE b.community_id = $1 AND b.child_id IN (k.id, m.id)
            AND b.status IN ('held', 'waiting') GROUP BY b.lesson_id HAVING count(*) > 1) THEN 'booked'
        WHEN EXISTS (SELECT FROM deed d WHERE d.community_id = $1
            AND (d.person_id, d.witness_id) IN ((k.id, m.id), (m.id, k.id))) THEN 'witness'
        WHEN EXISTS (SELECT FROM role_grant g WHERE g.community_id = $1 AND g.person_id = m.id
            AND g.region_id IS NOT NULL AND g.ended_at IS NULL) THEN 'office'
        WHEN EXISTS (SELECT FROM debt d WHERE d.community_id = $1 AND d.owner_id = m.id AND d.repaid < d.amount)
            THEN 'owes' END AS why
FROM person k JOIN person m ON m.community_id = k.community_id AND m.id = $3
WHERE k.community_id = $1 AND k.id = $2
"""


async def facts_of(scope: Scope, kept_id: UUID, merged_id: UUID) -> Facts:
    """The two records as they stand. Both must be in the caller's community; why they cannot be merged is told."""
    found = await database.row(Facts, _FACTS, scope.community_id, kept_id, merged_id)
    if found is None:
        raise NotFound
    if found.why is not None:
        raise CannotMerge(why=WHY[found.why])
    return found


@retried
async def merge(scope: Scope, kept_id: UUID, asked: MergeIn) -> MergeOut | Waiting:
    """Merge a record into this one.

    What is one's own, or of one's household, waits for a second person from above; so do records of two names, by
    which an administrator could hand somebody's points to somebody else.
    """
    scope.require_admin()
    async with transaction(scope):
        await lock_people(scope, [kept_id, asked.merged_id])
        facts = await facts_of(scope, kept_id, asked.merged_id)
        close = await near(scope, [kept_id, asked.merged_id])
        if not facts.alike or close.home or close.same:
            do = {"kept_id": kept_id, "merged_id": asked.merged_id, "reason": asked.reason}
            says = {"merged": facts.names[1], "reason": asked.reason}
            return await propose(
                scope, PERSON_MERGE, f"{kept_id}:{asked.merged_id}", do, says,
                person_id=kept_id, involved=[asked.merged_id], before=await stands_now(scope, do),
            )  # fmt: skip
        return await _merge(scope, kept_id, asked)


async def stands_now(scope: Scope, do: dict[str, object]) -> str:
    """What a merge would be carried out on."""
    kept_id, merged_id = UUID(str(do["kept_id"])), UUID(str(do["merged_id"]))
    found = await database.row(Facts, _FACTS, scope.community_id, kept_id, merged_id)
    return found.stands if found else ""


async def merge_agreed(scope: Scope, change: Change) -> None:
    """Carry a merge out after the agreement."""
    asked = MergeIn(UUID(change.do["merged_id"]), change.do["reason"])
    kept_id = UUID(change.do["kept_id"])
    await lock_people(scope, [kept_id, asked.merged_id])
    await facts_of(scope, kept_id, asked.merged_id)
    await _merge(scope, kept_id, asked)


async def _merge(scope: Scope, kept_id: UUID, asked: MergeIn) -> MergeOut:
    merge_id = clock.new_id()
    text = (
        "您在本社区的两条登记合并成了一条，积分、时间和预约都并到了一起；"
        "72 小时内不能用手机花费。不对的话请马上告诉社区。"
    )
    await tell(scope, kept_id, "person_merged", text, f"merge:{merge_id}", kept_id)
    await _tell_logins(scope, asked.merged_id, merge_id)
    answer = await call(
        scope, "person_merge", _posting("merge", f"merge:{merge_id}", merge_id),
        {"kept": kept_id, "merged": asked.merged_id}, kept_id, asked.merged_id, asked.reason, scope.login_id, RESTS_FOR,
    )  # fmt: skip
    if answer["verdict"] == "owes":
        raise CannotMerge(why=WHY["owes"])
    await audit.record(
        scope, "merge_people", "person", kept_id, reason=asked.reason, merged=str(asked.merged_id), merge=str(merge_id)
    )
    return await _out(scope, merge_id)


async def _tell_logins(scope: Scope, merged_id: UUID, merge_id: UUID) -> None:
    """Tell the logins of the merged record, wherever they still stand for somebody: they may lose this record."""
    await database.execute(
        "SELECT login_tell(m.login_id, 'phone_changed', $3, $4, $5) FROM membership m "
        "WHERE m.community_id = $1 AND m.person_id = $2",
        scope.community_id, merged_id, "您在一个社区的登记并到了同一个人的另一条登记。不是您本人的，请马上告诉社区。",
        f"merge:{merge_id}", clock.now(),
    )  # fmt: skip


def _posting(kind: str, key: str, merge_id: UUID) -> Posting:
    return Posting(kind, key, "person_merge", merge_id)


@retried
async def undo_merge(scope: Scope, kept_id: UUID, merge_id: UUID) -> MergeOut:
    """Let the two records be two again, within a day, as long as nothing of what had been moved has been used."""
    scope.require_admin()
    async with transaction(scope):
        done = await _out(scope, merge_id)
        if done.kept_id != kept_id:
            raise NotFound
        if done.undone_at is not None or done.undo_until < clock.now():
            raise MergeSettled
        await lock_people(scope, [done.kept_id, done.merged_id])
        close = await near(scope, [done.kept_id, done.merged_id])
        if close.home or close.same:
            raise NotSecondForMerge
        if await database.fetch_value(
            "SELECT p.merged_into IS DISTINCT FROM $3 OR j.undone_at IS NOT NULL FROM person_merge j JOIN person p "
            "ON p.community_id = j.community_id AND p.id = j.merged_id WHERE j.community_id = $1 AND j.id = $2",
            scope.community_id, merge_id, done.kept_id,
        ):  # fmt: skip
            raise MergeSettled
        answer = await call(
            scope, "person_unmerge", _posting("merge", f"unmerge:{merge_id}", merge_id), {"merge": merge_id},
            merge_id, scope.login_id,
        )  # fmt: skip
        if answer["verdict"] in ("spent", "closed"):
            raise MergeSpent
        await audit.record(scope, "undo_merge", "person", done.kept_id, merged=str(done.merged_id), merge=str(merge_id))
        for person_id in (done.kept_id, done.merged_id):
            text = "您在本社区的登记合并已撤回，又分成了两条。不对的话请找社区管理员。"
            await tell(scope, person_id, "merge_undone", text, f"unmerge:{merge_id}:{person_id}", done.kept_id)
        return await _out(scope, merge_id)


_MERGES = """
SELECT j.id, j.kept_id, j.merged_id, m.name AS merged_name, j.reason, j.merged_at, j.undone_at,
    j.merged_at + $2 AS undo_until
FROM person_merge j JOIN person m ON m.community_id = j.community_id AND m.id = j.merged_id
WHERE j.community_id = $1
"""


async def _out(scope: Scope, merge_id: UUID) -> MergeOut:
    found = await database.row(MergeOut, f"{_MERGES} AND j.id = $3", scope.community_id, UNDONE_WITHIN, merge_id)
    if found is None:
        raise NotFound
    return found


async def merges_of(scope: Scope, person_id: UUID) -> list[MergeOut]:
    """What has been merged into a record of the community, the newest first."""
    scope.require_reader()
    async with transaction(scope):
        if not await database.fetch_value(
            "SELECT EXISTS (SELECT FROM person WHERE community_id = $1 AND id = $2)", scope.community_id, person_id
        ):
            raise NotFound
        return await database.rows(
            MergeOut, f"{_MERGES} AND j.kept_id = $3 ORDER BY j.merged_at DESC, j.id",
            scope.community_id, UNDONE_WITHIN, person_id,
        )  # fmt: skip


async def leads_to(scope: Scope, person_id: UUID) -> UUID | None:
    """The record that this one was merged into."""
    async with transaction(scope):
        found: UUID | None = await database.fetch_value(
            "SELECT merged_into FROM person WHERE community_id = $1 AND id = $2", scope.community_id, person_id
        )
    return found


PERSON_MERGE = Kind("person_merge", _("把{merged}的登记并入{person}的登记：{reason}"))
