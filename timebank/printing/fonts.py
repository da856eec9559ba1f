"""Chooses installed Chinese fonts that together have every character to print, so that none is left blank."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError
from fpdf import FPDF

from timebank.core.errors import TimebankError

FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts",
    "/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
# Parts of font file names, the most legible first; the last ones have the rare characters of names.
WANTED = (
    "notosanscjk-regular", "notosanscjksc-regular", "sourcehansanssc-regular", "sourcehansans-regular", "notosanssc",
    "pingfang", "hiragino sans gb", "stheiti light", "msyh", "deng.", "wqy-microhei", "wqy-zenhei", "simhei",
    "droidsansfallback", "notoserifcjk-regular", "sourcehanserif", "simsun", "arial unicode", "plangothic", "hanamin",
    "jigmo",
)  # fmt: skip
SIMPLIFIED = ("SC", "GB", "CN", "Hans", "YaHei", "PingFang")


class NoFont(TimebankError):
    code = "no_font"
    status = 500
    sentence = (
        "没有找到能印出「{letters}」的中文字体。请安装思源黑体（Debian、Ubuntu：apt install fonts-noto-cjk），"
        "或用 --font 指定一个字体文件。"
    )


class BadFont(TimebankError):
    code = "bad_font"
    status = 500
    sentence = "{path} 不是可用的字体文件（ttf、otf 或 ttc）。请换一个。"


@dataclass(frozen=True, slots=True)
class Font:
    """A font file, the number of the font in it (0 unless a collection), and the code points that it has."""

    path: Path
    number: int
    letters: frozenset[int]


def use_fonts(pdf: FPDF, text: str, chosen: Path | None = None) -> None:
    """Set a document's fonts for a text: the first is the main font, the others supply what it lacks."""
    fonts = fonts_for(text, chosen)
    for place, font in enumerate(fonts):
        pdf.add_font(f"chinese{place}", fname=font.path, collection_font_number=font.number)
    pdf.set_font("chinese0")
    if len(fonts) > 1:
        pdf.set_fallback_fonts([f"chinese{place}" for place in range(1, len(fonts))])


def fonts_for(text: str, chosen: Path | None = None) -> list[Font]:
    """Fonts that together have every character of a text: `chosen`, then installed ones. Raises NoFont and BadFont."""
    missing = {ord(letter) for letter in text if not letter.isspace()}
    used: list[Font] = []
    for path in [*([chosen] if chosen else []), *installed()]:
        font = read_font(path)
        if font is None and path == chosen:
            raise BadFont(path=path)
        if font is not None and (covered := missing & font.letters):
            used.append(font)
            missing -= covered
        if not missing:
            return used
    raise NoFont(letters="".join(sorted(map(chr, missing)))[:20])


def installed() -> Iterator[Path]:
    """Installed font files that may be Chinese, the best first."""
    files: list[Path] = []
    for folder in map(Path, FOLDERS):
        files += (p for p in folder.expanduser().rglob("*") if p.suffix.lower() in {".ttf", ".otf", ".ttc"})
    for wanted in WANTED:
        yield from sorted(path for path in files if wanted in path.name.lower())


@lru_cache(maxsize=64)
def read_font(path: Path) -> Font | None:
    """Read a font file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".ttc":
                collection = TTCollection(file, lazy=True)
                number = next((n for n, font in enumerate(collection.fonts) if _is_simplified(font)), 0)
                return Font(path, number, _letters(collection.fonts[number]))
            return Font(path, 0, _letters(TTFont(file, lazy=True)))
    except (TTLibError, OSError, KeyError, AssertionError, struct.error):
        return None


def _is_simplified(font: TTFont) -> bool:
    name = str(font["name"].getDebugName(1) or "")
    return any(word in name for word in SIMPLIFIED)


def _letters(font: TTFont) -> frozenset[int]:
    return frozenset(font.getBestCmap() or {})
