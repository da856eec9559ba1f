"""Who may see a deed, and who is too close to it to decide about it."""

from collections.abc import Sequence
from uuid import UUID

from timebank.agreements.independence import near
from timebank.core.errors import TimebankError
from timebank.core.scope import HEADS, Role, Scope
from timebank.deeds.schemas import Deed


class PartyToDeed(TimebankError):
    code = "party_to_deed"
    status = 403
    sentence = (
        "这件事与您有关（本人、同户、登记人、见证人、提异议的人或先前同意它的人，或他们中有人的账号由您发码开通），"
        "请由另一位来决定。"
    )


def is_caller(scope: Scope, *people: UUID | None) -> bool:
    """Whether one of these people is one of the caller's own records, in whichever community."""
    return any(p.person_id in people for p in scope.persons)


def people_of(deed: Deed) -> list[UUID | None]:
    """Whoever takes part in a deed: who filed it, who did it, who saw it."""
    return [deed.filed_by, deed.person_id, deed.witness_id]


async def party_to(scope: Scope, deeds: Sequence[Deed]) -> set[UUID]:
    """Those of the deeds about which somebody else must decide.

    The caller, or somebody who is no other person, filed them, or the caller's household did or saw them.
    """
    close = await near(scope, [person for deed in deeds for person in people_of(deed)])
    return {d.id for d in deeds if not close.is_uninvolved([d.filed_by], [d.person_id, d.witness_id])}


async def require_no_party(scope: Scope, deed: Deed) -> None:
    """Refuse whoever is too close to a deed to decide about it."""
    if await party_to(scope, [deed]):
        raise PartyToDeed


def reviews(scope: Scope, deed: Deed) -> bool:
    """Whether reviewing deeds of this place is the caller's duty: its grid worker, or an administrator."""
    return scope.works_in(deed.area_path)


def reach(scope: Scope) -> tuple[bool, list[UUID], list[UUID]]:
    """What a reader of deeds sees: everything, or certain areas with their subtrees, and always what is their own."""
    areas = [g.area_id for g in scope.here() if g.area_id and (g.role in HEADS or g.role == Role.grid_worker)]
    own = [p.person_id for p in scope.persons if p.community_id == scope.community_id]
    return scope.reads_all, areas, own
