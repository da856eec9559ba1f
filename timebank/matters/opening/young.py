"""Who is too young to report, order or wish by themselves: a guardian does it for them."""

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_guarded


class TooYoungToReport(TimebankError):
    code = "too_young_to_report"
    status = 403
    sentence = "未满 14 岁的，请家长用自己的手机来反映，或到驿站请站长帮忙。"


async def is_too_young(scope: Scope) -> bool:
    """Whether the caller's own record here is of somebody under 14."""
    if scope.person_id is None:
        return False
    async with transaction(scope):
        born_on = await database.fetch_value(
            "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, scope.person_id
        )
    return is_guarded(born_on)


async def require_old_enough(scope: Scope) -> None:
    """Before a page: raise TooYoungToReport for somebody under 14."""
    if await is_too_young(scope):
        raise TooYoungToReport
