"""Merging two records of one person: everything of the merged record moves to the kept one. Undo within a day."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.agreements.independence import near
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.ledger.posting import Posting, call
from timebank.ledger.resting import RESTS_FOR
from timebank.merging.facts import WHY, CannotMerge, facts_of, read_facts
from timebank.merging.merges import MergeOut, merge_of
from timebank.people.locks import lock_people
from timebank.people.messages import notify
from timebank.people.schemas import NO_NUL


class MergeIn(msgspec.Struct, forbid_unknown_fields=True):
    """Merge another record of the same person into this one; that record gets status `left`."""

    merged_id: UUID
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=NO_NUL)]


@retried
async def merge(scope: Scope, kept_id: UUID, asked: MergeIn) -> MergeOut | Waiting:
    """Merge a record into this one, or propose it to a second person from above.

    A second person is needed for a record of the caller, a household member or somebody not independent of the caller,
    and for a merge that moves something earned to another name or phone (`Facts.harmless`).
    """
    scope.require_admin()
    async with transaction(scope):
        await lock_people(scope, [kept_id, asked.merged_id])
        facts = await facts_of(scope, kept_id, asked.merged_id)
        close = await near(scope, [kept_id, asked.merged_id])
        if not facts.harmless or close.home or close.same:
            do = {"kept_id": kept_id, "merged_id": asked.merged_id, "reason": asked.reason}
            says = {"merged": facts.names[1], "reason": asked.reason}
            return await propose(
                scope, PERSON_MERGE, f"{kept_id}:{asked.merged_id}", do, says,
                person_id=kept_id, involved=[asked.merged_id], before=await merge_state(scope, do),
            )  # fmt: skip
        return await _merge(scope, kept_id, asked)


async def merge_state(scope: Scope, do: dict[str, object]) -> str:
    """The present state of both records, to notice a change since the merge was proposed."""
    kept_id, merged_id = UUID(str(do["kept_id"])), UUID(str(do["merged_id"]))
    found = await read_facts(scope, kept_id, merged_id)
    return found.stands if found else ""


async def merge_agreed(scope: Scope, change: Change) -> None:
    """Merge the records after a second person has agreed."""
    asked = MergeIn(UUID(change.do["merged_id"]), change.do["reason"])
    kept_id = UUID(change.do["kept_id"])
    await lock_people(scope, [kept_id, asked.merged_id])
    await facts_of(scope, kept_id, asked.merged_id)
    await _merge(scope, kept_id, asked)


async def _merge(scope: Scope, kept_id: UUID, asked: MergeIn) -> MergeOut:
    merge_id = clock.new_id()
    await notify(scope, kept_id, "person_merged", f"merge:{merge_id}", kept_id, urgent=True)
    await database.flush()  # the merge leads over the merged record's message of the same key if the kept one has none
    await _notify_logins(scope, asked.merged_id, merge_id)
    answer = await call(
        scope, "person_merge",
        Posting(kind="merge", key=f"merge:{merge_id}", source_kind="person_merge", source_id=merge_id),
        {"kept": kept_id, "merged": asked.merged_id}, kept_id, asked.merged_id, asked.reason, scope.login_id, RESTS_FOR,
    )  # fmt: skip
    if answer["verdict"] != "posted":
        raise CannotMerge(why=WHY["left"])
    await audit.record(
        scope, "merge_people", "person", kept_id, reason=asked.reason, merged=str(asked.merged_id), merge=str(merge_id)
    )
    return await merge_of(scope, merge_id)


async def _notify_logins(scope: Scope, merged_id: UUID, merge_id: UUID) -> None:
    """Notify every record, in any community, of the logins that stand for the merged record: they may lose it."""
    await database.execute(
        "SELECT login_tell(m.login_id, 'phone_changed.merged', '{}', $3, $4) FROM membership m "
        "WHERE m.community_id = $1 AND m.person_id = $2",
        scope.community_id, merged_id, f"merge:{merge_id}", clock.now(),
    )  # fmt: skip


PERSON_MERGE = Kind(name="person_merge", sentence=_("把{merged}的登记并入{person}的登记：{reason}"))
