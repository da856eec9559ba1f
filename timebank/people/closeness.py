"""Who is too close to be served by somebody: oneself, whoever lives with one, and a child in one's care."""

from uuid import UUID

from timebank.people.guardians import is_guardian
from timebank.scope import Scope


async def is_close(scope: Scope, person_id: UUID, household_id: UUID | None) -> bool:
    """Whether somebody is the caller, lives in the caller's household, or is a child in the caller's care elsewhere.

    A guardian's phone shows the child's code: at the own counter it would prove that the guardian is there.
    """
    return scope.is_family(person_id, household_id) or (bool(scope.persons) and await is_guardian(scope, person_id))
