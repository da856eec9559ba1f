"""Questions: SELECTs that are put together into one statement, each of which answers as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from timebank.core.database.marks import renumbered


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


def asked_together(questions: Sequence[Question], names: Sequence[str] = ()) -> tuple[str, list[object]]:
    """The statement that answers all questions, and its values.

    With names it returns one JSON object of them as text, without names each answer as a column of JSON text.
    """
    values: list[object] = []
    places: dict[UUID, int] = {}
    marks = tuple(tuple([_place(given, values, places) for given in asked.values]) for asked in questions)
    return _together(tuple([(asked.form, asked.sql) for asked in questions]), tuple(names), marks), values


def _place(given: object, values: list[object], places: dict[UUID, int]) -> int:
    """The number of the parameter that carries a value; the same id is sent once."""
    if isinstance(given, UUID):
        if given in places:
            return places[given]
        places[given] = len(values) + 1
    values.append(given)
    return len(values)


@lru_cache(maxsize=1024)
def _together(asked: tuple[tuple[str, str], ...], names: tuple[str, ...], marks: tuple[tuple[int, ...], ...]) -> str:
    answers = [form.format(renumbered(sql, numbers)) for (form, sql), numbers in zip(asked, marks, strict=True)]
    if not names:
        return f"SELECT {', '.join(f'({answer})::text' for answer in answers)}"
    listed = ", ".join(f"{answer} AS {name}" for answer, name in zip(answers, names, strict=True))
    return f"SELECT to_json(answer)::text FROM (SELECT {listed}) AS answer"  # noqa: S608  # questions, no input
