"""Which units a contact handles for, and in which communities: by each of their grants as a contact."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import Filters, transaction
from timebank.core.scope import Community, Role, Scope


class Served(msgspec.Struct, frozen=True):
    """A unit and the communities, at least one, in which the caller handles what is given to it."""

    unit_id: UUID
    communities: list[Community]


async def units_served(scope: Scope) -> list[Served]:
    """The units that the caller handles for, by each of their grants as a contact that reaches a community."""
    grants = [grant for grant in scope.grants if grant.role == Role.unit_contact]
    over = {grant.region_id or grant.community_id for grant in grants}
    if not over:
        return []
    async with transaction(None):
        found = await database.rows(
            Community,
            "SELECT id, name, path::text[] AS path FROM region WHERE kind = 'community' AND path && $1::text[]::uuid[]",
            database.as_texts(one for one in over if one),
        )
    served = [
        Served(grant.unit_id, [one for one in found if grant.reaches(one.id, one.path)])
        for grant in grants
        if grant.unit_id is not None
    ]
    return [one for one in served if one.communities]


def places_of(served: Sequence[Served]) -> dict[UUID, str]:
    """The names of the communities in which any of these units is served."""
    return {community.id: community.name for one in served for community in one.communities}


def add_served(
    seen: Filters, served: Sequence[Served], unit: str, community: str, *, kind: Literal["uuid", "text"] = "uuid"
) -> None:  # fmt: skip
    """Add that a row is of one of these units where it is served.

    `unit` and `community` are the row's columns; `kind` is the type of the first.
    """
    held = [
        f"({unit} = {seen.mark(str(one.unit_id))}::text::{kind} AND {community} = ANY "
        f"({seen.mark(database.as_texts(there.id for there in one.communities))}::text[]::uuid[]))"
        for one in served
    ]
    seen.sql += f" AND ({' OR '.join(held) or 'false'})"


def in_first_served(scope: Scope, served: Sequence[Served]) -> Scope:
    """The caller in the first of these communities, of which there is one."""
    return replace(scope, community_id=served[0].communities[0].id)
