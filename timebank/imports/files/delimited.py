"""Read delimited text such as CSV: decode it, find the delimiter and split it into records."""

import csv
import re
from io import StringIO

from timebank.imports.files.refusals import (
    FileTypeWrong,
    TextHasNul,
    TextQuoteOpen,
    TextUndecodable,
    TooManyRows,
    WorkbookTooLarge,
)

_DELIMITERS = ",\t;|"
_COLUMNS_MAX = 1_000
_HINT = re.compile(r'"?sep=(.?)"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)


def decode(content: bytes) -> str:
    """Decode UTF-8 with or without a byte order mark, UTF-16 with one, or GB18030; anything else is refused."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in content:
        raise TextHasNul
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise TextHasNul
        return text
    raise TextUndecodable


def records(content: bytes, rows_max: int) -> list[list[str]]:
    """All records of a delimited text; blank lines are kept so that positions match row numbers."""
    text, delimiter = _without_hint(decode(content))
    if text.lstrip()[:200].lower().startswith(("<", "{", "[{")):
        raise FileTypeWrong
    delimiter = delimiter or _delimiter(text)
    try:
        return _records(text, delimiter, rows_max, strict=True)
    except csv.Error:
        found = _records(text, delimiter, rows_max, strict=False)
    # If quotes are unbalanced, a cell whose later lines contain the delimiter has swallowed other records.
    for number, record in enumerate(found, 1):
        if any(delimiter in line for cell in record for line in cell.splitlines()[1:]):
            raise TextQuoteOpen(row=number)
    return found


def _records(text: str, delimiter: str, rows_max: int, *, strict: bool) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for record in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=strict):
            found.append(record)
            if len(found) > rows_max:
                raise TooManyRows(most=rows_max)
            if len(record) > _COLUMNS_MAX:
                raise WorkbookTooLarge
    except csv.Error as damage:
        if strict:
            raise
        raise FileTypeWrong from damage
    return found


def _without_hint(text: str) -> tuple[str, str | None]:
    """The text after a first line such as "sep=;", and its delimiter; spreadsheets do not count that line as a row."""
    found = _HINT.match(text)
    return (text[found.end() :], found[1] or "\t") if found else (text, None)


def _delimiter(text: str) -> str:
    """The delimiter that splits most of the first lines into the same number of columns; quoted fields stay whole."""
    head = text[:65_536].splitlines(keepends=True)[:30]

    def columns(candidate: str) -> tuple[int, int]:
        widths = [len(record) for record in csv.reader(head, delimiter=candidate) if len(record) > 1]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return widths.count(usual), usual

    return max(_DELIMITERS, key=columns)
