"""The tables of an OpenDocument spreadsheet, from its `content.xml` (OASIS ODF 1.3, part 3, chapters 9 and 19).

calamine is not used here: it returns an empty text alike for an error, a formula without a value and a blank cell.
"""

import re
from dataclasses import dataclass, field

from timebank.imports.cells.cell_values import Cell
from timebank.imports.files.marks import Marks
from timebank.imports.files.open_document_cells import CellRead, value_of
from timebank.imports.files.refusals import FileTypeWrong, TooManyRows, WorkbookBroken, WorkbookTooLarge
from timebank.imports.files.xml_parts import local_name, parsed, parser

CELLS_MAX = 2_500_000
COLUMNS_MAX = 1_000
_ASIDE = frozenset({"annotation", "note", "tracked-changes", "shapes", "forms", "ruby-text"})
"""Elements whose text is not part of a cell's value: comments, tracked changes, drawings."""


@dataclass(slots=True)
class Table:
    """One sheet with its marks; `rows` are the filled rows with their numbers (from 1), and `merges` the merged blocks
    as (top, left, bottom, right), all from 0."""

    name: str
    visible: bool
    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)


def tables(content: bytes, rows_max: int) -> list[Table]:
    """Every sheet in order. Raises an ImportRefused for another kind of document or one that exceeds the limits."""
    walk = _Walk(rows_max)
    reader = parser()
    reader.StartElementHandler = walk.start
    reader.EndElementHandler = walk.end
    reader.CharacterDataHandler = walk.text
    parsed(reader, content)
    if not walk.is_spreadsheet:
        raise FileTypeWrong
    return walk.tables


class _Walk:
    """Collects the tables while the document is parsed; repeated rows and cells with a value are written out."""

    def __init__(self, rows_max: int) -> None:
        self.tables: list[Table] = []
        self.is_spreadsheet = False
        self._rows_max = rows_max
        self._hidden_styles: set[str] = set()
        self._struck_styles: set[str] = set()
        self._struck: set[int] = set()
        self._columns = 0
        self._from_1904 = False
        self._style = ""
        self._aside = 0
        self._depth = 0  # of nested tables: a table inside a cell is not a sheet
        self._groups: list[bool] = []
        self._row_number = self._filled = 0
        self._row: list[Cell] = []
        self._repeat = 1
        self._collapsed = False
        self._cell: CellRead | None = None
        self._in_paragraph = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local_name(name)
        if self._aside or name in _ASIDE:
            if name == "annotation" and not self._aside and self._depth == 1:
                self.tables[-1].marks.comments += 1
            self._aside += 1
            return
        given = {local_name(key): value for key, value in attributes.items()}
        begin = getattr(self, f"_start_{name.replace('-', '_')}", None)
        if name == "table":
            self._start_sheet(given)
        elif begin is not None and (self._depth < 2 or name in ("p", "s", "tab", "line_break")):
            begin(given)

    def end(self, name: str) -> None:
        if self._aside:
            self._aside -= 1
            return
        name = local_name(name)
        if name == "table":
            self._depth -= 1
        elif self._depth < 2:
            finish = getattr(self, f"_end_{name.replace('-', '_')}", None)
            if finish is not None:
                finish()

    def text(self, text: str) -> None:
        if self._cell is not None and self._in_paragraph and not self._aside and self._depth < 2:
            self._cell.paragraphs[-1] += text

    def _start_spreadsheet(self, _given: dict[str, str]) -> None:
        self.is_spreadsheet = True

    def _start_null_date(self, given: dict[str, str]) -> None:
        self._from_1904 = given.get("date-value", "").startswith("1904")

    def _start_style(self, given: dict[str, str]) -> None:
        self._style = given.get("name", "")

    def _start_table_properties(self, given: dict[str, str]) -> None:
        if given.get("display") == "false":
            self._hidden_styles.add(self._style)

    def _start_text_properties(self, given: dict[str, str]) -> None:
        through = given.get("text-line-through-style") or given.get("text-line-through-type") or "none"
        if through != "none":
            self._struck_styles.add(self._style)

    def _start_table_column(self, given: dict[str, str]) -> None:
        count = _count(given, "number-columns-repeated")
        if given.get("visibility") in ("collapse", "filter"):
            self.tables[-1].marks.hidden_columns |= set(range(self._columns, min(self._columns + count, COLUMNS_MAX)))
        self._columns += count

    def _start_span(self, given: dict[str, str]) -> None:
        if self._cell is not None and given.get("style-name") in self._struck_styles:
            self._cell.is_struck = True

    def _start_sheet(self, given: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self._row_number, self._columns, self._groups = 0, 0, []
            self.tables.append(Table(given.get("name", ""), given.get("style-name") not in self._hidden_styles))
            self.tables[-1].marks.from_1904 = self._from_1904

    def _start_table_row_group(self, given: dict[str, str]) -> None:
        self._groups.append(given.get("display") == "false")

    def _end_table_row_group(self) -> None:
        self._groups.pop()

    def _start_table_row(self, given: dict[str, str]) -> None:
        self._row, self._struck, self._repeat = [], set(), _count(given, "number-rows-repeated")
        self._collapsed = given.get("visibility") in ("collapse", "filter") or any(self._groups)

    def _end_table_row(self) -> None:
        table, first = self.tables[-1], self._row_number + 1
        self._row_number += self._repeat
        while self._row and self._row[-1] is None:
            self._row.pop()
        if not self._row:
            return
        if len(table.rows) + self._repeat > self._rows_max:
            raise TooManyRows(most=self._rows_max)
        self._filled += len(self._row) * self._repeat
        if self._filled > CELLS_MAX:
            raise WorkbookTooLarge
        for number in range(first, first + self._repeat):
            table.rows.append((number, list(self._row)))
            if self._collapsed:
                table.marks.hidden.add(number)
            table.marks.struck |= {(number, column) for column in self._struck}

    def _start_table_cell(self, given: dict[str, str]) -> None:
        self._cell = CellRead(given, is_struck=given.get("style-name") in self._struck_styles)

    def _start_covered_table_cell(self, given: dict[str, str]) -> None:
        # A cell covered by a merged block is invisible, so it counts as blank.
        self._cell = CellRead({"number-columns-repeated": given.get("number-columns-repeated", "1")})

    def _start_p(self, _given: dict[str, str]) -> None:
        if self._cell is not None:
            self._cell.paragraphs.append("")
            self._in_paragraph = True

    def _end_p(self) -> None:
        self._in_paragraph = False

    def _start_s(self, given: dict[str, str]) -> None:
        self.text(" " * min(_count(given, "c"), 100))

    def _start_tab(self, _given: dict[str, str]) -> None:
        self.text("\t")

    def _start_line_break(self, _given: dict[str, str]) -> None:
        self.text("\n")

    def _end_table_cell(self) -> None:
        read, self._cell = self._cell, None
        if read is None or not self.tables:
            return
        value = value_of(read)
        repeat = _count(read.attributes, "number-columns-repeated")
        across, down = (_count(read.attributes, f"number-{way}-spanned") for way in ("columns", "rows"))
        if across > 1 or down > 1:
            top, left = self._row_number, len(self._row)
            self.tables[-1].merges.append((top, left, top + down - 1, left + across - 1))
        if value is None:
            # A row may end in thousands of blank cells; they matter only if a filled cell follows.
            self._row.extend([None] * min(repeat, COLUMNS_MAX + 1 - len(self._row)))
        elif len(self._row) + repeat > COLUMNS_MAX:
            raise WorkbookTooLarge
        else:
            if read.is_struck:
                self._struck |= set(range(len(self._row), len(self._row) + repeat))
            self._row.extend([value] * repeat)

    def _end_covered_table_cell(self) -> None:
        if self._cell is not None:
            self._cell.paragraphs.clear()
        self._end_table_cell()


def _count(given: dict[str, str], name: str) -> int:
    written = given.get(name, "1")
    if not re.fullmatch(r"\d{1,9}", written):
        raise WorkbookBroken
    return max(int(written), 1)
