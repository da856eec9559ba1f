"""Finding a person at a counter by name and last four digits or room, throttled against guessing."""

from datetime import timedelta

from timebank.access.sign_in import attempt_limits
from timebank.core.scope import Scope
from timebank.people.directory import named_at_counter
from timebank.people.schemas import PersonLine

LOOK_UPS_MAX = 120
LOOK_UP_WINDOW = timedelta(minutes=15)


async def find_at_counter(scope: Scope, name: str, *, phone_last4: str = "", room: str = "") -> list[PersonLine]:
    """As `named_at_counter`. Raises TooManyAttempts as `count_look_up` does."""
    await count_look_up(scope)
    found = await named_at_counter(scope, name, phone_last4=phone_last4, room=room)
    return [PersonLine(**{field: getattr(one, field) for field in PersonLine.__struct_fields__}) for one in found]


async def count_look_up(scope: Scope) -> None:
    """Count a look-up. Raises TooManyAttempts after 120 in 15 minutes by one login or device."""
    guesser = scope.login_id or scope.device_id
    await attempt_limits.count_attempt(f"find:{guesser}", most=LOOK_UPS_MAX, window=LOOK_UP_WINDOW)
