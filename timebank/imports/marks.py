"""What a reader of values leaves out of an xlsx file: error cells, formulas without a value, hidden rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from timebank.imports.refusals import WorkbookBroken

_TRUE = frozenset({"1", "true", "on"})
_ANY_MARK = re.compile(rb"""[<:]f[\s>/]|["']e["']|hidden|zeroHeight|\bht\s*=\s*["']0["']""")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")


@dataclass(slots=True)
class Marks:
    """Of one sheet: what stands in the cells without a value, by row (from 1) and column (from 0); its hidden rows."""

    unreadable: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(column: int) -> str:
    """A for column 0, AA for column 26."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def parser() -> expat.XMLParserType:
    """An XML parser that takes no document type, so that nothing is expanded and nothing fetched."""
    made = expat.ParserCreate()
    made.StartDoctypeDeclHandler = _refuse_doctype
    made.buffer_text = True
    return made


def _refuse_doctype(*_declared: object) -> None:
    raise WorkbookBroken


def local(name: str) -> str:
    """An element's or attribute's name without its prefix; strict files and others differ in nothing else."""
    return name.rpartition(":")[2]


def parsed(reader: expat.XMLParserType, part: bytes) -> None:
    """Run a parser over a part; raises WorkbookBroken for what is not XML."""
    try:
        reader.Parse(part, True)
    except expat.ExpatError as damage:
        raise WorkbookBroken from damage


def of_book(parts: Mapping[str, bytes]) -> dict[str, Marks]:
    """The marks of every worksheet by the sheet's name, from the parts of a file by their names."""
    by_path = {_plain_path(name): part for name, part in parts.items()}
    targets = _targets(by_path.get("xl/_rels/workbook.xml.rels", b""))
    marks = {}
    for name, relation in _sheets(by_path.get("xl/workbook.xml", b"")):
        part = by_path.get(targets.get(relation, ""))
        if part is not None:
            marks[name] = of_sheet(part)
    return marks


def _plain_path(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _sheets(part: bytes) -> list[tuple[str, str]]:
    """The name and relation of each sheet of the book, in order."""
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local(name) == "sheet":
            relation = next((value for key, value in attributes.items() if key != "id" and local(key) == "id"), "")
            found.append((attributes.get("name", ""), relation))

    _walk(part, start)
    return found


def _targets(part: bytes) -> dict[str, str]:
    """The path of each relation of the book."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if local(name) == "Relationship":
            target = attributes.get("Target", "").replace("\\", "/")
            path = target if target.startswith("/") else f"xl/{target.removeprefix('./')}"
            found[attributes.get("Id", "")] = _plain_path(path)

    _walk(part, start)
    return found


def _walk(part: bytes, start: object) -> None:
    if part:
        reader = parser()
        reader.StartElementHandler = start  # type: ignore[assignment]
        parsed(reader, part)


def of_sheet(part: bytes) -> Marks:
    """The marks of one worksheet's part."""
    # Most sheets have no mark at all; only what may have one is walked through. UTF-16 hides the signs.
    if not _ANY_MARK.search(part) and b"\0" not in part[:200]:
        return Marks()
    walk = _SheetWalk()
    reader = parser()
    reader.StartElementHandler = walk.start
    reader.EndElementHandler = walk.end
    reader.CharacterDataHandler = walk.text
    parsed(reader, part)
    return walk.marks


class _SheetWalk:
    """Walks through a worksheet's rows and cells; places that are not written follow one another."""

    def __init__(self) -> None:
        self.marks = Marks()
        self._row = self._column = 0
        self._rows_hidden = False
        self._kind = ""
        self._formula: str | None = None
        self._value: str | None = None
        self._reading = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "c":
            self._start_cell(attributes)
        elif name == "f":
            self._formula, self._reading = "", "f"
        elif name in ("v", "t"):
            self._value, self._reading = self._value or "", "v"
        elif name == "row":
            self._start_row(attributes)
        elif name == "sheetFormatPr":
            self._rows_hidden = attributes.get("zeroHeight", "") in _TRUE

    def _start_row(self, attributes: dict[str, str]) -> None:
        written = attributes.get("r", "")
        self._row = int(written) if written.isdigit() else self._row + 1
        self._column = -1
        shown = attributes.get("hidden", "1" if self._rows_hidden and "ht" not in attributes else "0")
        flat = attributes.get("ht") in ("0", "0.0")
        if shown in _TRUE or flat:
            self.marks.hidden.add(self._row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_number(place[1]) - 1 if place else self._column + 1
        self._kind = attributes.get("t", "")
        self._formula = self._value = None

    def text(self, text: str) -> None:
        if self._reading == "f":
            self._formula = (self._formula or "") + text
        elif self._reading == "v":
            self._value = (self._value or "") + text

    def end(self, name: str) -> None:
        name = local(name)
        if name in ("f", "v", "t"):
            self._reading = ""
        if name != "c":
            return
        place = (self._row, self._column)
        if self._kind == "e":
            self.marks.unreadable[place] = self._value or "#VALUE!"
        elif self._formula is not None and not self._value and self._kind not in ("str", "inlineStr"):
            # A formula whose text is empty says so by its type; without one nobody has worked it out.
            self.marks.unreadable[place] = f"={self._formula}"
