"""Whose book a caller may open: the own, that of a child in care, or, for staff who read all, anybody's."""

from dataclasses import dataclass
from uuid import UUID

from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.directory import open_person
from timebank.people.guardianship.guardians import children_of, guardianships_of


@dataclass(frozen=True, slots=True)
class Book:
    """A person's book, the scope it is read in, and whose class time it shows: the own, and of children in care now."""

    scope: Scope
    person_id: UUID
    children: list[UUID]


async def open_book(caller: Scope, person_id: UUID | None = None) -> Book:
    """The book of a person, the caller's own when none is named. What the caller may not read is not there.

    A child's book opens for a guardian with recorded consent. That staff opened somebody's is written down.
    """
    scope = caller.acting_as(person_id) if person_id else caller
    person_id = person_id or scope.require_self()
    if not scope.is_own(person_id):
        child = next((c for c in await children_of(caller) if c.person_id == person_id and c.consented), None)
        if child is not None:
            return Book(caller.within(child.community_id), person_id, [])
        if not scope.reads_all:
            raise NotFound
        await open_person(scope, person_id)
    cared_for = await guardianships_of(scope, person_id)
    children = [g.child_id for g in cared_for if g.guardian_id == person_id and g.consented_at]
    return Book(scope, person_id, [person_id, *children])
