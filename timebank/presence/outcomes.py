"""The outcome of a visit: presence has it judged by another capability when it ends, and shows it.

The judging capability declares its verbs as `hooks` in its manifest, so that presence does not import it.
"""

from uuid import UUID

import msgspec

from timebank.core.capability import hook
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.presence.visits import VisitRow


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result for a visit's minutes; `record_id` is None where no record was written.

    `why` says why they do not count; `note` says so in a record of before, in words.
    """

    record_id: UUID | None
    status: str  # approved, pending, rejected; too_short or paid where no record was made
    minutes: int
    flags: list[str] = []
    note: str | None = None
    why: Phrase | None = None
    credited_minutes: int = 0
    credited_points: int = 0
    minutes_left: int | None = None
    capped: bool = False


async def record_visit(scope: Scope, visit: VisitRow) -> Outcome:
    """Have a visit judged that has just ended. The caller holds its row lock."""
    outcome: Outcome = await hook("visit_ended")(scope, visit)
    return outcome


async def record_again(scope: Scope, visit: VisitRow) -> Outcome:
    """Have a visit judged again, because its end was scanned only now. Call `require_undecided` first."""
    outcome: Outcome = await hook("visit_ended_again")(scope, visit)
    return outcome


async def require_undecided(scope: Scope, visit: VisitRow) -> None:
    """Raise ScanRefused (`decided_meanwhile`) where somebody has already decided about the visit."""
    await hook("visit_undecided")(scope, visit)


async def outcome_of(scope: Scope, visit_id: UUID) -> Outcome | None:
    """The stored outcome of a visit; None where it made no record."""
    outcome: Outcome | None = await hook("visit_outcome")(scope, visit_id)
    return outcome


async def withdraw_outcome(scope: Scope, visit_id: UUID) -> tuple[list[Phrase], int]:
    """Take back what a visit's end brought, because that end is undone; return it in words, and its points.

    The caller has locked the person and the visit. Raises OutcomeDecided where somebody has decided about it.
    """
    taken: tuple[list[Phrase], int] = await hook("visit_end_undone")(scope, visit_id)
    return taken
