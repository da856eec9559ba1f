"""Reads cell styles: the unit, currency or per cent sign that is displayed beside a number, and strike-through.

Number formats as in ECMA-376 part 1, 18.8.30 and 18.8.31.
"""

import re
from dataclasses import dataclass
from datetime import date

from timebank.imports.files.xml_parts import TRUE, local_name, parsed, parser

_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|[\\!](?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[[^\]]*\]'
    r"|(?P<holder>General|G/通用格式|@|[0#?][0#?,.]*)|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_CHINESE_MONTH = dict.fromkeys((27, 36, 50, 52, 57), 'yyyy"年"m"月"')
_NUMBERS = {5: "¥0", 6: "¥0", 7: "¥0.00", 8: "¥0.00", 9: "0%", 10: "0.00%", 42: "¥0", 44: "¥0.00"}
BUILT_IN = {**_NUMBERS, **_CHINESE_MONTH, 17: "mmm-yy"}
_SAYS = re.compile(r"[^\W\d_]|[¥￥$€£%]")
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|[\\!].')
_OF_MOMENTS = re.compile(r"[ymdhs]|上午|下午", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """The text displayed before and after a number, and whether the cell is struck through.

    `is_month` means that a date is displayed as year and month, because the spreadsheet added the day itself.
    """

    before: str = ""
    behind: str = ""
    is_struck: bool = False
    is_month: bool = False

    @property
    def says_more(self) -> bool:
        """Whether the style adds to the cell's value."""
        return bool(self.before or self.behind or self.is_month)

    def shown_day(self, value: date) -> date | str:
        """The day, or a text such as 2026年7月 if only the month was typed and stored as its first day."""
        return f"{value.year}年{value.month}月" if self.is_month and value.day == 1 else value

    def shown(self, value: float) -> float | str:
        """The number with its displayed text, as a user would have typed it; unchanged without such a text."""
        if not self.before and not self.behind:
            return value
        number = value * 100 if self.behind == "%" else value
        return f"{self.before}{number:.10g}{self.behind}" if abs(number) < 1e10 else value


def style_of(code: str, *, is_struck: bool = False) -> Style:
    """The style of a number format; without texts if the format is for dates or times, or scales the number."""
    before, behind, holder = "", "", ""
    for piece in _PIECE.finditer(re.split(r";(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", code)[0]):
        said = next((piece[name] for name in ("quoted", "escaped", "currency", "plain") if piece[name]), "")
        if piece["plain"] and _OF_MOMENTS.match(piece["plain"]):
            return Style(is_struck=is_struck, is_month=_shows_month(code))
        if piece["holder"]:
            holder += piece["holder"]
        elif holder:
            behind += said
        else:
            before += said
    # A comma at the end divides by a thousand: the 万 behind it belongs to what is shown, not to what is kept.
    if not holder or "@" in holder or holder.endswith(","):
        return Style(is_struck=is_struck)
    return Style(_plain(before), _plain(behind), is_struck)


def _shows_month(code: str) -> bool:
    """Whether a format shows only the year and month of a date."""
    signs = set(_QUOTED.sub("", code.split(";", maxsplit=1)[0]).lower()) & set("ymdhs")
    return signs == {"y", "m"}


def _plain(said: str) -> str:
    return said.strip() if _SAYS.search(said) else ""


def styles_of(part: bytes) -> dict[int, Style]:
    """The styles of an xlsx file that add to a value or strike it through, by their index in the cell formats."""
    if not part:
        return {}
    walk = _StylesWalk()
    reader = parser()
    reader.StartElementHandler = walk.start
    reader.EndElementHandler = walk.end
    parsed(reader, part)
    return {
        place: style
        for place, (number_format, font) in enumerate(walk.formats)
        if (style := style_of(walk.code(number_format), is_struck=font in walk.struck)) != Style()
    }


class _StylesWalk:
    """Collects number formats, fonts, and the cell formats that refer to both."""

    def __init__(self) -> None:
        self.formats: list[tuple[int, int]] = []
        self.struck: set[int] = set()
        self._codes: dict[int, str] = {}
        self._fonts = 0
        self._within: list[str] = []

    def code(self, number: int) -> str:
        return self._codes.get(number, BUILT_IN.get(number, "General"))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local_name(name)
        above = self._within[-1] if self._within else ""
        self._within.append(name)
        if name == "numFmt" and above == "numFmts":
            self._codes[_number(attributes, "numFmtId")] = attributes.get("formatCode", "")
        elif name == "font" and above == "fonts":
            self._fonts += 1
        elif name == "strike" and self._within[-3:-1] == ["fonts", "font"] and attributes.get("val", "1") in TRUE:
            self.struck.add(self._fonts - 1)
        elif name == "xf" and above == "cellXfs":
            self.formats.append((_number(attributes, "numFmtId"), _number(attributes, "fontId")))

    def end(self, _name: str) -> None:
        self._within.pop()


def _number(attributes: dict[str, str], name: str) -> int:
    written = attributes.get(name, "")
    return int(written) if re.fullmatch(r"\d{1,9}", written) else 0


def struck_texts(part: bytes) -> frozenset[str]:
    """The indexes of the shared strings of an xlsx file that are wholly or partly struck through."""
    if b"strike" not in part:
        return frozenset()
    found: set[str] = set()
    count = -1

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += local_name(name) == "si"
        if local_name(name) == "strike" and attributes.get("val", "1") in TRUE:
            found.add(str(count))

    reader = parser()
    reader.StartElementHandler = start
    parsed(reader, part)
    return frozenset(found)
