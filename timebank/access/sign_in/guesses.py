"""Guesses at the codes that are shown at a counter: only so many wrong ones in a while, whatever is right between them.

Whoever knows one right code could otherwise begin the count anew with it after each few guesses.
"""

from datetime import timedelta

from timebank.access.sign_in import throttle
from timebank.core.scope import Scope

WRONG_MAX = 60
WRONG_OF_ONE_MAX = 10
WINDOW = timedelta(minutes=15)


def _key(scope: Scope) -> str:
    return f"look-up:{scope.login_id or scope.device_id}"


async def count_guess(scope: Scope) -> None:
    """Count a code as wrong until it is found right, and refuse the one after so many. Not inside a transaction."""
    await throttle.count(_key(scope), most=WRONG_MAX, window=WINDOW)


async def count_guess_at(scope: Scope, what: str) -> None:
    """Count a code that is tried on one reservation or seat as well: few are enough for that, whoever tries them.

    Who serves at no counter is not counted: such a try is refused anyway, and would use up those of the counter.
    """
    if not (scope.kept_stations or scope.administers):
        return
    await throttle.count(f"{what}:{scope.community_id}", most=WRONG_OF_ONE_MAX, window=WINDOW)
    await count_guess(scope)


async def was_right(scope: Scope, tries: int = 1) -> None:
    """The code was right: its tries do not count."""
    await throttle.take_back(_key(scope), tries, window=WINDOW)
