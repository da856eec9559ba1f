"""What comes of it when somebody is to join a team or to lead it: a pure function over what is known."""

from typing import Literal

import msgspec

from timebank.core.errors import Forbidden, TimebankError


class CannotJoinTeam(TimebankError):
    code = "cannot_join_team"
    status = 422
    sentence = "已停用、已迁出的居民和未满 14 岁的孩子不能参加班组；已经结束的班组也不能再参加。"


class NotAskedToJoin(TimebankError):
    code = "not_asked_to_join"
    status = 422
    sentence = "这位居民没有申请参加这个班组。请本人先申请，或请管理员登记。"


class OwnMembership(TimebankError):
    code = "own_membership"
    status = 403
    sentence = "自己和家人的申请，要请另一位组长或管理员确认；组长也要由别人来定。"


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when somebody is to join a team or to lead it.

    `own`: the caller is the person; `near`: or of the household, or not independent.
    """

    own: bool
    near: bool
    admin: bool
    leader: bool
    able: bool
    asked: bool
    joined: bool
    leading: bool
    leads: bool | None


Did = Literal["ask", "confirm", "add", "step_down", "keep"]


def decide_joining(facts: Joining) -> Did:
    """What comes of it: `confirm` and `add` join the person, `keep` changes nothing. Raises the refusal."""
    if not facts.able:
        raise CannotJoinTeam
    if facts.own:
        return _of_oneself(facts)
    if not (facts.admin or (facts.leader and facts.leads is None)):
        raise Forbidden
    if facts.joined and facts.leads in (None, facts.leading):
        return "keep"
    if facts.near:
        raise OwnMembership
    if not facts.admin and not facts.asked:
        raise NotAskedToJoin
    return "confirm" if facts.asked or facts.joined else "add"


def _of_oneself(facts: Joining) -> Did:
    """By their own word somebody asks to join, and leads no more; never more than that."""
    if facts.leads:
        raise OwnMembership
    if not facts.joined:
        return "ask"
    return "step_down" if facts.leads is False and facts.leading else "keep"
