"""Undecided objections, as the inbox lists them."""

from collections.abc import Sequence
from uuid import UUID

from timebank.agreements.deciders import administrators_apart_from_each
from timebank.agreements.independence import near
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.inbox.kinds import Asked, Decidable, Item
from timebank.objections.listing import ObjectionDetail, count_undecided_objections, list_undecided_objections

LOOKED_AT = 200


async def listing(
    scope: Scope, _asked: Asked, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """The undecided objections, oldest first, each with who may decide it if the caller may not."""
    found = await list_undecided_objections(scope, limit=limit, cursor=cursor)
    async with transaction(scope):
        free = await _decidable_ids(scope, found.items)
        named = await administrators_apart_from_each(
            scope, [[one.objector_id, one.entered_by, *one.acted, *one.concerns] for one in found.items]
        )
    return Page(
        [
            Item(
                id=one.id, title=one.person, what=[one.what], began_at=one.started_at or one.created_at,
                minutes=one.minutes, points=one.points, notes=[one.reason], mine=one.id in free,
                who=[] if one.id in free else [officer.in_words(language) for officer in chosen],
            )
            for one, chosen in zip(found.items, named, strict=True)
        ],
        found.next,
    )  # fmt: skip


async def _decidable_ids(scope: Scope, found: Sequence[ObjectionDetail]) -> set[UUID]:
    if not scope.administers:
        return set()
    people = [person for one in found for person in (one.objector_id, one.entered_by, *one.acted, *one.concerns)]
    close = await near(scope, people, [login for one in found for login in one.logins])
    return {
        one.id
        for one in found
        if close.is_uninvolved([one.objector_id, one.entered_by, *one.acted, *one.logins], one.concerns)
    }


async def decidable(scope: Scope, _asked: Asked) -> Decidable:
    """How many wait, and how many of the 200 oldest the caller may decide; each is decided on its own page."""
    async with transaction(scope), database.gathering() as reads:
        counted = reads.start(count_undecided_objections(scope))
        oldest = reads.start(list_undecided_objections(scope, limit=LOOKED_AT))
    waiting, found = counted.result(), oldest.result().items
    async with transaction(scope):
        return Decidable(waiting, 0, len(await _decidable_ids(scope, found)), [], waiting > LOOKED_AT)
