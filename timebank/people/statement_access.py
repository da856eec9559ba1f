"""Whose statement a caller may read: their own, that of a child in their care; for administrators and auditors any."""

from dataclasses import dataclass
from uuid import UUID

from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.directory import open_person
from timebank.people.guardianship.guardians import children_of, guardianships_of


@dataclass(frozen=True, slots=True)
class StatementAccess:
    """A person whose statement may be read, the scope to read it in, and whether the caller reads it as a guardian."""

    scope: Scope
    person_id: UUID
    as_guardian: bool = False


async def open_statement(caller: Scope, person_id: UUID | None = None) -> StatementAccess:
    """Check that the caller may read a person's statement; the caller's own when none is named. Raises NotFound.

    A guardian with recorded consent may read a child's. Reading somebody else's is audited as `open_person` does it.
    """
    scope = caller.acting_as(person_id) if person_id else caller
    person_id = person_id or scope.require_self()
    if not scope.is_own(person_id):
        child = next((c for c in await children_of(caller) if c.person_id == person_id and c.consented), None)
        if child is not None:
            return StatementAccess(caller.within(child.community_id), person_id, as_guardian=True)
        if not scope.reads_all:
            raise NotFound
        await open_person(scope, person_id)
    return StatementAccess(scope, person_id)


async def children_shown(book: StatementAccess) -> list[UUID]:
    """Whose class minutes a statement shows: the person's and those of the children in their care now.

    Nobody's where a guardian reads a child's statement.
    """
    if book.as_guardian:
        return []
    cared_for = await guardianships_of(book.scope, book.person_id)
    children = [g.child_id for g in cared_for if g.guardian_id == book.person_id and g.consented_at]
    return [book.person_id, *children]
