"""Names of people and things: cleaned to be stored, compared by a key, sorted by pinyin, masked in public."""

import re
import unicodedata

from pypinyin import Style, lazy_pinyin

# Two-character surnames that are common enough to be masked as one (欧阳*).
COMPOUND_SURNAMES = frozenset(
    (
        *("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐"),
        *("司徒", "端木", "轩辕", "夏侯", "宇文", "长孙", "独孤", "南宫", "西门", "百里"),
    )
)

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_DOTS = dict.fromkeys(map(ord, "•‧․・･∙⋅᛫．﹒⸱⸳●◦ꞏ᛬"), "·")
# Radicals are signs of a dictionary. Some input methods and scanners write them where the ordinary character is meant,
# which looks the same. Unicode's compatibility form knows those of Kangxi, but few of the supplement.
_KANGXI = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
_SUPPLEMENT = {
    ord(radical): ordinary
    for radical, ordinary in zip(
        "⺁⺄⺅⺆⺇⺉⺊⺋⺎⺑⺒⺓⺔⺕⺖⺘⺙⺚⺛⺝⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺭⺯⺰⺹⺻⺽⺾⻁⻂⻃⻄⻅⻆⻈⻉⻊⻋⻍⻏⻐⻑⻒⻓⻔⻖⻗⻘⻙⻚⻛⻜⻝⻞⻠⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳",
        "厂乙亻冂几刂卜㔾兀尢巳幺彑彐忄扌攵无旡月母民氵氺灬爫爫丬牛犭王礻糹纟耂聿臼艹虎衤覀西见角讠贝足车辶阝钅長镸长门阝雨青韦页风飞食食饣马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟",
        strict=True,
    )
}
_ORDINARY = _DOTS | _FULL_WIDTH | _KANGXI | _SUPPLEMENT
_SELECTORS = dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x180E)))
_CHINESE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_BESIDE_CHINESE = re.compile(rf"(?<=[{_CHINESE}·]) | (?=[{_CHINESE}·])")
_DOT_BETWEEN_LETTERS = re.compile(r"(?<=[^\x00-\x7f])[.。｡](?=[^\x00-\x7f])")
_SLASH_BETWEEN_LETTERS = re.compile(r"(?<=[^\x00-\x7f])[/／](?=[^\x00-\x7f]|$)")


def clean(text: str) -> str:
    """Words, a title or an address: NFC, no control characters, inner spaces between Chinese characters removed."""
    text = " ".join(_printable(text).split())
    return text.replace(" ", "") if not any(c.isascii() and c.isalpha() for c in text) else text


def clean_person(text: str) -> str:
    """A person's name as it is stored, from whatever face it comes: the panel, the API, the counter or a workbook.

    One kind of middle dot, full-width letters made narrow, radicals and variation selectors made ordinary characters,
    no space beside a Chinese character. The spaces of a Latin name (Nguyễn Thị Mai) and rare characters stay.
    """
    text = _printable(text.translate(_ORDINARY)).translate(_SELECTORS)
    return _DOT_BETWEEN_LETTERS.sub("·", _SPACE_BESIDE_CHINESE.sub("", " ".join(text.split())))


def key(name: str) -> str:
    """What two spellings of one person's name have in common. Kept beside each person; names are compared by it alone.

    Changing it needs a migration that makes the kept keys anew.
    """
    plain = unicodedata.normalize("NFKC", clean_person(name)).casefold()
    return clean_person(_SLASH_BETWEEN_LETTERS.sub("·", plain))


def _printable(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    return "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs"} or c in "\n\t")


def pinyin(text: str) -> str:
    """The sort key of a name: toneless pinyin, then the name itself, so that equal sounds keep one order."""
    return f"{' '.join(lazy_pinyin(text, style=Style.NORMAL)).lower()} {text}"[:240]


def masked(name: str) -> str:
    """张桂兰 becomes 张*, 欧阳凯伟 becomes 欧阳*, 阿依古丽·买买提 becomes 阿*."""
    if not name:
        return ""
    return (name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[:1]) + "*"
