"""People with their logins: who is entered with a phone can sign in with it, and after a change with the new one."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.roles.grants import UNLOCKS_MUCH
from timebank.access.sign_in.logins import (
    ONE_TIME_CODE_LASTS,
    Proof,
    enter_logins,
    give_one_time_code,
    login_by_phone,
    tell_login,
)
from timebank.access.standing import standing_of
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.schemas import Waiting
from timebank.areas.reach import require_region, stands_above
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import ADMINS, Role, Scope
from timebank.core.wording import dated_at
from timebank.ledger.resting import RESTS_FOR
from timebank.people.agreed import ask_for, moves_home, revealed, touches_family, unsealed
from timebank.people.contact import contact_of
from timebank.people.directory import open_person
from timebank.people.enrolment import enrol
from timebank.people.identity.ages import is_guarded
from timebank.people.identity.citizen_number import require_identity
from timebank.people.identity.phones import normal_phone
from timebank.people.locks import lock_people
from timebank.people.messages import tell
from timebank.people.records import correct, set_status
from timebank.people.schemas import Correction, Enrolment, PersonDetail


class NoPhone(TimebankError):
    code = "no_phone"
    status = 422
    sentence = "这位居民没有登记手机号，不能登录。请先登记手机号，或给一张卡。"


class ChildHasNoLogin(TimebankError):
    code = "child_has_no_login"
    status = 422
    sentence = "未满 14 岁的孩子不单独登录，由监护人代办。"


class OfficeHolder(TimebankError):
    code = "office_holder"
    status = 403
    sentence = (
        "这位居民有管理身份，这一步要由上一级管理员来办；没有上一级时，由系统管理员用 timebank create-admin 重设密码。"
    )


class HolderDeclined(TimebankError):
    code = "holder_declined"
    status = 409
    sentence = "这个手机号的主人没有同意把这条登记并到自己的账号，不能发登录码。请当面核对手机号，登记错了的请更正。"


class SignInCode(msgspec.Struct):
    """Six digits to be told to the person in front of the counter.

    Without a `scan` nothing is spent for three days unless another of the staff confirms the person: after a `name`
    and digits always, by an administrator's word (`office`) where there is something to spend.
    """

    code: str
    expires_at: datetime
    proof: Proof


class _Office(msgspec.Struct, frozen=True):
    """Where a role is held: over a region, or over something inside the community."""

    community_id: UUID
    role: Role
    region_id: UUID | None


@retried
async def register(scope: Scope, enrolment: Enrolment) -> PersonDetail:
    """Enter a person, with a login where there is a phone."""
    async with transaction(scope):
        person_id = await enrol(scope, enrolment)
        await _settle_login(scope, person_id)
        return await open_person(scope, person_id)


@retried
async def amend(scope: Scope, person_id: UUID, correction: Correction) -> PersonDetail | Waiting:
    """Correct a person, and set the status where one was sent. A new phone takes the login with it.

    Whoever holds the phone holds the roles: phone and status of somebody above the caller stay as they are, an
    auditor's and the phone of a peer wait for somebody from above. So does a move of the own household, and what
    tells who somebody is of the own household waits for another administrator.
    """
    async with transaction(scope):
        if scope.administers and not scope.system:
            kind = await _needs(scope, person_id, correction)
            if kind is not None:
                return await ask_for(scope, kind, person_id, correction)
        return await _amend(scope, person_id, correction)


async def _amend(scope: Scope, person_id: UUID, correction: Correction, *, agreed: bool = False) -> PersonDetail:
    before = (await contact_of(scope, person_id)).phone
    await correct(scope, person_id, correction)
    if correction.status is not msgspec.UNSET:
        await set_status(scope, person_id, correction.status, correction.reason)
    left, joined = await _settle_login(scope, person_id)
    now = (await contact_of(scope, person_id)).phone
    # Whoever is made a child keeps the phone and loses the login: it is told and rests as after any change of it.
    if before != now or left:
        await _rest_after_change(scope, person_id, left, joined, rests=bool(now or left) and not agreed)
    return await open_person(scope, person_id)


async def _rest_after_change(
    scope: Scope, person_id: UUID, left: list[UUID], joined: UUID | None, *, rests: bool
) -> None:
    """A changed phone spends nothing for three days: the old one is told, and whoever knows the person confirms it.

    Where a second person has agreed to the change, it is confirmed already.
    """
    text = (
        f"{scope.community_name or '社区'}的登记换了手机号或不再用这个账号登录（{dated_at(clock.now())}）。"
        f"不是您要换的，请马上告诉社区{'；72 小时内新手机号不能花费积分' if rests else ''}。"
    )
    key = f"phone-changed:{clock.new_id()}"
    for login_id in left:
        await tell_login(login_id, "phone_changed", text, key)
    await tell(scope, person_id, "phone_changed", text, key)
    if rests:
        await database.execute(
            "SELECT login_rest($1, $2, $3, $4, $5, $6, $7)",
            scope.community_id, person_id, joined, scope.login_id, next(iter(left), None),
            RESTS_FOR, clock.now(),
        )  # fmt: skip


async def _needs(scope: Scope, person_id: UUID, correction: Correction) -> Kind | None:
    """The kind of agreement that a correction needs; none for most."""
    if await _moves_the_login(scope, person_id, correction):
        offices = await _offices_of(scope, person_id)
        await _require_reach(scope, offices)
        if await _guards(scope, offices, correction):
            return CORRECTION
    if await _moves_a_watcher(scope, person_id, correction):
        return CORRECTION
    touches = await touches_family(scope, person_id, correction)
    return {None: None, "home": CORRECTION, "identity": FAMILY_CORRECTION}[touches]


async def _guards(scope: Scope, offices: list[_Office], correction: Correction) -> bool:
    """Whether a correction would let the caller be, or be rid of, somebody who watches over what the caller does."""
    watched = UNLOCKS_MUCH if correction.phone is not msgspec.UNSET else {Role.auditor}
    for office in offices:
        if office.role in watched and office.region_id and not await stands_above(scope, office.region_id):
            return True
    return False


async def _moves_a_watcher(scope: Scope, person_id: UUID, correction: Correction) -> bool:
    """Whether a correction says with whom an administrator or auditor lives whom the caller does not stand above.

    Who lives with somebody decides nothing for them: a wrong door would choose who does.
    """
    if scope.is_own(person_id) or not await moves_home(scope, person_id, correction):
        return False
    for office in await _offices_of(scope, person_id):
        if office.role in UNLOCKS_MUCH and office.region_id and not await stands_above(scope, office.region_id):
            return True
    return False


async def _settle_login(scope: Scope, person_id: UUID) -> tuple[list[UUID], UUID | None]:
    """Let the person's own phone, and no other, sign in for them; a child's does not.

    Answers the logins that did before, and the one that does now; none while its holder is asked.
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


@retried
async def sign_in_code(scope: Scope, person_id: UUID, proof: Proof = "office") -> SignInCode:
    """A one-time code for a person in front of a keeper, grid worker or administrator; the person is told of it.

    Nobody can become more than they are by it: a person who holds a role gets the code only from an administrator
    whose reach covers that role, wherever it is held. Only an administrator's word stands without another proof.
    """
    async with transaction(scope):
        await lock_people(scope, [person_id])  # the phone stays the person's until the code is given for it
        phone = await receiving_phone(scope, person_id)
        if proof == "office":
            scope.require_admin()
        code = await give_one_time_code(scope, person_id, phone, proof)
    return SignInCode(code, clock.now() + ONE_TIME_CODE_LASTS, proof)


async def receiving_phone(scope: Scope, person_id: UUID) -> str:
    """The phone of somebody to whom the caller may give a sign-in code, once it is known who stands there."""
    async with transaction(scope):
        contact = await contact_of(scope, person_id)
        # A tablet may not, though it serves a station: who finds a lost one must not become anybody by it.
        if scope.device_id is not None or not (scope.kept_stations or scope.works_in(contact.area_path)):
            raise Forbidden
        if contact.status != "active":
            raise NotFound
        if not contact.phone:
            raise NoPhone
        if contact.guarded:
            raise ChildHasNoLogin
        await _require_above(scope, contact.phone)
        if (await standing_of(scope, person_id)).login == "declined":
            raise HolderDeclined
    return contact.phone


async def _require_above(scope: Scope, phone: str) -> None:
    """Refuse unless the caller stands above every office of this phone's login: who gives a code can be its holder.

    Nobody is given one by a peer: an administrator's and an auditor's come from a region above theirs.
    """
    login = await login_by_phone(phone)
    offices = await database.rows(
        _Office, "SELECT community_id, role, region_id FROM access_offices($1, $2)",
        login.id if login else None, clock.local_day(),
    )  # fmt: skip
    await _require_reach(scope, offices)
    for office in offices:
        if office.role in UNLOCKS_MUCH and office.region_id and not await stands_above(scope, office.region_id):
            raise OfficeHolder


async def _moves_the_login(scope: Scope, person_id: UUID, correction: Correction) -> bool:
    """Whether a correction changes who can sign in as this person, or whether anybody can."""
    if scope.is_own(person_id):
        return False
    if correction.status is not msgspec.UNSET or _makes_a_child(correction):
        return True
    if correction.phone is msgspec.UNSET:
        return False
    new = normal_phone(correction.phone) if correction.phone else None
    return new != (await contact_of(scope, person_id)).phone


def _makes_a_child(correction: Correction) -> bool:
    """Whether a correction says that somebody is a child, who does not sign in."""
    said = None if correction.born_on is msgspec.UNSET else correction.born_on
    if correction.identity is not msgspec.UNSET and correction.identity:
        said = require_identity(correction.identity).born_on or said
    return is_guarded(said)


async def _offices_of(scope: Scope, person_id: UUID) -> list[_Office]:
    """The roles that this resident record holds."""
    return await database.rows(
        _Office,
        "SELECT community_id, role, region_id FROM role_grant WHERE community_id = $1 AND person_id = $2 "
        "AND ended_at IS NULL AND (ends_on IS NULL OR ends_on >= $3)",
        scope.community_id, person_id, clock.local_day(),
    )  # fmt: skip


async def _require_reach(scope: Scope, offices: list[_Office]) -> None:
    administered = {g.community_id for g in scope.grants if g.role in ADMINS}
    for office in offices:
        if scope.system:
            continue
        if office.region_id is None:
            if office.community_id not in administered:
                raise OfficeHolder
            continue
        try:
            await require_region(scope, office.region_id)
        except (Forbidden, NotFound):
            raise OfficeHolder from None


async def amend_agreed(scope: Scope, change: Change) -> None:
    assert change.person_id is not None
    await _amend(scope, change.person_id, unsealed(change.do), agreed=True)


CORRECTION = Kind("correction", _("更改{person}的登记：{fields}"), reveal=revealed)
FAMILY_CORRECTION = Kind(
    "family_correction", _("更改{person}的登记：{fields}（由本人或同户的管理员提出）"), needs="another",
    reveal=revealed,
)  # fmt: skip
