"""Statements of the open transaction, and their rows in their shapes."""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, get_type_hints
from uuid import UUID

import asyncpg
import msgspec

from timebank.core.database.filters import most
from timebank.core.database.questions import Question, asked_together, many, one, value
from timebank.core.database.transactions import NO_LIMIT, current, statement_connection
from timebank.core.database.writes import Write, together
from timebank.core.paging import COUNT_MAX, Count

T = TypeVar("T")


async def fetch(sql: str, *values: object) -> list[asyncpg.Record]:
    async with statement_connection() as connection:
        return await connection.fetch(sql, *values)


async def fetch_unlimited(sql: str, *values: object) -> list[asyncpg.Record]:
    """The rows of a statement without the usual time limit, such as one that reads a community's whole history."""
    async with statement_connection() as connection:
        return await connection.fetch(sql, *values, timeout=NO_LIMIT)


async def fetch_one(sql: str, *values: object) -> asyncpg.Record | None:
    async with statement_connection() as connection:
        return await connection.fetchrow(sql, *values)


async def fetch_only(sql: str, *values: object) -> asyncpg.Record:
    """The row of a statement that always returns exactly one, such as a call of a function."""
    opened = current()
    if opened.common is not None and opened.key is not None:
        return await opened.common.ask(opened.key, sql, values)
    found = await fetch_one(sql, *values)
    assert found is not None
    return found


async def write_now(write: Write) -> int:
    """Send a write before the others that are queued, since the verb goes on by it; how many rows it has changed."""
    sql, values = together([write])
    changed: int = (await fetch_only(sql, *values))[0]
    return changed


async def fetch_value(sql: str, *values: object) -> Any:
    """The first column of the first row, or None if there is no row."""
    async with statement_connection() as connection:
        return await connection.fetchval(sql, *values)


async def execute(sql: str, *values: object) -> str:
    """Run a statement and return its command tag, such as `UPDATE 1`."""
    async with statement_connection() as connection:
        return await connection.execute(sql, *values)


PARAMETERS_MAX = 30_000  # the protocol counts parameters in 16 bits


async def insert_many(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[object]], ending: str = ""
) -> list[asyncpg.Record]:
    """Insert rows by as few INSERT statements as the parameter limit allows; returns the rows of a RETURNING.

    A list of values and not INSERT ... SELECT, which a distributed database refuses to a role under row-level security.
    `ending` follows the values, such as `ON CONFLICT DO NOTHING RETURNING id`. It, `table` and `columns` are put into
    the SQL text unquoted: never pass input.
    """
    at_once, returned = PARAMETERS_MAX // len(columns), list[asyncpg.Record]()
    for first in range(0, len(rows), at_once):
        part = rows[first : first + at_once]
        marks = ", ".join(
            "(" + ", ".join(f"${row * len(columns) + column + 1}" for column in range(len(columns))) + ")"
            for row in range(len(part))
        )
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} {ending}"  # noqa: S608  # names of the caller
        returned += await fetch(sql, *(value for row in part for value in row))
    return returned


async def rows(shape: type[T], sql: str, *values: object) -> list[T]:
    """Every row of a query, converted to `shape`. Column names must equal the field names."""
    if _is_asked(shape):
        return msgspec.json.decode(await _asked(many(sql, *values)) or "[]", type=list[shape])  # type: ignore[valid-type]  # `shape` is known at run time alone
    return [_shaped(row, shape) for row in await fetch(sql, *values)]


async def row(shape: type[T], sql: str, *values: object) -> T | None:
    """The first row of a query, converted to `shape`, or None if there is no row."""
    if _is_asked(shape):
        answer = await _asked(one(sql, *values))
        return None if answer is None else msgspec.json.decode(answer, type=shape)
    found = await fetch_one(sql, *values)
    return None if found is None else _shaped(found, shape)


async def read_value(shape: type[T], sql: str, *values: object) -> T:
    """The only column of the only row of a query, converted to `shape`."""
    if _is_asked(shape):
        return msgspec.json.decode(await _asked(value(sql, *values)) or "null", type=shape)
    return msgspec.convert(_plain(await fetch_value(sql, *values)), shape)


def _is_asked(shape: type[Any]) -> bool:
    """Whether a query is asked as a question, which is sent with others."""
    opened = current()
    return (opened.group is not None or opened.common is not None) and not _holds_bytes(shape)


async def _asked(question: Question) -> str | None:
    opened = current()
    if opened.group is not None:
        return (await opened.group.ask([question]))[0]
    sql, given = asked_together([question])
    answer: str | None = (await fetch_only(sql, *given))[0]
    return answer


_COUNTED = "SELECT count(*) FROM (SELECT FROM ({sql}) f LIMIT {limit}) c"


async def count_rows(sql: str, *values: object, up_to: int = COUNT_MAX) -> Count:
    """How many rows a query finds, counted no further than `up_to`."""
    found = await read_value(int, _COUNTED.format(sql=sql, limit=most(up_to + 1)), *values)
    return Count(min(found, up_to), found > up_to)


def _holds_bytes(shape: type[Any]) -> bool:
    """Whether a field holds bytes, which JSON does not carry: such a row is read by a statement of its own."""
    known = _BYTES.get(shape)
    if known is None:
        known = any(bytes in (hint, *get_args(hint)) for hint in get_type_hints(shape).values())
        _BYTES[shape] = known
    return known


_BYTES: dict[type[Any], bool] = {}


def _shaped(record: asyncpg.Record, shape: type[T]) -> T:
    return msgspec.convert({name: _plain(given) for name, given in record.items()}, shape)


def _plain(given: object) -> object:
    """The standard library's UUID for the driver's own class."""
    return UUID(bytes=given.bytes) if isinstance(given, UUID) else given
