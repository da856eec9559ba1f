"""Find the tables of a workbook by what their columns mean, whatever their place and the sheet's name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from timebank.imports.cells.cell_values import plain_text
from timebank.imports.files.marks import column_letters
from timebank.imports.files.refusals import ColumnMissing, ColumnTwice, ImportRefused, NoKnownColumn
from timebank.imports.files.workbook import Row, Sheet, Workbook
from timebank.imports.sheets import beside, stacked
from timebank.imports.sheets.context import TitleDates, context_of
from timebank.imports.sheets.header import Header, find, missing
from timebank.imports.sheets.lines import data_rows
from timebank.imports.sheets.meanings import Meaning
from timebank.imports.sheets.parsed import InSheet, Parsed, Reading

T = TypeVar("T", bound=InSheet)

_VOID = re.compile(r"作废|废弃|停用|示例|样例|范例|模板|样表|备份|旧表|backup|template|example", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Survey:
    """The tables of a workbook: those to read, those refused and why, and the sheets without a table of this kind."""

    headers: tuple[Header, ...]
    refused: tuple[tuple[Header, ImportRefused], ...] = ()
    unread: tuple[Sheet, ...] = ()
    others: tuple[Header, ...] = ()
    """Tables of another kind on a sheet with several tables."""
    void: tuple[Sheet, ...] = ()
    """Sheets with a table of this kind that are skipped for their name, such as 作废, 备份 or 模板."""


def headers(book: Workbook, wanted: Sequence[Meaning], required: Sequence[str]) -> tuple[Header, ...]:
    """The header of every table that can be read; raises an ImportRefused when there is none.

    An entry of `required` may list alternatives: "in|span".
    """
    return survey(book, wanted, required).headers


def survey(book: Workbook, wanted: Sequence[Meaning], required: Sequence[str]) -> Survey:
    """Sort the tables of a workbook into read, refused and unread; raises an ImportRefused if none can be read."""
    found, refused = list[Header](), list[tuple[Header, ImportRefused]]()
    unread, others = list[Sheet](), list[Header]()
    void = _void(book, wanted, required)
    meant = [sheet for sheet in book.sheets if sheet not in void]
    for sheet in (half for whole in meant for half in beside.split_side_by_side(whole, wanted)):
        header = find(sheet, wanted)
        tables = _tables(header, wanted) if header else []
        for table in tables:
            lacks = len(missing(table, required))
            wrong = _wrong(table, book.name, wanted, required)
            if lacks > 1 and len(tables) > 1:
                others.append(table)
            elif lacks > 1 and len(book.sheets) > 1:
                # A table that lacks several columns is of another kind, such as a catalogue beside the moral-bank book.
                unread.append(sheet)
            elif wrong:
                refused.append((table, wrong))
            else:
                found.append(table)
        if header is None:
            unread.append(sheet)
    if not found and refused:
        raise refused[0][1]
    if not found:
        raise NoKnownColumn(headings="、".join(meaning.headings[0] for meaning in wanted))
    return Survey(tuple(found), tuple(refused), tuple(unread), tuple(others), void)


def _tables(main: Header, wanted: Sequence[Meaning]) -> list[Header]:
    return [one for table in stacked.tables(main, wanted) for one in beside.split_by_station(table)]


def _void(book: Workbook, wanted: Sequence[Meaning], required: Sequence[str]) -> tuple[Sheet, ...]:
    """Old, template and example sheets, skipped if another sheet is readable; a lone template was filled in."""
    void = [sheet for sheet in book.sheets if _VOID.search(sheet.name)]
    if not void or len(void) == len(book.sheets):
        return ()

    def readable(sheet: Sheet) -> bool:
        header = find(sheet, wanted)
        return header is not None and not missing(header, required)

    meant = [sheet for sheet in book.sheets if sheet not in void]
    return tuple(filter(readable, void)) if any(map(readable, meant)) else ()


def _wrong(header: Header, book_name: str, wanted: Sequence[Meaning], required: Sequence[str]) -> ImportRefused | None:
    """Why a table is not read: a column is missing, or two columns of one meaning differ. None if it can be read."""
    sheet = header.sheet.name or book_name
    lacking = missing(header, required)
    if lacking:
        meaning = next(meaning for meaning in wanted if meaning.key == lacking[0].partition("|")[0])
        return ColumnMissing(sheet=sheet, heading=meaning.headings[0], others="、".join(meaning.headings[1:5]))
    for key, second in header.twice:
        first = header.columns[key]
        if any(_differ(row, first, second) for row in header.body):
            return ColumnTwice(
                sheet=sheet, heading=header.names.get(second, header.heading(key)),
                first=column_letters(first), second=column_letters(second),
            )  # fmt: skip
    return None


def _differ(row: Row, first: int, second: int) -> bool:
    other = row.cells[second] if second < len(row.cells) else None
    return other is not None and plain_text(other) != plain_text(row.cells[first] if first < len(row.cells) else None)


def titled_rows(parsed: Parsed[T], survey: Survey) -> Iterator[tuple[Reading[T], TitleDates]]:
    """A reading of each line of the tables to read, with the dates that the titles above it give."""
    for header in survey.headers:
        whole = context_of(header)
        for line in data_rows(header):
            yield Reading(parsed, header, line), whole.within(line.titles) if line.titles else whole
