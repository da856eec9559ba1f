"""What the reader of old .xls files leaves out: error cells, formulas without a value, hidden rows.

Read by the child process of `old_workbook` alone. Records as in [MS-XLS] 2.4, the container as in [MS-CFB].
"""

import struct
from collections.abc import Iterator

from timebank.imports.marks import Marks

_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_FORMULA, _BOOL_OR_ERROR, _ROW, _BOUND_SHEET, _BEGIN, _END = 0x06, 0x205, 0x208, 0x85, 0x809, 0x0A
_ROW_HIDDEN = 0x20
_EMPTY_TEXT = b"\x17\x00\x00"  # PtgStr of no characters: the formula itself says ""
_NO_SECTOR = 0xFFFFFFFA


def marks(content: bytes) -> list[Marks]:
    """The marks of every sheet, in the order of the book."""
    stream = _stream(content)
    starts = [
        struct.unpack_from("<I", body)[0]
        for kind, body in _records(stream, 0)
        if kind == _BOUND_SHEET and len(body) > 6
    ]
    found = [_sheet(stream, start) for start in starts]
    # A program that works nothing out leaves every formula without a value; where one has a value, an empty one is "".
    works_out = any(valued for _, _, valued in found)
    for sheet, empty, _ in found:
        if not works_out:
            sheet.unreadable |= dict.fromkeys(empty, "=")
    return [sheet for sheet, _, _ in found]


def _sheet(stream: bytes, start: int) -> tuple[Marks, list[tuple[int, int]], bool]:
    """A sheet's marks, its formulas with an empty value, and whether one has another value."""
    sheet, empty, valued = Marks(), list[tuple[int, int]](), False
    for kind, body in _records(stream, start):
        if kind == _ROW and len(body) >= 14:
            row, options = struct.unpack_from("<H10xH", body)
            if options & _ROW_HIDDEN:
                sheet.hidden.add(row + 1)
        elif kind == _BOOL_OR_ERROR and len(body) >= 8 and body[7]:
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


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, those of a chart inside it left out."""
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
    """The book's stream out of the compound file."""
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
