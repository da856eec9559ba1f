"""Who raises an objection: a resident, with at most three of their own open at once, or staff in a resident's name."""

from uuid import UUID

from timebank.agreements.independence import is_caller
from timebank.core import database
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Role, Scope
from timebank.people.directory import list_people
from timebank.people.messages import notify
from timebank.people.schemas import PersonLine

OPEN_MAX = 3


class TooManyObjections(TimebankError):
    code = "too_many_objections"
    status = 409
    sentence = "您已有 {most} 条异议在等决定，先等一条有了结果再提。着急的话请找社区管理员或网格员，他们可以替您提。"


class NotOneResident(TimebankError):
    code = "not_one_resident"
    status = 422
    sentence = "没有找到这一位居民，或者同名的不止一位。请写手机号。"


def objector_of(scope: Scope, resident_id: UUID | None) -> UUID:
    """The person who objects: the caller, or the resident in whose name staff object. Raises Forbidden for others."""
    if resident_id is None or is_caller(scope, resident_id):
        return scope.require_self()
    if not may_object_for(scope):
        raise Forbidden
    return resident_id


def may_object_for(scope: Scope) -> bool:
    """Whether the caller may object in a resident's name."""
    return scope.administers or scope.has(Role.grid_worker)


async def resident_of(scope: Scope, q: str) -> PersonLine:
    """The only active resident with this name or phone number whom the caller may list. Raises NotOneResident."""
    found = (await list_people(scope, q=q, status="active", limit=2)).items
    if len(found) != 1:
        raise NotOneResident
    return found[0]


async def require_may_object(scope: Scope, objector: UUID) -> None:
    """Lock the objector's row, and raise TooManyObjections where they have three open objections already.

    Objections that staff enter in a resident's name are not limited or counted: staff have heard the reason.
    """
    active = await database.fetch_value(
        "SELECT true FROM person WHERE community_id = $1 AND id = $2 AND status = 'active' FOR NO KEY UPDATE",
        scope.community_id, objector,
    )  # fmt: skip
    if not active:
        raise NotFound
    if not is_caller(scope, objector):
        return
    waiting: int = await database.fetch_value(
        "SELECT count(*) FROM objection WHERE community_id = $1 AND person_id = $2 AND upheld IS NULL "
        "AND entered_by IS NULL",
        scope.community_id, objector,
    )  # fmt: skip
    if waiting >= OPEN_MAX:
        raise TooManyObjections(most=OPEN_MAX)


async def notify_objector(scope: Scope, objector: UUID, objection_id: UUID, kind: str) -> None:
    """Notify a resident that staff have objected in their name to a subject of this kind."""
    await notify(scope, objector, f"objection_entered.{kind}", f"objection:{objection_id}:entered", objection_id)
