"""One message to everybody who holds a role for a place, such as the grid workers of a building."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Role, Scope
from timebank.core.wording import phrase
from timebank.people.messages import due_at, values_of


class Place(msgspec.Struct, frozen=True):
    """An area or a station; neither: the whole community."""

    area_id: UUID | None = None
    station_id: UUID | None = None


@retried
async def notify_holders(
    scope: Scope, roles: Collection[Role], place: Place, kind: str, values: Mapping[str, object], key: str,
    about_id: UUID | None = None, urgent: bool = False,
) -> int:  # fmt: skip
    """Notify everybody who holds one of the roles in force for the place, once per key; returns how many.

    The caller is not notified. A grant reaches what lies below its place: a grid worker's the buildings of the grid and
    its station, an administrator's the whole community. Who lives in another community is notified there.
    """
    now = clock.now()
    async with transaction(scope):
        notified: int = await database.fetch_value(
            "SELECT tell_holders($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            scope.community_id, [role.value for role in roles], place.area_id, place.station_id, now,
            due_at(now, urgent=urgent), clock.local_day(), urgent, [person.person_id for person in scope.persons],
            kind, values_of(phrase(kind, **values)), key, about_id,
        )  # fmt: skip
    return notified
