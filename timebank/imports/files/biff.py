"""Extract what the reader of old .xls files omits: error cells, formulas without a value, styles, hidden cells.

Used only in the child process of `old_workbook`. Records are as in [MS-XLS] 2.4, the container as in [MS-CFB].
"""

import struct
from collections.abc import Iterator

from timebank.imports.files.marks import Marks
from timebank.imports.files.styles import BUILT_IN, Style, style_of

_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_FORMULA, _BOOL_OR_ERROR, _ROW, _BOUND_SHEET, _BEGIN, _END = 0x06, 0x205, 0x208, 0x85, 0x809, 0x0A
_FONT, _FORMAT, _CELL_FORMAT, _COLUMNS, _COMMENT = 0x31, 0x41E, 0xE0, 0x7D, 0x1C
_NUMBER, _SHORT_NUMBER, _SHORT_NUMBERS, _TEXT, _OWN_TEXT = 0x203, 0x27E, 0xBD, 0xFD, 0x204
_CELLS = frozenset({_NUMBER, _SHORT_NUMBER, _TEXT, _OWN_TEXT, _FORMULA})
_COUNTED_FROM, _STRUCK = 0x22, 0x08
_COLUMNS_MAX = 256
_ROW_HIDDEN = 0x20
_EMPTY_TEXT = b"\x17\x00\x00"  # PtgStr of length 0: the formula itself contains ""
_NO_SECTOR = 0xFFFFFFFA


def marks(content: bytes) -> list[Marks]:
    """The marks of every sheet, in the order of the workbook."""
    stream = _stream(content)
    book = list(_records(stream, 0))
    starts = [struct.unpack_from("<I", body)[0] for kind, body in book if kind == _BOUND_SHEET and len(body) > 6]
    # Files from before Excel 97 store text differently, so their styles are not read.
    styles = _styles(book) if stream[4:6] == b"\x00\x06" else []
    from_1904 = any(kind == _COUNTED_FROM and body[:1] == b"\1" for kind, body in book)
    found = [_sheet(stream, start, styles) for start in starts]
    for sheet, _, _ in found:
        sheet.from_1904 = from_1904
    # A program that does not calculate leaves every formula without a value. If any formula has a value, an empty value
    # is the result "".
    works_out = any(valued for _, _, valued in found)
    for sheet, empty, _ in found:
        if not works_out:
            sheet.unreadable |= dict.fromkeys(empty, "=")
    return [sheet for sheet, _, _ in found]


def _styles(book: list[tuple[int, bytes]]) -> list[Style]:
    """The style of every cell format of the workbook, in order."""
    codes = {
        struct.unpack_from("<H", body)[0]: _text(body[2:]) for kind, body in book if kind == _FORMAT and len(body) >= 5
    }
    fonts = [body for kind, body in book if kind == _FONT and len(body) >= 4]
    struck = [bool(body[2] & _STRUCK) for body in fonts]
    struck[4:4] = [False]  # the file format has no font number 4
    styles = []
    for kind, body in book:
        if kind == _CELL_FORMAT and len(body) >= 4:
            font, code = struct.unpack_from("<HH", body)
            is_struck = font < len(struck) and struck[font]
            styles.append(style_of(codes.get(code, BUILT_IN.get(code, "General")), is_struck=is_struck))
    return styles


def _text(body: bytes) -> str:
    length, is_wide = struct.unpack_from("<HB", body)
    return (
        body[3 : 3 + 2 * length].decode("utf-16-le", "replace")
        if is_wide & 1
        else body[3 : 3 + length].decode("latin-1")
    )


def _note_styles(sheet: Marks, kind: int, body: bytes, styles: list[Style]) -> None:
    """Note the style of the cell, or of the several cells, in one record."""
    if kind in _CELLS and len(body) >= 6:
        row, column, style = struct.unpack_from("<HHH", body)
        places = [(column, style)]
    elif kind == _SHORT_NUMBERS and len(body) >= 12:
        row, first = struct.unpack_from("<HH", body)
        places = [
            (first + count, struct.unpack_from("<H", body, at)[0])
            for count, at in enumerate(range(4, len(body) - 7, 6))
        ]
    else:
        return
    for column, number in places:
        style = styles[number] if number < len(styles) else Style()
        if style.is_struck:
            sheet.struck.add((row + 1, column))
        if style.says_more:
            sheet.styles[row + 1, column] = style


def _sheet(stream: bytes, start: int, styles: list[Style]) -> tuple[Marks, list[tuple[int, int]], bool]:
    """A sheet's marks, the places of its formulas with an empty value, and whether any formula has a value."""
    sheet, empty, valued = Marks(), list[tuple[int, int]](), False
    for kind, body in _records(stream, start):
        _note_styles(sheet, kind, body, styles)
        _note_hidden(sheet, kind, body)
        sheet.comments += kind == _COMMENT
        if kind == _BOOL_OR_ERROR and len(body) >= 8 and body[7]:
            row, column = struct.unpack_from("<HH", body)
            sheet.unreadable[row + 1, column] = _ERRORS.get(body[6], "#VALUE!")
        elif kind == _FORMULA and len(body) >= 14:
            row, column = struct.unpack_from("<HH", body)
            is_special, special = body[12:14] == b"\xff\xff", body[6]
            if is_special and special == 2:
                sheet.unreadable[row + 1, column] = _ERRORS.get(body[8], "#VALUE!")
            if is_special and special == 3:
                if _EMPTY_TEXT not in body[20:]:
                    empty.append((row + 1, column))
            else:
                valued = True
    return sheet, empty, valued


def _note_hidden(sheet: Marks, kind: int, body: bytes) -> None:
    """Note a hidden row or hidden columns."""
    if kind == _ROW and len(body) >= 14:
        row, options = struct.unpack_from("<H10xH", body)
        if options & _ROW_HIDDEN:
            sheet.hidden.add(row + 1)
    elif kind == _COLUMNS and len(body) >= 10:
        first, last, width, _, options = struct.unpack_from("<5H", body)
        if options & 1 or width == 0:
            sheet.hidden_columns |= set(range(first, min(last + 1, _COLUMNS_MAX)))


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, without those of substreams inside it, such as charts."""
    place, depth = start, 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        body = stream[place + 4 : place + 4 + length]
        place += 4 + length
        if kind == _BEGIN:
            depth += 1
        elif kind == _END:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, body


def _stream(content: bytes) -> bytes:
    """Extract the workbook's stream from the compound file."""
    size = 1 << struct.unpack_from("<H", content, 30)[0]
    small_size = 1 << struct.unpack_from("<H", content, 32)[0]
    (directory_start,) = struct.unpack_from("<I", content, 48)
    cutoff, small_start, _, more_start, more_count = struct.unpack_from("<5I", content, 56)

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    tables = list(struct.unpack_from("<109I", content, 76))
    while more_count and more_start < _NO_SECTOR:
        *more, more_start = struct.unpack(f"<{size // 4}I", sector(more_start))
        tables += more
        more_count -= 1
    following = [n for table in tables if table < _NO_SECTOR for n in struct.unpack(f"<{size // 4}I", sector(table))]

    def chain(start: int, links: list[int]) -> Iterator[int]:
        for _ in range(len(links)):
            if start >= _NO_SECTOR:
                return
            yield start
            start = links[start]

    directory = b"".join(map(sector, chain(directory_start, following)))
    entries = [directory[place : place + 128] for place in range(0, len(directory), 128)]
    named = {
        entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le"): entry for entry in entries
    }
    book = named.get("Workbook") or named["Book"]
    start, length = struct.unpack_from("<II", book, 116)
    if length >= cutoff:
        return b"".join(map(sector, chain(start, following)))[:length]
    (root_start,) = struct.unpack_from("<I", named["Root Entry"], 116)
    small = b"".join(map(sector, chain(root_start, following)))
    links = [n for at in chain(small_start, following) for n in struct.unpack(f"<{size // 4}I", sector(at))]
    return b"".join(small[n * small_size : (n + 1) * small_size] for n in chain(start, links))[:length]
