"""Unpack an xlsx file within limits and repack it, so that its reader only gets what was measured here."""

import re
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO

from timebank.imports.files.marks import Marks, column_number, of_book
from timebank.imports.files.refusals import FileTypeWrong, WorkbookBroken, WorkbookEncrypted, WorkbookTooLarge

ENTRIES_MAX = 2_000
UNPACKED_BYTES_MAX = 96 * 1024 * 1024
RATIO_MAX = 200
RATIO_COUNTS_FROM = 1024 * 1024
CELLS_MAX = 2_500_000
"""Of all sheets. A sheet is read as a full rectangle, so one distant value costs as much as all cells before it."""

_CHUNK = 1024 * 1024
_SHEET_NAME = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_NEEDED = re.compile(r"\[Content_Types\]\.xml|_rels/.*|xl/[^/]+\.(xml|bin)|xl/(_rels|worksheets)/.*", re.IGNORECASE)
_COMMENTS = re.compile(r"xl/(comments/)?comment[^/]*\.xml", re.IGNORECASE)
_COMMENT = re.compile(rb"<(?:\w+:)?comment[\s>]")
# The reader does not know newer error values and would refuse the whole workbook because of one.
_NEW_ERROR = re.compile(rb"(<(?:\w+:)?v>)#(?!N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)[A-Z_]{2,20}[!?]?(?=</)")
# A cell that is only formatted is an empty tag; only a cell with content extends the rectangle.
_FILLED_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["'](?:[^>]*[^/>])?>""")


@dataclass(frozen=True, slots=True)
class Repacked:
    """A repacked workbook, and by sheet name the marks that its reader omits."""

    content: bytes
    marks: dict[str, Marks]
    comments: int = 0


def unpack(content: bytes) -> "Repacked | bytes":
    """Repack an xlsx file, or read the `content.xml` of an OpenDocument spreadsheet. Raises an ImportRefused."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            names = {entry.filename.lower() for entry in packed.infolist()}
            if "xl/workbook.xml" in names:
                return _repack(packed)
            if "content.xml" in names:
                return _content(packed)
            raise FileTypeWrong
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as damage:
        raise WorkbookBroken from damage


def _content(packed: zipfile.ZipFile) -> bytes:
    entries = packed.infolist()
    _measure(entries)
    by_name = {entry.filename.lower(): entry for entry in entries}
    manifest = by_name.get("meta-inf/manifest.xml")
    if manifest is not None and b"encryption-data" in _read(packed, manifest, UNPACKED_BYTES_MAX):
        raise WorkbookEncrypted
    return _read(packed, by_name["content.xml"], UNPACKED_BYTES_MAX)


def _repack(packed: zipfile.ZipFile) -> Repacked:
    """Repack and measure the parts that hold tables; pictures and other parts are left out."""
    entries = packed.infolist()
    _measure(entries)
    unpacked = BytesIO()
    parts: dict[str, bytes] = {}
    cells = left = comments = 0
    with zipfile.ZipFile(unpacked, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as again:
        for entry in {entry.filename: entry for entry in entries}.values():
            is_comments = _COMMENTS.fullmatch(entry.filename) is not None
            if not is_comments and not _NEEDED.fullmatch(entry.filename):
                continue
            part = _read(packed, entry, UNPACKED_BYTES_MAX - left)
            left += len(part)
            if is_comments:
                comments += len(_COMMENT.findall(part))
                continue
            if _SHEET_NAME.fullmatch(entry.filename):
                cells += _rectangle(part)
            if cells > CELLS_MAX:
                raise WorkbookTooLarge
            again.writestr(entry.filename, _NEW_ERROR.sub(rb"\1#VALUE!", part))
            parts[entry.filename] = part
    return Repacked(unpacked.getvalue(), of_book(parts), comments)


def _measure(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an encrypted or too large file by its list of entries, before anything is unpacked."""
    if len(entries) > ENTRIES_MAX or sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
        raise WorkbookTooLarge
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise WorkbookEncrypted
        if entry.file_size > RATIO_COUNTS_FROM and entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
            raise WorkbookTooLarge


def _read(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Unpack one part; raises WorkbookTooLarge beyond `most` bytes, whatever size the list of entries states."""
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
    """The number of cells from A1 to the last row and column with content."""
    rows = columns = 0
    for found in _FILLED_CELL.finditer(part):
        rows = max(rows, int(found[2]))
        columns = max(columns, column_number(found[1].decode()))
    return rows * columns
