"""Recognises cells with marks instead of words: ditto marks, and marks whose meaning is unclear."""

import re
import unicodedata

from timebank.imports.cells.cell_values import Cell, blank, plain_text

_AROUND = re.compile(r"[\s()（）\[\]【】。.．]")
_DITTO = re.compile(
    r"(同上|如上|上同|同前|同)(面|行|述|一行|栏|条|格|项|列|一人|一户|户)?"
    r"|[〃″〞＂\"“”々]+|[′'‘’`´]{2,}|、、|,,|，，|↓+|ditto|do",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"同[左右下]|如下|见[上下左右]")


def is_ditto(cell: Cell) -> bool:
    """Whether a cell is a ditto mark, such as 同上 or 〃."""
    return isinstance(cell, str) and _DITTO.fullmatch(_AROUND.sub("", cell)) is not None


def is_unclear(cell: Cell) -> bool:
    """Whether a cell's value is unclear: it has only marks, such as "……" or "√", or refers to another cell (见下)."""
    if not isinstance(cell, str) or blank(cell):
        return False
    shown = plain_text(cell)
    return _ELSEWHERE.fullmatch(shown) is not None or all(map(_is_mark, shown))


def _is_mark(char: str) -> bool:
    # Unicode classifies the radicals of Chinese characters as symbols, but they occur in names.
    return unicodedata.category(char)[0] in "PSZ" and not "\u2e80" <= char <= "\u2fdf"
