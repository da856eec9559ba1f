"""One cell in, one clean value or a Problem out: words, names, numbers, phones and identity numbers."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from timebank.core import names
from timebank.imports.cells.identity import Document, Identity, Sex, read_identity
from timebank.imports.cells.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that holds something which is no value: an error, or a formula that nobody has worked out.

    `shown` is the error or the formula as it stands there, `place` the cell's name, such as C7. What is struck through
    may or may not be meant, and counts as such too.
    """

    shown: str
    place: str = ""
    is_struck: bool = False

    @property
    def problem(self) -> Problem:
        """What is wrong, with the cell's place and the cure."""
        if self.is_struck:
            return problem("cell_struck", place=self.place)
        if self.shown.startswith("="):
            return problem("cell_formula", place=self.place)
        if set(self.shown) == {"#"}:
            return problem("cell_too_narrow", place=self.place)
        return problem("cell_error", place=self.place, shown=self.shown)


Cell = str | int | float | bool | date | datetime | time | timedelta | Unreadable | None
"""What a workbook can hold in one cell; `None` is blank, which `Unreadable` is not."""

_ERROR_TEXT = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|[A-Z_]{3,15}[!?])|Err:\d{3}|#{3,}|#GETTING_DATA")
_FORMULA_TEXT = re.compile(r"'?=[A-Za-z$+\-(\d'!\[].*[\d()].*|'?=\d+", re.DOTALL)


_FORMULA_SIGNS = ("=", "+", "-", "@")


def read_text(text: str) -> str | Unreadable | None:
    """A text as a cell: blank, an error or a formula that was saved as text, or words."""
    bare = text.strip()
    if not bare or not _INVISIBLE.sub("", bare).strip():
        return None
    if bare[0] in "#E='" and (_ERROR_TEXT.fullmatch(bare) or _FORMULA_TEXT.fullmatch(bare)):
        return Unreadable(bare.removeprefix("'"))
    # A sign before what a spreadsheet would take for a formula is none of the text: exports, our own too, put it there.
    if bare[0] == "'" and bare[1:2] in _FORMULA_SIGNS:
        return text.lstrip()[1:]
    # An apostrophe before a value is the spreadsheet's own sign for a text, kept by some exports.
    return bare[1:] if re.match(r"['’‘]\w", bare) and "'" not in bare[1:] else text


NAME_LENGTH_MAX = 50
NOTE_LENGTH_MAX = 500
_NOTHING = frozenset(
    {"", "无", "暂无", "没有", "不详", "空", "none", "null", "n/a", "na", "nil", "nan", "nat", "<na>", "."}
)
_DASHES = re.compile(r"[-‐‑–—―_~～ ]*|[/\\]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_NAME_CATEGORIES = frozenset({"Lo", "Lu", "Ll", "Lt", "Lm", "Mn", "Mc", "Co", "Cn"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_LAST_X = re.compile(r"(?<=\d)[×✕✖ⅩⅹХхΧχ]$")  # signs that are typed or recognised for an X
_NUMBER_LABEL = re.compile(
    r"^(居民)?(身份证|公民身份|证件)(号码?)?\s*[:：]?\s*|^ID( ?(no|number))?\.?\s*[:：]?\s*(?=\d)", re.IGNORECASE
)
_NO_NUMBER = re.compile("(暂?无|没有?|未|待)(办|办理|办证|填|留|补|提供|登记|上户口?)?(身份证|证件)?(号码?)?")
IDENTITY_DIGITS = 18
_SCIENTIFIC = re.compile(r"\d(\.\d+)?e\+?\d{1,3}", re.IGNORECASE)


def words(cell: Cell) -> str:
    """The cell as one line of plain text, full-width letters and digits made narrow, Chinese characters untouched.

    Unicode's own compatibility forms are not used on purpose: they replace rare characters of names.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, timedelta):
        minutes = round(cell.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02}"
    text = cell.shown if isinstance(cell, Unreadable) else str(cell)
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1]
    return " ".join(_CONTROL.sub("", _INVISIBLE.sub("", text.translate(_FULL_WIDTH))).split())


def blank(cell: Cell) -> bool:
    """Whether the cell says nothing: empty, or one of the marks people put where nothing is known."""
    return cell is None or says_nothing(words(cell))


def says_nothing(value: str) -> bool:
    """Whether the words of a cell are one of these marks."""
    return value.lower() in _NOTHING or _DASHES.fullmatch(value) is not None


def text(cell: Cell, most: int = NAME_LENGTH_MAX) -> str | Problem | None:
    """Free words of at most `most` characters."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, str) and _CONTROL.search(cell):
        return problem("control_character")
    value = words(cell)
    if len(value) > most:
        return problem("text_too_long", length=len(value), most=most)
    return None if says_nothing(value) else value


def note(cell: Cell) -> str | Problem | None:
    """A remark."""
    return text(cell, NOTE_LENGTH_MAX)


def name(cell: Cell) -> str | Problem | None:
    """A person's name, cleaned as the panel and the API clean it; what no name holds is refused."""
    value = text(cell)
    if value is None or isinstance(value, Problem):
        return value
    value = names.clean_person(value)
    # "Cn": a character newer than this Python's tables, as the rarest name characters are.
    if not all(unicodedata.category(char) in _NAME_CATEGORIES or char in "〇·. '-’" for char in value):
        return problem("name_unclear")
    return value


def private(char: str) -> bool:
    """Whether a character was made up by an input method and means nothing on another machine."""
    return unicodedata.category(char) == "Co"


def sex(cell: Cell) -> Sex | Problem | None:
    """男 or 女, as words or letters."""
    if isinstance(cell, Unreadable):
        return cell.problem
    value = words(cell).lower()
    if value in {"男", "男性", "m", "male", "先生"}:
        return "male"
    if value in {"女", "女性", "f", "female", "女士"}:
        return "female"
    return None if says_nothing(value) else problem("sex_unclear")


def digits_only(cell: Cell) -> str:
    """A number kept as text, without the spaces, dashes and quotes that people put into it."""
    return re.sub(r"[\s\-–—_.'‘’`]", "", words(cell)).upper()


def identity(cell: Cell, kind: str | None = None) -> Identity | Document | Problem | None:
    """A citizen identity number that passes its check digit, or a certificate of another kind with its number."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if blank(cell):
        return None
    if (isinstance(cell, float) and cell >= 1e15) or _SCIENTIFIC.fullmatch(words(cell)):
        return problem("identity_rounded")
    said = words(cell)
    if _NO_NUMBER.fullmatch(said):
        return None
    if re.fullmatch(r"\d{15,18}\.0+", said):
        said = said.partition(".")[0]  # as a program writes a number that it has read as a float
    number = _LAST_X.sub("X", digits_only(_NUMBER_LABEL.sub("", said)))
    found = read_identity(number, kind)
    if isinstance(found, Problem) and re.search(r"(?<!\d)\d{17}[\dX](?!\d)", number) and len(number) > IDENTITY_DIGITS:
        return problem("identity_with_more")
    return found


Role = Literal["building_head", "unit_head", "grid_worker"]
_ROLE_WORDS: tuple[tuple[re.Pattern[str], Role], ...] = (
    (re.compile(r"[楼栋幢]栋?长|building ?head"), "building_head"),
    (re.compile(r"单元长|unit ?head"), "unit_head"),
    (re.compile(r"网格[员长]|grid ?(?:worker|head)"), "grid_worker"),
)
_OVER = re.compile("(?:原|前|前任|原任|非|不是|曾任|卸任)$")
_NOT_HELD = re.compile("(?:不再担?任?|不再是|曾是?|辞去?|免去?|拟聘?任?|候选|推荐|竞选|副|待任?|找|联系|问|请|其|由)$")
_HELD = re.compile(
    r"(?![(（]?(?:候选|候补|拟|原|前|已|副|待|助理|家属))(?:$|[\s,，、;；。.(（)）/+&\d]|兼|和|及|与|一职|职务|至今|党员|志愿|代表)"
)


def roles(value: str | None) -> frozenset[Role]:
    """The offices that a heading, title or remark mentions; one that is over ("原楼栋长") or denied does not count."""
    lower = (value or "").lower()
    return frozenset(
        role
        for words_, role in _ROLE_WORDS
        for found in words_.finditer(lower)
        if not _OVER.search(lower[: found.start()])
    )


def roles_held(value: str | None) -> frozenset[Role]:
    """The offices that a remark says somebody holds: not those of a relative, or which they are to get or have left."""
    lower = (value or "").lower()
    return frozenset(
        role
        for words_, role in _ROLE_WORDS
        for found in words_.finditer(lower)
        if not (_OVER.search(lower[: found.start()]) or _NOT_HELD.search(lower[: found.start()]))
        and _HELD.match(lower[found.end() :])
    )
