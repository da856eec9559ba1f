"""Registering and correcting people together with their logins, and giving sign-in codes."""

from typing import Any
from uuid import UUID

import msgspec

from timebank.access.roles.grants import UNLOCKS_MUCH
from timebank.access.roles.in_force import is_not_over
from timebank.access.sign_in.logins import (
    enter_logins,
    login_by_phone,
    notify_login,
)
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.schemas import Waiting
from timebank.areas.reach import administers_region_above, require_region
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Role, Scope
from timebank.core.wording import phrase
from timebank.ledger.resting import RESTS_FOR
from timebank.people.contact import contact_of
from timebank.people.directory import open_person
from timebank.people.enrolment.enrolling import enrol
from timebank.people.identity.ages import is_guarded
from timebank.people.identity.citizen_number import require_identity
from timebank.people.identity.phones import normal_phone
from timebank.people.messages import notify
from timebank.people.records import correct, set_person_status
from timebank.people.schemas import Correction, Enrolment, PersonDetail
from timebank.people.waiting_corrections import moves_home, propose_correction, revealed, touches_family, unsealed


class NoPhone(TimebankError):
    code = "no_phone"
    status = 422
    sentence = "这位居民没有登记手机号，不能登录。请先登记手机号，或给一张卡。"


class ChildHasNoLogin(TimebankError):
    code = "child_has_no_login"
    status = 422
    sentence = "未满 14 岁的孩子不单独登录，由监护人代办。"


class RoleHolder(TimebankError):
    code = "office_holder"
    status = 403
    sentence = (
        "这位居民有管理身份，这一步要由上一级管理员来办；没有上一级时，由系统管理员用 timebank create-admin 重设密码。"
    )


class HolderDeclined(TimebankError):
    code = "holder_declined"
    status = 409
    sentence = "这个手机号的主人没有同意把这条登记并到自己的账号，不能发登录码。请当面核对手机号，登记错了的请更正。"


class _HeldRole(msgspec.Struct, frozen=True):
    """A role grant: over a region, or without `region_id` over an area or station inside the community."""

    community_id: UUID
    role: Role
    region_id: UUID | None


@retried
async def register(scope: Scope, enrolment: Enrolment) -> PersonDetail:
    """Register a person, with a login if there is a phone and they are 14 or over."""
    async with transaction(scope):
        person_id = await enrol(scope, enrolment)
        await _join_login(scope, person_id)
        return await open_person(scope, person_id)


@retried
async def amend(scope: Scope, person_id: UUID, correction: Correction) -> PersonDetail | Waiting:
    """Correct a person and set the status where one was sent. A new phone changes the login that stands for them.

    Changing the phone or status of a person with a role can take over or end that role. So it raises RoleHolder for
    a role above the caller's reach, and waits for somebody from above for an auditor, or for the phone of an
    administrator of the caller's own level. A change of home waits for somebody from above too if it concerns the
    caller, a household member or such a supervisor; a change of the caller's or a household member's identity waits for
    another administrator.
    """
    async with transaction(scope):
        if scope.administers and not scope.system:
            kind = await _needs(scope, person_id, correction)
            if kind is not None:
                return await propose_correction(scope, kind, person_id, correction)
        return await _amend(scope, person_id, correction)


async def _amend(scope: Scope, person_id: UUID, correction: Correction, *, agreed: bool = False) -> PersonDetail:
    before = (await contact_of(scope, person_id)).phone
    await correct(scope, person_id, correction)
    if correction.status is not msgspec.UNSET:
        await set_person_status(scope, person_id, correction.status, correction.reason)
    left, joined = await _join_login(scope, person_id)
    now = (await contact_of(scope, person_id)).phone
    # A person who turns out to be a child keeps the phone but loses the login: handled like a change of phone.
    if before != now or left:
        await _rest_after_change(scope, person_id, left, joined, rests=bool(now or left) and not agreed)
    return await open_person(scope, person_id)


async def _rest_after_change(
    scope: Scope, person_id: UUID, left: list[UUID], joined: UUID | None, *, rests: bool
) -> None:
    """Notify the person and the logins that no longer stand for them; with `rests`, pause spending for 72 hours.

    A second member of staff can end the pause. It is not needed if a second person has agreed to the change.
    """
    kind, key = "phone_changed.rests" if rests else "phone_changed", f"phone-changed:{clock.new_id()}"
    values: dict[str, Any] = {"community": scope.community_name or phrase("community"), "at": clock.now()}
    for login_id in left:
        await notify_login(login_id, kind, key, **values)
    await notify(scope, person_id, kind, key, urgent=True, **values)
    if rests:
        await database.execute(
            "SELECT login_rest($1, $2, $3, $4, $5, $6, $7)",
            scope.community_id, person_id, joined, scope.login_id, next(iter(left), None),
            RESTS_FOR, clock.now(),
        )  # fmt: skip


async def _needs(scope: Scope, person_id: UUID, correction: Correction) -> Kind | None:
    """The kind of waiting change that a correction needs; None if it is carried out at once."""
    if await _moves_the_login(scope, person_id, correction):
        offices = await _role_grants_of(scope, person_id)
        await _require_reach(scope, offices)
        if await _guards(scope, offices, correction):
            return CORRECTION
    if await _moves_a_watcher(scope, person_id, correction):
        return CORRECTION
    touches = await touches_family(scope, person_id, correction)
    return {None: None, "home": CORRECTION, "identity": FAMILY_CORRECTION}[touches]


async def _guards(scope: Scope, offices: list[_HeldRole], correction: Correction) -> bool:
    """Whether a correction would let the caller take over, or remove, somebody who supervises the caller.

    Called for changes of phone, status or age: any of them for an auditor, the phone for an administrator, unless the
    caller is above that role.
    """
    watched = UNLOCKS_MUCH if correction.phone is not msgspec.UNSET else {Role.auditor}
    for office in offices:
        if office.role in watched and office.region_id and not await administers_region_above(scope, office.region_id):
            return True
    return False


async def _moves_a_watcher(scope: Scope, person_id: UUID, correction: Correction) -> bool:
    """Whether a correction moves the home of an administrator or auditor whom the caller is not above.

    Household members may not decide about each other, so a false address would influence who decides.
    """
    if scope.is_own(person_id) or not await moves_home(scope, person_id, correction):
        return False
    for office in await _role_grants_of(scope, person_id):
        if (
            office.role in UNLOCKS_MUCH
            and office.region_id
            and not await administers_region_above(scope, office.region_id)
        ):
            return True
    return False


async def _join_login(scope: Scope, person_id: UUID) -> tuple[list[UUID], UUID | None]:
    """Make the login of the person's phone the only one that stands for them; none for a child under 14.

    Returns the logins that no longer stand for them, and the one that does now; None while its holder is asked.
    """
    contact = await contact_of(scope, person_id)
    login_id = joined = None
    if contact.phone and not contact.guarded:
        [entered] = await enter_logins(scope, [(contact.phone, person_id)])
        login_id = entered.login_id
        joined = login_id if entered.is_joined else None
    left = await database.fetch(
        "WITH waited AS (DELETE FROM membership_question WHERE community_id = $1 AND person_id = $2 "
        "AND login_id IS DISTINCT FROM $3) DELETE FROM membership WHERE community_id = $1 AND person_id = $2 "
        "AND login_id IS DISTINCT FROM $3 RETURNING login_id",
        scope.community_id, person_id, login_id,
    )  # fmt: skip
    return [UUID(bytes=row["login_id"].bytes) for row in left], joined


async def require_above(scope: Scope, phone: str) -> None:
    """Raise RoleHolder unless the caller's reach covers every role of this phone's login: a giver could use the code.

    For an administrator's or auditor's role the caller must administer a region above it, not the same one.
    """
    login = await login_by_phone(phone)
    offices = await database.rows(
        _HeldRole, "SELECT community_id, role, region_id FROM access_offices($1, $2)",
        login.id if login else None, clock.local_day(),
    )  # fmt: skip
    await _require_reach(scope, offices)
    for office in offices:
        if (
            office.role in UNLOCKS_MUCH
            and office.region_id
            and not await administers_region_above(scope, office.region_id)
        ):
            raise RoleHolder


async def _moves_the_login(scope: Scope, person_id: UUID, correction: Correction) -> bool:
    """Whether a correction of somebody else changes who can sign in as them, or whether anybody can."""
    if scope.is_own(person_id):
        return False
    if correction.status is not msgspec.UNSET or _makes_a_child(correction):
        return True
    if correction.phone is msgspec.UNSET:
        return False
    new = normal_phone(correction.phone) if correction.phone else None
    return new != (await contact_of(scope, person_id)).phone


def _makes_a_child(correction: Correction) -> bool:
    """Whether a correction's birth date or identity number makes the person a child under 14, who does not sign in."""
    said = None if correction.born_on is msgspec.UNSET else correction.born_on
    if correction.identity is not msgspec.UNSET and correction.identity:
        said = require_identity(correction.identity).born_on or said
    return is_guarded(said)


async def _role_grants_of(scope: Scope, person_id: UUID) -> list[_HeldRole]:
    """The role grants of a resident record that have not ended."""
    return await database.rows(
        _HeldRole,
        "SELECT g.community_id, g.role, g.region_id FROM role_grant g "  # noqa: S608  # no input
        f"WHERE g.community_id = $1 AND g.person_id = $2 AND {is_not_over('$3')}",
        scope.community_id, person_id, clock.local_day(),
    )  # fmt: skip


async def _require_reach(scope: Scope, offices: list[_HeldRole]) -> None:
    for place in {office.region_id or office.community_id for office in offices if not scope.system}:
        try:
            await require_region(scope, place)
        except (Forbidden, NotFound):
            raise RoleHolder from None


async def amend_agreed(scope: Scope, change: Change) -> None:
    assert change.person_id is not None
    await _amend(scope, change.person_id, unsealed(change.do), agreed=True)


CORRECTION = Kind(name="correction", sentence=_("更改{person}的登记：{fields}"), reveal=revealed)
FAMILY_CORRECTION = Kind(
    name="family_correction", sentence=_("更改{person}的登记：{fields}（由本人或同户的管理员提出）"), needs="another",
    reveal=revealed,
)  # fmt: skip
