"""The database: connections, one transaction for each verb, the statements in it, and running a verb again."""

from timebank.core.database.connections import close_pool, create_pool, engine
from timebank.core.database.direct_reads import reading_directly
from timebank.core.database.filters import Filters, most
from timebank.core.database.questions import Question, many, one, value
from timebank.core.database.reads import Reads, gathering, read
from timebank.core.database.refusals import BadValue, NotOpen
from timebank.core.database.retrying import TRIES, retried
from timebank.core.database.sharing import shared
from timebank.core.database.statements import (
    count_rows,
    execute,
    fetch,
    fetch_one,
    fetch_only,
    fetch_unlimited,
    fetch_value,
    insert_many,
    read_value,
    row,
    rows,
    write_now,
)
from timebank.core.database.transactions import (
    LOCK_NOT_AVAILABLE,
    Open,
    ask,
    error_of,
    fetch_aside,
    flush,
    plan_anew,
    queue,
    reading,
    savepoint,
    transaction,
)
from timebank.core.database.writes import Write, as_texts, change, insert
from timebank.core.errors import RanIntoAnother

__all__ = [
    "LOCK_NOT_AVAILABLE", "TRIES", "BadValue", "Filters", "NotOpen", "Open", "Question", "RanIntoAnother", "Reads",
    "Write", "as_texts", "ask", "change", "close_pool", "count_rows", "create_pool", "engine", "error_of", "execute",
    "fetch", "fetch_aside", "fetch_one", "fetch_only", "fetch_unlimited", "fetch_value", "flush", "gathering", "insert",
    "insert_many", "many", "most", "one", "plan_anew", "queue", "read", "read_value", "reading", "reading_directly",
    "retried", "row", "rows", "savepoint", "shared", "transaction", "value", "write_now",
]  # fmt: skip
