"""Reverse a mistaken expiry of class minutes, and notify the family."""

from uuid import UUID

import msgspec

from timebank.classes.class_time import entries
from timebank.classes.class_time.refunds import payers, require_not_close
from timebank.classes.courses import course
from timebank.classes.families import guardians_of, notify_family
from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger.refusals import EntryNotFound
from timebank.people.directory import names_of


class Unexpired(msgspec.Struct, frozen=True):
    """A reversed expiry: the entry of the expiry, and the minutes that can be used again."""

    entry_id: UUID
    minutes: int


@retried
async def reverse_class_expiry(scope: Scope, entry_id: UUID, reason: str) -> Unexpired:
    """Reverse the expiry of a child's minutes whose last day or days of grace are not over yet.

    The caller is an administrator who is not close to the child, its guardians or the payers. Raises OwnRefund,
    PastGrace, AlreadyReversed, EntryNotFound.
    """
    scope.require_admin()
    async with transaction(scope):
        owner = await database.fetch_one(
            "SELECT a.owner_id, a.subject_id FROM transfer t JOIN account a ON a.community_id = t.community_id "
            "AND a.id = t.debit_account WHERE t.community_id = $1 AND t.entry_id = $2 AND t.leg = 1 "
            "AND t.kind = 'expiry' AND t.source_kind = $3",
            scope.community_id, entry_id, entries.SOURCE,
        )  # fmt: skip
        if owner is None:
            raise EntryNotFound
        child_id, course_id = UUID(bytes=owner["owner_id"].bytes), UUID(bytes=owner["subject_id"].bytes)
        guardians = (await guardians_of(scope, [child_id]))[child_id]
        await require_not_close(scope, [child_id, *guardians, *await payers(scope, child_id, course_id)])
        title = (await course(scope, course_id)).title
        why = phrase("entry.class_expiry_reversed", course=title, reason=reason)
        minutes = await entries.post_expiry_reversal(scope, entry_id, why)
        await audit.record(
            scope, "reverse_class_expiry", "course", course_id, reason=reason, child_id=child_id, minutes=minutes
        )
        child = (await names_of(scope, [child_id]))[child_id]
        await notify_family(
            scope, child_id, "class_expiry_reversed", f"class_unexpiry:{entry_id}:{minutes}", course_id,
            course=title, child=child, minutes=minutes, reason=reason,
        )  # fmt: skip
        return Unexpired(entry_id, minutes)
