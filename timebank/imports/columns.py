"""The header of a sheet found by what its columns mean, wherever it stands and whatever it is called."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from timebank.imports.cells import Cell, words
from timebank.imports.fits import NO_FIT, Fit, fit_of, says_something, seconds
from timebank.imports.marks import column_letters
from timebank.imports.refusals import ColumnMissing, ColumnTwice, ImportRefused, NoKnownColumn
from timebank.imports.vocabulary import Meaning, plain_heading
from timebank.imports.workbook import Merge, Row, Sheet, Workbook
from timebank.locale import LANGUAGES, _, translate

_HEADER_SEARCHED = 40
_HEADING_LENGTH_MAX = 30
_VALUES_SAMPLED = 40
_KNOWN_LEAST = 2
_TABLE_BEGINS = 3
"""How many known headings make a row below a table the header of another one."""

REASONS = _("没有导入的原因")
"""The heading of the last column of refused rows, as they are given back to be mended: no part of anybody's table."""
_OWN_HEADINGS = frozenset(translate(REASONS, language) for language in LANGUAGES)


@dataclass(frozen=True, slots=True)
class Header:
    """Where a table's header stands in a sheet, which column holds what, and what each is called there.

    `further` are columns with the meaning of one before them whose cells are read together with it. The table ends
    before `end_row`, where another header begins.
    """

    sheet: Sheet
    first_row: int
    last_row: int
    columns: Mapping[str, int]
    headings: Mapping[str, str]
    labels: tuple[tuple[Cell, ...], ...]
    names: Mapping[int, str] = field(default_factory=dict)
    further: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    twice: tuple[tuple[str, int], ...] = ()
    end_row: int | None = None
    is_below: bool = False
    """Whether another table stands above it in the sheet."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What each column was read as, by the first heading of its meaning."""

    @property
    def body(self) -> Iterator[Row]:
        """The rows below the header, up to the next header."""
        for row in self.sheet.rows:
            if row.number > self.last_row and (self.end_row is None or row.number < self.end_row):
                yield row

    def heading(self, meaning: str) -> str:
        """The heading as it stands in the sheet; empty when the sheet has no such column."""
        return self.headings.get(meaning, "")


@dataclass(frozen=True, slots=True)
class Survey:
    """What is read of a book: headers, the tables that are refused and why, and sheets without a known header."""

    headers: tuple[Header, ...]
    refused: tuple[tuple[Header, ImportRefused], ...] = ()
    unread: tuple[Sheet, ...] = ()


def find(sheet: Sheet, wanted: Sequence[Meaning]) -> Header | None:
    """The header of a sheet, one or two rows high; `None` when fewer than two wanted columns are found."""
    best: Header | None = None
    for position, row in enumerate(sheet.rows[:_HEADER_SEARCHED]):
        below = sheet.rows[position + 1] if position + 1 < len(sheet.rows) else None
        heights: list[tuple[Row, ...]] = [(row,)]
        if below is not None and below.number == row.number + 1 and _splits(sheet, row):
            heights.append((row, below))
        for height in heights:
            header = _read(sheet, height, sheet.rows[position + len(height) :], wanted)
            if len(header.columns) >= _KNOWN_LEAST and (best is None or len(header.columns) > len(best.columns)):
                best = header
    return best


def headers(book: Workbook, wanted: Sequence[Meaning], required: Sequence[str]) -> tuple[Header, ...]:
    """The header of every table that can be read; raises an ImportRefused when there is none.

    A name in `required` may offer alternatives: "in|span".
    """
    return survey(book, wanted, required).headers


def survey(book: Workbook, wanted: Sequence[Meaning], required: Sequence[str]) -> Survey:
    """Every sheet of a book: read, refused, or without a header that is known."""
    found, refused, unread = list[Header](), list[tuple[Header, ImportRefused]](), list[Sheet]()
    for sheet in book.sheets:
        header = find(sheet, wanted)
        missing = _missing(header, required) if header else ()
        if header is None or (len(missing) > 1 and len(book.sheets) > 1):
            # A table that lacks several columns is one of another kind, such as the catalogue beside the book.
            unread.append(sheet)
            continue
        for table in _tables(header, wanted, required):
            wrong = _wrong(table, book.name, wanted, required)
            refused += [(table, wrong)] if wrong else []
            found += [] if wrong else [table]
    if not found and refused:
        raise refused[0][1]
    if not found:
        raise NoKnownColumn(headings="、".join(meaning.headings[0] for meaning in wanted))
    return Survey(tuple(found), tuple(refused), tuple(unread))


def _missing(header: Header, required: Sequence[str]) -> list[str]:
    return [keys for keys in required if not any(key in header.columns for key in keys.split("|"))]


def _tables(header: Header, wanted: Sequence[Meaning], required: Sequence[str]) -> Iterator[Header]:
    """The tables that stand below one another in a sheet, each with a header of its own."""
    exact = {heading for meaning in wanted for heading in meaning.headings}
    rows = header.sheet.rows
    for position, row in enumerate(rows):
        if row.number <= header.last_row or row.is_hidden:
            continue
        texts = [words(cell) for cell in row.cells if isinstance(cell, str) and not cell[0].isdigit()]
        if len(texts) < _TABLE_BEGINS or sum(plain_heading(text) in exact for text in texts) < _TABLE_BEGINS:
            continue
        texts = [words(cell) for cell in row.cells if cell is not None]
        if texts in [[words(cell) for cell in label if cell is not None] for label in header.labels]:
            continue  # the same header once more, at the top of a printed page
        below = _read(header.sheet, (row,), rows[position + 1 :], wanted)
        if not _missing(below, required):
            yield replace(header, end_row=row.number)
            header = replace(below, is_below=True)
    yield header


def _wrong(header: Header, book_name: str, wanted: Sequence[Meaning], required: Sequence[str]) -> ImportRefused | None:
    """Why a table is not read: it lacks a column, or two columns say one thing in two ways."""
    sheet = header.sheet.name or book_name
    missing = _missing(header, required)
    if missing:
        meaning = next(meaning for meaning in wanted if meaning.key == missing[0].partition("|")[0])
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
    return other is not None and words(other) != words(row.cells[first] if first < len(row.cells) else None)


def _splits(sheet: Sheet, row: Row) -> bool:
    """Whether a heading of this row stands over several columns, with their own headings in the next row."""
    filled = sum(cell is not None for cell in row.cells)
    return filled > 1 and any(
        merge.top == merge.bottom == row.number and merge.right > merge.left for merge in sheet.merges
    )


def _read(sheet: Sheet, height: tuple[Row, ...], body: Sequence[Row], wanted: Sequence[Meaning]) -> Header:
    labels = _labels(sheet, height)
    for column in _own(row.cells for row in height):
        labels[column] = []
    sample = [row.cells for row in body[:_VALUES_SAMPLED]]
    fits: list[tuple[float, int, str]] = []
    known: dict[tuple[int, str], Fit] = {}
    for column, candidates in enumerate(labels):
        values = [cells[column] for cells in sample if column < len(cells) and says_something(cells[column])]
        for meaning in wanted:
            fit = max((fit_of(label, meaning, values) for label in candidates), default=NO_FIT)
            if fit.total > 0:
                fits.append((-fit.total, column, meaning.key))
                known[column, meaning.key] = fit
    columns: dict[str, int] = {}
    for _total, column, key in sorted(fits):
        if key not in columns and column not in columns.values():
            columns[key] = column
    names = {column: candidates[-1] for column, candidates in enumerate(labels) if candidates}
    headings = {key: names[column] for key, column in columns.items()}
    further, twice = seconds(columns, known, labels)
    return Header(
        sheet, height[0].number, height[-1].number, columns, headings, tuple(row.cells for row in height),
        names, further, twice, meanings={meaning.key: meaning.headings[0] for meaning in wanted},
    )  # fmt: skip


def own_columns(header: Header) -> frozenset[int]:
    """The columns of reasons that this project has put beside a table: they are no part of it."""
    return _own(header.labels)


def _own(labels: Iterable[Sequence[Cell]]) -> frozenset[int]:
    return frozenset(column for cells in labels for column, cell in enumerate(cells) if words(cell) in _OWN_HEADINGS)


def _labels(sheet: Sheet, height: tuple[Row, ...]) -> list[list[str]]:
    """Per column the ways to read its heading: of two rows the lower one, then both together."""
    width = max(len(row.cells) for row in height)
    lines = []
    for row in height:
        line = [words(cell) for cell in row.cells] + [""] * (width - len(row.cells))
        for merge in sheet.merges:
            if merge.top <= row.number <= merge.bottom and not (merge.left == 0 and merge.right >= width - 1):
                _spread(line, merge, row.number, sheet)
        lines.append(line)
    if len(lines) == 1:
        return [[label] if 0 < len(label) <= _HEADING_LENGTH_MAX else [] for label in lines[0]]
    labels = []
    for upper, lower in zip(*lines, strict=True):
        both = upper if upper == lower else upper + lower
        labels.append([label for label in (lower, both) if 0 < len(label) <= _HEADING_LENGTH_MAX])
    return labels


def _spread(line: list[str], merge: Merge, number: int, sheet: Sheet) -> None:
    if number == merge.top:
        source = line[merge.left] if merge.left < len(line) else ""
    else:
        above = next((row.cells for row in sheet.rows if row.number == merge.top), ())
        source = words(above[merge.left]) if merge.left < len(above) else ""
    for column in range(merge.left, min(merge.right + 1, len(line))):
        line[column] = source
