"""Read one cell as a clean value or a Problem: text, names, sex, identity numbers and roles."""

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
    """A cell that has content but no value: an error, or a formula without a stored result.

    `shown` is the error or formula as written, `place` the cell's name, such as C7. Struck-through content counts as
    unreadable too, because it may or may not be meant.
    """

    shown: str
    place: str = ""
    is_struck: bool = False

    @property
    def problem(self) -> Problem:
        """What is wrong, with the cell's place and how to correct it."""
        if self.is_struck:
            return problem("cell_struck", place=self.place)
        if self.shown.startswith("="):
            return problem("cell_formula", place=self.place)
        if set(self.shown) == {"#"}:
            return problem("cell_too_narrow", place=self.place)
        return problem("cell_error", place=self.place, shown=self.shown)


Cell = str | int | float | bool | date | datetime | time | timedelta | Unreadable | None
"""What a workbook can hold in one cell; `None` is a blank cell, `Unreadable` is not blank."""

_ERROR_TEXT = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|[A-Z_]{3,15}[!?])|Err:\d{3}|#{3,}|#GETTING_DATA")
_FORMULA_TEXT = re.compile(r"'?=[A-Za-z$+\-(\d'!\[].*[\d()].*|'?=\d+", re.DOTALL)


_FORMULA_SIGNS = ("=", "+", "-", "@")


def read_text(text: str) -> str | Unreadable | None:
    """Convert text to a cell: None if it is blank, Unreadable for an error or formula saved as text, else the text."""
    bare = text.strip()
    if not bare or not _INVISIBLE.sub("", bare).strip():
        return None
    if bare[0] in "#E='" and (_ERROR_TEXT.fullmatch(bare) or _FORMULA_TEXT.fullmatch(bare)):
        return Unreadable(bare.removeprefix("'"))
    # An apostrophe before text that a spreadsheet would take for a formula is put there by exports, ours too.
    if bare[0] == "'" and bare[1:2] in _FORMULA_SIGNS:
        return text.lstrip()[1:]
    # An apostrophe before a value is the spreadsheet's mark for text, which some exports keep.
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
_LAST_X = re.compile(r"(?<=\d)[×✕✖ⅩⅹХхΧχ]$")  # characters that are typed or recognised instead of an X
_NUMBER_LABEL = re.compile(
    r"^(居民)?(身份证|公民身份|证件)(号码?)?\s*[:：]?\s*|^ID( ?(no|number))?\.?\s*[:：]?\s*(?=\d)", re.IGNORECASE
)
_NO_NUMBER = re.compile("(暂?无|没有?|未|待)(办|办理|办证|填|留|补|提供|登记|上户口?)?(身份证|证件)?(号码?)?")
IDENTITY_DIGITS = 18
_SCIENTIFIC = re.compile(r"\d(\.\d+)?e\+?\d{1,3}", re.IGNORECASE)


def plain_text(cell: Cell) -> str:
    """The cell as one line of plain text; full-width letters and digits become half-width.

    Unicode compatibility normalisation is not used, because it replaces rare characters of names.
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
    return " ".join(_CONTROL.sub("", _INVISIBLE.sub("", text.translate(names.FULL_WIDTH))).split())


def blank(cell: Cell) -> bool:
    """Whether the cell is empty or holds a placeholder such as 无, 不详 or a dash."""
    return cell is None or says_nothing(plain_text(cell))


def says_nothing(value: str) -> bool:
    """Whether the text of a cell is empty or such a placeholder."""
    return value.lower() in _NOTHING or _DASHES.fullmatch(value) is not None


def text(cell: Cell, most: int = NAME_LENGTH_MAX) -> str | Problem | None:
    """Free text of at most `most` characters; None for a blank cell."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, str) and _CONTROL.search(cell):
        return problem("control_character")
    value = plain_text(cell)
    if len(value) > most:
        return problem("text_too_long", length=len(value), most=most)
    return None if says_nothing(value) else value


def note(cell: Cell) -> str | Problem | None:
    """A remark of at most `NOTE_LENGTH_MAX` characters."""
    return text(cell, NOTE_LENGTH_MAX)


def name(cell: Cell) -> str | Problem | None:
    """A person's name, cleaned as in the panel and the API. Characters that no name contains are refused."""
    value = text(cell)
    if value is None or isinstance(value, Problem):
        return value
    value = names.clean_person(value)
    # "Cn" is accepted because rare name characters may be newer than this Python's Unicode tables.
    if not all(unicodedata.category(char) in _NAME_CATEGORIES or char in "〇·. '-’" for char in value):
        return problem("name_unclear")
    return value


def is_private_use(char: str) -> bool:
    """Whether a character is for private use: made by an input method and undefined on other machines."""
    return unicodedata.category(char) == "Co"


def sex(cell: Cell) -> Sex | Problem | None:
    """The sex from words or letters such as 男, 女性, M or female."""
    if isinstance(cell, Unreadable):
        return cell.problem
    value = plain_text(cell).lower()
    if value in {"男", "男性", "m", "male", "先生"}:
        return "male"
    if value in {"女", "女性", "f", "female", "女士"}:
        return "female"
    return None if says_nothing(value) else problem("sex_unclear")


def digits_only(cell: Cell) -> str:
    """A number kept as text, without the spaces, dashes and quotes that people put into it."""
    return re.sub(r"[\s\-–—_.'‘’`]", "", plain_text(cell)).upper()


def identity(cell: Cell, kind: str | None = None) -> Identity | Document | Problem | None:
    """A citizen's identity number with a correct check digit, or another document with its number."""
    if isinstance(cell, Unreadable):
        return cell.problem
    if blank(cell):
        return None
    if (isinstance(cell, float) and cell >= 1e15) or _SCIENTIFIC.fullmatch(plain_text(cell)):
        return problem("identity_rounded")
    said = plain_text(cell)
    if _NO_NUMBER.fullmatch(said):
        return None
    if re.fullmatch(r"\d{15,18}\.0+", said):
        said = said.partition(".")[0]  # a program that reads the number as a float adds ".0"
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
    """The roles that a heading, title or remark mentions; a former ("原楼栋长") or denied one does not count."""
    lower = (value or "").lower()
    return frozenset(
        role
        for words_, role in _ROLE_WORDS
        for found in words_.finditer(lower)
        if not _OVER.search(lower[: found.start()])
    )


def roles_held(value: str | None) -> frozenset[Role]:
    """The roles that a remark says somebody holds now; not a relative's role, a future or a former one."""
    lower = (value or "").lower()
    return frozenset(
        role
        for words_, role in _ROLE_WORDS
        for found in words_.finditer(lower)
        if not (_OVER.search(lower[: found.start()]) or _NOT_HELD.search(lower[: found.start()]))
        and _HELD.match(lower[found.end() :])
    )
