"""Logins that somebody else has opened or moved, until a second person confirms whose they are."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.sign_in import logins
from timebank.agreements.independence import (
    NotIndependent,
    is_independent,
    is_uninvolved,
    near,
    side_of,
    sides_of_logins,
)
from timebank.agreements.schemas import Unconfirmed
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.paging import Page, page, read_cursor
from timebank.core.scope import Role, Scope
from timebank.people.messages import tell
from timebank.people.residents import require_resident

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


class Resting(msgspec.Struct, frozen=True):
    """Somebody through whose login nothing is spent until then, or until somebody uninvolved confirms the person.

    `cause`: a `code` without a scan, a changed `phone`, or a record that `joined` an unconfirmed login.
    """

    id: UUID
    person_id: UUID
    name: str
    cause: str
    since: datetime
    until: datetime
    by_login: UUID | None


async def resting(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[Resting]:
    """Whose logins rest in the community, those first that rest longest."""
    scope.require_reader()
    before = read_cursor(cursor, tuple[datetime, UUID])
    async with transaction(scope):
        found = await database.rows(
            Resting,
            "SELECT r.id, r.person_id, p.name, r.cause, r.since, r.until, r.by_login FROM spending_rest r "
            "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
            "WHERE r.community_id = $1 AND r.ended_at IS NULL AND r.until > $2 "
            "AND ($3::timestamptz IS NULL OR (r.until, r.id) < ($3, $4)) ORDER BY r.until DESC, r.id DESC LIMIT $5",
            scope.community_id, clock.now(), *(before or (None, None)), limit + 1,
        )  # fmt: skip
    return page(found, limit, lambda rest: (rest.until, rest.id))


async def _confirmable(scope: Scope, rests: Sequence[Resting]) -> list[Resting]:
    """Those of these whose person the caller may confirm: nobody of the own home, nor what the caller brought about."""
    if not rests:
        return []
    home = (await near(scope, [rest.person_id for rest in rests])).home
    own = await side_of(scope)
    makers = await sides_of_logins(scope, [rest.by_login for rest in rests if rest.by_login])
    made_for = await _made_for(scope, rests)
    return [
        rest
        for rest in rests
        if rest.id not in made_for
        and rest.person_id not in home
        and (rest.by_login is None or (rest.by_login in makers and is_independent(own, makers[rest.by_login])))
    ]


async def _made_for(scope: Scope, rests: Sequence[Resting]) -> set[UUID]:
    """Those of these rests since which the caller serves here only by whoever has brought them about."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT r.id FROM spending_rest r CROSS JOIN LATERAL agreement_side($1, r.by_login, NULL) AS maker "
            "WHERE r.community_id = $1 AND r.id = ANY ($2) AND r.by_login IS NOT NULL "
            "AND rest_is_made_for($1, $3, maker.persons, r.since)",
            scope.community_id, [rest.id for rest in rests], scope.login_id,
        )  # fmt: skip
    return {UUID(bytes=row["id"].bytes) for row in found}


async def may_confirm_rest(scope: Scope, rests: Sequence[Resting]) -> set[UUID]:
    """Which of these rests the caller may end."""
    return {rest.id for rest in await _confirmable(scope, rests)} if _confirms(scope) else set()


async def rests_to_confirm(scope: Scope, person_id: UUID) -> bool:
    """Whether the caller, on the own phone or computer, may confirm the person and so end what rests."""
    async with transaction(scope):
        return bool(await may_confirm_rest(scope, await _rests_of(scope, person_id)))


def _confirms(scope: Scope) -> bool:
    return scope.device_id is None and (scope.administers or scope.has(*STAFF))


@retried
async def confirm_login(scope: Scope, person_id: UUID) -> None:
    """Confirm that somebody's login is theirs: from now on it spends, and its acts are not those of who gave the code.

    By an administrator, keeper or grid worker who neither is that person nor gave that code or changed the phone. What
    two of the staff have brought about, each confirms of the other's.
    """
    async with transaction(scope):
        if not _confirms(scope):
            raise Forbidden
        await require_resident(scope, person_id)
        uninvolved = await is_uninvolved(scope, person_id)
        rests = await _rests_of(scope, person_id)
        free = await _confirmable(scope, rests)
        confirmed = uninvolved and await logins.confirm_login(scope, person_id)
        if not free and not confirmed and (rests or not uninvolved):
            raise NotIndependent
        if free:
            await database.execute(
                "SELECT login_rests_end($1, $2, $3, $4)",
                scope.community_id, [rest.id for rest in free], scope.login_id, clock.now(),
            )  # fmt: skip
            where = scope.community_name or "社区"
            text = f"{where}的另一位工作人员确认了这个账号是您本人的。不是您本人在用，请马上告诉社区。"
            key = f"login-confirmed:{free[0].id}"
            for login_id in await logins.logins_of(scope, person_id):
                await logins.tell_login(login_id, "login_confirmed", text, key)
            await tell(scope, person_id, "login_confirmed", text, key)
        if confirmed or free:
            await audit.record(scope, "confirm_login", "person", person_id)


async def confirm_logins(scope: Scope, person_ids: Sequence[UUID]) -> int:
    """Confirm these people, each in a transaction of its own; how many. Whom somebody else must confirm is left out.

    Raises NotIndependent where none is the caller's to confirm.
    """
    confirmed = 0
    for person_id in person_ids:
        try:
            await confirm_login(scope, person_id)
        except (NotIndependent, NotFound):
            continue
        confirmed += 1
    if person_ids and not confirmed:
        raise NotIndependent
    return confirmed


async def _rests_of(scope: Scope, person_id: UUID) -> list[Resting]:
    """What rests for a person; whoever shares the person's phone is confirmed for themself."""
    return await database.rows(
        Resting,
        "SELECT r.id, r.person_id, '' AS name, r.cause, r.since, r.until, r.by_login FROM spending_rest r "
        "WHERE r.community_id = $1 AND r.ended_at IS NULL AND r.person_id = $2",
        scope.community_id, person_id,
    )  # fmt: skip
