"""What an error of the database means for the caller: one of our errors, or a fault of the program."""

from typing import TYPE_CHECKING

import asyncpg

from timebank.core.errors import Busy, TimebankError, Unavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

# Errors of a connection that ended during a verb. asyncpg raises the last one if it ends between two statements.
LOST = (
    asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, asyncpg.InternalClientError,
)  # fmt: skip


class NotOpen(Unavailable):
    code = "database_not_open"
    sentence = "数据库没有连上。请检查 TIMEBANK_DATABASE_URL，或稍候再试。"


class DiskFull(Unavailable):
    code = "disk_full"
    sentence = "数据库写不进磁盘：磁盘满了或坏了，这一步没有保存。请在数据库服务器上腾出空间，服务会自己恢复。"


class ReadOnly(Unavailable):
    code = "database_read_only"
    sentence = "这台数据库只能读（备用机，或设成了只读），这一步没有保存。请让 TIMEBANK_DATABASE_URL 指向主库。"


class BadValue(TimebankError):
    """A value that its column cannot store and that the limits of the schemas have let through."""

    code = "bad_value"
    status = 422
    sentence = "有一项内容不能保存：文字里有不可用的字符，或数字太大。请改后再试。"


# uvloop raises the last one on writing to a connection that has just been closed.
DATABASE_ERRORS = (
    OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, RuntimeError,
)  # fmt: skip

REFUSALS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[TimebankError]], ...] = (
    (asyncpg.LockNotAvailableError, Busy),
    (LOST, NotOpen),
    ((ConnectionError, TimeoutError), NotOpen),
    (asyncpg.ReadOnlySQLTransactionError, ReadOnly),
    ((asyncpg.DataError, ValueError), BadValue),  # asyncpg raises ValueError for a value it cannot encode.
)


def refusal_of(error: Exception, connection: "PoolConnectionProxy") -> TimebankError | None:
    """The error of ours for a database error; None if the database error is a fault of the program."""
    for kind, refusal in REFUSALS:
        if isinstance(error, kind):
            return refusal()
    if is_unwritable(error):
        return DiskFull()
    if isinstance(error, OSError | asyncpg.InterfaceError | RuntimeError) and is_lost(connection):
        return NotOpen()
    return None


def is_unwritable(error: Exception) -> bool:
    """Whether the server could not write a file: its disk is full or failing, or a quota or size limit is reached.

    A reached quota or size limit is reported as an internal error; the server's source file identifies it.
    """
    if isinstance(error, asyncpg.InternalServerError):
        return error.server_source_filename in ("md.c", "buffile.c", "fd.c")
    return isinstance(error, asyncpg.DiskFullError | asyncpg.PostgresIOError)


def is_lost(connection: "PoolConnectionProxy") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # The pool has already taken back a broken connection.
        return True
