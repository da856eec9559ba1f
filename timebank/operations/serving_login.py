"""The database login of the service: it may act as the serving role `timebank_app` and as no other.

`timebank migrate` creates it from TIMEBANK_DATABASE_URL if TIMEBANK_OPERATOR_DATABASE_URL is another address.
"""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import unquote, urlsplit

import asyncpg

from timebank.core import connections
from timebank.core.errors import TimebankError, reason_of

ROUNDS = 4096

IS_OPERATOR = (
    "SELECT r.rolsuper OR r.rolbypassrls OR coalesce((SELECT pg_has_role(r.oid, o.oid, 'MEMBER') FROM pg_roles o "
    "WHERE o.rolname = 'timebank_owner'), false) FROM pg_roles r WHERE r.rolname = session_user"
)


class NoServingLogin(TimebankError):
    code = "no_serving_login"
    status = 500
    sentence = (
        "数据库已升级，但没能设好服务用的登录名 {name}（{why}）。"
        "请用超级用户的地址作 TIMEBANK_OPERATOR_DATABASE_URL 再运行 timebank migrate。"
    )


class OperatorNeeded(TimebankError):
    code = "operator_needed"
    status = 403
    sentence = (
        "这一步要由运维来做：TIMEBANK_DATABASE_URL 的登录名只能提供服务。"
        "请再设置 TIMEBANK_OPERATOR_DATABASE_URL（和 migrate 用的一样）后运行。"
    )


async def is_operator(connection: asyncpg.Connection) -> bool:
    """Whether the login is a superuser, bypasses row security or may act as the owner. The service should not."""
    return bool(await connection.fetchval(IS_OPERATOR))


async def prepare(operator_url: str, serving_url: str) -> None:
    """Create the login of `serving_url` if needed, set its password and grant it the serving role.

    A login with more rights is left unchanged: an older installation uses one, and the service warns of it. Raises
    NotOpen and NoServingLogin.
    """
    place = urlsplit(serving_url)
    name, password = unquote(place.username or ""), unquote(place.password or "")
    if not name or serving_url == operator_url:
        return
    async with connections.connect_once(operator_url) as connection:
        try:
            await _prepare(connection, name, password)
        except asyncpg.PostgresError as error:
            raise NoServingLogin(name=name, why=reason_of(error)) from error


async def _prepare(connection: asyncpg.Connection, name: str, password: str) -> None:
    async def run(statement: str, *values: str) -> None:
        await connection.execute(await connection.fetchval("SELECT format($1, VARIADIC $2::text[])", statement, values))

    found = await connection.fetchrow(
        "SELECT rolsuper OR rolbypassrls OR pg_has_role(oid, 'timebank_owner', 'MEMBER') AS may_more "
        "FROM pg_roles WHERE rolname = $1",
        name,
    )
    if found is None:
        await run("CREATE ROLE %I LOGIN", name)
    elif found["may_more"]:
        return
    if password:
        await run("ALTER ROLE %I PASSWORD %L", name, verifier(password))
    await run("GRANT timebank_app TO %I", name)


def verifier(password: str) -> str:
    """The SCRAM-SHA-256 verifier that PostgreSQL stores. It is computed here to keep the password out of its log."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    shown = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ROUNDS, *shown)
