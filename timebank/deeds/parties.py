"""Who may see a deed, and who is a party to it and therefore may not decide it."""

from collections.abc import Sequence
from uuid import UUID

from timebank.agreements.independence import near
from timebank.core.scope import HEADS, Role, Scope
from timebank.deeds.schemas import Deed
from timebank.objections.deciding import PartyToDeed


def people_of(deed: Deed) -> list[UUID | None]:
    """The people in a deed: its filer, its person and its witness."""
    return [deed.filed_by, deed.person_id, deed.witness_id]


async def party_to(scope: Scope, deeds: Sequence[Deed]) -> set[UUID]:
    """The ids of those deeds to which the caller is a party, so that somebody else must decide them.

    The caller is a party where not independent of the filer, or where the person or the witness is the caller, a
    present or former household member, or a child in the caller's care.
    """
    close = await near(scope, [person for deed in deeds for person in people_of(deed)])
    return {d.id for d in deeds if not close.is_uninvolved([d.filed_by], [d.person_id, d.witness_id])}


async def require_no_party(scope: Scope, deed: Deed) -> None:
    """Raise PartyToDeed where the caller is a party to the deed."""
    if await party_to(scope, [deed]):
        raise PartyToDeed


def may_review_deed(scope: Scope, deed: Deed) -> bool:
    """Whether the caller may review deeds of this place: as its grid worker or as an administrator."""
    return scope.works_in(deed.area_path)


def readable_deeds(scope: Scope) -> tuple[bool, list[UUID], list[UUID]]:
    """What deeds the caller may read: whether all; the ids of areas with their subtrees; the ids of own records."""
    areas = [g.area_id for g in scope.here() if g.area_id and (g.role in HEADS or g.role == Role.grid_worker)]
    return scope.reads_all, areas, scope.own_ids_here
