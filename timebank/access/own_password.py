"""One's own password: the first one, a change, or a new one after a code from the counter."""

from datetime import timedelta
from uuid import UUID

from timebank import clock, database, vault
from timebank.access import throttle
from timebank.access.logins import set_password, use_one_time_code
from timebank.access.passwords import is_password
from timebank.access.sessions import sign_out_elsewhere
from timebank.access.tables import Login
from timebank.database import transaction
from timebank.errors import TimebankError, Unauthenticated
from timebank.scope import Scope

PROVES_FOR = timedelta(minutes=15)
"""How long after a sign-in with a code a new password may be set without the earlier one."""


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
        return not await Login.exists().where((Login.id == login_id) & Login.password_hash.is_not_null())


async def needs_current(scope: Scope) -> bool:
    """Whether the login must prove its present password before it gets a new one."""
    if scope.login_id is None:
        raise Unauthenticated
    async with transaction(None):
        told = await database.fetch_one(
            "SELECT l.password_hash IS NULL AS has_none, coalesce(s.by_code, false) AS by_code, s.created_at "
            "FROM login l LEFT JOIN session s ON s.id = $2 AND s.login_id = l.id WHERE l.id = $1",
            scope.login_id, scope.session_id,
        )  # fmt: skip
    if told is None:
        raise Unauthenticated
    is_fresh = told["created_at"] is not None and told["created_at"] > clock.now() - PROVES_FOR
    if told["has_none"] and not is_fresh:
        raise CodeTooOld
    return not (told["has_none"] or (told["by_code"] and is_fresh))


class PasswordElsewhere(TimebankError):
    code = "password_elsewhere"
    status = 403
    sentence = (
        "这个手机号还登记在别的社区，只用这个社区的登录码不能设密码。请填原来的密码；"
        "没有的，请那个社区也发一个登录码，设密码时一起填上。"
    )


async def _require_whole(scope: Scope, otp: str | None) -> None:
    """Refuse a password that would open more than the session's code does; a second community's code adds its own."""
    if otp is not None and scope.login_id is not None:
        await throttle.count(f"password:{scope.login_id}", most=10, window=timedelta(minutes=15))
        used = await use_one_time_code(scope.login_id, otp)
        if used is None:
            raise WrongSecondCode
        async with transaction(None):
            await database.execute("SELECT session_widen($1, $2, $3)", scope.session_id, used.opens, clock.now())
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

    The present one must be given, unless a one-time code opened the session in the last 15 minutes: a browser that was
    left open later is not enough to lock its owner out. Without it a code sets a password only where the login stands
    for no record that the code does not open; `otp` is the code of another community that knows its holder as well.
    """
    asks = await needs_current(scope)
    async with transaction(None):
        login = await Login.objects().get(Login.id == scope.login_id)
    if login is None:
        raise Unauthenticated
    if asks or (current and login.password_hash):
        await throttle.count(f"password:{login.id}", most=10, window=timedelta(minutes=15))
        if not await is_password(current or "", login.password_hash):
            raise WrongPassword
    else:
        await _require_whole(scope, otp)
    await set_password(login.id, vault.unseal(login.phone_sealed, "phone"), password, scope.request_id)
    await sign_out_elsewhere(login.id, scope.session_id)
