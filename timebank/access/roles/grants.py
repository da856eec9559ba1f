"""Role grants: a role over a place from a day on, granted by somebody whose reach covers the place.

A grant takes effect with the holder's next request.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_not_over
from timebank.access.roles.listing import read_grants
from timebank.access.roles.words import ROLES
from timebank.access.schemas import GrantIn, GrantOut
from timebank.access.tables import RoleGrant
from timebank.agreements.independence import is_near_home, is_uninvolved
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.areas.reach import administers_region_above, require_region
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import ADMINS, Role, Scope
from timebank.core.wording import because, phrase
from timebank.people.identity.ages import is_guarded
from timebank.people.messages import notify
from timebank.units.units import UnitUnknown, is_unit_of_county

PLACES: dict[Role, frozenset[str]] = {
    Role.unit_head: frozenset({"unit"}),
    Role.building_head: frozenset({"building"}),
    Role.grid_worker: frozenset({"grid"}),
    Role.station_keeper: frozenset({"station"}),
    Role.community_admin: frozenset({"community"}),
    Role.street_admin: frozenset({"street"}),
    Role.county_admin: frozenset({"county"}),
    Role.auditor: frozenset({"community", "street", "county"}),
    Role.grid_head: frozenset({"grid"}),
    Role.unit_contact: frozenset({"community", "street", "county"}),
    Role.mediator: frozenset({"community", "grid"}),
    Role.mobile_worker: frozenset({"community"}),
}
"""The kinds of place over which each role is held."""

UNLOCKS_MUCH = ADMINS | {Role.auditor}
"""Roles that need somebody from above to grant them or to agree."""

COUNTY_DEPTH = 1


class WrongPlace(TimebankError):
    code = "wrong_place"
    status = 422
    sentence = (
        "这个身份要落在对应的地方：单元长对单元，楼栋长对楼栋，网格员和网格长对网格，站长对驿站，流动网格员对社区，"
        "调解员对社区或网格，管理员和单位联络员对社区、街道或县。"
    )


class OwnRole(TimebankError):
    code = "own_role"
    status = 403
    sentence = "不能给自己或同户的家人设定身份，也不能取消自己的身份。请另一位管理员或街道来办。"


class RoleHeld(Conflict):
    code = "role_held"
    sentence = "这位居民已经有这个身份了。"


class BadTerm(TimebankError):
    code = "bad_term"
    status = 422
    sentence = "截止日期要不早于开始日期，也不早于今天。"


class CannotHoldRole(TimebankError):
    code = "cannot_hold_role"
    status = 422
    sentence = "已停用、已迁出的居民和未满 14 岁的孩子不能担任职务。"


class _Held(msgspec.Struct, kw_only=True):
    person_id: UUID
    role: Role
    region_id: UUID | None
    area_id: UUID | None
    station_id: UUID | None
    ended_at: datetime | None


@retried
async def grant(scope: Scope, asked: GrantIn) -> GrantOut | Waiting:
    """Grant a person of the community a role over one place, from a day on until the last day, if any.

    Administrators and auditors are granted by somebody from above who is independent of the holder; otherwise the
    change waits for one. Raises Forbidden for a place above the caller's reach, OwnRole for the caller and household
    members, RoleHeld if it is held already, BadTerm, WrongPlace, UnitUnknown and CannotHoldRole.
    """
    scope.require_admin()
    starts_on = asked.starts_on or clock.local_day()
    if asked.ends_on is not None and asked.ends_on < max(starts_on, clock.local_day()):
        raise BadTerm
    async with transaction(scope):
        await _require_holder(scope, asked.person_id)
        await _require_place(scope, asked)
        await _require_unit(scope, asked)
        await _require_new(scope, asked)
        if asked.role in UNLOCKS_MUCH and asked.region_id and not await _gives_from_above(scope, asked):
            place = await require_region(scope, asked.region_id)
            return await propose(
                scope, ADMIN_GRANT, f"{asked.person_id}:{asked.role}:{place.id}", msgspec.to_builtins(asked),
                {"role": asked.role, "place": place.name, "paid": "paid" if asked.paid else "unpaid"},
                person_id=asked.person_id, before=False,
                depth=max(len(place.path), COUNTY_DEPTH + 1),
            )  # fmt: skip
        return await _give(scope, asked, scope.actor_id)


async def _gives_from_above(scope: Scope, asked: GrantIn) -> bool:
    """Whether the caller administers a region above the place and is independent of the holder."""
    assert asked.region_id is not None
    return await administers_region_above(scope, asked.region_id) and await is_uninvolved(scope, asked.person_id)


async def _give(scope: Scope, asked: GrantIn, by: UUID | None) -> GrantOut:
    grant_id, starts_on = clock.new_id(), asked.starts_on or clock.local_day()
    await RoleGrant.insert(
        RoleGrant(
            community_id=scope.community_id, id=grant_id, person_id=asked.person_id, role=asked.role.value,
            region_id=asked.region_id, area_id=asked.area_id, station_id=asked.station_id, starts_on=starts_on,
            ends_on=asked.ends_on, granted_by=by, granted_at=clock.now(), ended_at=None, paid=asked.paid,
            unit_id=asked.unit_id,
        )
    )  # fmt: skip
    await audit.record(
        scope, "grant_role", "role_grant", grant_id, person_id=asked.person_id, role=asked.role.value,
        region_id=asked.region_id, area_id=asked.area_id, station_id=asked.station_id, starts_on=starts_on,
        ends_on=asked.ends_on, paid=asked.paid, unit_id=asked.unit_id,
    )  # fmt: skip
    [made] = await read_grants(scope, grant_id=grant_id)
    kind = "role_granted.paid" if made.paid else "role_granted"
    await notify(
        scope, made.person_id, kind, f"role:{grant_id}:granted", grant_id,
        role=phrase("role", role=made.role), place=made.place_name, since=made.starts_on,
    )  # fmt: skip
    return made


async def give_agreed(scope: Scope, change: Change) -> None:
    asked = msgspec.convert(change.do, GrantIn)
    await _require_holder(scope, asked.person_id)
    await _give(scope, asked, change.by)


async def is_held(scope: Scope, do: Any) -> bool:
    try:
        await _require_new(scope, msgspec.convert(do, GrantIn))
    except RoleHeld:
        return True
    return False


async def _require_holder(scope: Scope, person_id: UUID) -> None:
    """Lock the person, so that two grants of one role are serialised, and check that they may hold a role."""
    person = await database.fetch_one(
        "SELECT status, born_on FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, person_id,
    )  # fmt: skip
    if person is None:
        raise NotFound
    if await is_near_home(scope, person_id):
        raise OwnRole
    if person["status"] != "active" or is_guarded(person["born_on"]):
        raise CannotHoldRole


async def _require_place(scope: Scope, asked: GrantIn | _Held) -> None:
    """Check that the place exists, fits the role and lies within the caller's reach."""
    if asked.region_id is not None:
        kind = (await require_region(scope, asked.region_id)).kind
    elif asked.area_id is not None:
        kind = await database.fetch_value(
            "SELECT kind FROM area WHERE community_id = $1 AND id = $2", scope.community_id, asked.area_id
        )
    else:
        kind = await database.fetch_value(
            "SELECT 'station' FROM station WHERE community_id = $1 AND id = $2", scope.community_id, asked.station_id
        )
    if kind is None:
        raise NotFound
    if kind not in PLACES[asked.role]:
        raise WrongPlace


async def _require_unit(scope: Scope, asked: GrantIn) -> None:
    """Check that a contact's unit is one of the community's county."""
    if asked.role is Role.unit_contact and not await is_unit_of_county(scope, asked.unit_id):
        raise UnitUnknown


async def _require_new(scope: Scope, asked: GrantIn) -> None:
    held: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM role_grant g WHERE g.community_id = $1 AND g.person_id = $2 AND g.role = $3 "  # noqa: S608  # no input
        f"AND coalesce(g.region_id, g.area_id, g.station_id) = $4 AND {is_not_over('$5')} "
        "AND g.unit_id IS NOT DISTINCT FROM $6)",
        scope.community_id, asked.person_id, asked.role.value, asked.region_id or asked.area_id or asked.station_id,
        clock.local_day(), asked.unit_id,
    )  # fmt: skip
    if held:
        raise RoleHeld


@retried
async def end_grant(scope: Scope, grant_id: UUID, reason: str | None = None) -> Waiting | None:
    """End a role grant at once; an auditor's needs a caller from above, or waits for one.

    A grant that has ended stays unchanged. Raises OwnRole for the caller's own.
    """
    scope.require_admin()
    async with transaction(scope):
        held = await _locked(scope, grant_id)
        if scope.is_own(held.person_id):
            raise OwnRole
        await _require_place(scope, held)
        if held.ended_at is not None:
            return None
        if held.role is Role.auditor and held.region_id and not await administers_region_above(scope, held.region_id):
            place = await require_region(scope, held.region_id)
            return await propose(
                scope, END_AUDITOR, str(grant_id), {"grant_id": grant_id, "reason": reason},
                {"place": place.name, "reason": reason or "—"}, person_id=held.person_id,
                depth=max(len(place.path), COUNTY_DEPTH + 1),
            )  # fmt: skip
        await _end(scope, grant_id, held, reason)
    return None


async def _locked(scope: Scope, grant_id: UUID) -> _Held:
    held = await database.row(
        _Held,
        "SELECT person_id, role, region_id, area_id, station_id, ended_at FROM role_grant "
        "WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, grant_id,
    )  # fmt: skip
    if held is None:
        raise NotFound
    return held


async def _end(scope: Scope, grant_id: UUID, held: _Held, reason: str | None) -> None:
    await RoleGrant.update({RoleGrant.ended_at: clock.now()}).where(
        (RoleGrant.community_id == scope.community_id) & (RoleGrant.id == grant_id)
    )
    await audit.record(
        scope, "end_role", "role_grant", grant_id, reason=reason, person_id=held.person_id, role=held.role
    )
    await notify(
        scope, held.person_id, "role_ended", f"role:{grant_id}:ended", grant_id,
        role=phrase("role", role=held.role), why=because(reason),
    )  # fmt: skip


async def end_agreed(scope: Scope, change: Change) -> None:
    grant_id = UUID(change.do["grant_id"])
    held = await _locked(scope, grant_id)
    if held.ended_at is None:
        await _end(scope, grant_id, held, change.do["reason"])


_ROLE_WORDS: dict[str, dict[Any, str]] = {"role": {role.value: word for role, word in ROLES.items()}}
ADMIN_GRANT = Kind(
    name="admin_grant", sentence=_("让{person}担任{role}（{place}，{paid}）"),
    words=_ROLE_WORDS | {"paid": {"paid": _("带薪"), "unpaid": _("不带薪")}},
    without={"paid": _("让{person}担任{role}（{place}）")},
)  # fmt: skip
END_AUDITOR = Kind(name="end_auditor", sentence=_("结束{person}的审计员身份（{place}）。原因：{reason}"))
OFFICE_BEFORE = Kind(
    name="office_before", sentence=_("{person}担任{role}（{place}）"), in_force=True, words=_ROLE_WORDS
)
