"""The outcome of an import as it is shown and sent: what was read, what can be taken in, and every row that cannot."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from timebank.imports.parsed import Parsed, RowProblem

T = TypeVar("T")


class RowReport(msgspec.Struct, frozen=True, kw_only=True):
    """One remark on one row, in words. `value` stands as in the sheet; identity numbers and phones are masked."""

    row: int
    column: str
    value: str
    problem: str
    code: str
    sheet: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of data rows, why the others were refused, and what to look at among those accepted."""

    rows: int
    accepted: int
    errors: list[RowReport]
    warnings: list[RowReport]


def report(parsed: Parsed[T], translate: Callable[[str], str] = str) -> Report:
    """Tell the outcome in the reader's language, in the order of the sheet."""
    return Report(
        rows=parsed.total,
        accepted=len(parsed.rows),
        errors=_told(parsed.problems, translate),
        warnings=_told(parsed.warnings, translate),
    )


def _told(problems: Iterable[RowProblem], translate: Callable[[str], str]) -> list[RowReport]:
    return [
        RowReport(
            row=found.row,
            column=found.column,
            value=found.value,
            problem=found.problem.sentence(translate),
            code=found.problem.code,
            sheet=found.sheet,
        )
        for found in problems
    ]
