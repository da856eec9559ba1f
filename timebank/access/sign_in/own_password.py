"""Setting the caller's own password: the first one, a change, or a new one after a sign-in code."""

from datetime import timedelta
from uuid import UUID

from timebank.access.sign_in import attempt_limits
from timebank.access.sign_in.logins import OwnLogin, own_login, password_proof, set_password, widen_session
from timebank.access.sign_in.sessions import sign_out_elsewhere
from timebank.core import clock, database, vault
from timebank.core.database import transaction
from timebank.core.errors import TimebankError, Unauthenticated
from timebank.core.scope import Scope

PROVES_FOR = timedelta(minutes=15)
"""How long after a sign-in with a code a new password may be set without the present one."""


class CodeTooOld(TimebankError):
    code = "code_too_old"
    status = 403
    sentence = "用登录码登录已超过 15 分钟，不能再直接设密码。请到驿站请站长再发一个登录码，登录后马上设。"


class WrongPassword(TimebankError):
    code = "wrong_password"
    status = 422
    sentence = "原来的密码不对。忘了的话，请到驿站请站长发一个登录码，用它登录后再设新密码。"


class WrongSecondCode(TimebankError):
    code = "wrong_second_code"
    status = 422
    sentence = "另一个社区的登录码不对或过期了。请再看一遍，或请那个社区再发一个。"


async def has_none(login_id: UUID) -> bool:
    """Whether the login has no password yet."""
    async with transaction(None):
        return not await database.fetch_value("SELECT login_has_password($1)", login_id)


async def needs_current(scope: Scope) -> bool:
    """Whether the caller must give the present password to set a new one. Raises CodeTooOld."""
    return _must_prove(await _own(scope))


async def _own(scope: Scope) -> OwnLogin:
    login = await own_login(scope) if scope.session_id else None
    if login is None:
        raise Unauthenticated
    return login


def _must_prove(login: OwnLogin) -> bool:
    is_fresh = login.opened_at > clock.now() - PROVES_FOR
    if login.salt is None and not is_fresh:
        raise CodeTooOld
    return not (login.salt is None or (login.by_code and is_fresh))


class PasswordElsewhere(TimebankError):
    code = "password_elsewhere"
    status = 403
    sentence = (
        "这个手机号还登记在别的社区，只用这个社区的登录码不能设密码。请填原来的密码；"
        "没有的，请那个社区也发一个登录码，设密码时一起填上。"
    )


async def _require_whole(scope: Scope, login_id: UUID, otp: str | None) -> None:
    """Raise PasswordElsewhere if the password would open records that the session does not.

    `otp`, a second community's sign-in code, adds that community's records to the session. Raises WrongSecondCode.
    """
    if otp is not None and scope.session_id is not None:
        await attempt_limits.count_attempt(f"password:{login_id}", most=10, window=timedelta(minutes=15))
        if not await widen_session(scope.session_id, login_id, otp):
            raise WrongSecondCode
    if await is_narrow(scope):
        raise PasswordElsewhere


async def is_narrow(scope: Scope) -> bool:
    """Whether the login stands for a record that this session does not open."""
    async with transaction(None):
        narrow: bool = await database.fetch_value("SELECT session_is_narrow($1)", scope.session_id)
    return narrow


async def change_password(
    scope: Scope, password: str, current: str | None = None, otp: str | None = None
) -> None:  # fmt: skip
    """Set the caller's password; every other session of the login ends.

    `current` is required unless a sign-in code opened the session in the last 15 minutes: after that, finding a browser
    left open must not be enough to lock its owner out. Without `current` the session must open all of the login's
    records; `otp` is the sign-in code of a second community, which adds that community's. Raises WrongPassword,
    CodeTooOld, PasswordElsewhere, WrongSecondCode, WeakPassword and TooManyAttempts.
    """
    login, proof = await _own(scope), None
    if _must_prove(login) or (current and login.salt):
        await attempt_limits.count_attempt(f"password:{login.id}", most=10, window=timedelta(minutes=15))
        proof = await password_proof(login.id, login.salt, current or "")
        if proof is None:
            raise WrongPassword
    else:
        await _require_whole(scope, login.id, otp)
    phone = vault.unseal(login.phone_sealed, "phone")
    await set_password(login.id, phone, password, scope=scope, present=proof)
    await sign_out_elsewhere(login.id, scope.session_id)
