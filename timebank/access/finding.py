"""Finding somebody at a counter by name and the end of the phone, not so often that it could be guessed."""

from datetime import timedelta

from timebank.access import throttle
from timebank.people.directory import by_name_and_phone_end
from timebank.people.schemas import PersonLine
from timebank.scope import Scope

LOOK_UPS_MAX = 120
LOOK_UP_WINDOW = timedelta(minutes=15)


async def find_at_counter(scope: Scope, name: str, phone_last4: str) -> list[PersonLine]:
    """Who has just this name and these last four digits; four digits can be guessed, so the tries are counted."""
    guesser = scope.login_id or scope.device_id
    await throttle.count(f"find:{guesser}", most=LOOK_UPS_MAX, window=LOOK_UP_WINDOW)
    return await by_name_and_phone_end(scope, name, phone_last4)
