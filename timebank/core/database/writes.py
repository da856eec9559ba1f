"""Queued writes: several rows of several tables are written by one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from piccolo import columns
from piccolo.table import Table

from timebank.core.database.marks import renumbered
from timebank.core.errors import RanIntoAnother


@dataclass(frozen=True, slots=True)
class Write:
    """An INSERT, UPDATE or DELETE, or the call of a function that writes, with its own $1, $2, ... and their values.

    `rows` is how many rows it must change, None for any number.
    """

    sql: str
    values: tuple[object, ...]
    rows: int | None = 1


def insert(row: Table) -> Write:
    """The insert of one whole row, with every column of its class."""
    sql, given = _insert_sql(type(row))
    return Write(sql, tuple([as_texts(row.__dict__[name]) if listed else row.__dict__[name] for name, listed in given]))


@cache
def _insert_sql(table: type[Table]) -> tuple[str, tuple[tuple[str, bool], ...]]:
    """The statement, and each column with whether it is an array."""
    meta = table._meta  # noqa: SLF001  # where Piccolo keeps the names
    named = [(column._meta.name, column) for column in meta.columns]  # noqa: SLF001
    marks = ", ".join(f"${number}{_cast(column)}" for number, (_, column) in enumerate(named, 1))
    names = ", ".join(name for name, _ in named)
    sql = f"INSERT INTO {meta.tablename} ({names}) VALUES ({marks})"  # noqa: S608  # names of the class, no input
    return sql, tuple((name, isinstance(column, columns.Array)) for name, column in named)


def _cast(column: columns.Column) -> str:
    if not isinstance(column, columns.Array):
        return ""
    base = column.base_column
    kind = {columns.Bytea: "bytea", columns.UUID: "uuid", columns.SmallInt: "smallint"}.get(type(base), "text")
    return f"::text[]::{kind}[]"


def as_texts(values: Iterable[object]) -> list[str]:
    """The values of an array as texts, for a parameter `$1::text[]::uuid[]` or `$1::text[]::bytea[]`.

    The driver knows arrays of text; for any other array each new connection first asks the server by three statements.
    """
    return [f"\\x{value.hex()}" if isinstance(value, bytes) else str(value) for value in values]


def change(sql: str, *values: object, rows: int | None = 1) -> Write:
    """A statement that must change `rows` rows, such as an UPDATE whose condition says what must still be true."""
    return Write(sql, values, rows)


def together(writes: Sequence[Write]) -> tuple[str, list[object]]:
    """The statement that carries the writes out, with all their values. It returns how many rows each has changed."""
    values = [value for write in writes for value in write.values]
    return _together(tuple((write.sql, len(write.values)) for write in writes)), values


@lru_cache(maxsize=512)
def _together(writes: tuple[tuple[str, int], ...]) -> str:
    parts, before = [], 0
    for number, (sql, count) in enumerate(writes):
        counted = "" if sql.startswith("SELECT ") else " RETURNING 1"
        parts.append(f"w{number} AS ({renumbered(sql, range(before + 1, before + count + 1))}{counted})")
        before += count
    counts = [f"(SELECT count(*) FROM w{number})" for number in range(len(writes))]  # noqa: S608  # no input
    return f"WITH {', '.join(parts)} SELECT {', '.join(counts)}"


def changed_rows(writes: Sequence[Write], counts: Any) -> None:
    """Raise RanIntoAnother if a write has not changed as many rows as it should: another request got in between."""
    for write, count in zip(writes, counts, strict=True):
        if write.rows is not None and count != write.rows:
            raise RanIntoAnother
