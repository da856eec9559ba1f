"""An xlsx file unpacked within limits and packed again, so that its reader meets only what was measured here."""

import re
import zipfile
import zlib
from io import BytesIO

from timebank.imports.refusals import FileTypeWrong, WorkbookBroken, WorkbookEncrypted, WorkbookTooLarge

ENTRIES_MAX = 2_000
UNPACKED_BYTES_MAX = 96 * 1024 * 1024
RATIO_MAX = 200
RATIO_COUNTS_FROM = 1024 * 1024
CELLS_MAX = 2_500_000
"""A sheet is read as a full rectangle, so one value far out would cost as much as all the cells before it."""

_CHUNK = 1024 * 1024
_SHEET_NAME = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_NEEDED = re.compile(r"\[Content_Types\]\.xml|_rels/.*|xl/[^/]+\.(xml|bin)|xl/(_rels|worksheets)/.*", re.IGNORECASE)
# A cell that is only formatted closes itself and holds nothing; only one with content stretches the rectangle.
_FILLED_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["'](?:[^>]*[^/>])?>""")


def repack(content: bytes) -> bytes:
    """The parts of a zipped workbook that hold tables, stored without compression; pictures and macros left behind."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            return _repack(packed)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as damage:
        raise WorkbookBroken from damage


def _repack(packed: zipfile.ZipFile) -> bytes:
    entries = packed.infolist()
    names = {entry.filename.lower() for entry in entries}
    if "xl/workbook.xml" not in names:
        raise FileTypeWrong
    _measure(entries)
    unpacked = BytesIO()
    cells = left = 0
    with zipfile.ZipFile(unpacked, "w", zipfile.ZIP_STORED) as again:
        for entry in {entry.filename: entry for entry in entries}.values():
            if not _NEEDED.fullmatch(entry.filename):
                continue
            part = _read(packed, entry, UNPACKED_BYTES_MAX - left)
            left += len(part)
            if _SHEET_NAME.fullmatch(entry.filename):
                cells += _rectangle(part)
            if cells > CELLS_MAX:
                raise WorkbookTooLarge
            again.writestr(entry.filename, part)
    return unpacked.getvalue()


def _measure(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse by what the file says of itself, before a byte is unpacked."""
    if len(entries) > ENTRIES_MAX or sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
        raise WorkbookTooLarge
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise WorkbookEncrypted
        if entry.file_size > RATIO_COUNTS_FROM and entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
            raise WorkbookTooLarge


def _read(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """One part, never more than `most` bytes, whatever its header promised."""
    pieces: list[bytes] = []
    size = 0
    with packed.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > most:
                raise WorkbookTooLarge
            pieces.append(piece)
    return b"".join(pieces)


def _rectangle(part: bytes) -> int:
    """How many cells lie between A1 and the outermost cell that holds anything."""
    rows = columns = 0
    for found in _FILLED_CELL.finditer(part):
        rows = max(rows, int(found[2]))
        columns = max(columns, column_number(found[1].decode()))
    return rows * columns


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
