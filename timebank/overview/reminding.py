"""Notifies the people who may decide: within a minute outside the quiet hours, and each day while something waits.

For a counter confirmation they are notified once, since it waits for that day only.
"""

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.agreements.deciders import AUDITOR, Bench, nearest
from timebank.agreements.independence import Side, is_independent, sides_of, sides_of_logins
from timebank.cards.confirming import second_persons_of_cards
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.overview.changes_listed import waiting_rows
from timebank.overview.openers import unconfirmed
from timebank.people.messages import notify
from timebank.shop.confirmations.listing import notify_second_persons

AGAIN_AFTER = timedelta(days=1)
RESTS_MAX = 2000
"""The message counts at most so many spending pauses."""
Home = tuple[UUID, UUID]
"""A decider's (home community, person): messages go to that community, which may be another one."""


async def remind_deciders(scope: Scope) -> int:
    """Notify the people who may decide of what waits; returns how many. A repetition sends no second message."""
    async with transaction(scope):
        place: str = await database.fetch_value("SELECT name FROM region WHERE id = $1", scope.community_id)
    told = await notify_second_persons(scope)
    told += await _remind_of_changes(scope, place)
    told += await _remind_of_cards(scope, place)
    told += await _remind_of_logins(scope, place)
    return told + await _remind_of_rests(scope, place)


async def _remind_of_changes(scope: Scope, place: str) -> int:
    """Notify deciders of a new change at once, and again each day while one has waited for a day or more."""
    rows = await waiting_rows(scope)
    bench = await Bench.of(scope, [about for _, _, about, _ in rows])
    waiting: defaultdict[Home, int] = defaultdict(int)
    newest: dict[Home, UUID] = {}
    again: set[Home] = set()
    for id_, since, about, is_seen_only in rows:
        for officer in bench.deciders(about):
            home = (officer.home_id, officer.person_id)
            waiting[home] += 1
            if not is_seen_only:
                newest[home] = id_
            if is_seen_only or since <= clock.now() - AGAIN_AFTER:
                again.add(home)
    for home, count in waiting.items():
        keys = [f"agreement:{newest[home]}:waits"] if home in newest else []
        keys += [_daily("agreements", scope)] if home in again else []
        for key in keys:
            await _notify(home, "change_waits", key, place, count)
    return len(waiting)


async def _remind_of_cards(scope: Scope, place: str) -> int:
    counted = await second_persons_of_cards(scope)
    for home, count in counted.items():
        await _notify(home, "cards_wait", _daily("cards", scope), place, count)
    return len(counted)


async def _remind_of_logins(scope: Scope, place: str) -> int:
    """Notify the nearest independent administrators of people with a role whose login is unconfirmed."""
    opened = await unconfirmed(scope)
    if not opened:
        return 0
    bench = await Bench.of(scope, [])
    sides = await sides_of(scope, [login.person_id for login in opened])
    counted: defaultdict[Home, int] = defaultdict(int)
    for login in opened:
        free = [
            o for o in bench.officers
            if o.role != AUDITOR and is_independent(bench.people[o.person_id], sides[login.person_id])
        ]  # fmt: skip
        for officer in nearest(free):
            counted[officer.home_id, officer.person_id] += 1
    for home, count in counted.items():
        await _notify(home, "logins_wait", _daily("logins", scope), place, count)
    return len(counted)


class _Maker(msgspec.Struct, frozen=True):
    by_login: UUID | None
    people: int


async def _remind_of_rests(scope: Scope, place: str) -> int:
    """Notify the nearest administrators of spending pauses, if they are independent of whoever caused them."""
    async with transaction(scope):
        makers = await database.rows(
            _Maker,
            "SELECT by_login, count(DISTINCT person_id) AS people FROM (SELECT by_login, person_id FROM spending_rest "
            "WHERE community_id = $1 AND ended_at IS NULL AND until > $2 LIMIT $3) AS rests GROUP BY by_login",
            scope.community_id, clock.now(), RESTS_MAX,
        )  # fmt: skip
    if not makers:
        return 0
    bench = await Bench.of(scope, [])
    sides = await sides_of_logins(scope, [maker.by_login for maker in makers if maker.by_login])
    counted: defaultdict[Home, int] = defaultdict(int)
    for maker in makers:
        side = sides[maker.by_login] if maker.by_login else Side()
        free = [o for o in bench.officers if o.role != AUDITOR and is_independent(bench.people[o.person_id], side)]
        for officer in nearest(free):
            counted[officer.home_id, officer.person_id] += maker.people
    for home, count in counted.items():
        await _notify(home, "logins_wait.resting", _daily("rests", scope), place, count)
    return len(counted)


def _daily(what: str, scope: Scope) -> str:
    return f"{what}:{scope.community_id}:{clock.local_day()}"


async def _notify(home: Home, kind: str, key: str, place: str, count: int) -> None:
    await notify(Scope.of_system(home[0]), home[1], kind, key, place=place, count=count)
