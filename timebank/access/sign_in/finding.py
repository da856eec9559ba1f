"""Finding somebody at a counter by name and the end of the phone or the room, not so often that it could be guessed."""

from datetime import timedelta

from timebank.access.sign_in import throttle
from timebank.core.scope import Scope
from timebank.people.directory import named_at_counter
from timebank.people.schemas import PersonLine

LOOK_UPS_MAX = 120
LOOK_UP_WINDOW = timedelta(minutes=15)


async def find_at_counter(scope: Scope, name: str, *, phone_last4: str = "", room: str = "") -> list[PersonLine]:
    """Who has just this name and these last four digits, or this room; a guess is possible, so tries are counted."""
    guesser = scope.login_id or scope.device_id
    await throttle.count(f"find:{guesser}", most=LOOK_UPS_MAX, window=LOOK_UP_WINDOW)
    return await named_at_counter(scope, name, phone_last4=phone_last4, room=room)
