"""Limits wrong guesses at the codes that people show at a counter; a right code does not reset the count.

If it did, somebody who knows one right code could use it to reset the count after every few guesses.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from timebank.access.sign_in import attempt_limits
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import Scope

WRONG_MAX = 60
WRONG_OF_ONE_MAX = 10
WINDOW = timedelta(minutes=15)


class AtStation(Protocol):
    """What a code was given for: it is collected or attended at one station."""

    @property
    def station_id(self) -> UUID: ...

    @property
    def station(self) -> str: ...


Found = TypeVar("Found", bound=AtStation)


def _key(scope: Scope) -> str:
    return f"look-up:{scope.login_id or scope.device_id}"


async def count_guess(scope: Scope) -> None:
    """Count a code as wrong until `was_right`; TooManyAttempts after 60 in 15 minutes. Not inside a transaction."""
    await attempt_limits.count_attempt(_key(scope), most=WRONG_MAX, window=WINDOW)


async def count_guess_at(scope: Scope, what: str) -> None:
    """As `count_guess`, and at most 10 in 15 minutes on one reservation or seat, by all callers together.

    A caller who serves at no counter is not counted: the verb refuses them anyway, and they could use up the tries of
    those who do.
    """
    if not (scope.kept_stations or scope.administers):
        return
    await attempt_limits.count_attempt(f"{what}:{scope.community_id}", most=WRONG_OF_ONE_MAX, window=WINDOW)
    await count_guess(scope)


async def was_right(scope: Scope, tries: int = 1) -> None:
    """Record that the code was right: its tries no longer count."""
    await attempt_limits.subtract_attempts(_key(scope), tries, window=WINDOW)


async def find_by_code(
    scope: Scope, code: str, find: Callable[[str], Awaitable[Found | None]], elsewhere: type[TimebankError]
) -> Found | None:
    """Find with `find` what a code shown at the counter was given for; None where nothing open has this code.

    Only for keepers and administrators. Wrong codes are counted. Raises Forbidden, TooManyAttempts and, where it is of
    a station that the caller does not keep, `elsewhere` with the station's name.
    """
    if not (scope.kept_stations or scope.administers):
        raise Forbidden
    await count_guess(scope)
    async with transaction(scope):
        found = await find(code.replace(" ", ""))
    if found is None:
        return None
    await was_right(scope)
    if not scope.keeps(found.station_id):
        raise elsewhere(station=found.station)
    return found
