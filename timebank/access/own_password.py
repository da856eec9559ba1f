"""One's own password: the first one, a change, or a new one after a code from the counter."""

from datetime import timedelta
from uuid import UUID

from timebank import database, vault
from timebank.access import throttle
from timebank.access.logins import set_password
from timebank.access.passwords import is_password
from timebank.access.sessions import sign_out_elsewhere
from timebank.access.tables import Login
from timebank.database import transaction
from timebank.errors import TimebankError, Unauthenticated
from timebank.scope import Scope


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
        proved: bool = await database.fetch_value(
            "SELECT l.password_hash IS NULL OR coalesce(s.by_code, false) FROM login l "
            "LEFT JOIN session s ON s.id = $2 AND s.login_id = l.id WHERE l.id = $1",
            scope.login_id, scope.session_id,
        )  # fmt: skip
    return not proved


async def change_password(scope: Scope, password: str, current: str | None = None) -> None:
    """Set the caller's password; every other session of the login ends.

    The present one must be given, unless there is none or the session was opened by a one-time code.
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
    await set_password(login.id, vault.unseal(login.phone_sealed, "phone"), password)
    await sign_out_elsewhere(login.id, scope.session_id)
