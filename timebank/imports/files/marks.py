"""Reads from an xlsx file what calamine omits: error cells, formulas without a value, styles and what is hidden."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from timebank.imports.files.styles import Style, struck_texts, styles_of
from timebank.imports.files.xml_parts import TRUE, local_name, parsed, parser

_ANY_MARK = re.compile(rb"""[<:]f[\s>/]|["']e["']|hidden|zeroHeight|\b(?:ht|width)\s*=\s*["']0["']|strike""")
_COLUMNS_MAX = 1_000
_FROM_1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true)["']""")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")


@dataclass(slots=True, kw_only=True)
class Marks:
    """The marks of one sheet; rows count from 1 and columns from 0.

    `unreadable` holds the error or formula text of cells without a value, `styles` what is displayed beside a number,
    and `struck` the cells that are wholly or partly struck through.
    """

    unreadable: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    styles: dict[tuple[int, int], Style] = field(default_factory=dict)
    struck: set[tuple[int, int]] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    comments: int = 0
    from_1904: bool = False


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


def of_book(parts: Mapping[str, bytes]) -> dict[str, Marks]:
    """The marks of every worksheet by sheet name; `parts` are the file's parts by their names."""
    by_path = {_plain_path(name): part for name, part in parts.items()}
    targets = _targets(by_path.get("xl/_rels/workbook.xml.rels", b""))
    styles = styles_of(by_path.get("xl/styles.xml", b""))
    struck = struck_texts(by_path.get("xl/sharedstrings.xml", b""))
    from_1904 = _FROM_1904.search(by_path.get("xl/workbook.xml", b"")) is not None
    marks = {}
    for name, relation in _sheets(by_path.get("xl/workbook.xml", b"")):
        part = by_path.get(targets.get(relation, ""))
        if part is not None:
            marks[name] = of_sheet(part, styles, struck)
            marks[name].from_1904 = from_1904
    return marks


def _plain_path(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _sheets(part: bytes) -> list[tuple[str, str]]:
    """The name and the relationship id of each sheet, in order."""
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "sheet":
            relation = next((value for key, value in attributes.items() if key != "id" and local_name(key) == "id"), "")
            found.append((attributes.get("name", ""), relation))

    _walk(part, start)
    return found


def _targets(part: bytes) -> dict[str, str]:
    """The part's path of each relationship of the workbook, by relationship id."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship":
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


def of_sheet(part: bytes, styles: Mapping[int, Style], struck_texts: frozenset[str]) -> Marks:
    """The marks of one worksheet's part."""
    # Most sheets have no mark at all; only what may have one is walked through. UTF-16 hides the signs.
    styled = (
        re.compile(rb"""\bs\s*=\s*["'](%s)["']""" % b"|".join(b"%d" % place for place in styles)) if styles else None
    )
    if (
        not _ANY_MARK.search(part)
        and not struck_texts
        and not (styled and styled.search(part))
        and b"\0" not in part[:200]
    ):
        return Marks()
    walk = _SheetWalk(styles, struck_texts)
    reader = parser()
    reader.StartElementHandler = walk.start
    reader.EndElementHandler = walk.end
    reader.CharacterDataHandler = walk.text
    parsed(reader, part)
    return walk.marks


class _SheetWalk:
    """Collects the marks of a worksheet's cells; a row or cell without a reference follows the one before."""

    def __init__(self, styles: Mapping[int, Style], struck_texts: frozenset[str]) -> None:
        self.marks = Marks()
        self._styles, self._struck_texts = styles, struck_texts
        self._style = Style()
        self._is_struck = False
        self._row = self._column = 0
        self._rows_hidden = False
        self._kind = ""
        self._formula: str | None = None
        self._value: str | None = None
        self._reading = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local_name(name)
        if name == "c":
            self._start_cell(attributes)
        elif name == "f":
            self._formula, self._reading = "", "f"
        elif name in ("v", "t"):
            self._value, self._reading = self._value or "", "v"
        elif name == "strike":
            self._is_struck = self._is_struck or attributes.get("val", "1") in TRUE
        elif name == "row":
            self._start_row(attributes)
        elif name == "col" and (attributes.get("hidden") in TRUE or attributes.get("width") in ("0", "0.0")):
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdigit() and last.isdigit():
                self.marks.hidden_columns |= set(range(max(int(first), 1) - 1, min(int(last), _COLUMNS_MAX)))
        elif name == "sheetFormatPr":
            self._rows_hidden = attributes.get("zeroHeight", "") in TRUE

    def _start_row(self, attributes: dict[str, str]) -> None:
        written = attributes.get("r", "")
        self._row = int(written) if written.isdigit() else self._row + 1
        self._column = -1
        shown = attributes.get("hidden", "1" if self._rows_hidden and "ht" not in attributes else "0")
        flat = attributes.get("ht") in ("0", "0.0")
        if shown in TRUE or flat:
            self.marks.hidden.add(self._row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_number(place[1]) - 1 if place else self._column + 1
        self._kind = attributes.get("t", "")
        self._formula = self._value = None
        written = attributes.get("s", "")
        self._style = self._styles.get(int(written), Style()) if written.isdigit() else Style()
        self._is_struck = self._style.is_struck

    def text(self, text: str) -> None:
        if self._reading == "f":
            self._formula = (self._formula or "") + text
        elif self._reading == "v":
            self._value = (self._value or "") + text

    def end(self, name: str) -> None:
        name = local_name(name)
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
        elif self._value:
            if self._kind in ("", "n") and self._style.says_more:
                self.marks.styles[place] = self._style
            if self._is_struck or (self._kind == "s" and self._value in self._struck_texts):
                self.marks.struck.add(place)
