"""Who may open what, for whom, and in whose name: a pure decision over what is known of caller and category."""

from uuid import UUID

import msgspec

from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import HEADS, Role, Scope
from timebank.matters.schemas import Channel, OpenIn
from timebank.people.guardianship.guardians import NotGuardian


class CategoryNotForThis(TimebankError):
    code = "category_not_for_this"
    status = 422
    sentence = "这个类别不能这样提交。请换一个类别；涉及生病、孩子、家暴的，请按页面上的电话求助或找工作人员。"


class WishTooDear(TimebankError):
    code = "wish_too_dear"
    status = 422
    sentence = "微心愿最多 {most} 元。请换一个便宜些的。"


class Beneficiary(msgspec.Struct, frozen=True, kw_only=True):
    """The person named by `for_person_id`: under 14 or not, of the caller's household, in the caller's care."""

    under_14: bool = False
    same_household: bool = False
    in_care: bool = False


class Opener(msgspec.Struct, frozen=True, kw_only=True):
    """Who spoke, whom it is for, who typed it, and how it came in."""

    reporter_id: UUID | None
    for_person_id: UUID | None
    entered_by: UUID | None
    channel: Channel


def opener_of(
    scope: Scope, wanted: OpenIn, area_path: list[UUID], named: Beneficiary | None, channel: Channel | None = None
) -> Opener:
    """In whose name the caller opens this. Raises Forbidden, NotGuardian.

    Staff open in the name of who stands before them; what they find themselves has no reporter and earns nothing. A
    head and a mobile worker, who are no paid staff by their role, report in their own name.
    """
    on_duty = scope.works_in(area_path) or scope.leads(area_path)
    if wanted.kind == "pledge":
        if not scope.administers:
            raise Forbidden
        return _found(scope, channel or "meeting")
    if wanted.kind == "event":
        return _event(scope, area_path, channel, on_duty=on_duty)
    if _is_staff_for_others(scope, wanted, named, on_duty=on_duty):
        return _for_others(scope, wanted, named, channel)
    return _own(scope, wanted, named, channel)


def _event(scope: Scope, area_path: list[UUID], channel: Channel | None, *, on_duty: bool) -> Opener:
    if on_duty:
        return _found(scope, channel or "worker")
    heads = any(grant.role in HEADS and grant.area_id in area_path for grant in scope.here())
    if not (heads or scope.has(Role.mobile_worker)) or not scope.stands_for(scope.person_id):
        raise Forbidden
    return Opener(reporter_id=scope.person_id, for_person_id=None, entered_by=None, channel=channel or "worker")


def _found(scope: Scope, channel: Channel) -> Opener:
    return Opener(reporter_id=None, for_person_id=None, entered_by=scope.person_id, channel=channel)


def _is_staff_for_others(scope: Scope, wanted: OpenIn, named: Beneficiary | None, *, on_duty: bool) -> bool:
    """Whether the caller opens it as staff: for somebody outside their family, or what came in by another line."""
    if not (on_duty or scope.kept_stations):
        return False
    if scope.device_id is not None or wanted.external_number is not None:
        return True
    return named is not None and not (named.same_household or named.in_care)


def _for_others(scope: Scope, wanted: OpenIn, named: Beneficiary | None, channel: Channel | None) -> Opener:
    usual: Channel = "hotline" if wanted.external_number else "desk" if scope.kept_stations else "worker"
    if named is None:
        if wanted.kind != "report":
            raise Forbidden
        return _found(scope, channel or usual)
    child = named.under_14
    if child and wanted.kind != "wish":
        raise NotGuardian
    return Opener(
        reporter_id=None if child else wanted.for_person_id, for_person_id=wanted.for_person_id if child else None,
        entered_by=scope.person_id, channel=channel or usual,
    )  # fmt: skip


def _own(scope: Scope, wanted: OpenIn, named: Beneficiary | None, channel: Channel | None) -> Opener:
    own = scope.person_id
    if own is None or not scope.stands_for(own):
        raise Forbidden
    if named is not None:
        if named.under_14 and not named.in_care:
            raise NotGuardian
        if not (named.same_household or named.in_care):
            raise Forbidden
    return Opener(
        reporter_id=own, for_person_id=wanted.for_person_id if named else None, entered_by=None,
        channel=channel or "member",
    )  # fmt: skip
