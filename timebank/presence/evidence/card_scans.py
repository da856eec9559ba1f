"""Whether a person has a card that nobody but its issuer has confirmed."""

from uuid import UUID

from timebank.core import database
from timebank.core.database import Question
from timebank.core.scope import Scope


def unconfirmed_question(scope: Scope, person_id: UUID) -> Question:
    """Whether the person has, or had, a card that nobody but its issuer has confirmed."""
    return database.value(
        "SELECT EXISTS (SELECT FROM card WHERE community_id = $1 AND person_id = $2 AND confirmed_at IS NULL)",
        scope.community_id, person_id,
    )  # fmt: skip
