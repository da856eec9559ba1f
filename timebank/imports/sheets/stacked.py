"""Splits a sheet into its tables, one below the other, each with its own header and titles."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from timebank.imports.cells.cell_values import Cell, plain_text
from timebank.imports.files.workbook import Row, Sheet
from timebank.imports.sheets.asides import repeats_headings
from timebank.imports.sheets.context import says_day
from timebank.imports.sheets.header import Header, read_header
from timebank.imports.sheets.known_headings import DEEDS, GOODS, HOURS, ROSTER
from timebank.imports.sheets.meanings import Meaning, plain_heading

_TABLE_BEGINS = 3
"""The number of known headings that make a row the header of another table; two suffice if it has no other cells."""
_HEADINGS = {heading for meaning in (*ROSTER, *HOURS, *DEEDS, *GOODS) for heading in meaning.headings}


def tables(main: Header, wanted: Sequence[Meaning]) -> list[Header]:
    """Every table of a sheet from the top; `main` is the sheet's best header."""
    sheet = main.sheet
    wide = {merge.top for merge in sheet.merges if merge.right > merge.left and merge.left == 0}
    found: list[Header] = []
    for header in _headers(main, wanted):
        start = found[-1].last_row if found else 0
        titles = _titles(sheet, header, start, wide) if found else _all_above(sheet, header)
        is_page = not says_day(titles) or _said(titles) == _said(found[-1].titles) if found else False
        if found and _repeats(header, found[0]) and is_page:
            # The header is repeated at the top of a printed page: the table continues.
            above = found[-1].page_titles | {row.number for row in titles}
            found[-1] = replace(found[-1], page_titles=above)
            continue
        if found:
            end = titles[0].number if titles else header.first_row
            found[-1] = replace(found[-1], end_row=end)
            if found[-1].last_row < main.first_row and not any(True for _ in found[-1].body):
                found.pop()  # the upper row of a header, or a form above it
        found.append(replace(header, titles=titles))
    first = found[0].titles
    return [replace(header, sheet_titles=first) for header in found]


def _headers(main: Header, wanted: Sequence[Meaning]) -> Iterator[Header]:
    rows, label = main.sheet.rows, _texts_of(main.labels[0])
    for position, row in enumerate(rows):
        if row.number == main.first_row:
            yield main
        elif main.first_row < row.number <= main.last_row or row.is_hidden:
            continue
        elif _texts_of(row.cells) == label:
            yield replace(main, first_row=row.number, last_row=row.number + main.last_row - main.first_row)
        elif _begins(row) and repeats_headings(row, main) and row.number > main.last_row:
            yield replace(main, first_row=row.number, last_row=row.number)
        elif _begins(row):
            yield read_header(main.sheet, (row,), rows[position + 1 :], wanted)


def _begins(row: Row) -> bool:
    texts = [plain_text(cell) for cell in row.cells if isinstance(cell, str) and not cell[0].isdigit()]
    known = sum(plain_heading(text) in _HEADINGS for text in texts)
    return known >= _TABLE_BEGINS or (known >= 2 and known == sum(cell is not None for cell in row.cells))


def _repeats(header: Header, first: Header) -> bool:
    return [_texts_of(label) for label in header.labels] == [_texts_of(label) for label in first.labels]


def _texts_of(cells: Sequence[Cell]) -> list[str]:
    return [plain_text(cell) for cell in cells if cell is not None]


def _said(titles: Sequence[Row]) -> list[list[str]]:
    return [_texts_of(row.cells) for row in titles]


def _all_above(sheet: Sheet, header: Header) -> tuple[Row, ...]:
    return tuple(row for row in sheet.rows if row.number < header.first_row)


def _titles(sheet: Sheet, header: Header, after: int, wide: Set[int]) -> tuple[Row, ...]:
    """The title rows directly above a later header: those with a single cell, or with one merged across the table."""
    found: list[Row] = []
    for row in reversed(_all_above(sheet, header)):
        if row.number <= after or (sum(cell is not None for cell in row.cells) > 1 and row.number not in wide):
            break
        found.append(row)
    return tuple(reversed(found))
