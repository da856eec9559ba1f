"""Where a resident is signed in, for the resident and for staff; how the resident ends it, and an administrator."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.access.registration import require_above
from timebank.access.sign_in.device_kinds import KINDS
from timebank.access.sign_in.logins import notify_login
from timebank.core import audit, clock, database
from timebank.core.capability import Reading
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.contact import contact_of
from timebank.people.locks import lock_people
from timebank.people.messages import notify


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in in force: its kind of device (None: not noted), whether a code opened it, and its last use."""

    id: UUID
    device: str | None
    by_code: bool
    opened_at: datetime
    used_at: datetime | None

    @property
    def word(self) -> str:
        """The kind of device, marked for translation."""
        return KINDS.get(self.device or "", _("没有记下设备"))


class OwnSignIn(SignIn, frozen=True, kw_only=True):
    """A sign-in of the caller's login: whether it is the one that asks, and whether that one may end it."""

    is_this: bool
    may_end: bool


class SignInStays(TimebankError):
    code = "sign_in_stays"
    status = 403
    sentence = (
        "这台设备是用登录码登录的，账号的花费还在暂停，不能退出用密码登录的设备。"
        "请用密码登录后再退出，或到驿站请另一位工作人员确认是您本人。"
    )


class OwnSignInsEnd(msgspec.Struct):
    """Which of the own sign-ins ends; all others without one."""

    sign_in_id: UUID | None = None


class SignInsEnd(msgspec.Struct, forbid_unknown_fields=True):
    """Which sign-in ends (all without one), and why."""

    reason: Annotated[str, Meta(min_length=2, max_length=200, pattern=r"^[^\x00]*$")]
    sign_in_id: UUID | None = None


async def sign_ins_of(scope: Scope, person_id: UUID, _reading: Reading) -> list[SignIn]:
    """The sign-ins that open a resident's record, last used first. Nobody but the person and readers sees any."""
    async with transaction(scope):
        return await database.rows(
            SignIn, "SELECT * FROM sessions_of($1, $2, $3)", scope.community_id, person_id, clock.now()
        )


@retried
async def end_sign_ins(scope: Scope, person_id: UUID, asked: SignInsEnd) -> int:
    """End one sign-in of a resident or all, who is notified in every community; returns how many ended.

    The administrator gets no access by it: the next sign-in needs the resident's own password or code. It is for
    administrators who stand above every role of the resident, so that nobody keeps a colleague or an auditor out, and
    never for an own record, which signs out by itself. A repetition changes nothing. Raises RoleHolder.
    """
    scope.require_admin()
    if scope.device_id is not None or scope.is_own(person_id):
        raise Forbidden
    async with transaction(scope):
        contact = await contact_of(scope, person_id)
        await lock_people(scope, [person_id])
        if contact.phone:
            await require_above(scope, contact.phone)
        ended = await database.fetch(
            "SELECT * FROM sessions_end_of($1, $2, $3, $4)",
            scope.community_id, person_id, asked.sign_in_id, clock.now(),
        )  # fmt: skip
        if ended:
            await audit.record(scope, "end_sign_ins", "person", person_id, reason=asked.reason, sign_ins=len(ended))
            logins = {UUID(bytes=row["login_id"].bytes) for row in ended}
            await _notify(scope, person_id, logins, f"sign-ins-ended:{clock.new_id()}", len(ended), asked.reason)
    return len(ended)


async def _notify(scope: Scope, person_id: UUID, logins: set[UUID], key: str, count: int, reason: str) -> None:
    values: dict[str, Any] = {
        "community": scope.community_name or phrase("community"), "count": count, "reason": reason,
    }  # fmt: skip
    for login_id in sorted(logins):
        await notify_login(login_id, "sign_ins_ended", key, **values)
    await notify(scope, person_id, "sign_ins_ended", key, urgent=True, **values)


async def own_sign_ins(scope: Scope) -> list[OwnSignIn]:
    """Where the caller's login is signed in: this device first, then the last used. Raises Forbidden for a device."""
    if scope.session_id is None or scope.device_id is not None:
        raise Forbidden
    async with transaction(scope):
        return await database.rows(OwnSignIn, "SELECT * FROM sessions_own($1, $2)", scope.session_id, clock.now())


@retried
async def end_own_sign_ins(scope: Scope, asked: OwnSignInsEnd) -> int:
    """End another sign-in of the caller's login, or all others, and notify its records; returns how many ended.

    The one that asks goes on: it signs out by itself. One that a code opened while spending is paused ends none that a
    password opened, because the code may be with whoever gave it. A repetition changes nothing. Raises Forbidden,
    NotFound, SignInStays.
    """
    async with transaction(scope):
        others = [one for one in await own_sign_ins(scope) if asked.sign_in_id in (None, one.id)]
        if any(one.is_this for one in others) and asked.sign_in_id is not None:
            raise NotFound
        others = [one for one in others if not one.is_this]
        if others and not any(one.may_end for one in others):
            raise SignInStays
        ended: int = await database.fetch_value(
            "SELECT sessions_end_own($1, $2, $3)", scope.session_id, asked.sign_in_id, clock.now()
        )
        if ended and scope.login_id is not None:
            await audit.record_of_login(scope.login_id, "sign_out", scope.request_id, sign_ins=ended)
            await notify_login(
                scope.login_id, "sign_ins_ended.by_holder", f"sign-ins-ended:{clock.new_id()}", count=ended
            )
    return ended
