"""Confirming that a login which staff have opened or changed is in the hands of its person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.sign_in import logins
from timebank.agreements.independence import (
    NotIndependent,
    is_independent,
    is_near_home,
    is_uninvolved,
    near,
    side_of,
    sides_of_logins,
    signed_on,
)
from timebank.agreements.schemas import Unconfirmed
from timebank.core import audit, clock, database
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Role, Scope
from timebank.core.wording import phrase
from timebank.people.locks import lock_people, require_locked
from timebank.people.messages import notify
from timebank.people.residents import require_resident
from timebank.presence.undoing.acts import has_undone, is_within_the_minute, note_undone

STAFF = (Role.station_keeper, Role.grid_worker)


class ConfirmationStands(TimebankError):
    code = "login_confirmation_stands"
    status = 409
    sentence = (
        "这次确认不能撤销：只有刚在柜台确认的那个账号，在一分钟以内可以撤销。"
        "觉得不是本人在用的，请社区管理员在这位居民的页面退出登录。"
    )


async def unconfirmed(scope: Scope) -> list[Unconfirmed]:
    """People with a role whose login was opened by a code, or got a changed phone, that nobody has confirmed yet."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            Unconfirmed, "SELECT * FROM agreement_unconfirmed($1, $2)", scope.community_id, clock.local_day()
        )


async def may_confirm(scope: Scope, opened: Sequence[Unconfirmed]) -> set[UUID]:
    """The people of these whose logins the caller may confirm; for administrators."""
    close = await near(scope, [login.person_id for login in opened])
    return {login.person_id for login in opened} - close.same if scope.administers else set()


class Resting(msgspec.Struct, frozen=True, kw_only=True):
    """A spending pause of a person's login, until `until` or until somebody uninvolved confirms the person.

    `cause`: `code` for a sign-in code, `phone` for a changed phone, `joined` for a record that joined an unconfirmed
    login.
    """

    id: UUID
    person_id: UUID
    name: str
    cause: str
    since: datetime
    until: datetime
    by_login: UUID | None


_RESTING = (
    "SELECT r.id, r.person_id, p.name, r.cause, r.since, r.until, r.by_login FROM spending_rest r "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "WHERE r.community_id = $1 AND r.ended_at IS NULL AND r.until > $2"
)


async def resting(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[Resting]:
    """The spending pauses of the community, those that end last first; for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id, clock.now())
    asked.add_after("r.until, r.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    latest = f"{_RESTING}{asked.sql} ORDER BY r.until DESC, r.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(Resting, latest, *asked.values)
    return make_page(found, limit, lambda rest: (rest.until, rest.id))


async def _confirmable(scope: Scope, rests: Sequence[Resting]) -> list[Resting]:
    """The pauses that the caller may end: not of a household member, nor caused by somebody not independent of them."""
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
    """The pauses of which the causer has granted, since then, all roles by which the caller serves in the community."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT r.id FROM spending_rest r CROSS JOIN LATERAL agreement_side($1, r.by_login, NULL) AS maker "
            "WHERE r.community_id = $1 AND r.id = ANY ($2) AND r.by_login IS NOT NULL "
            "AND rest_is_made_for($1, $3, maker.persons, r.since)",
            scope.community_id, [rest.id for rest in rests], scope.login_id,
        )  # fmt: skip
    return {UUID(bytes=row["id"].bytes) for row in found}


async def may_confirm_rest(scope: Scope, rests: Sequence[Resting]) -> set[UUID]:
    """The ids of the pauses that the caller may end."""
    return {rest.id for rest in await _confirmable(scope, rests)} if _confirms(scope) else set()


async def rests_to_confirm(scope: Scope, person_id: UUID) -> bool:
    """Whether the caller may confirm the person and so end a spending pause; never from a station's device."""
    async with transaction(scope):
        return bool(await may_confirm_rest(scope, await _rests_of(scope, person_id)))


def _confirms(scope: Scope) -> bool:
    return scope.device_id is None and (scope.administers or scope.has(*STAFF))


@retried
async def confirm_login(scope: Scope, person_id: UUID, station_id: UUID | None = None) -> None:
    """Confirm that a person's login is their own: spending pauses end, and it no longer counts as opened by somebody.

    For administrators, keepers and grid workers who are independent of the person and of whoever gave the code or
    changed the phone. Each pause is checked alone: if two members of staff caused one each, each may end the other's.
    `station_id` is the counter at which it is done, where the caller keeps it: there it can be undone for a minute.
    Raises NotIndependent if nothing is the caller's to confirm.
    """
    now, station_id = clock.now(), station_id if scope.keeps(station_id) else None
    async with transaction(scope):
        if not _confirms(scope):
            raise Forbidden
        await require_resident(scope, person_id)
        await lock_people(scope, [person_id])  # an undo at the same time has ended, or waits
        uninvolved = await is_uninvolved(scope, person_id)
        rests = await _rests_of(scope, person_id)
        free = await _confirmable(scope, rests)
        confirmed = uninvolved and await logins.mark_login_confirmed(scope, person_id, now)
        if not free and not confirmed and (rests or not uninvolved):
            raise NotIndependent
        if free:
            await database.execute(
                "SELECT login_rests_end($1, $2, $3, $4, $5)",
                scope.community_id, [rest.id for rest in free], scope.login_id, now, station_id,
            )  # fmt: skip
            await _notify(scope, person_id, "login_confirmed", f"login-confirmed:{free[0].id}:{now.timestamp()}")
        if confirmed or free:
            await audit.record(scope, "confirm_login", "person", person_id)


async def _notify(scope: Scope, person_id: UUID, kind: str, key: str) -> None:
    """Notify the person, and every record of the person's logins."""
    where = scope.community_name or phrase("community")
    for login_id in await logins.logins_of(scope, person_id):
        await logins.notify_login(login_id, kind, key, community=where)
    await notify(scope, person_id, kind, key, urgent=True, community=where)


class _Ended(msgspec.Struct, frozen=True):
    """A spending pause: whose it is, and how it was ended."""

    person_id: UUID
    ended_at: datetime | None
    ended_by_login: UUID | None
    ended_station_id: UUID | None


_ENDED = (
    "SELECT person_id, ended_at, ended_by_login, ended_station_id FROM spending_rest "
    "WHERE community_id = $1 AND id = $2"
)


@retried
async def undo_confirm_login(scope: Scope, rest_id: UUID) -> None:
    """Undo at a counter, within a minute, the confirmation that ended this spending pause: it goes on as before.

    So do the others that the same act ended, and the login counts again as opened by whoever gave its code. What was
    spent meanwhile stays spent: the undo only ever allows less. Only the login that confirmed it may, and not for
    itself, its household or a ward. A repeated call changes nothing. Raises NotFound, Forbidden, NotIndependent,
    ConfirmationStands.
    """
    async with transaction(scope):
        asked = await database.row(_Ended, _ENDED, scope.community_id, rest_id)
        if asked is None:
            raise NotFound
        await lock_people(scope, [asked.person_id])
        found = await database.row(_Ended, _ENDED, scope.community_id, rest_id)
        assert found is not None
        require_locked(found.person_id, [asked.person_id])
        if found.ended_station_id is not None:
            scope.require_keeper(found.ended_station_id)
        elif not (scope.administers or scope.kept_stations or scope.is_counter):
            raise Forbidden
        if await is_near_home(signed_on(scope), found.person_id):
            raise NotIndependent
        if found.ended_at is None and await has_undone(scope, "confirm_login", rest_id):
            return
        station_id, mine = found.ended_station_id, found.ended_by_login == scope.login_id
        if station_id is None or found.ended_at is None:
            raise ConfirmationStands
        if scope.login_id is None or not mine or not is_within_the_minute(found.ended_at):
            raise ConfirmationStands
        await database.execute(
            "SELECT login_rests_go_on($1, $2, $3, $4, $5)",
            scope.community_id, found.person_id, scope.login_id, found.ended_at, clock.now(),
        )  # fmt: skip
        noted = await note_undone(scope, "confirm_login", rest_id, station_id, found.person_id)
        await _notify(scope, found.person_id, "login_confirmed.undone", f"login-confirmed:{noted}:undone")
        await audit.record(scope, "undo_confirm_login", "person", found.person_id, station_id=station_id)


async def confirm_logins(scope: Scope, person_ids: Sequence[UUID]) -> int:
    """Confirm these people, each in a transaction of its own; returns how many. Skips those who need somebody else.

    Raises NotIndependent if none was confirmed.
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
    """The spending pauses of a person; others who share the person's phone are confirmed separately."""
    return await database.rows(
        Resting,
        "SELECT r.id, r.person_id, '' AS name, r.cause, r.since, r.until, r.by_login FROM spending_rest r "
        "WHERE r.community_id = $1 AND r.ended_at IS NULL AND r.person_id = $2",
        scope.community_id, person_id,
    )  # fmt: skip
