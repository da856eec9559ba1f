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


_TELL = "tell_holders($1, $2::text[], $3, $4, $5, $6, $7, $8, $9::text[]::uuid[], $10, $11, $12, $13)"


@retried
async def notify_holders(
    scope: Scope, roles: Collection[Role], place: Place, kind: str, values: Mapping[str, object], key: str,
    about_id: UUID | None = None, urgent: bool = False,
) -> int:  # fmt: skip
    """Notify everybody who holds one of the roles in force for the place, once per key; returns how many.

    The caller is not notified. A grant reaches what lies below its place: a grid worker's the buildings of the grid and
    its station, an administrator's the whole community. Who lives in another community is notified there.
    """
    async with transaction(scope):
        notified: int = await database.fetch_value(
            f"SELECT {_TELL}", *_values(scope, roles, place, kind, values, key, about_id, urgent)
        )
    return notified


def queue_to_holders(
    scope: Scope, roles: Collection[Role], place: Place, kind: str, values: Mapping[str, object], key: str,
    about_id: UUID | None = None, *, urgent: bool = False, otherwise: Collection[Role] = (),
) -> None:  # fmt: skip
    """Queue the same, to be sent with what else the open transaction writes; `otherwise`, where nobody holds those."""
    given = _values(scope, roles, place, kind, values, key, about_id, urgent)
    told = _TELL
    if otherwise:
        given = [*given, [role.value for role in otherwise]]
        told = f"CASE WHEN {_TELL} = 0 THEN {_TELL.replace('$2', '$14')} END"
    database.queue(database.change(f"SELECT {told}", *given))


def _values(
    scope: Scope, roles: Collection[Role], place: Place, kind: str, values: Mapping[str, object], key: str,
    about_id: UUID | None, urgent: bool,
) -> list[object]:  # fmt: skip
    now = clock.now()
    return [
        scope.community_id, [role.value for role in roles], place.area_id, place.station_id, now,
        due_at(now, urgent=urgent), clock.local_day(), urgent,
        database.as_texts(person.person_id for person in scope.persons), kind, values_of(phrase(kind, **values)), key,
        about_id,
    ]  # fmt: skip
