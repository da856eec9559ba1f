"""What of a book was not used, so that nothing is lost in silence: sheets, columns, hidden rows."""

from collections import Counter
from collections.abc import Container
from typing import TypeVar

from timebank.imports.cells import words
from timebank.imports.columns import Header, Survey, own_columns
from timebank.imports.lines import lines
from timebank.imports.marks import column_letters
from timebank.imports.parsed import InSheet, Parsed, RowProblem, UnusedColumn, UsedColumn, without_numbers
from timebank.imports.problems import problem, refusal
from timebank.imports.workbook import Workbook

T = TypeVar("T", bound=InSheet)
_HEADING_TOLD_MAX = 20


def tell(parsed: Parsed[T], book: Workbook, seen: Survey) -> None:
    """Add to what was read of a book all that was not."""
    for reading in parsed.readings.values():
        reading.tell_unreadable()
    for header, wrong in seen.refused:
        parsed.total += sum(1 for _ in lines(header))
        name = header.sheet.name
        parsed.problems.append(RowProblem(name, header.last_row, "", "", refusal(wrong)))
    for sheet in seen.unread:
        parsed.notes.append(problem("note_sheet_not_read", sheet=sheet.name, count=len(sheet.rows)))
    for name, count in book.hidden_sheets.items():
        parsed.notes.append(problem("note_sheet_hidden", sheet=name, count=count))
    hidden: Counter[str] = Counter()
    unused: dict[str, list[str]] = {}
    for header in seen.headers:
        parsed.used += _used(header)
        data = {line.number: line.is_hidden for line in lines(header)}
        hidden[header.sheet.name] += sum(data.values())
        for column in _unused(header, data):
            parsed.unused.append(column)
            unused.setdefault(header.sheet.name, []).append(column.heading or column.column)
    for name, count in hidden.items():
        if count:
            parsed.notes.append(
                problem("note_hidden_rows", sheet=name, count=count)
                if name
                else problem("note_hidden_rows_text", count=count)
            )
    for name, headings in unused.items():
        told = "、".join(dict.fromkeys(headings))
        parsed.notes.append(
            problem("note_unused_columns", sheet=name, columns=told)
            if name
            else problem("note_unused_columns_text", columns=told)
        )


def _used(header: Header) -> list[UsedColumn]:
    """The columns of a table that were read, from the left, each with what it was read as."""
    return [
        UsedColumn(
            header.sheet.name, column_letters(column),
            without_numbers(words(header.names.get(column)))[:_HEADING_TOLD_MAX], header.meanings.get(key, key),
        )
        for key, column in sorted(header.columns.items(), key=lambda item: item[1])
    ]  # fmt: skip


def _unused(header: Header, data: Container[int]) -> list[UnusedColumn]:
    """The columns of a table that hold something in its data rows and were not read."""
    used = {
        *own_columns(header),
        *header.columns.values(),
        *(column for columns_ in header.further.values() for column in columns_),
    }
    filled: Counter[int] = Counter()
    for row in header.body:
        if row.number in data:
            filled.update(column for column, cell in enumerate(row.cells) if cell is not None and column not in used)
    return [
        UnusedColumn(
            header.sheet.name, column_letters(column),
            without_numbers(words(header.names.get(column)))[:_HEADING_TOLD_MAX], filled[column],
        )
        for column in sorted(filled)
    ]  # fmt: skip
