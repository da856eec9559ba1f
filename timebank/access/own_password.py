"""One's own password: the first one, a change, or a new one after a code from the counter."""

from datetime import timedelta
from uuid import UUID

from timebank import database, vault
from timebank.access import throttle
from timebank.access.logins import OwnLogin, own_login, password_proof, set_password
from timebank.access.sessions import sign_out_elsewhere
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
        return not await database.fetch_value("SELECT login_has_password($1)", login_id)


async def needs_current(scope: Scope) -> bool:
    """Whether the login must prove its present password before it gets a new one."""
    return _must_prove(await _own(scope))


async def _own(scope: Scope) -> OwnLogin:
    login = await own_login(scope) if scope.session_id else None
    if login is None:
        raise Unauthenticated
    return login


def _must_prove(login: OwnLogin) -> bool:
    return login.salt is not None and not login.by_code


async def change_password(scope: Scope, password: str, current: str | None = None) -> None:
    """Set the caller's password; every other session of the login ends.

    The present one must be given, unless there is none or the session was opened by a one-time code.
    """
    login, proof = await _own(scope), None
    if _must_prove(login):
        await throttle.count(f"password:{login.id}", most=10, window=timedelta(minutes=15))
        proof = await password_proof(login.id, login.salt, current or "")
        if proof is None:
            raise WrongPassword
    phone = vault.unseal(login.phone_sealed, "phone")
    await set_password(login.id, phone, password, scope=scope, present=proof)
    await sign_out_elsewhere(login.id, scope.session_id)
