"""Read many things at once: one statement asks several questions and returns one typed answer.

A verb that people wait for reads its facts by `read`, so that it waits for the database once. Each capability writes
the questions about its own tables, and a verb puts those that it needs together.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

import msgspec

from timebank.core.database.marks import renumbered
from timebank.core.database.transactions import fetch_value

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """A SELECT with its own $1, $2, ... and their values. `form` is the SQL that makes one JSON value of its rows."""

    form: str
    sql: str
    values: tuple[object, ...]


def one(sql: str, *values: object) -> Question:
    """The first row as an object, or null. The SELECT may lock its rows; see `read` for what that means."""
    return Question("(SELECT to_json(q) FROM ({}) AS q LIMIT 1)", sql, values)


def many(sql: str, *values: object) -> Question:
    """All rows as a list of objects, in the order of the SELECT."""
    return Question("(SELECT coalesce(json_agg(q), '[]') FROM ({}) AS q)", sql, values)


def value(sql: str, *values: object) -> Question:
    """The only column of the only row, or null."""
    return Question("to_json(({}))", sql, values)


async def read(shape: type[T], **questions: Question) -> T:
    """Answer the questions by one statement; the fields of `shape` are their names and give the types.

    Values come as JSON: a time with its zone, a binary string as `encode(..., 'base64')` makes it. All questions see
    the database as of the start of the statement. A question that has waited for a row lock sees the locked row as it
    is now and everything else as it was before: what must be true under a lock is read by the next statement.
    """
    values: list[object] = []
    places: dict[UUID, int] = {}
    marks = tuple(tuple(_place(given, values, places) for given in asked.values) for asked in questions.values())
    sql = _together(tuple((name, asked.form, asked.sql) for name, asked in questions.items()), marks)
    return msgspec.json.decode(await fetch_value(sql, *values), type=shape)


def _place(given: object, values: list[object], places: dict[UUID, int]) -> int:
    """The number of the parameter that carries a value; the same id is sent once."""
    if isinstance(given, UUID):
        if given in places:
            return places[given]
        places[given] = len(values) + 1
    values.append(given)
    return len(values)


@lru_cache(maxsize=512)
def _together(asked: tuple[tuple[str, str, str], ...], marks: tuple[tuple[int, ...], ...]) -> str:
    """The statement that answers all questions, with the parameters of each numbered anew."""
    parts = [
        f"{form.format(renumbered(sql, numbers))} AS {name}"
        for (name, form, sql), numbers in zip(asked, marks, strict=True)
    ]
    return f"SELECT to_json(answer)::text FROM (SELECT {', '.join(parts)}) AS answer"  # noqa: S608  # questions, no input
