"""Logins of staff that somebody else has opened by a code, until a second person confirms whose they are."""

from collections.abc import Sequence
from uuid import UUID

from timebank import audit, clock, database
from timebank.access import logins
from timebank.agreements.independence import NotIndependent, is_uninvolved, near
from timebank.agreements.schemas import Unconfirmed
from timebank.database import retried, transaction
from timebank.errors import Forbidden
from timebank.scope import Role, Scope

STAFF = (Role.station_keeper, Role.grid_worker)


async def unconfirmed(scope: Scope) -> list[Unconfirmed]:
    """Staff whose login was opened by a code that nobody else has confirmed since."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            Unconfirmed, "SELECT * FROM agreement_unconfirmed($1, $2)", scope.community_id, clock.local_day()
        )


async def may_confirm(scope: Scope, opened: Sequence[Unconfirmed]) -> set[UUID]:
    """Whose logins of these the caller may confirm."""
    close = await near(scope, [login.person_id for login in opened])
    return {login.person_id for login in opened} - close.same if scope.administers else set()


@retried
async def confirm_login(scope: Scope, person_id: UUID) -> None:
    """Confirm that somebody's login is theirs: from now on its acts are not those of whoever gave the code.

    By an administrator, keeper or grid worker who neither is that person nor gave that code.
    """
    async with transaction(scope):
        if scope.device_id is not None or not (scope.administers or scope.has(*STAFF)):
            raise Forbidden
        if not await is_uninvolved(scope, person_id):
            raise NotIndependent
        if await logins.confirm_login(scope, person_id):
            await audit.record(scope, "confirm_login", "person", person_id)
