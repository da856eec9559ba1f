"""The database: connections, one transaction for each verb, the statements in it, and running a verb again."""

from timebank.core.database.connections import BadValue, NotOpen, close_pool, create_pool, engine
from timebank.core.database.retrying import TRIES, RanIntoAnother, retried
from timebank.core.database.transactions import (
    LOCK_NOT_AVAILABLE,
    Open,
    ask,
    error_of,
    execute,
    fetch,
    fetch_aside,
    fetch_one,
    fetch_unlimited,
    fetch_value,
    insert_many,
    reading,
    row,
    rows,
    savepoint,
    transaction,
)

__all__ = [
    "LOCK_NOT_AVAILABLE", "TRIES", "BadValue", "NotOpen", "Open", "RanIntoAnother", "ask", "close_pool", "create_pool",
    "engine", "error_of", "execute", "fetch", "fetch_aside", "fetch_one", "fetch_unlimited", "fetch_value",
    "insert_many", "reading", "retried", "row", "rows", "savepoint", "transaction",
]  # fmt: skip
