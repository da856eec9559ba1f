"""Notes on the parts of a workbook that were not read or that the user may not see: sheets, columns, hidden rows."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import TypeVar

from timebank.imports.cells.cell_values import plain_text
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.files.marks import column_letters
from timebank.imports.files.refusals import FileEmpty
from timebank.imports.files.workbook import Row, Workbook
from timebank.imports.sheets.header import Header, own_columns
from timebank.imports.sheets.lines import data_rows, left_aside
from timebank.imports.sheets.parsed import InSheet, Parsed, RowProblem, UnusedColumn, UsedColumn, without_numbers
from timebank.imports.sheets.table_survey import Survey

T = TypeVar("T", bound=InSheet)
_HEADING_TOLD_MAX = 20
_ASIDES_TOLD_MAX = 5


def report_unread(parsed: Parsed[T], book: Workbook, seen: Survey) -> None:
    """Add to `parsed` the notes on everything in the workbook that was not read. Raises FileEmpty if there is nothing.

    The rows of a refused table count as data rows, with one problem at the table's header.
    """
    for reading in parsed.readings.values():
        reading.report_unreadable()
    for header, wrong in seen.refused:
        parsed.total += sum(1 for _ in data_rows(header))
        name = header.sheet.name
        parsed.problems.append(RowProblem(sheet=name, row=header.last_row, column="", value="", problem=refusal(wrong)))
    parsed.notes += _not_read(book, seen)
    if book.comments:
        parsed.notes.append(problem("note_comments", count=book.comments))
    parsed.notes += _hidden_columns(book, seen.headers)
    parsed.notes += _set_aside(book, seen.headers)
    hidden: Counter[str] = Counter()
    unused: dict[str, list[str]] = {}
    for header in seen.headers:
        parsed.used += _used(header)
        data = {line.number: line.is_hidden for line in data_rows(header)}
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
    if not parsed.total and not parsed.notes:
        raise FileEmpty


def _not_read(book: Workbook, seen: Survey) -> Iterator[Problem]:
    """Notes on the sheets and tables that were not read."""
    for sheet in seen.unread:
        yield problem("note_sheet_not_read", sheet=sheet.name, count=len(sheet.rows))
    for sheet in seen.void:
        yield problem("note_sheet_void", sheet=sheet.name, count=len(sheet.rows))
    for table in seen.others:
        count = sum(1 for _ in table.body)
        yield problem("note_table_not_read", sheet=table.sheet.name or book.name, row=table.first_row, count=count)
    for name, count in book.hidden_sheets.items():
        yield problem("note_sheet_hidden", sheet=name, count=count)


def _hidden_columns(book: Workbook, headers: Sequence[Header]) -> Iterator[Problem]:
    """One note for each sheet on its hidden columns that were read."""
    told: dict[str, list[str]] = {}
    for header in headers:
        for column in sorted(header.sheet.hidden_columns & set(header.columns.values())):
            if any(column < len(row.cells) and row.cells[column] is not None for row in header.body):
                heading = without_numbers(header.names.get(column, ""))[:_HEADING_TOLD_MAX]
                told.setdefault(header.sheet.name or book.name, []).append(heading or column_letters(column))
    for name, headings in told.items():
        yield problem("note_hidden_columns", sheet=name, columns="、".join(dict.fromkeys(headings)))


def _set_aside(book: Workbook, headers: Sequence[Header]) -> Iterator[Problem]:
    """One note for each sheet on the rows between its data that were taken for titles or examples."""
    rows: dict[str, list[Row]] = {}
    for header in headers:
        rows.setdefault(header.sheet.name or book.name, []).extend(left_aside(header))
    for name, found in rows.items():
        if found:
            told = "、".join(f"{row.number}“{_said(row)}”" for row in found[:_ASIDES_TOLD_MAX])
            more = "…" if len(found) > _ASIDES_TOLD_MAX else ""
            yield problem("note_asides", sheet=name, count=len(found), rows=told + more)


def _said(row: Row) -> str:
    said = next(plain_text(cell) for cell in row.cells if cell is not None)
    return without_numbers(said)[:_HEADING_TOLD_MAX]


def _used(header: Header) -> list[UsedColumn]:
    """The columns of a table that were read, from left to right, each with its meaning."""
    return [
        UsedColumn(
            header.sheet.name, column_letters(column),
            without_numbers(plain_text(header.names.get(column)))[:_HEADING_TOLD_MAX], header.meanings.get(key, key),
        )
        for key, column in sorted(header.columns.items(), key=lambda item: item[1])
    ]  # fmt: skip


def _unused(header: Header, data: Container[int]) -> list[UnusedColumn]:
    """The columns of a table that were not read although some data rows have a value in them."""
    used = {
        *own_columns(header),
        *header.columns.values(),
        *header.elsewhere,
        *(column for columns_ in header.further.values() for column in columns_),
    }
    filled: Counter[int] = Counter()
    for row in header.body:
        if row.number in data:
            filled.update(column for column, cell in enumerate(row.cells) if cell is not None and column not in used)
    return [
        UnusedColumn(
            header.sheet.name, column_letters(column),
            without_numbers(plain_text(header.names.get(column)))[:_HEADING_TOLD_MAX], filled[column],
        )
        for column in sorted(filled)
    ]  # fmt: skip
