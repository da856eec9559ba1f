"""Filed deeds that wait for a review, as the inbox lists them and decides many of them."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from timebank.agreements.deciders import administrators_apart_from_each
from timebank.agreements.independence import near
from timebank.core import clock, database
from timebank.core.database import most, savepoint, transaction
from timebank.core.errors import TimebankError
from timebank.core.locale import _, translate
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.deeds.parties import party_to, people_of
from timebank.deeds.reading import filed, list_filed_deeds
from timebank.deeds.review import review_deed
from timebank.inbox.groups import Batch, decidable_groups
from timebank.inbox.kinds import MANY_MAX, Asked, Decidable, Group, Item, batches
from timebank.people.locks import lock_people

DENIED = _("见证人不认")
FLAGS = {"denied": DENIED}
ALONE = _("要逐条核实")


async def listing(
    scope: Scope, asked: Asked, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """The filed deeds, those that their witness denied first, then the oldest."""
    scope.require_reader()
    found = await list_filed_deeds(scope, asked, limit=limit, cursor=cursor)
    async with transaction(scope):
        parties = await party_to(scope, found.items) if scope.administers else {deed.id for deed in found.items}
        named = await administrators_apart_from_each(scope, [people_of(deed) for deed in found.items])
    return Page(
        [
            Item(
                id=deed.id, title=deed.person, what=[deed.rule, deed.area],
                began_at=clock.day_bounds(deed.occurred_on)[0], points=deed.points,
                doubts=[translate(DENIED, language)] if deed.witness_answer == "denied" else [],
                notes=[deed.words(language)], mine=deed.id not in parties,
                alone=translate(ALONE, language) if deed.witness_answer == "denied" else "",
                who=[officer.in_words(language) for officer in chosen] if deed.id in parties else [],
            )
            for deed, chosen in zip(found.items, named, strict=True)
        ],
        found.next,
    )  # fmt: skip


class _Party(msgspec.Struct, frozen=True):
    id: UUID
    person_id: UUID
    witness_id: UUID | None
    filed_by: UUID | None
    denied: bool


async def decidable(scope: Scope, asked: Asked) -> Decidable:
    """How many filed deeds wait, and which the caller may decide, in the order in which their people are locked."""
    scope.require_reader()
    to = filed(scope, asked)
    async with transaction(scope):
        found = await database.rows(
            _Party,
            "SELECT d.id, d.person_id, d.witness_id, d.filed_by, d.witness_answer IS NOT DISTINCT FROM 'denied' "  # noqa: S608  # conditions of the program
            f"AS denied FROM deed d WHERE d.community_id = $1{to.sql} "
            f"ORDER BY d.witness_answer IS DISTINCT FROM 'denied', d.id LIMIT {most(MANY_MAX)}",
            *to.values,
        )
        close = await near(scope, [person for d in found for person in (d.person_id, d.witness_id, d.filed_by)])
    mine = [d for d in found if scope.administers and close.is_uninvolved([d.filed_by], [d.person_id, d.witness_id])]
    many = sorted((d for d in mine if not d.denied), key=lambda d: (d.person_id, d.id))
    return Decidable(
        len(found), sum(d.denied for d in found), len(mine), [d.id for d in many], len(found) >= MANY_MAX
    )  # fmt: skip


async def groups(scope: Scope, language: str = "zh") -> list[Group]:
    """What waits of each import, newest first; who may decide it where the caller has filed it."""
    scope.require_reader()
    made = batches()
    if made is None:
        return []
    to = filed(scope, Asked())
    async with transaction(scope):
        found = await database.rows(
            Batch,
            "SELECT made.batch_id, count(*) AS waiting, count(DISTINCT d.person_id) AS people, "  # noqa: S608  # conditions of the program
            "count(*) FILTER (WHERE d.witness_answer = 'denied') AS doubtful, "
            "min(d.occurred_on) AS since, max(d.occurred_on) AS until, "
            "array_remove(array_agg(DISTINCT d.filed_by), NULL) AS entered "
            f"FROM deed d JOIN ({made.rows}) AS made ON made.noun_id = d.id WHERE d.community_id = $1{to.sql} "
            f"GROUP BY made.batch_id ORDER BY max(d.created_at) DESC, made.batch_id LIMIT {most(50)}",
            *to.values,
        )
        return await decidable_groups(scope, found, language)


async def decide_deeds(
    scope: Scope, deed_ids: Sequence[UUID], decision: Literal["approve", "reject"], note: str
) -> dict[UUID, str]:
    """Review each of these in the open transaction, as a single one is reviewed; return the codes of what was refused.

    Their people are locked first, in the order of their ids.
    """
    scope.require_admin()
    people = await database.fetch(
        "SELECT DISTINCT person_id FROM deed WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, list(deed_ids),
    )  # fmt: skip
    await lock_people(scope, [UUID(bytes=row["person_id"].bytes) for row in people])
    refused: dict[UUID, str] = {}
    for deed_id in deed_ids:
        try:
            async with savepoint():
                await review_deed(scope, deed_id, decision, note)
        except TimebankError as refusal:
            if refusal.status >= 500:
                raise
            refused[deed_id] = refusal.code
    return refused
