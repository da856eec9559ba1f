"""One's own password: the first one, a change, or a new one after a code from the counter."""

from datetime import timedelta
from uuid import UUID

from timebank import clock, database, vault
from timebank.access import throttle
from timebank.access.logins import set_password
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


async def change_password(scope: Scope, password: str, current: str | None = None) -> None:
    """Set the caller's password; every other session of the login ends.

    The present one must be given, unless a one-time code opened the session in the last 15 minutes: a browser that was
    left open later is not enough to lock its owner out.
    """
    asks = await needs_current(scope)
    async with transaction(None):
        login = await Login.objects().get(Login.id == scope.login_id)
    if login is None:
        raise Unauthenticated
    if asks:
        await throttle.count(f"password:{login.id}", most=10, window=timedelta(minutes=15))
        if not await is_password(current or "", login.password_hash):
            raise WrongPassword
    await set_password(login.id, vault.unseal(login.phone_sealed, "phone"), password, scope.request_id)
    await sign_out_elsewhere(login.id, scope.session_id)
